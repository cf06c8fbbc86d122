"""How BERT reads a text: cleaned, each Chinese character a word, without accents, cut into words.

J. Devlin et al. ("BERT: pre-training of deep bidirectional transformers", 2019).
"""

import re
import unicodedata

from . import unicode_8
from .patterns import WHITE_SPACE
from .unicode_8 import INVISIBLE, NONSPACING_MARKS, PUNCTUATION

# Blocks of Chinese characters as BERT has them. The sixth begins with 2B820, and later in Hugging
# Face's tokenizers, whose ids are what models know.
CHINESE = (
    *(range(0x4E00, 0xA000), range(0x3400, 0x4DC0), range(0x20000, 0x2A6E0)),
    *(range(0x2A700, 0x2B740), range(0x2B740, 0x2B820), range(0x2B920, 0x2CEB0)),
    *(range(0xF900, 0xFB00), range(0x2F800, 0x2FA20)),
)

_PUNCTUATION = "".join(re.escape(chr(number)) for number in sorted(PUNCTUATION))
_WORD = re.compile(rf"[{_PUNCTUATION}]|[^{WHITE_SPACE}{_PUNCTUATION}]+")


def split_words(text):
    """The words of a cleaned text: each punctuation mark, and what is between them and spaces.

    >>> split_words("it's 3.5  km")
    ['it', "'", 's', '3', '.', '5', 'km']
    """
    return _WORD.findall(text)


def words_with_places(text, lower_case, strip_accents):
    """[(word, places)] of a text that is not cleaned: for each character its start and end there.

    >>> words_with_places("É a", lower_case=True, strip_accents=True)
    [('e', [(0, 1)]), ('a', [(2, 3)])]
    """
    cleaned, places = [], []
    for start, character in enumerate(text):
        read = clean(character, lower_case, strip_accents)
        cleaned.append(read)
        places += [(start, start + 1)] * len(read)
        if not read and places:  # what disappears, as an accent does, goes with what is before it
            places[-1] = (places[-1][0], start + 1)
    found = _WORD.finditer("".join(cleaned))
    return [(word[0], places[word.start() : word.end()]) for word in found]


def clean(text, lower_case, strip_accents):
    """The text as BERT reads it.

    >>> clean("Él a 中國", lower_case=True, strip_accents=True)
    'el a  中  國 '
    """
    text = text.translate(_VISIBLE)
    if strip_accents:  # characters are decomposed into letters and marks
        text = unicode_8.normalize("NFD", text).translate(_WITHOUT_MARKS)
    # At the end of a word Python would write Σ in another way.
    return text.replace("Σ", "σ").lower() if lower_case else text


_WITHOUT_MARKS = dict.fromkeys(NONSPACING_MARKS)


class _Visible(dict):
    """{number of a character: the text that takes its place}, filled as characters are met."""

    def __missing__(self, number):
        character = chr(number)
        if number in INVISIBLE or unicodedata.category(character) == "Co":
            self[number] = ""
        elif re.match(rf"[{WHITE_SPACE}]", character):
            self[number] = " "
        else:
            is_chinese = any(number in block for block in CHINESE)
            self[number] = f" {character} " if is_chinese else character
        return self[number]


_VISIBLE = _Visible()
