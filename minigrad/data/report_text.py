"""The words of a data report: plain lines that read well in a terminal, and aloud."""

from .columns import is_number

MOST = 20  # more columns or classes than these are summed up
EXAMPLES = 3  # of many rows or columns, the first few are named


def page(numbers, findings):
    """The whole report, without the last line end."""
    parts = numbers["parts"]
    lines = ["Examples", *(f"  {name}: {part['examples']:,}" for name, part in parts.items())]
    for name, part in parts.items():
        lines += ["", f"Columns of {name}", *_indented(_columns(part["columns"]))]
    if any(part["labels"] for part in parts.values()):
        lines += ["", "Labels", *_indented(_labels(parts))]
    lines += ["", "To look at", *_indented(findings or [NOTHING])]
    return "\n".join(lines)


NOTHING = "nothing: no value is missing or infinite, no column constant, no example there twice"


def _indented(lines):
    return [f"  {line}" for line in lines]


# ---- What is there -------------------------------------------------------------------------------


def _columns(columns):
    """A line per column; many columns are summed up in one line per kind."""
    if len(columns) <= MOST:
        return [f"{_named(name)}: {_column(column)}" for name, column in columns.items()]
    lines = []
    for kind in ("numbers", "text"):
        alike = [column for column in columns.values() if column["kind"] == kind]
        if alike:
            about = f", {_range(alike)}" if kind == "numbers" else ""
            lines.append(f"{_count(len(alike), 'column')} of {kind}{about}")
    return lines


def _column(column):
    if column["kind"] == "numbers":
        text = f"numbers, {_range([column])}"
    else:
        most = ", ".join(f"{value!r} {count:,}" for value, count in column["most_frequent"])
        more = ", ..." if column["different"] > len(column["most_frequent"]) else ""
        text = f"text, {column['different']:,} different" + (f": {most}{more}" if most else "")
    return text + (f"; {column['missing']:,} missing" if column["missing"] else "")


def _range(columns):
    """From the smallest to the largest of all values; the mean is that of the columns' means."""
    finite = [column for column in columns if column["min"] is not None]
    if not finite:
        return "none of them finite"
    low, high = min(c["min"] for c in finite), max(c["max"] for c in finite)
    mean = sum(c["mean"] for c in finite) / len(finite)
    return f"{low:.6g} to {high:.6g}, mean {mean:.4g}"


def _labels(parts):
    """A line per class with its count and share in every part; a line per part for numbers."""
    labels = {name: part["labels"] for name, part in parts.items() if part["labels"]}
    with_classes = {name: of["classes"] for name, of in labels.items() if "classes" in of}
    lines = []
    listed = _all_classes(with_classes)
    for label in listed[:MOST]:
        counts = [
            f"{name} {classes.get(label, 0):,} ({_share(label, classes)})"
            for name, classes in with_classes.items()
        ]
        lines.append(f"{label}: {', '.join(counts)}")
    if len(listed) > MOST:
        lines.append(f"and {len(listed) - MOST:,} more classes")
    others = [name for name in labels if name not in with_classes]
    return lines + [f"{name}: numbers, {_range([labels[name]])}" for name in others]


def _share(label, classes):
    return f"{classes.get(label, 0) / max(sum(classes.values()), 1):.1%}"


def _all_classes(with_classes):
    """The classes of all parts: numbers by their size, text by the alphabet."""
    found = {label for classes in with_classes.values() for label in classes}
    return sorted(found, key=lambda label: (not is_number(label), _size(label), label))


def _size(label):
    return float(label) if is_number(label) else 0


# ---- What is wrong with it -----------------------------------------------------------------------


def findings(numbers):
    """A sentence for everything that asks for a look."""
    found = []
    for name, part in numbers["parts"].items():
        found += [f"{name}: {text}" for text in _of_columns(part["columns"])]
        found += [f"{name}: {text}" for text in _of_labels(part["labels"])]
        if part["duplicates"]:
            found.append(f"{name}: {_count(part['duplicates'], 'repeated example')}")
    return [*found, *_absent_classes(numbers["parts"]), *_between(numbers)]


def _of_columns(columns):
    for kind in ("missing", "infinite"):
        counts = {name: column.get(kind, 0) for name, column in columns.items()}
        at_fault = {name: count for name, count in counts.items() if count}
        if at_fault:
            total = _count(sum(at_fault.values()), f"{kind} value")
            most = sorted(at_fault, key=at_fault.get, reverse=True)
            listed = _some([f"{_named(name)} {at_fault[name]:,}" for name in most])
            yield f"{total} in {len(at_fault):,} of {_count(len(columns), 'column')}: {listed}"
    constant = [_named(name) for name, column in columns.items() if column["constant"]]
    if constant:
        yield f"{_count(len(constant), 'constant column')}: {_some(constant)}"
    for name, column in columns.items():
        if column.get("looks_like"):
            value = column["first_not_number"][1]
            yield f"{_named(name)} is text, and each looks like {column['looks_like']}: {value!r}"
        elif column["kind"] == "text" and 0 < column["not_numbers"] <= column["numbers"]:
            row, stray = column["first_not_number"]
            yield (
                f"{_named(name)} is text, with {_count(column['numbers'], 'number')} in it and "
                f"{column['not_numbers']:,} other, the first in row {row}: {stray!r}"
            )
    by_position = list(columns) == [str(i) for i in range(len(columns))]
    if not by_position and any(map(is_number, columns)):
        name = next(filter(is_number, columns))
        yield f"a column has the name {name!r}: does the file begin without a header?"


def _of_labels(labels):
    if labels and labels["missing"]:
        yield _count(labels["missing"], "missing label")
    if labels and labels.get("infinite"):
        yield _count(labels["infinite"], "infinite label")
    if labels and len(labels.get("classes", "many")) == 1:
        yield "one class alone among the labels"


def _absent_classes(parts):
    labels = {name: part["labels"] for name, part in parts.items() if part["labels"]}
    with_classes = {name: of["classes"] for name, of in labels.items() if "classes" in of}
    for name, classes in with_classes.items():
        absent = [label for label in _all_classes(with_classes) if label not in classes]
        if absent:
            kinds = _count(len(absent), "class", "classes")
            yield f"{name}: no example of {kinds} of another part: {_some(absent)}"


def _between(numbers):
    for leak in numbers["leaks"]:
        if leak["examples"]:
            a, b = leak["parts"]
            pairs = [f"row {j} of {b} is row {i} of {a}" for i, j in leak["rows"]]
            many = _count(leak["examples"], "example")
            listed = _some(pairs, leak["examples"])
            yield f"leak: the x of {many} of {b} occurs in {a}: {listed}"
    against = numbers["contradictions"]
    if against["examples"]:
        pairs = [f"row {i} of {a} and row {j} of {b}" for (a, i), (b, j) in against["rows"]]
        yield (
            f"contradiction: the x of {_count(against['examples'], 'example')} occurs with another "
            f"label: {_some(pairs, against['groups'])}"
        )


# ---- Words ---------------------------------------------------------------------------------------


def _named(column):
    """A Table's column by its name, an array's by its number."""
    return f"column {column}" if is_number(column) else repr(column)


def _count(n, one, many=None):
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _some(items, total=None):
    """The first few, and how many more there are of all `total`."""
    total = len(items) if total is None else total
    shown = items[:EXAMPLES]
    more = [f"and {total - len(shown):,} more"] if total > len(shown) else []
    return ", ".join([*shown, *more])
