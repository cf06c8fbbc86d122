"""Texts to try tokenizers with: fuzzed strings of all of Unicode, and some that mean something."""

import functools
import random
import sys
import unicodedata

MEANT = [
    "",
    " ",
    "Hello, world!",
    "it's we'll I'D they've'RE 'ſ",
    "  two  spaces\n\n\tand a tab \r\n ",
    "3.14159 + 1,234,567 = ½ ²³ ४२ Ⅻ",
    "深度学习从零开始。中文文本也行吗？",
    "日本語のテキスト、한국어 텍스트 ㄱㄴ",
    "ΑΣ ΣΑΣ. ΟΔΟΣ İstanbul ǅ ß ﬁ",
    "naïve café, cafe\u0301 A\u030a o\u0323\u0302",
    "👩\u200d👩\u200d👧\u200d👦 🇨🇳🇩🇪 👍🏽 ❤\ufe0f 1\ufe0f\u20e3",
    "\x00\x1c\x85\xa0\u1680\u2028\u3000\u200b\ufeff\ufffd\ue000",
    "\u08e1\u1b44 \U0001d16d\u200d\U0001d165",
    "a\u0898b\u1df9\u1df6c \U00011938 \U0002b820 \u166d \U000111c9",
    "[CLS] <|endoftext|> [MASK]ed <|endoftext|><|end",
    "snake_case camelCase x->y != 0x1F; // ok?",
    "a" * 150 + " " + "é" * 101 + " " + "x" * 100,
]


@functools.cache
def alphabets():
    """Lists of characters that are assigned in this Python's Unicode: all, and some kinds."""
    surrogates, unassigned = "Cs", "Cn"
    every = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) not in (surrogates, unassigned)
    ]
    public = [c for c in every if unicodedata.category(c) != "Co"]
    kinds = {}
    for character in public:
        kinds.setdefault(unicodedata.category(character)[0], []).append(character)
    chinese = [c for c in public if "CJK UNIFIED" in unicodedata.name(c, "")]
    emoji = [*map(chr, range(0x1F300, 0x1F650)), *"\u200d\ufe0f\u20e3🏻🏽🏿🇦🇨🇳"]
    ascii = [chr(number) for number in range(128)]
    words = ["the", "ing", "'s", "'LL", "don't", "了", "。", "<|endoftext|>", "[SEP]", "Ġ", "##s"]
    space = [*" \t\n\r\v\f\x1c\x1f\x85\xa0\u2003\u3000", "  ", "\r\n"]
    return [every, public, chinese, emoji, ascii, words, space, *kinds.values()]


def fuzzed(count, seed=0):
    """`count` strings, each of characters of one kind or of several, up to 40 of them."""
    source = random.Random(seed)
    for _ in range(count):
        kinds = source.sample(alphabets(), source.randint(1, 4))
        length = source.randint(0, 40)
        yield "".join(source.choice(source.choice(kinds)) for _ in range(length))


# To train small tokenizers on: some words come often, and some pairs of letters equally often.
PROSE = [
    "A tokenizer cuts a text into tokens. The tokens of this tokenizer are pieces of words; a "
    "word that comes often is one token, and a word that comes once is many tokens.\n",
    "def encode(text):\n    return [tokens[piece] for piece in pieces(text)]\n\n\n"
    "def decode(ids):\n    return ''.join(pieces[id] for id in ids)  # the way back\n",
    "分词器把文本切成词元。常见的词是一个词元，少见的词是许多词元。文本、词元、文本。",
    "Ein Wort, das oft vorkommt, ist ein Token; größere Wörter, ähnliche Wörter: 12, 123, 1234.",
    *MEANT,
]
