"""Python code as a list of words, for models that look words up: names, operators, lines.

Also fragments that are no whole program can be read, so this is no parser of Python: one regular
expression says what comes next.
"""

import re

INDENT = 4  # columns
DEEPEST = 4  # levels of indentation that are told apart
WORDS_OF_TEXT = 4  # that are kept of a string: more would be prose and not code

_LEVELS = [f"|{level}" for level in range(DEEPEST + 1)]

_IMPORT = re.compile(
    r"""(?mx)
    ( ^[ \t]* | [:;][ \t]* )
    (?: import | from [ \t]+ (?: \. [ \t]* )* [\w.]* [ \t]+ import ) \b
    (?: [ \t]* \( [^)]* \) | (?: \\\n | [^\n;] )* )
    """
)
_ITEM = re.compile(
    r"""(?sx)
      (?P<comment>  \# [^\n]* )
    | (?P<string>   [rbfuRBFU]{0,2} (?: \"{3} (?: \\. | [^\\] )*? \"{3}
                                      | '{3}  (?: \\. | [^\\] )*? '{3}
                                      | "     (?: \\. | [^"\\\n] )* "
                                      | '     (?: \\. | [^'\\\n] )* ' ) )
    | (?P<number>   \d [\w.]* )
    | (?P<name>     [^\W\d] \w* )
    | (?P<line>     \n [ \t]* )
    | (?P<operator> \*\* | // | [-+*/%&|^<>=!:]= | -> | << | >> | \.\.\. | [^\s] )
    """
)
_NAME = re.compile(r"[^\W\d]\w*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")  # get_URL2, newFile


def without_imports(text):
    """The text without its import statements, be they in brackets or over several lines."""
    return _IMPORT.sub(r"\1", text)


def words_of_name(name):
    """The words that a name is made of, in small letters.

    >>> words_of_name("_getHTTPResponse_at")
    ['get', 'http', 'response', 'at']
    """
    return [word.lower() for word in _WORD.findall(name)]


def code_words(text, unspoken=frozenset()):
    """The words of some code, a list of texts.

    A name gives its words; a number is "0"; a string gives its quotes and its first words; a line
    gives its level of indentation, as "|2"; comments and import statements give nothing.

    unspoken  names in small letters that give nothing either: as a whole name, outer underscores
              apart, or as one of the words of a name

    >>> " ".join(code_words("while x < 10:\\n    self.myQueue.put('so')  # done", {"queue"}))
    "while x < 0 : |1 self . my . put ( ' so )"
    """
    found = []
    for match in _ITEM.finditer(without_imports(text)):
        kind, item = match.lastgroup, match.group()
        if kind == "operator":
            found.append(item)
        elif kind == "number":
            found.append("0")
        elif kind == "name":
            found.extend(_spoken(item, unspoken))
        elif kind == "string":
            body = item.lstrip("rbfuRBFU")
            found.append(body[:3] if body[:3] in ('"""', "'''") else body[0])
            for name in _NAME.findall(body)[:WORDS_OF_TEXT]:
                found.extend(_spoken(name, unspoken))
        elif kind == "line":
            if found and found[-1] in _LEVELS:
                found.pop()  # the line was empty
            columns = len(item[1:].expandtabs())
            found.append(_LEVELS[min(columns // INDENT, DEEPEST)])
    return found


def _spoken(name, unspoken):
    if name.lower().strip("_") in unspoken:
        return []
    return [word for word in words_of_name(name) if word not in unspoken]
