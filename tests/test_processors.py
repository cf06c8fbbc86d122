"""Kernels compiled for processors with other vectors than this one's.

The code for AVX2, and that for a processor without any vectors, run on every x86; each in a process
of its own, since Numba compiles for one kind of processor in a process.
"""

import os
import platform
import subprocess
import sys

import pytest

PROCESSORS = {
    "avx2": ("haswell", "+sse4.2,+avx,+avx2,+fma,+bmi2"),
    "scalar": ("generic", ""),
}
# All of the vectors, and every kernel in float32 on all sizes; float64 is the same code.
TESTS = ["tests/test_simd.py", "tests/test_kernels_agree.py"]
CHOSEN = "test_simd or (float32 and test_results_are_those)"


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="this is no x86")
@pytest.mark.parametrize("kind", PROCESSORS)
def test_kernels_are_right_on(kind):
    name, features = PROCESSORS[kind]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, "-k", CHOSEN],
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
    assert done.returncode == 0, done.stdout[-3000:]
