"""Kernels compiled for processors with other vectors than this one's.

The code for AVX2, and that for a processor without any vectors, run on every x86; each in a process
of its own, since Numba compiles for one kind of processor in a process.
"""

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

PROCESSORS = {
    "avx2": ("haswell", "+sse4.2,+avx,+avx2,+fma,+bmi2"),
    "scalar": ("generic", ""),
}
# All of the vectors; every kernel in float32, on all sizes and special values; of those in float64,
# which are the same code, the ones that approximate functions, and products.
FILES = "simd", "kernels_agree", "matmul_kernels", "attention_kernels"
TESTS = [f"tests/test_{name}.py" for name in FILES]
CHOSEN = """
    test_simd
    or float32 and (test_results_are_those or vanish or nan or test_no_operand or test_vectors)
    or float64-gelu and test_results_are_those or float64-erf and test_results_are_those
    or float64-lstm and test_results_are_those or float64-matmul and test_results_are_those
    or test_zero_times_nan
"""


def run(kind):
    """The chosen tests in a process of its own, compiled for a kind of processor."""
    name, features = PROCESSORS[kind]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    return subprocess.run(
        [*command, "-k", " ".join(CHOSEN.split())],
        env={
            **os.environ,
            "NUMBA_CPU_NAME": name,
            "NUMBA_CPU_FEATURES": features,
            "MINIGRAD_TEST_KIND": kind,
        },
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.fixture(scope="module")
def runs():
    """{kind: what will come of its run}: all kinds side by side."""
    with ThreadPoolExecutor(len(PROCESSORS)) as pool:
        yield {kind: pool.submit(run, kind) for kind in PROCESSORS}


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="this is no x86")
@pytest.mark.parametrize("kind", PROCESSORS)
def test_kernels_are_right_on(kind, runs):
    done = runs[kind].result()
    assert done.returncode == 0, done.stdout[-3000:]
