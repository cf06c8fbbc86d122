"""BackupAndRestore inside one process: what it keeps, what it refuses, what it warns of.

tests/check_survival.py kills real processes. Here a callback raises instead.
"""

import errno
import os

import numpy as np
import pytest

from minigrad import callbacks, checkpoint, data, environment, layers, models, optimizers, random
from minigrad.callbacks import BackupAndRestore

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int64")


class TrainingInterruptedError(Exception):
    """Stands for the end of the process."""


def interrupt(at_step):
    """A callback that ends training after so many steps, before any callback behind it."""
    steps = []

    def count(batch, logs):
        steps.append(batch)
        if len(steps) == at_step:
            raise TrainingInterruptedError

    return callbacks.LambdaCallback(on_train_batch_end=count)


def classifier(seed=0, rate=0.05, units=8, metrics=("accuracy",), hidden="tanh"):
    random.seed(seed)
    model = models.Sequential(
        [
            layers.Dense(units, activation=hidden, input_shape=(3,)),
            layers.Dropout(0.4),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", list(metrics))
    return model


def train(folder, at_step=None, save_freq=1, told=(), model=None, x=X, y=Y, **options):
    """fit with a backup; the model and its History, or None where it was interrupted."""
    model = model or classifier()
    told = [*told, interrupt(at_step), BackupAndRestore(folder, save_freq)]
    options = {"batch_size": 4, "epochs": 4, "verbose": 0, **options}
    try:
        return model, model.fit(x, y, callbacks=told, **options)
    except TrainingInterruptedError:
        return model, None


def same(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a | b)


@pytest.mark.parametrize("save_freq", [1, 3, "epoch"])
@pytest.mark.parametrize("at_step", [1, 4, 5, 6, 13, 20])
def test_an_interrupted_training_ends_as_an_undisturbed_one(tmp_path, save_freq, at_step):
    model, history = train(tmp_path / "undisturbed")
    end = random.get_state()
    assert train(tmp_path, at_step, save_freq)[1] is None
    random.seed(99)  # whatever the new process has drawn
    again, resumed = train(tmp_path, save_freq=save_freq)
    assert resumed.history == history.history and resumed.epoch == history.epoch
    assert same(again.get_weights(), model.get_weights())
    assert random.get_state() == end
    states = (m.optimizer.get_state(m.weights()) for m in (model, again))
    assert same(*states)


def test_the_training_did_go_on_and_not_begin_anew(tmp_path):
    unheard = callbacks.LambdaCallback(on_train_batch_begin=lambda batch: None)
    train(
        tmp_path, at_step=12, told=[unheard]
    )  # the 12th of 20 steps is done then, and not written down
    steps = []
    spy = callbacks.LambdaCallback(on_train_batch_begin=steps.append)
    train(tmp_path, told=[spy], model=classifier())
    assert steps == [1, 2, 3, 4, 0, 1, 2, 3, 4]


def test_the_backup_is_removed_when_fit_ends_and_left_when_it_is_interrupted(tmp_path):
    train(tmp_path / "b", at_step=3)
    assert [file.name for file in (tmp_path / "b").iterdir()] == ["backup.safetensors"]
    train(tmp_path / "b")
    assert list((tmp_path / "b").iterdir()) == []


def test_what_a_killed_process_left_half_written_is_cleared_away(tmp_path):
    (tmp_path / ".0123456789abcdef.tmp").write_bytes(b"half")
    (tmp_path / ".mine.tmp").write_bytes(b"not ours")
    train(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [".mine.tmp"]


def test_callbacks_go_on_where_they_were(tmp_path):
    def told():
        stopping = callbacks.EarlyStopping(
            "loss", patience=1, min_delta=5, restore_best_weights=True
        )
        plateau = callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=5)
        return [stopping, plateau]

    options = {"epochs": 3, "save_freq": "epoch"}
    model, history = train(tmp_path / "undisturbed", told=told(), **options)
    assert len(history.epoch) == 2
    train(tmp_path, at_step=9, told=told(), **options)
    again, resumed = train(tmp_path, told=told(), **options)
    assert resumed.history == history.history
    assert again.optimizer.learning_rate == model.optimizer.learning_rate
    assert same(again.get_weights(), model.get_weights())


def test_a_scheduler_is_not_applied_twice_to_the_epoch_that_is_resumed(tmp_path):
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    _, history = train(tmp_path / "undisturbed", told=[halve])
    train(tmp_path, at_step=8, told=[halve])
    assert train(tmp_path, told=[halve])[1].history == history.history


def test_what_was_frozen_on_the_way_stays_frozen(tmp_path):
    def freeze(epoch):
        if epoch == 1:
            told[0].model.layers[0].trainable = False

    told = [callbacks.LambdaCallback(on_epoch_begin=freeze)]
    model, _ = train(tmp_path / "undisturbed", told=told)
    train(tmp_path, at_step=13, told=told)
    again, _ = train(tmp_path, told=told)
    assert not again.layers[0].trainable
    assert same(again.get_weights(), model.get_weights())


def test_a_log_has_each_epoch_once(tmp_path):
    for at_step in (8, 3, None):
        train(tmp_path / "b", at_step, told=[callbacks.CSVLogger(tmp_path / "log.csv")])
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "0", "1", "2", "3"]


class StopAtOnce(callbacks.Callback):
    """Ends fit after its first epoch; `leave` ends the process before fit has ended."""

    def __init__(self, leave):
        self.leave = leave
        self.epochs = []

    def on_epoch_end(self, epoch, logs):
        self.epochs.append(epoch)
        self.model.stop_training = True

    def on_train_end(self):
        if self.leave:
            raise TrainingInterruptedError


def test_a_training_that_was_to_stop_does_not_go_on(tmp_path):
    train(tmp_path, save_freq="epoch", told=[StopAtOnce(leave=True)])
    stop = StopAtOnce(leave=False)
    _, history = train(tmp_path, save_freq="epoch", told=[stop])
    assert stop.epochs == [] and history.epoch == [0]


class StopAtStep(callbacks.Callback):
    """Ends fit in the middle of its second epoch; `leave` ends the process right after."""

    def __init__(self, leave):
        self.leave = leave

    def on_train_batch_end(self, batch, logs):
        if self.run.epoch == 1 and batch == 2:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs):
        if self.leave and epoch == 1:
            raise TrainingInterruptedError


def test_an_epoch_that_was_to_end_early_is_ended(tmp_path):
    model, history = train(tmp_path / "undisturbed", told=[StopAtStep(leave=False)])
    assert history.epoch == [0, 1]
    train(tmp_path, told=[StopAtStep(leave=True)])
    again, resumed = train(tmp_path, told=[StopAtStep(leave=False)])
    assert resumed.history == history.history and same(again.get_weights(), model.get_weights())


def test_the_same_model_goes_on_after_ctrl_c_and_another_call_of_fit(tmp_path):
    def told():
        fall = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        freeze = callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch: setattr(fall.model.layers[0], "trainable", epoch < 1)
        )
        return [fall, freeze]

    model, history = train(tmp_path / "undisturbed", told=told())
    again, _ = train(tmp_path, at_step=13, told=told())
    _, resumed = train(tmp_path, told=told(), model=again)
    assert resumed.history == history.history and same(again.get_weights(), model.get_weights())


def test_a_backup_of_all_epochs_can_go_on_for_more(tmp_path):
    model, history = train(tmp_path / "undisturbed", epochs=4)
    train(tmp_path, at_step=10, save_freq="epoch", epochs=2)
    again, resumed = train(tmp_path, save_freq="epoch", epochs=4)
    assert resumed.history == history.history and same(again.get_weights(), model.get_weights())


@pytest.mark.parametrize("save_freq", [1, "epoch"])
def test_a_loss_that_is_not_finite_is_not_backed_up(tmp_path, save_freq):
    x = np.full((4, 3), 1e38, dtype="float32")
    model = models.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile(optimizers.SGD(0.1), "mse")
    told = [BackupAndRestore(tmp_path, save_freq)]
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="NaN"):
        model.fit(x, np.ones((4, 1)), epochs=9, batch_size=2, callbacks=told)
    assert list(tmp_path.iterdir()) == []


# ---- Iterables -----------------------------------------------------------------------------------


class Shuffled:
    """An iterable that begins anew, in an order that `permutation` gives each time."""

    def __init__(self, permutation):
        self.permutation = permutation

    def __iter__(self):
        for i in self.permutation(5):
            yield X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


class Noisy:
    """An iterable that draws from minigrad.random for each batch, as dropout does between them."""

    def __iter__(self):
        for x, y in IN_ORDER:
            yield x + random.generator().normal(size=x.shape), y


IN_ORDER = [(X[i : i + 4], Y[i : i + 4]) for i in range(0, 20, 4)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: IN_ORDER,
        lambda: data.Batches(X, Y, batch_size=4, shuffle=True),
        lambda: data.Prefetch(data.Batches(X, Y, batch_size=4, shuffle=True)),
    ],
    ids=["list", "Batches", "Prefetch"],
)
@pytest.mark.parametrize("at_step", [5, 8])
def test_iterables_that_begin_anew_are_wound_back(tmp_path, make, at_step):
    model, history = train(tmp_path / "undisturbed", x=make(), y=None)
    train(tmp_path, at_step, x=make(), y=None)
    again, resumed = train(tmp_path, x=make(), y=None)
    assert resumed.history == history.history and same(again.get_weights(), model.get_weights())


def generator():
    yield from IN_ORDER


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (generator(), {}, "x is a generator, which .* only once"),
        (iter(IN_ORDER), {}, "x is a list_iterator"),
        (data.Prefetch(generator()), {}, "x is a generator"),
        (IN_ORDER, {"validation_data": generator()}, "validation_data is a generator"),
        (Shuffled(np.random.permutation), {}, "x cannot be wound back.* Received: Shuffled"),
        (Shuffled(np.random.default_rng(0).permutation), {}, "x cannot be wound back"),
        (Noisy(), {}, "x cannot be wound back.* when an iteration begins.* Received: Noisy"),
        (IN_ORDER, {"validation_data": Noisy()}, "validation_data cannot be wound back"),
    ],
)
def test_what_cannot_be_wound_back_is_refused_before_training(tmp_path, x, options, message):
    np.random.seed(0)  # else one permutation in twenty begins as the one before
    model = classifier()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        train(tmp_path / "b", model=model, x=x, y=None, **options)
    assert same(model.get_weights(), before)
    assert not (tmp_path / "b").exists()


def test_an_iterable_that_comes_in_another_order_is_noticed(tmp_path):
    train(tmp_path, at_step=8, x=IN_ORDER, y=None)
    with pytest.raises(ValueError, match="batch 1 of epoch 1 .* is another one"):
        train(tmp_path, x=IN_ORDER[::-1], y=None)


def test_an_iterable_that_has_become_shorter_is_noticed(tmp_path):
    train(tmp_path, at_step=5, x=IN_ORDER, y=None)
    with pytest.raises(ValueError, match="batch 3 of epoch 0"):
        train(tmp_path, x=IN_ORDER[:3], y=None)


# ---- Another training, another machine -----------------------------------------------------------

CHANGED = X.copy()
CHANGED[7, 1] += 1e-3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": lambda: classifier(units=9)}, r"weights was .*\(3, 8\).* and is .*\(3, 9\)"),
        ({"model": lambda: classifier(rate=0.1)}, 'optimizer was .*"learning_rate": 0.05.* 0.1'),
        ({"model": lambda: classifier(metrics=())}, "metrics was"),
        ({"initial_epoch": 1}, "initial_epoch was 0 and is 1"),
        ({"batch_size": 5}, "batch_size was 4 and is 5"),
        ({"shuffle": False}, "shuffle was True and is False"),
        ({"x": X[:16], "y": Y[:16]}, r"arrays was float32 \(20, 3\).*\(16, 3\)"),
        ({"x": CHANGED}, "checksum of the data"),
        ({"told": [callbacks.EarlyStopping("loss")]}, "callbacks was H.* and is EarlyStopping, H"),
        ({"validation_data": (X, Y)}, "validation arrays was absent and is float32"),
        (
            {"model": lambda: classifier(hidden="relu")},
            r'model was \.\.\.[^.]*"activation": "tanh".* and is \.\.\.[^.]*"activation": "relu"',
        ),
        ({"x": IN_ORDER, "y": None}, "data was absent and is list"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_backup_of_another_training_is_refused_and_kept(tmp_path, options, message):
    train(tmp_path, at_step=8)
    before = (tmp_path / "backup.safetensors").read_bytes()
    if "model" in options:
        options = {"model": options["model"]()}
    with pytest.raises(ValueError, match=f"backup.safetensors is the backup of another.*{message}"):
        train(tmp_path, **options)
    assert (tmp_path / "backup.safetensors").read_bytes() == before


def test_callbacks_without_memory_may_change(tmp_path, capsys):
    _, history = train(tmp_path / "undisturbed")
    train(tmp_path, at_step=8)
    told = [callbacks.TerminateOnNaN()]
    assert train(tmp_path, told=told, verbose=1)[1].history == history.history
    assert "Epoch 2/4" in capsys.readouterr().out


def test_resuming_under_other_versions_or_threads_warns(tmp_path, monkeypatch):
    train(tmp_path, at_step=8)
    monkeypatch.setattr(environment, "blas_threads", lambda: "64")
    monkeypatch.setattr(np, "__version__", "1.0")
    with pytest.warns(UserWarning, match=r"made elsewhere.*NumPy was .* and is 1.0.*BLAS .* 64"):
        assert train(tmp_path)[1] is not None


def test_the_file_records_backend_threads_and_versions(tmp_path):
    train(tmp_path, at_step=8)
    recorded = checkpoint.load_tree(tmp_path / "backup.safetensors")["environment"]
    assert {"minigrad", "backend", "Python", "NumPy", "BLAS", "threads of BLAS"} <= set(recorded)


def test_two_calls_of_fit_with_one_folder_are_warned_of(tmp_path):
    train(tmp_path)
    with pytest.warns(UserWarning, match="earlier call of fit .* a folder of its own"):
        train(tmp_path, initial_epoch=2)


def test_two_in_one_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="one BackupAndRestore, and was given several"):
        train(tmp_path / "a", told=[BackupAndRestore(tmp_path / "b")])


class Keeper(callbacks.Callback):
    """Remembers whatever a test wants."""

    def __init__(self, names, value):
        self.state_names = names
        self.value = value


@pytest.mark.parametrize(
    ("names", "value", "message"),
    [
        (("value",), {1, 2}, "Keeper remembers 'value', which cannot be written down: .*set"),
        (("value",), {1: 2}, "Keeper remembers 'value'.* keys are text. Received: 1"),
        (("value",), np.array(["a"]), "Keeper remembers 'value'.* Received: <U1"),
        (("absent",), 1, "Keeper does not have what it is to remember: .*'absent'"),
        ("value", 1, "Keeper.state_names is a tuple of names. Received: 'value'"),
    ],
)
def test_what_cannot_be_remembered_is_named_before_training(tmp_path, names, value, message):
    steps = []
    spy = callbacks.LambdaCallback(on_train_batch_begin=steps.append)
    with pytest.raises(ValueError, match=message):
        train(tmp_path, told=[spy, Keeper(names, value)])
    assert steps == []


# ---- Files ---------------------------------------------------------------------------------------


def test_a_full_disk_is_told_and_training_goes_on_with_the_last_backup_kept(tmp_path, monkeypatch):
    expected, _ = train(tmp_path / "undisturbed", epochs=2)
    train(tmp_path, at_step=3, epochs=2)
    before = (tmp_path / "backup.safetensors").read_bytes()

    def full(file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(UserWarning, match="not backed up: .*No space left.*backup.safetensors"):
        assert train(tmp_path, at_step=2, epochs=2)[1] is None
    assert (tmp_path / "backup.safetensors").read_bytes() == before
    with pytest.warns(UserWarning, match="not backed up"):
        again, _ = train(tmp_path, epochs=2)
    assert same(again.get_weights(), expected.get_weights())


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-5], "is damaged, incomplete"),
        (lambda content: b"", "is empty"),
        (lambda content: b"\x80\x04not ours", "is not a safetensors file"),
    ],
)
def test_a_damaged_backup_is_named_and_kept(tmp_path, damage, message):
    train(tmp_path, at_step=8)
    file = tmp_path / "backup.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=f"backup.safetensors {message}"):
        train(tmp_path)
    assert file.exists()


def test_a_file_of_another_kind_is_no_backup(tmp_path):
    classifier().save(tmp_path / "backup.safetensors")
    with pytest.raises(ValueError, match="backup.safetensors is no backup"):
        train(tmp_path)


def test_a_log_that_lost_lines_since_is_named(tmp_path):
    log = tmp_path / "log.csv"
    train(tmp_path / "b", at_step=13, told=[callbacks.CSVLogger(log)])
    log.write_text("epoch\n")
    with pytest.raises(ValueError, match=r"log.csv has lost lines"):
        train(tmp_path / "b", told=[callbacks.CSVLogger(log)])


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "b").touch()
    with pytest.raises(OSError, match="b'"):
        train(tmp_path / "b")


# ---- Trees ---------------------------------------------------------------------------------------


def test_a_tree_comes_back_bit_by_bit(tmp_path):
    tree = {
        "array": np.array([[1.5, np.nan], [-0.0, np.inf]]),
        "list": [1, 2.5, None, True, "text", {"deep": [np.arange(3, dtype="uint8")]}],
        "big": 2**64 - 1,
        "scalar": np.float32(0.1),
        "nan": float("nan"),
        "empty": [{}, []],
    }
    checkpoint.save_tree(tmp_path / "t", tree)
    read = checkpoint.load_tree(tmp_path / "t")
    assert read["array"].tobytes() == tree["array"].tobytes()
    assert read["list"][:5] == tree["list"][:5]
    assert np.array_equal(read["list"][5]["deep"][0], [0, 1, 2])
    assert (read["big"], read["scalar"], read["empty"]) == (
        2**64 - 1,
        float(np.float32(0.1)),
        [{}, []],
    )
    assert np.isnan(read["nan"])


@pytest.mark.parametrize("tree", [{1: 2}, {"a": {None: 1}}, {"a": object()}])
def test_a_tree_that_cannot_be_saved_is_refused(tmp_path, tree):
    with pytest.raises(ValueError):
        checkpoint.save_tree(tmp_path / "t", tree)
    assert not (tmp_path / "t").exists()
