"""How BERT reads a text: cleaned, each Chinese character a word, without accents, cut into words.

J. Devlin et al. ("BERT: pre-training of deep bidirectional transformers", 2019). What happens to a
character depends on no other one, so all of it is a table for `str.translate`.
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


class CleanCharacters(dict):
    """{number of a character: the text that takes its place}, filled as characters are met.

    >>> "Él a 中國".translate(CleanCharacters(lower_case=True, strip_accents=True))
    'el a  中  國 '
    """

    def __init__(self, lower_case, strip_accents):
        self.lower_case, self.strip_accents = lower_case, strip_accents

    def __missing__(self, number):
        self[number] = self._clean(number, chr(number))
        return self[number]

    def _clean(self, number, character):
        if number in INVISIBLE or unicodedata.category(character) == "Co":
            return ""
        if re.match(rf"[{WHITE_SPACE}]", character):
            return " "
        text = f" {character} " if any(number in block for block in CHINESE) else character
        if self.strip_accents:
            text = unicode_8.normalize("NFD", text)
            text = "".join(one for one in text if ord(one) not in NONSPACING_MARKS)
        return text.lower() if self.lower_case else text
