"""Folders of tiny models with random weights, as Hugging Face lays them out, for tests."""

from minigrad import finetune, models, random, text

WORDS = ["the", "cat", "dog", "sat", "on", "a", "mat", "red", "blue", "house"]
WORDS += ["good", "bad", "is", "was", "who"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def tiny_bert(folder, seed=0, head=None, length=24, dropout=0.0):
    """A BERT that reads WORDS, so many of them at once."""
    random.seed(seed)
    vocabulary = {word: id for id, word in enumerate([*SPECIAL, *WORDS])}
    shape = {"max_sequence_length": length, "dropout": dropout, "head": head}
    model = models.BERT(len(vocabulary), 2, 2, 32, **shape)
    model.tokenizer = text.WordPieceTokenizer(vocabulary)
    finetune.save_pretrained(model, folder)
    return folder


def tiny_gpt(folder, seed=0):
    """A GPT that reads any bytes."""
    random.seed(seed)
    tokenizer = text.BytePairTokenizer.train([" ".join(WORDS) * 9], 300, ["<|endoftext|>"])
    model = models.GPT(tokenizer.vocabulary_size, 2, 2, 32, max_sequence_length=48)
    model.tokenizer = tokenizer
    finetune.save_pretrained(model, folder)
    return folder
