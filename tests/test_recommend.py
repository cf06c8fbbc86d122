"""`minigrad run recommend`: ratings have the structure they claim, and tastes are found in them."""

import numpy as np
import pytest

from minigrad import random
from minigrad.__main__ import main
from minigrad.programs import recommend as program


@pytest.fixture(scope="module")
def trial():
    """One seed, and one size of the vectors instead of five."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "SIZES", (3,))
        return program.trial(0)


@pytest.fixture(scope="module")
def results(trial):
    return {
        name: {k: v[0] for k, v in x.items()} for name, x in program.results_of([trial]).items()
    }


# ---- The ratings ---------------------------------------------------------------------------------


def test_ratings_are_the_expected_ones_and_noise(trial):
    pairs, values = trial.ratings.parts["train"]
    noise = values - trial.ratings.expected[tuple(pairs.T)]
    assert noise.std() == pytest.approx(program.NOISE, abs=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.02)


def test_expected_ratings_are_biases_and_products_of_tastes(trial):
    """Without the means of rows and columns, two tastes are all that is left."""
    expected = trial.ratings.expected
    rest = expected - expected.mean(axis=0) - expected.mean(axis=1, keepdims=True)
    sizes = np.linalg.svd(rest + expected.mean(), compute_uv=False)
    assert sizes[program.TASTES - 1] > 50 and sizes[program.TASTES] < 1e-9


def test_no_rating_is_in_two_parts_and_new_users_are_in_one(trial):
    parts = {name: set(map(tuple, pairs)) for name, (pairs, _) in trial.ratings.parts.items()}
    assert sum(map(len, parts.values())) == len(set.union(*parts.values()))
    first_new = program.USERS - program.NEW_USERS
    for name, pairs in parts.items():
        assert {user >= first_new for user, _ in pairs} == {name == "new"}


# ---- The predictions -----------------------------------------------------------------------------


def test_means_are_those_of_items_and_then_of_users(monkeypatch):
    monkeypatch.setattr(program, "USERS", 3)
    monkeypatch.setattr(program, "ITEMS", 3)
    pairs = np.array([[0, 0], [0, 1], [1, 0]])  # user 2 has not rated, nor was item 2 rated
    found = program.means(pairs, np.array([5.0, 1.0, 3.0]))
    assert (found["overall mean"] == 3).all()
    assert found["item means"].tolist() == [[4, 1, 3]] * 3
    assert found["item and user means"].tolist() == [[4.5, 1.5, 3.5], [3, 0, 2], [4, 1, 3]]


def test_a_factorization_is_biases_and_a_product():
    random.seed(0)
    model = program.Factorization(3.0, 4)
    pairs = np.array([[1, 2], [499, 199]])
    found = model(pairs).numpy()
    a, b, p, q = (w.numpy().astype(float) for w in model.weights().values())
    users, items = pairs.T
    expected = 3 + a[users, 0] + b[items, 0] + (p[users] * q[items]).sum(axis=1)
    assert found == pytest.approx(expected)


def test_tastes_beat_means_and_the_factorization_beats_the_network(results):
    errors = {name: parts["test"] for name, parts in results.items()}
    assert errors["item and user means"] < errors["item means"] < errors["overall mean"]
    assert errors["factorization"] < errors["network"] < 0.7 * errors["item and user means"]
    assert errors["factorization"] < 1.25 * program.NOISE


def test_the_truth_errs_by_the_noise_alone(results):
    assert results["the truth"]["test"] == pytest.approx(program.NOISE, abs=0.03)


def test_nobody_knows_the_tastes_of_a_new_user(results):
    assert results["factorization"]["new"] == pytest.approx(results["item means"]["new"], rel=0.05)


def test_what_tastes_recommend_is_better_than_what_everybody_likes(results):
    worth = {name: parts["worth"] for name, parts in results.items()}
    assert worth["overall mean"] < worth["item means"] < worth["factorization"] - 0.5
    assert worth["factorization"] < worth["the truth"]


def test_nothing_is_recommended_that_the_user_has_rated(trial):
    """Predictions that are high for rated items alone are worth what others are worth."""
    rated = np.zeros_like(trial.ratings.expected)
    rated[tuple(trial.ratings.parts["train"][0].T)] = 100
    expected = trial.ratings.expected
    dear = trial.ratings._replace(expected=np.where(rated, 1000, expected))
    assert program.worth(rated, dear) < 10


def test_axes_of_tastes_are_turned_and_stretched_to_the_true_ones():
    true = np.random.default_rng(0).normal(size=(20, 2))
    found = true @ [[0.5, -2.0, 0.3], [1.0, 0.2, -1.0]]
    assert program.aligned(found, true) == pytest.approx(true)


def test_the_found_tastes_are_the_true_ones(trial):
    true = trial.ratings.item_tastes
    error = np.mean((program.aligned(trial.found, true) - true) ** 2)
    assert error < 0.1 * np.mean(true**2)


def test_users_are_grouped_by_their_ratings_in_training(trial):
    errors = program.by_group([trial], "factorization")
    assert list(errors) == list(program.GROUPS)
    new = program.rmse(trial.predictions["factorization"], trial.ratings.parts["new"])
    assert errors["none"] == pytest.approx(new, rel=0.01)  # others may have no rating by chance
    assert errors["40 up"] < errors["10-19"] < errors["none"]


# ---- The program ---------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(program, "EPOCHS", 1)
    monkeypatch.setattr(program, "SIZES", (2,))


def test_a_seed_gives_the_same_numbers_again(quick, tmp_path):
    first, second = (program.recommend(tmp_path / name, seeds=1) for name in "ab")
    assert first == second


def test_the_command_writes_a_report_and_a_picture(quick, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert main(["run", "recommend", "--out", str(out), "--seeds", "1"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("item means", "network", "factorization", "the truth"))
    assert (out / "report.txt").read_text(encoding="utf-8").strip() == text.strip()
    assert (out / "recommend.png").read_bytes().startswith(b"\x89PNG")
    assert "noise 0.5" in text.splitlines()[-1]


def test_no_seed_is_one_line_and_status_2(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "recommend", "--seeds", "0"]) == 2
    complaint = capsys.readouterr().err
    assert "seeds=0" in complaint and complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
