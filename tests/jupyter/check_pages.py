"""The pages for students and teachers, followed to the letter, with JupyterLab and nbgrader."""

import json
import socket
import threading
import time
import urllib.request

import pytest

from tests.course_pages import PAGES, Reader

SECONDS = 60  # for JupyterLab to begin
SETTINGS = {"allow_root": True, "open_browser": False}


@pytest.fixture
def jupyter(tmp_path_factory):
    """Where a JupyterLab that is begun as usual will be, and the folder of its settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("jupyter")
    settings = {"ServerApp": SETTINGS | {"port": port}, "IdentityProvider": {"token": "secret"}}
    (folder / "jupyter_server_config.json").write_text(json.dumps(settings))
    return f"http://127.0.0.1:{port}", folder


def look_and_end(address, found):
    """Note the cells of the notebook that a JupyterLab shows, once it is there, and end it."""
    query, end = "?token=secret", time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            notebook = f"{address}/api/contents/lesson_01.ipynb{query}"
            with urllib.request.urlopen(notebook, timeout=5) as answer:
                found += json.load(answer)["content"]["cells"]
        except OSError:
            time.sleep(0.2)
            continue
        return urllib.request.urlopen(f"{address}/api/shutdown{query}", data=b"").close()


def test_a_student_comes_to_the_lesson_in_jupyterlab(tmp_path, jupyter):
    (address, settings), found = jupyter, []
    looking = threading.Thread(target=look_and_end, args=(address, found))
    reader = Reader(tmp_path)
    reader.environment |= {"JUPYTER_CONFIG_DIR": str(settings)}
    text = PAGES["students"].read_text(encoding="utf-8")
    before, after = text[: text.index("## Day by day")], text[text.index("## Day by day") :]
    looking.start()
    reader.follow(before)
    looking.join()
    assert any("exercise-1-1" in cell["id"] for cell in found)
    reader.follow(after)


def test_a_teacher_hands_out_and_grades(tmp_path):
    Reader(tmp_path).follow(PAGES["teachers"].read_text(encoding="utf-8"))
    grades = (tmp_path / "course" / "grades.csv").read_text()
    assert "lesson_01" in grades and "ada" in grades
