"""Optimizers against PyTorch's, step by step, and the promises of `step`, state and clipping."""

import gc
import json
import weakref
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from minigrad import ops, optimizers, schedules
from minigrad.tensor import Tensor
from tests.strict_array import strict, unwrap

GOLDEN = load_file(Path(__file__).parent / "golden" / "optimizers.safetensors")

# The same as in golden/make_optimizers.py. `adam_late`: the first gradient of one comes at step 3.
METHODS = {
    "sgd": lambda: optimizers.SGD(0.01),
    "sgd_momentum": lambda: optimizers.SGD(0.01, momentum=0.8),
    "sgd_nesterov": lambda: optimizers.SGD(0.01, momentum=0.8, nesterov=True),
    "sgd_clipvalue": lambda: optimizers.SGD(0.01, clipvalue=0.5),
    "sgd_clipnorm": lambda: optimizers.SGD(0.01, clipnorm=2.0),
    "rmsprop": lambda: optimizers.RMSprop(0.01, rho=0.7, epsilon=0.01),
    "rmsprop_momentum": lambda: optimizers.RMSprop(0.01, rho=0.7, momentum=0.8, epsilon=0.01),
    "rmsprop_centered": lambda: optimizers.RMSprop(0.01, rho=0.7, epsilon=0.01, centered=True),
    "adagrad": lambda: optimizers.Adagrad(0.01, initial_accumulator_value=0.1, epsilon=0.01),
    "adam": lambda: optimizers.Adam(0.01, 0.8, 0.95, epsilon=0.01),
    "adam_late": lambda: optimizers.Adam(0.01, 0.8, 0.95, epsilon=0.01),
    "adam_global_clipnorm": lambda: optimizers.Adam(
        0.01, 0.8, 0.95, epsilon=0.01, global_clipnorm=2.0
    ),
    "adamw": lambda: optimizers.AdamW(
        0.01, weight_decay=0.5, beta_1=0.8, beta_2=0.95, epsilon=0.01
    ),
}
EVERY = pytest.mark.parametrize("name", METHODS)
SMALL_AND_LARGE = pytest.mark.parametrize("large", [optimizers.LARGE, 1])


def starting_parameters():
    return [Tensor(GOLDEN[f"start.{i}"].copy(), requires_grad=True) for i in range(2)]


def give_gradients(name, parameters, step):
    for i, parameter in enumerate(parameters):
        parameter.grad = GOLDEN[f"gradients.{i}"][step].copy()
    if name == "adam_late" and step < 3:
        parameters[1].grad = None


def parameter_of(values, gradient=None, dtype="float64"):
    parameter = Tensor(np.array(values, dtype=dtype), requires_grad=True)
    parameter.grad = np.array(values if gradient is None else gradient, dtype=dtype)
    return parameter


class WithMultipliers(Tensor):
    def __init__(self, values, rate=1.0, decay=1.0):
        super().__init__(np.array(values, dtype="float64"), requires_grad=True)
        self.learning_rate_multiplier = rate
        self.weight_decay_multiplier = decay


# ---- The methods ---------------------------------------------------------------------------------


@EVERY
@SMALL_AND_LARGE
def test_ten_steps_equal_those_of_pytorch(name, large, monkeypatch):
    monkeypatch.setattr(optimizers, "LARGE", large)
    parameters, optimizer = starting_parameters(), METHODS[name]()
    for step in range(10):
        give_gradients(name, parameters, step)
        optimizer.step(parameters)
        for i, parameter in enumerate(parameters):
            np.testing.assert_allclose(parameter.data, GOLDEN[f"{name}.{i}"][step], rtol=1e-6)


def test_the_golden_file_has_no_method_that_is_not_compared():
    stored = {name.rpartition(".")[0] for name in GOLDEN}
    assert stored - {"start", "gradients"} == METHODS.keys()


@EVERY
def test_a_quadratic_is_minimized(name):
    x = Tensor(np.array([3.0, -2.0]), requires_grad=True)
    optimizer = METHODS[name]()
    optimizer.learning_rate, optimizer.weight_decay = 0.05, 0.0
    for _ in range(2000):
        x.grad = x.data.copy()
        optimizer.step([x])
    assert np.abs(x.data).max() < 0.3


def test_weight_decay_shrinks_by_rate_times_decay_apart_from_the_gradient():
    x = parameter_of([2.0], gradient=[0.0])
    optimizers.SGD(0.1, weight_decay=0.5).step([x])
    np.testing.assert_allclose(x.data, 2.0 * (1 - 0.1 * 0.5))


def test_multipliers_of_a_parameter_scale_its_rate_and_its_decay():
    plain, slow = WithMultipliers([1.0]), WithMultipliers([1.0], rate=0.5)
    undecayed = WithMultipliers([1.0], decay=0.0)
    for parameter in (plain, slow, undecayed):
        parameter.grad = np.array([1.0])
    optimizers.SGD(0.1, weight_decay=0.5).step([plain, slow, undecayed])
    found = [float(parameter.data[0]) for parameter in (plain, slow, undecayed)]
    np.testing.assert_allclose(found, [0.95 - 0.1, 0.975 - 0.05, 1.0 - 0.1])


def test_a_multiplier_may_change_between_steps():
    x = WithMultipliers([1.0])
    optimizer = optimizers.SGD(0.1)
    for multiplier in (1.0, 0.0):
        x.learning_rate_multiplier = multiplier
        x.grad = np.array([1.0])
        optimizer.step([x])
    np.testing.assert_allclose(x.data, [0.9])


def test_the_rate_follows_a_schedule_of_the_steps_taken():
    x, optimizer = parameter_of([0.0]), optimizers.SGD(lambda step: 10.0**-step)
    seen = []
    for _ in range(3):
        x.grad = np.array([-1.0])
        seen.append(optimizer.rate)
        optimizer.step([x])
    assert seen == [1.0, 0.1, 0.01]
    np.testing.assert_allclose(x.data, [1.11])


def test_a_new_learning_rate_counts_from_the_next_step():
    x, optimizer = parameter_of([1.0]), optimizers.SGD(0.1)
    optimizer.learning_rate = 0.5
    optimizer.step([x])
    np.testing.assert_allclose(x.data, [0.5])


def test_parameters_keep_their_dtype():
    parameters = [parameter_of([1.0], dtype=dtype) for dtype in ("float32", "float64", "float32")]
    optimizers.Adam(np.float64(0.1), global_clipnorm=np.float64(1.0)).step(parameters)
    assert [p.dtype for p in parameters] == ["float32", "float64", "float32"]


def test_a_centered_variance_that_rounds_below_zero_gives_no_nan():
    x = parameter_of(np.linspace(0.1, 1.0, 1000), dtype="float32")
    optimizer = optimizers.RMSprop(1e-9, centered=True)
    for _ in range(300):
        optimizer.step([x])  # the gradient is always the same
    assert np.isfinite(x.data).all()


# ---- What a step takes ---------------------------------------------------------------------------


def test_parameters_without_gradient_or_frozen_stay_as_they_are():
    moved, idle, frozen = (parameter_of([1.0]) for _ in range(3))
    idle.grad, frozen.requires_grad = None, False
    optimizers.SGD(0.1).step([moved, idle, frozen])
    assert [p.data[0] for p in (moved, idle, frozen)] == [0.9, 1.0, 1.0]


def test_a_parameter_given_twice_steps_once():
    x = parameter_of([1.0])
    optimizers.SGD(0.1).step([x, x])
    np.testing.assert_allclose(x.data, [0.9])


def test_parameters_may_come_from_a_generator():
    x = parameter_of([1.0])
    optimizers.SGD(0.1).step(p for p in [x])
    np.testing.assert_allclose(x.data, [0.9])


@pytest.mark.parametrize("shape", [(), (0,), (1, 1), (2, 3, 4)])
def test_parameters_of_any_shape_step(shape):
    x, y = parameter_of(np.ones(shape)), parameter_of([1.0])
    optimizers.Adam(0.1).step([x, y])
    assert x.shape == shape
    np.testing.assert_allclose(x.data, np.full(shape, 0.9), rtol=1e-6)


@SMALL_AND_LARGE
@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_gradients_are_not_changed_even_by_clipping(clip, large, monkeypatch):
    monkeypatch.setattr(optimizers, "LARGE", large)
    x = parameter_of([3.0, 4.0])
    gradient = x.grad
    optimizers.SGD(0.1, **{clip: 1.0}).step([x])
    assert x.grad is gradient
    np.testing.assert_array_equal(gradient, [3.0, 4.0])


@SMALL_AND_LARGE
@pytest.mark.parametrize("kind", [optimizers.SGD, optimizers.Adam, optimizers.AdamW])
def test_to_clip_all_gradients_together_is_to_shorten_each(kind, large, monkeypatch):
    monkeypatch.setattr(optimizers, "LARGE", large)
    clipped = [parameter_of(values) for values in ([3.0, 4.0], [12.0])]  # of norm 13 together
    shortened = [parameter_of(values) for values in ([3.0, 4.0], [12.0])]
    for parameter in shortened:
        parameter.grad = parameter.grad / 2
    one, other = kind(0.1, global_clipnorm=6.5), kind(0.1)
    for _ in range(3):
        one.step(clipped)
        other.step(shortened)
    for ours, expected in zip(clipped, shortened):
        np.testing.assert_allclose(ours.data, expected.data, rtol=1e-6)


def test_the_array_that_a_parameter_was_made_of_is_not_written_to():
    given = np.ones(3)
    x = Tensor(given, requires_grad=True)
    x.grad = np.ones(3)
    optimizers.SGD(0.1).step([x])
    np.testing.assert_array_equal(given, np.ones(3))


def test_a_graph_from_before_the_step_refuses_to_differentiate():
    x = parameter_of([1.0])
    y = ops.sum(ops.square(x))
    optimizers.SGD(0.1).step([x])
    with pytest.raises(RuntimeError, match="updated between forward and backward"):
        y.backward()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (lambda: [], "found no gradient"),
        (lambda: [Tensor([1.0], requires_grad=True)], "found no gradient"),
        (lambda: [np.ones(3)], "leaf Tensors. Received: array"),
        (lambda: [parameter_of([1.0]) * 2], "leaf Tensors. Received: .*made by multiply"),
        (lambda: parameter_of([1.0]), "leaf Tensors. Received: .*made by getitem"),
        (lambda: [parameter_of([1.0], gradient=[[1.0]])], r"shape \(1,\) needs .*\(1, 1\)"),
    ],
)
def test_what_cannot_be_updated_is_an_error(parameters, message):
    with pytest.raises(ValueError, match=message):
        optimizers.SGD().step(parameters())


# ---- Packing -------------------------------------------------------------------------------------


def adam_steps(parameters, steps, optimizer):
    for step in steps:
        for i, parameter in enumerate(parameters):
            parameter.grad = GOLDEN[f"gradients.{i}"][step].copy()
        optimizer.step(parameters)


def test_small_parameters_are_updated_by_one_kernel_call(monkeypatch):
    calls = []
    monkeypatch.setattr(optimizers.kernels, "adam", lambda p, *rest: calls.append(p.size))
    optimizers.Adam().step([parameter_of(np.ones(n)) for n in (1, 2, 3)])
    assert calls == [6]


def test_large_parameters_are_updated_one_by_one_and_their_gradients_not_copied(monkeypatch):
    calls = []
    monkeypatch.setattr(optimizers, "LARGE", 4)
    monkeypatch.setattr(optimizers.kernels, "adam", lambda *arrays: calls.append(arrays[1]))
    shapes = [(2, 2), (3,), (5,), (2,)]
    parameters = [parameter_of(np.ones(shape)) for shape in shapes]
    optimizers.Adam().step(parameters)
    assert [gradient.shape for gradient in calls] == [(4,), (5,), (5,)]
    shared = [any(np.shares_memory(p.grad, gradient) for gradient in calls) for p in parameters]
    assert shared == [True, False, True, False]


def test_a_gradient_of_another_dtype_is_cast(monkeypatch):
    dtypes = []
    monkeypatch.setattr(optimizers.kernels, "adam", lambda *arrays: dtypes.append(arrays[1].dtype))
    large = parameter_of(np.ones(optimizers.LARGE), dtype="float32")
    large.grad = np.ones(optimizers.LARGE, "float64")
    optimizers.Adam().step([large])
    assert dtypes == ["float32"]


def test_packing_is_done_once():
    parameters, optimizer = starting_parameters(), optimizers.Adam()
    adam_steps(parameters, [0], optimizer)
    arrays = [parameter.data for parameter in parameters]
    adam_steps(parameters, [1, 2], optimizer)
    assert all(p.data is array for p, array in zip(parameters, arrays))


def test_assigned_values_are_what_the_next_step_starts_from():
    parameters, optimizer = starting_parameters(), optimizers.SGD(0.1)
    adam_steps(parameters, [0], optimizer)
    parameters[0].assign(np.ones((2, 3)))
    adam_steps(parameters, [1], optimizer)
    np.testing.assert_allclose(parameters[0].data, 1 - 0.1 * GOLDEN["gradients.0"][1])


def test_assigning_keeps_what_the_optimizer_remembers():
    disturbed, undisturbed = starting_parameters(), starting_parameters()
    one, two = METHODS["adam"](), METHODS["adam"]()
    for step in range(4):
        disturbed[0].assign(disturbed[0].data)
        adam_steps(disturbed, [step], one)
        adam_steps(undisturbed, [step], two)
    for a, b in zip(disturbed, undisturbed):
        np.testing.assert_array_equal(a.data, b.data)


def test_two_models_may_take_turns_on_one_optimizer():
    both, optimizer = [starting_parameters(), starting_parameters()], METHODS["adam"]()
    for step in range(10):
        for parameters in both:
            adam_steps(parameters, [step], optimizer)
    for parameters in both:
        for i, parameter in enumerate(parameters):
            np.testing.assert_allclose(parameter.data, GOLDEN[f"adam.{i}"][9], rtol=1e-6)


def test_two_optimizers_may_share_a_parameter():
    x = parameter_of([1.0])
    one, two = optimizers.SGD(0.1), optimizers.SGD(0.2)
    for optimizer in (one, two, one, two):
        x.grad = np.array([1.0])
        optimizer.step([x])
    np.testing.assert_allclose(x.data, [0.4])


def test_a_parameter_in_another_order_keeps_its_state():
    parameters, optimizer = starting_parameters(), METHODS["adam"]()
    for step in range(10):
        for i, parameter in enumerate(parameters):
            parameter.grad = GOLDEN[f"gradients.{i}"][step].copy()
        optimizer.step(parameters if step % 2 else parameters[::-1])
    np.testing.assert_allclose(parameters[1].data, GOLDEN["adam.1"][9], rtol=1e-6)


def test_an_optimizer_does_not_keep_parameters_alive():
    x, optimizer = parameter_of([1.0]), optimizers.Adam()
    optimizer.step([x])
    gone = weakref.ref(x)
    gc.disable()
    del x
    gc.enable()
    assert gone() is None


def test_the_state_of_parameters_that_are_gone_is_forgotten():
    optimizer = optimizers.Adam()
    for _ in range(5):
        optimizer.step([parameter_of([1.0])])
    assert len(optimizer._states) == 1


# ---- On arrays that the host may not read --------------------------------------------------------


@EVERY
@SMALL_AND_LARGE
def test_a_step_reads_no_value_from_the_device(name, large, strict_kernels, monkeypatch):
    monkeypatch.setattr(optimizers, "LARGE", large)
    parameters, optimizer = starting_parameters(), METHODS[name]()
    for parameter in parameters:
        parameter.data = strict(parameter.data)
    for step in range(10):
        give_gradients(name, parameters, step)
        for parameter in parameters:
            parameter.grad = strict(parameter.grad)
        optimizer.step(parameters)
    for i, parameter in enumerate(parameters):
        np.testing.assert_allclose(unwrap(parameter.data), GOLDEN[f"{name}.{i}"][9], rtol=1e-6)


# ---- State and configuration ---------------------------------------------------------------------


@EVERY
def test_a_saved_state_goes_on_bit_for_bit(name):
    parameters, optimizer = starting_parameters(), METHODS[name]()
    for step in range(5):
        give_gradients(name, parameters, step)
        optimizer.step(parameters)
    saved = optimizer.get_state({"w": parameters[0], "b": parameters[1]})
    copies = [Tensor(parameter.data.copy(), requires_grad=True) for parameter in parameters]
    restored = METHODS[name]()
    restored.set_state(saved, {"w": copies[0], "b": copies[1]})
    for step in range(5, 10):
        for both in (parameters, copies):
            give_gradients(name, both, step)
        optimizer.step(parameters)
        restored.step(copies)
    assert restored.iterations == 10
    for parameter, copy in zip(parameters, copies):
        np.testing.assert_array_equal(parameter.data, copy.data)


def test_a_state_is_named_by_path_and_counts_the_steps_of_each_parameter():
    parameters, optimizer = starting_parameters(), METHODS["adam_late"]()
    for step in range(5):
        give_gradients("adam_late", parameters, step)
        optimizer.step(parameters)
    saved = optimizer.get_state({"w": parameters[0], "b": parameters[1]})
    assert saved.keys() == {"iterations", "w.step", "w.m", "w.v", "b.step", "b.m", "b.v"}
    assert (saved["iterations"], saved["w.step"], saved["b.step"]) == (5, 5, 2)
    assert saved["w.m"].shape == (2, 3)


def test_a_saved_state_is_a_copy():
    x, optimizer = parameter_of([1.0]), optimizers.Adam()
    optimizer.step([x])
    saved = optimizer.get_state({"x": x})
    before = saved["x.m"].copy()
    optimizer.step([x])
    np.testing.assert_array_equal(saved["x.m"], before)


def test_a_parameter_that_never_stepped_has_no_state():
    x, idle, optimizer = parameter_of([1.0]), parameter_of([1.0]), optimizers.Adam()
    optimizer.step([x])
    assert not any(name.startswith("idle") for name in optimizer.get_state({"x": x, "idle": idle}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("x.m"), r"missing \['x.m'\]"),
        (lambda s: s.pop("iterations"), r"missing \['iterations'\]"),
        (lambda s: s.update({"y.m": s["x.m"]}), r"unexpected \['y.m'\]"),
        (lambda s: s.pop("x.step"), r"unexpected \['x.m', 'x.v'\]"),
        (lambda s: s.update({"x.v": np.ones(3)}), r"x.v must have shape \(1,\).*\(3,\)"),
    ],
)
def test_a_state_that_does_not_fit_is_an_error_and_changes_nothing(change, message):
    x, optimizer = parameter_of([1.0]), optimizers.Adam()
    optimizer.step([x])
    saved = optimizer.get_state({"x": x})
    optimizer.step([x])
    change(saved)
    with pytest.raises(ValueError, match=message):
        optimizer.set_state(saved, {"x": x})
    assert optimizer.get_state({"x": x})["x.step"] == 2


@EVERY
def test_a_configuration_makes_the_same_optimizer_again(name):
    optimizer = METHODS[name]()
    config = json.loads(json.dumps(optimizer.get_config()))
    assert type(optimizer)(**config).get_config() == optimizer.get_config()


def test_a_configuration_holds_the_schedule():
    optimizer = optimizers.Adam(schedules.CosineDecay(0.1, 100))
    written = {"class_name": "Adam", "config": json.loads(json.dumps(optimizer.get_config()))}
    again = optimizers.get(written)
    for t in (0, 50):
        assert again.learning_rate(t) == optimizer.learning_rate(t)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad", "adam", "adamw", "Adam", "RMSprop"])
def test_optimizers_are_found_by_name(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


def test_an_optimizer_gets_itself():
    optimizer = optimizers.SGD()
    assert optimizers.get(optimizer) is optimizer


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.SGD(-0.1), "learning_rate=-0.1"),
        (lambda: optimizers.SGD(float("nan")), "learning_rate=nan"),
        (lambda: optimizers.SGD(float("inf")), "learning_rate=inf"),
        (lambda: optimizers.SGD(None), "learning rate must be .* Received: None"),
        (lambda: optimizers.SGD(momentum=1.0), "momentum must .* below 1. Received: momentum=1.0"),
        (lambda: optimizers.SGD(nesterov=True), "nesterov needs a momentum"),
        (lambda: optimizers.Adam(beta_1=1.0), "beta_1=1.0"),
        (lambda: optimizers.Adam(beta_2="x"), "beta_2='x'"),
        (lambda: optimizers.Adam(epsilon=-1), "epsilon=-1"),
        (lambda: optimizers.AdamW(weight_decay=-1), "weight_decay=-1"),
        (lambda: optimizers.SGD(clipnorm=0), "clipnorm must .* above 0. Received: clipnorm=0"),
        (lambda: optimizers.SGD(clipnorm=1, clipvalue=1), "one way at most"),
        (lambda: optimizers.Adagrad(initial_accumulator_value=-1), "initial_accumulator_value=-1"),
        (lambda: optimizers.get("adm"), "unknown optimizer 'adm'; did you mean"),
        (lambda: optimizers.get(print), "Received: <built-in"),
        (lambda: optimizers.get(None), "Received: None"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_learning_rate_is_checked_when_it_is_set():
    optimizer = optimizers.SGD()
    with pytest.raises(ValueError, match="learning_rate=-1"):
        optimizer.learning_rate = -1


def test_an_optimizer_of_your_own_needs_a_name_for_its_state_and_an_update():
    class SignSGD(optimizers.Optimizer):
        state_names = ("total",)

        def update(self, parameter, gradient, state, rate, step):
            state["total"] += gradient
            parameter -= rate * np.sign(state["total"])

    x, optimizer = parameter_of([1.0, -2.0]), SignSGD(0.1)
    optimizer.step([x])
    np.testing.assert_allclose(x.data, [0.9, -1.9])


@pytest.mark.parametrize("base", [optimizers.Optimizer, optimizers.Adam])
def test_an_update_of_your_own_without_decay_finds_the_weights_shrunk(base):
    class Descent(base):
        state_names = ()

        def update(self, parameter, gradient, state, rate, step):
            parameter -= rate * gradient

    x = parameter_of([2.0], gradient=[3.0])
    Descent(0.1, weight_decay=0.5).step([x])
    np.testing.assert_allclose(x.data, [2.0 * 0.95 - 0.3])


def test_an_update_of_your_own_may_call_the_one_that_it_replaces():
    class Watched(optimizers.SGD):
        def update(self, parameter, gradient, state, rate, step):
            super().update(parameter, gradient, state, rate, step)

    x = parameter_of([2.0], gradient=[3.0])
    Watched(0.1, weight_decay=0.5).step([x])
    np.testing.assert_allclose(x.data, [2.0 * 0.95 - 0.3])
