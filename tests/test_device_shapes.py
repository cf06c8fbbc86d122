"""What does not fit together: kernels on a device refuse what their specification refuses.

A kernel does not look at shapes. One that is too short it would read beyond its end, and of one
that is too long it would take a part, without a word.
"""

import inspect

import numpy as np
import pytest

import kernels
from kernels import reference, simulator
from kernels.cuda import calls
from kernels.cuda.device import Device
from tests import kernel_cases, orders

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad

SIZES = 2, 3, 4, 5
REFUSED = ValueError, IndexError


@pytest.fixture(params=["simulator", orders.ON_CUDA])
def device(request):
    """A device. What a simulated one reads beyond an edge is NumPy's IndexError."""
    return Device(orders.needed_card() if request.param == "cuda" else simulator.Machine())


class DrawAll(kernel_cases.Draw):
    """Random arguments of which none is left out."""

    def choice(self, *options):
        return options[0] if options[0] is not None else options[-1]


def arguments_of(name):
    """{parameter: what is given for it}"""
    case = kernel_cases.CASES[name]
    sizes = SIZES[: kernel_cases.number_of_sizes(name)]
    given, options = kernel_cases.with_dtype(case(DrawAll(0), *sizes), "float32")
    # What integers stand for is there whatever the shapes.
    given = [0 * x if hasattr(x, "dtype") and x.dtype.kind == "i" else x for x in given]
    return inspect.signature(getattr(reference, name)).bind(*given, **options).arguments


def wrong_shapes(shape):
    """Shapes that are not quite this one: an axis longer, or shorter, or more axes, or fewer."""
    found = {(), (*shape, 1), (1, *shape), shape[1:], (int(np.prod(shape)),)}
    for i, n in enumerate(shape):
        for m in (n - 1, n + 1, 1):
            found.add((*shape[:i], m, *shape[i + 1 :]))
    return sorted(wrong for wrong in found if wrong != shape and 0 not in wrong)


def outcome(kernel, arguments):
    """What a kernel returns and what it has changed; or the error that it raises."""
    first, *others = arguments
    try:
        with np.errstate(all="ignore"):
            results = kernel(arguments[first], **{key: arguments[key] for key in others})
    except REFUSED as error:
        return error
    results = results if isinstance(results, tuple) else (results,)
    return [x for x in (*results, *arguments.values()) if hasattr(x, "shape")]


class LeftError(Exception):
    """What is written for devices leaves this to NumPy's words."""


def left(*arguments, **options):
    raise LeftError


def unless_left(name):
    """What is written for devices, alone: LeftError where it does not do it."""
    return lambda first, /, **others: calls.run(name, left, (first,), others)


def check_same(device, name, arguments):
    """The same outcome on a device, or an error there that tells of shapes."""
    given = {key: device.put(x) if isinstance(x, np.ndarray) else x for key, x in arguments.items()}
    right = outcome(getattr(reference, name), arguments)
    if isinstance(right, Exception):
        ours = outcome(getattr(kernels, name), given)
        assert isinstance(ours, REFUSED), f"not refused: {right}"
        assert "is out of bounds for axis" not in str(ours), f"a kernel found out: {ours}"
        tells = "(" in str(ours) or "axis" in str(ours) or str(ours) == str(right)
        assert tells, f"the error tells no shapes: {ours}"
        return
    try:
        ours = outcome(unless_left(name), given)
    except LeftError:
        return
    assert not isinstance(ours, Exception), f"refused: {ours}"
    for x, y in zip(ours, right, strict=True):
        np.testing.assert_allclose(x.numpy(), y, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", kernel_cases.CASES)
def test_a_device_refuses_what_the_specification_refuses(name, device):
    for key, x in arguments_of(name).items():
        for shape in wrong_shapes(x.shape) if isinstance(x, np.ndarray) else []:
            arguments = arguments_of(name)
            arguments[key] = np.resize(arguments[key], shape)
            try:
                check_same(device, name, arguments)
            except (AssertionError, TypeError) as error:
                error.add_note(f"{name} with {key} of shape {shape} for {x.shape}")
                raise


# ---- What is refused everywhere, with the same words ---------------------------------------------

IMAGES, WINDOWS, TOO_FEW = np.ones((1, 6, 6, 2)), np.ones((1, 3, 3, 2)), np.ones((1, 2, 2, 2))
SQUARE, HALVES = ((2, 2), (2, 2)), np.ones((2, 2, 2, 2))
HEADS, ONE_AXIS = np.ones((1, 2, 3, 4)), np.ones(4)
WRONG = {
    "max pool, g": ("max_pool_backward", (TOO_FEW, IMAGES, WINDOWS, *SQUARE), r"1, 2, 2, 2"),
    "max pool, y": ("max_pool_backward", (WINDOWS, IMAGES, TOO_FEW, *SQUARE), r"1, 2, 2, 2"),
    "average pool": ("average_pool_backward", (TOO_FEW, IMAGES.shape, *SQUARE), r"1, 2, 2, 2"),
    "convolution": (
        "convolution_backward",
        (TOO_FEW, TOO_FEW, IMAGES, HALVES, (2, 2)),
        r"1, 3, 3, 2.* Received: \(1, 2, 2, 2\)",
    ),
    "norms": (
        "cross_entropy_backward",
        (np.ones(4), np.ones((4, 2)), np.ones((4, 2, 1)), np.zeros(4, int)),
        r"norms .*Received: \(4, 2, 1\)",
    ),
    "one axis": ("attention", (ONE_AXIS, ONE_AXIS, ONE_AXIS), r"\(b, h, t, d\).*\(4,\)"),
    "heads": ("attention", (HEADS[:, :1], HEADS, HEADS), r"a multiple .*\(1, 1, 3, 4\)"),
    "activation": ("dense", (np.ones((2, 3)), np.ones((3, 3)), np.ones(3), "tanh"), "'tanh'"),
    "activation, backward": ("dense_backward", (*[np.ones((3, 3))] * 4, "sigmoid"), "'sigmoid'"),
    "activation of images": (
        "convolution",
        (IMAGES, HALVES, None, (2, 2), ((0, 0), (0, 0)), (1, 1), 1, "nope"),
        "one of None, 'relu', .*'nope'",
    ),
}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("case", WRONG)
def test_a_host_names_what_does_not_fit(case, backend):
    name, arguments, words = WRONG[case]
    with kernels.use(backend), pytest.raises(ValueError, match=words):
        getattr(kernels, name)(*kernel_cases.with_dtype(arguments, "float32")[0])


@pytest.mark.parametrize("case", WRONG)
def test_a_device_names_what_does_not_fit(case, device):
    name, arguments, words = WRONG[case]
    with pytest.raises(ValueError, match=words):
        arguments, _ = kernel_cases.with_dtype(arguments, "float32")
        getattr(kernels, name)(*map(_put_on(device), arguments))


def _put_on(device):
    return lambda x: device.put(x) if isinstance(x, np.ndarray) else x
