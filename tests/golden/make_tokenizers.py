"""Writes tokenizers.json: small tokenizers of Hugging Face's, and the ids that they give.

    python -m tests.golden.make_tokenizers    (from the root of the repository)

Needs their package, `tokenizers`, and in the folder MINIGRAD_DATA or below it GPT-2's vocab.json
and merges.txt, of which ids alone are stored. The tests read the file, and need no `tokenizers`:

    {"texts": [text], "pairs": [[text, text]],
     "gpt2_vocabulary": [ids of each text],
     "tokenizers": {name: {"file": the content of its tokenizer.json, "ids": [ids of each text],
                           "pairs": [[ids, segments] of each pair]}}}
"""

import json
from pathlib import Path

from minigrad import data
from minigrad.text.patterns import PATTERNS
from minigrad.text.word_pieces import SPECIAL
from tests.tokenizer_texts import MEANT, PROSE, fuzzed

FILE = Path(__file__).with_name("tokenizers.json")
END, BEGIN = "<|endoftext|>", "<|begin_of_text|>"


def byte_pairs(pattern, texts, size, normalizer=None, template=False, whole_words=False):
    """A byte-level tokenizer of theirs, trained on texts."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(ignore_merges=whole_words))
    if normalizer:
        tokenizer.normalizer = normalizer
    split = pre_tokenizers.Split(Regex(PATTERNS[pattern]), "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    if pattern == "gpt2":  # which theirs has built in
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if template:
        tokenizer.add_special_tokens([BEGIN])
        around = processors.TemplateProcessing(
            single=f"{BEGIN} $A",
            pair=f"{BEGIN} $A {BEGIN}:1 $B:1",
            special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))],
        )
        tokenizer.post_processor = processors.Sequence([tokenizer.post_processor, around])
    return tokenizer


def word_pieces(texts, size, lower_case):
    """A tokenizer like BERT's, trained on texts."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from tokenizers.trainers import WordPieceTrainer

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower_case)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        texts, WordPieceTrainer(vocab_size=size, special_tokens=[*SPECIAL], show_progress=False)
    )
    ids = {name: tokenizer.token_to_id(name) for name in ("[SEP]", "[CLS]")}
    tokenizer.post_processor = processors.BertProcessing(*ids.items())
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    return tokenizer


def peers(texts=PROSE, size=400):
    """{name: a tokenizer of theirs} of every kind, trained on texts."""
    from tokenizers.normalizers import NFC

    return {
        "gpt2": byte_pairs("gpt2", texts, size),
        "llama3": byte_pairs("llama3", texts, size, template=True, whole_words=True),
        "qwen2": byte_pairs("qwen2", texts, size, normalizer=NFC()),
        "bert": word_pieces(texts, size, lower_case=True),
        "bert_cased": word_pieces(texts, size, lower_case=False),
    }


def of_gpt2():
    """GPT-2's tokenizer, with its real vocabulary."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE.from_file(*map(str, gpt2_files())))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([END])
    return tokenizer


def gpt2_files():
    """The paths of vocab.json and merges.txt, as they lie in a folder of data."""
    return data.find(["vocab.json", "merges.txt"])


def ids_of(tokenizer, texts):
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def main():
    texts = [*MEANT, *fuzzed(60)]
    pairs = [*zip(MEANT, reversed(MEANT))]
    content = {
        "texts": texts,
        "pairs": pairs,
        "gpt2_vocabulary": ids_of(of_gpt2(), texts),
        "tokenizers": {
            name: {
                "file": json.loads(peer.to_str()),
                "ids": ids_of(peer, texts),
                "pairs": [(one.ids, one.type_ids) for one in peer.encode_batch(pairs)],
            }
            for name, peer in peers().items()
        },
    }
    FILE.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
