"""`minigrad run cnn_digits`: convolution reads more digits than Dense layers, and shows how."""

import numpy as np
import pytest

from minigrad.__main__ import main
from minigrad.plots import mosaics
from minigrad.programs import cnn_digits as program


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One seed of the three that the command has by default."""
    return program.cnn_digits(tmp_path_factory.mktemp("cnn"), seeds=1)


def test_the_convolutional_network_reads_more_digits(results):
    dense, convolutional = (results[name]["accuracy"][0] for name in program.NETWORKS)
    assert convolutional > 0.98 and convolutional > dense


def test_it_bears_a_move_by_a_pixel_better(results):
    dense, convolutional = (results[name]["moved by a pixel"][0] for name in program.NETWORKS)
    assert convolutional > dense + 0.1


def test_both_networks_learn_as_many_numbers():
    sizes = [make().count_params() for make in program.NETWORKS.values()]
    assert max(sizes) < 1.05 * min(sizes)


@pytest.mark.parametrize("direction", program.DIRECTIONS)
def test_moved_images_have_paper_where_they_were(direction):
    images = np.random.default_rng(0).random((3, 8, 8), dtype=np.float32)
    down, right = program.DIRECTIONS[direction]
    expected = np.zeros_like(images)
    for row in range(8):
        for column in range(8):
            if 0 <= row - down < 8 and 0 <= column - right < 8:
                expected[:, row, column] = images[:, row - down, column - right]
    found = program.moved(images.reshape(3, 64), down, right)
    np.testing.assert_array_equal(found.reshape(3, 8, 8), expected)


def test_maps_are_those_of_each_layer_that_keeps_an_image():
    model, x = program.convolutional_network(), np.random.default_rng(0).random(64)
    found = program.maps(model, x.astype("float32"))
    shapes = [(8, 8, 1), (8, 8, 16), (8, 8, 32), (4, 4, 32), (4, 4, 64), (2, 2, 64)]
    assert [answers.shape for answers in found.values()] == shapes
    np.testing.assert_allclose(found["Reshape 8x8x1"].ravel(), x, rtol=1e-6)


def test_a_mosaic_shows_images_of_several_sizes_equally_large():
    small, large = np.array([[1.0, 2.0], [3.0, 4.0]]), np.full((8, 8), 5.0)
    whole = mosaics.mosaic([[small, small], [large]])
    side, step = mosaics.PIXELS, mosaics.PIXELS + mosaics.GAP
    assert whole.shape == (step + side, step + side)
    np.testing.assert_array_equal(whole[: side // 2, step : step + side // 2], 1)
    np.testing.assert_array_equal(whole[side // 2 : side, side // 2 : side], 4)
    np.testing.assert_array_equal(whole[step:, :side], 5)
    assert np.isnan(whole[side:step]).all() and np.isnan(whole[step:, side:]).all()


def test_the_command_writes_a_report_and_a_picture(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(program, "EPOCHS", 1)
    out = tmp_path / "new" / "folder"
    assert main(["run", "cnn_digits", "--out", str(out), "--seeds", "1"]) == 0
    printed = capsys.readouterr().out
    assert (out / "report.txt").read_text(encoding="utf-8").strip() == printed.strip()
    assert printed.splitlines()[-1].startswith("accuracy ")
    assert (out / "cnn_digits.png").read_bytes().startswith(b"\x89PNG")
