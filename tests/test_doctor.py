"""The doctor reports on any machine, and says how to mend what is missing."""

import sys
import types

import numpy as np
import pytest

from minigrad.programs import doctor as module
from minigrad.programs.doctor import doctor, examine


def hide(monkeypatch, *packages):
    for package in packages:
        for name in [name for name in sys.modules if name.split(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)


@pytest.fixture
def healthy(monkeypatch):
    """A machine with nothing to mend, whatever this one lacks."""
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setattr(module, "EXAMINATIONS", dict(module.EXAMINATIONS, kernels=lambda: "ours"))


def test_the_report_covers_every_subject():
    findings, _ = examine()
    for subject in (
        *("minigrad", "kernels", "Python", "system", "CPU", "NumPy", "BLAS", "Numba"),
        *("Numba threads", "GPU", "matplotlib", "tqdm", "MINIGRAD_DATA"),
    ):
        assert findings[subject]


def test_versions_are_those_of_this_machine():
    findings, _ = examine()
    assert findings["NumPy"] == np.__version__
    assert findings["Python"].startswith(".".join(map(str, sys.version_info[:3])))


def test_the_report_is_aligned_plain_ascii(monkeypatch, healthy):
    monkeypatch.setenv("MINIGRAD_DATA", "/größe")
    findings, problems = examine()
    lines = doctor().splitlines()
    width = max(map(len, findings))
    assert "\n".join(lines).isascii()
    table = lines[: lines.index("")]
    assert len(table) == len(findings)
    for line, name in zip(table, findings, strict=True):
        assert line[: width + 2] == f"{name:{width}}  "
        assert line[width + 2] != " "


def test_a_healthy_machine_is_told_so(healthy):
    _, problems = examine()
    assert problems == {}
    assert doctor().endswith("\n\nNothing is missing.")


@pytest.mark.parametrize(
    ("package", "subject"),
    [
        ("numba", "Numba"),
        ("matplotlib", "matplotlib"),
        ("tqdm", "tqdm"),
    ],
)
def test_a_missing_package_is_reported_with_its_cure(monkeypatch, healthy, package, subject):
    hide(monkeypatch, package)
    findings, problems = examine()
    assert findings[subject] == f"missing: no module named {package}"
    assert problems == {subject: f"pip install {package}"}
    assert f"To mend:\n{subject:13}  pip install {package}" in doctor()


def test_without_numba_its_other_rows_say_so(monkeypatch, healthy):
    hide(monkeypatch, "numba")
    findings, _ = examine()
    assert findings["GPU"] == findings["Numba threads"] == "unknown without numba"


def test_a_broken_package_is_reported_with_its_cure(monkeypatch, healthy):
    broken = types.ModuleType("tqdm")  # has no __version__
    monkeypatch.setitem(sys.modules, "tqdm", broken)
    findings, problems = examine()
    assert findings["tqdm"].startswith("broken: AttributeError: ")
    assert problems == {"tqdm": "pip install --force-reinstall tqdm"}


@pytest.mark.parametrize("error", [OSError("driver\n  lost"), RuntimeError(), KeyError("x")])
def test_no_failure_stops_the_report(monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(module, "EXAMINATIONS", {name: fail for name in module.EXAMINATIONS})
    findings, problems = examine()
    assert all(found.startswith(f"unknown: {type(error).__name__}") for found in findings.values())
    assert len(doctor().splitlines()) == len(findings) + 2


def test_a_broken_gpu_driver_is_no_problem(monkeypatch, healthy):
    numba_cuda = pytest.importorskip("numba.cuda")

    def fail():
        raise OSError("libcuda is broken")

    monkeypatch.setattr(numba_cuda, "is_available", fail)
    findings, problems = examine()
    assert findings["GPU"] == "unknown: OSError: libcuda is broken"
    assert problems == {}


@pytest.mark.parametrize("name", ["H200", b"H200"])
def test_a_gpu_is_named(monkeypatch, name):
    numba_cuda = pytest.importorskip("numba.cuda")
    device = types.SimpleNamespace(name=name, compute_capability=(9, 0))
    monkeypatch.setattr(numba_cuda, "is_available", lambda: True)
    monkeypatch.setattr(numba_cuda, "list_devices", lambda: [device])
    assert examine()[0]["GPU"] == "H200, compute capability 9.0"


def test_blas_threads_are_told(monkeypatch):
    for name in module.THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    information = [{"user_api": "blas", "num_threads": 5}, {"user_api": "openmp", "num_threads": 7}]
    pools = types.SimpleNamespace(threadpool_info=lambda: information)
    monkeypatch.setitem(sys.modules, "threadpoolctl", pools)
    assert examine()[0]["BLAS"].endswith(", 5 threads, OMP_NUM_THREADS=3")


def pretend_kernels(monkeypatch, folder):
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('the doctor must not run it')")
    for name in [name for name in sys.modules if name.split(".")[0] == "kernels"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(folder.parent)


def test_kernels_of_minigrad_are_recognised(monkeypatch, tmp_path):
    pretend_kernels(monkeypatch, tmp_path / "kernels")
    (tmp_path / "kernels" / "reference.py").write_text("")
    findings, problems = examine()
    assert findings["kernels"] == f"minigrad's own, in {tmp_path / 'kernels'}"
    assert "kernels" not in problems


def test_kernels_of_somebody_else_are_reported_with_the_cure(monkeypatch, tmp_path):
    pretend_kernels(monkeypatch, tmp_path / "kernels")
    findings, problems = examine()
    assert findings["kernels"].startswith("not minigrad's: ")
    assert str(tmp_path) in findings["kernels"]
    assert "pip uninstall kernels" in problems["kernels"]


def test_missing_kernels_are_reported(monkeypatch):
    hide(monkeypatch, "kernels")
    findings, problems = examine()
    assert findings["kernels"] == "missing" and "install minigrad" in problems["kernels"]


def test_the_data_folder_is_told(monkeypatch, tmp_path, healthy):
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    findings, problems = examine()
    assert findings["MINIGRAD_DATA"] == str(tmp_path) and problems == {}


def test_a_data_folder_that_is_not_there_is_a_problem(monkeypatch, tmp_path, healthy):
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "nowhere"))
    findings, problems = examine()
    assert "nowhere" in findings["MINIGRAD_DATA"]
    assert list(problems) == ["MINIGRAD_DATA"]


def test_no_data_folder_is_no_problem(healthy):
    findings, problems = examine()
    assert findings["MINIGRAD_DATA"].startswith("not set") and problems == {}
