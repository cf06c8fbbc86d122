"""The picture of a computation graph: what is in it, and where it is drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch

from minigrad import Tensor, layers, losses, models, no_grad, ops, plots, random
from minigrad.plots.layering import apart, arrange, crossings, levels
from tests.figures import check


def leaf(value):
    return Tensor(value, requires_grad=True)


def shapes(figure, kind):
    return [patch for patch in figure.axes[0].patches if type(patch) is kind]


def words(figure):
    return sorted(text.get_text() for text in figure.axes[0].texts)


# ---- What is drawn -------------------------------------------------------------------------------


def test_operations_are_boxes_and_leaves_are_ellipses_with_names_shapes_and_values():
    w, b, x = leaf(np.ones((3, 2))), leaf(-0.5), Tensor(np.ones((4, 3)))
    figure = plots.graph((x @ w + b).sum(), names={"w": w, "b": b})
    check(figure)
    assert words(figure) == ["add\n(4, 2)", "b = −0.5", "matmul\n(4, 2)", "sum\n20", "w\n(3, 2)"]
    assert len(shapes(figure, FancyBboxPatch)) == 3 and len(shapes(figure, Ellipse)) == 2
    assert figure.axes[0].get_title() == "3 operations (boxes), 2 leaves (ellipses)"


def test_leaves_without_a_name_show_their_value_or_their_shape():
    figure = plots.graph(leaf(2.0) * leaf(np.ones(3)))
    assert words(figure) == ["(3,)", "2", "multiply\n(3,)"]


def test_results_may_have_names_too():
    a = leaf(3.0)
    h = ops.tanh(a)
    L = h * a
    assert words(plots.graph(L, {"h": h, "L": L}))[:2] == ["3", f"L = multiply\n{L.item():.4g}"]
    assert "h = tanh" in words(plots.graph(L, {"h": h}))


def test_a_leaf_of_shape_1_shows_value_and_shape():
    b = leaf([-0.0])
    assert words(plots.graph(b * 2, {"b": b})) == ["b = −0\n(1,)", "multiply\n−0  (1,)"]


def test_the_names_of_a_model_are_those_of_its_weights():
    random.seed(0)
    model = models.Sequential(
        [layers.Dense(4, activation="relu", input_shape=(3,)), layers.Dense(2)]
    )
    y = losses.SparseCategoricalCrossentropy(from_logits=True)([0, 1], model(np.ones((2, 3))))
    figure = plots.graph(y, names=model)
    check(figure)
    assert {"0.weight\n(3, 4)", "0.bias\n(4,)", "1.weight\n(4, 2)"} < set(words(figure))


def test_frozen_weights_are_not_in_the_graph_and_do_no_harm():
    model = models.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(2)])
    model.ensure_built()
    model.layers[0].trainable = False
    assert len(shapes(plots.graph(model(np.ones((2, 3))), model), Ellipse)) == 2


def test_there_is_an_arrow_for_each_use_of_a_source():
    a, b = leaf(2.0), leaf(3.0)
    assert len(shapes(plots.graph(a * a), FancyArrowPatch)) == 2
    assert len(shapes(plots.graph(a * b + a), FancyArrowPatch)) == 4


def test_arrows_lead_from_left_to_right_and_from_border_to_border():
    a = leaf(2.0)
    figure = plots.graph(ops.tanh(a))
    (arrow,), (box,), (oval,) = (
        shapes(figure, kind) for kind in (FancyArrowPatch, FancyBboxPatch, Ellipse)
    )
    drawn = arrow.get_path().get_extents()  # in inches, as all here
    assert drawn.x0 == pytest.approx(oval.center[0] + oval.width / 2, abs=0.03)
    assert drawn.x1 == pytest.approx(box.get_x(), abs=0.03)
    assert oval.center[0] < box.get_x()


def test_drawing_changes_nothing_for_backward():
    a = leaf(3.0)
    y = a * a
    plots.graph(y)
    y.backward()
    assert a.grad == 6


def overlaps(figure):
    """Pairs of boxes and ellipses that touch."""
    patches = shapes(figure, FancyBboxPatch) + shapes(figure, Ellipse)
    boxes = [patch.get_window_extent() for patch in patches]
    return [(i, j) for i in range(len(boxes)) for j in range(i) if boxes[i].overlaps(boxes[j])]


def recurrent(steps):
    w, u, b, h = leaf(np.ones((4, 3))), leaf(np.ones((3, 3))), leaf(np.zeros(3)), np.zeros((2, 3))
    for _ in range(steps):
        h = ops.tanh(ops.matmul(np.ones((2, 4)), w) + ops.matmul(h, u) + b)
    return h.sum(), {"w": w, "u": u, "b": b}


def wide(n):
    parts = [leaf(float(k)) for k in range(n)]
    names = {f"a leaf with a very long name, number {k}": part for k, part in enumerate(parts)}
    return ops.stack(parts).sum(), names


def chain(n):
    y = leaf(1.0)
    for _ in range(n):
        y = ops.sin(y)
    return y, None


@pytest.mark.parametrize("example", [recurrent(1), recurrent(5), wide(40), chain(59)])
def test_large_graphs_are_legible_and_their_nodes_apart(example):
    figure = plots.graph(*example)
    check(figure)
    assert overlaps(figure) == []


def freed():
    y = leaf(2.0) * 3
    y.backward()
    return y


def unrecorded():
    with no_grad():
        return leaf(2.0) * 3


@pytest.mark.parametrize(
    ("tensor", "names", "message"),
    [
        (3.0, None, "graph draws how a Tensor was made. Received: float"),
        (leaf(2.0), None, r"graph needs a Tensor that an operation made .* a leaf of shape \(\)"),
        (Tensor([1.0]) * 2, None, r"graph needs a Tensor .* a constant of shape \(1,\)"),
        (unrecorded(), None, "graph needs a Tensor .* a constant"),
        (freed(), None, r"backward\(\) has freed the graph behind multiply: draw it before"),
        (chain(60)[0], None, "graph draws 60 operations and leaves at most. Received: 61"),
        (chain(2)[0], {"x": Tensor(1.0)}, "names must be of Tensors in the graph.*Received: 'x'"),
        (
            chain(2)[0],
            {"x": 1.0},
            r"names must be {name: Tensor}, or a model. Received: {'x': 1.0}",
        ),
        (chain(2)[0], ["x"], r"names must be {name: Tensor}, or a model. Received: \['x'\]"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tensor, names, message):
    with pytest.raises(ValueError, match=message):
        plots.graph(tensor, names)


# ---- Where it is drawn ---------------------------------------------------------------------------


def test_the_level_of_a_node_is_its_longest_path_to_the_result():
    assert levels([[1, 2], [2], []]) == [0, 1, 2]
    assert levels([[1, 1], []]) == [0, 1]
    assert levels([[1, 3], [2], [3], []]) == [0, 1, 2, 3]


def test_an_arrow_over_several_layers_bends_in_each():
    layers_, routes, _ = arrange([[1, 3], [2], [3], []])
    assert [len(layer) for layer in layers_] == [1, 2, 2, 1]
    assert routes[3, 0][0] == 3 and routes[3, 0][-1] == 0 and len(routes[3, 0]) == 4
    assert routes[3, 2] == [3, 2]


def test_crossings_are_counted():
    neighbours = [{"right": [2, 3]}, {"right": [2]}, {}, {}]
    assert crossings([[0, 1], [2, 3]], neighbours) == 1
    assert crossings([[1, 0], [2, 3]], neighbours) == 0


def neighbours_of(routes, count):
    neighbours = [{"left": [], "right": []} for _ in range(count)]
    for route in routes.values():
        for left, right in zip(route, route[1:]):
            neighbours[left]["right"].append(right)
            neighbours[right]["left"].append(left)
    return neighbours


@pytest.mark.parametrize(
    ("sources", "least"),
    [
        ([[1, 2], [4, 5], [3, 6], [], [], [], []], 0),  # a tree
        ([[1, 3], [2, 3, 4], [], [], []], 0),  # crossed in the order in which a walk meets it
        ([[1, 2], [2, 3], [3, 4], [], [5], []], 0),
        ([[1, 2], [3, 4], [4, 3], [], []], 1),  # each of two uses each of two
    ],
)
def test_simple_graphs_are_drawn_without_needless_crossings(sources, least):
    layers_, routes, rows = arrange(sources)
    assert crossings(layers_, neighbours_of(routes, len(rows))) == least


@given(st.data())
def test_arranging_keeps_every_node_and_the_order_and_distance_of_each_layer(data):
    n = data.draw(st.integers(1, 12))
    sources = [[] for _ in range(n)]
    for node in range(1, n):
        for user in data.draw(st.lists(st.integers(0, node - 1), min_size=1, max_size=3)):
            sources[user].append(node)
    layers_, routes, rows = arrange(sources)
    level = {node: k for k, layer in enumerate(layers_) for node in layer}
    assert set(range(n)) <= level.keys() and sum(map(len, layers_)) == len(level) == len(rows)
    for (source, node), route in routes.items():
        assert route[0] == source and route[-1] == node
        assert [level[point] for point in route] == list(range(level[source], level[node] + 1))
    for layer in layers_:
        for upper, lower in zip(layer, layer[1:]):
            least = 0.5 if max(upper, lower) >= n else 1
            assert rows[lower] - rows[upper] >= least - 1e-9


def test_rows_stay_where_they_want_to_be_if_they_are_apart():
    assert apart(np.array([0.0, 2.0, 5.0]), [1, 1]).tolist() == [0, 2, 5]


def test_rows_that_are_too_close_give_way_to_both_sides():
    assert apart(np.array([0.0, 0.0, 0.0]), [1, 1]).tolist() == [-1, 0, 1]
