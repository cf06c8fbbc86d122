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


def start(*words):
    """A program, `tests.killed_training FOLDER ...`, at the moment when its training begins."""
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, words)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if process.stdout.readline() != "training\n":
        pytest.fail(process.communicate()[1])
    return process


def finish(*words):
    """What the program prints when nothing stops it, and how many seconds the training takes."""
    process, begun = start(*words), time.monotonic()
    output, errors = process.communicate()
    assert errors == ""
    return output, time.monotonic() - begun


def kill_after(seconds, *words):
    """Kill the program; whether it was still training then."""
    process = start(*words)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    return process.returncode < 0


def trial(program, folder, option, moments, seconds):
    """Kill a program at moments of its training, and let it end: what it prints, whether it resumed

    moments  shares of the `seconds` that the training takes; the program is begun again after each
    """
    folder.mkdir()
    first, *others = moments
    while not kill_after(first * seconds, program, folder, option):
        first *= 0.8  # it had come to its end already: once more, from the start, and earlier
    resumed = any(folder.rglob("backup.safetensors"))
    for moment in others:
        kill_after(moment * seconds, program, folder, option)
    return finish(program, folder, option)[0], resumed


def trials(program, folder, options, seconds, count):
    """`count` trials at random moments, every third killed a second time: (printed, resumed) each

    options  the last words of the program, in turn. Two trials at a time
    """
    folder.mkdir()
    draw = random.Random(0)
    arguments = []
    for i in range(count):
        moments = [draw.random() for _ in range(1 + (i % 3 == 0))]
        arguments.append((program, folder / str(i), options[i % len(options)], moments, seconds))
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda words: trial(*words), arguments))


@pytest.mark.parametrize(
    "program, options, count, enough",
    [
        # The others are killed before their first backup.
        pytest.param("tests.killed_training", FREQUENCIES, 30, 15, id="fit"),
        pytest.param("tests.killed_pretraining", ["gpt"], 10, 5, id="gpt"),
        pytest.param("tests.killed_pretraining", ["bert"], 10, 5, id="bert"),
        pytest.param("tests.killed_finetuning", ["gradual"], 10, 5, id="finetune"),
    ],
)
def test_every_killed_run_ends_bit_identical(program, options, count, enough, tmp_path):
    """Each is killed at a random moment of its training, every third a second time as well."""
    (tmp_path / "undisturbed").mkdir()
    expected, seconds = finish(program, tmp_path / "undisturbed", options[0])
    printed, resumed = zip(*trials(program, tmp_path / "killed", options, seconds, count))
    assert sum(text == expected for text in printed) == count
    assert sum(resumed) >= enough
