"""A training that is killed and begun again ends as one that was left alone, bit by bit."""

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
FREQUENCIES = ("epoch", "1", "5", "7", "40")


def start(folder, save_freq):
    """The program, at the moment when its training begins."""
    command = [sys.executable, "-m", "tests.killed_training", str(folder), save_freq]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if process.stdout.readline() != "training\n":
        pytest.fail(process.communicate()[1])
    return process


def finish(folder, save_freq):
    """What the program prints when nothing stops it."""
    output, errors = start(folder, save_freq).communicate()
    assert errors == ""
    return output


def kill_after(seconds, folder, save_freq):
    """Kill the program; whether it was still training then."""
    process = start(folder, save_freq)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    return process.returncode < 0


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What it prints, and how many seconds the training takes."""
    process = start(tmp_path_factory.mktemp("undisturbed"), "epoch")
    begun = time.monotonic()
    printed, errors = process.communicate()
    assert errors == ""
    return printed, time.monotonic() - begun


def test_30_killed_runs_of_30_end_bit_identical(undisturbed, tmp_path):
    """Each is killed at a random moment of its training, every third a second time as well."""
    expected, seconds = undisturbed
    draw = random.Random(0)
    trials = [
        (tmp_path / str(i), FREQUENCIES[i % len(FREQUENCIES)], draw.random(), draw.random())
        for i in range(30)
    ]

    def trial(folder, save_freq, first, second):
        folder.mkdir()
        while not kill_after(first * seconds, folder, save_freq):
            first *= 0.8  # it had come to its end already: once more, from the start, and earlier
        resumed = (folder / "backup" / "backup.safetensors").exists()
        if folder.name.endswith(("3", "6", "9")):
            kill_after(second * seconds, folder, save_freq)
        return finish(folder, save_freq) == expected, resumed

    with ThreadPoolExecutor(2) as pool:
        identical, resumed = zip(*pool.map(lambda arguments: trial(*arguments), trials))
    assert sum(identical) == 30
    assert sum(resumed) >= 15  # the others were killed before their first backup
