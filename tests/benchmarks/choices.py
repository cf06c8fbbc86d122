"""Measure from which size on Numba runs a kernel faster than NumPy, for `kernels.use("auto")`.

`python -m tests.benchmarks.choices` writes what it finds for this kind of processor to
`kernels/choices.json`, and leaves what stands there of other kinds. It takes some minutes, on a
machine that does nothing else. Numba compiles for AVX2 on an AVX-512 processor too:

    NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+sse4.2,+avx,+avx2,+fma,+bmi2

The sizes are those of the first array of a call, or the multiplications of a product. For each
kernel the cases of the tests are timed with growing sizes, Numba and NumPy in turn.
"""

import json
import sys
from statistics import median
from time import perf_counter

import numpy as np

import kernels
from kernels import dispatch, reference
from tests.benchmarks.harness import write_json
from tests.kernel_cases import CASES, Draw, number_of_sizes, with_dtype

ROUNDS = 5
TURN = 0.004  # seconds of one turn
WARM_UP = 0.01  # seconds of turns before it, until all threads are awake
LARGEST = 2**20  # of a first array
LONGEST = 0.2  # seconds of one call: larger ones are not tried
EDGE = 0.95  # at this ratio, NumPy's time / Numba's, the compiled kernel is as good
# For the smallest arrays it is used from this ratio on: to look at the size of every array, and to
# choose by it, would cost more than NumPy wins there.
NEAR = 0.8


def main():
    found = {name: {d: choice(name, d) for d in ("float32", "float64")} for name in sorted(CASES)}
    from kernels.cpu.simd import KIND

    choices = json.loads(dispatch.CHOICES.read_text(encoding="utf-8"))
    choices[KIND] = {
        name: {dtype: sizes for dtype, sizes in of_kernel.items() if sizes}
        for name, of_kernel in found.items()
    }
    write_json(dispatch.CHOICES, choices)


def choice(name, dtype):
    """[the size from which Numba is as good, the size from which no longer or None], or None."""
    measured = ratios(name, dtype)
    print(name, dtype, {s: round(r, 2) for s, r in measured.items()}, file=sys.stderr, flush=True)
    return sizes(measured)


def sizes(measured):
    """The same of {size: NumPy's time / Numba's}.

    >>> sizes({1: 0.3, 8: 0.9, 64: 1.2}), sizes({1: 0.85, 8: 1.2}), sizes({1: 2, 8: 1, 64: 0.7})
    ([64, None], [0, None], [0, 64])
    """
    good = [size for size, ratio in measured.items() if ratio >= EDGE]
    if not good:
        return None
    start = 0 if all(ratio >= NEAR for s, ratio in measured.items() if s < good[0]) else good[0]
    later = [size for size, ratio in measured.items() if size > good[-1] and ratio < EDGE]
    return [start, later[0] if later else None]


def ratios(name, dtype):
    """{size: NumPy's time / Numba's}"""
    measured = {}
    side = 1
    while True:
        arguments, options = with_dtype(
            CASES[name](Draw(0), *[side] * number_of_sizes(name)), dtype
        )
        if arguments[0].size > LARGEST:
            return measured
        size = dispatch.size_of(name)(*arguments)
        with np.errstate(all="ignore"):
            ours, numpy = in_turn(name, arguments, options)
        if size not in measured:
            measured[size] = numpy / ours
        if numpy > LONGEST:
            return measured
        side *= 2


def in_turn(name, arguments, options):
    """The median seconds of one call of Numba's and of NumPy's, timed A B A B.

    NumPy's BLAS has one thread, as it has under "auto", beside Numba's.
    """
    sides = getattr(kernels, name), getattr(reference, name)
    times = [], []
    with kernels.use("numba"):
        for _ in range(ROUNDS):
            for function, seconds in zip(sides, times):
                turn(lambda f=function: f(*arguments, **options), WARM_UP)
                seconds.append(turn(lambda f=function: f(*arguments, **options), TURN))
    return [median(seconds) for seconds in times]


def turn(call, duration):
    """Seconds of one call, of as many as fit a turn of so many seconds."""
    count, start = 0, perf_counter()
    while True:
        call()
        count += 1
        seconds = perf_counter() - start
        if seconds >= duration:
            return seconds / count


if __name__ == "__main__":
    main()
