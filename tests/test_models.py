"""Models: `fit` is the loop one would write by hand, and evaluate and predict tell the truth."""

import re
import sys
import time

import numpy as np
import pytest

from minigrad import (
    callbacks,
    data,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    schedules,
)
from minigrad.layers import Dense
from minigrad.tensor import Tensor
from tests.strict_array import StrictArray, strict


@pytest.fixture(autouse=True)
def seeded():
    random.seed(0)


def flowers(n=50, dtype="float32"):
    """x (n, 4), y (n,): three classes that lie apart."""
    generator = np.random.default_rng(1)
    y = generator.integers(3, size=n)
    centres = generator.normal(size=(3, 4)) * 2
    return (centres[y] + generator.normal(size=(n, 4))).astype(dtype), y


def classifier(*inside, optimizer="adam", loss="sparse_categorical_crossentropy", **options):
    """A small network for flowers, with the same weights after the same seed."""
    first = Dense(8, activation="relu", input_shape=(4,), **options)
    last = Dense(3, activation="softmax", **options)
    model = models.Sequential([first, *inside, last])
    model.build((None, 4))
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def weights_of(model):
    return {path: parameter.numpy() for path, parameter in model.weights().items()}


def assert_same_bits(ours, theirs):
    assert ours.keys() == theirs.keys()
    for path, weight in ours.items():
        np.testing.assert_array_equal(weight, theirs[path], err_msg=path, strict=True)


def trained(x, y=None, epochs=3, batch_size=8, model=None, **options):
    """The weights after a fit that starts from seed 7."""
    random.seed(7)
    model = model or classifier()
    random.seed(8)
    model.fit(x, y, epochs=epochs, batch_size=batch_size, **options)
    return weights_of(model)


# ---- The programs of the first issue -------------------------------------------------------------

DIGITS_PROGRAM = """
from minigrad import layers, models

model = models.Sequential()
model.add(layers.Dense(64, activation='relu', input_shape=(784,)))
model.add(layers.Dense(64, activation='relu'))
model.add(layers.Dense(10, activation='softmax'))
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, epochs=5, batch_size=32)
test_loss, test_acc = model.evaluate(x_test, y_test)
"""

NOISE_PROGRAM = """
import numpy as np
from minigrad.models import Sequential
from minigrad.layers import Dense

x_train = np.random.random((1000, 2)); y_train = np.random.random((1000, 1))
model = Sequential()
model.add(Dense(3, input_dim=2, activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='sgd', metrics=['accuracy'])
model.fit(x_train, y_train, epochs=200, batch_size=10)
"""


def test_the_program_for_images_of_784_pixels_learns_real_digits():
    def as_28_by_28(x):
        tripled = x.reshape(-1, 8, 8).repeat(3, axis=1).repeat(3, axis=2)
        return np.pad(tripled, ((0, 0), (2, 2), (2, 2))).reshape(-1, 784)

    (x_train, y_train), (x_test, y_test) = data.digits.load_data()
    names = {
        "x_train": as_28_by_28(x_train),
        "y_train": y_train,
        "x_test": as_28_by_28(x_test),
        "y_test": y_test,
    }
    exec(DIGITS_PROGRAM, names)
    assert names["model"].count_params() == 784 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10
    assert names["test_acc"] > 0.9 and names["test_loss"] < 0.4


def test_the_program_for_noise_learns_that_there_is_nothing_to_learn():
    names = {}
    np.random.seed(0)
    exec(NOISE_PROGRAM, names)
    x, y = names["x_train"], names["y_train"]
    assert names["model"].evaluate(x, y)[0] == pytest.approx(np.log(2), abs=0.01)
    assert names["model"].predict(x) == pytest.approx(0.5, abs=0.2)


# ---- fit is the loop -----------------------------------------------------------------------------


def test_fit_equals_the_loop_written_by_hand():
    def made():
        random.seed(3)
        return classifier(layers.BatchNormalization(), layers.Dropout(0.5))

    x, y = flowers(50)
    fitted = made()
    history = fitted.fit(x, y, batch_size=8, epochs=3)

    model = made()
    optimizer = optimizers.Adam()
    loss_of = losses.SparseCategoricalCrossentropy()
    batches = data.Batches(x, y, batch_size=8, shuffle=True)
    means = []
    for _ in range(3):
        total = 0.0
        for some_x, some_y in batches:
            loss = loss_of(some_y, model(some_x, training=True))
            loss.backward()
            optimizer.step(model.parameters())
            model.zero_grad()
            total += loss.item() * len(some_x)
        means.append(total / len(x))

    assert history.history["loss"] == means
    assert_same_bits(weights_of(fitted), weights_of(model))


def test_fit_leaves_no_gradient_behind():
    model = classifier()
    model.fit(*flowers())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_fit_uses_a_train_step_of_your_own():
    class Twice(models.Sequential):
        def train_step(self, *arguments, **options):
            super().train_step(*arguments, **options)
            return super().train_step(*arguments, **options)

    model = Twice([Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(*flowers(50), batch_size=10)
    assert model.optimizer.iterations == 10


def test_a_loss_and_a_metric_may_be_functions_of_your_own():
    def cubic_loss(y_true, y_pred):
        return ops.mean(ops.absolute(y_pred - y_true) ** 3, axis=-1)

    def largest_error(y_true, y_pred):
        return np.max(np.abs(y_true - y_pred), axis=-1)

    x, _ = flowers()
    model = models.Sequential([Dense(4)])
    model.compile("sgd", cubic_loss, [largest_error])
    model.fit(x, x)
    errors = np.abs(model.predict(x) - x)
    expected = {"loss": np.mean(errors**3), "largest_error": np.mean(errors.max(axis=1))}
    assert model.evaluate(x, x, return_dict=True) == pytest.approx(expected, rel=1e-5)


def test_fit_reads_nothing_from_the_device_in_a_step(strict_kernels, monkeypatch):
    """The number of reads per epoch is that of the numbers shown, for any number of batches."""

    def reads(n_batches, verbose):
        x, y = flowers(20)
        inner = layers.Dropout(0.5), layers.BatchNormalization()
        model = classifier(*inner, kernel_regularizer="l1_l2")
        for parameter in model.weights().values():
            parameter.data = strict(parameter.data)
        before = StrictArray.reads
        model.fit([(strict(x), strict(y))] * n_batches, epochs=2, verbose=verbose)
        return StrictArray.reads - before

    monkeypatch.setattr(time, "monotonic", lambda: 0.0)  # else the bar shows numbers on its way
    for verbose in (0, 1, 2):
        assert 4 <= reads(2, verbose) == reads(9, verbose) < 20


def test_the_progress_bar_reads_the_loss_when_a_tenth_of_a_second_has_passed(capsys, monkeypatch):
    seconds = iter(np.arange(0.0, 100.0, 0.04))
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    shown = []
    monkeypatch.setattr(callbacks.ProgressBar, "_show", lambda bar, logs: shown.append(dict(logs)))
    classifier().fit(*flowers(40), batch_size=1, verbose=1)
    assert 8 <= len(shown) <= 20


# ---- What fit is given ---------------------------------------------------------------------------


class Epoch:
    """An iterable that starts anew, and does not know its length."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


@pytest.mark.parametrize("iterable", [list, tuple, Epoch])
def test_an_iterable_of_batches_trains_as_arrays_do(iterable):
    x, y = flowers(50)
    batches = iterable([(x[i : i + 8], y[i : i + 8]) for i in range(0, 50, 8)])
    assert_same_bits(trained(batches), trained(x, y, shuffle=False))


def test_batches_may_carry_weights():
    x, y = flowers(50)
    w = np.linspace(0, 2, 50)
    batches = [(x[i : i + 8], y[i : i + 8], w[i : i + 8]) for i in range(0, 50, 8)]
    assert_same_bits(trained(batches), trained(x, y, shuffle=False, sample_weight=w))


def test_batches_of_tensors_train_as_arrays_do():
    x, y = flowers(48)
    batches = [(Tensor(x[i : i + 8]), Tensor(y[i : i + 8])) for i in range(0, 48, 8)]
    assert_same_bits(trained(batches), trained(x, y, shuffle=False))


def test_batches_are_shuffled_as_fit_does():
    x, y = flowers(50)
    batches = data.Batches(x, y, batch_size=8, shuffle=True)
    assert_same_bits(trained(batches), trained(x, y))


def test_a_generator_lasts_for_one_epoch():
    x, y = flowers()
    model = classifier()
    assert len(model.fit((batch for batch in [(x, y)]), epochs=1).history["loss"]) == 1
    with pytest.raises(ValueError, match="start anew in every epoch, which a generator does not"):
        model.fit((batch for batch in [(x, y)]), epochs=2)


def test_without_shuffling_batches_come_in_order():
    assert_batches(flowers(20), seen(shuffle=False), np.arange(20), np.arange(20))


def test_each_epoch_has_an_order_of_its_own_with_x_and_y_together():
    random.seed(5)
    batches = seen(shuffle=True)
    random.seed(5)
    orders = [random.generator().permutation(20) for _ in range(2)]
    assert not np.array_equal(*orders)
    assert_batches(flowers(20), batches, *orders)


def seen(**options):
    """The (x, y) that train_step was given in two epochs."""
    batches = []

    class Spy(models.Sequential):
        def train_step(self, x, y, **options):
            batches.append((x, y))
            return super().train_step(x, y, **options)

    state = random.get_state()
    model = Spy([Dense(3, activation="softmax", input_shape=(4,))])
    model.build((None, 4))
    random.set_state(state)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(*flowers(20), batch_size=8, epochs=2, **options)
    return batches


def assert_batches(arrays, batches, *orders):
    assert [len(x) for x, _ in batches] == [8, 8, 4] * 2
    for i, array in enumerate(arrays):
        expected = np.concatenate([array[order] for order in orders])
        np.testing.assert_array_equal(np.concatenate([batch[i] for batch in batches]), expected)


def test_data_may_be_lists_tensors_or_what_turns_into_an_array():
    class Frame:
        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            return np.array(self.values, dtype)

    x, y = flowers(20)
    expected = trained(x, y)
    assert_same_bits(trained(x.tolist(), y.tolist()), expected)
    assert_same_bits(trained(Tensor(x), Tensor(y)), expected)
    assert_same_bits(trained(Frame(x), Frame(y)), expected)


def test_data_in_float64_train_a_float32_model_as_if_they_were_float32():
    x, y = flowers(20, "float64")
    after = trained(x, y)
    assert all(weight.dtype == np.float32 for weight in after.values())
    assert_same_bits(after, trained(x.astype(np.float32), y))


def test_a_float64_model_stays_float64_on_float32_data():
    x, y = flowers(20)
    random.seed(7)
    model = classifier(dtype="float64")
    after = trained(x, y, model=model)
    assert all(weight.dtype == np.float64 for weight in after.values())
    assert model.predict(x).dtype == np.float64


def test_pixels_may_be_integers():
    x, y = flowers(20)
    pixels = np.abs(x * 10).astype(np.uint8)
    assert_same_bits(trained(pixels, y), trained(pixels.astype(np.float32), y))


@pytest.mark.parametrize("dtype", [*"bBhHiIlLqQ", "float32", "float64"])
def test_labels_may_be_of_any_dtype_that_holds_integers(dtype):
    x, y = flowers(20)
    assert_same_bits(trained(x, y.astype(dtype)), trained(x, y))


def test_labels_may_be_a_column():
    x, y = flowers(20)
    assert_same_bits(trained(x, y[:, None]), trained(x, y))


# ---- Weights of examples and classes -------------------------------------------------------------


def test_a_sample_weight_multiplies_the_loss_of_its_example():
    """Half of the examples with weight 2, the others with 0: the mean is that of the first half."""
    x, y = flowers(40)
    w = np.repeat([2.0, 0.0], 20)
    whole = trained(x, y, batch_size=40, sample_weight=w, model=classifier(optimizer="sgd"))
    random.seed(0)
    half = trained(x[:20], y[:20], batch_size=20, model=classifier(optimizer="sgd"))
    for path, weight in whole.items():
        np.testing.assert_allclose(weight, half[path], rtol=1e-4, atol=1e-6)


def test_sample_weights_are_shuffled_with_their_examples():
    """A heavy example decides what a model of a constant learns, in whatever batch it comes."""
    x, y = np.ones((30, 1)), np.zeros((30, 1))
    y[3], w = 1.0, np.full(30, 0.01)
    w[3] = 3.0
    model = models.Sequential([Dense(1)])
    model.compile(optimizers.SGD(0.1), "mse")
    model.fit(x, y, sample_weight=w, batch_size=5, epochs=100)
    assert model.predict(x[:1]).item() == pytest.approx(3 / 3.29, abs=0.1)


CLASS_WEIGHT = {0: 0.5, 2: 3.0, 1: 1.0}


@pytest.mark.parametrize("form", ["(n,)", "(n, 1)", "one-hot"])
def test_a_class_weight_is_the_sample_weight_of_its_class(form):
    x, y = flowers()
    w = np.array([0.5, 1.0, 3.0])[y]
    labels = {"(n,)": y, "(n, 1)": y[:, None], "one-hot": np.eye(3)[y]}[form]
    loss = "categorical_crossentropy" if form == "one-hot" else "sparse_categorical_crossentropy"

    def run(**weights):
        random.seed(0)
        return trained(x, labels, model=classifier(loss=loss), **weights)

    assert_same_bits(run(class_weight=CLASS_WEIGHT), run(sample_weight=w))


def test_a_class_weight_multiplies_the_sample_weight():
    x, y = flowers()
    w = np.linspace(0, 1, 50)
    both = trained(x, y, class_weight=CLASS_WEIGHT, sample_weight=w)
    assert_same_bits(both, trained(x, y, sample_weight=w * np.array([0.5, 1.0, 3.0])[y]))


def test_a_class_weight_holds_for_batches():
    x, y = flowers(48)
    batches = [(x[i : i + 8], y[i : i + 8]) for i in range(0, 48, 8)]
    expected = trained(x, y, shuffle=False, class_weight=CLASS_WEIGHT)
    assert_same_bits(trained(batches, class_weight=CLASS_WEIGHT), expected)


def test_a_class_weight_does_not_change_how_validation_counts():
    x, y = flowers()
    model = classifier(optimizer=optimizers.SGD(0.0))
    history = model.fit(x, y, class_weight=CLASS_WEIGHT, validation_split=0.2).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(x[40:], y[40:])[0], rel=1e-6)


# ---- Validation ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    {
        "a tuple": lambda x, y: (x, y),
        "a list": lambda x, y: [x, y],
        "a tuple of lists": lambda x, y: (x.tolist(), y.tolist()),
        "a list of batches": lambda x, y: [(x[:8], y[:8]), (x[8:], y[8:])],
        "an iterable": lambda x, y: Epoch([(x[:8], y[:8]), (x[8:], y[8:])]),
    }.values(),
)
def test_validation_data_are_evaluated_after_each_epoch(form):
    (x, y), model = flowers(), classifier()
    evaluated = []

    def evaluate(epoch, logs):
        evaluated.append(model.evaluate(x[:12], y[:12]))

    told = [callbacks.LambdaCallback(on_epoch_end=evaluate)]
    history = model.fit(x, y, epochs=3, validation_data=form(x[:12], y[:12]), callbacks=told)
    ours = np.array([history.history["val_loss"], history.history["val_accuracy"]]).T
    np.testing.assert_allclose(ours, evaluated, rtol=1e-6)
    assert len(set(history.history["val_loss"])) == 3


def test_validation_data_may_carry_weights():
    (x, y), w, model = flowers(), np.linspace(0, 3, 50), classifier()
    history = model.fit(x, y, validation_data=(x, y, w))
    expected = model.evaluate(x, y, sample_weight=w)[0]
    assert history.history["val_loss"][0] == pytest.approx(expected, rel=1e-6)
    assert expected != pytest.approx(model.evaluate(x, y)[0], rel=1e-3)


def test_validation_leaves_training_as_it_is():
    x, y = flowers()
    assert_same_bits(trained(x, y, validation_data=(x[:9], y[:9])), trained(x, y))


def test_a_validation_split_holds_the_last_share_out():
    x, y = flowers(50)
    (random.seed(7), random.seed(8))
    split, apart = classifier(), classifier()
    apart.set_weights(weights_of(split))
    random.seed(8)
    one = split.fit(x, y, epochs=2, validation_split=0.3)
    random.seed(8)
    two = apart.fit(x[:35], y[:35], epochs=2, validation_data=(x[35:], y[35:]))
    assert one.history == two.history
    assert_same_bits(weights_of(split), weights_of(apart))


def test_a_validation_split_divides_the_sample_weights_too():
    (x, y), w = flowers(50), np.linspace(0, 3, 50)
    model = classifier(optimizer=optimizers.SGD(0.0))
    history = model.fit(x, y, sample_weight=w, validation_split=0.2).history
    for name, rows in {"loss": slice(0, 40), "val_loss": slice(40, 50)}.items():
        expected = model.evaluate(x[rows], y[rows], sample_weight=w[rows])[0]
        assert history[name][0] == pytest.approx(expected, rel=1e-5)


# ---- What fit returns and raises -----------------------------------------------------------------


def test_history_has_one_number_per_epoch_for_the_loss_and_each_metric():
    x, y = flowers()
    model = classifier()
    top_2 = metrics.Metric("sparse_top_k_categorical_accuracy", k=2)
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy", top_2])
    history = model.fit(x, y, epochs=4, validation_split=0.2)
    assert list(history.history) == [
        "loss",
        "accuracy",
        "sparse_top_k_categorical_accuracy",
        "val_loss",
        "val_accuracy",
        "val_sparse_top_k_categorical_accuracy",
    ]
    assert all(len(numbers) == 4 for numbers in history.history.values())
    assert all(type(n) is float for numbers in history.history.values() for n in numbers)
    assert history.epoch == [0, 1, 2, 3]


def test_initial_epoch_goes_on_counting_to_epochs():
    model = classifier()
    assert model.fit(*flowers(), epochs=5, initial_epoch=3).epoch == [3, 4]
    assert model.optimizer.iterations == 2 * 2


def test_the_training_loss_counts_a_short_last_batch_for_what_it_is():
    x, y = flowers(10)
    y = np.where(np.arange(10) < 8, y, 2 - y)
    model = classifier(optimizer=optimizers.SGD(0.0))
    history = model.fit(x, y, batch_size=8, shuffle=False).history
    expected = model.evaluate(x, y, batch_size=10, return_dict=True)
    assert history["loss"][0] == pytest.approx(expected["loss"], rel=1e-6)
    assert history["accuracy"][0] == expected["accuracy"]


def test_regularizers_are_part_of_the_loss():
    x, y = flowers()
    model = classifier(optimizer=optimizers.SGD(0.0), kernel_regularizer="l2")
    weights = weights_of(model)
    penalty = 0.01 * sum(np.sum(np.square(weights[name])) for name in ("0.weight", "1.weight"))
    history = model.fit(x, y, epochs=1).history

    bare = classifier()
    bare.set_weights(weights)
    assert history["loss"][0] == pytest.approx(bare.evaluate(x, y)[0] + penalty, rel=1e-5)
    assert model.evaluate(x, y)[0] == pytest.approx(history["loss"][0], rel=1e-5)


def test_regularizers_pull_weights_to_zero():
    penalty = regularizers.L2(0.1)
    layer = Dense(1, kernel_initializer="ones", kernel_regularizer=penalty, use_bias=False)
    model = models.Sequential([layer])
    model.compile(optimizers.SGD(0.5), "mse")
    model.fit(np.zeros((4, 3)), np.zeros((4, 1)), epochs=1, batch_size=4)
    np.testing.assert_allclose(layer.weight.numpy(), 0.9)  # 1 - 0.5 * 2 * 0.1


def diverging(learning_rate):
    model = models.Sequential([Dense(1)])
    model.compile(optimizers.SGD(learning_rate), "mse")
    return model


@pytest.mark.parametrize("rate", [1e30, schedules.Constant(1e30)], ids=["number", "schedule"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_nan_ends_training_and_names_the_learning_rate(rate):
    x, _ = flowers()
    history = callbacks.History()
    with pytest.raises(ValueError, match=r"NaN in epoch (\d+).*learning_rate=.*1e\+30") as raised:
        diverging(rate).fit(x, x[:, :1], epochs=30, callbacks=[history])
    epoch = int(re.search(r"epoch (\d+)", str(raised.value))[1])
    assert len(history.history["loss"]) == epoch < 30  # the last one is the NaN
    assert np.isnan(history.history["loss"][-1])


def test_two_runs_from_one_seed_are_the_same_and_from_another_differ():
    x, y = flowers()

    def run(seed):
        random.seed(seed)
        model = classifier(layers.Dropout(0.3))
        return model.fit(x, y, epochs=2).history["loss"], weights_of(model)

    (losses_a, weights_a), (losses_b, weights_b), (losses_c, _) = run(1), run(1), run(2)
    assert losses_a == losses_b != losses_c
    assert_same_bits(weights_a, weights_b)


# ---- Callbacks -----------------------------------------------------------------------------------


class Diary(callbacks.Callback):
    def __init__(self):
        self.entries = []

    def on_train_begin(self):
        self.entries.append("begin")

    def on_epoch_begin(self, epoch):
        self.entries.append(f"epoch {epoch}")

    def on_train_batch_end(self, batch, logs):
        self.entries.append(f"batch {batch}: {' '.join(logs)}")

    def on_epoch_end(self, epoch, logs):
        self.entries.append(f"end of {epoch}: {' '.join(logs)}")

    def on_train_end(self):
        self.entries.append("end")


def test_callbacks_are_told_in_order():
    diary = Diary()
    model = classifier()
    model.fit(*flowers(20), batch_size=8, epochs=2, validation_split=0.2, callbacks=[diary])
    epochs = [
        [
            f"epoch {epoch}",
            "batch 0: loss accuracy",
            "batch 1: loss accuracy",
            f"end of {epoch}: loss accuracy val_loss val_accuracy",
        ]
        for epoch in range(2)
    ]
    assert diary.entries == ["begin", *epochs[0], *epochs[1], "end"]
    assert diary.model is model


@pytest.mark.parametrize("moment", ["on_epoch_begin", "on_train_batch_end", "on_epoch_end"])
def test_evaluating_in_a_callback_leaves_the_numbers_of_training_alone(moment):
    x, y = flowers(20)
    random.seed(3)
    undisturbed = classifier().fit(x, y, batch_size=8, epochs=2, validation_split=0.2)
    evaluated = []

    def evaluate(*_):
        evaluated.append(spy.model.evaluate(x[:4], y[:4], verbose=0))

    spy = callbacks.LambdaCallback(**{moment: evaluate})
    random.seed(3)
    model = classifier()
    history = model.fit(x, y, batch_size=8, epochs=2, validation_split=0.2, callbacks=[spy])
    assert history.history == undisturbed.history and evaluated


def test_several_callbacks_are_told_one_after_the_other():
    told = []
    first, second = (
        callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs, name=name: told.append(name))
        for name in ("first", "second")
    )
    classifier().fit(*flowers(), epochs=2, callbacks=[first, second])
    assert told == ["first", "second"] * 2


def test_a_batch_is_logged_with_the_means_so_far():
    x, y = flowers(20)
    model = classifier(optimizer=optimizers.SGD(0.0))
    running = []
    spy = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: running.append(dict(logs))
    )
    model.fit(x, y, batch_size=8, shuffle=False, callbacks=[spy])
    for n, logs in zip((8, 16, 20), running, strict=True):
        assert logs == pytest.approx(model.evaluate(x[:n], y[:n], return_dict=True), rel=1e-5)


def test_stop_training_in_a_batch_ends_fit_after_it():
    model, diary = classifier(), Diary()

    def stop(batch, logs):
        model.stop_training = batch == 1

    told = [diary, callbacks.LambdaCallback(on_train_batch_end=stop)]
    model.fit(*flowers(), batch_size=8, epochs=5, callbacks=told)
    assert model.optimizer.iterations == 2
    assert diary.entries[-2:] == ["end of 0: loss accuracy", "end"]


def test_stop_training_at_the_end_of_an_epoch_ends_fit_and_the_next_fit_starts_again():
    model = classifier()

    def stop(epoch, logs):
        model.stop_training = epoch == 1

    told = [callbacks.LambdaCallback(on_epoch_end=stop)]
    assert model.fit(*flowers(), epochs=5, callbacks=told).epoch == [0, 1]
    assert model.fit(*flowers(), epochs=3).epoch == [0, 1, 2]


def test_a_history_may_be_passed_as_a_callback():
    history = callbacks.History()
    returned = classifier().fit(*flowers(), epochs=2, callbacks=[history])
    assert history.history == returned.history


# ---- What is shown -------------------------------------------------------------------------------


def shown(capsys, verbose, epochs=2):
    x, y = flowers()
    model = classifier()
    model.fit(x, y, batch_size=10, epochs=epochs, verbose=verbose)
    fit = capsys.readouterr()
    model.evaluate(x, y, verbose=verbose)
    evaluate = capsys.readouterr()
    model.predict(x, verbose=verbose)
    predict = capsys.readouterr()
    assert fit.err == evaluate.err == predict.err == ""
    return fit.out, evaluate.out, predict.out


@pytest.mark.parametrize("verbose", ["auto", 0])
def test_nothing_is_shown_without_a_terminal_or_when_told_so(capsys, verbose):
    assert shown(capsys, verbose) == ("", "", "")


def test_verbose_1_shows_a_bar_with_loss_metrics_and_time_left(capsys):
    fit, evaluate, predict = shown(capsys, verbose=1)
    for epoch in (1, 2):
        last = next(line for line in re.split("[\r\n]", fit)[::-1] if f"Epoch {epoch}/2" in line)
        assert re.search(r"100%.* 5/5 \[00:00<00:00.*loss=[\d.]+, accuracy=[\d.]+", last)
    assert "Evaluating: 100%" in evaluate and "Predicting: 100%" in predict


def test_the_bar_shows_the_numbers_of_history(capsys):
    history = classifier().fit(*flowers(), verbose=1).history
    assert f"loss={history['loss'][0]:.4g}" in capsys.readouterr().out


def test_a_bar_needs_no_known_number_of_batches(capsys):
    classifier().fit(Epoch([flowers()] * 3), verbose=1)
    assert "3step" in capsys.readouterr().out.replace(" ", "")


def test_verbose_2_prints_a_line_per_epoch(capsys):
    fit, evaluate, predict = shown(capsys, verbose=2)
    number = r"\d+\.\d{4}"
    lines = [rf"epoch {epoch}/2  \d\.\d s  loss {number}  accuracy {number}\n" for epoch in (1, 2)]
    assert re.fullmatch("".join(lines), fit)
    assert (evaluate, predict) == ("", "")


def test_auto_shows_a_bar_in_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert all("100%" in out for out in shown(capsys, "auto"))


def test_auto_shows_a_bar_in_a_notebook(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert all("100%" in out for out in shown(capsys, "auto"))


# ---- evaluate and predict ------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 7, 50, 1000])
def test_evaluate_and_predict_do_not_depend_on_the_batch_size(batch_size):
    (x, y), model = flowers(50), classifier(layers.Dropout(0.5), layers.BatchNormalization())
    model.fit(x, y)
    results = model.evaluate(x, y, batch_size=batch_size)
    np.testing.assert_allclose(results, model.evaluate(x, y), rtol=1e-5)
    predictions = model.predict(x, batch_size=batch_size)
    np.testing.assert_allclose(predictions, model.predict(x), rtol=1e-4, atol=1e-6)


def test_predict_is_the_call_without_training():
    (x, _), model = flowers(), classifier(layers.Dropout(0.5))
    predictions = model.predict(x, batch_size=50)
    assert type(predictions) is np.ndarray and predictions.flags.writeable
    np.testing.assert_array_equal(predictions, model(x).numpy())


def test_evaluate_returns_the_loss_and_each_metric():
    (x, y), model = flowers(), classifier()
    p = model.predict(x)
    loss = -np.mean(np.log(p[np.arange(50), y]))
    accuracy = np.mean(p.argmax(axis=1) == y)
    assert model.evaluate(x, y) == pytest.approx([loss, accuracy], rel=1e-5)
    named = {"loss": loss, "accuracy": accuracy}
    assert model.evaluate(x, y, return_dict=True) == pytest.approx(named, rel=1e-5)
    model.compile("adam", "sparse_categorical_crossentropy")
    assert model.evaluate(x, y) == pytest.approx(loss, rel=1e-5)


def test_evaluate_weighs_the_loss_of_examples_and_no_metric():
    (x, y), model = flowers(), classifier()
    w = np.linspace(0, 3, 50)
    p = model.predict(x)
    loss = -np.mean(w * np.log(p[np.arange(50), y]))
    accuracy = np.mean(p.argmax(axis=1) == y)  # as in Keras
    assert model.evaluate(x, y, sample_weight=w) == pytest.approx([loss, accuracy], rel=1e-5)


def test_evaluate_takes_batches():
    (x, y), model = flowers(), classifier()
    batches = [(x[:30], y[:30]), (x[30:], y[30:])]
    assert model.evaluate(batches) == pytest.approx(model.evaluate(x, y), rel=1e-6)
    assert model.evaluate(iter(batches)) == pytest.approx(model.evaluate(x, y), rel=1e-6)


def test_evaluate_and_predict_record_nothing():
    recorded = []

    class Looks(layers.Layer):
        def call(self, x):
            recorded.append(x.node is not None)
            return x

    (x, y), model = flowers(), classifier(Looks())
    recorded.clear()
    model.evaluate(x, y, batch_size=50)
    model.predict(x, batch_size=50)
    model(x)
    assert recorded == [False, False, True]


def test_evaluate_and_predict_change_nothing():
    (x, y), model = flowers(), classifier(layers.BatchNormalization(), layers.Dropout(0.5))
    before, state = weights_of(model), random.get_state()
    model.evaluate(x, y)
    model.predict(x)
    assert_same_bits(weights_of(model), before)
    assert random.get_state() == state
    assert model.optimizer.iterations == 0
    assert all(parameter.grad is None for parameter in model.parameters())


# ---- compile and optimizers ----------------------------------------------------------------------


def test_compile_takes_names_and_objects():
    by_name, by_object = classifier(), classifier()
    by_name.compile("sgd", "mse", ["mae"])
    by_object.compile(optimizers.SGD(), losses.MeanSquaredError(), [metrics.Metric("mae")])
    for model in (by_name, by_object):
        assert isinstance(model.optimizer, optimizers.SGD)
        assert isinstance(model.loss, losses.MeanSquaredError)
        assert [metric.name for metric in model.metrics] == ["mae"]


def test_a_compile_that_fails_changes_nothing():
    model = classifier()
    before = model.optimizer, model.loss, model.metrics
    for wrong in (("adm", "mse", []), ("adam", "mze", []), ("adam", "mse", ["acuracy"])):
        with pytest.raises(ValueError, match="did you mean"):
            model.compile(*wrong)
    assert (model.optimizer, model.loss, model.metrics) == before


def test_compiling_again_keeps_the_weights():
    model = classifier()
    before = weights_of(model)
    model.compile("sgd", "mse")
    assert_same_bits(weights_of(model), before)


def test_an_optimizer_may_be_made_before_the_model_is_built():
    x, y = flowers()
    optimizer = optimizers.Adam(0.1)
    model = models.Sequential()
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.add(Dense(3, activation="softmax"))
    history = model.fit(x, y, epochs=20).history["loss"]
    assert optimizer.iterations == 40 and history[-1] < 0.7 * history[0]


def test_two_models_may_share_one_optimizer():
    x, y = flowers()

    def in_turns(first, second):
        random.seed(4)
        a, b = classifier(optimizer=first), classifier(optimizer=second)
        for _ in range(3):
            a.fit(x, y, shuffle=False)
            b.fit(-x, y, shuffle=False)
        return weights_of(a), weights_of(b)

    shared = optimizers.Adam(0.01)
    with_one = in_turns(shared, shared)
    with_two = in_turns(optimizers.Adam(0.01), optimizers.Adam(0.01))
    for ours, theirs in zip(with_one, with_two, strict=True):
        assert_same_bits(ours, theirs)


# ---- Sharing and freezing layers -----------------------------------------------------------------


def test_a_layer_that_is_used_twice_steps_once():
    shared = Dense(2, use_bias=False, kernel_initializer="ones")
    model = models.Sequential([shared, shared])
    model.compile(optimizers.SGD(0.1), "mse")
    x, y = np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]])
    model.fit(x, y)
    assert list(model.weights()) == ["0.weight"]
    # x W W = (2, 2), so L = 4 and dL/dŷ = (2, 2): dL/dW = xᵀ(g Wᵀ) + (x W)ᵀ g
    gradient = np.array([[4 + 2, 4 + 2], [2, 2]])
    np.testing.assert_allclose(shared.weight.numpy(), 1 - 0.1 * gradient, rtol=1e-6)


def gradients_at_step(model, monkeypatch):
    """A list that gets {path: gradient} at each step of the model's optimizer."""
    steps, step = [], model.optimizer.step

    def spy(parameters):
        steps.append({path: weight.grad for path, weight in model.weights().items()})
        step(parameters)

    monkeypatch.setattr(model.optimizer, "step", spy)
    return steps


def test_a_frozen_layer_does_not_learn_and_has_no_gradient(monkeypatch):
    model = classifier()
    before = weights_of(model)
    model.layers[0].trainable = False
    steps = gradients_at_step(model, monkeypatch)
    model.fit(*flowers(), epochs=2)

    after = weights_of(model)
    for path in before:
        frozen = path.startswith("0.")
        assert np.array_equal(before[path], after[path]) == frozen
        assert all((gradients[path] is None) == frozen for gradients in steps)


def test_a_layer_that_is_no_longer_frozen_learns_again():
    model = classifier(layers.BatchNormalization())
    model.trainable = False
    model.layers[2].trainable = True
    model.fit(*flowers())
    before = weights_of(model)
    model.trainable = True
    model.fit(*flowers())
    after = weights_of(model)
    assert all(not np.array_equal(before[path], after[path]) for path in before)
    assert not model.layers[1].moving_mean.requires_grad  # it is no Parameter that is learned


@pytest.mark.parametrize("built", [True, False])
def test_all_but_the_last_layer_may_be_frozen(built):
    model = models.Sequential([Dense(8, input_shape=(4,)), models.Sequential([Dense(5), Dense(3)])])
    if built:
        model.build((None, 4))
    model.trainable = False
    model.layers[1].layers[1].trainable = True
    learning = {path for path, weight in model.weights().items() if weight.requires_grad}
    assert learning == {"1.1.weight", "1.1.bias"}


def test_a_layer_whose_inside_alone_may_learn_has_frozen_weights_of_its_own():
    class Scaled(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Dense(2)

        def build(self, input_shape):
            self.scale = self.add_weight((1,), "ones")

        def call(self, x):
            return self.inner(x) * self.scale

    layer = Scaled()
    layer.trainable = False
    layer.inner.trainable = True
    layer(np.ones((1, 3)))
    assert not layer.scale.requires_grad and layer.inner.weight.requires_grad


@pytest.mark.parametrize("freeze", ["argument", "attribute"])
def test_a_model_that_is_frozen_before_it_is_built_is_frozen_throughout(freeze):
    class Block(layers.Layer):
        def build(self, input_shape):
            self.inner = [Dense(3)]

        def call(self, x):
            return self.inner[0](x)

    inside = [Block(), Dense(3, activation="softmax")]
    model = models.Sequential(inside, trainable=freeze != "argument")
    if freeze == "attribute":
        model.trainable = False
    model(np.ones((1, 4)))
    assert list(model.weights()) == ["0.inner.0.weight", "0.inner.0.bias", "1.weight", "1.bias"]
    assert not any(weight.requires_grad for weight in model.weights().values())


def test_frozen_batch_normalization_keeps_its_averages():
    model = classifier(layers.BatchNormalization())
    model.layers[1].trainable = False
    model.fit(*flowers())
    np.testing.assert_array_equal(model.layers[1].moving_mean.numpy(), np.zeros(8))


# ---- Models and layers of your own ---------------------------------------------------------------


class Block(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.inner = Dense(units, activation="relu")
        self.drop = layers.Dropout(0.1)

    def call(self, x):
        return self.drop(self.inner(x))


class Tower(models.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [Block(6), Block(5)]
        self.heads = {"main": (Dense(3, activation="softmax"),)}

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.heads["main"][0](x)


def test_a_model_of_your_own_finds_layers_in_lists_tuples_and_dicts():
    tower = Tower()
    tower.build((None, 4))
    assert {path: weight.shape for path, weight in tower.weights().items()} == {
        "blocks.0.inner.weight": (4, 6),
        "blocks.0.inner.bias": (6,),
        "blocks.1.inner.weight": (6, 5),
        "blocks.1.inner.bias": (5,),
        "heads.main.0.weight": (5, 3),
        "heads.main.0.bias": (3,),
    }


def test_a_model_of_your_own_learns():
    x, y = flowers()
    tower = Tower()
    tower.compile(optimizers.Adam(0.02), "sparse_categorical_crossentropy", ["accuracy"])
    tower.fit(x, y, epochs=60)
    assert tower.evaluate(x, y)[1] > 0.8


@pytest.mark.parametrize("calls_super", [True, False])
def test_a_layer_of_your_own_needs_no_constructor(calls_super):
    class Scale(layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight((input_shape[-1],), "ones")

        def call(self, x):
            return x * self.scale

    class Power(Scale):
        def __init__(self, exponent):
            if calls_super:
                super().__init__()
            self.exponent = exponent

        def call(self, x):
            return super().call(x) ** self.exponent

    model = models.Sequential([Scale(), Power(2)])
    model.compile("sgd", "mse")
    x = np.array([[1.0, 2.0]])
    assert model.predict(x).tolist() == [[1.0, 4.0]]
    model.fit(x, np.zeros((1, 2)), epochs=200)
    assert list(model.weights()) == ["0.scale", "1.scale"]
    assert np.all(np.abs(model.predict(x)) < 0.5)


class Spy(layers.Layer):
    def __init__(self):
        super().__init__()
        self.heard = []

    def call(self, x, training=False):
        self.heard.append(training)
        return x


def test_every_layer_inside_is_told_whether_it_trains():
    spy = Spy()
    inner = models.Sequential([models.Sequential([spy]), Dense(3, activation="softmax")])
    model = models.Sequential([inner])
    model.build((None, 4))
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = flowers(20)
    runs = {
        "fit": (lambda: model.fit(x, y, batch_size=20), [True]),
        "evaluate": (lambda: model.evaluate(x, y), [False]),
        "predict": (lambda: model.predict(x), [False]),
        "validation": (lambda: model.fit(x, y, validation_split=0.5), [True, False]),
        "call": (lambda: model(x), [False]),
        "call to train": (lambda: model(x, training=True), [True]),
    }
    for name, (run, expected) in runs.items():
        spy.heard.clear()
        run()
        assert spy.heard == expected, name


def test_an_error_inside_does_not_leave_training_on():
    class Fails(layers.Layer):
        def call(self, x):
            raise ZeroDivisionError

    spy = Spy()
    with pytest.raises(ZeroDivisionError):
        models.Sequential([Fails()])(np.ones((1, 1)), training=True)
    spy(np.ones((1, 1)))
    assert spy.heard == [False]


def test_a_first_call_on_bad_data_does_not_spoil_the_model():
    x, y = flowers()
    model = models.Sequential([Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
    with pytest.raises(ValueError, match="batch axis"):
        model.fit(x[:, 0], y)
    model.fit(x, y)
    assert model.input_shape == (4,) and model.output_shape[1:] == (3,)


def test_layers_may_be_removed_and_added_after_training():
    x, y = flowers()
    model = classifier()
    model.fit(x, y)
    kept = weights_of(model)["0.weight"]
    model.pop()
    model.add(Dense(7, activation="softmax"))
    np.testing.assert_array_equal(weights_of(model)["0.weight"], kept)
    model.fit(x, y + 4)
    assert model.predict(x).shape == (50, 7)


def test_labels_are_checked_against_the_last_layer_that_is_left():
    x, y = flowers()
    model = models.Sequential([Dense(5, input_shape=(4,)), Dense(3)])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y)
    model.pop()
    model.fit(x, y + 2)
    with pytest.raises(ValueError, match="5 outputs"):
        model.fit(x, y + 3)


# ---- summary -------------------------------------------------------------------------------------


def test_a_summary_lists_layers_shapes_and_parameters(capsys):
    model = classifier(layers.BatchNormalization())
    model.layers[0].trainable = False
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    rows = [re.split(r"\s{2,}", line) for line in lines if line[:1].isdigit()]
    assert rows == [
        ["0", "Dense", "(None, 8)", "40"],
        ["1", "BatchNormalization", "(None, 8)", "32"],
        ["2", "Dense", "(None, 3)", "27"],
        ["99 parameters, 43 trainable"],
    ]
    assert lines[0] == "Sequential"


def test_a_summary_goes_where_it_is_told():
    lines = []
    tower = Tower()
    tower.build((None, 4))
    tower.summary(print_fn=lines.append)
    assert "blocks.1.inner  Dense" in lines[0]


def test_a_shared_layer_counts_once():
    shared = Dense(4, input_shape=(4,))
    assert models.Sequential([shared, shared]).count_params() == 20


# ---- Batches -------------------------------------------------------------------------------------


def test_batches_hold_every_row_once_the_last_one_shorter():
    x, y = np.arange(10), np.arange(10) * 2
    batches = list(data.Batches(x, y, batch_size=4))
    assert [tuple(a.tolist() for a in batch) for batch in batches] == [
        ([0, 1, 2, 3], [0, 2, 4, 6]),
        ([4, 5, 6, 7], [8, 10, 12, 14]),
        ([8, 9], [16, 18]),
    ]


def test_shuffled_batches_are_a_new_permutation_each_time():
    x = np.arange(10)
    batches = data.Batches(x, x, batch_size=3, shuffle=True)
    orders = [np.concatenate([a for a, _ in batches]) for _ in range(2)]
    assert not np.array_equal(*orders)
    assert [sorted(order.tolist()) for order in orders] == [list(range(10))] * 2
    assert all(np.array_equal(a, b) for a, b in batches)


@pytest.mark.parametrize("n, batch_size, number", [(10, 5, 2), (11, 5, 3), (1, 5, 1)])
def test_batches_know_how_many_they_are(n, batch_size, number):
    batches = data.Batches(np.zeros(n), batch_size=np.int64(batch_size))
    assert len(batches) == len(list(batches)) == number


def test_a_gradient_from_before_does_not_enter_fit():
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")

    def fitted(looked_at):
        model = models.Sequential([layers.Dense(1, kernel_initializer="zeros", input_shape=(3,))])
        model.compile("sgd", "mse")
        if looked_at:
            losses.MeanSquaredError()(y, model(x)).backward()
        model.fit(x, y)
        return model.predict(x)

    np.testing.assert_array_equal(fitted(looked_at=True), fitted(looked_at=False))


def test_metrics_count_every_example_once_as_in_keras():
    (x, y), model = flowers(), classifier()
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
    model.optimizer.learning_rate = 0.0
    weighed, plain = (
        model.fit(x, y, shuffle=False, sample_weight=weight).history["accuracy"]
        for weight in (np.linspace(0, 3, 50), None)
    )
    assert weighed == plain


def test_parameters_are_known_as_soon_as_the_input_shape_is():
    assert models.Sequential([layers.Dense(4, input_shape=(3,))]).layers[0].weight.shape == (3, 4)


def test_a_first_call_that_fails_leaves_no_layer_built():
    model = models.Sequential([layers.Dense(3), layers.Dense(4, input_shape=(7,))])
    with pytest.raises(ValueError, match="input_shape"):
        model(np.ones((2, 5)))
    assert not any(layer.built for layer in model.layers)


@pytest.mark.parametrize("last", [ops.softmax, "softmax", layers.Activation("softmax")])
def test_a_model_that_ends_in_softmax_learns_from_certain_mistakes(last):
    """However it is spelled, the loss takes the logits: p is 0 here, and its logarithm no use."""
    z = Tensor([[200.0, 0.0, 0.0]], requires_grad=True)
    p = layers.Activation(last)(z) if not isinstance(last, layers.Layer) else last(z)
    losses.SparseCategoricalCrossentropy()(np.array([1]), p).backward()
    np.testing.assert_allclose(z.grad, [[1.0, -1.0, 0.0]], atol=1e-6)


def test_names_of_metrics_are_different():
    with pytest.raises(ValueError, match=r"different names. Received: \['loss', 'mse', 'mse'\]"):
        classifier().compile("sgd", "mse", ["mse", "mse"])


def test_a_callback_with_a_moment_that_never_comes_is_named():
    class Typo(callbacks.Callback):
        def on_epoch_ends(self, epoch, logs):
            pass

    with pytest.raises(ValueError, match="Typo has on_epoch_ends, which fit never calls"):
        classifier().fit(*flowers(), callbacks=[Typo()])


def test_logits_that_have_changed_since_are_not_used():
    z = Tensor([[0.0, 5.0]], requires_grad=True)
    p = ops.softmax(x=z)
    z.assign([[5.0, 0.0]])
    found = losses.sparse_categorical_crossentropy(np.array([0]), p)
    np.testing.assert_allclose(found.data, -np.log(p.data[0, :1]), rtol=1e-5)


def test_a_first_call_that_fails_freezes_no_parameter():
    dense = Dense(3)
    dense(np.ones((2, 4)))
    inside = [layers.Activation("relu"), dense, layers.Reshape((7,))]
    frozen = models.Sequential(inside, trainable=False)
    with pytest.raises(ValueError, match="Reshape"):
        frozen(np.ones((2, 4)))
    assert dense.trainable and dense.weight.requires_grad


def test_a_layer_that_does_not_fit_is_not_added():
    model = models.Sequential([Dense(3, input_shape=(4,))])
    with pytest.raises(ValueError, match="Reshape"):
        model.add(layers.Reshape((7,)))
    model.add(layers.Reshape((3, 1)))
    assert model.predict(np.ones((2, 4))).shape == (2, 3, 1)
