"""What `make_gpt` and its kind record of a model of `transformers`, and how the tests read it.

In a file of such a model there are, all in float64,

    parameter NAME      its values, exact in float32, under the name that ours has
    gradient NAME       dL/d(parameter) for the batch of the recording
    losses              L before each of ten steps of AdamW, and whatever else `extra` is given
"""

import zlib

import numpy as np
from safetensors.numpy import load_file, save_file

STEPS = 10
OPTIMIZER = {"learning_rate": 0.01, "weight_decay": 0.1, "beta_2": 0.95, "epsilon": 1e-8}
CLIP = 0.5  # the norm of all gradients together; half of the steps reach it


def randomize(parameters):
    """Give {name: tensor} normal random numbers, which float32 holds exactly."""
    import torch

    for name, parameter in parameters.items():
        random = np.random.default_rng(zlib.crc32(name.encode()))
        values = random.standard_normal(parameter.shape) * 0.3 + name.endswith("gamma")
        with torch.no_grad():
            parameter.copy_(torch.tensor(values.astype(np.float32)))


def record(file, parameters, loss, transposed=(), **extra):
    """Write what is known of a model.

    parameters  {our name: tensor}
    loss        a function without arguments that gives L
    transposed  our names of those that PyTorch keeps the other way round
    extra       {name: array} to keep as well
    """
    import torch

    def ours(name, tensor):
        array = tensor.detach().numpy()
        return np.array(array.T if name in transposed else array, order="C")

    arrays = {name: np.array(array, order="C") for name, array in extra.items()}
    arrays |= {f"parameter {name}": ours(name, p) for name, p in parameters.items()}
    loss().backward()
    arrays |= {f"gradient {name}": ours(name, p.grad) for name, p in parameters.items()}

    decayed = [p for p in parameters.values() if p.ndim > 1]
    others = [p for p in parameters.values() if p.ndim == 1]
    groups = [
        {"params": decayed, "weight_decay": OPTIMIZER["weight_decay"]},
        {"params": others, "weight_decay": 0.0},
    ]
    rate, betas = OPTIMIZER["learning_rate"], (0.9, OPTIMIZER["beta_2"])
    optimizer = torch.optim.AdamW(groups, rate, betas, OPTIMIZER["epsilon"])
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_([*decayed, *others], CLIP)
        optimizer.step()
        losses.append(value.item())
    save_file(arrays | {"losses": np.array(losses)}, file)


def read(file):
    """{name: array} of what is neither parameter nor gradient, and {name: array} of these two."""
    parts = {"parameter": {}, "gradient": {}, "": {}}
    for name, array in load_file(file).items():
        kind, _, path = name.rpartition(" ")
        parts[kind][path] = array
    return parts[""], parts["parameter"], parts["gradient"]
