"""Neighbours by angle, and recall at k: by definition, by hand, and bad input."""

import numpy as np
import pytest

from minigrad import metrics

GENERATOR = np.random.default_rng(0)
QUERIES, GALLERY = GENERATOR.normal(size=(7, 3)), GENERATOR.normal(size=(11, 3))


def cosine(x, z):
    return x @ z / np.sqrt((x @ x) * (z @ z))


def test_neighbours_are_in_the_order_of_their_cosines():
    found = metrics.nearest_neighbours(QUERIES, GALLERY, 4)
    for query, places in zip(QUERIES, found):
        order = sorted(range(11), key=lambda place: -cosine(query, GALLERY[place]))
        assert places.tolist() == order[:4]


def test_without_a_gallery_nobody_is_a_neighbour_of_itself():
    found = metrics.nearest_neighbours(QUERIES, k=6)
    for query, places in enumerate(found):
        assert sorted([query, *places]) == list(range(7))
        cosines = [cosine(QUERIES[query], QUERIES[place]) for place in places]
        assert cosines == sorted(cosines, reverse=True)


def test_lengths_play_no_part():
    lengths = np.array([[1e-200], [1e-3], [1.0], [7.0], [1e3], [1e100], [1.0]])
    expected = metrics.nearest_neighbours(QUERIES, GALLERY)
    assert np.array_equal(
        metrics.nearest_neighbours(lengths[1:5] * QUERIES[1:5], GALLERY), expected[1:5]
    )


def test_of_equally_near_ones_the_first_is_first_and_nothing_is_far_from_all():
    gallery = np.array([[0.0, 0.0], [1, 0], [2, 0], [-1, 0]])
    assert metrics.nearest_neighbours([[3.0, 0]], gallery, 4).tolist() == [[1, 2, 0, 3]]


def test_recall_counts_the_queries_that_find_their_own():
    found = [[1, 0, 0], [0, 1, 0], [2, 2, 2], [0, 1, 0]]
    recalls = [metrics.recall_at_k([0, 0, 0, 2], found, k) for k in (1, 2, 3)]
    assert recalls == [0.25, 0.5, 0.5]


def test_labels_may_be_text():
    assert metrics.recall_at_k(["a", "b"], [["a", "b"], ["a", "c"]], 2) == 0.5


@pytest.mark.parametrize(
    ("call", "culprit"),
    [
        (lambda: metrics.nearest_neighbours(QUERIES, k=7), "from 1 to 6.*k=7"),
        (lambda: metrics.nearest_neighbours(QUERIES, GALLERY, 12), "from 1 to 11.*k=12"),
        (lambda: metrics.nearest_neighbours(QUERIES, k=0), "k=0"),
        (lambda: metrics.nearest_neighbours(QUERIES[0]), r"queries must be vectors.*\(3,\)"),
        (lambda: metrics.nearest_neighbours(QUERIES, GALLERY[:, :2]), r"3 features.*\(11, 2\)"),
        (lambda: metrics.nearest_neighbours(QUERIES * np.inf), "queries has 21 values"),
        (lambda: metrics.recall_at_k([0, 1], [[0, 1]]), r"\(2, K\).*\(1, 2\)"),
        (lambda: metrics.recall_at_k([0], [[0, 1]], 3), "from 1 to 2.*k=3"),
        (lambda: metrics.recall_at_k([0.5], [[0]]), "labels must hold labels"),
    ],
)
def test_bad_arguments_are_named(call, culprit):
    with pytest.raises(ValueError, match=culprit):
        call()
