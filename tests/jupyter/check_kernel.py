"""Every notebook runs from top to bottom in a clean kernel, in a folder of its own, offline.

What asks the network for something fails: the proxies that the kernel is told of do not answer.
"""

import time

import nbclient
import nbformat
import pytest

from lessons import lesson as lessons
from tests.test_readme import ROOT

SECONDS = 60  # that the code of a lesson may take, its checks apart
NUMBERS = pytest.mark.parametrize("number", lessons.numbers())
HOLE = "nothing yet: the function still has to be written"
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """run("lesson_06.ipynb")   -> the notebook as it was run, {cell: its seconds}; once each"""
    runs = {}

    def run(name):
        if name not in runs:
            runs[name] = _run(ROOT / "notebooks" / name, tmp_path_factory.mktemp("student"))
        return runs[name]

    with pytest.MonkeyPatch.context() as patch:
        for name in PROXIES:
            patch.setenv(name, "http://127.0.0.1:9")
        yield run


def _run(path, folder):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    began, seconds = {}, {}

    def begin(cell, **others):
        began[cell.id] = time.monotonic()

    def end(cell, **others):
        seconds[cell.id] = time.monotonic() - began[cell.id]

    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
        on_cell_start=begin,
        on_cell_executed=end,
    )
    return client.execute(), seconds


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def printed(notebook):
    return "".join(o.text for o in outputs(notebook) if o.output_type == "stream")


@NUMBERS
def test_a_notebook_with_holes_runs_and_says_that_they_are_holes(run, number):
    notebook, _ = run(f"lesson_{number:02}.ipynb")
    assert printed(notebook).count(HOLE) == len(lessons.load(number).exercises)


@NUMBERS
def test_a_notebook_with_solutions_passes_all_checks(run, number):
    notebook, _ = run(f"solutions/lesson_{number:02}.ipynb")
    assert printed(notebook).count(": passed (") == len(lessons.load(number).exercises)


@NUMBERS
def test_the_code_of_a_lesson_takes_less_than_a_minute(run, number):
    _, seconds = run(f"lesson_{number:02}.ipynb")
    code = {name: s for name, s in seconds.items() if not name.endswith("-check")}
    longest = sorted(code.items(), key=lambda item: -item[1])[:3]
    assert sum(code.values()) < SECONDS, longest


@NUMBERS
def test_each_picture_that_is_told_of_is_shown(run, number):
    notebook, _ = run(f"lesson_{number:02}.ipynb")
    told = [cell.id for cell in notebook.cells if "*The picture: " in cell.source]
    shown = [output for output in outputs(notebook) if "image/png" in output.get("data", {})]
    assert len(shown) == len(told)
