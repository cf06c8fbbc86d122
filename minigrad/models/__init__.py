"""Models, in Keras's words."""

from .bert import BERT
from .cross_validation import CrossValidation, cross_validate
from .gpt import GPT
from .llama import Llama
from .model import Model
from .saved import load_model
from .seq2seq_transformer import Seq2SeqTransformer
from .sequential import Sequential

__all__ = [
    "BERT",
    "CrossValidation",
    "GPT",
    "Llama",
    "Model",
    "Seq2SeqTransformer",
    "Sequential",
    "cross_validate",
    "load_model",
]
