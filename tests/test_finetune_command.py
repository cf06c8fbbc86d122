"""`minigrad finetune`, and `predict` and `generate` with what it leaves: from a file to answers."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minigrad import finetune
from minigrad.__main__ import main
from minigrad.atomic import alone_in
from minigrad.programs.finetune_text import Training
from minigrad.programs.finetuning_examples import examine
from minigrad.programs.finetuning_rows import read_rows, without_repeats
from minigrad.programs.finetuning_settings import RATES, Settings, check
from tests.tiny_models import WORDS, tiny_bert, tiny_gpt

KINDS = {"good": "praise", "bad": "blame"}
QUICK = ("--epochs", "15", "--learning-rate", "0.004", "--method", "full")


def write(path, columns, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def sentences(n=80, seed=0):
    """[(text, kind)]: a word at the end of some others says which."""
    generator = np.random.default_rng(seed)
    others = [word for word in WORDS if word not in KINDS]
    texts = [" ".join(generator.choice(others, 4)) for _ in range(n)]
    return [(f"{text} {word}", KINDS[word]) for text, word in zip(texts, [*KINDS] * n)]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="module")
def gpt(tmp_path_factory):
    return tiny_gpt(tmp_path_factory.mktemp("models") / "gpt")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, bert):
    """The folder after a classification: data.csv, and run, with report, pictures and model."""
    folder = tmp_path_factory.mktemp("classify")
    data = write(folder / "data.csv", ["text", "label"], sentences())
    assert run("finetune", bert, "--data", data, "--out", folder / "run", *QUICK) == 0
    return folder


def run(*arguments):
    return main([str(argument) for argument in arguments])


def report_of(folder):
    return (folder / "report.txt").read_text(encoding="utf-8")


# ---- A classification from top to bottom ---------------------------------------------------------


def test_it_learns_and_says_so_beside_the_baseline(trained):
    words = report_of(trained / "run").strip().splitlines()[-1].split()
    assert words[:2] == ["test", "accuracy"] and words[-2] == "macro-F1"
    assert float(words[2].rstrip(";")) > 0.9 and "gives 0.5000" in " ".join(words)


def test_the_report_has_its_stages(trained):
    text = report_of(trained / "run")
    stages = "1. Data", "2. Model", "3. Training", "4. Evaluation on the test", "5. Files"
    for said in (*stages, "macro average", "labels: blame, praise", "train 52, validation 12"):
        assert said in text


def test_all_that_was_made_is_in_the_folder(trained):
    names = {path.name for path in (trained / "run").iterdir()}
    pictures = {"history.png", "confusion_matrix.png", "calibration.png"}
    assert names == {"report.txt", "test.csv", "model"} | pictures
    of_tokenizer = {"tokenizer.json", "tokenizer_config.json"}
    assert {path.name for path in (trained / "run" / "model").iterdir()} == (
        {"config.json", "model.safetensors", "minigrad_task.json"} | of_tokenizer
    )


def test_the_figures_are_those_of_the_predictions_in_the_file(trained):
    rows = read(trained / "run" / "test.csv")
    accuracy = np.mean([row["true label"] == row["predicted label"] for row in rows])
    assert f"test accuracy {accuracy:.4f};" in report_of(trained / "run")
    lines = (trained / "data.csv").read_text(encoding="utf-8").splitlines()
    assert all(lines[int(row["line"]) - 1].endswith(row["true label"]) for row in rows)


def test_the_weights_kept_are_those_of_the_best_epoch(bert, tmp_path):
    data = write(tmp_path / "data.csv", ["text", "label"], sentences())
    others = sentences(20, seed=1)
    others[:4] = [(text, "blame") for text, _ in others[:4]]  # two are wrong: be not too sure
    validation = write(tmp_path / "others.csv", ["text", "label"], others)
    options = ["--validation", validation, "--epochs", 6, "--patience", 6, "--method", "full"]
    command = ["finetune", bert, "--data", data, "--out", tmp_path / "run", *options]
    assert run(*command, "--learning-rate", 0.03) == 0
    text = report_of(tmp_path / "run")
    losses = [
        float(line.partition("validation loss ")[2].split(",")[0])
        for line in text.splitlines()
        if line.startswith("  epoch")
    ]
    assert min(losses) < losses[-1]  # or there would be nothing to see
    assert f"the weights kept are those of epoch {1 + int(np.argmin(losses))}," in text
    model, task = finetune.load_finetuned(tmp_path / "run" / "model")
    rows = [{"text": text, "label": label} for text, label in others]
    model.compile("sgd", task.loss)
    loss = model.evaluate(*task.examples(rows, model.base.tokenizer), verbose=0)
    assert loss == pytest.approx(min(losses), abs=1e-4)


def test_patience_says_how_many_worse_epochs_are_borne(bert, tmp_path):
    data = write(tmp_path / "data.csv", ["text", "label"], sentences())
    wrong = [(text, "blame") for text, _ in sentences(20, seed=1)]
    validation = write(tmp_path / "others.csv", ["text", "label"], wrong)
    options = ["--validation", validation, "--epochs", 30, "--patience", 1, "--method", "full"]
    command = ["finetune", bert, "--data", data, "--out", tmp_path / "run", *options]
    assert run(*command, "--learning-rate", 0.01) == 0
    text = report_of(tmp_path / "run")
    ran = sum(line.startswith("  epoch") for line in text.splitlines())
    assert ran < 30 and f"the weights kept are those of epoch {ran - 1}," in text


def test_predict_repeats_the_predictions_of_the_test_bit_by_bit(trained, tmp_path, capsys):
    answers = tmp_path / "answers.csv"
    assert run("predict", trained / "run", "--data", trained / "data.csv", "--out", answers) == 0
    assert capsys.readouterr().out == f"80 predictions in {answers}\n"
    by_line = {row["line"]: row for row in read(answers)}
    for row in read(trained / "run" / "test.csv"):
        del row["true label"]
        assert row == by_line[row["line"]]


def test_predict_needs_no_label_and_takes_the_folder_of_the_model(trained, tmp_path):
    data = write(tmp_path / "new.csv", ["text"], [["the cat was bad"], ["a mat is good"]])
    out = tmp_path / "out.csv"
    assert run("predict", trained / "run" / "model", "--data", data, "--out", out) == 0
    assert [row["predicted label"] for row in read(out)] == ["blame", "praise"]
    shares = [float(row["probability of blame"]) for row in read(out)]
    assert shares[0] > 0.5 > shares[1]


def test_equal_seeds_give_equal_files(bert, trained, tmp_path):
    data = trained / "data.csv"
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        options = ["--epochs", 1, "--seed", seed, "--method", "full"]
        assert run("finetune", bert, "--data", data, "--out", tmp_path / name, *options) == 0
    a, b, c = ((tmp_path / n / "model" / "model.safetensors").read_bytes() for n in "abc")
    assert a == b != c


def test_it_all_works_in_processes_of_its_own(bert, trained, tmp_path):
    data, environment = trained / "data.csv", {"PYTHONPATH": os.pathsep.join(sys.path)}

    def child(*arguments):
        command = [sys.executable, "-m", "minigrad", *map(str, arguments)]
        ran = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, cwd=tmp_path
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    said = child("finetune", bert, "--data", data, "--epochs", 1)
    assert said.strip() == report_of(tmp_path / "runs" / "finetuned").strip()
    child("predict", "runs/finetuned", "--data", data, "--out", "answers.csv")
    assert len(read(tmp_path / "answers.csv")) == 80


# ---- Methods -------------------------------------------------------------------------------------


def test_every_method_has_a_learning_rate():
    assert RATES.keys() == finetune.METHODS.keys()


@pytest.mark.parametrize("method", finetune.METHODS)
def test_every_method_trains_saves_and_predicts_the_same_again(method, bert, trained, tmp_path):
    options = ["--pattern", "base.tokens"] if method == "frozen" else []
    data, out = trained / "data.csv", tmp_path / "run"
    command = ["finetune", bert, "--data", data, "--out", out, "--method", method, "--epochs", 2]
    assert run(*command, *options) == 0
    assert "read again, gives the same predictions, bit by bit" in report_of(out)
    is_adapter = (out / "model" / "adapter_config.json").exists()
    assert is_adapter == (method == "lora")


def test_the_base_of_an_adapter_is_found_from_any_folder(bert, trained, tmp_path, monkeypatch):
    data, out = trained / "data.csv", tmp_path / "run"
    monkeypatch.chdir(bert.parent)
    assert run("finetune", bert.name, "--data", data, "--out", out, "--epochs", 1) == 0
    monkeypatch.chdir(tmp_path)
    assert run("predict", "run", "--data", data, "--out", "answers.csv") == 0


def test_options_of_a_method_reach_it(bert, trained, tmp_path):
    data, out = trained / "data.csv", tmp_path / "run"
    options = ["--rank", 2, "--alpha", 5, "--targets", "query", "--targets", "value", "--rslora"]
    assert run("finetune", bert, "--data", data, "--out", out, "--epochs", 1, *options) == 0
    config = json.loads((out / "model" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["use_rslora"]) == (2, 5, True)
    assert len(config["target_modules"]) == 4


def test_folds_are_reported(bert, trained, tmp_path):
    data, out = trained / "data.csv", tmp_path / "run"
    assert run("finetune", bert, "--data", data, "--out", out, "--epochs", 1, "--folds", 3) == 0
    text = report_of(out)
    assert "Cross-validation in 3 parts" in text
    table = text[text.index("fold ") :].splitlines()
    assert [line.split()[:2] for line in table[1:4]] == [["1", "27"], ["2", "27"], ["3", "26"]]
    assert table[5].startswith("standard deviation")


def test_minutes_end_it(bert, trained, tmp_path):
    data, out = trained / "data.csv", tmp_path / "run"
    options = ["--epochs", 1000, "--patience", 1000, "--minutes", 0.001]
    assert run("finetune", bert, "--data", data, "--out", out, *options) == 0
    epochs = [line for line in report_of(out).splitlines() if line.startswith("  epoch")]
    assert 1 <= len(epochs) < 30  # of which each takes a 50th of a second at least


def training_of(base, data, **options):
    """A Training as the command makes it, and the Rows of all parts."""
    settings = check(Settings(str(base), str(data), **options))
    task, parts, _ = examine(settings, finetune.load_base(base, finetune.tasks.TASKS["classify"]))
    return Training(settings, base, task, parts), parts


def test_weights_decay_and_gradients_are_clipped(bert, trained):
    training, _ = training_of(bert, trained / "data.csv", method="full", learning_rate=0.5)
    optimizer = training.model.optimizer
    assert type(optimizer).__name__ == "AdamW" and optimizer.learning_rate == 0.5
    assert (optimizer.weight_decay, optimizer.global_clipnorm) == (0.01, 1.0)


def test_folds_are_trained_like_the_model_itself(bert, trained, monkeypatch):
    training, _ = training_of(bert, trained / "data.csv", method="gradual", folds=2, epochs=9)
    training.best_epoch, seen, said = 4, {}, []
    heads = []

    def spy(make_model, x, y, folds, **options):
        heads.extend(make_model().head.weight.numpy() for _ in range(folds))
        return seen.update(options)

    monkeypatch.setattr("minigrad.models.cross_validate", spy)
    training.cross_validate(Spoken(said))
    assert seen["epochs"] == 4 and len(seen["callbacks"]) == 1
    assert not np.array_equal(*heads)  # each fold has a seed of its own


class Spoken:
    """A report that is kept in a list."""

    def __init__(self, lines):
        self.say = lines.append


def test_numbers_are_scaled_by_the_training_part_alone(bert, tmp_path):
    rows = [(text, 100 + i * i) for i, text in enumerate(TEXTS)]
    data = write(tmp_path / "data.csv", ["text", "target"], rows)
    training, parts = training_of(bert, data, task="regress")
    numbers = np.array(parts["train"].column("target"), float)
    assert training.task.offset == pytest.approx(numbers.mean())
    assert training.task.scale == pytest.approx(numbers.std())
    y = training.examples["train"][1]
    assert (y.mean(), y.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1))


def test_every_part_has_the_same_share_of_a_label_and_the_seed_says_which_rows(bert, trained):
    data = trained / "data.csv"
    _, parts = training_of(bert, data)
    for part in parts.values():
        labels = part.column("label")
        assert abs(labels.count("praise") - labels.count("blame")) <= 1
    _, others = training_of(bert, data, seed=1)
    assert others["test"].lines != parts["test"].lines


def test_texts_are_cut_to_128_tokens_where_the_model_reads_more(bert, trained, tmp_path):
    long = tiny_bert(tmp_path / "long", length=200)
    assert training_of(long, trained / "data.csv")[0].task.max_length == 128
    assert training_of(bert, trained / "data.csv")[0].task.max_length == 24


def test_folds_of_a_regression_say_what_their_errors_are_in(bert, tmp_path):
    rows = [(text, 100 + 50 * (i % 2)) for i, text in enumerate(TEXTS)]
    data, out = write(tmp_path / "data.csv", ["text", "target"], rows), tmp_path / "run"
    command = ["finetune", bert, "--task", "regress", "--data", data, "--out", out]
    assert run(*command, "--epochs", 1, "--folds", 2) == 0
    assert "errors are in standard deviations of 'target'" in report_of(out)


def test_a_row_that_two_files_have_is_in_one_fold(bert, trained, tmp_path):
    data, out = trained / "data.csv", tmp_path / "run"
    command = ["finetune", bert, "--data", data, "--test", data, "--validation", data]
    assert run(*command, "--out", out, "--epochs", 1, "--folds", 2) == 0
    text = report_of(out)
    table = text[text.index("fold ") :].splitlines()
    assert [line.split()[1] for line in table[1:3]] == ["40", "40"]


def test_a_rate_that_spoils_the_first_epoch_is_named(bert, trained, tmp_path, capsys):
    command = ["finetune", bert, "--data", trained / "data.csv", "--out", tmp_path / "run"]
    one_step = "--epochs", 1, "--batch", 64
    assert run(*command, *one_step, "--method", "full", "--learning-rate", 1e30) == 2
    error = capsys.readouterr().err
    assert "validation part was NaN from the first epoch on" in error
    assert "Received: learning_rate=1e+30" in error


# ---- Tasks ---------------------------------------------------------------------------------------

TEXTS = [f"the {text}" if i == 0 else text for i, (text, _) in enumerate(sentences(24))]
NOUNS = {"cat", "dog", "mat", "house"}
TASKS = {  # {task: (columns, rows, options, the column of predictions, the end of the report)}
    "classify": (
        ["text", "label"],
        sentences(24),
        (),
        "predicted label",
        "macro-F1",
    ),
    "regress": (
        ["text", "target"],
        [(text, 3 + i % 2) for i, text in enumerate(TEXTS)],
        (),
        "predicted target",
        "test root mean squared error",
    ),
    "tag": (
        ["words", "tags"],
        [(text, " ".join("NX"[word in NOUNS] for word in text.split())) for text in TEXTS],
        (),
        "predicted tags",
        "macro-F1",
    ),
    "answer": (
        ["q", "context", "answer"],
        [("who", text, text.split()[-1]) for text in TEXTS],
        ("--question", "q"),
        "predicted answer",
        "F1 of their words",
    ),
    "match": (
        ["first", "second"],
        [(text, text.split()[-1]) for text in TEXTS],
        (),
        "cosine",
        "test nearest is own",
    ),
    "mask": (["text"], [[text] for text in TEXTS], (), "what is behind [MASK]", "test loss"),
    "continue": (["text"], [[text] for text in TEXTS], (), "what follows", "test loss"),
    "instruct": (
        ["instruction", "response"],
        [(text, text.split()[-1]) for text in TEXTS],
        ("--template", "{instruction}={response}"),
        "predicted response",
        "test loss",
    ),
}


@pytest.fixture(scope="module")
def bases(tmp_path_factory, bert, gpt):
    """{task: the folder of a model for it}"""
    masked = tiny_bert(tmp_path_factory.mktemp("models") / "masked", head="tokens")
    others = {"mask": masked, "continue": gpt, "instruct": gpt}
    return {task: others.get(task, bert) for task in TASKS}


def test_every_task_is_tried():
    assert TASKS.keys() == finetune.tasks.TASKS.keys()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_every_task_trains_and_predicts(task, method, bases, tmp_path):
    columns, rows, options, predicted, ending = TASKS[task]
    data, out = write(tmp_path / "data.csv", columns, rows), tmp_path / "run"
    command = ["finetune", bases[task], "--task", task, "--data", data, "--out", out]
    assert run(*command, "--method", method, "--epochs", 2, *options) == 0
    last = report_of(out).strip().splitlines()[-1]
    assert ending in last
    answers = tmp_path / "answers.csv"
    assert run("predict", out, "--data", data, "--out", answers) == 0
    assert [row["line"] for row in read(answers)] == [str(i) for i in range(2, len(rows) + 2)]
    assert predicted in read(answers)[0]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_cross_validated(task, bases, tmp_path):
    columns, rows, options, *_ = TASKS[task]
    data, out = write(tmp_path / "data.csv", columns, rows), tmp_path / "run"
    command = ["finetune", bases[task], "--task", task, "--data", data, "--out", out]
    assert run(*command, "--epochs", 1, "--folds", 2, *options) == 0
    assert "standard deviation" in report_of(out)


def test_sentences_that_were_matched_are_embedded_and_found(bases, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    columns, rows, *_ = TASKS["match"]
    data = write(tmp_path / "data.csv", columns, rows)
    command = ["finetune", bases["match"], "--task", "match", "--data", data, "--out", "run"]
    assert run(*command, "--epochs", 2) == 0
    assert run("embed", "run", "the cat", "--out", "v.npy") == 0
    model, _ = finetune.load_finetuned("run/model")
    assert np.array_equal(np.load("v.npy"), model.base.embed(["the cat"]))
    plain = finetune.from_pretrained(bases["match"])
    assert not np.array_equal(np.load("v.npy"), plain.embed(["the cat"]))
    (tmp_path / "lines.txt").write_text("the cat\na dog\n", encoding="utf-8")
    assert run("search", "run", "a dog", "--file", "lines.txt", "--top", 1) == 0
    assert capsys.readouterr().out.endswith("1.000  lines.txt:2  a dog\n")


def test_pairs_are_read_together(bert, tmp_path):
    rows = [(text, "cat" if i % 2 else "dog", "ab"[i % 2]) for i, text in enumerate(TEXTS)]
    data, out = write(tmp_path / "data.csv", ["text", "other", "label"], rows), tmp_path / "run"
    command = ["finetune", bert, "--data", data, "--out", out, "--pair", "other", *QUICK]
    assert run(*command) == 0
    model, task = finetune.load_finetuned(out / "model")
    assert task.columns == ["text", "other"]
    x = task.inputs([{"text": "a cat", "other": "dog"}], model.base.tokenizer)
    assert x["segments"].max() == 1


def test_a_row_that_a_task_cannot_use_is_named_by_its_line(bases, tmp_path, capsys):
    rows = [[text, "N " * len(text.split())] for text in TEXTS]
    rows[0][1] += "X"
    rows[1][1] = rows[1][1].replace("N", "X", 1)
    data = write(tmp_path / "data.csv", ["words", "tags"], rows)
    command = ["finetune", bases["tag"], "--task", "tag", "--data", data]
    assert run(*command, "--out", tmp_path / "run") == 2
    error = capsys.readouterr().err
    assert "data.csv, line 2: column 'tags': 6 words need as many tags. Received: 7" in error


def test_lines_of_a_text_teach_a_model_of_language(gpt, tmp_path):
    data, out = tmp_path / "lines.txt", tmp_path / "run"
    data.write_text("\n".join(TEXTS), encoding="utf-8")
    command = ["finetune", gpt, "--task", "continue", "--data", data, "--out", out]
    assert run(*command, "--epochs", 1) == 0


def test_a_model_that_was_trained_here_is_a_base_too(tmp_path, capsys):
    text = tmp_path / "lines.txt"
    text.write_text("\n".join(TEXTS * 9), encoding="utf-8")
    shape = ["--layers", 1, "--heads", 1, "--width", 8, "--context", 16, "--vocabulary", 280]
    folder = tmp_path / "gpt"
    assert run("train", "gpt", "--data", text, "--steps", 3, "--out", folder, *shape) == 0
    command = ["finetune", folder, "--task", "continue", "--data", text]
    assert run(*command, "--out", tmp_path / "run", "--epochs", 1) == 0
    capsys.readouterr()
    assert run("generate", tmp_path / "run", "--prompt", "the cat", "--max-new-tokens", 4) == 0
    assert capsys.readouterr().out.startswith("the cat")


def test_generate_answers_an_instruction(bases, tmp_path, capsys):
    columns, rows, options, *_ = TASKS["instruct"]
    data, out = write(tmp_path / "data.csv", columns, rows), tmp_path / "run"
    command = ["finetune", bases["instruct"], "--task", "instruct", "--data", data, "--out", out]
    assert run(*command, "--epochs", 1, *options) == 0
    capsys.readouterr()
    assert run("generate", out, "--prompt", "the cat", "--max-new-tokens", 4) == 0
    model, task = finetune.load_finetuned(out / "model")
    row = {"instruction": "the cat"}
    [answer] = task.predict(model, [row], model.base.tokenizer, max_new_tokens=4)
    assert capsys.readouterr().out == f"{answer}\n"


# ---- Where it is written -------------------------------------------------------------------------


def test_a_model_is_replaced_only_if_asked(bert, trained, tmp_path, capsys):
    command = ["finetune", bert, "--data", trained / "data.csv", "--out", tmp_path / "run"]
    assert run(*command, "--epochs", 1) == 0
    before = (tmp_path / "run" / "model" / "adapter_model.safetensors").read_bytes()
    assert run(*command, "--epochs", 1, "--seed", 5) == 2
    assert "has a fine-tuned model already: --overwrite" in capsys.readouterr().err
    assert (tmp_path / "run" / "model" / "adapter_model.safetensors").read_bytes() == before
    assert run(*command, "--epochs", 1, "--method", "full", "--overwrite") == 0
    assert not (tmp_path / "run" / "model" / "adapter_model.safetensors").exists()


def test_an_interrupted_training_leaves_the_model_that_was_there(
    bert, trained, tmp_path, monkeypatch
):
    command = ["finetune", bert, "--data", trained / "data.csv", "--out", tmp_path / "run"]
    assert run(*command, "--epochs", 1) == 0
    before = (tmp_path / "run" / "model" / "adapter_model.safetensors").read_bytes()

    def fail(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("minigrad.finetune.finetuned.replacing", fail)
        assert run(*command, "--epochs", 1, "--seed", 3, "--overwrite") == 130
    assert (tmp_path / "run" / "model" / "adapter_model.safetensors").read_bytes() == before
    assert {path.name for path in (tmp_path / "run").iterdir() if path.name[0] == "."} == set()
    finetune.load_finetuned(tmp_path / "run" / "model")


def test_a_model_that_cannot_be_put_in_its_place_leaves_the_earlier_one(
    bert, trained, tmp_path, monkeypatch
):
    shutil.copytree(trained / "run", tmp_path / "run")
    before = (tmp_path / "run" / "model" / "model.safetensors").read_bytes()
    rename = Path.rename

    def fail(path, target):
        if path.suffix == ".tmp":
            raise OSError("no")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    command = ["finetune", bert, "--data", trained / "data.csv", "--out", tmp_path / "run"]
    assert run(*command, "--epochs", 1, "--overwrite") == 2
    assert (tmp_path / "run" / "model" / "model.safetensors").read_bytes() == before
    assert not list((tmp_path / "run").glob(".*"))


def test_pictures_of_an_earlier_task_are_not_left(bert, trained, tmp_path):
    shutil.copytree(trained / "run", tmp_path / "run")
    rows = [(text, i % 2) for i, text in enumerate(TEXTS)]
    data = write(tmp_path / "data.csv", ["text", "target"], rows)
    command = ["finetune", bert, "--task", "regress", "--data", data, "--out", tmp_path / "run"]
    assert run(*command, "--epochs", 1, "--overwrite") == 0
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"report.txt", "history.png", "predictions.png", "test.csv", "model"}


def test_a_model_that_is_read_again_otherwise_is_noticed(
    bert, trained, tmp_path, monkeypatch, capsys
):
    load = finetune.load_finetuned

    def load_another(path):
        model, task = load(path)
        model.head.bias.assign(model.head.bias.numpy() + 1)
        return model, task

    monkeypatch.setattr(finetune, "load_finetuned", load_another)
    command = ["finetune", bert, "--data", trained / "data.csv", "--out", tmp_path / "run"]
    assert run(*command, "--epochs", 1) == 2
    assert "predicts otherwise than the one that was saved" in capsys.readouterr().err


def test_a_model_that_was_moved_aside_by_a_run_that_was_killed_is_back(
    bert, trained, tmp_path, capsys
):
    shutil.copytree(trained / "run", tmp_path / "run")
    before = (tmp_path / "run" / "model" / "model.safetensors").read_bytes()
    (tmp_path / "run" / "model").rename(tmp_path / "run" / f".{'0' * 16}.old")
    (tmp_path / "run" / f".{'1' * 16}.tmp").mkdir()
    command = ["finetune", bert, "--data", trained / "data.csv", "--out", tmp_path / "run"]
    assert run(*command, "--epochs", 1) == 2
    assert "has a fine-tuned model already: --overwrite" in capsys.readouterr().err
    command += ["--overwrite", "--epochs", 1, "--batch", 64, "--method", "full"]
    assert run(*command, "--learning-rate", 1e30) == 2  # which ends before a model is written
    assert (tmp_path / "run" / "model" / "model.safetensors").read_bytes() == before
    assert not list((tmp_path / "run").glob(".*"))


def test_a_fine_tuned_model_is_a_base_and_is_not_replaced_by_what_needs_it(
    trained, tmp_path, capsys
):
    base, data = trained / "run", trained / "data.csv"
    command = ["finetune", base, "--data", data, "--epochs", 1]
    assert run(*command, "--out", tmp_path / "second") == 0
    assert run("predict", tmp_path / "second", "--data", data, "--out", tmp_path / "a.csv") == 0
    capsys.readouterr()
    assert run(*command, "--out", base, "--overwrite") == 2
    assert "another folder than that of the base" in capsys.readouterr().err
    assert run("finetune", tmp_path / "second", "--data", data, "--out", tmp_path / "third") == 2
    assert "is an adapter of" in capsys.readouterr().err


def test_two_fine_tunings_do_not_write_into_one_folder(bert, trained, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    command = ["finetune", bert, "--data", trained / "data.csv", "--out", tmp_path / "run"]
    with alone_in(tmp_path / "run"):
        assert run(*command, "--epochs", 1) == 2
    assert "another run is at work in" in capsys.readouterr().err
    assert list((tmp_path / "run").iterdir()) == []


def test_rows_that_training_and_test_share_are_told(bert, trained, tmp_path):
    data, out = trained / "data.csv", tmp_path / "run"
    command = ["finetune", bert, "--data", data, "--test", data, "--out", out, "--epochs", 1]
    assert run(*command) == 0
    assert "rows of test are in training too" in report_of(out)


# ---- What is refused -----------------------------------------------------------------------------

GOOD = sentences(24)
FILES = {
    "data.csv": (["text", "label"], GOOD),
    "one.csv": (["text", "label"], [(text, "praise") for text, _ in GOOD]),
    "few.csv": (["text", "label"], GOOD[:6]),
    "rare.csv": (["text", "label"], [*GOOD, ("a cat", "rare")]),
    "empty.csv": (["text", "label"], [*GOOD[:3], (" ", "praise"), *GOOD[3:]]),
    "unlabelled.csv": (["text", "label"], [*GOOD[:4], ("a cat", ""), *GOOD[4:]]),
    "other.csv": (["text", "label"], [("a cat", "praise"), ("a dog", "prase")]),
    "nearly.csv": (["text", "label"], [*GOOD, *((f"a {word}", "rare") for word in WORDS[:4])]),
    "numbers.csv": (["text", "target"], [*((text, 1) for text, _ in GOOD), ("a cat", "many")]),
}


@pytest.mark.parametrize(
    "options, culprit",
    [
        (["--data", "none.csv"], "none.csv"),
        (["--data", "one.csv"], "one.csv: column 'label' needs two different labels or more"),
        (["--data", "few.csv"], "few.csv: 12 different rows are needed"),
        (["--data", "rare.csv"], "each label needs 4 different rows, so that every part has some"),
        (["--data", "empty.csv"], "empty.csv, line 5: column 'text' is empty"),
        (["--data", "unlabelled.csv"], "unlabelled.csv, line 6: column 'label' is empty"),
        (["--data", "data.csv", "--text", "txt"], "data.csv: unknown column 'txt'; did you mean"),
        (["--data", "data.csv", "--text", "txt"], "--text, --label and others name your columns"),
        (["--data", "data.csv", "--label", "text"], "each column has another name"),
        (["--data", "data.csv", "--validation", "other.csv"], "did you mean 'praise'?"),
        (["--data", "data.csv", "--validation", "other.csv"], "other.csv, line 3: column 'label'"),
        (["--data", "data.csv", "--test", "0.9"], "test is a share above 0 and at most 0.5"),
        (["--data", "data.csv", "--validation", "gone.csv"], "gone.csv"),
        (["--data", "data.csv", "--max-length", "99"], "the model reads 24 tokens at once"),
        (["--data", "data.csv", "--epochs", "0"], "epochs is an integer from 1 up"),
        (["--data", "data.csv", "--minutes", "0"], "minutes must be a finite number above 0"),
        (["--data", "data.csv", "--learning-rate", "-1"], "learning_rate must be a finite number"),
        (["--data", "data.csv", "--task", "clasify"], "did you mean 'classify'?"),
        (["--data", "data.csv", "--method", "lra"], "unknown method 'lra'; did you mean 'lora'"),
        (["--data", "data.csv", "--blocks", "1"], "--blocks is none of lora's options"),
        (["--data", "data.csv", "--method", "full", "--rank", "4"], "--rank is none of full's"),
        (["--data", "data.csv", "--method", "frozen"], "needs a --pattern"),
        (["--data", "data.csv", "--targets", "qerry"], "targets='qerry' means no Dense layer"),
        (["--data", "data.csv", "--question", "label"], "--question is none of classify's options"),
        (["--data", "data.csv", "--pooling", "men"], "unknown pooling 'men'"),
        (["--data", "data.csv", "--out", "data.csv"], "--out has to be a folder"),
        (["--data", "data.csv", "--out", "."], "another folder than that of the data"),
        (["--data", "data.csv", "--out", "taken"], "which has holiday.jpg"),
        (["--data", "data.csv", "--out", "parts"], "which has test.csv"),
        (
            ["--data", "data.csv", "--test", "parts/test.csv", "--out", "parts"],
            "another folder than that of the test",
        ),
        (["--data", "data.csv", "--folds", "13"], "and there are 12 rows with 'praise'"),
        (
            ["--data", "numbers.csv", "--task", "mask", "--folds", "2"],
            "asked to have head='tokens'",
        ),
        (["--data", "nearly.csv"], "nearly.csv: class rare has too few examples to be divided"),
        (["--data", "numbers.csv", "--task", "regress"], "numbers.csv, line 26: column 'target'"),
        (["--data", "data.csv", "--delimiter", ";"], "--delimiter"),
    ],
)
def test_what_cannot_be_learned_is_named_and_nothing_written(
    options, culprit, bert, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        write(tmp_path / name, *content)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "holiday.jpg").write_bytes(b"")
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts" / "test.csv", *FILES["data.csv"])
    before = sorted(tmp_path.rglob("*"))
    assert run("finetune", bert, *options) == 2
    captured = capsys.readouterr()
    assert culprit in captured.err and "Traceback" not in captured.err
    assert captured.out == "" and sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("base", ["nowhere", "data.csv", "folder"])
def test_a_base_that_is_no_model_is_named(base, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "data.csv", *FILES["data.csv"])
    (tmp_path / "folder").mkdir()
    assert run("finetune", base, "--data", "data.csv") == 2
    assert base in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, culprit",
    [
        (["nowhere"], "nowhere"),
        (["empty"], "is not the folder of a `minigrad train table`"),
        (["RUN", "--allow-unknown"], "about the categories of a table"),
        (["RUN", "--data", "wrong.csv"], "wrong.csv: unknown column 'text'"),
        (["RUN", "--out", "new.csv"], "predictions must not replace the data"),
        (["RUN", "--out", "no/out.csv"], "there is no folder no"),
    ],
)
def test_predict_names_what_it_cannot_do(options, culprit, trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "new.csv", ["text"], [["a cat"]])
    write(tmp_path / "wrong.csv", ["txt"], [["a cat"]])
    given = [trained / "run" if word == "RUN" else word for word in options]
    defaults = {"--data": "new.csv", "--out": "out.csv"}
    missing = [word for pair in defaults.items() if pair[0] not in options for word in pair]
    assert run("predict", *given, *missing) == 2
    assert culprit in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


# ---- Rows ----------------------------------------------------------------------------------------


def test_rows_that_repeat_another_are_left_out(tmp_path):
    path = write(tmp_path / "a.csv", ["text", "label"], [("a", "x"), ("b", "x"), ("a", "x")])
    rows, count = without_repeats(read_rows(path, ["text", "label"]))
    assert (rows.column("text"), rows.lines, count) == (["a", "b"], [2, 3], 1)


def test_lines_of_a_text_file_are_rows(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\ntwo\n", encoding="utf-8")
    rows = read_rows(tmp_path / "a.txt", ["text"])
    assert rows.rows == [{"text": "one"}, {"text": "two"}] and rows.lines == [1, 3]


def test_the_word_na_is_a_text(tmp_path):
    path = write(tmp_path / "a.csv", ["text", "label"], [("NA", "None"), ("?", "-")])
    assert read_rows(path, ["text", "label"]).rows[0] == {"text": "NA", "label": "None"}
