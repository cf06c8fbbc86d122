"""Files that are broken or mean harm: each is a clear error, soon, and nothing else comes of it."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs pipes, links and fork")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What became of each case, all of them read in one process of their own."""
    place = tmp_path_factory.mktemp("cases")
    command = [sys.executable, "-m", "tests.hostile_files", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr  # no crash
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_there_are_1_400_cases_and_each_has_a_name(results):
    assert len({result["name"] for result in results}) == len(results) >= 1400


def test_each_is_a_value_error(results):
    errors = {result["name"]: result["error"] and result["error"][0] for result in results}
    assert {name: error for name, error in errors.items() if error != "ValueError"} == {}


def test_each_error_names_the_place_and_is_short(results):
    for result in results:
        message = result["error"][1]
        assert "model" in message and len(message) < 1500, result["name"]


def test_each_ends_within_a_second(results):
    assert [result for result in results if result["seconds"] >= 1] == []


def test_none_needs_100_mb(results):
    assert [result for result in results if result["growth"] >= 100] == []


def test_no_file_outside_the_folder_is_opened(results):
    assert [result for result in results if result["outside"]] == []
