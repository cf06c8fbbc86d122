"""Pictures of predictions: confusion matrix, images, mistakes, decision boundary, calibration."""

import matplotlib.colors
import numpy as np
import pytest

from minigrad import Tensor, layers, metrics, models, plots, random
from tests.figures import check, texts

LONG = [f"a class with a very long name, number {k}" for k in range(20)]
WRONG_MARK, RIGHT_MARK = "✗", "✓"


def refused(message, function, *arguments, **options):
    with pytest.raises(ValueError, match=message):
        function(*arguments, **options)


# ---- confusion_matrix ----------------------------------------------------------------------------

COUNTS = np.array([[5, 0, 1], [1200, 3, 0], [0, 0, 0]])


def cells(figure):
    """{(row, column): text} of the cells."""
    return {t.get_position()[::-1]: t.get_text() for t in figure.axes[0].texts}


def test_cells_have_the_counts_and_shades_the_shares_of_their_row():
    figure = plots.confusion_matrix(COUNTS)
    check(figure)
    assert cells(figure) == {(i, j): f"{n:,}" for (i, j), n in np.ndenumerate(COUNTS)}
    shares = [[5 / 6, 0, 1 / 6], [1200 / 1203, 3 / 1203, 0], [0, 0, 0]]
    (image,) = figure.axes[0].images
    np.testing.assert_allclose(image.get_array(), shares)
    assert image.get_clim() == (0, 1)


def test_rows_are_true_and_columns_predicted():
    panel = plots.confusion_matrix(COUNTS, ["a", "b", "c"]).axes[0]
    assert (panel.get_ylabel(), panel.get_xlabel()) == ("true class", "predicted class")
    assert [t.get_text() for t in panel.get_yticklabels()] == ["a", "b", "c"]
    assert panel.get_ylim() == (2.5, -0.5)  # the first row is on top
    assert panel.get_title() == "Confusion matrix: 8 of 1,209 right"


def test_counts_on_dark_cells_are_white():
    panel = plots.confusion_matrix([[100, 0], [30, 70]]).axes[0]
    colours = [text.get_color() for text in panel.texts]
    assert (colours[0], colours[2]) == ("white", "black")


@pytest.mark.parametrize(
    ("matrix", "named"),
    [
        (COUNTS, True),
        (np.full((20, 20), 1234567), True),
        ([[7]], False),
        ([[0]], True),
    ],
)
def test_every_size_of_matrix_is_legible(matrix, named):
    c = len(matrix)
    figure = plots.confusion_matrix(matrix, LONG[:c] if named else None)
    check(figure)
    assert len(cells(figure)) == c * c


def test_shares_are_drawn_with_their_decimals():
    figure = plots.confusion_matrix([[0.25, 0.25], [-0.0, 0.5]])
    check(figure)
    assert list(cells(figure).values()) == ["0.25", "0.25", "0.00", "0.50"]


def test_a_tensor_is_a_matrix_too():
    assert cells(plots.confusion_matrix(Tensor([[1, 2], [3, 4]])))[1, 0] == "3"


@pytest.mark.parametrize(
    ("matrix", "classes", "message"),
    [
        ([[1, 2]], None, r"matrix must be square, \(c, c\). Received: shape \(1, 2\)"),
        ([1, 2], None, r"matrix must be square, \(c, c\). Received: shape \(2,\)"),
        ([[1, -2], [3, 4]], None, "matrix must hold counts, from 0 up. Received: -2"),
        ([[1, np.nan], [3, 4]], None, r"matrix has 1 values that are NaN .* \(0, 1\): nan"),
        ([], None, "matrix is empty"),
        (np.eye(61), None, "confusion_matrix draws 60 classes at most. Received: 61"),
        ([["a"]], None, "matrix must hold numbers"),
        (COUNTS, ["a", "b"], "classes must have a name for each of the 3 classes. Received: 2"),
        (COUNTS, ["a", "b", "c", "d"], "classes must have a name for each of the 3 .* Received: 4"),
        (COUNTS, ["a", "b", "a"], "classes must differ from each other. Received: 'a' twice"),
        (COUNTS, "abc", "classes must be a list of names. Received: classes='abc'"),
        (COUNTS, 3, "classes must be a list of names. Received: classes=3"),
    ],
)
def test_a_bad_confusion_matrix_is_refused(matrix, classes, message):
    refused(message, plots.confusion_matrix, matrix, classes)


# ---- images, mistakes ----------------------------------------------------------------------------

X = np.random.default_rng(0).random((6, 4, 4))
Y = np.array([0, 1, 2, 0, 1, 2])
P = np.array(
    [
        [0.9, 0.1, 0.0],
        [0.6, 0.4, 0.0],
        [0.1, 0.1, 0.8],
        [0.05, 0.95, 0.0],
        [0.2, 0.7, 0.1],
        [0.3, 0.4, 0.3],
    ]
)


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_images_are_drawn_on_one_scale():
    x = np.arange(32.0).reshape(2, 4, 4)
    figure = plots.images(x)
    for axes, image in zip(figure.axes, x):
        assert np.array_equal(axes.images[0].get_array(), image)
        assert axes.images[0].get_clim() == (0, 31)
    assert titles(figure) == ["x[0]", "x[1]"]


@pytest.mark.parametrize(
    ("x", "image_shape", "shape"),
    [
        (X.reshape(6, 16), None, (4, 4)),
        (X.reshape(6, 16), (2, 8), (2, 8)),
        (X[..., None], None, (4, 4)),
        (np.zeros((2, 12)), (2, 2, 3), (2, 2, 3)),
        (np.zeros((2, 5, 4, 3), np.uint8), None, (5, 4, 3)),
        (Tensor(np.zeros((2, 9))), None, (3, 3)),
        (np.zeros((2, 3, 2), bool), None, (3, 2)),
    ],
)
def test_rows_and_images_of_any_kind_are_drawn(x, image_shape, shape):
    figure = plots.images(x, image_shape=image_shape)
    check(figure)
    assert figure.axes[0].images[0].get_array().shape == shape


def test_a_label_stands_above_its_image():
    assert titles(plots.images(X, Y, classes=["a", "b", "c"])) == list("abcabc")
    assert titles(plots.images(X, Y[:, None]))[2] == "2"


def test_a_mistake_differs_in_mark_words_and_frame():
    figure = plots.images(X, Y, P, classes=["a", "b", "c"])
    check(figure)
    right, wrong = figure.axes[:2]
    assert right.get_title() == f"{RIGHT_MARK} a (90 %)"
    assert wrong.get_title() == f"{WRONG_MARK} said a (60 %)\nis b"
    assert wrong.spines["left"].get_linewidth() > 2 * right.spines["left"].get_linewidth()
    assert wrong.spines["left"].get_edgecolor() == matplotlib.colors.to_rgba("#D55E00")


def test_predictions_may_be_classes_or_the_probability_of_class_1():
    assert titles(plots.images(X[:2], [0, 1], [0, 0]))[1] == f"{WRONG_MARK} said 0\nis 1"
    assert titles(plots.images(X[:2], [0, 1], [[0.2], [0.1]])) == [
        f"{RIGHT_MARK} 0 (80 %)",
        f"{WRONG_MARK} said 0 (90 %)\nis 1",
    ]


def test_predictions_without_labels_are_only_said():
    assert titles(plots.images(X[:1], predictions=P[:1])) == ["said 0 (90 %)"]


def test_columns_says_how_many_images_stand_in_a_row():
    figure = plots.images(X, columns=2)
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (3, 2)


def test_mistakes_are_those_that_were_wrong_the_most_confident_first():
    figure = plots.mistakes(X, Y, P)
    check(figure)
    assert titles(figure) == [
        f"{WRONG_MARK} said 1 (95 %)\nis 0",
        f"{WRONG_MARK} said 0 (60 %)\nis 1",
        f"{WRONG_MARK} said 1 (40 %)\nis 2",
    ]
    for axes, i in zip(figure.axes, [3, 1, 5]):
        assert np.array_equal(axes.images[0].get_array(), X[i])
    assert figure.get_suptitle() == "3 of 6 wrong"


def test_mistakes_without_probabilities_come_in_order():
    figure = plots.mistakes(X, Y, P.argmax(axis=1), count=2)
    check(figure)
    assert titles(figure) == [f"{WRONG_MARK} said 0\nis 1", f"{WRONG_MARK} said 1\nis 0"]
    assert figure.get_suptitle() == "3 of 6 wrong, the 2 first of them"


def test_where_all_is_right_the_picture_says_so():
    figure = plots.mistakes(X, Y, Y)
    check(figure)
    assert texts(figure) == ["0 of 6 wrong"]


@pytest.mark.parametrize("n", [1, 2, 9])
def test_any_number_of_images_with_long_names_is_legible(n):
    x, y = np.zeros((n, 4, 4)), np.arange(n) % 20
    check(plots.images(x, y, np.eye(20)[(y + y // 2) % 20], LONG))
    check(plots.mistakes(x, y, (y + 1) % 20, LONG))


def test_negative_zero_is_white_paper():
    check(plots.images(np.full((1, 2, 2), -0.0)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": np.zeros((2, 10))}, r"rows of 10 pixels are no square: give image_shape"),
        ({"x": np.zeros((2, 10)), "image_shape": (3, 4)}, r"image_shape must .*\(3, 4\), x of"),
        (
            {"x": np.zeros((2, 10)), "image_shape": 10},
            "image_shape must be .height, width.. Received: image_shape=10",
        ),
        (
            {"x": np.zeros((2, 4)), "image_shape": (-2, -2)},
            "image_shape must be an integer from 1 up. Received: image_shape=-2",
        ),
        ({"x": np.zeros(4)}, r"x must be images .* Received: shape \(4,\)"),
        ({"x": np.zeros((2, 3, 3, 2))}, r"x must be images .* Received: shape \(2, 3, 3, 2\)"),
        ({"x": np.full((2, 4), np.nan)}, "x has 8 values that are NaN"),
        ({"x": np.zeros((0, 4))}, "x is empty"),
        ({"x": np.full((1, 2, 2, 3), 1.5)}, "x must have colours from 0 to 1.* Received: 1.5"),
        ({"x": np.full((1, 2, 2, 3), 256)}, "x must have colours .* 255. Received: 256 to 256"),
        ({"x": np.zeros((101, 4))}, "images draws 100 images at most. Received: 101"),
        ({"labels": [0, 1]}, r"labels must be one label for each of the 6 x. Received: .*\(2,\)"),
        ({"labels": [0.5] * 6}, r"labels must be classes, integers .* Received: 0.5"),
        ({"labels": [-1] * 6}, r"labels must be classes, integers .* Received: -1"),
        ({"labels": [10**9] * 6}, "labels must be classes, .* 99,999. Received: 1000000000"),
        ({"labels": [1e300] * 6}, "labels must be classes, .* 99,999. Received: 1e.300"),
        ({"labels": ["a"] * 6}, "labels must hold numbers"),
        ({"labels": Y, "predictions": P[:5]}, r"predictions must be \(6,\) or \(6, classes\)"),
        ({"labels": Y, "predictions": 3 * P}, "predictions of all classes must be probabilities"),
        ({"labels": Y, "predictions": P[..., None]}, r"predictions must be \(6,\).*\(6, 3, 1\)"),
        ({"labels": Y, "predictions": [0.2] * 6}, "predictions must be classes.* Received: 0.2"),
        ({"labels": Y, "classes": ["a", "b"]}, "classes must have a name for each of the 3"),
        ({"columns": 0}, "columns must be an integer from 1 up. Received: columns=0"),
        ({"columns": 2.5}, "columns must be an integer from 1 up. Received: columns=2.5"),
    ],
)
def test_bad_images_are_refused(options, message):
    refused(message, plots.images, **{"x": X, **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": None}, "mistakes needs labels and predictions. Received: labels=None"),
        ({"predictions": None}, "mistakes needs labels .* Received: predictions=None"),
        ({"count": 0}, "count must be an integer from 1 up. Received: count=0"),
        ({"count": 101}, "mistakes draws 100 images at most. Received: count=101"),
    ],
)
def test_bad_mistakes_are_refused(options, message):
    refused(message, plots.mistakes, **{"x": X, "labels": Y, "predictions": P, **options})


# ---- decision_boundary ---------------------------------------------------------------------------

POINTS = np.array([[-1, 0], [-2, 1], [1, 0], [2, 1], [1.5, 2], [-1.5, 2]], float)
SIDES = np.array([0, 0, 1, 1, 1, 0])


def left_to_right(x):
    return x[:, 0]


def boundaries(figure):
    """All points of the lines between the regions.   (k, 2)"""
    lines = [c for c in figure.axes[0].collections if hasattr(c, "levels")]
    return np.concatenate([path.vertices for line in lines for path in line.get_paths()])


@pytest.mark.parametrize(
    "function",
    [
        left_to_right,
        lambda x: x[:, :1],
        lambda x: 1 / (1 + np.exp(-x[:, :1])),
        lambda x: (x[:, 0] > 0).astype(int),
        lambda x: x[:, 0] > 0,
        lambda x: np.where(x[:, 0] > 0, 1, -1),
        lambda x: np.stack([-x[:, 0], x[:, 0]], axis=1),
        lambda x: Tensor(x[:, 0]),
    ],
    ids=["score", "column", "probability", "class", "boolean", "sign", "scores", "tensor"],
)
def test_the_boundary_lies_where_the_prediction_changes(function):
    figure = plots.decision_boundary(function, POINTS, SIDES)
    np.testing.assert_allclose(boundaries(figure)[:, 0], 0, atol=0.01)
    assert figure.axes[0].get_title() == "Decision boundary: 6 of 6 points right"


def test_regions_have_the_pale_colour_of_their_class():
    figure = plots.decision_boundary(left_to_right, POINTS, SIDES)
    picture = figure.axes[0].images[0].get_array()
    pale = [0.75 + 0.25 * np.array(matplotlib.colors.to_rgb(c)) for c in ("#0072B2", "#D55E00")]
    np.testing.assert_allclose(picture[150, 0], pale[0])
    np.testing.assert_allclose(picture[150, -1], pale[1])


def test_up_is_up():
    """The second feature grows upwards in the regions as it does among the points."""
    figure = plots.decision_boundary(lambda x: x[:, 1] - 1.5, POINTS, [0, 0, 0, 0, 1, 1])
    check(figure)
    panel = figure.axes[0]
    assert panel.images[0].origin == "lower" and panel.get_ylim()[0] < panel.get_ylim()[1]
    np.testing.assert_allclose(boundaries(figure)[:, 1], 1.5, atol=0.01)


def test_points_of_a_class_have_a_marker_of_their_own():
    figure = plots.decision_boundary(left_to_right, POINTS, SIDES, ["left", "right"])
    left, right = figure.axes[0].lines
    np.testing.assert_array_equal(left.get_xydata(), POINTS[SIDES == 0])
    np.testing.assert_array_equal(right.get_xydata(), POINTS[SIDES == 1])
    assert (left.get_label(), right.get_label()) == ("left", "right")
    assert left.get_marker() != right.get_marker() and left.get_color() != right.get_color()


def test_mistakes_count_in_the_title():
    figure = plots.decision_boundary(left_to_right, POINTS, 1 - SIDES)
    assert figure.axes[0].get_title() == "Decision boundary: 0 of 6 points right"


def test_labels_may_be_minus_one_and_one():
    figure = plots.decision_boundary(left_to_right, POINTS, 2 * SIDES - 1)
    check(figure)
    assert [line.get_label() for line in figure.axes[0].lines] == ["-1", "1"]
    assert "6 of 6" in figure.axes[0].get_title()


def test_a_model_is_asked_by_predict():
    random.seed(0)
    model = models.Sequential([layers.Dense(3, activation="softmax", input_shape=(2,))])
    figure = plots.decision_boundary(
        model, POINTS.tolist(), [0, 1, 2, 0, 1, 2], features=["a", "b"]
    )
    check(figure)
    right = np.sum(model.predict(POINTS, verbose=0).argmax(axis=1) == [0, 1, 2, 0, 1, 2])
    assert f" {right} of 6 " in figure.axes[0].get_title()
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("a", "b")


def test_a_class_without_points_has_its_region():
    figure = plots.decision_boundary(lambda x: np.stack([x[:, 0], -x[:, 0], 0 * x[:, 0]], 1) - 0.5,
                                     POINTS, SIDES)  # fmt: skip
    check(figure)
    assert len(figure.axes[0].lines) == 3


@pytest.mark.parametrize("c", [1, 20])
def test_one_class_and_20_classes_with_long_names_are_legible(c):
    x, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % c
    features = ["a feature with a name that is far too long for an axis", "b"]
    figure = plots.decision_boundary(
        lambda x: (np.arctan2(x[:, 0], x[:, 1]) * 3 + 10).astype(int) % c, x, y, LONG[:c], features
    )
    check(figure)


def test_a_class_whose_name_begins_with_an_underscore_is_in_the_legend():
    figure = plots.decision_boundary(left_to_right, POINTS, SIDES, ["_left", "$x$"])
    assert {" _left", "$x$"} <= set(texts(figure))


def test_names_of_classes_that_do_not_occur_do_no_harm():
    names = ["left", "right", "above"]
    check(plots.decision_boundary(left_to_right, POINTS, SIDES, names))
    check(plots.images(X[:1], [0], classes=names))


def test_equal_features_and_a_single_point_are_drawn():
    check(plots.decision_boundary(left_to_right, [[2, 3e9]], [1]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": np.zeros((6, 3))}, r"x must be points with two features.* shape \(6, 3\)"),
        ({"x": np.full((6, 2), np.inf)}, "x has 12 values that are NaN or infinite"),
        ({"y": [0, 1]}, r"y must be one label for each of the 6 x. Received: .*\(2,\)"),
        ({"y": [0, 0.5, 1, 1, 1, 1]}, r"y must be classes, integers .* Received: 0.5"),
        ({"y": [-2, 0, 1, 1, 1, 1]}, r"y must be classes, integers .* Received: -2"),
        ({"y": [0, 63, 1, 1, 1, 1]}, "decision_boundary tells 63 classes apart. Received: 64"),
        ({"model_or_function": lambda x: x[:, 0].astype(int) + 99}, "tells 63 classes apart"),
        ({"model_or_function": lambda x: np.zeros((len(x), 64))}, "63 classes apart. Received: 64"),
        ({"y": ["a"] * 6}, "y must hold numbers"),
        ({"model_or_function": None}, "decision_boundary needs a model or a function .* None"),
        ({"model_or_function": lambda x: x[:4, 0]}, "every array needs one row .* predictions 4"),
        ({"model_or_function": lambda x: x[:, 0] * np.nan}, "what the model predicts has"),
        ({"model_or_function": lambda x: 3}, "what the model predicts must have one row"),
        ({"model_or_function": lambda x: x[:, :, None]}, r"a prediction is a class.*\(\d+, 2, 1\)"),
        ({"y": [0, 1, 2, 0, 1, 2]}, "the model knows 2 classes. Received: y up to 2"),
        ({"classes": ["a"]}, "classes must have a name for each of the 2 classes. Received: 1"),
        ({"features": ["a"]}, r"features must be two names. Received: \['a'\]"),
        ({"features": "ab"}, "features must be a list of names. Received: features='ab'"),
    ],
)
def test_a_bad_decision_boundary_is_refused(options, message):
    given = {"model_or_function": left_to_right, "x": POINTS, "y": SIDES, **options}
    refused(message, plots.decision_boundary, **given)


# ---- calibration ---------------------------------------------------------------------------------


def sure_and_right(n=1000, seed=0):
    generator = np.random.default_rng(seed)
    p = generator.random(n)
    return (generator.random(n) < p).astype(int), p


def test_points_and_bars_are_those_of_the_metric():
    y, p = sure_and_right()
    figure = plots.calibration(y, p, bins=5)
    check(figure)
    share, mean, counts = metrics.calibration_curve(y, p, 5)
    above, below = figure.axes
    diagonal, points = above.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    np.testing.assert_allclose(points.get_xydata(), np.stack([mean, share], axis=1))
    assert [bar.get_height() for bar in below.patches] == counts.tolist()
    middles = [bar.get_x() + bar.get_width() / 2 for bar in below.patches]
    np.testing.assert_allclose(middles, [0.1, 0.3, 0.5, 0.7, 0.9])


def test_bars_stand_in_their_bins_where_others_are_empty():
    figure = plots.calibration([0, 1, 1], [0.05, 0.95, 1.0])
    check(figure)
    bars = figure.axes[1].patches
    assert [(round(b.get_x() + b.get_width() / 2, 2), b.get_height()) for b in bars] == [
        (0.05, 1),
        (0.95, 2),
    ]


def test_the_class_is_called_by_its_name():
    figure = plots.calibration([0, 1, 1], [0.05, 0.95, 1.0], name="Yes")
    above, below = figure.axes
    assert above.get_ylabel() == "share that was Yes"
    assert below.get_xlabel() == "probability of Yes"


def test_of_all_classes_the_likeliest_counts():
    figure = plots.calibration(Y, P, bins=10)
    check(figure)
    above, below = figure.axes
    assert above.get_ylabel() == "share that was right"
    assert below.get_xlabel() == "probability of the likeliest class"
    np.testing.assert_allclose(above.lines[1].get_xdata(), [0.4, 0.6, 0.7, 0.8, 0.9, 0.95])
    np.testing.assert_allclose(above.lines[1].get_ydata(), [0, 0, 1, 1, 1, 0])


@pytest.mark.parametrize(
    ("y", "p", "bins"),
    [([1], [1.0], 10), ([0, 1], [-0.0, 1], 1), (np.ones(30), np.linspace(0, 1, 30), 100)],
)
def test_few_examples_and_many_bins_are_legible(y, p, bins):
    check(plots.calibration(y, p, bins))


@pytest.mark.parametrize(
    ("y", "p", "bins", "message"),
    [
        ([0, 1], [0.5, 1.5], 10, "probabilities must be between 0 and 1. Received: 1.5"),
        ([0, 1], [0.5, np.nan], 10, "probabilities has 1 values that are NaN"),
        ([0, 1, 1], [0.5, 0.5], 10, "one row per example. .*3"),
        ([0, 1], [0.5, 0.5], 0, "bins.* integer from 1 up.*0"),
        ([], [], 10, "empty"),
    ],
)
def test_a_bad_calibration_is_refused(y, p, bins, message):
    refused(message, plots.calibration, y, p, bins)
