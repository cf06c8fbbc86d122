"""Text as numbers: tokenizers with their trainers and files, and text as it comes."""

from .byte_pairs import BytePairTokenizer
from .characters import ByteTokenizer, CharacterTokenizer
from .generation import generate, stream
from .loading import load_tokenizer
from .streaming import StreamDecoder
from .templates import Template
from .tokenizer import Tokenizer

__all__ = [
    "BytePairTokenizer",
    "ByteTokenizer",
    "CharacterTokenizer",
    "StreamDecoder",
    "Template",
    "Tokenizer",
    "generate",
    "load_tokenizer",
    "stream",
]
