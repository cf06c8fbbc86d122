"""What Numba computes in float64, though a kernel has float32, can be seen without a GPU."""

import importlib.util
import threading

import numpy as np
import pytest
from numba.cuda import dispatcher

from kernels import simulator
from kernels.any_gpu import any_gpu
from tests import precision_cases
from tests.precision_cases import CASES, LACKING
from tests.simulated import zeros

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad

GIVEN = zeros(8), zeros(8, dtype=np.int32), np.int32(3)
HAS_NUMBA_CUDA = importlib.util.find_spec("numba_cuda") is not None


@pytest.mark.parametrize("name", sorted(CASES.keys() - (set() if HAS_NUMBA_CUDA else LACKING)))
def test_what_becomes_float64_is_told(name):
    kernel, operations = CASES[name]
    remarks = simulator.float64_in(kernel, *GIVEN)
    assert [remark.operation for remark in remarks] == list(operations)
    for remark in remarks:
        assert remark.text and remark.text in str(remark)


def test_a_remark_names_the_line_and_what_to_write():
    (remark,) = simulator.float64_in(CASES["calls_a_function"][0], *GIVEN)
    line = precision_cases.third.py_func.__code__.co_firstlineno + 2
    assert (
        str(remark)
        == f"""\
line {line}, in third: return v * 0.3
  float32 * 0.3 is computed in float64. Write float32(0.3)."""
    )
    assert (remark.file, remark.line) == (precision_cases.__file__, line)


@pytest.mark.parametrize(
    "name, instead",
    [
        ("multiplies_by_an_argument", "Make a float32 of the integer before, as in float32(n)."),
        ("begins_at_a_float", "Look where the float64 begins: a sum at float32(0), not at 0"),
        ("halves_an_integer", "Write // for an integer; or make each a float32 before"),
    ],
)
def test_what_to_write_depends_on_the_types(name, instead):
    (remark,) = simulator.float64_in(CASES[name][0], *GIVEN)
    assert instead in str(remark)


def test_arrays_of_float64_are_meant():
    x = np.zeros(8)
    kernel, _ = CASES["goes_on_with_it"]
    assert simulator.float64_in(kernel, x, *GIVEN[1:]) == []


def has_no_types(x):
    x[0] = x.nothing


def test_what_numba_does_not_compile_is_told_in_its_words():
    with pytest.raises(
        simulator.KernelError, match="Numba does not compile has_no_types"
    ) as caught:
        simulator.float64_in(has_no_types, zeros(1))
    assert caught.value.kind == "does not compile" and "nothing" in str(caught.value)


def test_threads_that_compile_leave_what_numba_asks_as_they_have_found_it():
    asks, is_inside, may_leave = dispatcher.get_current_device, threading.Event(), threading.Event()

    def other():
        with any_gpu():
            is_inside.set()
            may_leave.wait()

    thread = threading.Thread(target=other)
    with any_gpu():
        thread.start()
        assert not is_inside.wait(0.1)  # or the other would find what is only for now
    may_leave.set()
    thread.join()
    assert is_inside.is_set() and dispatcher.get_current_device is asks
