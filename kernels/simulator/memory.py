"""Arrays as a kernel sees them: every access is checked, and entered into the log.

The checked element of an array is found by its index in a dict, which is filled as a kernel comes
by: the second access with the same index needs no further check.
"""

import math
from sys import _getframe

import numpy as np

from .faults import KernelError, floating_index, part_of_array, unknown_of_array, whole_array
from .integers import Condition, FromEnd, Whole, condition, kind_of
from .log import ATOMIC, GLOBAL, WRITE, address_of, code_of, place
from .mathematics import Integer, number_type

_OF_ALL = {  # methods of NumPy's arrays, for which its functions ask as well
    *("all", "any", "argmax", "argmin", "cumprod", "cumsum", "dot", "max", "mean", "min"),
    *("prod", "sort", "std", "sum", "var"),
}


class _Attributes:
    """What an array says of itself without being read."""

    @property
    def nbytes(self):
        """How many bytes all elements have."""
        return self.size * self.itemsize

    def __getattr__(self, name):
        if name.startswith("__"):  # Python and NumPy ask for many of these
            raise AttributeError(name)
        raise whole_array() if name in _OF_ALL else unknown_of_array(self.name, name)


def _of_whole_arrays(*_):
    raise whole_array()


_OF_TWO = {
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"),
    *("lshift", "rshift", "and", "or", "xor"),
}
_OPERATORS = {
    *("neg", "pos", "abs", "invert", "lt", "le", "gt", "ge"),
    *(f"{side}{name}" for name in _OF_TWO for side in ("", "r", "i")),  # x + y, y + x, x += y
}
for _name in _OPERATORS:
    setattr(_Attributes, f"__{_name}__", _of_whole_arrays)
_Attributes.__array_ufunc__ = None  # so that a number of NumPy beside an array asks these as well


class Recorded(_Attributes):
    """An array in global or shared memory.

    number   of the array among those that the block can reach
    unit     how many bytes of an element are compared at once: `compare_by_parts` makes it less
    """

    def __init__(self, values, name, space, address, number, log):
        self.values, self.name, self.space, self.address = values, name, space, address
        self.number, self.unit = number, values.itemsize
        self.shape, self.strides, self.dtype = values.shape, values.strides, values.dtype
        self.ndim, self.size, self.itemsize = values.ndim, values.size, values.itemsize
        self.log, self._enter = log, log.entries.append
        self._codes = _Codes(self)

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        raise whole_array()

    def __getitem__(self, index):
        enter, frame = self._enter, _getframe(1)
        enter(self._codes[index])
        enter(id(frame.f_code) + frame.f_lasti)  # place(frame), without the time of a call
        return self.values[index]

    def __setitem__(self, index, value):
        enter, frame = self._enter, _getframe(1)
        enter(self._codes[index] + WRITE)
        enter(id(frame.f_code) + frame.f_lasti)
        self.values[index] = value

    def update(self, index, function, frame):
        """Replace an element by function(element) in one step that nothing can come between."""
        code = self._codes[index]
        self._enter(code + ATOMIC)
        self._enter(place(frame))
        before = self.values[index]
        after = self.values[index] = function(before)
        self.log.tell_and_learn(address_of(code), is_written=after is not before)
        return before

    def enter(self, index, count, kind, frame):
        """Enter `count` neighbours from an index on, which one instruction takes together."""
        if index not in self._codes:
            check_index(self, index, counts_back=False)
        width, start = count * self.itemsize, address_of(self._codes[index])
        if start % width or self.strides[-1] != self.itemsize:
            begins = f" The array begins there by cuda.shared.array(shape, dtype, {width})."
            begins = begins if self.space == "shared" else ""
            raise KernelError(
                "misaligned",
                f"{count} numbers from {self.name}[{_text(index)}] on are taken at once, at byte "
                f"{start % GLOBAL} of {self.space} memory.",
                f"An access of {width} bytes must begin at a multiple of {width}: else a GPU ends "
                f"the program. Let the index and the length of a row be multiples of {count}, or "
                f"take the numbers one by one.{begins}",
                self.name,
            )
        where = place(frame)
        self.log.widths[self.log.places[where]] = count
        *rest, first = index if isinstance(index, tuple) else (index,)
        for last in range(first, first + count):
            self._enter(self._codes[(*rest, last) if rest else last] + kind)
            self._enter(where)

    @property
    def ends(self):
        """The lowest and the highest address of an element; strides may be negative."""
        steps = [(n - 1) * stride for n, stride in zip(self.shape, self.strides)]
        return tuple(self.address + sum(end(step, 0) for step in steps) for end in (min, max))

    def element_at(self, address):
        """The name of the element that begins at an address."""
        rest, index = int(address) - self.ends[0], [0] * self.ndim
        for axis in sorted(range(self.ndim), key=lambda axis: -abs(self.strides[axis])):
            last, stride = self.shape[axis] - 1, self.strides[axis]
            if stride:
                step = min(rest // abs(stride), last)
                rest -= step * abs(stride)
                index[axis] = last - step if stride < 0 else step
        return f"{self.name}[{_text(tuple(index))}]"


class RecordedIntegers(Recorded):
    """An array of integers, in which not each number can be."""

    def __init__(self, values, *rest):
        super().__init__(values, *rest)
        self._type = kind_of(values.dtype)
        self._fit = Integer(values.dtype, keeps_last_bits=self.log.keeps_last_bits).fit

    def __getitem__(self, index):
        enter, frame = self._enter, _getframe(1)
        enter(self._codes[index])
        enter(id(frame.f_code) + frame.f_lasti)
        return self._type(self.values[index])

    def __setitem__(self, index, value):
        if type(value) is not self._type:
            value = self._fit(value, lambda: f"{self.name}[{_text(index)}] = {value}")
        enter, frame = self._enter, _getframe(1)
        enter(self._codes[index] + WRITE)
        enter(id(frame.f_code) + frame.f_lasti)
        self.values[index] = value


class RecordedConditions(Recorded):
    """An array of True and False."""

    def __getitem__(self, index):
        enter, frame = self._enter, _getframe(1)
        enter(self._codes[index])
        enter(id(frame.f_code) + frame.f_lasti)
        return condition(self.values[index])


class Integers(np.ndarray):
    """An array of integers, or of conditions, that is not checked."""

    def __getitem__(self, index):
        value = super().__getitem__(index)
        return value if isinstance(value, np.ndarray) else kind_of(self.dtype)(value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __setitem__(self, index, value):
        try:
            super().__setitem__(index, value)
        except OverflowError:
            if self.dtype.kind != "u" and not isinstance(value, Whole):
                raise  # of a plain number: NumPy's words are told
            super().__setitem__(index, np.asarray(value).astype(self.dtype))


def unchecked(values):
    """The same array for a kernel that is not checked."""
    return values.view(Integers) if values.dtype.kind in "biu" else values


_RECORDED = {"b": RecordedConditions, "i": RecordedIntegers, "u": RecordedIntegers}


def recorded(values, *rest):
    """The same array with accesses that are checked, and entered into the log."""
    return _RECORDED.get(values.dtype.kind, Recorded)(values, *rest)


def compare_by_parts(arrays):
    """Let elements of arrays in the same memory meet in parts, where their bytes are not the same.

    As those of a float64 array and of its float32 view do. The parts are as large as can be.
    """
    if len(arrays) > 1:
        steps = {step for array in arrays for step in (array.itemsize, *array.strides)}
        offsets = {array.address - arrays[0].address for array in arrays}
        for array in arrays:
            array.unit = math.gcd(*steps, *offsets)


class _Codes(dict):
    """{index: code} of the elements of an array; any other index is a fault."""

    def __init__(self, array):
        self.array = array

    def __missing__(self, index):
        array = self.array
        element = check_index(array, index)
        if element is not index:  # it counts from the end
            return self[element]
        numbers = index if isinstance(index, tuple) else (index,)
        offset = sum(int(i) * stride for i, stride in zip(numbers, array.strides))
        self[index] = code_of(array.address + offset, array.number)
        return self[index]


def check_index(array, index, counts_back=True):
    """That an index is one of an element of an array.   -> the same, counted from the beginning

    counts_back   whether a negative one counts from the end, as in what Numba itself compiles. Only
                  one that stands in the source is meant so.
    """
    numbers = index if isinstance(index, tuple) else (index,)
    if any(isinstance(i, slice) or i is Ellipsis for i in numbers):
        raise part_of_array()
    if len(numbers) != len(array.shape):
        raise _wrong_axes(array, index, numbers)
    for i, size in zip(numbers, array.shape):
        if isinstance(i, (bool, np.bool_, Condition)):
            raise _no_number()
        if not isinstance(i, (int, np.integer)):
            raise floating_index()
        if not (-size if counts_back and type(i) is FromEnd else 0) <= i < size:
            raise _out_of_bounds(array, index, numbers, counts_back)
    if not any(type(i) is FromEnd for i in numbers):
        return index
    numbers = tuple(i + size if i < 0 else i for i, size in zip(numbers, array.shape))
    return numbers if isinstance(index, tuple) else numbers[0]


def _no_number():
    """The fault that an index is a condition."""
    return KernelError(
        "does not compile",
        "An index is True or False:",
        "Numba takes integers. Write int(x > 0) where 0 or 1 is meant, or ask by `if`.",
    )


def _wrong_axes(array, index, numbers):
    """The fault of an index that has too few numbers, or too many."""
    is_part = len(numbers) < len(array.shape)
    return KernelError(
        "unknown to the simulator" if is_part else "does not compile",
        f"{array.name}[{_text(index)}] is meant, but {array.name} has the shape {array.shape}.",
        "A kernel of the simulator reads and writes one element at a time, so that each access is "
        f"seen: give as many indices as there are axes, {len(array.shape)} here"
        + (", as in a[i, j], where Numba would take a[i][j], too." if is_part else "."),
        array.name,
    )


def _out_of_bounds(array, index, numbers, counts_back):
    """The fault of an index that is too small or too large."""
    why = (
        "A GPU does not look: it reads what lies there, or writes over it, and the error "
        "shows elsewhere or never. Let a condition keep such threads out, as in "
        f"`if i < {array.name}.shape[0]:`."
    )
    ends = [i + size if i < 0 else i for i, size in zip(numbers, array.shape)]
    if counts_back and all(0 <= i < size for i, size in zip(ends, array.shape)):
        end = f"{array.name}[{_text(tuple(ends))}]"
        why = (
            "Numba counts a negative index from the end, as Python does, if the type of the index "
            f"has a sign: on a GPU this is {end}, the other end of the axis. That is hardly meant "
            "where a thread looks at the one before: let a condition, as in `if i > 0:`, keep the "
            f"first out. Where it is meant, write {array.name}.shape[0] - 1 and the like."
        )
    return KernelError(
        "out of bounds",
        f"{array.name}[{_text(index)}] is meant, but {array.name}, in {array.space} "
        f"memory, has the shape {array.shape}.",
        why,
        array.name,
    )


def _text(index):
    return ", ".join(map(str, index)) if isinstance(index, tuple) else str(index)


class Constant(_Attributes):
    """An array that no thread writes to: a global one, or what cuda.const.array_like gives."""

    space = "constant"

    def __init__(self, values, name):
        self._values, self.name, self._make = values.copy(), name, kind_of(values.dtype)
        self.shape, self.ndim, self.size = values.shape, values.ndim, values.size
        self.dtype, self.strides, self.itemsize = values.dtype, values.strides, values.itemsize

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        raise whole_array()

    def __getitem__(self, index):
        check_index(self, index)
        return self._make(self._values[index]) if self._make else self._values[index]

    def __setitem__(self, index, value):
        raise KernelError(
            "does not compile",
            f"{self.name}[{_text(index)}] is written, and {self.name} is constant.",
            "Numba copies an array from outside of the kernel as it compiles, and lets nobody "
            "write to the copy. Give the kernel the array as an argument.",
            self.name,
        )


_set = dict.__setitem__


class Private(_Attributes, dict):
    """An array that one thread has alone, {index: number}: what cuda.local.array gives."""

    space = "local"

    def __init__(self, shape, dtype, name):
        self.shape = shape if isinstance(shape, tuple) else (shape,)
        self.dtype, self.name, self.itemsize = dtype, name, dtype.itemsize
        self.ndim, self.size = len(self.shape), math.prod(self.shape)
        kind = kind_of(dtype)
        self._make = condition if kind is condition else number_type(dtype.type)
        self.scalar = Condition if kind is condition else kind or dtype.type

    def __missing__(self, index):
        element = check_index(self, index)
        if element in self:  # it counts from the end
            return self[element]
        raise KernelError(
            "uninitialised",
            f"{self.name}[{_text(index)}], in local memory, is read before it is written.",
            "A local array begins with whatever its registers held before. Set its elements "
            "first, as in a loop that writes float32(0) to each.",
            self.name,
        )

    def __setitem__(self, index, value):
        if index not in self:
            index = check_index(self, index)
        _set(self, index, value if type(value) is self.scalar else self._make(value))

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        raise whole_array()
