"""What a pretraining is told, and the tokenizer and the model that are made of that."""

from typing import NamedTuple

import kernels

from .. import models, text
from ..registry import check_integer, check_number, look_up

END = "<|endoftext|>"  # after each document that GPT reads
FIRST, LAST, MASK = "[CLS]", "[SEP]", "[MASK]"  # around what BERT reads, and where it has to guess
SPECIAL_TOKENS = {"gpt": [END], "bert": ["[PAD]", FIRST, LAST, MASK]}
END_OF = {"gpt": END, "bert": LAST}  # a document
MODELS = {"gpt": models.GPT, "bert": models.BERT}
HIDDEN = 0.15  # the share of tokens that BERT has to guess
LEARNED_FROM = 1 << 22  # bytes of text, or a little more, that a tokenizer learns from


class Settings(NamedTuple):
    """What decides how a training ends. The defaults are for five minutes on two cores.

    kind           "gpt" or "bert"
    data           "python", "shakespeare", a text file or a folder of them: see `data.corpus`
    tokenizer      "bpe", learned from the training part; "char", all characters of both; or "byte"
    vocabulary     how many tokens "bpe" may have
    layers, heads, width    the shape of the model
    context        how many tokens it sees at once
    batch          how many windows of so many tokens a step learns from
    accumulate     in how many parts a batch is computed: more take less memory, and give the same
                   gradient
    steps          when to end; or
    minutes        when to end, counted from the first step. If neither is given, 5 minutes
    learning_rate  at its highest: it rises from 0, and falls along a cosine until the end
    dropout, seed
    device         where to compute: "cpu", "cuda" (a GPU of NVIDIA) or "simulator"
    """

    kind: str
    data: str = "python"
    tokenizer: str = "bpe"
    vocabulary: int = 2048
    layers: int = 4
    heads: int = 4
    width: int = 128
    context: int = 128
    batch: int = 8
    accumulate: int = 1
    steps: int = None
    minutes: float = None
    learning_rate: float = 3e-3
    dropout: float = 0.0
    seed: int = 0
    device: str = "cpu"


def choose(options, saved=None):
    """The Settings that options, a dict, and defaults give; or those of a training that goes on.

    saved  the settings of that training, a dict: options are to be the same. Where the text lies
           may have changed
    """
    if saved is None:
        return _checked(Settings(**options))
    for name, value in options.items():
        if name != "data" and value != saved[name]:
            raise ValueError(
                f"a training goes on with the settings that it was begun with: {name} was "
                f"{saved[name]}. Received: {value}"
            )
    return Settings(**{**saved, "data": options.get("data", saved["data"])})


def _checked(settings):
    """The settings. ValueError for the first one that is not what it should be."""
    look_up("tokenizer", settings.tokenizer, TOKENIZERS)
    for name in ("vocabulary", "layers", "heads", "width", "context", "batch", "accumulate"):
        check_integer(name, getattr(settings, name))
    if settings.steps is not None and settings.minutes is not None:
        raise ValueError(
            "a training ends after so many steps or so many minutes. "
            f"Received: steps={settings.steps}, minutes={settings.minutes}"
        )
    if settings.steps is not None:
        check_integer("steps", settings.steps)
    elif settings.minutes is None:
        settings = settings._replace(minutes=5.0)
    else:
        check_number("minutes", settings.minutes, positive=True)
    if settings.batch % settings.accumulate:
        raise ValueError(
            "a batch is computed in equal parts: accumulate has to divide batch. "
            f"Received: batch={settings.batch}, accumulate={settings.accumulate}"
        )
    if settings.width % settings.heads:
        raise ValueError(
            "each head gets an equal share of the width. "
            f"Received: width={settings.width}, heads={settings.heads}"
        )
    if settings.kind == "bert" and settings.context < 3:
        raise ValueError(
            "BERT's context holds two tokens besides the text. "
            f"Received: context={settings.context}"
        )
    if settings.device != "cpu":
        kernels.device(settings.device)  # or an error, before anything is done
    check_number("learning_rate", settings.learning_rate, positive=True)
    check_number("dropout", settings.dropout, below=1)
    return settings


def tokenizer_of(settings, corpus):
    """A tokenizer with the special tokens that this kind of model needs."""
    special_tokens = SPECIAL_TOKENS[settings.kind]
    return TOKENIZERS[settings.tokenizer](settings, corpus, special_tokens)


def _byte_pairs(settings, corpus, special_tokens):
    sample = corpus.train.sample(LEARNED_FROM)
    return text.BytePairTokenizer.train(sample, settings.vocabulary, special_tokens)


def _characters(settings, corpus, special_tokens):
    """Also those of the validation part, since a character that is unknown cannot be read."""
    pieces = (piece for part in corpus[1:] for piece in part.sample(part.size))
    return text.CharacterTokenizer.train(pieces, special_tokens)


def _bytes(settings, corpus, special_tokens):
    return text.ByteTokenizer(special_tokens)


TOKENIZERS = {"bpe": _byte_pairs, "char": _characters, "byte": _bytes}


def model_of(settings, tokenizer):
    """The model, with its first weights."""
    model = MODELS[settings.kind](
        tokenizer.vocabulary_size,
        settings.layers,
        settings.heads,
        settings.width,
        dropout=settings.dropout,
        max_sequence_length=settings.context,
    )
    model.ensure_built()
    return model
