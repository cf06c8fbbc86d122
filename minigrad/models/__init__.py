"""Models, in Keras's words."""

from .bert import BERT
from .cross_validation import CrossValidation, cross_validate
from .gpt import GPT
from .llama import Llama
from .model import Model
from .saved import load_model
from .sequential import Sequential

__all__ = [
    "BERT",
    "CrossValidation",
    "GPT",
    "Llama",
    "Model",
    "Sequential",
    "cross_validate",
    "load_model",
]
