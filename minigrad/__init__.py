"""minigrad: deep learning from scratch, to be read.

`minigrad/tensor.py`, the engine, is where to start reading; then `ops.py`, the operations with
their gradients.
"""

import kernels

if getattr(kernels, "__project__", None) != "minigrad":
    place = kernels.__file__ or list(kernels.__path__)
    raise ImportError(
        f"minigrad needs its own package `kernels`, and Python found another one: {place}. "
        "If that is a file of yours, rename it. If it is Hugging Face's package `kernels`, keep "
        "minigrad in a virtual environment of its own, or `pip uninstall kernels` and then "
        "`pip install --force-reinstall minigrad`"
    )

from . import (  # noqa: E402
    callbacks,
    data,
    finetune,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    plots,
    random,
    regularizers,
    schedules,
    text,
)
from .gradcheck import gradcheck  # noqa: E402
from .tensor import Tensor, no_grad, op  # noqa: E402
from .version import __version__  # noqa: E402

__all__ = [
    "Tensor",
    "__version__",
    "callbacks",
    "data",
    "finetune",
    "gradcheck",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "no_grad",
    "op",
    "ops",
    "optimizers",
    "plots",
    "random",
    "regularizers",
    "schedules",
    "text",
]
