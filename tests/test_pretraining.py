"""`minigrad train gpt` and `train bert`: the loss, the clock, what survives, what is refused.

tests/check_survival.py kills real processes. Here an error in the middle stands for that.
"""

import errno
import math
import re
import time

import numpy as np
import pytest

import kernels
from minigrad import checkpoint, data, models, random, text
from minigrad.__main__ import main
from minigrad.atomic import alone_in
from minigrad.programs import pretrain as module
from minigrad.programs import (
    pretraining_backup,
    pretraining_picture,
    pretraining_report,
    pretraining_settings,
)
from minigrad.programs.pretrain import HiddenTokens, NextToken, Objective, add_gradients, pretrain
from minigrad.programs.pretraining_backup import Progress
from minigrad.programs.pretraining_settings import FIRST, LAST, MASK, SPECIAL_TOKENS, Settings
from tests import figures

TINY = {"layers": 1, "heads": 2, "width": 16, "context": 12, "batch": 4, "tokenizer": "byte"}
SETTINGS = Settings("gpt", **TINY)


@pytest.fixture
def source(tmp_path):
    """A file of sentences that are easy to foresee."""
    path = tmp_path / "sentences.txt"
    path.write_text("".join(f"{i % 7} follows {i % 7 - 1}.\n" for i in range(150)))
    return path


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch, tmp_path):
    """Where a training leaves its folder; its samples are short."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "SHOWN", 8)


def words(source, *more, kind="gpt", out="out"):
    """The words of a command that trains a tiny model."""
    tiny = [word for name, value in TINY.items() for word in (f"--{name}", str(value))]
    return ["train", kind, "--data", str(source), "--out", out, *tiny, *more]


def make_model(kind, seed=0, vocabulary=50, **options):
    random.seed(seed)
    model = kind(vocabulary, 2, 2, 16, max_sequence_length=12, **options)
    model.ensure_built()
    return model


def gradients(model):
    return {path: parameter.grad for path, parameter in model.weights().items()}


# ---- The loss and its gradient -------------------------------------------------------------------


def draw_lengths(n, t):
    """ids (n, t), targets (n, t), and the places that count: 1 to t of each row."""
    generator = np.random.default_rng(0)
    ids, targets = generator.integers(50, size=(2, n, t))
    lengths = generator.integers(1, t + 1, size=n)
    assert len(set(lengths.tolist())) >= n / 4
    return ids, targets, np.arange(t) < lengths[:, None]


@pytest.mark.parametrize("kind", [models.GPT, models.BERT])
@pytest.mark.parametrize("parts", [32, 8, 5])
def test_32_micro_batches_of_variable_lengths_give_the_gradient_of_one_batch(kind, parts):
    batch = draw_lengths(32, 12)
    whole, divided = make_model(kind), make_model(kind)
    loss = add_gradients(Objective(whole), *batch, parts=1)
    assert add_gradients(Objective(divided), *batch, parts=parts) == pytest.approx(loss, rel=1e-6)
    expected = gradients(whole)
    for path, gradient in gradients(divided).items():
        scale = np.abs(expected[path]).max()
        np.testing.assert_allclose(gradient, expected[path], rtol=0, atol=1e-6 * max(scale, 1e-2))


def test_validation_is_without_dropout():
    model, task = make_model(models.GPT, dropout=0.5), NextToken(SETTINGS, text.ByteTokenizer())
    without = make_model(models.GPT)
    without.set_weights(model.get_weights())
    windows = np.random.default_rng(0).integers(50, size=(1, 4, 13))
    one, other = (module.evaluate(Objective(some), task, windows) for some in (model, without))
    assert one == other


def test_the_same_places_are_hidden_in_every_validation():
    tokenizer = text.ByteTokenizer(SPECIAL_TOKENS["bert"])
    task = HiddenTokens(SETTINGS, tokenizer)
    model = make_model(models.BERT, vocabulary=tokenizer.vocabulary_size)
    windows = np.random.default_rng(0).integers(256, size=(1, 4, task.window))
    one, other = (module.evaluate(Objective(model), task, windows) for _ in range(2))
    assert one == other


def test_to_compile_kernels_draws_no_random_numbers():
    model, task = make_model(models.GPT, 0, 257, dropout=0.5), NextToken(SETTINGS, None)
    random.seed(3)
    module.compile_kernels(Objective(model), task, SETTINGS)
    drawn = random.key()
    random.seed(3)
    assert random.key() == drawn


def test_a_model_has_the_shape_that_was_asked_for():
    settings = SETTINGS._replace(dropout=0.25, context=20)
    config = pretraining_settings.model_of(settings, text.ByteTokenizer()).get_config()
    names = "num_layers", "num_heads", "hidden_dim", "max_sequence_length", "dropout"
    assert [config[name] for name in names] == [1, 2, 16, 20, 0.25]


@pytest.mark.parametrize("kind", [models.GPT, models.BERT])
def test_the_loss_is_the_sum_over_the_places_that_count_divided_by_their_number(kind):
    ids, targets, counts = draw_lengths(8, 12)
    model = make_model(kind)
    logits = model(ids).numpy().astype("float64")
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    each = -np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]
    loss = add_gradients(Objective(model), ids, targets, counts, parts=4)
    assert loss == pytest.approx(each[counts].mean(), rel=1e-5)
    model = make_model(kind)
    assert add_gradients(Objective(model), ids, targets, None) == pytest.approx(
        each.mean(), rel=1e-5
    )


def test_a_part_in_which_nothing_counts_adds_nothing():
    ids, targets, counts = draw_lengths(4, 12)
    counts[:2] = False
    whole, divided = make_model(models.BERT), make_model(models.BERT)
    add_gradients(Objective(whole), ids[2:], targets[2:], counts[2:])
    add_gradients(Objective(divided), ids, targets, counts, parts=2)
    for path, gradient in gradients(divided).items():
        np.testing.assert_allclose(gradient, gradients(whole)[path], rtol=1e-5, atol=1e-7)


def test_validation_is_the_mean_over_every_token_but_the_first():
    model = make_model(models.GPT, vocabulary=256)
    task = NextToken(SETTINGS, text.ByteTokenizer())
    ids = np.random.default_rng(0).integers(256, size=12 * 4 + 8)
    windows = data.all_windows(ids, 3, task.window, task.overlap)
    loss = module.evaluate(Objective(model), task, windows)
    total = 0.0
    for start in range(0, len(ids) - 1, 12):
        window = ids[start : start + 13]
        logits = model(window[None, :-1]).numpy()[0].astype("float64")
        log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        total -= log_p[np.arange(len(window) - 1), window[1:]].sum()
    assert loss == pytest.approx(total / (len(ids) - 1), rel=1e-5)


def test_the_head_of_bert_sees_nothing_but_the_hidden_places(monkeypatch):
    seen, model = [], make_model(models.BERT)
    logits = models.BERT.logits
    monkeypatch.setattr(
        models.BERT, "logits", lambda self, x: (seen.append(x.shape), logits(self, x))[1]
    )
    ids, targets, counts = draw_lengths(8, 12)
    add_gradients(Objective(model), ids, targets, counts)
    assert seen == [(counts.sum(), 16)]


# ---- What there is to predict --------------------------------------------------------------------


def test_gpt_predicts_the_next_token_everywhere():
    task = NextToken(SETTINGS, text.ByteTokenizer())
    windows = np.arange(26).reshape(2, 13)
    ids, targets, counts = task.examples(windows, None)
    np.testing.assert_array_equal(targets, ids + 1)
    assert ids.shape == (2, 12) and counts is None


def test_bert_predicts_what_was_hidden_between_its_special_tokens():
    tokenizer = text.ByteTokenizer(SPECIAL_TOKENS["bert"])
    task = HiddenTokens(SETTINGS, tokenizer)
    windows = np.random.default_rng(0).integers(256, size=(300, task.window))
    ids, targets, counts = task.examples(windows, np.random.default_rng(1))
    special = tokenizer.special_tokens
    assert ids.shape == targets.shape == counts.shape == (300, 12)
    assert (ids[:, 0] == special[FIRST]).all() and (ids[:, -1] == special[LAST]).all()
    np.testing.assert_array_equal(targets[:, 1:-1], windows)
    np.testing.assert_array_equal(ids[:, 1:-1][~counts[:, 1:-1]], windows[~counts[:, 1:-1]])
    assert not counts[:, [0, -1]].any()
    assert counts[:, 1:-1].mean() == pytest.approx(0.15, abs=0.02)
    assert (ids[counts] == special[MASK]).mean() == pytest.approx(0.8, abs=0.05)
    assert set(np.unique(ids[counts])) <= {*range(256), special[MASK]}


# ---- The clock -----------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for what is added to clock[0]."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def test_with_minutes_the_schedule_ends_when_they_do(clock):
    progress = Progress(None, 2)
    progress.begin()
    assert (progress.share, progress.left, progress.is_over) == (0.0, 120.0, False)
    clock[0] += 90
    progress.count(1.0)
    assert (progress.share, progress.left, progress.is_over) == (0.75, 30.0, False)
    clock[0] += 31
    assert (progress.share, progress.left, progress.is_over) == (1.0, 0.0, True)


def test_with_steps_the_last_one_has_the_last_rate_and_the_time_left_is_foreseen(clock):
    progress = Progress(4, None)
    progress.begin()
    assert (progress.share, progress.left) == (0.25, math.inf)
    for _ in range(3):
        clock[0] += 10
        progress.count(1.0)
    assert (progress.share, progress.left, progress.is_over) == (1.0, 10.0, False)
    progress.count(1.0)
    assert progress.is_over


def test_an_interruption_takes_no_time(clock):
    progress = Progress(None, 1)
    progress.begin()
    clock[0] += 20
    state = progress.get_state()
    clock[0] += 1000
    later = Progress(None, 1)
    later.set_state(state)
    clock[0] += 10
    assert later.done == 0.5


def test_the_rate_rises_to_its_height_and_falls_to_a_tenth(source, monkeypatch):
    rates, step = [], module.optimizers.AdamW.step
    monkeypatch.setattr(
        module.optimizers.AdamW,
        "step",
        lambda self, parameters: (rates.append(self.rate), step(self, parameters))[1],
    )
    pretrain("gpt", data=str(source), steps=100, learning_rate=0.01, **TINY)
    assert len(rates) == 100 and max(rates) == pytest.approx(0.01)
    assert np.argmax(rates) == 4
    assert (np.diff(rates[:5]) > 0).all() and (np.diff(rates[4:]) < 0).all()
    assert rates[0] == pytest.approx(0.002) and rates[-1] == pytest.approx(0.001)


def test_the_optimizer_decays_forgets_and_clips_as_is_usual_for_language_models(
    source, monkeypatch
):
    seen, step = [], module.optimizers.AdamW.step
    monkeypatch.setattr(
        module.optimizers.AdamW,
        "step",
        lambda self, parameters: (seen.append(self), step(self, parameters))[1],
    )
    pretrain("gpt", data=str(source), steps=1, **TINY)
    [adam] = seen
    names = "weight_decay", "beta_1", "beta_2", "global_clipnorm"
    assert [getattr(adam, name) for name in names] == [0.1, 0.9, 0.99, 1.0]


def test_a_training_of_so_many_minutes_ends_after_them(source, capsys):
    began = time.monotonic()
    assert main(words(source, "--minutes", "0.03")) == 0
    assert 1.8 <= time.monotonic() - began < 20
    assert "% of the machine's peak" in capsys.readouterr().out


# ---- The command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, model", [("gpt", models.GPT), ("bert", models.BERT)])
def test_training_learns_and_leaves_a_model_its_tokenizer_a_report_and_a_picture(
    kind, model, source, tmp_path, capsys
):
    assert main(words(source, "--steps", "120", "--learning-rate", "0.01", kind=kind)) == 0
    printed, folder = capsys.readouterr().out, tmp_path / "out"
    last = printed.strip().splitlines()[-1]
    assert last.startswith("validation loss ") and last.endswith(" bits per byte")
    assert float(last.split()[2].rstrip(",")) < {"gpt": 2.0, "bert": 3.0}[kind]
    assert (folder / "report.txt").read_text(encoding="utf-8").strip() == printed.strip()
    assert (folder / "losses.png").read_bytes().startswith(b"\x89PNG")
    trained = models.load_model(folder / "model.safetensors")
    tokenizer = text.load_tokenizer(folder)
    assert isinstance(trained, model)
    assert trained.vocabulary_size == tokenizer.vocabulary_size == 256 + len(SPECIAL_TOKENS[kind])
    assert not (folder / "backup.safetensors").exists()
    for word in (
        "tokens/s",
        "% of the machine's peak",
        " left",
        "| ",
        "⟩" if kind == "bert" else "⟫",
    ):
        assert word in printed


def test_the_same_seed_gives_the_same_model_and_another_seed_another(source, tmp_path):
    for out, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(words(source, "--steps", "3", "--seed", seed, out=out)) == 0
    a, b, c = ((tmp_path / out / "model.safetensors").read_bytes() for out in "abc")
    assert a == b != c


def test_accumulation_gives_the_same_model_but_for_rounding(source, tmp_path):
    for out, parts in (("a", "1"), ("b", "4")):
        assert main(words(source, "--steps", "3", "--accumulate", parts, out=out)) == 0
    a, b = (models.load_model(tmp_path / out / "model.safetensors") for out in "ab")
    for path, weight in a.get_weights().items():
        np.testing.assert_allclose(b.get_weights()[path], weight, rtol=0, atol=1e-4)


@pytest.mark.parametrize("tokenizer", ["bpe", "char", "byte"])
def test_each_tokenizer_is_learned_and_kept(tokenizer, source, tmp_path):
    command = words(source, "--steps", "1", "--tokenizer", tokenizer, "--vocabulary", "260")
    assert main(command) == 0
    kept = text.load_tokenizer(tmp_path / "out")
    characters = len(set(source.read_text()))
    assert kept.vocabulary_size == {"bpe": 260, "char": characters + 1, "byte": 257}[tokenizer]
    assert kept.decode(kept.encode("6 follows 5.")) == "6 follows 5."


def test_characters_of_the_validation_part_alone_are_known(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("abc " * 100 + "z" * 10)
    assert main(words(file, "--steps", "1", "--tokenizer", "char", "--context", "4")) == 0


def test_bits_per_byte_are_those_of_the_text_beside_gzip_and_xz(source, capsys):
    class Report:
        say = staticmethod(print)

    corpus = data.corpus(source)
    tokens = {"validation": np.zeros(100, int)}
    pretraining_report.say_result(Report, SETTINGS, corpus, tokens, loss=math.log(2))
    printed = capsys.readouterr().out
    size = corpus.validation.size
    assert f"{100 / size:.3f} bits per byte" in printed.splitlines()[-1]
    for name, compressed in corpus.validation.compressed().items():
        [line] = [line for line in printed.splitlines() if line.startswith(name)]
        assert line.split()[-1] == f"{8 * compressed / size:.3f}"


def test_a_sample_cannot_move_the_cursor():
    shown = pretraining_report.sample("a\x1b[2J\r語\n\tb")
    assert shown.replace(" ", "") == "|a\ufffd[2J\ufffd語\n|\tb"


def test_the_work_of_a_step_is_that_of_its_products():
    model = make_model(models.GPT, vocabulary=256)
    settings = SETTINGS._replace(layers=2)
    matrices = sum(
        p.size for path, p in model.weights().items() if p.ndim == 2 and "positions" not in path
    )  # the embedding is the weight of the head
    attention = 2 * 12 * 16  # keys and values, 2 layers of them: half of the 12 on average, twice
    expected = 6 * 4 * 12 * (matrices + attention)
    assert pretraining_report.operations(settings, model) == expected


def test_the_peak_is_that_of_the_cores_in_use():
    assert kernels.peak(2) == 2 * kernels.peak(1) > 0


def test_the_picture_is_labelled(tmp_path):
    progress = Progress(300, None)
    generator = np.random.default_rng(0)
    progress.losses = [6 * math.exp(-i / 100) + generator.random() for i in range(300)]
    progress.validated = [[100, 3.1], [200, 2.0], [300, 1.5]]
    figures.check(pretraining_picture.draw(progress, tmp_path / "losses.png"))
    progress.losses, progress.validated = progress.losses[:1], []
    figures.check(pretraining_picture.draw(progress, tmp_path / "losses.png"))


# ---- Interrupted, and gone on with ---------------------------------------------------------------


class TrainingInterruptedError(Exception):
    """Stands for the end of the process."""


def interrupted(source, step, monkeypatch, *more, kind="gpt", out="out"):
    """Train until the end of a step, of which no backup is made any more."""
    count = Progress.count

    def count_and_end(self, loss):
        count(self, loss)
        if self.step == step:
            raise TrainingInterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(pretraining_backup, "SECONDS", 0)
        patch.setattr(Progress, "count", count_and_end)
        with pytest.raises(TrainingInterruptedError):
            main(words(source, "--steps", "20", "--dropout", "0.2", *more, kind=kind, out=out))


@pytest.mark.parametrize("kind", ["gpt", "bert"])
@pytest.mark.parametrize("step", [1, 11])
def test_a_resumed_training_ends_with_the_same_weights_bit_by_bit(
    kind, step, source, tmp_path, monkeypatch
):
    assert main(words(source, "--steps", "20", "--dropout", "0.2", kind=kind, out="whole")) == 0
    interrupted(source, step, monkeypatch, kind=kind)
    assert main(["train", kind, "--out", "out", "--resume"]) == 0
    whole, resumed = (tmp_path / out / "model.safetensors" for out in ("whole", "out"))
    assert whole.read_bytes() == resumed.read_bytes()


def test_a_resumed_training_goes_on_with_report_and_losses(source, tmp_path, monkeypatch, capsys):
    interrupted(source, 11, monkeypatch)
    before = (tmp_path / "out" / "report.txt").read_text(encoding="utf-8")
    drawn = []
    monkeypatch.setattr(
        module.pretraining_picture, "draw", lambda progress, path: drawn.append(progress)
    )
    capsys.readouterr()
    assert main(["train", "gpt", "--out", "out", "--resume"]) == 0
    report = (tmp_path / "out" / "report.txt").read_text(encoding="utf-8")
    assert report == before + capsys.readouterr().out
    assert len(drawn[0].losses) == 20
    assert [step for step, _ in drawn[0].validated] == [4, 8, 12, 16, 20]


def test_resume_takes_the_same_options_again_and_refuses_others(
    source, tmp_path, monkeypatch, capsys
):
    interrupted(source, 5, monkeypatch)
    for option, value in (("--learning-rate", "0.1"), ("--width", "32"), ("--seed", "3")):
        assert main(["train", "gpt", "--out", "out", "--resume", option, value]) == 2
        complaint = capsys.readouterr().err
        assert option[2:].replace("-", "_") in complaint and value in complaint
    assert main(["train", "bert", "--out", "out", "--resume"]) == 2
    assert "kind was gpt. Received: bert" in capsys.readouterr().err
    assert main([*words(source, "--steps", "20", "--dropout", "0.2"), "--resume"]) == 0


def test_resume_refuses_other_data_and_takes_the_same_from_another_place(
    source, tmp_path, monkeypatch, capsys
):
    interrupted(source, 5, monkeypatch)
    moved = source.rename(tmp_path / "moved.txt")
    assert main(["train", "gpt", "--out", "out", "--resume"]) == 2
    assert "sentences.txt" in capsys.readouterr().err
    other = tmp_path / "other.txt"
    other.write_text(moved.read_text()[:-1] + "!")
    tokens = (tmp_path / "out" / "validation.tokens").read_bytes()
    assert main(["train", "gpt", "--out", "out", "--resume", "--data", str(other)]) == 2
    complaint = capsys.readouterr().err
    assert "on other data: validation part was" in complaint
    assert (tmp_path / "out" / "validation.tokens").read_bytes() == tokens
    assert main(["train", "gpt", "--out", "out", "--resume", "--data", str(moved)]) == 0


def test_an_unfinished_training_is_not_written_over(source, tmp_path, monkeypatch, capsys):
    interrupted(source, 5, monkeypatch)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert main(words(source, "--steps", "20")) == 2
    assert "not over: --resume" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_what_cannot_be_resumed_is_named(source, tmp_path, monkeypatch, capsys):
    command = ["train", "gpt", "--out", "out", "--resume"]
    assert main(command) == 2
    assert "nothing to resume in out" in capsys.readouterr().err
    interrupted(source, 5, monkeypatch)
    backup = tmp_path / "out" / "backup.safetensors"
    content = backup.read_bytes()
    backup.write_bytes(content[: len(content) // 2])
    assert main(command) == 2
    assert "backup.safetensors is damaged" in capsys.readouterr().err
    checkpoint.save_tree(backup, {"something": "else"})
    assert main(command) == 2
    assert "no backup of a pretraining" in capsys.readouterr().err


def test_a_full_disk_costs_the_backup_and_not_the_training(source, tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining_backup, "SECONDS", 0)

    def fail(path, tree):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(pretraining_backup.checkpoint, "save_tree", fail)
    with pytest.warns(UserWarning, match="not backed up.*No space left"):
        assert main(words(source, "--steps", "2")) == 0
    assert (tmp_path / "out" / "model.safetensors").exists()


def test_a_disk_that_is_full_in_the_end_costs_the_picture_and_not_the_model(
    source, tmp_path, monkeypatch, capsys
):
    def fail(progress, path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(pretraining_picture, "draw", fail)
        assert main(words(source, "--steps", "2")) == 2
    assert "losses.png" in capsys.readouterr().err
    models.load_model(tmp_path / "out" / "model.safetensors")
    assert main(words(source, "--steps", "2", "--resume")) == 0
    assert (tmp_path / "out" / "losses.png").exists()


def test_a_second_run_in_the_folder_of_another_is_refused(source, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    with alone_in(tmp_path / "out"):
        assert main(words(source, "--steps", "2")) == 2
    assert "another run is at work in out" in capsys.readouterr().err
    assert not any((tmp_path / "out").iterdir())
    assert main(words(source, "--steps", "2")) == 0


@pytest.mark.parametrize("kind", ["gpt", "bert"])
def test_a_training_that_has_become_nan_in_its_last_step_is_named(kind, source, tmp_path, capsys):
    assert main(words(source, "--steps", "2", "--learning-rate", "1e30", kind=kind)) == 2
    assert re.search("the (validation )?loss became (nan|inf)", capsys.readouterr().err)
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_loss_that_is_not_finite_ends_training_and_keeps_the_last_backup(
    source, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(pretraining_backup, "SECONDS", 0)
    add, calls = module.add_gradients, []

    def fail_at_step_5(*arguments):
        calls.append(1)
        loss = add(*arguments)
        return math.nan if len(calls) == 6 else loss  # the first call compiles kernels

    monkeypatch.setattr(module, "add_gradients", fail_at_step_5)
    assert main(words(source, "--steps", "20")) == 2
    assert "the loss became nan in step 5" in capsys.readouterr().err
    state = checkpoint.load_tree(tmp_path / "out" / "backup.safetensors")["state"]
    assert len(state["progress"]["losses"]) == 4


# ---- What cannot be trained ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, culprit",
    [
        ("--minutes 0", "minutes=0.0"),
        ("--minutes -1", "minutes=-1.0"),
        ("--minutes nan", "minutes=nan"),
        ("--steps 0", "steps=0"),
        ("--steps 3 --minutes 1", "steps=3, minutes=1.0"),
        ("--tokenizer wordpiece", "unknown tokenizer 'wordpiece'"),
        ("--vocabulary 0", "vocabulary=0"),
        ("--vocabulary 100 --tokenizer bpe", "vocabulary_size=100"),
        ("--layers 0", "layers=0"),
        ("--heads 3", "width=16, heads=3"),
        ("--context 0", "context=0"),
        ("--batch 0", "batch=0"),
        ("--batch 4 --accumulate 3", "batch=4, accumulate=3"),
        ("--learning-rate 0", "learning_rate=0.0"),
        ("--dropout 1", "dropout=1.0"),
        ("--seed -1", "-1"),
        ("--data nowhere", "nowhere"),
        ("--context 9000", "the train part of .*sentences.txt is smaller than one context"),
        ("--context 800", "the validation part of .*sentences.txt .*window has 801 tokens"),
    ],
)
def test_options_from_which_nothing_can_be_learned_are_named(options, culprit, source, capsys):
    when = () if "--steps" in options or "--minutes" in options else ("--steps", "1")
    assert main(words(source, *when, *options.split())) == 2
    complaint = capsys.readouterr().err
    assert len(complaint.splitlines()) == 1
    assert re.search(culprit, complaint), complaint


def test_text_that_is_no_utf_8_or_empty_is_named(tmp_path, capsys):
    (tmp_path / "bad.txt").write_bytes(b"good text, " * 50 + b"\xff\xfe" + b" more of it" * 50)
    (tmp_path / "empty.txt").write_bytes(b"")
    for name, complaint in (("bad.txt", "byte 550 (0xff)"), ("empty.txt", "empty.txt is empty")):
        assert main(words(tmp_path / name, "--steps", "1")) == 2
        assert complaint in capsys.readouterr().err


def test_the_context_of_bert_has_room_for_text(source, capsys):
    assert main(words(source, "--steps", "1", "--context", "2", kind="bert")) == 2
    assert "context=2" in capsys.readouterr().err
