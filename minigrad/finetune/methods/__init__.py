"""Methods of fine-tuning, all of which are used alike.

A method is a file here, with a class that says in `choose` what learns, and a line below.
"""

from ...registry import resolve
from .bitfit import BitFit
from .frozen import Frozen
from .full import Full
from .gradual import GradualUnfreezing
from .head_only import HeadOnly
from .last_blocks import LastBlocks
from .layerwise import LayerWise
from .lora import LoRA
from .method import Method

METHODS = {
    "full": Full,
    "head": HeadOnly,
    "frozen": Frozen,
    "last_blocks": LastBlocks,
    "gradual": GradualUnfreezing,
    "layerwise": LayerWise,
    "bitfit": BitFit,
    "lora": LoRA,
}


def prepare(model, method):
    """Set a model up to be fine-tuned; callbacks for `fit`.

    method  one of METHODS by its name, or a Method: prepare(model, LoRA(r=4, targets="query"))
    """
    method = resolve("method", method, METHODS)
    if not isinstance(method, Method):
        raise ValueError(f"a method is a name or a Method. Received: {method!r}")
    return method.prepare(model)


__all__ = ["METHODS", "Method", "prepare", *(kind.__name__ for kind in METHODS.values())]
