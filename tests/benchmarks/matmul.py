"""Products of matrices by Numba, beside NumPy's library (OpenBLAS), in float32.

Squares, and the shapes of an MLP (batch 32) and of a GPT step (d = 768), forward, and with the
transposes of both gradients: A Bᵀ is that of the input, Aᵀ B that of the weights. Both sides
allocate a new result for each product. The last cases add a bias and apply GELU: in one kernel, or
after NumPy's product in passes of their own, where GELU is still Numba's.
"""

from functools import partial

import numpy as np

import kernels
from tests.benchmarks.contestants import blas_threads, numba_threads, repeated
from tests.benchmarks.harness import with_threads

MEANS = {"NumPy": 1.0}
TARGETS = {"NumPy": 0.85, "NumPy, GELU by itself": 1}

SQUARES = [16, 32, 64, 128, 256, 512, 1000, 1024, 2048]
# (m, k, n) of x W;  and which of g Wᵀ and xᵀ g are measured besides
LAYERS = {
    (32, 784, 64): ["xᵀ g"],
    (32, 64, 64): ["g Wᵀ", "xᵀ g"],
    (32, 64, 10): ["g Wᵀ", "xᵀ g"],
    (1, 768, 3072): [],
    (512, 768, 768): ["g Wᵀ", "xᵀ g"],
    (512, 768, 2304): [],
    (512, 768, 3072): ["g Wᵀ", "xᵀ g"],
    (512, 3072, 768): [],
    (2048, 768, 768): [],
    (2048, 768, 3072): ["g Wᵀ", "xᵀ g"],
    (2048, 3072, 768): [],
}
HEADS, TIME, WIDTH = 12, 512, 64
FUSED = [(32, 64, 64), (512, 768, 3072)]


def cases():
    for title, shapes, turned in products():
        left, right = shapes
        yield from with_threads(
            title,
            unit="µs per product",
            ours=partial(ours, *shapes, turned),
            peers={"NumPy": partial(numpy, *shapes, turned)},
            targets=TARGETS,
            work=2.0 * np.prod(left) * right[-1],
        )
    for shape in FUSED:
        yield from with_threads(
            f"bias, GELU {shape}",
            unit="µs per product",
            ours=partial(fused, shape),
            peers={"NumPy, GELU by itself": partial(in_passes, shape)},
            targets=TARGETS,
            work=2.0 * np.prod(shape),
        )


def products():
    """A title, the shapes of a and b, and which of them lie transposed in memory."""
    for n in SQUARES:
        yield f"{n} x {n}", ((n, n), (n, n)), ""
    for (m, k, n), gradients in LAYERS.items():
        yield f"x W ({m}, {k}) ({k}, {n})", ((m, k), (k, n)), ""
        if "g Wᵀ" in gradients:
            yield f"g Wᵀ ({m}, {n}) ({n}, {k})", ((m, n), (n, k)), "b"
        if "xᵀ g" in gradients:
            yield f"xᵀ g ({k}, {m}) ({m}, {n})", ((k, m), (m, n)), "a"
    q, k = (HEADS, TIME, WIDTH), (HEADS, WIDTH, TIME)
    yield f"q kᵀ {q} {k}", (q, k), "b"
    yield f"p v {(HEADS, TIME, TIME)} {q}", ((HEADS, TIME, TIME), q), ""


def operands(left, right, turned):
    generator = np.random.default_rng(seed=0)
    return [draw(generator, left, "a" in turned), draw(generator, right, "b" in turned)]


def draw(generator, shape, is_turned=False):
    """Normal numbers; with is_turned, columns are contiguous instead of rows."""
    if is_turned:
        return draw(generator, (*shape[:-2], shape[-1], shape[-2])).swapaxes(-1, -2)
    return generator.standard_normal(shape, dtype=np.float32)


# ---- Contestants ---------------------------------------------------------------------------------


def ours(left, right, turned, threads):
    a, b = operands(left, right, turned)
    yield "", repeated(lambda: kernels.matmul(a, b), numba_threads(threads))


def numpy(left, right, turned, threads):
    a, b = operands(left, right, turned)
    yield "", repeated(lambda: np.matmul(a, b), blas_threads(threads))


def layer(shape):
    """x, W and b of a dense layer, so that z = x W + b is as large as an activation finds it."""
    generator = np.random.default_rng(seed=0)
    m, k, n = shape
    x, weight, bias = (draw(generator, size) for size in ((m, k), (k, n), (n,)))
    return x, weight / np.sqrt(k, dtype=np.float32), bias


def fused(shape, threads):
    x, weight, bias = layer(shape)
    once = partial(kernels.dense, x, weight, bias, "gelu")
    yield "", repeated(once, numba_threads(threads))


def in_passes(shape, threads):
    x, weight, bias = layer(shape)

    def once():
        z = np.matmul(x, weight)
        z += bias
        kernels.gelu(z)

    yield "", repeated(once, numba_threads(threads), blas_threads(threads))
