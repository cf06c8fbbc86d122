"""Methods of fine-tuning: what learns, and how fast; adapters, which change no bit at first."""

import os
import subprocess
import sys

import numpy as np
import pytest

from minigrad import callbacks, checkpoint, finetune, layers, models, ops, optimizers, random
from minigrad.layers import Dense, LayerNormalization
from minigrad.models.adapters import dense_layers

X = np.random.default_rng(0).integers(0, 11, (24, 5))
Y = np.arange(24) % 3


def encoder():
    """A Sequential: Embedding, two blocks of a Transformer, a mean, and a head for 3 classes."""
    random.seed(0)
    return models.Sequential(
        [
            layers.Embedding(11, 8, input_shape=(5,)),
            layers.TransformerEncoder(12, 2, dropout=0.1, activation="gelu"),
            layers.TransformerEncoder(12, 2, activation="silu"),
            layers.GlobalAveragePooling1D(),
            Dense(3, "softmax"),
        ]
    )


class Blocks(models.Model):
    """A model as GPT is: something before a list of blocks, and something after it."""

    def __init__(self):
        super().__init__(input_shape=(5,))
        self.input_dtype = "int64"
        self.tokens = layers.Embedding(11, 4)
        self.positions = layers.PositionEmbedding(5)
        self.blocks = [Dense(4, "relu"), Dense(4, "gelu", use_bias=False), Dense(4)]
        self.norm = LayerNormalization()
        self.classifier = Dense(3, "softmax")

    def call(self, x):
        x = self.positions(self.tokens(x))
        for block in self.blocks:
            x = x + block(x)
        return self.classifier(ops.mean(self.norm(x), axis=1))


def blocks():
    random.seed(0)
    model = Blocks()
    model.ensure_built()
    return model


def learning(model):
    """The paths of the weights that learn."""
    return {path for path, weight in model.weights().items() if weight.requires_grad}


def count(model):
    """How many numbers learn."""
    return sum(weight.size for weight in model.weights().values() if weight.requires_grad)


def values(model):
    return {path: weight.numpy() for path, weight in model.weights().items()}


def changed(before, after):
    return {path for path in before if before[path].tobytes() != after[path].tobytes()}


def train(model, method="full", epochs=1, callbacks=(), **options):
    told = finetune.prepare(model, method)
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", ["accuracy"])
    return model.fit(
        X, Y, epochs=epochs, batch_size=8, verbose=0, callbacks=[*told, *callbacks], **options
    )


def inside(*paths):
    """Whether a weight lies in one of these layers, as a test of its path."""
    return lambda path: any(path == p or path.startswith(f"{p}.") for p in paths)


def among(model, test):
    return {path for path in model.weights() if test(path)}


# ---- Parts of a model ----------------------------------------------------------------------------


def test_the_stages_of_a_sequential_are_its_layers():
    assert finetune.stages(encoder()) == [["0"], ["1"], ["2"], ["4"]]
    assert finetune.stages(encoder(), head=["4"]) == [["0"], ["1"], ["2"]]


def test_a_list_of_layers_is_one_stage_each():
    expected = [["tokens", "positions"], ["blocks.0"], ["blocks.1"]]
    last = ["blocks.2", "norm", "classifier"]
    assert finetune.stages(blocks()) == [*expected, last]
    assert finetune.stages(blocks(), head=["classifier"]) == [*expected, last[:2]]


def test_a_model_in_a_sequential_has_its_own_stages():
    model = models.Sequential([blocks(), Dense(2)])
    model.build((None, 5))
    assert finetune.stages(model)[1:] == [
        ["0.blocks.0"],
        ["0.blocks.1"],
        ["0.blocks.2", "0.norm", "0.classifier"],
        ["1"],
    ]


def test_a_shared_layer_is_in_its_first_stage():
    shared = Dense(4)
    model = models.Sequential([Dense(4, input_shape=(4,)), shared, Dense(4), shared, Dense(2)])
    assert finetune.stages(model) == [["0"], ["1"], ["2"], ["4"]]


# ---- What learns ---------------------------------------------------------------------------------

ATTENTION = 4 * (8 * 8 + 8)
BLOCK = ATTENTION + (8 * 12 + 12) + (12 * 8 + 8) + 4 * 8
HEAD = 8 * 3 + 3
BIASES = 4 * 8 + 12 + 8 + 2 * 8  # of a block, with the two of its normalizations
LORA = {"query": 16 * 2, "up": 20 * 2, "every": (4 * 16 + 2 * 20) * 2}  # r = 2

METHODS = {  # {method: (what learns of an encoder, how many numbers that is)}
    "Full()": (lambda path: True, 11 * 8 + 2 * BLOCK + HEAD),
    "HeadOnly()": (inside("4"), HEAD),
    "HeadOnly(head=['2', '4'])": (inside("2", "4"), BLOCK + HEAD),
    "Frozen('[01]')": (inside("2", "4"), BLOCK + HEAD),
    "Frozen('*')": (inside("4"), HEAD),
    "LastBlocks(1)": (inside("2", "4"), BLOCK + HEAD),
    "LastBlocks(2)": (inside("1", "2", "4"), 2 * BLOCK + HEAD),
    "LastBlocks(1, head=())": (inside("4"), HEAD),
    "GradualUnfreezing()": (inside("4"), HEAD),
    "LayerWise()": (lambda path: True, 11 * 8 + 2 * BLOCK + HEAD),
    "BitFit()": (
        lambda path: path.endswith(("bias", "beta")) or inside("4")(path),
        2 * BIASES + HEAD,
    ),
    "BitFit(head=())": (lambda path: path.endswith(("bias", "beta")), 2 * BIASES + 3),
    "LoRA(r=2)": (
        lambda path: ".adapters." in path or inside("4")(path),
        2 * LORA["every"] + HEAD,
    ),
    "LoRA(r=2, targets='query')": (
        lambda path: "attention.query.adapters.default." in path or inside("4")(path),
        2 * LORA["query"] + HEAD,
    ),
    "LoRA(r=2, targets=['1.*.query', 'up'], head=())": (
        lambda path: ".adapters." in path,
        LORA["query"] + 2 * LORA["up"],
    ),
}
EVERY_METHOD = pytest.mark.parametrize("method", METHODS)


def made(method):
    return eval(method, vars(finetune))


@EVERY_METHOD
def test_a_method_says_what_learns_and_all_else_keeps_every_bit(method):
    test, numbers = METHODS[method]
    model = encoder()
    callbacks = finetune.prepare(model, made(method))
    assert learning(model) == among(model, test)
    assert count(model) == numbers
    before = values(model)
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(X, Y, epochs=1, batch_size=8, verbose=0, callbacks=callbacks)
    assert changed(before, values(model)) <= learning(model)
    assert changed(before, values(model)) >= among(model, lambda p: test(p) and "key.bias" not in p)


@EVERY_METHOD
def test_a_method_does_not_depend_on_the_one_before(method):
    model, other = encoder(), encoder()
    finetune.prepare(model, finetune.LayerWise(0.5))
    finetune.prepare(model, finetune.HeadOnly())
    for each in (model, other):
        finetune.prepare(each, made(method))
    assert learning(model) == learning(other)
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert ours.learning_rate_multiplier == theirs.learning_rate_multiplier


@EVERY_METHOD
def test_saved_and_loaded_a_model_gives_the_same_and_learns_the_same(method, tmp_path):
    model = encoder()
    train(model, made(method))
    model.save(tmp_path / "model")
    again = models.load_model(tmp_path / "model")
    assert learning(again) == learning(model)
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    for each in (model, again):
        random.seed(1)
        each.fit(X, Y, epochs=1, batch_size=8, verbose=0)
    assert changed(values(model), values(again)) == set()


def test_in_a_new_process_a_model_gives_the_same(tmp_path):
    expected = {}
    for i, method in enumerate(METHODS):
        model = encoder()
        train(model, made(method))
        model.save(tmp_path / f"{i}.model")
        expected[f"{i}"] = model.predict(X, verbose=0)
    np.save(tmp_path / "x.npy", X)
    code = """if True:
        import sys
        from pathlib import Path
        import numpy as np
        from minigrad import models
        folder = Path(sys.argv[1])
        for path in folder.glob("*.model"):
            y = models.load_model(path).predict(np.load(folder / "x.npy"), verbose=0)
            np.save(path.with_suffix(".npy"), y)
    """
    command = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    for name, y in expected.items():
        assert np.load(tmp_path / f"{name}.npy").tobytes() == y.tobytes()


def test_each_method_has_a_name():
    assert {type(made(method)) for method in METHODS} == set(finetune.METHODS.values())
    for name, kind in finetune.METHODS.items():
        if name != "frozen":  # which needs a pattern
            model = encoder()
            finetune.prepare(model, name)
            other = encoder()
            kind().prepare(other)
            assert learning(model) == learning(other)


@EVERY_METHOD
def test_a_method_is_made_again_from_its_configuration(method):
    config = made(method).get_config()
    assert type(made(method)).from_config(config).get_config() == config


def test_blocks_of_a_list_learn_from_the_last_on():
    model = blocks()
    finetune.prepare(model, finetune.LastBlocks(2, head="classifier"))
    assert learning(model) == among(model, inside("blocks.1", "blocks.2", "norm", "classifier"))


def test_gradual_unfreezing_goes_down_a_block_at_a_time():
    model, seen = encoder(), []
    watch = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append({p.split(".")[0] for p in learning(model)})
    )
    train(model, finetune.GradualUnfreezing(epochs=2), epochs=9, callbacks=[watch])
    assert seen == [{"4"}] * 2 + [{"2", "4"}] * 2 + [{"1", "2", "4"}] * 2 + [{*"0124"}] * 3


def test_gradual_unfreezing_without_a_head_begins_with_the_last_block():
    model = blocks()
    finetune.prepare(model, finetune.GradualUnfreezing())
    assert learning(model) == among(model, inside("blocks.2", "norm", "classifier"))


def test_gradual_unfreezing_goes_on_from_a_backup_where_it_was(tmp_path):
    whole = encoder()
    train(whole, finetune.GradualUnfreezing(), epochs=4)
    assert_goes_on(whole, finetune.GradualUnfreezing(), tmp_path)


def assert_goes_on(whole, method, folder):
    """Two epochs, an end as the third begins, and the rest in another model equal the whole."""

    def stop(epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(
            encoder(),
            method,
            4,
            [
                callbacks.BackupAndRestore(folder / "backup"),
                callbacks.LambdaCallback(on_epoch_begin=stop),
            ],
        )
    model = encoder()
    train(model, method, 4, [callbacks.BackupAndRestore(folder / "backup")])
    assert changed(values(whole), values(model)) == set()


def test_the_lower_a_layer_the_slower_it_learns():
    model = encoder()
    finetune.prepare(model, finetune.LayerWise(0.5))
    rates = {path: weight.learning_rate_multiplier for path, weight in model.weights().items()}
    for stage, rate in {"4": 1, "2": 0.5, "1": 0.25, "0": 0.125}.items():
        assert {rates[path] for path in among(model, inside(stage))} == {rate}


def test_without_a_head_the_last_block_learns_at_the_usual_rate():
    model = blocks()
    finetune.prepare(model, finetune.LayerWise(0.5))
    rates = {path: weight.learning_rate_multiplier for path, weight in model.weights().items()}
    assert rates["classifier.bias"] == rates["blocks.2.weight"] == 1
    assert rates["blocks.1.weight"] == 0.5 and rates["tokens.weight"] == 0.125


# ---- LoRA ----------------------------------------------------------------------------------------


def randomize(model, name="default"):
    """Give an adapter what training would: numbers that change something."""
    numbers = np.random.default_rng(len(name))
    for path, weight in model.weights().items():
        if f".adapters.{name}." in path:
            weight.assign(numbers.normal(0, 0.1, weight.shape))


def gpt():
    random.seed(0)
    return built(models.GPT(11, 2, 2, 8))


def bert():
    random.seed(0)
    return built(models.BERT(11, 2, 2, 8, head="classes", num_classes=3))


def llama():
    random.seed(0)
    return built(models.Llama(11, 2, 2, 8, 16))


def built(model):
    model.ensure_built()
    return model


MAKERS = {"encoder": encoder, "blocks": blocks, "gpt": gpt, "bert": bert, "llama": llama}


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


def logits(model, training=False):
    random.seed(3)
    return model(X, training=training).numpy()


def test_a_new_adapter_changes_no_bit(make):
    model = make()
    before = logits(model)
    finetune.prepare(model, finetune.LoRA(r=3, targets="*", dropout=0.3))
    assert logits(model).tobytes() == before.tobytes()


def test_the_weights_of_the_base_keep_their_paths(make):
    model = make()
    before = values(model)
    finetune.prepare(model, "lora")
    assert before.keys() <= values(model).keys() and changed(before, values(model)) == set()


@pytest.mark.parametrize("use_rslora", [False, True])
def test_an_adapter_is_its_formula(use_rslora):
    model = models.Sequential([Dense(4, "tanh", input_shape=(3,))])
    method = finetune.LoRA(r=4, alpha=8, targets="0", use_rslora=use_rslora)
    finetune.prepare(model, method)
    randomize(model)
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
    w, b, up, down = values(model).values()
    assert up.shape == (3, 4)
    scale = 8 / 2 if use_rslora else 8 / 4
    np.testing.assert_allclose(
        model.predict(x, verbose=0), np.tanh(x @ (w + scale * up @ down) + b), rtol=0, atol=1e-5
    )


def test_a_new_adapter_begins_as_in_peft():
    """A uniform from -1/√d to 1/√d, of d inputs; B zeros; α / r = 2."""
    model = models.Sequential([Dense(9, input_shape=(400,))])
    finetune.prepare(model, finetune.LoRA(targets="0"))
    adapter = model.layers[0].adapters["default"]
    a = np.abs(adapter.a.numpy())
    assert a.shape == (400, 8) and 0.99 / 20 < a.max() <= 1 / 20
    assert a.mean() == pytest.approx(0.5 / 20, rel=0.05)
    assert not adapter.b.numpy().any() and adapter.scale == 2


def test_a_whole_path_is_no_end_of_another():
    inner = models.Sequential([Dense(3), Dense(3)])
    model = models.Sequential([Dense(3, input_shape=(3,)), inner])
    finetune.prepare(model, finetune.LoRA(targets="0", head=()))
    assert learning(model) == {"0.adapters.default.a", "0.adapters.default.b"}
    finetune.prepare(model, finetune.LoRA(targets="1", head=(), name="end"))
    assert learning(model) == {"1.1.adapters.end.a", "1.1.adapters.end.b"}


def test_dropout_falls_on_the_adapter_alone():
    model = models.Sequential([Dense(4, input_shape=(3,))])
    finetune.prepare(model, finetune.LoRA(targets="0", dropout=0.5))
    x = np.ones((5, 3), "f4")
    base = model(x).numpy()
    assert model(x, training=True).numpy().tobytes() == base.tobytes()
    randomize(model)
    assert np.ptp(model(x, training=True).numpy(), axis=0).max() > 0  # equal rows differ now
    assert np.ptp(model(x, training=False).numpy(), axis=0).max() == 0


def test_merged_a_model_gives_the_same_and_unmerged_every_bit_is_back(make):
    model = make()
    finetune.prepare(model, finetune.LoRA(r=3, targets="*"))
    randomize(model)
    before, beside = values(model), logits(model)
    paths = finetune.merge(model)
    assert set(paths) == {f"{path}.weight" for path in dense_layers(model)}
    merged = logits(model)
    assert np.abs(merged - logits(make())).max() > 1e-3
    np.testing.assert_allclose(merged, beside, rtol=0, atol=1e-5)
    assert changed(before, values(model)) == set(paths)
    finetune.unmerge(model)
    assert values(model).keys() == before.keys() and changed(before, values(model)) == set()
    assert logits(model).tobytes() == beside.tobytes()


def test_merged_for_good_a_model_is_like_the_base(make, tmp_path):
    model = make()
    finetune.prepare(model, finetune.LoRA(r=3, targets="*"))
    randomize(model)
    beside = logits(model)
    finetune.merge(model, for_good=True)
    assert values(model).keys() == values(make()).keys()
    np.testing.assert_allclose(logits(model), beside, rtol=0, atol=1e-5)
    model.save_weights(tmp_path / "weights")
    base = make()
    base.load_weights(tmp_path / "weights")
    assert logits(base).tobytes() == logits(model).tobytes()


def test_a_merged_model_is_saved_as_it_is_and_unmerged_later(tmp_path):
    model = encoder()
    finetune.prepare(model, finetune.LoRA(targets="*"))
    randomize(model)
    before, beside = values(model), logits(model)
    finetune.merge(model)
    merged = logits(model)
    model.save(tmp_path / "model")
    again = models.load_model(tmp_path / "model")
    assert logits(again).tobytes() == merged.tobytes()
    finetune.unmerge(again)
    assert changed(before, values(again)) == set()
    assert logits(again).tobytes() == beside.tobytes()


def test_several_adapters_share_one_base():
    model = encoder()
    base = logits(model)
    finetune.prepare(model, finetune.LoRA(r=2, targets="query", name="one"))
    randomize(model, "one")
    one = logits(model)
    finetune.prepare(model, finetune.LoRA(r=3, targets="*", name="second"))
    assert logits(model).tobytes() == base.tobytes()  # the new one alone is in use, and still zero
    randomize(model, "second")
    second = logits(model)
    assert finetune.adapter_names(model) == ["one", "second"]

    finetune.use_adapters(model, "one")
    assert logits(model).tobytes() == one.tobytes()
    assert learning(model) & {p for p in model.weights() if "adapters" in p} == among(
        model, lambda path: ".adapters.one." in path
    )
    finetune.use_adapters(model)
    assert logits(model).tobytes() == base.tobytes()
    finetune.use_adapters(model, "one", "second")
    both = logits(model)
    finetune.merge(model)
    np.testing.assert_allclose(logits(model), both, rtol=0, atol=1e-5)
    finetune.unmerge(model)
    finetune.remove_adapter(model, "one")
    assert finetune.adapter_names(model) == ["second"]
    assert logits(model).tobytes() == second.tobytes()


def test_what_is_not_in_use_is_not_merged():
    model = encoder()
    for name in ("one", "second"):
        finetune.prepare(model, finetune.LoRA(name=name))
        randomize(model, name)
    finetune.use_adapters(model, "one")
    one = logits(model)
    finetune.merge(model)
    np.testing.assert_allclose(logits(model), one, rtol=0, atol=1e-5)


def test_which_adapters_are_in_use_is_saved(tmp_path):
    model = encoder()
    for name in ("one", "second"):
        finetune.prepare(model, finetune.LoRA(name=name))
        randomize(model, name)
    finetune.use_adapters(model, "one")
    model.save(tmp_path / "model")
    again = models.load_model(tmp_path / "model")
    assert finetune.adapter_names(again) == ["one", "second"]
    assert logits(again).tobytes() == logits(model).tobytes()
    for each in (model, again):
        finetune.use_adapters(each, "second")
    assert logits(again).tobytes() == logits(model).tobytes()


def test_files_from_before_there_were_adapters_are_read(tmp_path):
    model = encoder()
    model.save(tmp_path / "model")
    arrays, configuration = checkpoint.load(tmp_path / "model")
    del configuration["adapters"]
    checkpoint.save(tmp_path / "model", arrays, configuration)
    assert logits(models.load_model(tmp_path / "model")).tobytes() == logits(model).tobytes()


def test_an_adapter_of_a_layer_that_is_not_there_is_a_damaged_file(tmp_path):
    with_adapter().save(tmp_path / "model")
    arrays, configuration = checkpoint.load(tmp_path / "model")
    configuration["adapters"] = {"7": {"merged": True, "adapters": {}}}
    checkpoint.save(tmp_path / "model", arrays, configuration)
    with pytest.raises(ValueError, match="model: the model cannot be made again: '7'"):
        models.load_model(tmp_path / "model")


def test_training_goes_on_from_a_backup_as_if_nothing_had_been(tmp_path):
    method = finetune.LoRA(r=2, dropout=0.2)
    whole = encoder()
    train(whole, method, epochs=4)
    assert_goes_on(whole, method, tmp_path)


def test_an_adapter_learns_in_float64_too():
    model = models.Sequential([Dense(4, dtype="float64", input_shape=(3,)), Dense(2)])
    finetune.prepare(model, "lora")
    assert {w.dtype.name for path, w in model.weights().items() if path[0] == "0"} == {"float64"}


def test_the_share_of_minilm_that_learns():
    """Six blocks of 384 features, r = 8 on queries and values: as PEFT counts it."""
    blocks = [layers.TransformerEncoder(1536, 12) for _ in range(6)]
    model = models.Sequential([layers.Input((2, 384)), *blocks])
    finetune.prepare(model, finetune.LoRA(r=8, targets=["query", "value"], head=()))
    assert count(model) == 73_728


def test_an_adapter_alone_learns():
    model = encoder()
    x = np.random.default_rng(1).integers(0, 11, (60, 5))
    y = (x == 3).any(axis=1).astype(int)
    finetune.prepare(model, finetune.LoRA(r=4, head=()))
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    losses = model.fit(x, y, epochs=40, batch_size=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


# ---- Bad input -----------------------------------------------------------------------------------


def merged():
    model = encoder()
    finetune.prepare(model, "lora")
    finetune.merge(model)
    return model


def prepared(method, make=encoder):
    return lambda: finetune.prepare(make(), method)


def with_adapter():
    model = encoder()
    finetune.prepare(model, "lora")
    return model


BAD = {
    "an unknown method": (prepared("lroa"), "unknown method 'lroa' mean 'lora'"),
    "no method": (prepared(3), "method Received: 3"),
    "an optimizer": (prepared(optimizers.Adam()), "a name or a Method Adam"),
    "no model": (lambda: finetune.prepare("m", "full"), "Full needs a model 'm'"),
    "an unbuilt model": (prepared("lora", lambda: models.Sequential([Dense(2)])), "LoRA built"),
    "a misspelt head": (prepared(finetune.HeadOnly(head="5")), "head='5' matches nothing"),
    "no head": (prepared("head", blocks), "nothing to learn head="),
    "too many blocks": (prepared(finetune.LastBlocks(3)), "this model has 3 0, 1, 2 blocks=3"),
    "no block": (lambda: finetune.LastBlocks(0), "blocks to be a positive integer blocks=0"),
    "half an epoch": (lambda: finetune.GradualUnfreezing(0.5), "epochs positive integer 0.5"),
    "a decay of 0": (lambda: finetune.LayerWise(0), "decay above 0 decay=0"),
    "no frozen pattern": (prepared("frozen"), "pattern is a pattern or a list pattern=()"),
    "a frozen pattern": (prepared(finetune.Frozen("x")), "pattern='x' matches nothing"),
    "r of 0": (lambda: finetune.LoRA(r=0), "LoRA r positive integer r=0"),
    "alpha of 0": (lambda: finetune.LoRA(alpha=0), "alpha above 0 alpha=0"),
    "dropout of 1": (lambda: finetune.LoRA(dropout=1), "dropout below 1 dropout=1"),
    "a target that is none": (
        prepared(finetune.LoRA(targets="qurey")),
        "targets='qurey' means no Dense layer",
    ),
    "half a name": (prepared(finetune.LoRA(targets="uery")), "targets='uery' means no Dense layer"),
    "no target": (prepared(finetune.LoRA(targets=[])), "targets is a pattern []"),
    "a name with a dot": (prepared(finetune.LoRA(name="a.b")), "name is one word name='a.b'"),
    "a name that is there": (
        lambda: finetune.prepare(with_adapter(), "lora"),
        "has an adapter 'default' already remove_adapter",
    ),
    "a model without Dense layers": (
        prepared("lora", lambda: models.Sequential([Dense(2, input_shape=(3,))])),
        "LoRA needs a Dense layer below the head",
    ),
    "an adapter that is not there": (
        lambda: finetune.use_adapters(with_adapter(), "b"),
        "no adapter 'b' There are: default",
    ),
    "removing what is not there": (
        lambda: finetune.remove_adapter(with_adapter(), "b"),
        "no adapter 'b' There are: default",
    ),
    "merging nothing": (lambda: finetune.merge(encoder()), "nothing to merge"),
    "merging twice": (lambda: finetune.merge(merged()), "merged '1. call unmerge(model) before"),
    "unmerging nothing": (lambda: finetune.unmerge(with_adapter()), "nothing to undo"),
    "choosing while merged": (lambda: finetune.use_adapters(merged()), "call unmerge(model)"),
    "removing while merged": (
        lambda: finetune.remove_adapter(merged(), "default"),
        "call unmerge(model)",
    ),
    "a method while merged": (lambda: finetune.prepare(merged(), "full"), "call unmerge(model)"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_error_says_what_is_wrong(case):
    call, words = BAD[case]
    with pytest.raises(ValueError) as error:
        call()
    position = 0
    message = str(error.value)
    for word in words.split():
        assert word in message[position:], message
        position = message.index(word, position)


@pytest.mark.parametrize(
    "method",
    [finetune.HeadOnly(head="x"), finetune.LastBlocks(3), finetune.LoRA(targets="x")],
    ids=["head", "last_blocks", "lora"],
)
def test_after_an_error_a_model_is_as_it_was(method):
    model = encoder()
    finetune.freeze(model, "1")
    model.layers[2].attention.query.weight.learning_rate_multiplier = 0.5
    before, rates = learning(model), [p.learning_rate_multiplier for p in model.parameters()]
    with pytest.raises(ValueError):
        finetune.prepare(model, method)
    assert learning(model) == before
    assert [p.learning_rate_multiplier for p in model.parameters()] == rates


def test_a_method_without_choose_says_so():
    with pytest.raises(NotImplementedError, match="Method needs a method choose"):
        finetune.prepare(encoder(), finetune.Method())
