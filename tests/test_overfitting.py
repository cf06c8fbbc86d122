"""`minigrad run overfitting`: the gap is real, each remedy narrows it, and the report says so."""

import numpy as np
import pytest

from minigrad import data, plots
from minigrad.__main__ import main
from minigrad.programs import overfitting as program
from minigrad.programs.report import spread, table
from tests import figures


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One seed of the five that the command has by default."""
    return program.overfitting(tmp_path_factory.mktemp("overfitting"), seeds=1)


def test_without_a_remedy_the_gap_is_wide(results):
    assert np.mean(results["none"]["train"]) > 0.97
    assert program.gap(results["none"]) > 0.25


@pytest.mark.parametrize("remedy", [name for name in program.REMEDIES if name != "none"])
def test_each_remedy_halves_the_gap_and_helps_on_what_was_not_seen(results, remedy):
    assert program.gap(results[remedy]) < program.gap(results["none"]) / 2
    assert np.mean(results[remedy]["test"]) > np.mean(results["none"]["test"])
    assert np.mean(results[remedy]["truth"]) > np.mean(results["none"]["truth"])


def test_the_table_has_mean_and_deviation_over_the_seeds():
    parts = {"train": [0.9, 1.0], "test": [0.5, 0.7], "truth": [0.6, 0.6]}
    head, rule, line = table(*program.accuracies_of({"none": parts})).splitlines()
    assert head.split() == ["remedy", "train", "test", "gap", "right", "labels"]
    assert " ".join(line.split()) == "none 0.950 ± 0.071 0.600 ± 0.141 0.350 0.600 ± 0.000"
    assert len(head) == len(rule) == len(line)


def test_one_seed_has_no_deviation():
    assert spread([0.5]) == "0.500"


@pytest.mark.parametrize("share", [0, 0.2])
def test_a_share_of_the_labels_becomes_another_digit(share):
    labels = np.arange(5000) % 10
    wrong = program.mistaken(labels, share, np.random.default_rng(0)) != labels
    assert wrong.mean() == pytest.approx(share, abs=0.02)


def test_the_parts_share_no_digit_and_the_test_is_the_same_for_all_seeds():
    train, validation, test, truth = program.parts_of_the_data(3, 0.2)
    rows = [{row.tobytes() for row in part[0]} for part in (train, validation, test)]
    assert not rows[0] & rows[1] and not rows[0] & rows[2] and not rows[1] & rows[2]
    assert np.array_equal(truth[1], data.digits.load_data()[1][1])
    assert np.array_equal(test[0], truth[0]) and not np.array_equal(test[1], truth[1])


def test_the_command_writes_a_report_and_a_picture(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(program, "EPOCHS", 1)
    out = tmp_path / "new" / "folder"
    assert main(["run", "overfitting", "--out", str(out), "--seeds", "1"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in program.REMEDIES)
    assert (out / "report.txt").read_text(encoding="utf-8").strip() == text.strip()
    assert (out / "overfitting.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_is_legible(results):
    figures.check(plots.comparison(program.results_of(results, "train", "test")))


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["--seeds", "0"], "seeds=0"),
        (["--wrong-labels", "1"], "wrong_labels=1"),
        (["--wrong-labels", "-0.1"], "wrong_labels=-0.1"),
        (["--wrong-labels", "nan"], "wrong_labels=nan"),
        (["--out", __file__], "test_overfitting.py"),
    ],
)
def test_bad_options_are_one_line_and_status_2(arguments, culprit, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "overfitting", *arguments]) == 2
    complaint = capsys.readouterr().err
    assert culprit in complaint and complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
