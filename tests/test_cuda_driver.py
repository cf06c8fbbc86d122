"""Who asks for a GPU where there is none is told what is missing. Drivers here are fakes."""

import pytest
from numba import cuda

from kernels.cuda import card, driver
from kernels.cuda.errors import NoDeviceError

DISABLED = "CUDA is disabled due to setting NUMBA_DISABLE_CUDA=1"


class Fake:
    """What ctypes finds as the driver's library.

    error    of cuInit
    count    how many GPUs there are
    version  of CUDA that it knows: 13000 for 13.0
    """

    def __init__(self, error=0, count=1, version=13000):
        self.error, self.count, self.version = error, count, version

    def cuInit(self, flags):  # noqa: N802
        return self.error

    def cuDeviceGetCount(self, count):  # noqa: N802
        count._obj.value = self.count
        return 0

    def cuDriverGetVersion(self, version):  # noqa: N802
        version._obj.value = self.version
        return 0


@pytest.fixture
def machine(monkeypatch):
    """A machine where nothing is missing, but what a test takes from it."""

    def make(library=None, package="NVIDIA", runtime=(13, 0), available=True, reason=None):
        def load(name):
            if library is None:
                raise OSError(f"{name}: cannot open shared object file")
            return library

        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr(driver.ctypes, "CDLL", load)
        monkeypatch.setattr(cuda, "implementation", package)
        monkeypatch.setattr(cuda.runtime, "get_version", lambda: runtime)
        monkeypatch.setattr(cuda, "is_available", lambda: available)
        monkeypatch.setattr(cuda, "cuda_error", lambda: reason)

    return make


MISSING = {
    "no driver": ({}, "no driver of NVIDIA is installed: .* was not found"),
    "no GPU": ({"library": Fake(error=100)}, "finds no GPU. `nvidia-smi` lists"),
    "no GPU of none": ({"library": Fake(count=0)}, "finds no GPU. `nvidia-smi` lists"),
    "a broken driver": ({"library": Fake(error=803)}, "does not start: its error is 803"),
    "no package": (
        {"library": Fake(), "package": "Built-in"},
        r"numba-cuda is not installed: pip install 'minigrad\[cuda\]'",
    ),
    "an old driver": (
        {"library": Fake(version=12040)},
        "too old: it knows CUDA up to 12.4, .* is CUDA 13. Install a newer driver; or packages for "
        r"this one: pip install 'minigrad\[cuda12\]'",
    ),
    "a very old driver": ({"library": Fake(version=11080)}, "up to 11.8, .*a newer driver$"),
    "no compiler": (
        {"library": Fake(), "available": False},
        "does not run: NVIDIA's compiler libnvvm was not found. Try pip install",
    ),
    "switched off": (
        {"library": Fake(), "available": False, "reason": f"\n{DISABLED}\n"},
        f"numba-cuda does not run: {DISABLED}. Try",
    ),
}


@pytest.mark.parametrize("what, words", MISSING.values(), ids=MISSING)
def test_what_is_missing_is_said(what, words, machine):
    machine(**what)
    with pytest.raises(NoDeviceError, match=f'^there is no device "cuda" here: .*{words}'):
        card.Card()


@pytest.mark.parametrize("version", [13000, 13020, 14010])
def test_a_driver_may_be_newer(version, machine):
    machine(Fake(version=version))
    assert driver.lacking() is None


def test_an_older_package_does_with_an_older_driver(machine):
    machine(Fake(version=12040), runtime=(12, 9))
    assert driver.lacking() is None


def test_what_may_hide_a_gpu_is_named(machine, monkeypatch):
    machine(Fake(error=100))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "finds no GPU: CUDA_VISIBLE_DEVICES='' may hide it. `nvidia-smi`" in driver.lacking()
