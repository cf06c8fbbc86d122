"""What is wrong with a kernel, in words: what happened, where, and why that matters."""

import difflib
import linecache
from dis import opmap, opname
from typing import NamedTuple

import numpy as np
from numba import cuda


class KernelError(Exception):
    """A mistake of a kernel that the simulator has found.

    kind      "data race", "out of bounds", "uninitialised", "divergent barrier", "misaligned",
              "missing wait", "undefined lane", "wrong memory", "overflow",
              "too much shared memory", "impossible launch", "does not compile" or "unknown to the
              simulator"
    array     the name of the array that it is about, or None
    accesses  what led to it, in the order in which it ran: threads, blocks and sites
    """

    def __init__(self, kind, happened, why, array=None, accesses=()):
        super().__init__(kind, happened, why, array)
        self.kind, self.happened, self.why, self.array = kind, happened, why, array
        self.accesses = list(accesses)

    @property
    def lines(self):
        """The lines of the source, in the order in which they ran."""
        return [access.site.line for access in self.accesses if access.site]

    @property
    def threads(self):
        """The indices of the threads that ran them, (x, y, z) each."""
        return [access.thread for access in self.accesses]

    def __str__(self):
        return "\n".join([f"{self.kind}. {self.happened}", *map(str, self.accesses), self.why])


_VERBS = {  # {a part of the name of an instruction of Python's: what a thread does by it}
    "STORE": "writes",
    "BINARY_SUBSCR": "reads",
    "CALL": "calls",
    "LOAD_ATTR": "asks for",
    "LOAD_METHOD": "asks for",
}


class Site(NamedTuple):
    """A place in the source of a kernel: an instruction of a code object."""

    code: object
    offset: int  # in bytes

    @property
    def position(self):
        """(line, last line, column, last column), each None where Python does not know it"""
        return list(self.code.co_positions())[self.offset // 2]

    @property
    def line(self):
        """The number of the line, None where Python does not know it"""
        return self.position[0]

    @property
    def text(self):
        """The line of the source, or "" where that cannot be read."""
        return linecache.getline(self.code.co_filename, self.line or 0).rstrip()

    @property
    def expression(self):
        """The source of what is meant, of one line or several, or "" where it cannot be read."""
        line, last, start, stop = self.position
        if start is None:
            return ""
        lines = [linecache.getline(self.code.co_filename, n) for n in range(line, last + 1)]
        lines[-1] = lines[-1].encode()[:stop].decode()
        return "".join(lines).encode()[start:].decode()

    @property
    def deed(self):
        """What a thread does here, in words, as in "reads x[i]"."""
        codes, at = self.code.co_code, self.offset
        while codes[at] == opmap["CACHE"]:  # the room behind an instruction belongs to it
            at -= 2
        if "ITER" in opname[codes[at]]:
            return "begins a loop"
        verb = next(
            (verb for part, verb in _VERBS.items() if part in opname[codes[at]]), "computes"
        )
        expression = " ".join(self.expression.split())
        return f"{verb} {expression}" if expression else "does what goes wrong"

    @property
    def heading(self):
        """The line of the source, with its number and its function."""
        return f"{self._before}{self.text.lstrip()}"

    @property
    def _before(self):
        return f"line {self.line}, in {self.code.co_name}: "

    def __str__(self):
        """The line of the source, and below it marks under what is meant."""
        line, last, start, stop = self.position
        before, text = self._before, self.text
        if not text or last != line or start is None:
            return self.heading
        # Python counts columns in bytes, and a name may be a Greek letter.
        start, stop = (len(text.encode()[:column].decode()) for column in (start, stop))
        indent = len(text) - len(text.lstrip())
        return (
            f"{before}{text.lstrip()}\n{' ' * (len(before) + start - indent)}{'^' * (stop - start)}"
        )


class Access(NamedTuple):
    """What a thread did, and where. No thread did what is found before a kernel runs.

    callers   the places from which the function at the site was called, the innermost first, where
              these matter
    """

    verb: str
    thread: tuple | None
    block: tuple | None
    site: Site | None
    callers: tuple = ()

    def __str__(self):
        where = self._in_words(self.site, "      ")
        for caller in self.callers:
            where += "\n" + self._in_words(caller, "      called in ")
        if self.thread is None:
            return where
        return f"  thread {self.thread} of block {self.block} {self.verb}\n{where}"

    @staticmethod
    def _in_words(site, before):
        """A place behind some words; the marks below it stay where they belong."""
        text = str(site or "in code that is no part of the kernel")
        return before + text.replace("\n", "\n" + " " * len(before))


def part_of_array():
    """The fault that an index has a slice in it."""
    return KernelError(
        "unknown to the simulator",
        "A part of an array is meant, not an element of it:",
        "Numba would take a slice, but in the simulator a kernel reads and writes one element at a "
        "time, so that each access is seen. Give all indices as numbers, in a loop over many: "
        "a[i, :] are the elements a[i, j] `for j in range(a.shape[1])`.",
    )


def whole_array():
    """The fault that a loop runs over an array, or a function of Python or NumPy takes one."""
    return KernelError(
        "unknown to the simulator",
        "All elements of an array are asked for at once:",
        "In the simulator a kernel reads one element at a time, so that each access is seen. Run "
        "over the indices, as in `for i in range(x.shape[0]):`, and read x[i]. The functions of "
        "NumPy are for the host; a thread has the operators and `math`.",
    )


def floating_index():
    """The fault that an index is a floating number."""
    return KernelError(
        "does not compile",
        "An index is a floating number:",
        "Numba takes integers. n / 2 is a floating number also where it is whole: write n // 2, "
        "or int(x) where a number is to be cut off.",
    )


def unknown_of_array(array, name):
    """The fault that a kernel asks an array of this name for what it does not say of itself."""
    is_known = hasattr(np.ndarray, name)
    return KernelError(
        "unknown to the simulator" if is_known else "does not compile",
        f"{array}.{name} is "
        + ("not simulated." if is_known else "asked for, and an array has no such thing."),
        "In the simulator a kernel reads and writes one element of an array at a time, in a loop "
        "over indices, and asks for shape, size, ndim, dtype, strides, itemsize and nbytes. Give "
        "it another view of an array as an argument.",
        array,
    )


def divided_by_zero(error):
    """The fault that a plain number of Python's is divided by 0, by an error of Python's."""
    return KernelError(
        "division by zero",
        f"A number is divided by 0, in Python's words: {error}.",
        "A GPU does not stop there: x / 0 is infinite or NaN, and x // 0 and x % 0 of integers "
        "are 0. That is hardly meant: ask before, as in `if i > 0:`.",
    )


def shifted(count):
    """The fault that bits are shifted to where there are none."""
    return KernelError(
        "overflow",
        f"Bits are shifted by {count}, and an integer has 64:",
        "What comes of that is not known. Shift by 0 to 63; to the other side, by the other "
        "operator.",
    )


def sum_of_conditions(error):
    """The fault that conditions are computed with as with numbers, by an error of NumPy's."""
    return KernelError(
        "unknown to the simulator",
        f"A condition is computed with as with a number, in NumPy's words: {error}.",
        "Numba makes 0 or 1 of it first. Say so: int(x > 1) - int(x > 2).",
    )


def of_numbers(error):
    """The fault that an error of Python's or NumPy's is which numbers bring about, or None."""
    if isinstance(error, ZeroDivisionError):
        return divided_by_zero(error)
    if isinstance(error, ValueError) and "negative shift count" in str(error):
        return shifted("less than 0")
    if isinstance(error, TypeError) and "numpy boolean" in str(error).lower():
        return sum_of_conditions(error)
    return None


def lost_bits(error):
    """The fault that an integer does not fit where it is to be kept, by an error of NumPy's."""
    return KernelError(
        "overflow",
        f"An integer is kept where it does not fit: {error}.",
        "A GPU keeps the last bits of it, which are another number, often a negative one. Take an "
        "array of int64, or keep the number in bounds by min and max.",
    )


def unknown(thing, name):
    """The fault that a kernel asks `cuda`, or a part of it, for a name that is not there.

    thing   what stands for that part in the simulator
    """
    part = cuda if thing.called == "cuda" else getattr(cuda, thing.called.partition(".")[2])
    simulated = [word for word in dir(thing) if not word.startswith("_") and hasattr(part, word)]
    if hasattr(part, name):
        return KernelError(
            "unknown to the simulator",
            f"{thing.called}.{name} is not simulated, though numba.cuda has it.",
            f"The simulator has: {', '.join(simulated)}",
        )
    close = difflib.get_close_matches(name, simulated)
    return KernelError(
        "does not compile",
        f"numba.cuda has no {thing.called}.{name}.",
        f"Is {thing.called}.{close[0]} meant?" if close else f"It has: {', '.join(simulated)}",
    )
