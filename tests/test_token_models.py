"""GPT, BERT, Llama and the model of two sequences: files, caches, masks, devices, and named errors.

That they compute what other libraries do is shown in `test_whole_models`.
"""

import numpy as np
import pytest

from minigrad import Tensor, losses, models, no_grad, ops, optimizers, random, text
from tests.golden.whole_models import varied
from tests.strict_array import StrictArray, strict, unwrap

SHAPE = {"vocabulary_size": 30, "num_layers": 2, "num_heads": 2, "hidden_dim": 8}
SCALING = {
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
IDS = np.random.default_rng(0).integers(0, 30, (3, 9))
OTHERS = np.random.default_rng(1).integers(0, 30, (3, 5))
MASK = np.arange(9) < np.array([[9], [6], [7]])  # filled up on the right


def gpt(**options):
    return models.GPT(**SHAPE, max_sequence_length=12, **options)


def bert(**options):
    return models.BERT(**SHAPE, max_sequence_length=12, **options)


def llama(**options):
    options = {"num_key_value_heads": 1, "use_qk_norm": True, "rope_scaling": SCALING} | options
    return models.Llama(**SHAPE, intermediate_dim=12, max_sequence_length=12, **options)


def seq2seq(**options):
    return models.Seq2SeqTransformer(**SHAPE, max_sequence_length=12, **options)


# {name: (how it is made, its sequences)}
EVERY = {
    "GPT": (gpt, (IDS,)),
    "BERT": (bert, (IDS,)),
    "BERT for classes": (lambda **o: bert(head="classes", num_classes=3, **o), (IDS,)),
    "BERT without a head": (lambda **o: bert(head=None, **o), (IDS,)),
    "Llama": (llama, (IDS,)),
    "Qwen2": (lambda **o: llama(use_qkv_bias=True, tie_embeddings=True, **o), (IDS,)),
    "Seq2SeqTransformer": (seq2seq, (IDS, OTHERS)),
}
EVERY_MODEL = pytest.mark.parametrize("make, sequences", EVERY.values(), ids=EVERY)
DOUBLE = {"dtype": "float64"}


@pytest.fixture(autouse=True)
def same_parameters_in_every_run():
    random.seed(0)


# ---- What all promise ----------------------------------------------------------------------------


@EVERY_MODEL
def test_a_file_makes_the_same_model_again(make, sequences, tmp_path):
    model = make(**DOUBLE)
    model.save(tmp_path / "model")
    again = models.load_model(tmp_path / "model")
    assert repr(again) == repr(model)
    np.testing.assert_array_equal(again(*sequences).data, model(*sequences).data)


@EVERY_MODEL
def test_vectors_do_not_decay(make, sequences):
    weights = make().weights()
    assert all((p.weight_decay_multiplier == 1) == (p.ndim > 1) for p in weights.values())


@EVERY_MODEL
def test_parameters_are_there_at_once_in_one_dtype_and_named_by_their_place(make, sequences):
    model = make(**DOUBLE)
    names = set(model.weights())
    model(*sequences)
    assert {p.dtype for p in model.weights().values()} == {np.dtype("float64")}
    assert set(model.weights()) == names and not any(name[0] == "_" for name in names)


@EVERY_MODEL
def test_a_frozen_model_learns_nothing(make, sequences):
    assert not any(p.requires_grad for p in make(trainable=False).parameters())


@EVERY_MODEL
def test_what_a_mask_hides_changes_nothing_that_counts(make, sequences):
    model, (ids, *others) = make(**DOUBLE), sequences
    other = np.where(MASK, ids, (ids + 1) % 30)
    y, same = (model(x, *others, mask=MASK).data for x in (ids, other))
    if y.shape[:2] == MASK.shape:
        y, same = y[MASK], same[MASK]
    np.testing.assert_array_equal(y, same)


@EVERY_MODEL
@pytest.mark.usefixtures("strict_kernels")
def test_a_training_step_stays_on_the_device(make, sequences):
    def run(place):
        random.seed(1)
        model = make()
        for parameter in model.parameters():
            parameter.data = place(parameter.data)
        inputs, mask = [place(x) for x in sequences], place(MASK)
        y = model(*inputs, mask=mask, training=True)
        loss = ops.mean(ops.square(y))
        loss.backward()
        optimizers.AdamW().step(model.parameters())
        return [loss.data, *(p.data for p in model.parameters())]

    before = run(np.asarray)
    reads = StrictArray.reads
    after = run(strict)
    assert StrictArray.reads == reads
    for ours, theirs in zip(after, before, strict=True):
        np.testing.assert_array_equal(unwrap(ours), theirs)


@EVERY_MODEL
def test_every_normalization_has_the_epsilon_of_the_model(make, sequences):
    model = make(layer_norm_epsilon=0.25)
    epsilons = [part.epsilon for _, part in model.walk() if hasattr(part, "epsilon")]
    assert len(epsilons) > 4 and set(epsilons) == {0.25}


def test_epsilons_are_those_of_the_models_that_were_published():
    found = {kind: make().layer_norm_epsilon for kind, (make, _) in EVERY.items()}
    assert found == {kind: 1e-12 if "BERT" in kind else 1e-5 for kind in EVERY}


@EVERY_MODEL
@pytest.mark.parametrize("axis", [0, 1])
def test_of_no_tokens_there_is_nothing_to_say(make, sequences, axis):
    empty = [ids[:0] if axis == 0 else ids[:, :0] for ids in sequences]
    model = make()
    if axis == 1 and getattr(model, "head", None) == "classes":
        with pytest.raises(ValueError, match="texts without tokens"):
            model(*empty)
    else:
        assert model(*empty).shape[axis] == 0


# In two blocks: of the embeddings; of the weights of attention, and of what is added to x.
DROPPED = {
    "GPT": 1 + 2 * 3,
    "BERT": 1 + 2 * 3,
    "BERT for classes": 1 + 2 * 3 + 1,
    "Seq2SeqTransformer": (1 + 2 * 3) + (1 + 2 * 5),
}


@pytest.mark.parametrize("name", DROPPED)
def test_dropout_is_in_every_place_where_a_model_has_it(name, monkeypatch):
    make, sequences = EVERY[name]
    model, key, drawn = make(dropout=0.3), random.key, []
    monkeypatch.setattr(random, "key", lambda: (drawn.append(1), key())[1])
    model(*sequences, training=True)
    assert len(drawn) == DROPPED[name]


@pytest.mark.parametrize("name", DROPPED)
def test_dropout_works_in_training_alone(name):
    make, sequences = EVERY[name]
    model, without = make(dropout=0.3), make()
    without.set_weights(model.get_weights())
    quiet = without(*sequences, training=True).data
    np.testing.assert_array_equal(model(*sequences).data, quiet)
    one, other = (model(*sequences, training=True).data for _ in range(2))
    assert (one != other).any() and (one != quiet).any()


# ---- BERT ----------------------------------------------------------------------------------------


def test_a_head_on_some_tokens_alone_says_the_same_and_learns_the_same():
    model, rows, columns = bert(**DOUBLE), np.array([0, 2, 2]), np.array([3, 0, 8])
    some = model.logits(model.features(IDS)[rows, columns])
    every = model(IDS)
    np.testing.assert_allclose(some.data, every.data[rows, columns], rtol=1e-12)
    labels, loss = np.array([4, 1, 7]), losses.SparseCategoricalCrossentropy(from_logits=True)
    found = []
    for logits in (some, every[rows, columns]):
        model.zero_grad()
        loss(labels, logits).backward()
        found.append([p.grad.copy() for p in model.parameters()])
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-14)


def test_the_second_text_of_a_pair_is_told_from_the_first():
    model = bert(**DOUBLE)
    segments = np.where(np.arange(9) > 4, 1, 0) * np.ones((3, 1), int)
    assert (model(IDS, segments=segments).data != model(IDS).data).any()
    np.testing.assert_array_equal(model(IDS, segments=0 * segments).data, model(IDS).data)


def test_classes_come_from_the_first_token():
    model = bert(head="classes", num_classes=3, **DOUBLE)
    features = model.features(IDS)
    first = Tensor(np.where(np.arange(9)[:, None] == 0, features.data, 7))
    np.testing.assert_array_equal(model.classifier(model.pool(first)).data, model(IDS).data)


def test_the_encoder_of_one_head_serves_another(tmp_path):
    from minigrad import finetune

    bert().save_weights(tmp_path / "weights")
    classes = bert(head="classes", num_classes=3)
    heads = ["transform", "transform_norm", "output_bias", "pooler", "classifier"]
    report = finetune.load_pretrained_weights(classes, tmp_path / "weights", skip=heads)
    assert len(report.initialized) == 4 and len(report.unused) == 5


# ---- GPT and Llama: token after token ------------------------------------------------------------

EVERY_WRITER = pytest.mark.parametrize("make", [gpt, llama])


@EVERY_WRITER
@pytest.mark.parametrize("cuts", [[3], [1, 2], [0, 4], list(range(1, 9))], ids=str)
def test_with_a_cache_the_logits_are_the_same(make, cuts):
    model = varied(make(**DOUBLE))
    cache = model.make_cache(12)
    with no_grad():
        parts = [model(ids, cache=cache).data for ids in np.split(IDS, cuts, axis=1)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), model(IDS).data, atol=1e-12)


@EVERY_WRITER
@pytest.mark.parametrize("cuts", [[], [2], [3], [1, 5]], ids=str)
def test_a_batch_filled_up_on_the_left_gives_what_its_rows_give_alone(make, cuts):
    model, pads = varied(make(**DOUBLE)), np.array([0, 1, 4])
    ids = np.array([[5] * pad + [*row[: 9 - pad]] for row, pad in zip(IDS, pads)])
    mask, cache = np.arange(9) >= pads[:, None], model.make_cache(9)
    with no_grad():
        parts = zip(np.split(ids, cuts, axis=1), np.split(mask, cuts, axis=1))
        found = [model(part, mask=counts, cache=cache).data for part, counts in parts]
    for row, pad, logits in zip(IDS, pads, np.concatenate(found, axis=1)):
        alone = model(row[None, : 9 - pad]).data[0]
        np.testing.assert_allclose(logits[pad:], alone, atol=1e-12)


@EVERY_WRITER
def test_a_sequence_that_becomes_too_long_is_named(make):
    model = make()
    cache = model.make_cache(20)
    with no_grad():
        model(IDS, cache=cache)
        with pytest.raises(ValueError, match="12 positions.*positions 9 to 13"):
            model(OTHERS, cache=cache)


@pytest.mark.parametrize("options", [{"temperature": 0}, {"beams": 3}, {"seed": 4}], ids=str)
def test_llama_writes_the_same_with_a_cache_and_without(options):
    model, prompts = llama(**DOUBLE), [[1, 2, 3], [4], [5, 6]]
    cached, uncached = (
        text.generate(model, prompts, 7, use_cache=use_cache, **options)
        for use_cache in (True, False)
    )
    alone = [text.generate(model, [prompt], 7, **options)[0] for prompt in prompts]
    assert cached == uncached and cached[0] == alone[0]
    assert "seed" in options or cached == alone


# ---- Two sequences -------------------------------------------------------------------------------


def test_a_token_is_written_without_a_look_at_later_ones():
    model, changed = varied(seq2seq(**DOUBLE)), OTHERS.copy()
    changed[:, 3:] = 0
    y, other = (model(IDS, target).data for target in (OTHERS, changed))
    np.testing.assert_array_equal(y[:, :3], other[:, :3])
    assert (y[:, 3:] != other[:, 3:]).any()


@pytest.mark.parametrize("cuts", [[3], [1, 2], [1, 2, 3, 4]], ids=str)
def test_with_a_cache_the_logits_of_a_target_are_the_same(cuts):
    model = varied(seq2seq(**DOUBLE))
    cache = model.make_cache(5)
    with no_grad():
        source = model.read(IDS, MASK)
        parts = [
            model.logits(model.decode(target, source, MASK, cache)).data
            for target in np.split(OTHERS, cuts, axis=1)
        ]
    expected = model(IDS, OTHERS, mask=MASK).data
    np.testing.assert_allclose(np.concatenate(parts, axis=1), expected, atol=1e-12)


def test_keys_and_values_of_the_source_are_found_once(monkeypatch):
    model = seq2seq()
    lengths = []
    kind = type(model.decoder[0].cross_attention.key)
    call = kind.call
    keys = {id(block.cross_attention.key) for block in model.decoder}

    def counting(layer, x):
        if id(layer) in keys:
            lengths.append(x.shape[1])
        return call(layer, x)

    monkeypatch.setattr(kind, "call", counting)
    model.translate(IDS, start=1, end=99, max_new_tokens=5)
    assert lengths == [9, 9]  # one in each block


def step_by_step(model, source, mask, start, end, longest):
    """The most likely token, always, with everything computed anew for each."""
    written = [start]
    while len(written) <= longest:
        logits = model(source, np.array([written]), mask=mask)
        best = int(np.argmax(logits.data[0, -1]))
        if best == end:
            break
        written.append(best)
    return written[1:]


def test_a_greedy_translation_is_the_most_likely_token_always():
    model = varied(seq2seq(**DOUBLE))
    found = model.translate(IDS, start=1, end=6, max_new_tokens=6, mask=MASK)
    expected = [step_by_step(model, ids[None], mask[None], 1, 6, 6) for ids, mask in zip(IDS, MASK)]
    assert found == expected and len(set(map(tuple, found))) > 1


def best_of_all(model, ids, mask, end):
    """The target of at most two tokens, the end among them, with the largest mean of log p."""

    def log_p(written):
        logits = model(ids, np.array([written]), mask=mask).data[0, -1]
        return logits - np.log(np.exp(logits).sum())

    first = log_p([1])
    seconds = [log_p([1, a]) for a in range(30)]
    means = {(a, b): (first[a] + seconds[a][b]) / 2 for a in range(30) for b in range(30)}
    means = {pair: mean for pair, mean in means.items() if pair[0] != end} | {(end,): first[end]}
    return [token for token in max(means, key=means.get) if token != end]


def test_enough_beams_find_the_most_likely_target_of_all():
    model = varied(seq2seq(**DOUBLE))
    options = {"start": 1, "end": 29, "max_new_tokens": 2, "mask": MASK}
    rows = [(IDS[i : i + 1], MASK[i : i + 1]) for i in range(3)]
    expected = [best_of_all(model, ids, mask, 29) for ids, mask in rows]
    assert model.translate(IDS, **options, beams=30) == expected
    assert model.translate(IDS, **options) != expected


@pytest.mark.parametrize("beams", [1, 4])
def test_a_source_that_is_filled_up_is_translated_as_it_is_alone(beams):
    model, options = varied(seq2seq(**DOUBLE)), {"start": 1, "end": 29, "beams": beams}
    found = model.translate(IDS, **options, max_new_tokens=8, mask=MASK)
    for ids, mask, one in zip(IDS, MASK, found):
        assert model.translate(ids[mask][None], **options, max_new_tokens=8) == [one]


def test_scores_are_the_weights_of_the_source_without_what_is_hidden():
    model, scores = varied(seq2seq(**DOUBLE)), []
    model.decode(OTHERS, model.read(IDS, MASK), MASK, scores=scores)
    assert [p.shape for p in scores] == [(3, 2, 5, 9)] * 2
    for p in scores:
        np.testing.assert_allclose(p.data.sum(axis=-1), 1)
        assert not p.data[:, :, :, ~MASK[1]][1].any()


# ---- Bad input -----------------------------------------------------------------------------------

TOO_LONG = np.zeros((1, 13), int)
BAD = {
    "BERT, an id above": (lambda: bert()(IDS + 5), "BERT's embedding of tokens.*0 to 29.*to 34"),
    "BERT, an id below": (lambda: bert()(IDS - 9), "BERT's embedding of tokens.*0 to 29.*-9"),
    "BERT, no integers": (lambda: bert()(IDS / 2), "tokens looks up integers.*float"),
    "BERT, one axis": (lambda: bert()(IDS[0]), r"BERT needs ids \(n, t\).*\(9,\)"),
    "BERT, too long": (lambda: bert()(TOO_LONG), r"BERT has 12 positions.*\(1, 13\).*0 to 12"),
    "BERT, a segment": (
        lambda: bert()(IDS, segments=np.full_like(IDS, 2)),
        "BERT's embedding of segments.*from 0 to 1.*2 to 2",
    ),
    "BERT, the shape of segments": (
        lambda: bert()(IDS, segments=IDS[:2]),
        r"segments of the shape of its ids, \(3, 9\).*\(2, 9\)",
    ),
    "BERT, a mask": (lambda: bert()(IDS, mask=MASK[:, :5]), r"BERT needs a mask.*\(3, 5\)"),
    "BERT, a mask of numbers": (lambda: bert()(IDS, mask=MASK * 1), "BERT needs a mask.*int64"),
    "BERT, a head": (lambda: bert(head="words"), "BERT's head is one of.*'words'"),
    "BERT, no classes": (lambda: bert(head="classes"), "num_classes=None"),
    "BERT, classes of no head": (lambda: bert(num_classes=3), "num_classes=3"),
    "BERT, classes": (lambda: bert(head="classes", num_classes=0), "num_classes=0"),
    "BERT, logits without their head": (
        lambda: bert(head=None).logits(Tensor(np.zeros((1, 8)))),
        "head='tokens'. Received: head=None",
    ),
    "BERT, no pooler": (
        lambda: bert().pool(Tensor(np.zeros((1, 2, 8)))),
        "head='classes' or None. Received: head='tokens'",
    ),
    "BERT, no width": (lambda: models.BERT(9, 1, 2, None), "hidden_dim=None"),
    "GPT, no axis": (lambda: gpt()(np.array(5)), r"GPT needs ids \(n, t\).*shape \(\)"),
    "GPT, a list": (lambda: gpt().features([[1, 2]]), "GPT needs ids as an array.*list"),
    "Seq2Seq, a list": (
        lambda: seq2seq().translate([[1, 2]], start=1, end=2, max_new_tokens=3),
        "ids as an array. Received: list",
    ),
    "GPT, no width": (lambda: models.GPT(9, 1, 2, None), "hidden_dim=None"),
    "Seq2Seq, no width": (lambda: models.Seq2SeqTransformer(9, 1, 2, None), "hidden_dim=None"),
    "BERT, heads": (lambda: models.BERT(9, 1, 3, 8), "num_heads=3, hidden_dim=8"),
    "BERT, dropout": (lambda: bert(dropout=1.0), "dropout"),
    "BERT, segments": (lambda: bert(num_segments=0), "num_segments=0"),
    "Llama, an id": (lambda: llama()(IDS + 5), "Llama's embedding of tokens.*0 to 29"),
    "Llama, too long": (lambda: llama()(TOO_LONG), "Llama has 12 positions.*0 to 12"),
    "Llama, a mask": (lambda: llama()(IDS, mask=MASK[:2]), r"Llama needs a mask.*\(2, 9\)"),
    "Llama, heads": (lambda: models.Llama(9, 1, 4, 8, 8, 3), "num_key_value_heads=3"),
    "Llama, no equal shares": (lambda: models.Llama(9, 1, 3, 8, 8), "num_heads=3, hidden_dim=8"),
    "Llama, a head's size": (lambda: llama(head_dim=3), "head_dim=3"),
    "Llama, another scaling": (
        lambda: llama(rope_scaling={**SCALING, "rope_type": "yarn"}),
        "rope_type 'llama3'.*yarn",
    ),
    "Llama, half a scaling": (lambda: llama(rope_scaling={"factor": 8.0}), "rope_scaling.*8.0"),
    "Llama, scaling by 0": (
        lambda: llama(rope_scaling={**SCALING, "factor": 0}),
        "rope_scaling factor",
    ),
    "Llama, scaling upside down": (
        lambda: llama(rope_scaling={**SCALING, "low_freq_factor": 4.0}),
        "low_freq_factor below high_freq_factor.*4.0 and 4.0",
    ),
    "Seq2Seq, an id": (lambda: seq2seq()(IDS, OTHERS + 9), "Seq2SeqTransformer's embedding.*29"),
    "Seq2Seq, a source": (lambda: seq2seq()(TOO_LONG, OTHERS[:1]), "Transformer has 12 positions"),
    "Seq2Seq, a target": (lambda: seq2seq()(IDS[:1], TOO_LONG), "Transformer has 12 positions"),
    "Seq2Seq, a mask": (
        lambda: seq2seq()(IDS, OTHERS, mask=MASK[:, 1:]),
        r"Seq2SeqTransformer needs a mask.*\(3, 8\)",
    ),
    "Seq2Seq, no pairs": (
        lambda: seq2seq()(IDS, OTHERS[:2]),
        "as many targets as sources.*2 and 3",
    ),
    "Seq2Seq, too much to write": (
        lambda: seq2seq().translate(IDS, start=1, end=0, max_new_tokens=13),
        "at most 12 tokens.*max_new_tokens=13",
    ),
    "Seq2Seq, a start": (
        lambda: seq2seq().translate(IDS, start=30, end=0, max_new_tokens=3),
        "0 to 29.*30",
    ),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
