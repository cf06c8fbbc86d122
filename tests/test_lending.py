"""How compiled kernels take arrays: what fits is read where it lies, all else is a TypeError."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from kernels.cpu import elementwise, lending
from kernels.cpu.loops import are_within
from kernels.cpu.matmul import add_product, multiply

FOREIGN = lending.FOREIGN


def product(a, b, c):
    """c = a b by the compiled kernel for float32.   -> whether it was done"""
    return multiply["float32"](a, b, c, add_product.addresses["float32"])


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


def read_only(x):
    x.flags.writeable = False
    return x


class Subclass(np.ndarray):
    pass


WRONG = {
    "float64": ones(2, 2, dtype=np.float64),
    "integers": ones(2, 2, dtype=np.int32),
    "float16": ones(2, 2, dtype=np.float16),
    "complex numbers": ones(2, 2, dtype=np.complex64),
    "objects": ones(2, 2, dtype=object),
    "foreign bytes": ones(2, 2, dtype=FOREIGN + "f4"),
    "records": np.zeros((2, 2), [("x", np.float32)]),
    "one axis": ones(4),
    "three axes": ones(2, 2, 1),
    "no axis": np.array(1, np.float32),
    "a subclass": ones(2, 2).view(Subclass),
    "a masked array": np.ma.ones((2, 2), np.float32),
    "a list": [[1.0, 1.0], [1.0, 1.0]],
    "a memoryview": memoryview(ones(2, 2)),
    "a number": 1.0,
    "an object": object(),
    "a type": np.ndarray,
    "nothing": None,
}


@pytest.mark.parametrize("place", range(3), ids=["first", "second", "written"])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_array_for_the_kernel_is_an_error_that_says_what_came(wrong, place):
    arrays = [ones(2, 2), ones(2, 2), ones(2, 2)]
    arrays[place] = WRONG[wrong]
    with pytest.raises(TypeError) as error:
        product(*arrays)
    use = "writes to" if place == 2 else "reads"
    start = f"a kernel needs an array of float32 with 2 axes that it {use}. Received: "
    assert str(error.value) == start + repr(WRONG[wrong])[:200]


def test_an_array_that_is_only_to_be_read_is_read_but_never_written_to():
    a, b, c = read_only(ones(2, 2)), read_only(ones(2, 2)), read_only(ones(2, 2))
    with pytest.raises(TypeError, match="writes to"):
        product(a, b, c)
    c = np.zeros((2, 2), np.float32)
    assert product(a, b, c) and (c == 2).all()


def test_too_few_and_too_many_arguments_are_errors():
    a, call = ones(2, 2), multiply["float32"]
    for arguments in ((), (a,), (a, a, a), (a, a, a, 0, 0)):
        with pytest.raises(TypeError, match=f"expected 4 arguments, got {len(arguments)}"):
            call(*arguments)


def test_numbers_are_not_read_as_arrays_nor_arrays_as_numbers():
    a = ones(2, 2)
    for wrong in (a, [1], None, object()):
        with pytest.raises(TypeError):
            multiply["float32"](a, a, ones(2, 2), wrong)
    with pytest.raises(OverflowError):
        multiply["float32"](a, a, ones(2, 2), 2**70)


@pytest.mark.parametrize("code", ["l", "q"])
def test_each_of_cs_integers_of_64_bits_is_one(code):
    labels = np.arange(3).astype(code)
    if labels.itemsize == 8:
        assert are_within["float32"](labels, 0, 3) and not are_within["float32"](labels, 0, 2)
    with pytest.raises(TypeError, match="array of int64 with 1 axes"):
        are_within["float32"](labels.astype(np.uint64), 0, 3)


def test_a_dtype_that_is_equal_but_another_object_is_the_same():
    a = np.arange(4, dtype=np.float32).reshape(2, 2)
    kept = pickle.loads(pickle.dumps(a))
    native = a.astype(FOREIGN + "f4").byteswap().view(np.dtype(FOREIGN + "f4").newbyteorder())
    for x in (kept, native):
        assert x.dtype is not a.dtype
        c = np.empty((2, 2), np.float32)
        assert product(x, np.eye(2, dtype=np.float32), c) and (c == a).all()


def test_an_array_is_read_with_its_strides_whatever_they_are():
    x = np.arange(48, dtype=np.float32).reshape(6, 8)
    for a in (x, x.T, x[::2, ::3], x[::-1, ::-1], x[2:3].repeat(4, 0), x[:, 5:], x[:0]):
        for b in (a.T, np.broadcast_to(np.float32(2), a.shape[::-1])):
            c = np.full((len(a), len(a)), np.nan, np.float32)
            assert product(a, b, c)
            np.testing.assert_array_equal(c, a @ b)


def test_an_array_belongs_to_its_caller_as_before():
    arrays = ones(2, 2), ones(2, 2), ones(2, 2)
    before = [sys.getrefcount(x) for x in arrays]
    for _ in range(10):
        product(*arrays)
        with pytest.raises(TypeError):
            product(*arrays[:2], None)
    assert [sys.getrefcount(x) for x in arrays] == before


def run(program):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=True
    ).stdout.split()


def test_where_arrays_lie_otherwise_kernels_are_called_in_numbas_way():
    program = """
from kernels.cpu import lending
lending.IS_KNOWN = False
import numpy as np, kernels
from kernels.cpu.matmul import add_product, multiply
kernels.use("numba")
a = np.arange(4, dtype=np.float32).reshape(2, 2)
print((kernels.matmul(a, a) == a @ a).all(), type(multiply["float32"]).__name__)
try:
    multiply["float32"](a, a.astype("f8"), a, 0)
except TypeError:
    print("TypeError")
"""
    assert run(program) == ["True", "CPUDispatcher", "TypeError"]


@pytest.mark.parametrize("field", ["data", "ndim", "shape", "strides", "dtype", "flags", "type"])
def test_a_field_that_lies_elsewhere_is_noticed(field, monkeypatch):
    class Moved(lending.ArrayFields):
        pass

    assert lending._is_known()
    other = "references" if field in ("data", "type", "dtype") else "base"
    other = {"shape": "strides", "strides": "shape"}.get(field, other)
    monkeypatch.setattr(Moved, field, getattr(lending.ArrayFields, other))
    monkeypatch.setattr(lending, "ArrayFields", Moved)
    assert not lending._is_known()


@pytest.mark.parametrize("field", ["order", "number"])
def test_a_field_of_a_dtype_that_lies_elsewhere_is_noticed(field, monkeypatch):
    class Moved(lending.DtypeFields):
        pass

    monkeypatch.setattr(Moved, field, lending.DtypeFields.kind)
    monkeypatch.setattr(lending, "DtypeFields", Moved)
    assert not lending._is_known()


def test_a_kernel_returns_no_array():
    program = """
from kernels.cpu.compilation import jit, write
@jit
def the_same(x: write(1)):
    return x
try:
    the_same["float32"]
except TypeError as error:
    print(error)
"""
    assert " ".join(run(program)) == "the_same must not return what it was lent"


def test_a_loop_for_threads_looks_at_what_its_tuple_brings():
    kernel, loop = elementwise._values.kernel, elementwise._values.loop
    x, y, place = ones(8), ones(8), kernel.addresses["float32"]
    with pytest.raises(IndexError):
        loop["float32"](place, (elementwise.RELU, x), 2)
    for wrong in (x.astype(np.float64), x[None], [1.0]):
        with pytest.raises(TypeError, match="with 1 axes"):
            loop["float32"](place, (elementwise.RELU, wrong, y), 2)
