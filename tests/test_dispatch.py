"""Which implementation runs a call: as `kernels.use` says, or the committed table, never chance."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest

import kernels
from kernels import dispatch, reference


@pytest.fixture
def calls(monkeypatch):
    """The sizes that an implementation of softmax was called with, in the place of the real one."""
    sizes = []

    def softmax(x, axis=-1):
        if axis not in (-1, x.ndim - 1):
            return NotImplemented
        sizes.append(x.size)
        return reference.softmax(x)

    softmax.left_to_numpy = "other axes"
    with kernels.use("numba"):
        kernels.softmax(np.ones(1))  # now they are imported
    monkeypatch.setitem(dispatch._compiled, "softmax", softmax)
    return sizes


def with_choices(monkeypatch, choices):
    monkeypatch.setattr(dispatch, "_measured", lambda: choices)


def test_numpy_runs_the_reference(calls):
    with kernels.use("numpy"):
        kernels.softmax(np.ones((2, 3)))
    assert calls == []


def test_numba_runs_what_is_compiled(calls):
    with kernels.use("numba"):
        kernels.softmax(np.ones((2, 3)))
        kernels.softmax(np.ones((2, 3), np.float32))
    assert calls == [6, 6]


def test_what_is_not_covered_runs_in_numpy(calls):
    x = np.arange(6.0).reshape(2, 3)
    with kernels.use("numba"):
        p = kernels.softmax(x, axis=0)
    assert calls == []
    np.testing.assert_array_equal(p, reference.softmax(x, axis=0))


class OtherArray(np.ndarray):
    pass


@pytest.mark.parametrize(
    "x", [np.ones(6, np.float16), np.ones(6, ">f4"), np.ones(6).view(OtherArray)]
)
def test_other_arrays_run_in_numpy(calls, x):
    with kernels.use("numba"):
        kernels.softmax(x)
    assert calls == []


def test_auto_goes_by_size_and_dtype_in_the_table(calls, monkeypatch):
    with_choices(monkeypatch, {"softmax": {"float32": [4, 8], "float64": [6, None]}})
    with kernels.use("auto"):
        for size in range(3, 11):
            kernels.softmax(np.ones(size, np.float32))
        assert calls == [4, 5, 6, 7]
        calls.clear()
        for size in range(3, 11):
            kernels.softmax(np.ones(size))
        assert calls == [6, 7, 8, 9, 10]


def test_auto_chooses_for_a_product_by_its_multiplications(monkeypatch):
    called = []
    with kernels.use("numba"):
        kernels.matmul(np.ones((1, 1)), np.ones((1, 1)))
    monkeypatch.setitem(
        dispatch._compiled,
        "matmul",
        lambda a, b, out: called.append(b.shape) or reference.matmul(a, b),
    )
    with_choices(monkeypatch, {"matmul": {"float64": [1000, None]}})
    with kernels.use("auto"):
        for a, b in (
            ((2, 5), (5, 99)),
            ((2, 5), (5, 100)),
            ((30, 30), (30,)),
            ((3, 4, 5), (5, 20)),
        ):
            kernels.matmul(np.ones(a), np.ones(b))
        kernels.matmul(np.ones((2, 400)), b=np.ones((400, 1)))
    assert called == [(5, 100), (5, 20)]


def test_auto_leaves_to_numpy_what_nobody_has_measured(calls, monkeypatch):
    with_choices(monkeypatch, {})
    with kernels.use("auto"):
        kernels.softmax(np.ones(1000))
    assert calls == []


def test_use_lasts_until_the_next_or_to_the_end_of_its_with():
    before = kernels.backend()
    with kernels.use("numpy"):
        assert kernels.backend() == "numpy"
        with kernels.use("numba"):
            assert kernels.backend() == "numba"
        assert kernels.backend() == "numpy"
    assert kernels.backend() == before
    try:
        kernels.use("numpy")
        assert kernels.backend() == "numpy"
    finally:
        kernels.use(before)


def test_a_choice_may_be_used_for_several_withs():
    before = kernels.backend()
    chosen = kernels.use("numpy")
    try:
        for _ in range(2):
            with chosen:
                assert kernels.backend() == "numpy"
            assert kernels.backend() == before
    finally:
        kernels.use(before)


def test_an_unknown_backend_is_named():
    with pytest.raises(ValueError, match="numpy, numba, auto. Received: 'cuda'"):
        kernels.use("cuda")
    assert kernels.backend() in dispatch.BACKENDS


def test_the_table_says_who_runs_what(calls, monkeypatch):
    with_choices(monkeypatch, {"softmax": {"float32": [4, None], "float64": [2, 8]}})
    with kernels.use("auto"):
        lines = [line.split(maxsplit=2) for line in kernels.table().splitlines()]
    said = {(line[0], line[1]): " ".join(line[2].split()) for line in lines if len(line) == 3}
    assert said["softmax", "float32"] == "from size 4 other axes a kernel"
    assert said["softmax", "float64"] == "size 2 to 7 other axes kernels for NumPy's words"
    assert said["matmul", "float32"] == "nothing a kernel"
    assert {name for name, dtype in said if dtype == "float32"} == set(dispatch.specifications())
    with kernels.use("numpy"):
        assert " from size" not in kernels.table() and "everything" not in kernels.table()


def test_every_implementation_has_the_signature_of_its_reference(calls):
    for name, specification in dispatch.specifications().items():
        kernel, compiled = getattr(kernels, name), dispatch._compiled[name]
        assert kernel.__doc__ == specification.__doc__ and kernel.__wrapped__ is specification
        if compiled is not dispatch._covers_nothing:
            assert inspect.signature(compiled) == inspect.signature(specification)
    assert set(dispatch.specifications()) <= set(kernels.__all__)


def test_the_committed_table_names_kernels_that_there_are_and_ranges_of_sizes():
    measured = json.loads(dispatch.CHOICES.read_text(encoding="utf-8"))
    assert "avx512" in measured
    for choices in measured.values():
        assert choices.keys() <= set(dispatch.specifications())
        for ranges in choices.values():
            assert ranges.keys() <= {"float32", "float64"}
            for start, stop in ranges.values():
                assert start >= 0 and (stop is None or stop > start)


def run(program):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_import_loads_no_numba_and_numpy_needs_none():
    program = (
        "import sys, numpy as np, kernels, minigrad; print('numba' in sys.modules);"
        "kernels.use('numpy'); kernels.softmax(np.ones(3)); print('numba' in sys.modules)"
    )
    assert run(program).split() == ["False", "False"]


def test_arguments_may_be_named():
    x = np.ones((2, 3))
    with kernels.use("numba"):
        np.testing.assert_array_equal(kernels.softmax(x=x, axis=0), reference.softmax(x, 0))


def test_the_first_call_may_come_from_several_threads_at_once():
    program = (
        "import threading, numpy as np, kernels\n"
        "done = []\n"
        "x = np.ones((9, 9), np.float32)\n"
        "call = lambda: done.append(kernels.softmax(x)[0, 0])\n"
        "together = [threading.Thread(target=call) for _ in range(4)]\n"
        "[thread.start() for thread in together]\n"
        "[thread.join() for thread in together]\n"
        "print(len(done))"
    )
    assert run(program) == "4"


def test_numpy_runs_all_where_numba_is_told_to_compile_nothing():
    program = (
        "import os; os.environ['NUMBA_DISABLE_JIT'] = '1'\n"
        "import numpy as np, kernels; kernels.use('numba')\n"
        "print(kernels.softmax(np.zeros(2)).sum(), 'everything' in kernels.table())"
    )
    assert run(program).split() == ["1.0", "False"]


def test_blas_keeps_its_threads_where_numba_runs_nothing():
    program = (
        "import numpy as np, kernels; from threadpoolctl import threadpool_info as info\n"
        "count = lambda: [pool['num_threads'] for pool in info() if pool['user_api'] == 'blas']\n"
        "from kernels import dispatch; dispatch._measured = lambda: {}\n"
        "before = count(); kernels.softmax(np.ones(3)); print(count() == before)"
    )
    assert run(program) == "True"


def test_blas_has_one_thread_while_numba_runs_kernels():
    program = (
        "import numpy as np, kernels; from threadpoolctl import threadpool_info as info\n"
        "count = lambda: [pool['num_threads'] for pool in info() if pool['user_api'] == 'blas']\n"
        "before = count(); kernels.softmax(np.ones(3)); during = count()\n"
        "kernels.use('numpy'); print(set(during) == {1}, count() == before)"
    )
    assert run(program).split() == ["True", "True"]
