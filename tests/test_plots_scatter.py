"""The picture of a regression: predicted numbers against true ones."""

import numpy as np
import pytest

from minigrad import plots
from tests.figures import check

TRUE, PREDICTED = np.array([1.0, 2, 4]), np.array([1.5, 2, 3])


def test_each_example_stands_at_its_true_and_predicted_number():
    figure = plots.predictions(TRUE, PREDICTED[:, np.newaxis], "price in €")
    check(figure)
    (panel,) = figure.axes
    diagonal, points = panel.lines
    np.testing.assert_array_equal(points.get_xydata(), np.stack([TRUE, PREDICTED], axis=1))
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("true price in €", "predicted price in €")
    assert panel.get_xlim() == panel.get_ylim()
    assert panel.get_title() == "Predicted against true: 3 examples"


@pytest.mark.parametrize(
    ("true", "predicted"),
    [
        ([7], [7]),
        ([0, 0], [0, 0]),
        (np.arange(5000), np.arange(5000) ** 1.01),
        (TRUE * 1e-9, PREDICTED * 1e-9),
        (TRUE * 1e12, -PREDICTED * 1e12),
        (TRUE + 1e6, PREDICTED + 1e6),
    ],
)
def test_numbers_of_every_size_are_legible(true, predicted):
    check(plots.predictions(true, predicted, "a quantity with a name that is much too long"))


@pytest.mark.parametrize(
    ("true", "predicted", "message"),
    [
        ([1, 2], [1], "y_true 2, y_pred 1"),
        ([1, np.nan], [1, 2], "y_true has 1 values that are NaN"),
        ([[1, 2]], [1], r"y_true must have one number per example. Received: \(1, 2\)"),
        ([], [], "y_true is empty"),
        (["a"], [1], "y_true must hold numbers"),
    ],
)
def test_bad_numbers_are_refused(true, predicted, message):
    with pytest.raises(ValueError, match=message):
        plots.predictions(true, predicted)
