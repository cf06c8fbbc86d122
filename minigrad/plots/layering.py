"""Where to draw the nodes of a graph: in layers from left to right, with few arrows crossing.

After K. Sugiyama, S. Tagawa and M. Toda, "Methods for Visual Understanding of Hierarchical System
Structures", 1981: a node's layer is its longest path to the result; an arrow over several layers
bends in each; in a layer, nodes stand in the order of the mean place of their neighbours.

Nodes are the numbers 0, 1, 2, ... and `sources[node]` lists the nodes that it is made from; 0 is
the result, and each node comes before its sources.
"""

import numpy as np

_SWEEPS = 12


def arrange(sources):
    """Layers of nodes and bends, the routes of the arrows, and how far down each node stands.

    layers   lists from left to right, each from top to bottom; numbers from len(sources) up are
             bends
    routes   {(source, node): [source, bends ..., node]}
    rows     how far down each node and bend stands: neighbours of a layer at least 1 apart, or 0.5
             beside a bend
    """
    level = levels(sources)
    routes = {}
    for node, below in enumerate(sources):
        for source in below:
            if (source, node) not in routes:
                bends = range(len(level), len(level) + level[source] - level[node] - 1)
                level += range(level[source] - 1, level[node], -1)
                routes[source, node] = [source, *bends, node]
    neighbours = [{"left": [], "right": []} for _ in level]
    for route in routes.values():
        for left, right in zip(route, route[1:]):
            neighbours[left]["right"].append(right)
            neighbours[right]["left"].append(left)
    layers = [[] for _ in range(max(level) + 1)]
    for node in _in_order(sources, routes):
        layers[-1 - level[node]].append(node)
    layers = _untangle(layers, neighbours)
    return layers, routes, _rows(layers, neighbours, len(sources))


def levels(sources):
    """How many steps the longest path from each node to the result has."""
    level = [0] * len(sources)
    for node, below in enumerate(sources):
        for source in below:
            level[source] = max(level[source], level[node] + 1)
    return level


def crossings(layers, neighbours):
    """How many pairs of arrows between neighbouring layers cross."""
    total = 0
    for layer, following in zip(layers, layers[1:]):
        place = {node: i for i, node in enumerate(following)}
        ends = [[place[right] for right in neighbours[node]["right"]] for node in layer]
        for i, upper in enumerate(ends):
            total += sum(a > b for lower in ends[i + 1 :] for a in upper for b in lower)
    return total


def _in_order(sources, routes):
    """All nodes and bends, as a walk from the result through the first sources first meets them."""
    met, unexplored = {}, [0]
    while unexplored:
        node = unexplored.pop()
        if node in met:
            continue
        met[node] = None
        unexplored += reversed(sources[node])
        for source in sources[node]:
            met.update(dict.fromkeys(routes[source, node][1:-1]))
    return list(met)


def _untangle(layers, neighbours):
    """The layers in the order with the fewest crossings that sweeps to and fro come across."""
    best, fewest = layers, crossings(layers, neighbours)
    for sweep in range(_SWEEPS):
        side, step = (("right", -1), ("left", 1))[sweep % 2]
        layers = [list(layer) for layer in layers]
        place = {node: i for layer in layers for i, node in enumerate(layer)}
        for layer in layers[::step]:
            mean = {node: _mean_place(node, neighbours[node][side], place) for node in layer}
            layer.sort(key=mean.get)
            place |= {node: i for i, node in enumerate(layer)}
        count = crossings(layers, neighbours)
        if count < fewest:
            best, fewest = layers, count
    return best


def _mean_place(node, others, place):
    """The barycentre of the others; where there are none, the node's own place."""
    return sum(place[other] for other in others) / len(others) if others else place[node]


def _rows(layers, neighbours, nodes):
    """How far down each node and bend stands: near its neighbours, and apart from the next ones."""
    row = np.zeros(sum(map(len, layers)))
    for sweep in range(4 * _SWEEPS):
        for layer in layers[:: 1 if sweep % 2 else -1]:
            beside = [neighbours[node]["left"] + neighbours[node]["right"] for node in layer]
            wanted = np.array([np.mean(row[others]) if others else 0.0 for others in beside])
            gaps = [0.5 if max(pair) >= nodes else 1.0 for pair in zip(layer, layer[1:])]
            row[layer] = apart(wanted, gaps)
    return row


def apart(wanted, gaps):
    """Rows near the wanted ones, each at least its gap below the one before.

    Pushing all down from the first and pushing all up from the last both keep the gaps, and so
    does the mean of the two.
    """
    down, up = wanted.copy(), wanted.copy()
    for i, gap in enumerate(gaps):
        down[i + 1] = max(down[i + 1], down[i] + gap)
    for i, gap in reversed(list(enumerate(gaps))):
        up[i] = min(up[i], up[i + 1] - gap)
    return (down + up) / 2
