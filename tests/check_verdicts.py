"""tests/verdicts.py compares what the simulator says with what a GPU shows, and takes nothing for it.

Its processes and its page are tried with the driver that stands in for NVIDIA's, on mistakes of each
kind. With a GPU all of it runs there; without, it says so.
"""

import re
import subprocess
import sys
from collections import Counter

import pytest

from tests import on_card, seeded_bugs, verdicts
from tests.orders import needed_card

# What the stand-in shows of a mistake: it computes as the simulator does, forward.
SHOWN = {
    "no guard for columns": "an error: .*CUDA_ERROR_ILLEGAL_ADDRESS",
    "some threads leave early": "it does not end",
    "all rows are written to the first": "another result",
    "two threads write the norms of a query": "nothing",
}


@pytest.fixture
def stands_in(monkeypatch):
    """Programs that these tests start find the stand-in."""
    monkeypatch.setenv(on_card.STAND_IN, "1")


def test_each_mistake_shows_what_it_does_and_the_next_one_runs(stands_in):
    limits = {verdicts.STARTS: 120, verdicts.RUNS: 1}
    shown = verdicts.ask(list(SHOWN), processes=1, limits=limits)
    assert list(shown) == list(SHOWN)
    for name, words in SHOWN.items():
        assert re.fullmatch(words, shown[name]), (name, shown[name])
