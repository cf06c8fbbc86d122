"""Every kernel for GPUs compiles for every kind that it is for, and stays in its registers.

`make test-gpu` runs this, with the packages of the extra `gpu-ci`; it takes neither a GPU nor a
driver.
"""

import functools
import re
from pathlib import Path

import numpy as np
import pytest
from llvmlite import ir
from numba import cuda, float32, float64, void
from numba.core import types
from numba.core.errors import TypingError
from numba.cuda.cudadrv.error import CudaSupportError
from numba.cuda.extending import intrinsic
from numba.np.numpy_support import from_dtype

from kernels import cuda as cuda_kernels
from kernels import simulator
from kernels.any_gpu import any_gpu
from kernels.cuda import compile as compiling
from kernels.cuda import ufuncs
from kernels.cuda.launch import TARGETS, VECTOR, Launch, name_of
from kernels.cuda.ptx import (
    ALIGNED,
    commit_copies,
    copy_async4,
    load_matrices,
    multiply_tf32,
    store4,
)
from kernels.simulator.precision import float64_of_types
from tests import precision_cases, uncompiled
from tests.test_device_integers import UFUNCS, of_integers

REGISTERS = 65536  # that all threads of a block have together

ptx = functools.cache(compiling.ptx)


def each_target(*names):
    """Each of some kernels on each of its targets."""
    pairs = [(name, target) for name in names for target in compiling.KERNELS[name].targets]
    return pytest.mark.parametrize(
        "name, target", pairs, ids=[f"{name}-{target}" for name, target in pairs]
    )


@functools.cache
def page():
    """{kernel: {column: number}}: what kernels/cuda/REGISTERS.md says, but for its dashes"""
    text = Path(cuda_kernels.__path__[0], "REGISTERS.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    (_, *columns), *rows = rows
    return {
        name: {column: int(cell.split()[0]) for column, cell in zip(columns, cells) if cell != "-"}
        for name, *cells in rows
    }


@each_target(*compiling.KERNELS)
def test_a_kernel_stays_in_its_registers_and_in_float32(name, target):
    """One test, for the compiler takes seconds."""
    launch = compiling.KERNELS[name]
    text = ptx(launch, target)
    assert ".f64" not in text
    is_fetched_by_four = ".shared.v4" in text or "cp.async" in text
    assert not (is_fetched_by_four and ".shared .align 4 " in text), "say ALIGNED"
    needs = compiling.needs(text, target)
    assert (needs.stack, needs.spills) == (0, 0)
    blocks = 1 if name.startswith("attention.") else 2  # that fit at least
    assert 0 < needs.registers * compiling.threads(launch) <= REGISTERS // blocks
    assert needs.shared <= 48 * 1024
    column = f"registers, {name_of(target)}"
    found = compiling.threads(launch), needs.shared, needs.registers
    said = [page()[name].get(column) for column in ("threads", "shared memory", column)]
    assert said == [*found], "the page is old"


@pytest.mark.parametrize("name", uncompiled.REFUSED)
def test_numba_does_not_compile_what_the_simulator_refuses(name):
    kernel, _, _ = uncompiled.REFUSED[name]
    with any_gpu(), pytest.raises(Exception) as caught:  # Numba raises errors of many kinds
        cuda.compile_ptx(kernel, void(float32[::1]), cc=TARGETS[0])
    assert not isinstance(caught.value, CudaSupportError), "that is for want of a driver"


@pytest.mark.parametrize("name", uncompiled.COMPILED)
def test_numba_compiles_what_the_simulator_runs(name):
    with any_gpu():
        assert cuda.compile_ptx(uncompiled.COMPILED[name], void(float32[::1]), cc=TARGETS[0])


def test_a_function_that_is_told_its_types_may_call_itself():
    with any_gpu():

        @cuda.jit("int64(int64)", device=True)
        def factorial(n):
            if n <= 1:
                return 1
            return n * factorial(n - 1)

        def kernel(x):
            x[0] = factorial(5)

        assert cuda.compile_ptx(kernel, void(float32[::1]), cc=TARGETS[0])
    x = np.zeros(1, np.float32)
    simulator.launch(kernel, 1, 1, x)
    assert x[0] == 120


@pytest.mark.parametrize("name", precision_cases.CASES)
def test_float64_is_in_the_instructions_where_the_simulator_tells_it(name):
    kernel, told = precision_cases.CASES[name]
    given = precision_cases.TYPES
    operations = [remark.operation for remark in float64_of_types(kernel, given)]
    with any_gpu():
        text, _ = cuda.compile_ptx(kernel, void(*given), cc=TARGETS[0])
    assert operations == list(told)
    assert (".f64" in text) == bool(told)


@pytest.mark.parametrize("name", ["matmul.tiled", "softmax.online", "elementwise.value"])
def test_the_simulator_tells_no_float64_of_our_kernels(name):
    launch = compiling.KERNELS[name]
    assert float64_of_types(launch.kernel, tuple(launch.signature)) == []


OF_INTEGERS = {ufunc.__name__: ufunc for ufunc in UFUNCS if of_integers(ufunc, np.int64)}


@pytest.mark.parametrize("name", OF_INTEGERS)
def test_integers_are_computed_as_integers(name):
    """float64 is exact to 2⁵³ alone, and slow."""
    ufunc = OF_INTEGERS[name]
    *loop, result = ufunc.resolve_dtypes((*[np.dtype(np.int64)] * ufunc.nin, None))
    flat, _ = ufuncs.kernels_of(ufunc, tuple(loop))
    signature = [from_dtype(dtype)[:] for dtype in (result, *loop)]
    text = ptx(Launch(flat, (256,), None, tuple(signature)), TARGETS[0])
    assert not re.search(r"\.f(32|64)\b", text)


@each_target("matmul.vectorised")
def test_the_widest_loads_are_used(name, target):
    text = ptx(compiling.KERNELS[name], target)
    assert re.search(r"ld\.global\.v4", text) and re.search(r"st\.global\.v4", text)
    assert re.search(r"ld\.shared\.v4", text) and re.search(r"st\.shared\.v4", text)


@each_target("matmul.double_buffered", "gemm.dense_128")
def test_the_next_tiles_are_asked_for_before_these_are_multiplied(name, target):
    between_barriers = ptx(compiling.KERNELS[name], target).split("bar.sync")[1]
    steps = "ld.global.v4", "ld.shared.v4", "fma.rn", "st.shared.v4"
    places = [between_barriers.index(step) for step in steps]
    assert places == sorted(places)


@each_target("matmul.tensor_cores")
def test_tensor_cores_and_asynchronous_copies_are_used(name, target):
    text = ptx(compiling.KERNELS[name], target)
    assert text.count("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32") >= 8
    assert text.count("ldmatrix.sync.aligned.m8n8.x4.shared.b16") >= 2
    assert "cp.async.cg.shared.global" in text and "cp.async.wait_group 1;" in text


# ---- These tests can fail ------------------------------------------------------------------------


def in_float64(x):
    x[cuda.grid(1)] = x[cuda.grid(1)] * 0.5 + 1


def on_the_stack(x):
    much = cuda.local.array(600, float32)
    i = cuda.grid(1)
    for j in range(600):
        much[j] = x[j]
    x[i] = much[int(x[i])]


def test_float64_and_a_stack_are_found():
    target = TARGETS[0]
    assert ".f64" in ptx(Launch(in_float64, (256,), None, (VECTOR,)), target)
    text = ptx(Launch(on_the_stack, (256,), None, (VECTOR,)), target)
    assert compiling.needs(text, target).stack == 2400


def copies_of_eight_bytes(x):
    tile = cuda.shared.array(4, float64, ALIGNED)
    copy_async4(tile, 0, x, 0)
    commit_copies()


def small_matrices_of_eight_bytes(x):
    tile = cuda.shared.array(128, float64, ALIGNED)
    x[cuda.grid(1)] = load_matrices(tile, cuda.threadIdx.x * 4)[0]


@pytest.mark.parametrize("kernel", [copies_of_eight_bytes, small_matrices_of_eight_bytes])
def test_an_instruction_for_four_bytes_takes_no_eight(kernel):
    with pytest.raises(TypingError, match="takes numbers of 4 bytes. Received: array.float64"):
        compiling.ptx(Launch(kernel, (32,), None, (VECTOR,)), TARGETS[0])


def stores_three(x):
    store4(x, 0, (x[0], x[1], x[2]))


def stores_conditions(x):
    store4(x, 0, (x[0] > 0, x[1] > 0, x[2] > 0, x[3] > 0))


def multiplies_integers(x):
    f = x[0]
    x[0] = multiply_tf32((f, f, f, f), (1, 2, 3, 4), (f, f))[0]


def multiplies_three(x):
    f = x[0]
    x[0] = multiply_tf32((f, f, f, f), (f, f, f), (f, f))[0]


@pytest.mark.parametrize(
    "kernel, words",
    [
        (stores_three, "store4 takes a tuple of 4 numbers. Received: UniTuple.float32 x 3"),
        (stores_conditions, "store4 takes a tuple of 4 numbers. Received: UniTuple.bool x 4"),
        (multiplies_integers, "multiply_tf32 takes a tuple of 4 float32. Received"),
        (multiplies_three, "multiply_tf32 takes a tuple of 4 float32. Received"),
    ],
)
def test_an_instruction_takes_as_many_numbers_as_it_has(kernel, words):
    with pytest.raises(TypingError, match=words):
        compiling.ptx(Launch(kernel, (32,), None, (VECTOR,)), TARGETS[0])


def test_what_is_no_ptx_is_refused():
    with pytest.raises(ValueError, match="sm_80: ptxas"):
        compiling.needs("nonsense", (8, 0))


@intrinsic
def fence_of_products(typing_context):
    """What products of whole warp groups begin with: sm_90a has it, and no other target."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [])
        text = "wgmma.fence.sync.aligned;"
        builder.call(ir.InlineAsm(kind, text, "", side_effect=True), [])
        return context.get_dummy_value()

    return types.void(), generate


def of_one_kind(x):
    fence_of_products()
    x[cuda.grid(1)] = 1


OF_ONE_KIND = Launch(of_one_kind, (256,), None, (VECTOR,), targets=((9, 0, "a"),))


def test_a_kernel_for_one_target_compiles_for_that_alone():
    assert compiling.needs(ptx(OF_ONE_KIND, (9, 0, "a")), (9, 0, "a")).registers
    with pytest.raises(ValueError, match="sm_80: .*wgmma.fence"):
        compiling.needs(ptx(OF_ONE_KIND, (8, 0)), (8, 0))


def test_the_table_has_a_line_for_each_kernel_and_a_dash_where_it_has_no_target():
    name = "softmax.online"
    kernels = {name: compiling.KERNELS[name], "fence": OF_ONE_KIND}
    head, rule, online, fence = compiling.table(kernels)
    assert head.endswith("| registers, sm_75 | registers, sm_80 | registers, sm_90a |")
    assert head.count("|") == rule.count("|") == online.count("|") == fence.count("|")
    assert online.startswith("| softmax.online | 128 | 0 bytes | ") and " - " not in online
    assert re.fullmatch(r"\| fence \| 256 \| 0 bytes \| - \| - \| \d+ \|", fence)


def test_all_kernels_are_on_the_page_and_all_targets():
    """`python -m kernels.cuda.compile > kernels/cuda/REGISTERS.md` makes it anew."""
    assert list(page()) == list(compiling.KERNELS)
    for name, launch in compiling.KERNELS.items():
        columns = {f"registers, {name_of(target)}" for target in launch.targets}
        assert columns and page()[name].keys() == {"threads", "shared memory", *columns}
