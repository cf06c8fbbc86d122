"""Models, in Keras's words."""

from .model import Model
from .saved import load_model
from .sequential import Sequential

__all__ = ["Model", "Sequential", "load_model"]
