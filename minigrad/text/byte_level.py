"""Bytes as characters that can be seen, as GPT-2's files have them: a space is Ġ, a newline Ċ.

JSON has text and no bytes. So each of the 256 bytes is written as one character: as itself where
Latin-1 prints it, and else as one of the characters from U+0100 on.
"""

ORDER = [*range(33, 127), *range(161, 173), *range(174, 256)]  # what Latin-1 prints
ORDER += [value for value in range(256) if value not in ORDER]

CHARACTERS = {value: chr(value if place < 188 else 68 + place) for place, value in enumerate(ORDER)}
_VALUES = {ord(character): value for value, character in CHARACTERS.items()}


def to_characters(content):
    """Bytes as text.

    >>> to_characters(b"the end\\n")
    'theĠendĊ'
    """
    return content.decode("latin-1").translate(CHARACTERS)


def to_bytes(text):
    """The bytes that `to_characters` wrote as `text`.

    Text with other characters was not written so; it stands for itself, in UTF-8.
    """
    try:
        return bytes(_VALUES[ord(character)] for character in text)
    except KeyError:
        return text.encode("utf-8", "surrogatepass")
