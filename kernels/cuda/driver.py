"""Whether kernels can run on a GPU of NVIDIA here, and what is missing if they cannot.

That takes a GPU, NVIDIA's driver for it, which a machine has but once, and the package numba-cuda
with NVIDIA's compilers, which is installed beside minigrad. The driver is asked directly: it is
there before any package is.
"""

import ctypes
import os
import sys

from numba import cuda

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
NO_DEVICE = 100  # what the driver answers where there is no GPU
PACKAGE = "pip install 'minigrad[cuda]'"


def lacking():
    """What is missing, and what to do about it, in words; None if nothing is."""
    try:
        driver = ctypes.CDLL(LIBRARY)
    except OSError:
        return (
            f"no driver of NVIDIA is installed: {LIBRARY} was not found. If there is a GPU of "
            "NVIDIA, install its driver: then `nvidia-smi` lists it"
        )
    return _without_gpu(driver) or _without_package() or _too_old(driver) or _without_compiler()


def _without_gpu(driver):
    count = ctypes.c_int()
    error = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if error == NO_DEVICE or not (error or count.value):
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        because = "" if hidden is None else f": CUDA_VISIBLE_DEVICES={hidden!r} may hide it"
        return f"the driver of NVIDIA finds no GPU{because}. `nvidia-smi` lists which there are"
    if error:
        return (
            f"the driver of NVIDIA does not start: its error is {error}. After an update of the "
            "driver, start the machine anew; `nvidia-smi` says more"
        )
    return None


def _without_package():
    if cuda.implementation != "NVIDIA":  # but what comes with Numba, which lacks some of it
        return f"the package numba-cuda is not installed: {PACKAGE}"
    return None


def _too_old(driver):
    version = ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))  # 12040 stands for 12.4
    needed, _ = cuda.runtime.get_version()
    if version.value // 1000 < needed:
        known = f"{version.value // 1000}.{version.value % 1000 // 10}"
        return (
            f"the driver of NVIDIA is too old: it knows CUDA up to {known}, and what is installed "
            f"for Python is CUDA {needed}. Install a newer driver{_older_packages(version.value)}"
        )
    return None


def _older_packages(version):
    """What to do where nobody may change the driver, in words; "" if there is nothing."""
    is_12 = version // 1000 == 12
    return f"; or packages for this one: {PACKAGE.replace('cuda]', 'cuda12]')}" if is_12 else ""


def _without_compiler():
    if not cuda.is_available():
        reason = cuda.cuda_error() or "NVIDIA's compiler libnvvm was not found"
        return f"numba-cuda does not run: {' '.join(str(reason).split())}. Try {PACKAGE}"
    return None
