"""Kernels for GPUs, and a training step of GPT-2, beside PyTorch on the same card.

Without a card nothing is measured, and who has named this benchmark gets the exit status 2. With
one, the table goes to tests/benchmarks/results/ under the card's name. What waits for memory
competes with a copy of as many bytes.
"""

import math
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

import kernels
from kernels.cuda import driver
from tests.benchmarks import gpt, harness
from tests.benchmarks.contestants import repeated
from tests.benchmarks.harness import Case

RESULTS = Path(__file__).parent / "results"
COPY = "a copy"
GPT_2 = gpt.Shape(8, 1024, 50257, layers=12, heads=12, width=768)


def lacks():
    """What is not there, or None."""
    return driver.lacking()


def cases():
    for name, target in (("double_buffered", 0.7), ("tensor_cores", 0.4)):
        yield case(f"product 4096, {name}", product(4096, name), {"PyTorch": target})
    for d in (32, 64, 128):
        shape = 4, 12, 4096, d
        for backward in (False, True):
            name = f"attention {shape}, causal, {'forward+backward' if backward else 'forward'}"
            yield case(name, attention(shape, backward), {"PyTorch": 0.5})
    for name, pair in (
        ("layer norm (65536, 1024)", layer_norm(65536, 1024)),
        ("softmax (65536, 1024)", softmax(65536, 1024)),
        ("GELU of 64 million", gelu(2**26)),
        ("AdamW of 124 million", adamw(124_000_000)),
    ):
        yield case(name, pair, {COPY: 0.7})
    name = "a step of GPT-2, 124 million parameters, 8 x 1,024 tokens"
    yield case(name, training_step(GPT_2), {"PyTorch": 1 / 1.5})


def card():
    """The name of the GPU."""
    from numba import cuda

    name = cuda.get_current_device().name
    return name.decode() if isinstance(name, bytes) else name


def show(rows):
    """Write the results of a card to a page of its own."""
    name = card()
    if rows:
        lines = f"# {name}\n\n`python -m tests.benchmarks gpu`\n\n```\n{harness.table(rows)}\n```\n"
        RESULTS.joinpath(f"{name}.md").write_text(lines, encoding="utf-8")


def case(name, contenders, targets):
    """What ours and the peers do, as a case."""
    ours, pytorch, traffic = contenders
    peers = {"PyTorch": partial(on_pytorch, pytorch)}
    if traffic:
        peers[COPY] = partial(on_pytorch, partial(copy, traffic))
    return Case(name, "ms per call", partial(on, "cuda", ours), peers, targets=targets)


def on(device, make):
    """Ours on a device: `make` takes what puts an array there and what starts a kernel."""

    def put(array):
        return kernels.move(array, device)

    run = put(np.zeros(1, np.float32)).device.launch
    yield "", repeated(make(put, run), waits_for_card() if device == "cuda" else same())


def on_pytorch(make):
    """PyTorch: `make` takes torch."""
    import torch

    yield "", repeated(make(torch), waits_for_pytorch(torch))


@contextmanager
def waits_for_card():
    """All that was ordered has run."""
    from numba import cuda

    yield
    cuda.synchronize()


@contextmanager
def waits_for_pytorch(torch):
    """The same of PyTorch."""
    yield
    torch.cuda.synchronize()


@contextmanager
def same():
    """A device that has run all that was ordered."""
    yield


# ---- What is done: by ours, by PyTorch, and the bytes that a copy moves --------------------------


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def copy(traffic, torch):
    """Read half of the bytes and write the other half."""
    x = torch.zeros(traffic // 8, device="cuda")
    y = torch.empty_like(x)
    return lambda: y.copy_(x)


def product(n, name):
    def ours(put, run):
        from kernels.cuda.matmul import LAUNCHES

        a, b, c = (put(normal(n, n)) for _ in "abc")
        return lambda: LAUNCHES[name](run, a, b, c)

    def pytorch(torch):
        torch.backends.cuda.matmul.allow_tf32 = name == "tensor_cores"
        a, b = torch.rand(2, n, n, device="cuda")
        return lambda: a @ b

    return ours, pytorch, 0


def attention(shape, backward):
    b, h, t, d = shape

    def ours(put, run):
        from kernels.cuda.attention import LAUNCHES
        from kernels.cuda.launch import of_width

        q, k, v, g, o, dq, dk, dv = (put(normal(*shape)) for _ in range(8))
        norms, inner = put(normal(b * h * t, 2)), put(normal(b * h * t))
        mask = put(np.zeros((0, 0), bool))
        options = np.float32(1 / math.sqrt(d)), 1, mask, np.float32(0), np.uint64(0)
        matrices = g.reshape(b * h * t, d), o.reshape(b * h * t, d)

        def once():
            of_width(LAUNCHES, "forward", d)(run, q, k, v, *options, o, norms)
            if backward:
                LAUNCHES["inner_products"](run, *matrices, inner)
                given = g, q, k, v, norms, inner, *options
                of_width(LAUNCHES, "queries", d)(run, *given, dq)
                of_width(LAUNCHES, "keys", d)(run, *given, dk, dv)

        return once

    def pytorch(torch):
        from torch.nn.attention import SDPBackend, sdpa_kernel

        torch.backends.cuda.matmul.allow_tf32 = False
        q, k, v = (torch.randn(shape, device="cuda", requires_grad=backward) for _ in "qkv")
        g = torch.randn(shape, device="cuda")

        def once():
            with sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION):
                o = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            if backward:
                torch.autograd.grad(o, (q, k, v), g)

        return once

    return ours, pytorch, 0


def layer_norm(n, d):
    def ours(put, run):
        from kernels.cuda.normalization import LAUNCHES

        x, y, scale, offset = put(normal(n, d)), put(normal(n, d)), put(normal(d)), put(normal(d))
        mean, r, epsilon = put(normal(n, 1)), put(normal(n, 1)), np.float32(1e-5)
        return lambda: LAUNCHES["layer_norm"](run, x, scale, offset, epsilon, y, mean, r)

    def pytorch(torch):
        x, scale, offset = torch.randn(n, d, device="cuda"), *torch.randn(2, d, device="cuda")
        return lambda: torch.nn.functional.layer_norm(x, (d,), scale, offset)

    return ours, pytorch, 8 * n * d


def softmax(n, d):
    def ours(put, run):
        from kernels.cuda.softmax import LAUNCHES

        x, p = put(normal(n, d)), put(normal(n, d))
        return lambda: LAUNCHES["online"](run, x, p)

    def pytorch(torch):
        x = torch.randn(n, d, device="cuda")
        return lambda: torch.softmax(x, dim=-1)

    return ours, pytorch, 8 * n * d


def gelu(n):
    def ours(put, run):
        from kernels.cuda.elementwise import GELU, LAUNCHES

        x, y = put(normal(n)), put(normal(n))
        return lambda: LAUNCHES["value"](run, x, GELU, y)

    def pytorch(torch):
        x = torch.randn(n, device="cuda")
        return lambda: torch.nn.functional.gelu(x)

    return ours, pytorch, 8 * n


def adamw(n):
    def ours(put, run):
        from kernels.cuda.optimizers import LAUNCHES

        parameter, gradient, m, v = (put(normal(n)) for _ in range(4))
        v *= v
        scale = put(np.ones(1, np.float32))
        rates = [np.float32(rate) for rate in (1e-4, 0.9, 0.1, 0.999, 0.001, 1e-8, 1 - 1e-6)]
        return lambda: LAUNCHES["adam"](run, parameter, gradient, scale, m, v, *rates)

    def pytorch(torch):
        parameter = torch.randn(n, device="cuda", requires_grad=True)
        parameter.grad = torch.randn(n, device="cuda")
        return torch.optim.AdamW([parameter], lr=1e-4, fused=True).step

    return ours, pytorch, 7 * 4 * n


def training_step(shape):
    def ours(put, run):
        batches = [(put(ids), put(labels)) for ids, labels in shape.batches()]
        model = gpt.model_of(shape).to(kernels.device_of(batches[0][0]))
        return gpt.steps_of(model, batches)

    def pytorch(torch):
        torch.backends.cuda.matmul.allow_tf32 = False
        model = gpt.gpt_in_torch(shape).to("cuda")
        batches = torch.from_numpy(shape.batches()).to("cuda")
        return gpt.steps_in_torch(model, batches, "fused")

    return ours, pytorch, 0
