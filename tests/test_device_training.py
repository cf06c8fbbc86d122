"""Training on a GPU is training on the CPU: the same losses, gradients and parameters.

On a simulated one, and on a real one if there is any.
"""

import numpy as np
import pytest

import kernels
from minigrad import Tensor, layers, losses, models, optimizers, random, text
from minigrad.__main__ import main
from tests.orders import DEVICES, ORDERS


def _has_gpu():
    try:
        return kernels.device("cuda") is not None
    except OSError:
        return False


@pytest.fixture(autouse=True)
def specification():
    """The CPU's side runs by NumPy."""
    with kernels.use("numpy"):
        yield


@pytest.fixture
def device(monkeypatch):
    """A simulated GPU that looks for faults."""
    device = kernels.device("simulator")
    monkeypatch.setattr(device.machine, "check", True)
    return device


def multilayer_perceptron():
    model = models.Sequential([layers.Dense(6, "relu", input_dim=5), layers.Dense(3)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(0.01), loss, ["accuracy"])
    model.build((None, 5))
    x = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    return model, x, np.array([0, 2, 1, 1, 0, 2, 2])


def language_model(dropout=0.0):
    model = models.GPT(5, 1, 2, 8, dropout=dropout, max_sequence_length=4)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.AdamW(0.01, global_clipnorm=0.5), loss)
    ids = np.random.default_rng(0).integers(0, 5, (1, 4))
    return model, ids, np.roll(ids, -1, axis=1)


def reader():
    """A BERT that tells pairs of texts apart, of which one is shorter."""
    model = models.BERT(5, 1, 1, 4, head="classes", num_classes=3, max_sequence_length=4)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.AdamW(0.01), loss)
    ids = np.random.default_rng(0).integers(0, 5, (2, 4))
    mask, segments = np.array([[1, 1, 1, 1], [1, 1, 1, 0]]) > 0, np.array([[0, 0, 1, 1]] * 2)
    return model, {"ids": ids, "mask": mask, "segments": segments}, np.array([2, 0])


def predictor():
    """A BERT that says which tokens were hidden."""
    model = models.BERT(5, 1, 1, 4, max_sequence_length=4)
    model.compile(optimizers.AdamW(0.01), losses.TokenCrossentropy())
    ids = np.random.default_rng(0).integers(0, 5, (2, 4))
    return model, ids, np.where(ids == 1, losses.IGNORED, ids)


def moved(x, where):
    """An array, or a dict of arrays, on a device."""
    if isinstance(x, dict):
        return {name: kernels.move(array, where) for name, array in x.items()}
    return kernels.move(x, where)


def step(make, where):
    """The loss of a step, all gradients, and the parameters after it."""
    random.seed(0)
    model, *data = make()
    x, y = (moved(part, where) for part in data)
    model.to(where)
    parameters = model.parameters()
    prediction = model(**x, training=True) if isinstance(x, dict) else model(x, training=True)
    loss = model.objective(y, prediction, None, parameters)
    loss.backward()
    gradients = [kernels.move(parameter.grad, "cpu") for parameter in parameters]
    model.optimizer.step(parameters)
    return [loss.numpy(), *gradients, *(parameter.numpy() for parameter in parameters)]


def assert_same_step(make, where="simulator"):
    for ours, right in zip(step(make, where), step(make, "cpu"), strict=True):
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


@ORDERS
def test_a_step_on_the_device_is_that_on_the_cpu(order, device, monkeypatch):
    monkeypatch.setattr(device.machine, "order", order)
    assert_same_step(multilayer_perceptron)


MODELS = [multilayer_perceptron, language_model, reader, predictor]


@DEVICES
@pytest.mark.parametrize("make", MODELS)
def test_a_step_of_a_model_on_the_device_is_that_on_the_cpu(make, where):
    assert_same_step(make, where)  # without a look for faults, which takes minutes here


@DEVICES
def test_fit_on_the_device_is_that_on_the_cpu(where):
    results = []
    for place in (where, "cpu"):
        random.seed(0)
        model, x, y = multilayer_perceptron()
        history = model.to(place).fit(x, y, batch_size=3, epochs=2, verbose=0).history
        results.append([*history.values(), model.predict(x), model.evaluate(x, y, verbose=0)])
    for ours, right in zip(*results):
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


def reads_of_fit(make, batch_size, where):
    """How often an epoch reads from the device, and how many numbers it is asked for."""
    random.seed(0)
    model, *data = make()
    x, y = (np.concatenate([array, array]) for array in data)
    device = kernels.device(where)
    model.to(where)
    before = device.copies_to_host
    model.fit(x, y, batch_size=batch_size, verbose=0)
    return device.copies_to_host - before, 1 + len(model.metrics)


def assert_few_reads(make, where):
    few, numbers = reads_of_fit(make, 8, where)
    many, _ = reads_of_fit(make, 1, where)
    assert few == many <= 2 * numbers  # each mean, once an epoch: a total and a weight


@DEVICES
def test_only_what_is_asked_for_comes_to_the_host(where):
    assert_few_reads(multilayer_perceptron, where)


@DEVICES
def test_a_model_comes_back_with_its_optimizer(where, tmp_path):
    """Two steps here, saved, and two more there, are four steps."""
    histories = []
    for places in (["cpu", "cpu"], [where, "cpu"], ["cpu", where]):
        random.seed(0)
        model, x, y = multilayer_perceptron()
        for place in places:
            model.to(place).fit(x, y, batch_size=4, shuffle=False, verbose=0)
            assert model.device == place
        model.save(tmp_path / "model.safetensors")
        model = models.load_model(tmp_path / "model.safetensors")
        histories.append([model.predict(x), *model.optimizer.get_state(model.weights()).values()])
    for history in histories[1:]:
        for ours, right in zip(history, histories[0], strict=True):
            np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


@DEVICES
def test_weights_are_loaded_to_where_the_model_is(where, tmp_path):
    random.seed(0)
    model, x, _ = multilayer_perceptron()
    right = model.predict(x)
    model.save_weights(tmp_path / "weights.safetensors")
    other = multilayer_perceptron()[0].to(where)
    other.load_weights(tmp_path / "weights.safetensors")
    assert other.device == where
    np.testing.assert_allclose(other.predict(x), right, rtol=1e-5, atol=1e-5)


@DEVICES
def test_a_tensor_on_a_device_shows_its_values(where):
    x = Tensor(kernels.move(np.array([1.5, 2.0], np.float32), where))
    assert repr(x) == "Tensor([1.5, 2. ], float32)" and x.numpy().tolist() == [1.5, 2.0]


# ---- Programs ------------------------------------------------------------------------------------


@DEVICES
def test_generated_text_is_that_of_the_cpu(where):
    written = []
    for place in (where, "cpu"):
        random.seed(0)
        model = models.GPT(7, 1, 1, 4, max_sequence_length=8).to(place)
        written.append(text.generate(model, [[1, 2], [3]], 3, temperature=0.8, seed=0))
    assert written[0] == written[1]


COMMANDS = {
    "train table": "train table --data DATA --target kind",
    "train gpt": "train gpt --data DATA",
    "finetune": "finetune BASE --data DATA",
}


@pytest.mark.skipif(_has_gpu(), reason="there is a GPU here")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_says_that_there_is_no_gpu(command, tmp_path, capsys):
    (tmp_path / "data.csv").write_text("size,kind\n" + "1,a\n2,b\n3,a\n4,b\n5,a\n" * 9, "utf-8")
    words = command.replace("DATA", str(tmp_path / "data.csv")).replace("BASE", str(tmp_path))
    assert main([*words.split(), "--out", str(tmp_path / "out"), "--device", "cuda"]) == 2
    assert 'there is no device "cuda" here: ' in capsys.readouterr().err


def test_a_command_trains_on_the_simulator(tmp_path, capsys):
    data = tmp_path / "data.csv"
    data.write_text("size,kind\n" + "1,a\n2,b\n3,a\n4,b\n5,a\n" * 9, "utf-8")
    words = f"train table --data {data} --target kind --epochs 1 --hidden 2 --device simulator"
    assert main([*words.split(), "--out", str(tmp_path / "out")]) == 0
    assert "test accuracy" in capsys.readouterr().out
