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
    """What it prints, and how long it takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    begun = time.monotonic()
    printed = finish(folder, "epoch")
    return printed, time.monotonic() - begun


def test_30_killed_runs_of_30_end_bit_identical(undisturbed, tmp_path):
    """Each is killed at a random point of its training, every third at a second one as well."""
    expected, seconds = undisturbed
    draw = random.Random(0)
    trials = [
        (tmp_path / str(i), FREQUENCIES[i % len(FREQUENCIES)], draw.random(), draw.random())
        for i in range(30)
    ]

    def trial(folder, save_freq, first, second):
        folder.mkdir()
        moments = [first, second] if folder.name.endswith(("3", "6", "9")) else [first]
        killed = [kill_after(0.9 * seconds * moment, folder, save_freq) for moment in moments]
        resumed = (folder / "backup" / "backup.safetensors").exists()
        return finish(folder, save_freq) == expected, any(killed), resumed

    with ThreadPoolExecutor(2) as pool:
        identical, killed, resumed = zip(*pool.map(lambda t: trial(*t), trials))
    assert sum(identical) == 30
    assert sum(killed) >= 20  # the others came to their end before the signal
    assert sum(resumed) >= 15
