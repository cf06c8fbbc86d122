"""`minigrad run retrieve_images`: the contrast by definition, held-out digits, what is found."""

import numpy as np
import pytest

from minigrad import Tensor, data, gradcheck, layers, models
from minigrad.__main__ import main
from minigrad.programs import retrieve_images as program
from minigrad.programs import retrieve_images_picture


def dense():
    """A network that learns in a second."""
    return models.Sequential(
        [
            layers.Dense(128, activation="relu", input_shape=(64,)),
            layers.Dense(program.EMBEDDING),
        ]
    )


@pytest.fixture(scope="module")
def trial():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "network", dense)
        return program.trial(0)


def test_the_contrast_is_the_mean_of_log_probabilities():
    generator = np.random.default_rng(0)
    y, x = np.array([0, 1, 0, 0, 2, 1]), generator.normal(size=(6, 3))
    lengths = np.sqrt((x**2).sum(axis=1))
    s = x @ x.T / np.outer(lengths, lengths) / program.TEMPERATURE
    for i, found in enumerate(program.contrast(y, Tensor(x)).numpy()):
        others = [j for j in range(6) if j != i]
        alike = [j for j in others if y[j] == y[i]]
        total = np.log(np.exp(s[i, others]).sum())
        expected = -np.mean([s[i, p] - total for p in alike]) if alike else 0
        assert found == pytest.approx(expected, abs=1e-9)


def test_the_gradient_of_the_contrast_is_right():
    y = np.array([0, 1, 0, 1])
    gradcheck(lambda x: program.contrast(y, x), (4, 3))


def test_no_network_learns_from_held_out_digits(monkeypatch):
    learned = []

    def learn(x, y):
        learned.append(set(y))
        return dense()

    monkeypatch.setattr(program, "EMBEDDINGS", {"any": learn})
    one = program.trial(5)
    unseen = set(one.labels[one.is_unseen])
    assert len(unseen) == program.UNSEEN and learned == [set(range(10)) - unseen]


def test_the_album_holds_photographs_of_other_images(trial):
    (x, _), (x_test, y_test) = data.digits.load_data()
    assert trial.album.shape == x_test.shape and np.array_equal(trial.labels, y_test)
    assert not np.isclose(trial.album, x_test).all(axis=1).any()


def test_photographs_are_new_in_every_epoch(monkeypatch):
    seen, photograph = [], program.PHOTOGRAPH
    monkeypatch.setattr(program, "EPOCHS", 2)
    monkeypatch.setattr(
        program, "PHOTOGRAPH", lambda x, g: seen.append(photograph(x, g)) or seen[-1]
    )
    program.fit(dense(), program.contrast, np.zeros((2, 64), np.float32) + 1, np.array([0, 0]))
    assert len(seen) == 2 and not np.allclose(*seen)


def test_embeddings_find_seen_digits_better_than_pixels_do(trial):
    first = {name: parts["seen, k=1"] for name, parts in program.recalls(trial).items()}
    assert first["classifier"] > first["pixels"]
    assert first["contrastive"] > first["pixels"] + 0.05


def test_recalls_are_those_of_seen_and_unseen_digits(trial):
    hit = trial.labels[trial.found["pixels"][:, 0]] == trial.labels
    recalls = program.recalls(trial)["pixels"]
    assert recalls["seen, k=1"] == pytest.approx(hit[~trial.is_unseen].mean())
    assert recalls["unseen, k=1"] == pytest.approx(hit[trial.is_unseen].mean())


def test_the_picture_shows_other_digits_of_both_kinds(trial):
    for unseen in (False, True):
        places = retrieve_images_picture.chosen(trial, unseen)
        assert (trial.is_unseen[places] == unseen).all()
        assert len(set(trial.labels[places])) == retrieve_images_picture.QUERIES


def test_the_network_gives_an_embedding_of_each_image():
    assert program.network()(np.zeros((2, 64), np.float32)).shape == (2, program.EMBEDDING)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(program, "EPOCHS", 1)
    monkeypatch.setattr(program, "network", dense)


def test_a_seed_gives_the_same_numbers_again(quick, tmp_path):
    first, second = (program.retrieve_images(tmp_path / name, seeds=1) for name in "ab")
    assert first == second


def test_the_command_writes_a_report_and_a_picture(quick, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert main(["run", "retrieve_images", "--out", str(out), "--seeds", "1"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("pixels", "classifier", "contrastive", "unseen"))
    assert (out / "report.txt").read_text(encoding="utf-8").strip() == text.strip()
    assert (out / "retrieve_images.png").read_bytes().startswith(b"\x89PNG")
    assert text.splitlines()[-1].startswith("recall at 1 of seen digits")


def test_no_seed_is_one_line_and_status_2(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "retrieve_images", "--seeds", "0"]) == 2
    complaint = capsys.readouterr().err
    assert "seeds=0" in complaint and complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
