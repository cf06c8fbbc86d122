"""Families of pretrained models: what their weights and settings are called there, and here.

A family is one file with two tables, and has a line in FAMILIES below.
"""

from ...bounded_json import shorten
from . import bert, gpt2, llama
from .family import Family, Settings

FAMILIES = (bert.FAMILY, gpt2.FAMILY, llama.FAMILY)

__all__ = ["FAMILIES", "Family", "Settings", "family_of_config", "family_of_model"]


def family_of_config(settings):
    """The Family that a config.json names."""
    kind = settings.get("model_type", None)
    for family in FAMILIES:
        if kind in family.kinds:
            return family
    known = ", ".join(kind for family in FAMILIES for kind in family.kinds)
    raise ValueError(
        f"{settings.place}: minigrad has models of the model_type {known}. "
        f"Received: model_type={shorten(kind)}"
    )


def family_of_model(model):
    """The Family of a model; ValueError if it has none."""
    for family in FAMILIES:
        if isinstance(model, family.model):
            return family
    known = ", ".join(family.model.__name__ for family in FAMILIES)
    raise ValueError(
        f"Hugging Face's folders are known for {known}. Received: {type(model).__name__}"
    )
