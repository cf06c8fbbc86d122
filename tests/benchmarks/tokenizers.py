"""Tokenizers that learn from Python source and encode it, beside Hugging Face's.

The text is the first 3 million bytes of the standard library, a file at a time. Their tokenizers
are compiled Rust, with as many threads as there are cores; ours are Python on one core. Before each
turn ours is read anew from what its file would have, so that it knows no words.
"""

from functools import partial

from minigrad import data, text
from minigrad.text import reading
from tests.benchmarks.contestants import repeated
from tests.benchmarks.harness import Case
from tests.golden import make_tokenizers

BYTES, VOCABULARY = 3_000_000, 4096
PEER = "tokenizers"
TARGETS = {"train": {}, "encode": {PEER: 1}}  # to train is done once


def cases():
    for kind in KINDS:
        for way, targets in TARGETS.items():
            yield Case(
                f"{kind} {way}",
                unit="ms per MB",
                ours=partial(minigrad, kind, way),
                peers={PEER: partial(hugging_face, kind, way)},
                count=BYTES / 1e6,
                targets=targets,
            )


def texts():
    """Files of the standard library, up to BYTES together."""
    chosen, size = [], 0
    for content in data.python_files().values():
        size += len(content.encode())
        if size > BYTES:
            return chosen
        chosen.append(content)
    return chosen


KINDS = {
    "byte pairs": (
        lambda corpus: text.BytePairTokenizer.train(corpus, VOCABULARY, ["<|endoftext|>"]),
        lambda corpus: make_tokenizers.byte_pairs("gpt2", corpus, VOCABULARY),
    ),
    "word pieces": (
        lambda corpus: text.WordPieceTokenizer.train(corpus, VOCABULARY),
        lambda corpus: make_tokenizers.word_pieces(corpus, VOCABULARY, lower_case=True),
    ),
}


def minigrad(kind, way):
    corpus, train = texts(), KINDS[kind][0]
    content = train(corpus).to_json()
    work = {
        "train": lambda: train(corpus),
        "encode": lambda: reading.read(content).encode_batch(corpus),
    }
    yield "Python", repeated(work[way])


def hugging_face(kind, way):
    import tokenizers  # noqa: F401  so that its absence is reported

    corpus, train = texts(), KINDS[kind][1]
    tokenizer = train(corpus)
    work = {
        "train": lambda: train(corpus),
        "encode": lambda: tokenizer.encode_batch(corpus),
    }
    yield "Rust", repeated(work[way])
