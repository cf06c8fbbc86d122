"""Writes optimizers.safetensors: ten steps of each of PyTorch's optimizers.   Needs torch.

All arrays are float64. `start.0` and `start.1` are two parameters, `gradients.0` and `gradients.1`
(10, ...) their gradients in ten steps, `NAME.0` and `NAME.1` (10, ...) the parameters after each
step. Gradients are large in even steps and small in odd ones, so that clipping works and does
nothing in turn; ε is large, so that its place in a formula shows.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

STEPS = 10
RATE = 0.01


def clip_value(parameters):
    torch.nn.utils.clip_grad_value_(parameters, 0.5)


def clip_each_norm(parameters):
    for parameter in parameters:
        torch.nn.utils.clip_grad_norm_(parameter, 2.0)


def clip_global_norm(parameters):
    torch.nn.utils.clip_grad_norm_(parameters, 2.0)


def no_clip(parameters):
    pass


def cases(parameters):
    """{name: (optimizer, clip)}"""
    o = torch.optim
    return {
        "sgd": (o.SGD(parameters, RATE), no_clip),
        "sgd_momentum": (o.SGD(parameters, RATE, momentum=0.8), no_clip),
        "sgd_nesterov": (o.SGD(parameters, RATE, momentum=0.8, nesterov=True), no_clip),
        "sgd_clipvalue": (o.SGD(parameters, RATE), clip_value),
        "sgd_clipnorm": (o.SGD(parameters, RATE), clip_each_norm),
        "rmsprop": (o.RMSprop(parameters, RATE, alpha=0.7, eps=0.01), no_clip),
        "rmsprop_momentum": (
            o.RMSprop(parameters, RATE, alpha=0.7, eps=0.01, momentum=0.8),
            no_clip,
        ),
        "rmsprop_centered": (
            o.RMSprop(parameters, RATE, alpha=0.7, eps=0.01, centered=True),
            no_clip,
        ),
        "adagrad": (
            o.Adagrad(parameters, RATE, initial_accumulator_value=0.1, eps=0.01),
            no_clip,
        ),
        "adam": (o.Adam(parameters, RATE, betas=(0.8, 0.95), eps=0.01), no_clip),
        "adam_late": (o.Adam(parameters, RATE, betas=(0.8, 0.95), eps=0.01), no_clip),
        "adam_global_clipnorm": (
            o.Adam(parameters, RATE, betas=(0.8, 0.95), eps=0.01),
            clip_global_norm,
        ),
        "adamw": (
            o.AdamW(parameters, RATE, betas=(0.8, 0.95), eps=0.01, weight_decay=0.5),
            no_clip,
        ),
    }


def main():
    random = np.random.default_rng(0)
    starts = [random.standard_normal((2, 3)), random.standard_normal(4)]
    sizes = np.where(np.arange(STEPS) % 2 == 0, 100.0, 0.01)
    gradients = [
        random.standard_normal((STEPS, *start.shape)) * sizes.reshape(-1, *[1] * start.ndim)
        for start in starts
    ]
    saved = {f"start.{i}": start for i, start in enumerate(starts)}
    saved |= {f"gradients.{i}": gradient for i, gradient in enumerate(gradients)}
    for name in cases([torch.zeros(1)]):
        parameters = [torch.tensor(start, requires_grad=True) for start in starts]
        optimizer, clip = cases(parameters)[name]
        after = []
        for step in range(STEPS):
            for parameter, gradient in zip(parameters, gradients):
                parameter.grad = torch.tensor(gradient[step])
            if name == "adam_late" and step < 3:
                parameters[1].grad = None  # as if it were frozen for three steps
            clip(parameters)
            optimizer.step()
            after.append([parameter.detach().numpy().copy() for parameter in parameters])
        saved |= {f"{name}.{i}": np.stack(arrays) for i, arrays in enumerate(zip(*after))}
    save_file(saved, Path(__file__).with_name("optimizers.safetensors"))


if __name__ == "__main__":
    main()
