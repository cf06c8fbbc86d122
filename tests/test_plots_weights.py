"""Pictures of weights and of remedies against over-fitting."""

import numpy as np
import pytest

from minigrad import Tensor, layers, models, plots, random
from tests.figures import check, texts


def model():
    random.seed(0)
    return models.Sequential(
        [layers.Dense(6, activation="relu", input_shape=(16,)), layers.Dense(2, use_bias=False)]
    )


# ---- weights -------------------------------------------------------------------------------------


def test_each_weight_of_a_model_has_a_histogram_of_all_its_values():
    net = model()
    figure = plots.weights(net)
    check(figure)
    assert [axes.get_title() for axes in figure.axes] == [
        "0.weight\n(16, 6)",
        "0.bias\n(6,)",
        "1.weight\n(6, 2)",
    ]
    for axes, weight in zip(figure.axes, net.weights().values()):
        assert sum(bar.get_height() for bar in axes.patches) == weight.size
        assert min(bar.get_x() for bar in axes.patches) <= weight.data.min()


def test_a_layer_is_drawn_like_a_model():
    layer = layers.Dense(3, input_shape=(4,))
    assert len(plots.weights(layer).axes) == 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.0, 1e30])
def test_hostile_values_are_drawn_and_those_that_are_not_finite_counted(value):
    net = model()
    for weight in net.weights().values():
        weight.assign(np.full(weight.shape, value))
    figure = plots.weights(net)
    check(figure)
    assert figure.axes[1].get_title().endswith("6 not finite") == (not np.isfinite(value))


def test_columns_of_a_matrix_are_images_on_one_scale_around_0():
    weight = np.arange(-10.0, 14).reshape(12, 2)
    figure = plots.weights(weight, image_shape=(3, 4))
    check(figure)
    *images, bar = figure.axes
    assert [axes.get_title() for axes in images] == ["unit 0", "unit 1"]
    for k, axes in enumerate(images):
        np.testing.assert_array_equal(axes.images[0].get_array(), weight[:, k].reshape(3, 4))
        assert axes.images[0].get_clim() == (-13, 13)
    assert bar.get_ylabel() == "weight"


def test_zero_is_white_and_signs_have_their_colours():
    figure = plots.weights([[-1.0, 0.0, 1.0]])
    rgb = [axes.images[0].to_rgba(axes.images[0].get_array())[0, 0] for axes in figure.axes[:3]]
    negative, zero, positive = np.array(rgb)
    np.testing.assert_allclose(zero[:3], 1, atol=0.01)
    assert negative[2] > negative[0] and positive[0] > positive[2]  # blue, and reddish


@pytest.mark.parametrize("u", [1, 9, 17])
def test_any_number_of_units_is_legible(u):
    figure = plots.weights(Tensor(np.random.default_rng(0).normal(size=(16, u))))
    check(figure)
    assert len(figure.axes) == u + 1


def test_a_matrix_of_negative_zeros_is_drawn():
    figure = plots.weights(np.full((4, 2), -0.0))
    check(figure)
    assert figure.axes[0].images[0].get_clim() == (-1, 1)


def test_values_that_are_not_finite_are_black_and_counted():
    figure = plots.weights([[np.nan, 1], [np.inf, 2], [3, 4], [5, -np.inf]])
    check(figure)
    assert figure.get_suptitle() == "weight (4, 2), 3 not finite (black)"
    image = figure.axes[0].images[0]
    assert image.get_clim() == (-5, 5)
    rgba = image.to_rgba(image.get_array())
    assert rgba[0, 0].tolist() == rgba[0, 1].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("weight", "options", "message"),
    [
        (np.zeros(4), {}, r"weights needs a model, or a weight matrix .* shape \(4,\)"),
        (np.zeros((4, 0)), {}, r"weights needs a model, .* shape \(4, 0\)"),
        ([["a"]], {}, "weights needs a model, .* dtype <U1"),
        (None, {}, "weights needs a model, .* dtype object"),
        (np.zeros((5, 2)), {}, "rows of 5 pixels are no square: give image_shape"),
        (np.zeros((6, 2)), {"image_shape": (2, 2)}, r"image_shape must have .*=\(2, 2\)"),
        (np.zeros((6, 2)), {"image_shape": (1, 2, 3)}, r"image_shape must be \(height, width\)"),
        (np.zeros((4, 101)), {}, r"weights draws 100 units at most.* shape \(4, 101\)"),
        (model(), {"image_shape": (4, 4)}, r"image_shape is for one weight matrix.*\(4, 4\)"),
        (
            layers.Dropout(0.5, input_shape=(3,)),
            {},
            "weights draws 1 to 100 .* Received: 0 weights",
        ),
    ],
)
def test_bad_weights_are_refused(weight, options, message):
    with pytest.raises(ValueError, match=message):
        plots.weights(weight, **options)


# ---- comparison ----------------------------------------------------------------------------------

REMEDIES = {
    "nothing": {"train": [1.0, 0.98], "test": [0.8, 0.82]},
    "dropout": {"train": [0.9, 0.92], "test": [0.9, 0.92]},
    "too much": {"train": [0.5, 0.5], "test": [0.51, 0.51]},
}


def test_each_seed_and_each_mean_has_its_mark():
    figure = plots.comparison(REMEDIES)
    check(figure)
    drawn = [(line.get_marker(), line.get_xdata()) for line in figure.axes[0].lines[:5]]
    bar, train, mean_train, test, mean_test = [np.ravel(x).tolist() for _, x in drawn]
    assert (train, test) == ([1.0, 0.98], [0.8, 0.82])
    assert bar == pytest.approx([0.99, 0.81])
    assert (mean_train, mean_test) == (pytest.approx([0.99]), pytest.approx([0.81]))
    assert [marker for marker, _ in drawn[1:]] == ["o", "o", "s", "s"]


def test_the_gap_stands_beside_each_row_and_the_first_is_on_top():
    figure = plots.comparison(REMEDIES, xlabel="accuracy (test of 359)")
    drawn = [t.get_text() for t in figure.axes[0].texts]
    assert drawn == ["+0.180", "+0.000", "−0.010", "gap"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == list(REMEDIES)
    assert figure.axes[0].get_ylim() == (2.5, -0.5)
    assert figure.axes[0].get_xlabel() == "accuracy (test of 359)"


def test_the_title_says_how_many_seeds():
    one = {"a": {"train": [1], "test": [0.5]}}
    several = {**one, "b": {"train": [1, 1, 1], "test": [0.5, 0.5]}}
    assert plots.comparison(one).axes[0].get_title() == "Mean (large) of 1 seed (small)"
    assert plots.comparison(several).axes[0].get_title() == "Mean (large) of 1 to 3 seeds (small)"


def test_the_legend_tells_the_marks_apart():
    assert {"train", "test"} <= set(texts(plots.comparison(REMEDIES)))


@pytest.mark.parametrize(("rows", "scale"), [(1, -0.0), (1, 1e6), (2, 1e-9), (20, 1)])
def test_any_number_of_rows_and_any_scale_is_legible(rows, scale):
    generator = np.random.default_rng(0)
    results = {
        f"a way of training with a very long name, number {k}": {
            "train": scale * generator.random(5),
            "test": scale * generator.random(3),
        }
        for k in range(rows)
    }
    check(plots.comparison(results, "loss"))


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({}, "results is a dict with a row for each name. Received: {}"),
        ([1, 2], r"results is a dict with a row for each name. Received: \[1, 2\]"),
        ({"a": [1, 2]}, r"a must be {\"train\".* Received: \[1, 2\]"),
        ({"a": {"train": [1]}}, r"a must be {\"train\".* Received: {'train': \[1\]}"),
        ({"a": {"train": [], "test": [1]}}, "train of a is empty"),
        ({"a": {"train": [1], "test": [np.nan]}}, "test of a has 1 values that are NaN"),
        ({"a": {"train": [1], "test": [[1]]}}, r"test of a must be one value per .*\(1, 1\)"),
        ({"a": {"train": 1, "test": [1]}}, "train of a must have one row per example"),
        ({"a": {"train": ["x"], "test": [1]}}, "train of a must hold numbers"),
        (
            {1: {"train": [1], "test": [1]}, "1": {"train": [1], "test": [1]}},
            "results must differ from each other. Received: '1' twice",
        ),
    ],
)
def test_a_bad_comparison_is_refused(results, message):
    with pytest.raises(ValueError, match=message):
        plots.comparison(results)
