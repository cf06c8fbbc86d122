"""How a Tensor was computed: its graph, from the leaves at the left to the result at the right."""

import numpy as np

from ..tensor import Tensor
from . import style, words
from .layering import arrange

_MOST = 60  # operations and leaves in one picture
_ROW, _GAP, _HEIGHT = 0.72, 0.6, 0.46  # inches: from row to row, between columns, of a box
_OPERATION, _LEAF = "#DCEBF5", "#FBE3D6"  # blue and vermillion, pale enough for black text


def graph(tensor, names=None, path=None):
    """A Figure of how `tensor` was computed: the way that `backward` will go, from right to left.

    tensor  the result. Draw it before `backward`, which frees the graph
    names   {name: Tensor} of leaves and results; or a model, whose weights have names
    path    where to write the picture as a PNG, if anywhere

    A box is an operation, with the shape of its result; an ellipse is a leaf, with its name and
    its shape, or its value if it is one number. Constants are not part of a graph: nothing is
    differentiated with respect to them.
    """
    nodes = _collect(tensor)
    sources = _numbered(nodes)
    figure = style.figure()
    texts = _texts(nodes, tensor, _titles(nodes, names))
    layers, routes, rows = arrange(sources)

    widths = [
        style.width_of([text]) * (1 if _is_operation(node) else 1.35) + 0.2
        for node, text in zip(nodes, texts)
    ]
    columns = [max([0.1, *(widths[n] for n in layer if n < len(nodes))]) for layer in layers]
    starts = np.cumsum([0.25, *columns[:-1]]) + _GAP * np.arange(len(layers))
    span = {
        n: (start, start + w) for start, w, layer in zip(starts, columns, layers) for n in layer
    }
    down = (rows - rows.min()) * _ROW + 0.45
    boxes = [(sum(span[n]) / 2, down[n], widths[n]) for n in range(len(nodes))]  # middle and width

    panel = _panel(figure, starts[-1] + columns[-1] + 0.25, down.max() + 0.45, _title(nodes))
    for node, text, box in zip(nodes, texts, boxes):
        _draw_node(panel, node, text, box, is_result=node is nodes[0])
    for n, below in enumerate(sources):
        _draw_arrows(panel, n, below, boxes, routes, span, down)
    return style.finish(figure, path)


# ---- What is drawn -------------------------------------------------------------------------------


def _collect(tensor):
    """All Nodes, each before those that it is made from, then all leaves, which are Tensors."""
    if not isinstance(tensor, Tensor):
        raise ValueError(f"graph draws how a Tensor was made. Received: {type(tensor).__name__}")
    if tensor.node is None:
        raise ValueError(
            "graph needs a Tensor that an operation made of others that require a gradient. "
            f"Received: a {'leaf' if tensor.requires_grad else 'constant'} of shape {tensor.shape}"
        )
    found, unexplored = {tensor.node: None}, [tensor.node]
    while unexplored:
        node = unexplored.pop()
        if node.sources is None:
            raise ValueError(
                f"backward() has freed the graph behind {node.operation}: draw it before"
            )
        for source in node.sources:
            if source not in found:
                found[source] = None
                if _is_operation(source):
                    unexplored.append(source)
    if len(found) > _MOST:
        raise ValueError(
            f"graph draws {_MOST} operations and leaves at most. Received: {len(found)}"
        )
    operations = sorted(filter(_is_operation, found), key=lambda node: node.age, reverse=True)
    return operations + [leaf for leaf in found if not _is_operation(leaf)]


def _is_operation(node):
    return not isinstance(node, Tensor)


def _numbered(nodes):
    """The places in `nodes` of the sources of each; a leaf has none."""
    place = {node: n for n, node in enumerate(nodes)}
    return [[place[source] for source in getattr(node, "sources", ())] for node in nodes]


def _titles(nodes, names):
    """{node: name} of those that have one."""
    if names is None:
        return {}
    of_a_model = hasattr(names, "weights")
    names = names.weights() if of_a_model else names
    if not isinstance(names, dict) or not all(isinstance(t, Tensor) for t in names.values()):
        raise ValueError(f"names must be {{name: Tensor}}, or a model. Received: {names!r}")
    drawn = set(nodes)
    absent = [name for name, tensor in names.items() if (tensor.node or tensor) not in drawn]
    if absent and not of_a_model:
        raise ValueError(
            "names must be of Tensors in the graph, which has no constants. "
            f"Received: {', '.join(map(repr, absent))}"
        )
    (legible,) = words.legible({"tensor": names})
    return {(tensor.node or tensor): name for tensor, name in zip(names.values(), legible)}


def _texts(nodes, tensor, titles):
    """What each node says: name and operation or value, and below the shape, if it has axes."""
    texts = []
    for node in nodes:
        first = [titles[node]] if node in titles else []
        second = [str(node.shape)] if node.shape else []
        if _is_operation(node):
            first.append(node.operation)
        elif node.size == 1:
            first.append(_number(node.item()))
        if node is tensor.node and tensor.size == 1:
            second.insert(0, _number(tensor.item()))
        texts.append("\n".join(filter(None, [" = ".join(first), "  ".join(second)])))
    return texts


def _number(value):
    return f"{value:.4g}".replace("-", "−")


def _title(nodes):
    leaves = sum(isinstance(node, Tensor) for node in nodes)
    operations = len(nodes) - leaves
    boxes = "1 operation (box)" if operations == 1 else f"{operations} operations (boxes)"
    ellipses = "1 leaf (ellipse)" if leaves == 1 else f"{leaves} leaves (ellipses)"
    return f"{boxes}, {ellipses}"


# ---- How it is drawn -----------------------------------------------------------------------------


def _panel(figure, width, height, title):
    """A panel that measures inches from its upper left corner, below a title."""
    margin = max(0, style.width_of([title], size=12) + 0.3 - width) / 2
    figure.set_size_inches(width + 2 * margin, height + 0.4)
    panel = style.place(figure, 0, 0, width + 2 * margin, height)
    panel.set_xlim(-margin, width + margin)
    panel.set_ylim(height, 0)
    panel.set_axis_off()
    panel.set_title(title, size=12)
    return panel


def _draw_node(panel, node, text, box, is_result):
    from matplotlib.patches import Ellipse, FancyBboxPatch

    x, y, width = box
    looks = {"edgecolor": "black", "linewidth": 2 if is_result else 1, "zorder": 2}
    if _is_operation(node):
        corner, rounded = (x - width / 2, y - _HEIGHT / 2), "round,pad=0,rounding_size=0.12"
        patch = FancyBboxPatch(
            corner, width, _HEIGHT, boxstyle=rounded, facecolor=_OPERATION, **looks
        )
    else:
        patch = Ellipse((x, y), width, 1.15 * _HEIGHT, facecolor=_LEAF, **looks)
    panel.add_patch(patch)
    panel.text(x, y, text, ha="center", va="center", size=10, zorder=3)


def _draw_arrows(panel, n, below, boxes, routes, span, down):
    """One arrow to node n from each of its sources, side by side where they arrive."""
    from matplotlib.patches import FancyArrowPatch

    x, y, width = boxes[n]
    arriving = sorted(below, key=lambda source: down[routes[source, n][-2]])
    apart = min(0.12, 0.28 / max(1, len(arriving) - 1))
    for place, source in enumerate(arriving):
        end = y + apart * (place - (len(arriving) - 1) / 2)
        points = [(boxes[source][0] + boxes[source][2] / 2, boxes[source][1])]
        for bend in routes[source, n][1:-1]:
            points += [(edge, down[bend]) for edge in span[bend]]
        points.append((x - width / 2, end))
        arrow = FancyArrowPatch(
            path=_curve(points), arrowstyle="-|>", mutation_scale=10, color=style.GREY, zorder=1
        )
        panel.add_patch(arrow)


def _curve(points):
    """A smooth path through the points, level in each of them."""
    from matplotlib.path import Path

    vertices, codes = [points[0]], [Path.MOVETO]
    for (a, b), (c, d) in zip(points, points[1:]):
        vertices += [((a + c) / 2, b), ((a + c) / 2, d), (c, d)]
        codes += [Path.CURVE4] * 3
    return Path(vertices, codes)
