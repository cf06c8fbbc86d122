"""tests/verdicts.py compares what the simulator says with what a GPU shows, and errs to no side.

Its processes are tried with the driver that stands in for NVIDIA's, on mistakes of several kinds.
With a GPU all of it runs there; without one, that test is skipped, and says so.
"""

import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from kernels.cuda.card import Card
from tests import on_card, seeded_bugs, verdicts
from tests.orders import needed_card
from tests.stand_in_driver import stand_in
from tests.verdicts import AGREE, CARD, DISAGREE, NO_GPU, SIMULATOR

# What the stand-in shows of a mistake: it computes as the simulator does, forward.
SHOWN = {
    "no guard for columns": "an error: .*CUDA_ERROR_ILLEGAL_ADDRESS",
    "some threads leave early": "it does not end",
    "all rows are written to the first": "another result",
    "two threads write the norms of a query": "nothing",
}


def program(*arguments, timeout):
    command = [sys.executable, "-m", "tests.verdicts", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


@pytest.mark.gpu
def test_the_simulator_agrees_with_the_card(tmp_path):
    needed_card()
    result = program("--to", str(tmp_path), timeout=900)
    assert result.returncode == AGREE, result.stdout + result.stderr
    assert list(tmp_path.glob("*, verdicts.md"))


# ---- Without a GPU -------------------------------------------------------------------------------


def test_without_a_gpu_nothing_is_compared(monkeypatch, capsys):
    monkeypatch.setattr(on_card, "found", lambda: Card())
    monkeypatch.setattr("kernels.cuda.driver.lacking", lambda: "no GPU")
    assert verdicts.main([]) == NO_GPU
    out, err = capsys.readouterr()
    assert out == "" and err.startswith('no GPU here: not compared. there is no device "cuda" here')


@pytest.fixture
def stands_in(monkeypatch):
    """Programs that a test starts find the stand-in."""
    monkeypatch.setenv(on_card.STAND_IN, "1")


def test_each_mistake_shows_what_it_does_and_the_next_one_runs(stands_in):
    limits = {verdicts.STARTS: 120, verdicts.RUNS: 1}
    shown = verdicts.ask(list(SHOWN), processes=1, limits=limits)
    assert list(shown) == list(SHOWN)
    for name, words in SHOWN.items():
        assert re.fullmatch(words, shown[name]), (name, shown[name])


def test_a_program_that_fails_has_compared_nothing(monkeypatch):
    """Here for want of a GPU: its processes end before they have run anything."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    shown = verdicts.ask(["no guard for columns"], processes=1)
    assert shown == {"no guard for columns": "not compared: the process ended with 1"}


def test_the_program_runs_tests_and_mistakes_and_takes_no_stand_in_for_a_card(stands_in, tmp_path):
    name, words = "all rows are written to the first", "test_softmax and by_warp"
    result = program("--to", str(tmp_path), "--kernels", words, name, timeout=240)
    assert result.returncode == NO_GPU, result.stdout + result.stderr
    assert "a driver stood in for a GPU: not compared" in result.stderr
    lines = result.stdout.splitlines()
    assert f"| {name} | data race, p | another result | agree |" in lines
    assert "| softmax.by_warp | 3 passed | 3 passed | agree |" in lines
    assert not list(tmp_path.iterdir())


def test_a_mistake_that_nobody_has_made_is_named(capsys):
    with pytest.raises(SystemExit):
        verdicts.main(["no guard for rows"])
    assert "seeded_bugs.py has no 'no guard for rows'" in capsys.readouterr().err


# ---- What is agreement ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said, shown, agree",
    [
        ("data race, c", "another result", True),
        ("data race, c", "nothing", True),
        ("nothing", "nothing", True),
        ("nothing", "another result", False),
        ("a false alarm: data race", "nothing", False),
        ("data race, c", "not compared: it was not compiled in time", False),
    ],
)
def test_who_finds_nothing_where_the_other_does_disagrees(said, shown, agree):
    counts = Counter({(SIMULATOR, "passed"): 3, (CARD, "passed"): 3})
    status = verdicts.status_of({"k": counts}, {"m": (said, shown)})
    assert status == (AGREE if agree else DISAGREE)
    lines = list(verdicts.page("Some card", {"k": counts}, {"m": (said, shown)}))
    assert any("DISAGREE" in line for line in lines) == (not agree)


COUNTS = {
    "failed on the card": {(SIMULATOR, "passed"): 3, (CARD, "passed"): 2, (CARD, "failed"): 1},
    "a fault in the simulator": {(SIMULATOR, "failed"): 3, (CARD, "passed"): 3},
    "skipped on the card": {(SIMULATOR, "passed"): 3, (CARD, "skipped"): 3},
    "no test": {},
}


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
def test_a_kernel_must_pass_in_both_places(counts):
    assert verdicts.status_of({"k": Counter(counts)}, {}) == DISAGREE
    assert "DISAGREE" in list(verdicts.page("Some card", {"k": Counter(counts)}, {}))[-1]


def test_no_kernel_is_no_agreement():
    assert verdicts.status_of({}, {}) == DISAGREE


def test_the_simulator_is_asked_of_the_right_kernel_too(monkeypatch):
    name = "guard is off by one"
    assert verdicts.verdict(name) == "out of bounds, a"
    monkeypatch.setattr(seeded_bugs, "right", seeded_bugs.prepared)
    assert verdicts.verdict(name) == "a false alarm: out of bounds"


def test_results_differ_by_more_than_rounding():
    x = np.array([1, np.nan, 1000], np.float32)
    assert not verdicts.differ(x * np.float32(1 + 1e-6), x)
    assert verdicts.differ(x * np.float32(1.01), x)
    assert verdicts.differ(np.zeros(3, np.float32), x)


# ---- Sentinels -----------------------------------------------------------------------------------


@pytest.mark.parametrize("at, side", [(on_card.GUARD - 4, "before"), (-on_card.GUARD, "behind")])
def test_what_is_written_beside_an_array_is_found(at, side):
    with stand_in():
        card, x = Card(), np.ones(5, np.float32)
        room = on_card.Room(card, "x", x)
        card.write(room.memory, at % room.memory.nbytes, np.zeros(1, np.float32))
        with pytest.raises(on_card.OutsideError, match=f"has written {side} x"):
            room.fetch()
    assert x.tolist() == [1] * 5
