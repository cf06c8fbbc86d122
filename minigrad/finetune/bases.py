"""Pretrained models of both kinds of folders: Hugging Face's, and those of a training here."""

from ..models import BERT, GPT, Llama, load_model
from ..text import load_tokenizer
from .folder import PretrainedFolder
from .loading import CONFIG, from_pretrained
from .saving import WEIGHTS


def load_base(path, head=None):
    """The pretrained model in a folder, with its tokenizer.

    path  a folder as Hugging Face lays it out, or of a `minigrad train gpt` or `train bert`
    head  as in `from_pretrained`, for which it counts alone
    """
    folder = PretrainedFolder(path)
    if folder.has(CONFIG) or not folder.has(WEIGHTS):
        return from_pretrained(path, head=head)
    model = load_model(folder.file(WEIGHTS))
    if not isinstance(model, (BERT, GPT, Llama)):
        raise ValueError(f"{path} has a {type(model).__name__}, which does not read text")
    model.tokenizer = load_tokenizer(folder.path)
    return model
