"""A student's functions run in the framework, are counted, and leave it as it was."""

import inspect

import numpy as np
import pytest

from lessons import lesson as lessons
from lessons.swapping import swapped
from lessons.target import resolve
from minigrad import Tensor, by_definition, data, losses, ops
from minigrad.layers import Dense

TARGETS = [
    e for number in lessons.numbers() for e in lessons.load(number).exercises.values() if e.target
]


def solved(*numbers):
    """{exercise: its solution}"""
    return {(exercise := lessons.find(number)): exercise.solution for number in numbers}


def place(exercise):
    owner, name = resolve(exercise.target)
    return inspect.getattr_static(owner, name)


@pytest.mark.parametrize("exercise", TARGETS, ids=lambda e: e.number)
def test_a_function_is_in_its_place_and_gone_after_an_error(exercise):
    before = place(exercise)
    with pytest.raises(RuntimeError, match="midway"), swapped({exercise: exercise.solution}):
        assert place(exercise) is not before
        raise RuntimeError("midway")
    assert place(exercise) is before


def test_calls_are_counted_for_each_function():
    x = Tensor(np.float32([[1, -2]]))
    with swapped(solved("6.1", "6.3", "6.4")) as calls:
        ops.relu(x)
        ops.softmax(x)
        ops.softmax(x)
        assert calls == {"6.1": 1, "6.3": 2, "6.4": 0}
    ops.relu(x)
    assert calls["6.1"] == 1


def test_operators_and_methods_of_tensors_mean_the_student_s_function():
    x = Tensor(np.float32([[1, -2]]))
    with swapped(solved("5.3", "5.5")) as calls:
        _ = 2 * x @ np.float32([[1], [1]])
    assert calls == {"5.3": 1, "5.5": 1}
    _ = 2 * x
    assert calls["5.3"] == 1


def test_modules_that_have_imported_a_function_get_it_too():
    with swapped(solved("1.1")) as calls:
        data.Imputer().fit(np.array([[1.0], [np.nan]]))
    assert calls["1.1"] > 0


def test_what_the_framework_has_no_place_for_is_left_out():
    with swapped(solved("2.1")) as calls:
        assert calls == {}


# ---- Fused operations ----------------------------------------------------------------------------


def test_a_fused_operation_gives_way_to_its_definition_where_a_part_is_swapped():
    z, y = Tensor(np.float32([[1, -2]])), np.array([1])
    fused = ops.sparse_softmax_cross_entropy
    with swapped(solved("5.4")) as calls:
        assert ops.sparse_softmax_cross_entropy is by_definition.sparse_softmax_cross_entropy
        ops.sparse_softmax_cross_entropy(z, y)
    assert calls["5.4"] > 0
    assert ops.sparse_softmax_cross_entropy is fused


def test_a_fused_operation_without_the_part_stays():
    fused = ops.layer_norm
    with swapped(solved("5.5")):
        assert ops.layer_norm is fused


def test_a_fused_operation_of_the_student_s_stays_though_a_part_is_swapped():
    z, y = Tensor(np.float32([[1, -2]])), np.array([1])
    with swapped(solved("5.4", "6.5")) as calls:
        ops.sparse_softmax_cross_entropy(z, y)
    assert calls == {"5.4": 0, "6.5": 1}


def test_a_part_of_the_engine_is_called_where_a_fused_operation_would_do_without():
    layer = Dense(2, input_shape=(3,))
    with swapped(solved("5.6")) as calls:
        ops.sum(layer(np.ones((4, 3), np.float32))).backward()
    assert calls["5.6"] > 0


def test_activations_of_a_dense_layer_are_the_student_s():
    with swapped(solved("6.1")) as calls:
        Dense(2, activation="relu")(np.ones((4, 3), np.float32))
    assert calls["6.1"] == 1


LOGITS = [
    ("softmax", losses.sparse_categorical_crossentropy, "6.5"),
    ("sigmoid", losses.binary_crossentropy, "3.2"),
]


@pytest.mark.parametrize("number", ["3.1", "6.3", "5.4"])  # sigmoid, softmax, a part of both
@pytest.mark.parametrize("activation, loss, fused", LOGITS, ids=["softmax", "sigmoid"])
def test_losses_know_the_logits_whatever_is_swapped(activation, loss, fused, number):
    y = np.array([1]) if activation == "softmax" else np.float32([[0, 1]])
    functions = {e: lambda *given, f=f: f(*given) for e, f in solved(number, fused).items()}
    with swapped(functions) as calls:
        loss(y, getattr(ops, activation)(Tensor(np.float32([[1, -2]]))))
    assert calls[fused] == 1
