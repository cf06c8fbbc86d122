"""Data sets and batches: `digits` comes with the package, `mnist` reads files of your own."""

from . import digits, mnist
from .batches import Batches
from .files import find
from .split import stratified_split

__all__ = ["Batches", "digits", "find", "mnist", "stratified_split"]
