"""Answers to the exercises of lesson 5."""

import heapq
from operator import attrgetter

import numpy as np

from . import right, wrong

# ---- 5.1 backward over a list --------------------------------------------------------------------


def _last(sources):
    g = [0.0] * len(sources)
    g[-1] = 1.0
    return g


def _steps(sources, slopes):
    """(i, j, dvᵢ/dvⱼ), the youngest value first."""
    for i in reversed(range(len(sources))):
        for j, slope in zip(sources[i], slopes[i]):
            yield i, j, slope


@wrong("5.1", "A gradient that comes second replaces the first. All of them must be added up.")
def replaces(sources, slopes):
    g = _last(sources)
    for i, j, slope in _steps(sources, slopes):
        g[j] = g[i] * slope
    return g


@wrong("5.1", "It goes from the oldest value to the youngest. It must begin at the end, with L.")
def oldest_first(sources, slopes):
    g = _last(sources)
    for i in range(len(sources)):
        for j, slope in zip(sources[i], slopes[i]):
            g[j] += g[i] * slope
    return g


@wrong("5.1", "Nothing is put in at the start. dL/dL is 1: from there all else comes.")
def no_seed(sources, slopes):
    g = [0.0] * len(sources)
    for i, j, slope in _steps(sources, slopes):
        g[j] += g[i] * slope
    return g


@wrong("5.1", "It hands gᵢ on unchanged. On the way to vⱼ it is multiplied by dvᵢ/dvⱼ.")
def no_slopes(sources, slopes):
    g = _last(sources)
    for i, j, _ in _steps(sources, slopes):
        g[j] += g[i]
    return g


@wrong("5.1", "It adds up the slopes alone. Each must be multiplied by the gradient gᵢ above it.")
def slopes_alone(sources, slopes):
    g = _last(sources)
    for _, j, slope in _steps(sources, slopes):
        g[j] += slope
    return g


@wrong("5.1", "Every value starts with a gradient of 1. Only L does; the others start at 0.")
def ones_everywhere(sources, slopes):
    g = [1.0] * len(sources)
    for i, j, slope in _steps(sources, slopes):
        g[j] += g[i] * slope
    return g


@wrong(
    "5.1", "Where a step uses a value twice, as in v v, only one use is counted. Both are added."
)
def one_use_per_step(sources, slopes):
    g = _last(sources)
    for i in reversed(range(len(sources))):
        for j, slope in dict(zip(sources[i], slopes[i])).items():
            g[j] += g[i] * slope
    return g


@right("5.1")
def with_a_dictionary(sources, slopes):
    g = {len(sources) - 1: 1.0}
    for i in range(len(sources) - 1, -1, -1):
        for k, j in enumerate(sources[i]):
            g[j] = g.get(j, 0.0) + g.get(i, 0.0) * slopes[i][k]
    return [g.get(i, 0.0) for i in range(len(sources))]


@right("5.1")
def asking_the_consumers(sources, slopes):
    n = len(sources)
    g = np.zeros(n)
    g[n - 1] = 1
    for j in reversed(range(n - 1)):
        for i in range(j + 1, n):
            g[j] += sum(g[i] * s for k, s in zip(sources[i], slopes[i]) if k == j)
    return g


@right("5.1")
def as_linear_equations(sources, slopes):
    """g = Aᵀ g + e, where A holds all the slopes and e has a 1 at the end."""
    n = len(sources)
    a = np.zeros((n, n))
    for i in range(n):
        np.add.at(a[i], np.array(sources[i], int), np.array(slopes[i], float))
    return np.linalg.solve(np.eye(n) - a.T, np.eye(n)[-1])


# ---- 5.2 _ancestors ------------------------------------------------------------------------------


def _everything(node):
    found, unexplored = [node], [node]
    while unexplored:
        for source in unexplored.pop().nodes_before():
            if source not in found:
                found.append(source)
                unexplored.append(source)
    return found


@wrong("5.2", "The oldest comes first. A node must come before those that it was made from.")
def oldest_node_first(node):
    return sorted(_everything(node), key=attrgetter("age")) if node else []


@wrong("5.2", "A node that is used twice is in the list twice, and its pullbacks would run twice.")
def found_twice(node):
    if node is None:
        return []
    found, unexplored = [node], [node]
    while unexplored:
        sources = unexplored.pop().nodes_before()
        found += sources
        unexplored += sources
    return sorted(found, key=attrgetter("age"), reverse=True)


@wrong("5.2", "The node itself is missing. It comes first.")
def without_itself(node):
    if node is None:
        return []
    return sorted(_everything(node), key=attrgetter("age"), reverse=True)[1:]


@wrong("5.2", "It stops after the direct inputs. These were made from others, and so on.")
def direct_inputs_alone(node):
    if node is None:
        return []
    return sorted({node, *node.nodes_before()}, key=attrgetter("age"), reverse=True)


@wrong("5.2", "The order is that of finding. A node that is found early may be needed late.")
def breadth_first_order(node):
    if node is None:
        return []
    found = [node]
    for one in found:
        found += [n for n in dict.fromkeys(one.nodes_before()) if n not in found]
    return found


@wrong("5.2", "The order is that of finding. A node that is found early may be needed late.")
def depth_first_order(node):
    found, unexplored = [], [node] if node else []
    while unexplored:
        one = unexplored.pop()
        if one not in found:
            found.append(one)
            unexplored += one.nodes_before()[::-1]
    return found


@wrong("5.2", "It follows the first input only. Every input leads to ancestors.")
def first_input_alone(node):
    found = []
    while node is not None:
        found.append(node)
        before = node.nodes_before()
        node = before[0] if before else None
    return found


@wrong("5.2", "It calls itself for every step, and Python allows about a thousand calls in a row.")
def by_recursion(node):
    found = []

    def visit(one):
        if one not in found:
            for source in one.nodes_before():
                visit(source)
            found.append(one)

    if node is not None:
        visit(node)
    return found[::-1]


@wrong("5.2", "A leaf was made by no operation: then node is None, and the list is empty.")
def no_answer_for_a_leaf(node):
    return sorted(_everything(node), key=attrgetter("age"), reverse=True)


@right("5.2")
def by_age(node):
    unexplored = [node] if node else []
    found = set()
    while unexplored:
        one = unexplored.pop()
        if one not in found:
            found.add(one)
            unexplored.extend(one.nodes_before())
    return sorted(found, key=lambda n: -n.age)


@right("5.2")
def youngest_out_of_a_heap(node):
    heap = [(-node.age, node)] if node is not None else []
    seen, found = {node}, []
    while heap:
        _, youngest = heapq.heappop(heap)
        found.append(youngest)
        for source in youngest.nodes_before():
            if source not in seen:
                seen.add(source)
                heapq.heappush(heap, (-source.age, source))
    return found


@right("5.2")
def by_counting_uses(node):
    """A node is taken when everything that uses it has been taken; ages are not looked at."""
    if node is None:
        return []
    uses, unexplored = {node: 0}, [node]
    while unexplored:
        for source in unexplored.pop().nodes_before():
            if source not in uses:
                uses[source] = 0
                unexplored.append(source)
            uses[source] += 1
    ready, found = [node], []
    while ready:
        one = ready.pop()
        found.append(one)
        for source in one.nodes_before():
            uses[source] -= 1
            if uses[source] == 0:
                ready.append(source)
    return found


# ---- 5.3 multiply --------------------------------------------------------------------------------


@wrong("5.3", "Each gradient has its own factor. The slope with respect to a is the other one, b.")
def own_factor(a, b):
    return a * b, (lambda g: g * a, lambda g: g * b)


@wrong("5.3", "The pullbacks return the slopes alone. Each must be multiplied by g.")
def slopes_without_g(a, b):
    return a * b, (lambda g: b, lambda g: a)


@wrong("5.3", "Both pullbacks hand g on unchanged. That is the rule of addition.")
def as_if_added(a, b):
    return a * b, (lambda g: g, lambda g: g)


@wrong("5.3", "There is one pullback. A product has two inputs, and each needs its own.")
def one_pullback(a, b):
    return a * b, lambda g: g * b


@wrong("5.3", "The gradients hold both factors. The slope of a b with respect to a is b alone.")
def both_factors(a, b):
    y = a * b
    return y, (lambda g: g * y, lambda g: g * y)


@wrong("5.3", "A pullback writes into g. Others still need it: return a new array.")
def first_pullback_writes_into_g(a, b):
    def pull_a(g):
        g *= b
        return g

    return a * b, (pull_a, lambda g: g * a)


@right("5.3")
def by_operators(a, b):
    def pull_a(g):
        return b * g

    def pull_b(g):
        return a * g

    return a * b, (pull_a, pull_b)


@right("5.3")
def by_numpy_functions(a, b):
    return np.multiply(b, a), (lambda g: np.multiply(g, b), lambda g: np.multiply(g, a))


@right("5.3")
def by_einsum(a, b):
    y = np.einsum("...,...->...", a, b)
    return y, (
        lambda g: np.einsum("...,...->...", g, b),
        lambda g: np.einsum("...,...->...", g, a),
    )


# ---- 5.4 divide ----------------------------------------------------------------------------------


@wrong("5.4", "In the gradient of b the square is missing: it is -a/b², not -a/b.")
def no_square(a, b):
    return a / b, (lambda g: g / b, lambda g: -g * a / b)


@wrong("5.4", "The gradient of b has the wrong sign: a larger b makes a/b smaller where a/b > 0.")
def wrong_sign(a, b):
    return a / b, (lambda g: g / b, lambda g: g * a / (b * b))


@wrong("5.4", "In the gradient of b the numerator is missing: it is -a/b², not -1/b².")
def no_numerator(a, b):
    return a / b, (lambda g: g / b, lambda g: -g / (b * b))


@wrong("5.4", "The gradient of a is multiplied by b. It is divided by b, like a itself.")
def times_the_denominator(a, b):
    return a / b, (lambda g: g * b, lambda g: -g * a / (b * b))


@wrong("5.4", "The gradient of a is g, unchanged. The slope of a/b with respect to a is 1/b.")
def numerator_unchanged(a, b):
    return a / b, (lambda g: g, lambda g: -g * a / (b * b))


@wrong("5.4", "The two pullbacks have changed places: the first one is that of a.")
def pullbacks_exchanged(a, b):
    return a / b, (lambda g: -g * a / (b * b), lambda g: g / b)


@wrong("5.4", "In the gradient of b the square is that of the fraction: it is -a/b², not -a²/b².")
def everything_squared(a, b):
    y = a / b
    return y, (lambda g: g / b, lambda g: -g * y * y)


@right("5.4")
def by_squares(a, b):
    return a / b, (lambda g: g / b, lambda g: -(g * a) / b**2)


@right("5.4")
def times_the_reciprocal(a, b):
    inverse = 1 / b
    return a * inverse, (lambda g: g * inverse, lambda g: -g * a * inverse * inverse)


@right("5.4")
def both_from_one(a, b):
    """dL/db = -y dL/da"""
    y = np.true_divide(a, b)

    def pull_a(g):
        return np.true_divide(g, b)

    return y, (pull_a, lambda g: -y * pull_a(g))


# ---- 5.5 matmul ----------------------------------------------------------------------------------


def _t(x):
    return np.swapaxes(x, -1, -2)


@wrong("5.5", "The transposes are missing: dL/da = g bᵀ and dL/db = aᵀ g.")
def no_transposes(a, b):
    return a @ b, (lambda g: g @ b, lambda g: a @ g)


@wrong(
    "5.5", "The factors stand in the wrong order: g is on the left in g bᵀ, on the right in aᵀ g."
)
def wrong_order(a, b):
    return a @ b, (lambda g: _t(b) @ g, lambda g: g @ _t(a))


@wrong("5.5", "The two pullbacks have changed places: the first one is that of a.")
def exchanged(a, b):
    return a @ b, (lambda g: _t(a) @ g, lambda g: g @ _t(b))


@wrong("5.5", "Of a batch, all axes are turned round. Only the last two are those of the matrix.")
def all_axes_turned(a, b):
    return a @ b, (lambda g: g @ b.T, lambda g: a.T @ g)


@wrong("5.5", "It calls np.dot, which pairs every matrix of one batch with every one of the other.")
def by_dot(a, b):
    return np.dot(a, b), (lambda g: np.dot(g, _t(b)), lambda g: np.dot(_t(a), g))


@wrong("5.5", "The gradient of b comes out transposed: it is aᵀ g, not gᵀ a.")
def gradient_of_b_transposed(a, b):
    return a @ b, (lambda g: g @ _t(b), lambda g: _t(g) @ a)


@wrong("5.5", "The pullbacks do not use g: they are the gradients of the plain sum.")
def as_if_g_were_one(a, b):
    y = a @ b
    return y, (lambda g: np.ones_like(y) @ _t(b), lambda g: _t(a) @ np.ones_like(y))


@right("5.5")
def by_swapped_axes(a, b):
    return np.matmul(a, b), (
        lambda g: np.matmul(g, b.swapaxes(-1, -2)),
        lambda g: np.matmul(a.swapaxes(-1, -2), g),
    )


@right("5.5")
def by_index_notation(a, b):
    return np.einsum("...ik,...kj->...ij", a, b), (
        lambda g: np.einsum("...ij,...kj->...ik", g, b),
        lambda g: np.einsum("...ik,...ij->...kj", a, g),
    )


@right("5.5")
def transposed_products(a, b):
    """g bᵀ = (b gᵀ)ᵀ,  aᵀ g = (gᵀ a)ᵀ"""
    y = _t(_t(b) @ _t(a))
    return y, (lambda g: _t(b @ _t(g)), lambda g: _t(_t(g) @ a))


# ---- 5.6 _unbroadcast ----------------------------------------------------------------------------


def _lead(d, shape):
    """How many axes d has in front; the axes of length 1 in shape, counted in d."""
    leading = d.ndim - len(shape)
    return tuple(range(leading)), tuple(leading + i for i, n in enumerate(shape) if n == 1)


@wrong("5.6", "Over an axis of length 1 it takes the mean. Gradients of repeats are summed.")
def mean_over_kept_axes(d, shape, node):
    leading, kept = _lead(d, shape)
    return d.mean(kept, keepdims=True).sum(leading)


@wrong("5.6", "Over the axes in front it takes the mean. Gradients of repeats are summed.")
def mean_over_leading_axes(d, shape, node):
    leading, kept = _lead(d, shape)
    return d.sum(kept, keepdims=True).mean(leading)


@wrong("5.6", "It keeps the gradient of the first repeat alone. All repeats are summed.")
def first_repeat_alone(d, shape, node):
    leading, kept = _lead(d, shape)
    where = [
        0 if i in leading else slice(0, 1) if i in kept else slice(None) for i in range(d.ndim)
    ]
    return d[tuple(where)]


@wrong("5.6", "It sums over the axes in front alone. Axes of length 1 were repeated as well.")
def leading_axes_alone(d, shape, node):
    return d.sum(_lead(d, shape)[0])


@wrong("5.6", "It sums over the axes of length 1 alone. Those in front were repeated as well.")
def kept_axes_alone(d, shape, node):
    return d.sum(_lead(d, shape)[1], keepdims=True)


@wrong("5.6", "The axes of length 1 are lost in the sum. The result must have the input's shape.")
def axes_lost(d, shape, node):
    leading, kept = _lead(d, shape)
    return d.sum((*leading, *kept))


@wrong("5.6", "It sums over everything. Axes along which nothing was repeated must stay.")
def total_everywhere(d, shape, node):
    return np.full(shape, d.sum()) if d.shape != shape else d


@wrong("5.6", "It sums over the last axes. NumPy adds missing axes in front.")
def last_axes_summed(d, shape, node):
    while d.ndim > len(shape):
        d = d.sum(-1)
    return d.sum(tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


@right("5.6")
def axis_by_axis(d, shape, node):
    while d.ndim > len(shape):
        d = d.sum(axis=0)
    for i, n in enumerate(shape):
        if n == 1:
            d = d.sum(axis=i, keepdims=True)
    return d


@right("5.6")
def by_reshape(d, shape, node):
    leading, kept = _lead(d, shape)
    return np.reshape(np.sum(d, axis=leading + kept), shape)


@right("5.6")
def by_counting_places(d, shape, node):
    """Every element of d is added at the place that it was copied from."""
    size = int(np.prod(shape))
    places = np.broadcast_to(np.arange(size).reshape(shape), d.shape)
    total = np.bincount(places.ravel(), weights=d.ravel(), minlength=size)
    return total.reshape(shape).astype(d.dtype)
