"""What Numba does not compile the simulator does not run, but says what and where, and no more."""

import linecache

import numpy as np
import pytest
from numba import cuda, float32

from kernels import simulator
from tests.simulated import fault, normal, texts, zeros
from tests.uncompiled import COMPILED, REFUSED

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("name", REFUSED)
def test_what_numba_does_not_compile_is_told(name, check):
    kernel, line, words = REFUSED[name]
    with pytest.raises(simulator.KernelError) as caught:
        simulator.launch(kernel, 1, 32, np.ones(32, np.float32), check=check)
    found = caught.value
    assert found.kind == "does not compile" and len(found.accesses) == 1, str(found)
    assert line in texts(found)[0], str(found)
    assert all(word in str(found) for word in words), str(found)
    assert f", in {found.accesses[0].site.code.co_name}: " in str(found)


@pytest.mark.parametrize("name", COMPILED)
def test_what_numba_compiles_is_run(name, capsys):
    simulator.launch(COMPILED[name], 1, 1, np.ones(4, np.float32))


def test_a_part_of_a_line_is_marked():
    told = str(fault(REFUSED["makes_a_dict"][0], 1, 1, zeros(1))).splitlines()
    assert told[1].endswith("in makes_a_dict: found = {}")
    assert told[2] == " " * told[1].index("{}") + "^^"


TYPED = "def kernel(x):\n    numbers = [1, 2]\n    x[0] = numbers[1]\n"


@pytest.mark.parametrize("lines", [[], ["def kernel(another):\n", "    {}\n"], ["another = (\n"]])
def test_a_kernel_without_its_source_is_run(lines):
    """As one that was typed in, and one whose file is another by now."""
    file, names, x = f"<typed {len(lines)}>", {}, zeros(1)
    exec(compile("\n" * len(lines) + TYPED, file, "exec"), names)
    linecache.cache[file] = 0, None, ["\n"] * len(lines) + lines, file
    simulator.launch(names["kernel"], 1, 1, x)
    assert x[0] == 2


def returns_one_or_the_other(x):
    total, other = float32(0), x[0]
    if cuda.grid(1) == 0:
        return total
    return other


def test_each_line_that_may_have_returned_a_value_is_told():
    assert texts(fault(returns_one_or_the_other, 1, 2, normal(2))) == [
        "return total",
        "return other",
    ]
