"""Run every compiled kernel with 1, 2, 3 and 8 threads, and from four Python threads at once.

`python -m tests.kernel_threads` prints as JSON which layer of threads Numba used, how many kernels
ran, and which of them gave other bits than with one thread. `check_threads.py` runs it for each
layer, in a process of its own: a process can load one only.
"""

import hashlib
import json
import threading

import numba
import numpy as np

import kernels
from kernels.cpu import threads
from tests.kernel_cases import CASES, Draw, number_of_sizes, with_dtype

THREADS = (1, 2, 3, 8)
SIZES = [
    *((257,), (64,), (130, 33, 17, 70), (20, 300, 40, 9), (1, 1025, 64, 3), (3, 2, 513, 31)),
    (17, 40, 24, 5),  # of 17 rows in tiles of 4, one is left over
]


def digest(name, seed):
    """A hash of the float32 results of a kernel for some sizes, and of what it changed in place."""
    count = number_of_sizes(name)
    sizes = (SIZES[seed] * count)[:count]
    arguments, options = with_dtype(CASES[name](Draw(seed), *sizes), "float32")
    results = getattr(kernels, name)(*arguments, **options)
    results = results if isinstance(results, tuple) else (results,)
    bits = hashlib.sha256()
    for array in (*results, *arguments):
        if isinstance(array, np.ndarray):
            bits.update(np.ascontiguousarray(array).tobytes())
    return bits.hexdigest()


def all_digests():
    return {(name, seed): digest(name, seed) for name in CASES for seed in range(len(SIZES))}


def main():
    threads.WORTH_SHARING = 0  # so that even small arrays are shared
    kernels.use("numba")
    different = set()
    numba.set_num_threads(1)
    expected = all_digests()
    for count in THREADS[1:]:
        numba.set_num_threads(count)
        different |= {key[0] for key, bits in all_digests().items() if bits != expected[key]}

    found = []
    together = [threading.Thread(target=lambda: found.append(all_digests())) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    for digests in found:
        different |= {key[0] for key, bits in digests.items() if bits != expected[key]}
    answer = {
        "layer": numba.threading_layer(),
        "kernels": len(CASES),
        "python threads": len(found),
        "different": sorted(different),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
