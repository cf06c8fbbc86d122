"""Variants of the mistakes in lesson 5, written from their names alone."""

import heapq
from collections import defaultdict, deque

import numpy as np

from . import variant

# ---- 5.1 Backward over a list --------------------------------------------------------------------


@variant("5.1", "replaces")
def last_share_stays(sources, slopes):
    last = len(sources) - 1
    gradients = {j: 0.0 for j in range(last)}
    gradients[last] = 1.0
    for i in range(last, -1, -1):
        shares = {j: gradients[i] * slope for j, slope in zip(sources[i], slopes[i])}
        gradients.update(shares)
    return [gradients[j] for j in range(last + 1)]


@variant("5.1", "oldest_first")
def from_the_leaves_up(sources, slopes):
    gradients = np.zeros(len(sources))
    gradients[-1] = 1.0
    for i, made_from in enumerate(sources):
        for place, j in enumerate(made_from):
            gradients[j] += slopes[i][place] * gradients[i]
    return gradients.tolist()


@variant("5.1", "no_seed")
def nothing_at_the_end(sources, slopes):
    gradients = defaultdict(float)
    steps = list(enumerate(zip(sources, slopes)))
    while steps:
        i, (made_from, derivatives) = steps.pop()
        for j, derivative in zip(made_from, derivatives):
            gradients[j] += derivative * gradients[i]
    return [gradients[i] for i in range(len(sources))]


@variant("5.1", "no_slopes")
def handed_on_unchanged(sources, slopes):
    gradients = np.zeros(len(sources))
    gradients[-1] = 1.0
    for i in range(len(sources) - 1, -1, -1):
        for j in sources[i]:
            gradients[j] = gradients[j] + gradients[i]
    return gradients


@variant("5.1", "slopes_alone")
def sum_of_slopes(sources, slopes):
    gradients = []
    for value in range(len(sources) - 1):
        total = 0.0
        for made_from, derivatives in zip(sources, slopes):
            total += sum(d for j, d in zip(made_from, derivatives) if j == value)
        gradients.append(total)
    return [*gradients, 1.0]


@variant("5.1", "ones_everywhere")
def all_seeded(sources, slopes):
    gradients = np.ones(len(sources))
    for i in range(len(sources) - 1, -1, -1):
        np.add.at(gradients, list(sources[i]), gradients[i] * np.array(slopes[i], dtype=float))
    return gradients


@variant("5.1", "one_use_per_step")
def added_by_fancy_index(sources, slopes):
    gradients = np.zeros(len(sources))
    gradients[-1] = 1.0
    for i in reversed(range(len(sources))):
        places = np.array(sources[i], dtype=int)
        gradients[places] += gradients[i] * np.array(slopes[i], dtype=float)
    return gradients


# ---- 5.2 The order -------------------------------------------------------------------------------


@variant("5.2", "oldest_node_first")
def by_growing_age(node):
    if node is None:
        return []
    by_age, waiting = {}, [node]
    while waiting:
        current = waiting.pop()
        if current.age not in by_age:
            by_age[current.age] = current
            waiting += current.nodes_before()
    return [by_age[age] for age in sorted(by_age)]


@variant("5.2", "found_twice")
def list_that_grows(node):
    found = [] if node is None else [node]
    for current in found:
        found.extend(current.nodes_before())
    found.sort(key=lambda one: -one.age)
    return found


@variant("5.2", "without_itself")
def inputs_of_inputs(node):
    if node is None:
        return []
    found = set()
    edge = set(node.nodes_before())
    while edge:
        found |= edge
        edge = {before for one in edge for before in one.nodes_before()} - found
    return sorted(found, key=lambda one: one.age, reverse=True)


@variant("5.2", "direct_inputs_alone")
def one_generation(node):
    if node is None:
        return []
    inputs = list(dict.fromkeys(node.nodes_before()))
    inputs.sort(key=lambda one: one.age)
    return [node, *inputs[::-1]]


@variant("5.2", "breadth_first_order")
def generation_by_generation(node):
    order = []
    queue = deque([] if node is None else [node])
    while queue:
        current = queue.popleft()
        if current not in order:
            order.append(current)
            queue.extend(current.nodes_before())
    return order


@variant("5.2", "depth_first_order")
def down_one_way_first(node):
    order, seen = [], set()
    stack = [] if node is None else [node]
    while stack:
        current = stack.pop()
        if current in seen:
            continue
        seen.add(current)
        order.append(current)
        stack.extend(current.nodes_before())
    return order


@variant("5.2", "first_input_alone")
def one_line_of_ancestors(node):
    line = []
    while node is not None:
        line.append(node)
        node = next(iter(node.nodes_before()), None)
    return line


@variant("5.2", "by_recursion")
def last_visited_first(node):
    seen, order = set(), []

    def visit(current):
        seen.add(current)
        for before in current.nodes_before():
            if before not in seen:
                visit(before)
        order.append(current)

    if node is not None:
        visit(node)
    return order[::-1]


@variant("5.2", "no_answer_for_a_leaf")
def youngest_from_a_heap(node):
    order, known = [], {node.age: node}
    ages = [-node.age]
    while ages:
        current = known[-heapq.heappop(ages)]
        order.append(current)
        for before in current.nodes_before():
            if before.age not in known:
                known[before.age] = before
                heapq.heappush(ages, -before.age)
    return order


# ---- 5.3 Multiply --------------------------------------------------------------------------------


@variant("5.3", "own_factor")
def each_times_itself(a, b):
    def pull_a(g):
        return np.multiply(a, g)

    def pull_b(g):
        return np.multiply(b, g)

    return np.multiply(a, b), (pull_a, pull_b)


@variant("5.3", "slopes_without_g")
def other_factor_alone(a, b):
    def pull_a(g):
        return np.full_like(g, b)

    def pull_b(g):
        return np.full_like(g, a)

    return np.multiply(a, b), (pull_a, pull_b)


@variant("5.3", "as_if_added")
def rule_of_the_sum(a, b):
    def hand_on(g):
        return np.array(g)

    return np.multiply(a, b), (hand_on, hand_on)


@variant("5.3", "one_pullback")
def pullback_of_a_alone(a, b):
    product = np.multiply(a, b)

    def pull(g):
        return np.multiply(g, b)

    return product, pull


@variant("5.3", "both_factors")
def gradient_times_product(a, b):
    product = a * b

    def pull(g):
        return g * product

    return product, (pull, pull)


@variant("5.3", "first_pullback_writes_into_g")
def multiplied_into_g(a, b):
    def pull_a(g):
        np.multiply(g, b, out=g)
        return g

    def pull_b(g):
        return np.multiply(g, a)

    return np.multiply(a, b), (pull_a, pull_b)


# ---- 5.4 Divide ----------------------------------------------------------------------------------


@variant("5.4", "no_square")
def minus_the_quotient(a, b):
    quotient = np.divide(a, b)

    def pull_b(g):
        return np.negative(g * quotient)

    return quotient, (lambda g: np.divide(g, b), pull_b)


@variant("5.4", "wrong_sign")
def grows_with_the_denominator(a, b):
    inverse = 1 / b
    return np.divide(a, b), (lambda g: g * inverse, lambda g: g * a * inverse * inverse)


@variant("5.4", "no_numerator")
def slope_of_one_over_b(a, b):
    def pull_b(g):
        return -(g / np.square(b))

    return np.divide(a, b), (lambda g: g / b, pull_b)


@variant("5.4", "times_the_denominator")
def multiplied_by_b(a, b):
    def pull_a(g):
        return np.multiply(b, g)

    def pull_b(g):
        return -(g * a / (b * b))

    return a / b, (pull_a, pull_b)


@variant("5.4", "numerator_unchanged")
def slope_of_one(a, b):
    def pull_a(g):
        return np.array(g)

    def pull_b(g):
        return np.divide(-g * a, np.square(b))

    return np.divide(a, b), (pull_a, pull_b)


@variant("5.4", "pullbacks_exchanged")
def denominator_first(a, b):
    y = a / b

    def of_the_numerator(g):
        return g / b

    def of_the_denominator(g):
        return -(g / b) * y

    return y, (of_the_denominator, of_the_numerator)


@variant("5.4", "everything_squared")
def square_of_the_fraction(a, b):
    y = np.divide(a, b)
    return y, (lambda g: np.divide(g, b), lambda g: -g * y * y)


# ---- 5.5 Matrix product --------------------------------------------------------------------------


@variant("5.5", "no_transposes")
def factors_as_they_are(a, b):
    def pull_a(g):
        return np.matmul(g, b)

    def pull_b(g):
        return np.matmul(a, g)

    return np.matmul(a, b), (pull_a, pull_b)


@variant("5.5", "wrong_order")
def g_on_the_other_side(a, b):
    def pull_a(g):
        return np.matmul(np.moveaxis(b, -1, -2), g)

    def pull_b(g):
        return np.matmul(g, np.moveaxis(a, -1, -2))

    return np.matmul(a, b), (pull_a, pull_b)


@variant("5.5", "exchanged")
def second_factor_first(a, b):
    def of_the_left(g):
        return np.einsum("...mn,...kn->...mk", g, b)

    def of_the_right(g):
        return np.einsum("...mk,...mn->...kn", a, g)

    return np.matmul(a, b), (of_the_right, of_the_left)


@variant("5.5", "all_axes_turned")
def transposed_altogether(a, b):
    def pull_a(g):
        return np.matmul(g, np.transpose(b))

    def pull_b(g):
        return np.matmul(np.transpose(a), g)

    return np.matmul(a, b), (pull_a, pull_b)


@variant("5.5", "by_dot")
def dot_of_arrays(a, b):
    def pull_a(g):
        return g.dot(b.swapaxes(-1, -2))

    def pull_b(g):
        return a.swapaxes(-1, -2).dot(g)

    return a.dot(b), (pull_a, pull_b)


@variant("5.5", "gradient_of_b_transposed")
def axes_of_b_named_backwards(a, b):
    def pull_a(g):
        return np.einsum("...ij,...kj->...ik", g, b)

    def pull_b(g):
        return np.einsum("...ik,...ij->...jk", a, g)

    return np.matmul(a, b), (pull_a, pull_b)


@variant("5.5", "as_if_g_were_one")
def gradients_of_the_sum(a, b):
    product = np.matmul(a, b)
    ones = np.ones_like(product)

    def pull_a(g):
        return np.einsum("...ij,...kj->...ik", ones, b)

    def pull_b(g):
        return np.einsum("...ik,...ij->...kj", a, ones)

    return product, (pull_a, pull_b)


# ---- 5.6 Undo the broadcasting -------------------------------------------------------------------


@variant("5.6", "mean_over_kept_axes")
def averaged_where_length_is_one(d, shape, node):
    while d.ndim > len(shape):
        d = np.sum(d, axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            d = np.mean(d, axis=axis, keepdims=True)
    return d


@variant("5.6", "mean_over_leading_axes")
def averaged_in_front(d, shape, node):
    while d.ndim > len(shape):
        d = np.mean(d, axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            d = np.sum(d, axis=axis, keepdims=True)
    return d


@variant("5.6", "first_repeat_alone")
def at_place_zero(d, shape, node):
    while d.ndim > len(shape):
        d = d[0]
    for axis, length in enumerate(shape):
        if length == 1:
            d = np.take(d, [0], axis=axis)
    return d


@variant("5.6", "leading_axes_alone")
def summed_in_front(d, shape, node):
    for _ in range(d.ndim - len(shape)):
        d = np.add.reduce(d, axis=0)
    return d


@variant("5.6", "kept_axes_alone")
def summed_where_length_is_one(d, shape, node):
    for back, length in enumerate(reversed(shape), 1):
        if length == 1:
            d = d.sum(axis=-back, keepdims=True)
    return d


@variant("5.6", "axes_lost")
def summed_without_keepdims(d, shape, node):
    full = (1,) * (d.ndim - len(shape)) + tuple(shape)
    for axis in reversed(range(d.ndim)):
        if full[axis] == 1:
            d = d.sum(axis=axis)
    return d


@variant("5.6", "total_everywhere")
def grand_total(d, shape, node):
    return np.sum(np.ravel(d))


@variant("5.6", "last_axes_summed")
def summed_at_the_end(d, shape, node):
    while d.ndim > len(shape):
        d = np.sum(d, axis=-1)
    for axis, length in enumerate(shape):
        if length == 1:
            d = np.sum(d, axis=axis, keepdims=True)
    return d
