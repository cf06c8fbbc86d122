"""Numbers as a table of plain text, for terminals, files and screen readers."""


def table(rows):
    """Rows of text, the heading first, in columns: the first begins at the left, others end right.

    >>> print(table([("class", "count"), ("cat", "12"), ("dog", "7")]))
    class  count
    cat       12
    dog        7
    """
    first, *others = ([len(cell) for cell in column] for column in zip(*rows))
    widths = [max(column) for column in others]
    lines = (
        "  ".join([f"{title:<{max(first)}}", *(f"{x:>{w}}" for x, w in zip(cells, widths))])
        for title, *cells in rows
    )
    return "\n".join(line.rstrip() for line in lines)
