"""PyTorch's convolutions and pooling, of arrays with their channels last.

`pad` is what F.pad takes: (left, right, top, bottom), or (before, after) of a sequence.
"""

import torch
import torch.nn.functional as F  # noqa: N812


def first(x):
    """Channels first."""
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def turned(weight):
    """(..., c, u) -> (u, c, ...)"""
    return weight.movedim((-1, -2), (0, 1))


def conv(x, weight, bias=None, pad=(), **options):
    function = F.conv1d if x.ndim == 3 else F.conv2d
    return last(function(F.pad(first(x), pad), turned(weight), bias, **options))


def transposed(x, weight, bias, size, before=(0, 0), **options):
    """The result in full is cut, or filled up with zeros, to a size from some row and column on."""
    full = F.conv_transpose2d(first(x), turned(weight), **options)
    full = last(F.pad(full, (0, 9, 0, 9)))
    (h, w), (top, left) = size, before
    y = full[:, top : top + h, left : left + w]
    return y if bias is None else y + bias


def largest(x, size, strides=None, pad=()):
    function = F.max_pool1d if x.ndim == 3 else F.max_pool2d
    return last(function(F.pad(first(x), pad, value=-torch.inf), size, strides))


def mean(x, size, strides=None, pad=()):
    """The mean of what is no padding: a sum divided by how many there are."""
    function = F.avg_pool1d if x.ndim == 3 else F.avg_pool2d
    padded, ones = F.pad(first(x), pad), F.pad(torch.ones_like(first(x)), pad)
    return last(function(padded, size, strides) / function(ones, size, strides))


def enlarged(x, factor, mode="nearest"):
    options = {"align_corners": False} if mode == "bilinear" else {}
    return last(F.interpolate(first(x), scale_factor=factor, mode=mode, **options))


def counted(x, present, value):
    """x where a step counts, else a value."""
    return torch.where(present[:, :, None], x, value)


def masked_mean(x, present):
    count = present.sum(1, keepdim=True).clamp(min=1)
    return counted(x, present, 0.0).sum(1) / count


def masked_largest(x, present):
    return torch.where(present.any(1, keepdim=True), counted(x, present, -1e9).amax(1), 0.0)
