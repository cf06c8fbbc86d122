"""Memory of arrays that are gone is used again, unless the user of the C library says otherwise."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
import kernels

def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def steps(count):
    for _ in range(count):
        arrays = [np.ones(4 << 20, "int8") for _ in range(4)]

steps(3)
before = pages()
steps(10)
print(pages() - before)
"""
ON_GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="for glibc alone")


def new_pages(**environment):
    """How many pages the system has filled for 10 steps with 4 arrays of 4 MB, 1024 pages each."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@ON_GLIBC
def test_arrays_of_a_later_step_use_the_memory_of_an_earlier_one():
    assert new_pages() < 500


@ON_GLIBC
def test_what_the_user_has_told_the_c_library_stays():
    assert new_pages(MALLOC_MMAP_THRESHOLD_="65536", NUMPY_MADVISE_HUGEPAGE="0") > 10_000


def test_another_c_library_is_left_alone(monkeypatch):
    from kernels import memory

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert memory.keep() is False
