"""Callbacks: when they stop, save, log and change the learning rate."""

import csv
import math
import os
import re
import struct
import sys

import numpy as np
import pytest

from minigrad import callbacks, layers, models, optimizers, random, schedules

X = np.eye(4, dtype="float32")
Y = np.array([0, 1, 2, 3])


def classifier(learning_rate=0.1):
    random.seed(0)
    model = models.Sequential([layers.Dense(4, activation="softmax", input_shape=(4,))])
    optimizer = optimizers.SGD(learning_rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Feed(callbacks.Callback):
    """Gives epochs the numbers that a test wants them to have logged."""

    def __init__(self, **numbers):
        self.numbers = numbers

    def on_epoch_end(self, epoch, logs):
        logs.update({name: values[epoch] for name, values in self.numbers.items()})


def fit(*told, values=(), epochs=None, model=None, **options):
    """Train with `val_loss` as given; returns the model and its History."""
    model = model or classifier()
    feed = [Feed(val_loss=values)] if len(values) else []
    epochs = epochs or len(values)
    return model, model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[*feed, *told], **options)


# ---- Monitor -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mode", "better", "worse"),
    [
        ("val_loss", "auto", 1, 2),
        ("mean_squared_error", "auto", 1, 2),
        ("val_accuracy", "auto", 2, 1),
        ("f1_score", "auto", 2, 1),
        ("auc", "auto", 2, 1),
        ("val_loss", "max", 2, 1),
        ("anything", "min", 1, 2),
    ],
)
def test_which_way_is_better_is_told_by_mode_or_name(name, mode, better, worse):
    monitor = callbacks.Monitor(name, mode)
    assert monitor.better(better, worse) and not monitor.better(worse, better)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_equal_is_not_better_nor_is_less_than_min_delta(mode):
    sign = 1 if mode == "max" else -1
    monitor = callbacks.Monitor("x", mode, min_delta=0.5)
    assert not monitor.better(1.0, 1.0)
    assert not monitor.better(1.0 + sign * 0.5, 1.0)
    assert monitor.better(1.0 + sign * 0.6, 1.0)


@pytest.mark.parametrize("best", [None, 1.0])
def test_nan_is_never_better(best):
    assert not callbacks.Monitor("val_loss").better(math.nan, best)


# ---- EarlyStopping -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "values", "stopped", "best_epoch"),
    [
        ({"patience": 2}, [3, 2, 2.5, 2.1, 1, 0], 3, 1),
        ({"patience": 2}, [3, 2, 2.5, 1, 2, 2, 0], 5, 3),
        ({"patience": 1}, [3, 2, 1, 0], None, 3),
        ({}, [3, 2, 2, 0], 2, 1),  # patience 0 stops at the first that is not better
        ({"patience": 1}, [1, 1, 1], 1, 0),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.6, 2.4, 1.8, 0], 1, 0),
        ({"patience": 1, "mode": "max"}, [1, 2, 3, 2, 9], 3, 2),
        ({"patience": 2, "baseline": 1.5}, [3, 2, 1, 0], 1, 1),
        ({"patience": 2, "baseline": 2.5}, [3, 2, 1, 0], None, 3),
        ({"patience": 1, "start_from_epoch": 3}, [1, 2, 3, 4, 5, 0], 4, 3),
        ({"patience": 2}, [3, math.nan, math.nan, 0], 2, 0),
    ],
)
def test_early_stopping_ends_fit_after_patience_epochs_without_a_better_value(
    options, values, stopped, best_epoch
):
    stopping = callbacks.EarlyStopping("val_loss", **options)
    _, history = fit(stopping, values=values)
    assert len(history.epoch) == (len(values) if stopped is None else stopped + 1)
    assert (stopping.stopped_epoch, stopping.best_epoch) == (stopped, best_epoch)
    assert stopping.best == values[best_epoch]


@pytest.mark.parametrize("values", [[3, 1, 2, 2, 2], [3, 1, 2]])
def test_the_weights_of_the_best_epoch_come_back_whether_or_not_it_stopped(values):
    kept = {}
    keep = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: kept.update({epoch: model.get_weights()})
    )
    model = classifier()
    stopping = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    fit(keep, stopping, values=values, model=model)
    for name, array in model.get_weights().items():
        assert np.array_equal(array, kept[1][name])
        assert not np.array_equal(array, kept[2][name])


def test_without_restoring_the_weights_are_the_last():
    last = {}
    keep = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: last.update(model.get_weights())
    )
    model = classifier()
    fit(keep, callbacks.EarlyStopping(patience=2), values=[3, 1, 2, 2], model=model)
    assert all(np.array_equal(array, last[name]) for name, array in model.get_weights().items())


def test_one_object_can_be_used_for_a_second_fit():
    stopping = callbacks.EarlyStopping(patience=1)
    fit(stopping, values=[1, 2, 3])
    _, history = fit(stopping, values=[5, 4, 3])
    assert len(history.epoch) == 3 and stopping.best == 3


# ---- TerminateOnNaN ------------------------------------------------------------------------------


def test_terminate_on_nan_ends_at_the_first_bad_batch_and_returns_the_history():
    x = np.concatenate([X, np.full((1, 4), 1e38, dtype="float32"), X])
    y = np.zeros((9, 1))
    model = models.Sequential([layers.Dense(1, input_shape=(4,))])
    model.compile(optimizers.SGD(0.1), "mse")
    batches = []
    spy = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    with np.errstate(all="ignore"):
        history = model.fit(
            x,
            y,
            batch_size=1,
            epochs=3,
            shuffle=False,
            callbacks=[callbacks.TerminateOnNaN(), spy],
        )
    assert batches == [0, 1, 2, 3, 4]
    assert len(history.epoch) == 1 and not math.isfinite(history.history["loss"][0])


# ---- The learning rate ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (lambda epoch, rate: rate / 2, [0.05, 0.025, 0.0125]),
        (lambda epoch: 0.3 - epoch / 10, [0.3, 0.2, 0.1]),
    ],
)
def test_a_scheduler_sets_the_rate_before_each_epoch(schedule, expected):
    used = []
    spy = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: used.append(model.optimizer.rate)
    )
    model = classifier(0.1)
    _, history = fit(callbacks.LearningRateScheduler(schedule), spy, epochs=3, model=model)
    assert used == pytest.approx(expected)
    assert history.history["learning_rate"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "values", "expected"),
    [
        ({"patience": 2}, [1, 1, 1, 1, 1], [1, 1, 1, 0.1, 0.1]),
        ({"patience": 1, "factor": 0.5}, [1, 1, 0.5, 0.6, 0.6], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "cooldown": 2}, [1, 1, 1, 1, 1], [1, 1, 0.1, 0.1, 0.01]),
        ({"patience": 1, "min_learning_rate": 0.05}, [1, 1, 1, 1], [1, 1, 0.1, 0.05]),
        ({"patience": 1, "min_delta": 0.2}, [1, 0.9, 0.5, 0.4], [1, 1, 0.1, 0.1]),
        ({"patience": 1, "mode": "max"}, [1, 2, 1, 1], [1, 1, 1, 0.1]),
    ],
)
def test_the_rate_falls_when_the_value_no_longer_gets_better(options, values, expected):
    plateau = callbacks.ReduceLROnPlateau("val_loss", **options)
    _, history = fit(plateau, values=values, model=classifier(1.0))
    assert history.history["learning_rate"] == pytest.approx(expected)


# ---- ModelCheckpoint -----------------------------------------------------------------------------


def test_a_checkpoint_is_the_model_after_each_epoch(tmp_path):
    path = tmp_path / "{epoch:02d}-{loss:.4f}.safetensors"
    model, history = fit(callbacks.ModelCheckpoint(path), epochs=3)
    names = [f"{i:02d}-{loss:.4f}.safetensors" for i, loss in enumerate(history.history["loss"], 1)]
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    last = models.load_model(tmp_path / names[-1])
    assert np.array_equal(last.predict(X), model.predict(X))
    assert not np.array_equal(models.load_model(tmp_path / names[0]).predict(X), model.predict(X))


def test_the_best_model_alone_is_kept(tmp_path):
    saved = []
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "m-{epoch}", save_best_only=True)
    fit(checkpoint, values=[3, 4, 2, 2, 1])
    saved = sorted(file.name for file in tmp_path.iterdir())
    assert saved == ["m-1", "m-3", "m-5"]


def test_a_checkpoint_can_hold_weights_alone(tmp_path):
    model, _ = fit(callbacks.ModelCheckpoint(tmp_path / "w", save_weights_only=True), epochs=2)
    with pytest.raises(ValueError, match="weights and no model"):
        models.load_model(tmp_path / "w")
    other = classifier()
    other.load_weights(tmp_path / "w")
    assert np.array_equal(other.predict(X), model.predict(X))


def test_a_checkpoint_after_every_so_many_steps_counts_across_epochs(tmp_path, monkeypatch):
    model = classifier()
    steps = []
    monkeypatch.setattr(model, "save", lambda path: steps.append(model.optimizer.iterations))
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "m", save_freq=3)
    fit(checkpoint, epochs=4, model=model, batch_size=2)  # 2 steps an epoch
    assert steps == [3, 6]


# ---- CSVLogger -----------------------------------------------------------------------------------


def rows(path, separator=","):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=separator))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_log_has_a_line_per_epoch_with_every_digit(tmp_path, separator):
    logger = callbacks.CSVLogger(tmp_path / "log.csv", separator)
    _, history = fit(logger, epochs=3)
    header, *lines = rows(tmp_path / "log.csv", separator)
    assert header == ["epoch", "loss", "accuracy"]
    assert [int(line[0]) for line in lines] == [0, 1, 2]
    assert [float(line[1]) for line in lines] == history.history["loss"]


def test_a_csv_log_begins_anew_or_goes_on(tmp_path):
    path = tmp_path / "log.csv"
    fit(callbacks.CSVLogger(path), epochs=2)
    fit(callbacks.CSVLogger(path), epochs=1)
    assert len(rows(path)) == 2
    fit(callbacks.CSVLogger(path, append=True), epochs=3)
    assert [line[0] for line in rows(path)] == ["epoch", "0", "0", "1", "2"]


def test_a_last_line_without_an_end_gets_one(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,accuracy\n0,1,1")
    fit(callbacks.CSVLogger(path, append=True), epochs=1)
    assert [line[0] for line in rows(path)] == ["epoch", "0", "0"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of the size of files")
def test_a_full_disk_is_named_and_no_half_line_stays(tmp_path):
    import resource
    import signal

    path = tmp_path / "log.csv"
    fit(callbacks.CSVLogger(path), epochs=1)
    before = path.read_text()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5, limits[1]))
    try:
        with pytest.raises(OSError, match="log.csv"):
            fit(callbacks.CSVLogger(path, append=True), epochs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == before


def test_an_empty_file_to_append_to_gets_a_header(tmp_path):
    (tmp_path / "log.csv").touch()
    fit(callbacks.CSVLogger(tmp_path / "log.csv", append=True), epochs=1)
    assert rows(tmp_path / "log.csv")[0][0] == "epoch"


def test_a_name_with_a_comma_is_quoted(tmp_path):
    fit(Feed(**{"a, b": [1]}), callbacks.CSVLogger(tmp_path / "log.csv"), epochs=1)
    assert rows(tmp_path / "log.csv")[0][-1] == "a, b"


# ---- TensorBoard ---------------------------------------------------------------------------------


def events(folder):
    """The events of a folder's logs: records of a length, a checksum, the bytes, a checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for file in sorted(folder.iterdir()):
        data = file.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            found.append(Event.FromString(data[12 : 12 + length]))
            data = data[16 + length :]
    return found


def test_a_log_for_tensorboard_has_training_and_validation_under_one_name(tmp_path):
    pytest.importorskip("tensorboardX")
    log = callbacks.TensorBoard(tmp_path)
    _, history = fit(log, epochs=3, validation_data=(X, Y))
    for part, prefix in (("train", ""), ("validation", "val_")):
        read = {}
        for event in events(tmp_path / part):
            for value in event.summary.value:
                read.setdefault(value.tag, []).append((event.step, value.simple_value))
        assert set(read) == {"epoch_loss", "epoch_accuracy"}
        expected = enumerate(history.history[f"{prefix}loss"])
        assert read["epoch_loss"] == [(i, pytest.approx(x, rel=1e-6)) for i, x in expected]


def test_a_log_that_goes_on_takes_the_place_of_later_epochs(tmp_path):
    pytest.importorskip("tensorboardX")
    fit(callbacks.TensorBoard(tmp_path), epochs=3)
    fit(callbacks.TensorBoard(tmp_path), epochs=3, initial_epoch=1)
    logged = events(tmp_path / "train")
    assert [e.step for e in logged if e.HasField("session_log")] == [0, 1]
    losses = [e.step for e in logged if any(v.tag == "epoch_loss" for v in e.summary.value)]
    assert losses == [0, 1, 2, 1, 2]


def test_without_tensorboardx_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=re.escape('pip install "minigrad[tensorboard]"')):
        fit(callbacks.TensorBoard(tmp_path), epochs=1)


# ---- Bad input -----------------------------------------------------------------------------------

NOWHERE = os.path.join("no", "such", "folder", "file")
BAD = {
    "unknown number": (
        lambda: callbacks.EarlyStopping("acuracy", mode="max"),
        "did you mean 'accuracy'",
    ),
    "no validation": (
        lambda: callbacks.EarlyStopping("val_accuracy"),
        "'val_accuracy' needs validation data",
    ),
    "unknown mode": (lambda: callbacks.EarlyStopping(mode="up"), "mode='up'"),
    "mode unclear": (lambda: callbacks.EarlyStopping("thing"), "'thing'.*mode='min'"),
    "negative patience": (lambda: callbacks.EarlyStopping(patience=-1), "patience=-1"),
    "negative min_delta": (lambda: callbacks.EarlyStopping(min_delta=-1), "min_delta=-1"),
    "plateau patience": (lambda: callbacks.ReduceLROnPlateau(patience=-2), "patience=-2"),
    "plateau factor": (lambda: callbacks.ReduceLROnPlateau(factor=1.5), "factor=1.5"),
    "plateau number": (lambda: callbacks.ReduceLROnPlateau("val_loss"), "'val_loss'"),
    "schedule is a number": (lambda: callbacks.LearningRateScheduler(0.1), "0.1"),
    "schedule gives None": (
        lambda: callbacks.LearningRateScheduler(lambda epoch: None),
        "learning rate of epoch 0.*None",
    ),
    "schedule gives a negative rate": (
        lambda: callbacks.LearningRateScheduler(lambda epoch: -1),
        "epoch 0.*-1",
    ),
    "checkpoint name": (lambda: callbacks.ModelCheckpoint("m-{val_los}"), "'val_los'"),
    "checkpoint braces": (lambda: callbacks.ModelCheckpoint("m-{"), "m-{"),
    "checkpoint format": (lambda: callbacks.ModelCheckpoint("m-{loss:d}"), "m-{loss:d}"),
    "checkpoint folder": (lambda: callbacks.ModelCheckpoint(NOWHERE), "such.folder"),
    "checkpoint best": (
        lambda: callbacks.ModelCheckpoint("m", save_best_only=True),
        "'val_loss'",
    ),
    "save_freq 0": (lambda: callbacks.ModelCheckpoint("m", save_freq=0), "Received: 0"),
    "save_freq word": (lambda: callbacks.ModelCheckpoint("m", save_freq="step"), "'step'"),
    "save_freq True": (lambda: callbacks.BackupAndRestore("b", save_freq=True), "True"),
    "CSV separator": (lambda: callbacks.CSVLogger("l", separator=";;"), "separator=';;'"),
    "CSV encoding": (
        lambda: callbacks.CSVLogger("utf-16", append=True),
        "utf-16 is no text in UTF",
    ),
    "baseline": (lambda: callbacks.EarlyStopping("loss", baseline="x"), "baseline='x'"),
    "start": (lambda: callbacks.EarlyStopping("loss", start_from_epoch="a"), "epoch='a'"),
    "schedule without parameters": (
        lambda: callbacks.LearningRateScheduler(max),
        "schedule .*function of the epoch.*max",
    ),
    "CSV folder": (lambda: callbacks.CSVLogger(NOWHERE), "such.folder"),
    "CSV columns": (
        lambda: callbacks.CSVLogger("other.csv", append=True),
        "other.csv .*a, b.*loss",
    ),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_named(make, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "utf-16").write_text("a,b", encoding="utf-16")
    with pytest.raises((ValueError, OSError), match=message):
        fit(make(), epochs=1)
    assert (tmp_path / "other.csv").read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize(
    "callback",
    [callbacks.LearningRateScheduler(lambda epoch: 0.1), callbacks.ReduceLROnPlateau()],
    ids=lambda callback: type(callback).__name__,
)
def test_a_rate_that_follows_a_schedule_is_not_overruled(callback):
    model = classifier(schedules.ExponentialDecay(0.1, 10, 0.9))
    with pytest.raises(ValueError, match=f"{type(callback).__name__} .*ExponentialDecay"):
        fit(callback, epochs=1, model=model)
