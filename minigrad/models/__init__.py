"""Models, in Keras's words.

    model                Model: compile, fit, evaluate, predict, save; here is where to start
    sequential           one layer after another
    run, training_state  where a training stands, and how it comes back to there
    inputs               what is given to `fit` and its like, checked once before any work
    saved                `load_model`
    cross_validation     `cross_validate`
    gpt, bert, llama, seq2seq_transformer
                         whole Transformers, each in one file from top to bottom; `token_model` has
                         what they share
    embedding            one vector for a text, made of those of its tokens
    adapters             which Dense layers have a change of low rank (LoRA)

Every model is a Layer, so a model can be a part of another.
"""

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
