"""Arrays as a kernel sees them: every access is checked, and entered into the log.

The checked element of an array is found by its index in a dict, which is filled as a kernel comes
by: the second access with the same index needs no further check.
"""

from sys import _getframe

import numpy as np

from .faults import KernelError
from .log import ATOMIC, GLOBAL, WRITE, place


class Recorded:
    """An array in global or shared memory."""

    def __init__(self, values, name, space, address, log):
        self.values, self.name, self.space, self.address = values, name, space, address
        self.shape, self.strides, self.dtype = values.shape, values.strides, values.dtype
        self.ndim, self.size, self.itemsize = values.ndim, values.size, values.itemsize
        self.log, self._enter = log, log.entries.append
        self._codes = _Codes(self)

    def __len__(self):
        return self.shape[0]

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
        self.log.tell_and_learn(code >> 3, is_written=after is not before)
        return before

    def enter(self, index, count, kind, frame):
        """Enter `count` neighbours from an index on, which one instruction takes together."""
        width, start = count * self.itemsize, self._codes[index]
        if (start >> 3) % width or self.strides[-1] != self.itemsize:
            raise KernelError(
                "misaligned",
                f"{count} numbers from {self.name}[{_text(index)}] on are taken at once, at byte "
                f"{(start >> 3) % GLOBAL} of {self.space} memory.",
                f"An access of {width} bytes must begin at a multiple of {width}: else a GPU ends "
                f"the program. Let the index and the length of a row be multiples of {count}, or "
                "take the numbers one by one.",
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

    def _steps_to(self, addresses):
        """How far along each axis these lie from the lowest address, and by what they miss it."""
        rest, steps = addresses - self.ends[0], [0] * self.ndim
        for axis in sorted(range(self.ndim), key=lambda axis: -abs(self.strides[axis])):
            stride = abs(self.strides[axis])
            if stride:
                steps[axis] = np.clip(rest // stride, 0, self.shape[axis] - 1)
                rest = rest - steps[axis] * stride
        return steps, rest

    def has(self, addresses):
        """At which of these addresses an element begins: between them may lie another view's."""
        return self._steps_to(addresses)[1] == 0 if self.size else np.zeros(len(addresses), bool)

    def element_at(self, address):
        """The name of the element at an address."""
        steps, _ = self._steps_to(int(address))
        index = (
            int(size - 1 - step if stride < 0 else step)
            for step, size, stride in zip(steps, self.shape, self.strides)
        )
        return f"{self.name}[{_text(tuple(index))}]"


class _Codes(dict):
    """{index: 8 address} of the elements of an array; any other index is a fault."""

    def __init__(self, array):
        self.array = array

    def __missing__(self, index):
        array = self.array
        numbers = index if isinstance(index, tuple) else (index,)
        check_index(array, index, numbers)
        offset = sum(int(i) * stride for i, stride in zip(numbers, array.strides))
        self[index] = 8 * (array.address + offset)
        return self[index]


def check_index(array, index, numbers):
    """That an index, as a tuple of numbers, is one of an element of an array."""
    if len(numbers) != len(array.shape):
        raise IndexError(
            f"{array.name} has {len(array.shape)} axes, and a kernel of the simulator takes one "
            f"element at a time. Received: {array.name}[{_text(index)}]"
        )
    for i, size in zip(numbers, array.shape):
        if not isinstance(i, (int, np.integer)):
            raise TypeError(f"an index is an integer. Received: {array.name}[{_text(index)}]")
        if not 0 <= i < size:
            raise KernelError(
                "out of bounds",
                f"{array.name}[{_text(index)}] is meant, but {array.name}, in {array.space} "
                f"memory, has the shape {array.shape}.",
                "A GPU does not look: it reads what lies there, or writes over it, and the error "
                "shows elsewhere or never. Let a condition keep such threads out, as in "
                f"`if i < {array.name}.shape[0]:`.",
                array.name,
            )


def _text(index):
    return ", ".join(map(str, index)) if isinstance(index, tuple) else str(index)


_set = dict.__setitem__


class Private(dict):
    """An array that one thread has alone, {index: number}: what cuda.local.array gives."""

    space = "local"

    def __init__(self, shape, dtype, name):
        self.shape = shape if isinstance(shape, tuple) else (shape,)
        self.scalar, self.name = dtype.type, name

    def __missing__(self, index):
        numbers = index if isinstance(index, tuple) else (index,)
        check_index(self, index, numbers)
        raise KernelError(
            "uninitialised",
            f"{self.name}[{_text(index)}], in local memory, is read before it is written.",
            "A local array begins with whatever its registers held before. Set its elements "
            "first, as in a loop that writes float32(0) to each.",
            self.name,
        )

    def __setitem__(self, index, value):
        if index not in self:
            check_index(self, index, index if isinstance(index, tuple) else (index,))
        _set(self, index, value if type(value) is self.scalar else self.scalar(value))

    def __len__(self):
        return self.shape[0]
