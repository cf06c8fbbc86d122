"""Every notebook runs from top to bottom in a clean kernel, in a folder of its own, offline.

What asks the network for something fails: the proxies that the kernel is told of do not answer.
"""

import copy
import time

import nbclient
import nbformat
import pytest

from lessons import lesson as lessons
from tests.test_readme import ROOT

SECONDS = 60  # that the code of a lesson may take, its checks apart
NUMBERS = pytest.mark.parametrize("number", lessons.numbers())
HOLE = "nothing yet: the function still has to be written"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run("lesson_06.ipynb")   -> the notebook as it was run, the seconds of each of its cells"""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    def run(name):
        notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
        nbformat.validate(notebook)
        seconds, began = {}, {}
        resources = {"metadata": {"path": tmp_path}}
        client = nbclient.NotebookClient(
            copy.deepcopy(notebook),
            timeout=300,
            kernel_name="python3",
            resources=resources,
            on_cell_start=lambda cell, **_: began.update({cell.id: time.monotonic()}),
            on_cell_executed=lambda cell, **_: seconds.update(
                {cell.id: time.monotonic() - began[cell.id]}
            ),
        )
        return client.execute(), seconds

    return run


def printed(notebook):
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return "".join(o.text for o in outputs if o.output_type == "stream")


@NUMBERS
def test_a_notebook_with_holes_runs_and_says_that_they_are_holes(run, number):
    notebook, seconds = run(f"lesson_{number:02}.ipynb")
    exercises = lessons.load(number).exercises
    assert printed(notebook).count(HOLE) == len(exercises)
    code = {name: s for name, s in seconds.items() if not name.endswith("-check")}
    assert sum(code.values()) < SECONDS, sorted(code.items(), key=lambda item: item[1])[-3:]


@NUMBERS
def test_a_notebook_with_solutions_passes_all_checks(run, number):
    notebook, _ = run(f"solutions/lesson_{number:02}.ipynb")
    exercises = lessons.load(number).exercises
    assert printed(notebook).count(": passed (") == len(exercises)


@NUMBERS
def test_pictures_are_shown(run, number):
    notebook, _ = run(f"lesson_{number:02}.ipynb")
    told = [cell.id for cell in notebook.cells if "*The picture: " in cell.source]
    shown = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(shown) == len(told)
