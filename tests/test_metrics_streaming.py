"""Metrics over many batches: by name, on any machine, in fit, in files, and back to a state."""

import json
import math

import numpy as np
import pytest

from minigrad import Tensor, layers, metrics, models, random
from tests.strict_array import StrictArray, strict

generator = np.random.default_rng(0)
N = 24
LABELS = np.arange(N) % 3
Z = generator.standard_normal((N, 3)) + np.eye(3)[LABELS]
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
WEIGHTS = generator.random(N)
NUMBERS = generator.standard_normal((N, 2))

SINGLE = (LABELS == 1, P[:, 1])
CASES = {  # what makes the metric, y, ŷ
    "Mean of accuracy": (lambda: metrics.get("accuracy"), LABELS, P),
    "Mean of a loss": (lambda: metrics.get("mse"), NUMBERS, NUMBERS**2),
    "Precision": (metrics.Precision, LABELS, P),
    "Precision of one output": (metrics.Precision, *SINGLE),
    "Recall": (lambda: metrics.Recall("micro"), np.eye(3)[LABELS], P),
    "Recall of many labels": (lambda: metrics.Recall(threshold=0.3), P > 0.4, P),
    "F1Score": (lambda: metrics.F1Score("weighted"), LABELS[:, None], P),
    "ConfusionMatrix": (metrics.ConfusionMatrix, LABELS, P),
    "ConfusionMatrix of one output": (lambda: metrics.ConfusionMatrix(0.3), *SINGLE),
    "AUC": (metrics.AUC, LABELS, P),
    "AUC of one output": (metrics.AUC, *SINGLE),
    "AUC of columns": (lambda: metrics.AUC("weighted"), np.eye(3)[LABELS], P),
    "R2Score": (metrics.R2Score, NUMBERS, NUMBERS**2),
    "RootMeanSquaredError": (metrics.RootMeanSquaredError, NUMBERS, NUMBERS**2),
}
EVERY = pytest.mark.parametrize("make, y, p", CASES.values(), ids=CASES)
HALVES = (slice(0, 10), slice(10, N))


def fed(metric, y, p, weights=None, batches=HALVES, place=lambda array: array):
    for rows in batches:
        weight = [] if weights is None else [place(weights[rows])]
        metric.update(place(y[rows]), Tensor(place(p[rows])), *weight)
    return metric


# ---- On any machine ------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
def test_nothing_is_read_before_the_result(make, y, p, weights, strict_kernels, monkeypatch):
    expected = fed(make(), y, p, weights).result()
    before = StrictArray.reads
    metric = fed(make(), y, p, weights, place=strict)
    assert StrictArray.reads == before
    monkeypatch.setattr(StrictArray, "__array__", lambda self, dtype=None, copy=None: self.host)
    assert metric.result() == expected and type(metric.result()) is float


# ---- State ---------------------------------------------------------------------------------------


def same_state(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert type(value) is type(theirs[name])
        np.testing.assert_array_equal(value, theirs[name], strict=isinstance(value, np.ndarray))


@EVERY
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
def test_a_state_in_the_middle_of_a_stream_goes_on_bit_by_bit(make, y, p, weights):
    first, second = HALVES
    straight = fed(make(), y, p, weights, [first])
    state = straight.get_state()
    kept = {name: np.array(value) for name, value in state.items()}
    fed(straight, y, p, weights, [second])

    resumed = make()
    fed(resumed, y, p, weights, [second])  # is forgotten
    resumed.set_state(state)
    same_state(resumed.get_state(), state)
    fed(resumed, y, p, weights, [second])
    same_state(resumed.get_state(), straight.get_state())
    assert resumed.result() == straight.result()
    for name, value in kept.items():
        np.testing.assert_array_equal(state[name], value)  # both owned what they held


@EVERY
def test_a_state_is_numbers_and_arrays_on_the_host(make, y, p):
    for metric in (make(), fed(make(), y, p)):
        for value in metric.get_state().values():
            assert type(value) in (int, float, np.ndarray)


@EVERY
def test_the_state_before_the_first_batch_comes_back(make, y, p):
    metric = make()
    empty = metric.get_state()
    expected = fed(metric, y, p).result()
    metric.set_state(empty)
    assert math.isnan(metric.result())
    same_state(metric.get_state(), empty)
    assert fed(metric, y, p).result() == expected


def test_the_state_of_a_mean_is_two_numbers():
    mean = metrics.Mean()
    assert mean.get_state() == {"total": 0, "weight": 0}
    mean.update(np.array([1.0, 2.0], "float32"))
    assert mean.get_state() == {"total": 3.0, "weight": 2}
    assert [type(value) for value in mean.get_state().values()] == [float, int]


@EVERY
def test_reset_forgets(make, y, p):
    metric = fed(make(), y, p)
    metric.reset()
    assert math.isnan(metric.result())


# ---- Values --------------------------------------------------------------------------------------


def test_labels_and_one_hot_rows_give_the_same():
    for kind in (metrics.Precision, metrics.Recall, metrics.F1Score, metrics.AUC):
        by_label = fed(kind(), LABELS, P).result()
        assert by_label == fed(kind(), np.eye(3)[LABELS], P).result()
        assert by_label == fed(kind(), LABELS[:, None], P).result()


def test_a_threshold_lets_each_output_decide_for_itself():
    y = np.array([[1, 0, 1], [0, 0, 1]])
    p = np.array([[0.9, 0.8, 0.7], [0.2, 0.1, 0.9]])
    found = fed(metrics.Precision("micro", threshold=0.5), y, p, batches=[slice(None)])
    assert found.result() == 3 / 4
    assert (
        fed(metrics.Recall("micro", threshold=0.75), y, p, batches=[slice(None)]).result() == 2 / 3
    )


def test_a_threshold_of_0_is_for_logits():
    logits = np.array([-1.0, 0.2, 3.0])
    metric = metrics.Recall(threshold=0.0)
    metric.update(np.array([0, 1, 1]), logits[:, None])
    assert metric.result() == 1.0


def test_the_confusion_matrix_has_the_truth_in_its_rows():
    metric = metrics.ConfusionMatrix()
    metric.update(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]))
    assert metric.matrix().tolist() == [[1, 1], [0, 1]]
    single = metrics.ConfusionMatrix()
    single.update(np.array([0, 0, 1]), np.array([[0.1], [0.8], [0.7]]))
    assert single.matrix().tolist() == [[1, 1], [0, 1]]


def test_an_area_is_not_defined_until_all_classes_have_come():
    metric = metrics.AUC()
    metric.update(np.array([1, 1]), np.array([0.2, 0.9]))
    assert math.isnan(metric.result())
    metric.update(np.array([0, 0]), np.array([0.1, 0.3]))
    assert metric.result() == 3 / 4


@pytest.mark.parametrize("name", ["precision", "recall", "f1_score", "confusion_matrix", "auc"])
def test_predictions_that_are_nan_give_nan(name):
    p = P.copy()
    p[3, 1] = math.nan
    assert math.isnan(fed(metrics.get(name), LABELS, p).result())


def test_r2_keeps_its_digits_far_from_zero():
    small = fed(metrics.R2Score(), NUMBERS, NUMBERS * 0.75).result()
    large = fed(metrics.R2Score(), NUMBERS + 2.0**24, NUMBERS * 0.75 + 2.0**24).result()
    assert large == pytest.approx(small, rel=1e-7)


def test_r2_of_a_constant_is_nan():
    assert math.isnan(fed(metrics.R2Score(), NUMBERS * 0 + 0.1, NUMBERS).result())


@pytest.mark.parametrize("constant", np.linspace(0.1, 3, 20))
def test_r2_of_a_constant_where_weights_count_is_nan(constant):
    """The first example, of weight 0, is another: round-off is all that is left of the variance."""
    y = np.full((N, 1), constant)
    y[0] = 7.0
    found = fed(metrics.R2Score(), y, NUMBERS[:, :1], np.r_[0.0, WEIGHTS[1:]])
    assert math.isnan(found.result())


def test_infinite_scores_are_ties_like_any_others():
    metric = metrics.AUC()
    metric.update(np.array([1, 0, 1, 0]), np.array([math.inf, math.inf, 1.0, -math.inf]))
    assert metric.result() == (0.5 + 1 + 0 + 1) / 4


# ---- By name, in fit, in files -------------------------------------------------------------------

NAMES = ["precision", "recall", "f1_score", "auc", "confusion_matrix", "r2_score"]
NAMES += ["root_mean_squared_error"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_a_class_and_a_configuration_find_the_metric(name):
    metric = metrics.get(name)
    assert metric.name == name
    kind = type(metric)
    assert type(metrics.get(kind)) is type(metrics.get(kind.__name__)) is kind
    config = json.loads(json.dumps({"class_name": kind.__name__, "config": metric.get_config()}))
    assert metrics.get(config).get_config() == metric.get_config()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (metrics.precision, "precision"),
        (metrics.roc_auc, "auc"),
        (metrics.mean_squared_error, "mean_squared_error"),
        (metrics.mean_absolute_error, "mean_absolute_error"),
        (metrics.r2_score, "r2_score"),
    ],
)
def test_a_function_of_whole_arrays_means_its_object(function, name):
    assert metrics.get(function).name == name


def classifier(**options):
    random.seed(0)
    model = models.Sequential([layers.Dense(3, activation="softmax", input_shape=(3,))])
    model.compile("adam", "sparse_categorical_crossentropy", **options)
    return model


def test_fit_and_evaluate_report_them():
    kinds = ["precision", metrics.F1Score("micro", name="micro F1"), "auc", "confusion_matrix"]
    model = classifier(metrics=["accuracy", *kinds])
    history = model.fit(Z, LABELS, epochs=2, batch_size=7, validation_data=(Z, LABELS)).history
    found = model.evaluate(Z, LABELS, batch_size=5, return_dict=True)
    predicted = model.predict(Z)
    assert found["precision"] == metrics.precision(LABELS, predicted, average="macro")
    assert found["auc"] == metrics.roc_auc(LABELS, predicted)
    assert found["micro F1"] == found["confusion_matrix"] == found["accuracy"]
    assert len(history["val_micro F1"]) == 2


def test_they_are_saved_with_a_model(tmp_path):
    chosen = [
        metrics.Precision("weighted", zero_division=1.0, name="exact"),
        metrics.Recall(threshold=0.2),
        metrics.ConfusionMatrix(),
        metrics.AUC("weighted"),
    ]
    model = classifier(metrics=chosen)
    model.save(tmp_path / "model.safetensors")
    loaded = models.load_model(tmp_path / "model.safetensors")
    assert list(map(repr, loaded.metrics)) == list(map(repr, chosen))
    assert loaded.evaluate(Z, LABELS) == model.evaluate(Z, LABELS)


# ---- Bad input -----------------------------------------------------------------------------------


def after(metric, y, p, *weight):
    metric.update(np.array(y), np.array(p), *map(np.array, weight))
    return metric.result()


BAD = {
    "an unknown average": (
        lambda: metrics.Precision("makro"),
        "unknown average 'makro'; did you mean 'macro'",
    ),
    "an average that is no single number": (lambda: metrics.F1Score(None), "average None"),
    "a weighted area by micro": (
        lambda: metrics.AUC("micro"),
        "unknown average 'micro' .* Known: macro, weighted",
    ),
    "a threshold of text": (lambda: metrics.Recall(threshold="0.5"), "threshold .* '0.5'"),
    "a threshold of NaN": (lambda: metrics.Recall(threshold=math.nan), "threshold .* nan"),
    "zero_division of 2": (lambda: metrics.Recall(zero_division=2), "zero_division .*=2"),
    "a label too large": (
        lambda: after(metrics.Precision(), [0, 3], P[:2]),
        "precision: y_true must be 0 to c - 1 .* 1 other",
    ),
    "a negative label": (
        lambda: after(metrics.ConfusionMatrix(), [0, -1], P[:2]),
        "1 other labels",
    ),
    "a sign for a single output": (lambda: after(metrics.Recall(), [1, -1], [0.2, 0.7]), "1 other"),
    "a label too large for an area": (lambda: after(metrics.AUC(), [0, 3], P[:2]), "auc .* 0 to 2"),
    "labels of another length": (
        lambda: after(metrics.Precision(), [0, 1, 2], P[:2]),
        r"y_true must have shape \(2,\). Received: \(3,\)",
    ),
    "numbers of another length": (
        lambda: after(metrics.R2Score(), [[1.0], [2.0]], [[1.0]]),
        r"y_true must have shape \(1, 1\). Received: \(2, 1\)",
    ),
    "weights of another length": (
        lambda: after(metrics.AUC(), [0, 1], P[:2], [1.0]),
        r"sample_weight must have shape \(2,\). Received: \(1,\)",
    ),
    "predictions with three axes": (
        lambda: after(metrics.F1Score(), [[0, 1]], P[None, :2]),
        r"y_pred must have shape .* Received: \(1, 2, 3\)",
    ),
    "a threshold for a matrix of several classes": (
        lambda: after(metrics.ConfusionMatrix(0.5), [0, 1], P[:2]),
        r"single output. Received: threshold=0.5, y_pred of shape \(2, 3\)",
    ),
    "a matrix before the first batch": (
        lambda: metrics.ConfusionMatrix().matrix(),
        "confusion_matrix has seen no batch",
    ),
    "k larger than the classes": (
        lambda: after(metrics.Metric("sparse_top_k_categorical_accuracy"), [0, 1], P[:2]),
        "k must be an integer from 1 to 3, .* Received: k=5",
    ),
    "k of zero": (
        lambda: metrics.top_k_categorical_accuracy(np.eye(3), P[:3], k=0),
        "k must be an integer from 1 to 3, .* Received: k=0",
    ),
    "a state of another metric": (
        lambda: metrics.AUC().set_state(metrics.Mean().get_state()),
        r"AUC has the entries .* Received: \['total', 'weight'\]",
    ),
    "a state that is no dict": (lambda: metrics.Mean().set_state(None), "Mean .* Received: None"),
    "a state of text": (
        lambda: metrics.Mean().set_state({"total": "3", "weight": 1}),
        "total must be a number .* '3'",
    ),
    "a state of numbers in the place of arrays": (
        lambda: metrics.AUC().set_state({"y_true": 1, "y_pred": 0.5, "sample_weight": 1.0}),
        r"one length. Received: {'y_true': \(\)",
    ),
    "a state that was cut": (
        lambda: metrics.AUC().set_state(
            {"y_true": np.ones(2), "y_pred": np.ones((3, 1)), "sample_weight": np.ones(3)}
        ),
        r"one length. Received: {'y_true': \(2,\), 'y_pred': \(3, 1\)",
    ),
}


@pytest.mark.parametrize("use, message", BAD.values(), ids=BAD)
def test_bad_input_is_named(use, message):
    with pytest.raises(ValueError, match=message.replace(" .* ", ".*")):
        use()
