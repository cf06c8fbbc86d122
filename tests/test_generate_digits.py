"""`minigrad run generate_digits`: what was drawn are digits, new ones, and the report says so."""

from unittest import mock

import numpy as np
import pytest

from minigrad import data, gradcheck, random
from minigrad.__main__ import main
from minigrad.programs import generate_digits as program


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One seed of the three that the command has by default, and half of the training."""
    with mock.patch.object(program, "EPOCHS", 30):
        return program.generate_digits(tmp_path_factory.mktemp("generate"), seeds=1)


def test_drawn_digits_are_those_that_were_asked_for(results):
    assert results["autoencoder"]["accuracy"][0] > 0.98


def test_drawn_digits_are_nearer_to_written_ones_than_those_of_a_normal_distribution(results):
    nearest = {kind: measures["nearest"][0] for kind, measures in results.items()}
    assert 0.5 < nearest["autoencoder"] < 0.8 * nearest["normal distribution"]


def test_drawn_digits_differ_from_each_other(results):
    apart = {kind: measures["apart"][0] for kind, measures in results.items()}
    assert apart["autoencoder"] > 0.55 * apart["written by people, held out"]


def test_the_cost_is_what_its_formula_says():
    random.seed(0)
    numbers = np.random.default_rng(0)
    x, decoded = numbers.random((2, 3, 64), dtype=np.float32)
    mean, log_variance = numbers.standard_normal((2, 3, program.CODE), dtype=np.float32)
    model = program.Autoencoder()
    model(x, np.eye(10, dtype=np.float32)[:3])
    model.log_error.assign(-0.5)
    error, deviation = np.exp(-0.5), np.exp(log_variance / 2)
    density = np.exp(-((x - decoded) ** 2) / (2 * error**2)) / (error * np.sqrt(2 * np.pi))
    constant = 32 * np.log(2 * np.pi)
    # KL of two normal distributions, as an integral over each number of z
    z = np.linspace(-30, 30, 200_001)[:, None, None]
    log_q = -(((z - mean) / deviation) ** 2) / 2 - np.log(deviation)
    integrand = np.exp(log_q) / np.sqrt(2 * np.pi) * (log_q + z**2 / 2)
    divergence = np.sum(integrand, axis=0) * (60 / 200_000)
    expected = -np.log(density).sum(axis=1) - constant + divergence.sum(axis=1)
    np.testing.assert_allclose(
        model.cost(x, decoded, mean, log_variance).numpy(), expected, rtol=1e-4
    )


def test_the_cost_has_the_gradient_that_training_uses():
    model = program.Autoencoder()
    model(np.zeros((1, 64), "float32"), np.eye(10, dtype=np.float32)[:1])
    gradcheck(lambda decoded, m, s: model.cost(0.5, decoded, m, s), (2, 64), (2, 8), (2, 8))


def test_distances_are_those_of_their_definition():
    a, b = np.random.default_rng(0).random((2, 5, 64), dtype=np.float32)
    expected = np.sqrt(((a[:, None] - b.astype(np.float64)) ** 2).sum(axis=-1))
    np.testing.assert_allclose(program.distances(a, b), expected, rtol=1e-10)
    np.testing.assert_allclose(program.distances(a, a).diagonal(), 0, atol=1e-6)


def test_images_of_the_normal_distribution_have_the_means_of_their_class():
    (x, y), _ = data.digits.load_data()
    random.seed(0)
    images = program.normal_images(x, y, np.full(2000, 3))
    assert images.min() >= 0 and images.max() <= 1
    np.testing.assert_allclose(images.mean(axis=0), x[y == 3].mean(axis=0), atol=0.06)


def test_a_way_between_two_images_begins_and_ends_with_them():
    random.seed(0)
    (x, y), _ = data.digits.load_data()
    model = program.Autoencoder()
    pair, labels = x[y == 4][:2], np.array([4, 4])
    model(pair, np.eye(10, dtype=np.float32)[labels])
    way = program.interpolate(model, pair, labels, 4)
    back = program.interpolate(model, pair[::-1], labels, 4)
    assert way.shape == (program.STEPS, 64)
    np.testing.assert_allclose(way, back[::-1], atol=1e-6)


def test_the_command_writes_a_report_and_a_picture(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(program, "EPOCHS", 1)
    out = tmp_path / "new" / "folder"
    assert main(["run", "generate_digits", "--out", str(out), "--seeds", "1"]) == 0
    printed = capsys.readouterr().out
    assert (out / "report.txt").read_text(encoding="utf-8").strip() == printed.strip()
    assert printed.splitlines()[-1].startswith("accuracy ")
    assert (out / "generate_digits.png").read_bytes().startswith(b"\x89PNG")
