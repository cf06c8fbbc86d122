"""A launch that numba.cuda refuses is told: its shape, its arguments, and whose they are."""

import numpy as np
import pytest

from kernels import simulator
from tests.simulated import fault, zeros

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad


def scales(x, factor, out=None):
    out[0] = factor * x[0]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "given, words",
    [
        ((), "scales takes (x, factor, out), 3 in all, and 0 are given: ()."),
        ((1.5,), "and 1 are given: (float 1.5).\nNothing is left for factor, out."),
        ((zeros(2, 3), 2), "and 2 are given: (an array of float32 (2, 3), int 2).\nNothing"),
        ((1, 2, 3, 4), "4 are given: (int 1, int 2, int 3, int 4).\nThere is no parameter for th"),
        (([1, 2], 2, 3), "scales takes (x, factor, out), and list [1, 2] is given for x."),
        ((zeros(1), "2", zeros(1)), "and str '2' is given for factor.\nA kernel takes arrays, num"),
        ((zeros(1), 2, None), "and NoneType None is given for out."),
        ((zeros(1), (2, [3]), zeros(1)), "and tuple (2, [3]) is given for factor."),
        ((zeros(1), {1: 2}, zeros(1)), "and dict {1: 2} is given for factor."),
    ],
)
def test_arguments_that_a_kernel_does_not_take_are_told(given, words, check):
    with pytest.raises(simulator.KernelError) as caught:
        simulator.launch(scales, 1, 1, *given, check=check)
    assert caught.value.kind == "impossible launch" and words in str(caught.value)


def test_arguments_that_a_kernel_takes():
    x = zeros(1)
    for factor in (2, 2.0, True, np.float32(2), np.int8(2)):
        simulator.launch(scales, 1, 1, zeros(1) + 3, factor, x)
        assert x[0] == 3 * factor
    simulator.launch(pairs, 1, 1, x, (2, (3.5, x)))
    assert x[0] == 7


def pairs(x, both):
    x[0] = both[0] * both[1][0]


def takes_any_number(x, *more):
    x[0] = 1


def takes_a_name(x, *, n):
    x[0] = n


def test_arguments_by_name_or_of_any_number_are_told():
    words = r"scales takes \(x, factor, out\), and factor=, out= is given by name."
    with pytest.raises(simulator.KernelError, match=words):
        simulator.launch(scales, 1, 1, zeros(1), factor=1, out=zeros(1))
    for kernel, takes in ((takes_any_number, "(x, *more)"), (takes_a_name, "(x, *, n)")):
        found = fault(kernel, 1, 1, zeros(1))
        assert found.kind == "does not compile"
        assert f"{kernel.__name__} is a kernel, and takes {takes}." in str(found)


def nothing(x):
    """A kernel that is not to start."""


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "grid, block, words",
    [
        (1, 2.5, "nothing is to have blocks of 2.5."),
        (2.5, 1, "nothing is to have a grid of 2.5."),
        ((2, 0.5), 1, r"nothing is to have a grid of \(2, 0.5\)."),
        (1, (1, 1, 1, 1), r"nothing is to have blocks of \(1, 1, 1, 1\)."),
        (1, (), r"nothing is to have blocks of \(\)."),
        (1, "4", "nothing is to have blocks of '4'."),
        (1, -4, r"nothing is to have blocks of \(-4, 1, 1\) = -4 threads."),
        (1, (-4, -4), r"nothing is to have blocks of \(-4, -4, 1\) = 16 threads."),
        (-1, 4, r"nothing is to have a grid of \(-1, 1, 1\) blocks."),
        (1, (1, 1, 65), r"blocks of \(1, 1, 65\) = 65 threads.\n.*up to 64 along z"),
    ],
)
def test_shapes_that_are_none(grid, block, words, check):
    with pytest.raises(simulator.KernelError, match=f"impossible launch. .*{words}"):
        simulator.launch(nothing, grid, block, zeros(1), check=check)


def test_shapes_may_be_numbers_of_numpy():
    simulator.launch(nothing, np.int64(2), (np.int32(3), 1), zeros(1))


def test_an_order_that_is_none():
    words = "order is one of forward, backward, shuffled. Received: 'sideways'"
    with pytest.raises(ValueError, match=words):
        simulator.launch(nothing, 1, 1, zeros(1), order="sideways")
