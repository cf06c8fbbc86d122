"""A notebook in a real JupyterLab, opened in a Chromium that nobody sees.

Debian: apt-get install chromium chromium-driver
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from lessons import lesson as lessons
from lessons.building import notebooks
from tests import sample_lesson
from tests.test_readme import ROOT

FLAGS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--window-size=1200,1600",
]
ALL_CELLS = "@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
SAMPLE = """
from pathlib import Path
import pytest
from tests import sample_lesson
sample_lesson.only_lesson(pytest.MonkeyPatch(), Path("."))
"""
IDLE = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
RUN_ALL = "return jupyterapp.commands.execute('notebook:run-all-cells')"
WRONG = """
def softmax(x, axis=-1):
    e = np.exp(x)
    p = np.round(e / e.sum(), 1)
    return p, lambda g: g
"""
TRAINING = """
from minigrad import data, layers, models

(x_train, y_train), _ = data.digits.load_data()
model = models.Sequential([layers.Dense(10, activation="softmax", input_shape=(64,))])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
history = model.fit(x_train, y_train, epochs=2, verbose=1)
print("that is all")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A student's folder: the sample lesson, a wrong answer in it, and a training at its end."""
    folder = tmp_path_factory.mktemp("student")
    path = folder / "lesson_91.md"
    path.write_text(sample_lesson.TEXT, encoding="utf-8")
    notebook = json.loads(notebooks.text(lessons.read(path)))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    cells["exercise-91-2"]["source"] = WRONG
    cells["lesson-91-start"]["source"].insert(0, SAMPLE)
    training = dict(cells["lesson-91-start"], id="training", source=TRAINING)
    notebook["cells"].append(training)
    (folder / "lesson.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def address(folder, tmp_path_factory):
    """The address of a JupyterLab that runs in the folder, with settings of its own."""
    own = tmp_path_factory.mktemp("jupyter")
    settings = own / "settings" / ALL_CELLS
    settings.parent.mkdir(parents=True)
    settings.write_text('{"windowingMode": "none"}')  # cells out of sight are on the page as well
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")
    environment = os.environ | {name: str(own / name) for name in names}
    environment |= {"JUPYTERLAB_SETTINGS_DIR": str(own / "settings"), "PYTHONPATH": str(ROOT)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--IdentityProvider.token=secret", "--expose-app-in-browser"]
    with open(own / "log", "w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token=secret")
        yield f"http://127.0.0.1:{port}/lab/tree/lesson.ipynb?token=secret"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait_for(address, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            return urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _has_idle_kernel(address):
    """Whether the page has begun a kernel, and is connected with it: before, it runs nothing."""
    sessions = address.replace("/lab/tree/lesson.ipynb", "/api/sessions")
    with urllib.request.urlopen(sessions, timeout=5) as answer:
        kernels = [session["kernel"] for session in json.load(answer)]
    return any(k["connections"] and k["execution_state"] == "idle" for k in kernels)


@pytest.fixture(scope="module")
def browser(address, tmp_path_factory):
    """A browser with the notebook, all of whose cells were run."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium and driver, "apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    profile = f"--user-data-dir={tmp_path_factory.mktemp('profile')}"
    for flag in (*FLAGS, profile):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        browser.get(address)
        wait = WebDriverWait(browser, 90)
        wait.until(lambda b: len(b.find_elements(By.CLASS_NAME, "jp-Cell")) > 10)
        wait.until(lambda b: _has_idle_kernel(address))
        wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, IDLE))
        browser.set_script_timeout(90)
        wait.until(lambda b: b.execute_script(RUN_ALL))  # false, as long as there is no kernel
        wait.until(lambda b: "that is all" in " ".join(outputs(b)))
        yield browser
    finally:
        browser.quit()


def outputs(browser, selector=".jp-OutputArea-output"):
    """The texts of all outputs on the page, in their order."""
    script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)"
    return browser.execute_script(script, selector)


def pictures(browser):
    """[its words, its width] of each picture in an output."""
    script = """return [...document.querySelectorAll(".jp-OutputArea-output img")]
        .map(e => [e.alt, e.naturalWidth])"""
    return browser.execute_script(script)


def test_formulas_are_drawn(browser):
    assert browser.execute_script("return document.querySelectorAll('mjx-container').length") >= 2


def test_pictures_are_drawn(browser):
    assert all(width > 100 for _, width in pictures(browser))
    assert len(pictures(browser)) == 2  # the lesson's, and that of the arrays that differ


def test_a_check_shows_its_message(browser):
    (told,) = [text for text in outputs(browser) if "91.2 Softmax" in text]
    assert "91.2 Softmax: not yet." in told and "expected" in told and "got" in told


def test_arrays_that_differ_are_shown_with_words_for_those_who_cannot_see_them(browser):
    assert any("elements that differ framed" in alt for alt, _ in pictures(browser))


def test_later_cells_have_the_courses_own_function(browser):
    assert any("Until yours passes" in text for text in outputs(browser))


def test_the_progress_bar_is_one_line_for_each_epoch(browser):
    (text,) = [text for text in outputs(browser) if "that is all" in text]
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 3, text
    assert all("100%" in line and "loss" in line for line in lines[:2])


def test_no_cell_has_an_error(browser):
    script = """return document.querySelectorAll('[data-mime-type*="error"]').length"""
    assert browser.execute_script(script) == 0
