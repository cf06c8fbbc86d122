"""A model that reads several arrays takes them by name: fit, evaluate, predict and all else."""

import numpy as np
import pytest

from minigrad import callbacks, data, layers, losses, models, ops, optimizers, random
from tests.strict_array import StrictArray, strict, strict_kernels, unwrap

NUMBERS = np.random.default_rng(0)
IDS = NUMBERS.integers(0, 5, (20, 4))
MASK = np.arange(4) < NUMBERS.integers(1, 5, (20, 1))
SCALE = NUMBERS.random((20, 1))
Y = (np.sum(IDS * MASK, axis=1) % 2).astype("int64")
X = {"ids": IDS, "mask": MASK, "scale": SCALE}


class Reader(models.Model):
    """ids (n, t), a mask of them and a number for each example -> logits (n, 2)"""

    input_shape, input_dtype = (None,), "int64"

    def __init__(self):
        super().__init__()
        self.tokens = layers.Embedding(5, 3)
        self.head = layers.Dense(2)
        self.ensure_built()

    def call(self, ids, mask=None, scale=1.0, training=False):
        x = self.tokens(ids)
        if mask is not None:
            x = x * mask[..., None].astype(x.dtype)
        return self.head(ops.sum(x, axis=1) * scale)


def compiled():
    random.seed(0)
    model = Reader()
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(0.1), loss, ["accuracy"])
    return model


def weights(model):
    return [weight.numpy() for weight in model.weights().values()]


def rows(x, part):
    return {name: array[part] for name, array in x.items()}


def trained(x, y=None, **options):
    model = compiled()
    random.seed(1)
    history = model.fit(x, y, epochs=2, verbose=0, **options)
    return history.history, weights(model)


def assert_same(first, second):
    assert first[0] == second[0]
    for ours, theirs in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_each_array_comes_to_the_argument_of_its_name():
    model = compiled()
    expected = model(IDS, mask=MASK, scale=SCALE.astype("float32")).numpy()
    np.testing.assert_array_equal(model.predict(X, batch_size=64, verbose=0), expected)
    np.testing.assert_allclose(model.predict(X, batch_size=7, verbose=0), expected, rtol=1e-5)
    reversed_order = dict(reversed(X.items()))
    np.testing.assert_array_equal(model.predict(reversed_order, verbose=0), expected)


def test_one_array_is_the_case_of_one():
    assert_same(trained(IDS, Y), trained({"ids": IDS}, Y))
    model = compiled()
    assert model.evaluate(IDS, Y, verbose=0) == model.evaluate({"ids": IDS}, Y, verbose=0)


def test_fit_is_the_loop_by_hand():
    model = compiled()
    x = X | {"scale": SCALE.astype("float32")}
    random.seed(1)
    for _ in range(2):
        for start in (0, 8, 16):
            part = rows(x, slice(start, start + 8))
            model.train_step(part, Y[start : start + 8])
    by_hand = weights(model)
    _, found = trained(X, Y, batch_size=8, shuffle=False)
    for ours, theirs in zip(found, by_hand, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_batches_are_dicts_and_hold_every_row_once():
    random.seed(2)
    found = list(data.Batches(X, Y, batch_size=8, shuffle=True))
    assert [len(y) for _, y in found] == [8, 8, 4]
    order = np.random.permutation(20)
    for name, array in X.items():
        whole = np.concatenate([x[name] for x, _ in found])
        assert sorted(map(bytes, whole)) == sorted(map(bytes, array[order]))
    joined = np.concatenate([x["scale"][:, 0] for x, _ in found])
    labels = np.concatenate([y for _, y in found])
    where = [int(np.flatnonzero(SCALE[:, 0] == s)[0]) for s in joined]
    np.testing.assert_array_equal(Y[where], labels)  # rows stay together


@pytest.mark.parametrize("prepare", [list, data.Prefetch], ids=["list", "Prefetch"])
def test_batches_of_dicts_train_as_arrays_do(prepare):
    batches = data.Batches(X, Y, batch_size=8)
    assert_same(trained(prepare(batches)), trained(X, Y, batch_size=8, shuffle=False))


def test_sample_and_class_weights_go_with_their_rows():
    weight = NUMBERS.random(20)
    assert_same(
        trained(X, Y, sample_weight=np.where(Y == 0, 2.0, 0.5)),
        trained(X, Y, class_weight={0: 2.0, 1: 0.5}),
    )
    history, _ = trained(X, Y, sample_weight=weight)
    assert history["loss"] != trained(X, Y)[0]["loss"]


@pytest.mark.parametrize("form", ["arrays", "batches", "weighted"])
def test_validation_data_may_be_dicts(form):
    x, y = rows(X, slice(12, 20)), Y[12:]
    forms = {
        "arrays": (x, y),
        "batches": data.Batches(x, y, batch_size=3),
        "weighted": (x, y, np.ones(8)),
    }
    part = rows(X, slice(0, 12)), Y[:12]
    history, _ = trained(*part, validation_data=forms[form])
    model = compiled()
    random.seed(1)
    model.fit(*part, epochs=2, verbose=0)
    assert history["val_loss"][-1] == pytest.approx(model.evaluate(x, y, verbose=0)[0])


def test_a_validation_split_divides_each_array():
    held_out = rows(X, slice(15, 20)), Y[15:]
    expected = trained(rows(X, slice(0, 15)), Y[:15], validation_data=held_out)
    assert_same(trained(X, Y, validation_split=0.25), expected)


def test_training_goes_on_from_a_backup(tmp_path):
    def stop(epoch):
        if epoch == 1:
            raise KeyboardInterrupt

    def backup():
        return callbacks.BackupAndRestore(tmp_path / "backup")

    with pytest.raises(KeyboardInterrupt):
        trained(X, Y, callbacks=[backup(), callbacks.LambdaCallback(on_epoch_begin=stop)])
    _, found = trained(X, Y, callbacks=[backup()])
    for ours, theirs in zip(found, trained(X, Y)[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    described = data.Batches(X, Y).describe()
    assert "['mask'] bool (20, 4)" in described["arrays"]
    other = data.Batches(X | {"mask": ~MASK}, Y).describe()
    assert other["checksum of the data"] != described["checksum of the data"]


def test_a_model_that_was_saved_reads_them_too(tmp_path):
    model = compiled()
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "model")
    again = models.load_model(tmp_path / "model", {"Reader": Reader})
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_cross_validation_takes_rows_of_each_array():
    found = models.cross_validate(compiled, X, Y, folds=4)
    assert found.sizes == [5] * 4


def test_a_step_on_named_arrays_stays_on_the_device():
    def train(place):
        model = compiled()
        model.ensure_built()
        for parameter in model.parameters():
            parameter.data = place(parameter.data)
        x = X | {"scale": SCALE.astype("float32")}
        model.fit([place((x, Y))] * 3, epochs=1, verbose=0)
        return [parameter.data for parameter in model.parameters()]

    expected = train(lambda thing: thing)
    with strict_kernels():
        found = train(strict)
    for ours, theirs in zip(found, expected, strict=True):
        assert isinstance(ours, StrictArray)
        np.testing.assert_array_equal(unwrap(ours), theirs)


BAD = {
    "unknown": ({"ids": IDS, "maks": MASK}, "x has 'maks', which the call of Reader does not take"),
    "first": ({"mask": MASK}, "x lacks 'ids', which Reader reads first. Received: mask"),
    "empty": ({}, "x lacks 'ids', which Reader reads first. Received: nothing"),
    "rows": (X | {"mask": MASK[:5]}, r"x\['ids'\] 20, x\['mask'\] 5, x\['scale'\] 20"),
    "NaN": (X | {"scale": SCALE * np.nan}, r"x\['scale'\] has 20 values that are NaN"),
    "text": (X | {"scale": ["a"] * 20}, r"x\['scale'\] must hold numbers"),
    "large": (
        X | {"scale": SCALE + 1e300},
        "x, as float32, has 20 values that are NaN or infinite",
    ),
    "mask": (X | {"mask": MASK[:, 0]}, "shape"),
}


@pytest.mark.parametrize("x, message", BAD.values(), ids=BAD)
def test_bad_arrays_are_named(x, message):
    with pytest.raises(ValueError, match=message):
        compiled().fit(x, Y, verbose=0)


def test_rows_of_y_are_as_many():
    with pytest.raises(ValueError, match=r"x\['mask'\] 20, x\['scale'\] 20, y 5"):
        compiled().evaluate(X, Y[:5], verbose=0)


def test_a_dict_without_y_is_no_batches():
    with pytest.raises(ValueError, match="x must be an iterable of batches .* of type dict"):
        compiled().fit(X, verbose=0)


def test_arrays_of_unequal_rows_are_no_batches():
    with pytest.raises(ValueError, match=r"differ in their number of rows: \[20, 5\]"):
        data.Batches({"ids": IDS, "mask": MASK[:5]})
