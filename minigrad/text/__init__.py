"""Text as numbers: tokenizers, learned or read from files, and text as it comes, id after id.

`byte_pairs` is where to start reading: the tokenizer of GPT-2 and most models since. `word_pieces`
is BERT's. `pair_training` learns either.
"""

from .byte_pairs import BytePairTokenizer
from .characters import ByteTokenizer, CharacterTokenizer
from .generation import generate, stream
from .loading import TOKENIZER_FILES, load_tokenizer
from .padding import pad
from .streaming import StreamDecoder
from .templates import Template
from .tokenizer import Tokenizer
from .vocabulary_files import save_vocabulary
from .word_pieces import WordPieceTokenizer

__all__ = [
    "TOKENIZER_FILES",
    "BytePairTokenizer",
    "ByteTokenizer",
    "CharacterTokenizer",
    "StreamDecoder",
    "Template",
    "Tokenizer",
    "WordPieceTokenizer",
    "generate",
    "load_tokenizer",
    "pad",
    "save_vocabulary",
    "stream",
]
