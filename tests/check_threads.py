"""Kernels on several threads: the same bits for any number of them, under each layer of Numba's."""

import json
import os
import subprocess
import sys

import pytest

from tests.kernel_cases import CASES

POOLS = {"omp": "omppool", "tbb": "tbbpool", "workqueue": "workqueue"}


def run(program, **environment):
    done = subprocess.run(
        [sys.executable, *program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def is_there(layer):
    program = f"import kernels.cpu.threads, numba.np.ufunc.{POOLS[layer]}"
    try:
        run(["-c", program])
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("layer", POOLS)
def test_bits_do_not_depend_on_the_number_of_threads(layer):
    if not is_there(layer):
        pytest.skip(f"the library of {layer} is not on this machine")
    output = run(["-m", "tests.kernel_threads"], NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="8")
    answer = json.loads(output.splitlines()[-1])
    assert answer == {
        "layer": layer,
        "kernels": len(CASES),
        "python threads": 4,
        "different": [],
    }


@pytest.mark.parametrize("layer", POOLS)
def test_what_fails_in_another_thread_is_an_error_of_the_call(layer):
    if not is_there(layer):
        pytest.skip(f"the library of {layer} is not on this machine")
    program = """if True:
        import numpy as np
        from kernels.cpu.compilation import integer, write
        from kernels.cpu.threads import threaded

        @threaded
        def fail_but_in_part_0(y: write(1), part: integer, parts: integer):
            if part > 0:
                raise MemoryError

        try:
            fail_but_in_part_0("float32", 1e9, np.zeros(1, "float32"))
        except MemoryError as error:
            print(error)
    """
    said = run(["-c", program], NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2").strip()
    assert said == "a thread of fail_but_in_part_0 found no memory"


def test_what_fails_in_a_kernel_that_is_called_by_its_address_is_told():
    program = """if True:
        import numpy as np
        from kernels.cpu.compilation import address, call, integer, jit, write

        @jit
        def fail_below_0(y: write(1), x: integer):
            y[0] = x
            if x < 0:
                raise MemoryError

        @jit
        def try_it(y: write(1), x: integer, other: address):
            return call(other, (y, x))

        y = np.zeros(1)
        for x in (3, -3):
            print(try_it["float64"](y, x, fail_below_0.addresses["float64"]), y[0])
    """
    assert run(["-c", program]).splitlines() == ["0 3.0", "1 -3.0"]


@pytest.mark.skipif(not is_there("tbb"), reason="TBB is not installed")
def test_tbb_is_found_where_pip_has_put_it_and_comes_first():
    program = """if True:
        import numba, numpy as np, kernels
        from kernels.cpu import threads
        threads.WORTH_SHARING = 0
        kernels.use("numba")
        kernels.relu(np.ones(99))
        print(numba.threading_layer())
    """
    assert run(["-c", program]).strip() == "tbb"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_computes_with_one_thread():
    program = """if True:
        import os, warnings, numpy as np, kernels
        from kernels.cpu import threads
        threads.WORTH_SHARING = 0
        warnings.simplefilter("ignore")
        kernels.use("numba")
        x = np.random.default_rng(0).standard_normal((300, 300)).astype("float32")
        expected = kernels.softmax(x)
        child = os.fork()
        if child == 0:
            os._exit(0 if np.array_equal(kernels.softmax(x), expected) else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert run(["-c", program], NUMBA_NUM_THREADS="4").strip() == "0"
