"""From raw data to trained, evaluated, saved and reloaded models, stage by stage.

Digits are told apart, then others are learned from ten examples each (`finetuning.py`), and a GPT
learns to write Python (`pretrain.py`), and then English (`another_text.py`). `minilm` fine-tunes
a model that others have pretrained (`finetune_text.py`).
"""

import time
from pathlib import Path

import numpy as np

from .. import data, finetune, layers, metrics, models, plots, random, text
from ..callbacks import Callback
from ..environment import one_blas_thread
from ..registry import look_up
from .another_text import another_text
from .finetune_text import finetune_text
from .finetuning import finetuning
from .predict_table import write
from .pretrain import pretrain
from .pretraining_backup import Backup
from .pretraining_report import sample
from .report import Report, of_epoch
from .text_base import MINILM

# Of a GPT that has learned a little after less than a minute.
GPT = {"minutes": 0.6, "layers": 2, "width": 128, "context": 128, "batch": 8, "vocabulary": 1024}
WRITTEN = 150  # tokens of its own
LORA_MINUTES = 0.17
MINILM_OPTIONS = {"max_length": 32, "epochs": 3, "batch": 32}
DEFAULT = "classify,finetune,gpt,lora"


@one_blas_thread
def quickstart(source="digits", out="runs/quickstart", seed=0, stages=DEFAULT):
    """Run the stages and return {name of a stage: the number that it ends in}.

    source  "digits", the 1,797 images that come with minigrad, or a folder with MNIST's four files
    out     the folder that a report, pictures and models are written to
    stages  names with commas between them, of
            classify   the accuracy of a network on digits that it has not seen
            finetune   what knowing other digits is worth, in accuracy
            gpt        the bits per byte that a GPT takes for Python files that it has not seen
            lora       how many bits per byte of English an adapter saves that GPT
            minilm     the accuracy of a pretrained model on what docstrings are about; it has to
                       be installed, and is left out if no stages are named
    """
    chosen = {name: look_up("stage", name.strip(), STAGES) for name in stages.split(",")}
    _check(list(chosen), Path(out))
    images = _load(source)
    report, folder = Report.in_folder(out)
    results = {}
    for name, stage in chosen.items():
        random.seed(seed)
        results[name] = stage(images, folder, report)
    report.stage("Results")
    for name, result in results.items():
        report.say(SENTENCES[name].format(result))
    return results


def _check(names, folder):
    """An error, before any work is done, for the first stage that lacks what it needs."""
    if "minilm" in names:
        finetune.minilm_folder()
    has_gpt = (folder / "gpt" / "model.safetensors").is_file()
    if "lora" in names and not has_gpt and "gpt" not in names[: names.index("lora")]:
        raise ValueError(
            f"stage lora fine-tunes the GPT of stage gpt, and {folder / 'gpt'} has none: "
            "--stages gpt,lora"
        )


def _classify(images, folder, report):
    """Train a network on images of digits; its test accuracy."""
    origin, (x_train, y_train), (x_test, y_test) = images
    report.stage("Data")
    (n, d), m = x_train.shape, len(x_test)
    report.say(origin)
    report.say(f"{n:,} to learn from, {m:,} held out for the test, which nothing sees before it")
    report.say(f"an example is {d} numbers, the ink of its pixels from 0 to 1, and its digit")

    report.stage("Model")
    model = _network(x_train.shape[1:])
    model.summary(report.say)
    report.say(
        "L(θ) = Σ l(yᵢ, ŷᵢ; θ) / n,  l(y, ŷ) = -log ŷ[y]: the cross-entropy, made small by Adam"
    )

    report.stage("Training")
    _train(report, model, x_train, y_train, folder / "history.png")

    report.stage("Evaluation")
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    predictions = model.predict(x_test, verbose=0)
    report.say(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
    _say_mistakes(report, predictions, x_test, y_test, folder)

    report.stage("Save and reload")
    _save(report, model, x_test, predictions, folder / "model.safetensors")
    return accuracy


def _network(input_shape):
    """A compiled network for examples of this shape, each of which is one of ten digits."""
    model = models.Sequential(
        [
            layers.Dense(64, activation="relu", input_shape=input_shape),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _train(report, model, x, y, picture):
    """Train on all but the last tenth of the examples, which validates; draw how that went."""
    epochs = 30 if len(x) < 10_000 else 5
    report.say(f"{epochs} epochs over 90 % of the examples; the other 10 % validate")
    began = time.perf_counter()
    progress = _Progress(report, epochs)
    history = model.fit(x, y, epochs=epochs, verbose=0, validation_split=0.1, callbacks=[progress])
    report.say(f"{epochs} epochs in {time.perf_counter() - began:.1f} s")
    plots.history(history, picture)
    report.say(f"picture of the history: {picture}")


def _say_mistakes(report, predictions, x, labels, folder):
    """How many of each digit were recognized, which mistake is the most frequent; pictures."""
    found = predictions.argmax(axis=1)
    for digit in np.unique(labels):
        own = labels == digit
        share = np.mean(found[own] == digit)
        report.say(f"  {digit}: {share:7.1%} of {own.sum()}")
    wrong = found != labels
    if wrong.any():
        mistakes = np.stack([labels[wrong], found[wrong]], axis=1)  # (truth, guess) per row
        pairs, counts = np.unique(mistakes, axis=0, return_counts=True)
        (truth, guess), times = pairs[counts.argmax()], counts.max()
        report.say(f"{wrong.sum()} mistakes, most often ({times} x) a {truth} taken for a {guess}")
    matrix = metrics.confusion_matrix(labels, predictions)
    plots.confusion_matrix(matrix, path=folder / "confusion.png")
    plots.mistakes(x, labels, predictions, path=folder / "mistakes.png")
    report.say(f"pictures of the mistakes: {folder / 'confusion.png'}, {folder / 'mistakes.png'}")


def _save(report, model, x, predictions, file):
    """Write the model to a file, read it again, and see that it predicts the same for x."""
    model.save(file)
    reloaded = models.load_model(file)
    if not np.array_equal(reloaded.predict(x, verbose=0), predictions):
        raise ValueError(f"the model in {file} predicts otherwise than the one that was saved")
    size = file.stat().st_size / 1000
    report.say(f"{file}, {size:.0f} kB; the reloaded model gives the same predictions, bit by bit")


def _finetune(images, folder, report):
    """What fine-tuning gains in accuracy, on average."""
    _, train, test = images
    report.stage("Fine-tuning")
    results = finetuning(train, test, folder / "pretrained.safetensors", report)
    return np.mean(results["fine-tuned"] - results["from nothing"])


def _gpt(images, folder, report):
    """Train a GPT on Python's standard library, and let it write; its bits per byte."""
    folder = folder / "gpt"
    Backup.remove_from(folder)  # of a quickstart that was interrupted: this one begins anew
    bits = pretrain("gpt", folder, report=report, **GPT)["bits per byte"]

    report.stage("The GPT, reloaded, writes Python")
    model, tokenizer = models.load_model(folder / "model.safetensors"), text.load_tokenizer(folder)
    written = text.stream(model, tokenizer, "def ", WRITTEN, temperature=0.7, seed=0)
    report.say(sample("def " + "".join(written)))
    report.say(f"\nmore of it: minigrad generate {folder} --prompt 'class '")
    return bits


def _lora(images, folder, report):
    """Fine-tune the GPT of the stage before on English; the bits per byte of it that this saves."""
    report.stage("LoRA: the GPT learns another kind of text")
    return another_text(folder / "gpt", folder / "lora", report, LORA_MINUTES)


def _minilm(images, folder, report):
    """Fine-tune MiniLM to tell which topic a docstring belongs to; its accuracy."""
    report.stage("MiniLM, which others have pretrained, learns what docstrings are about")
    report.say("of sentences from the docstrings of Python's modules: which topic is one about?")
    report.say("those of the test are from other files than those of training")
    texts = folder / "docstrings"
    texts.mkdir(exist_ok=True)
    files = {name: texts / f"{name}.csv" for name in ("train", "validation", "test")}
    for name, rows in data.docstring_topics().items():
        write(files[name], {c: np.array([row[c] for row in rows]) for c in ("text", "label")})
    given = {name: str(file) for name, file in files.items()}
    figures = finetune_text(
        MINILM, given.pop("train"), folder / "minilm", True, report, **given, **MINILM_OPTIONS
    )
    return figures["accuracy"]


SENTENCES = {
    "classify": "test accuracy {:.4f}, of a network on digits that it has not seen",
    "finetune": "{:.3f} more accuracy from ten examples each, for having known other digits",
    "gpt": "{:.3f} bits per byte, of a GPT on Python files that it has not seen",
    "lora": "{:.3f} bits per byte less of English, for an adapter beside that GPT",
    "minilm": "test accuracy {:.4f}, of MiniLM on what docstrings are about",
}
ABOUT = {  # the stages, for the help of the command
    "classify": "a network learns to tell handwritten digits apart",
    "finetune": "it learns others from ten examples each, knowing the first or nothing",
    "gpt": "a GPT learns Python from Python's own files, and writes some",
    "lora": "an adapter beside that GPT learns English",
    "minilm": "a real pretrained model learns a task; `make pretrained` installs it before",
}
STAGES = {
    "classify": _classify,
    "finetune": _finetune,
    "gpt": _gpt,
    "lora": _lora,
    "minilm": _minilm,
}


def _load(source):
    """What the data are, and twice pixels in 0..1 and labels: (n, d), (n,) to train on and to test.

    ValueError for a source that is neither "digits" nor a folder.
    """
    if source == "digits":
        origin = (
            "digits: 1,797 handwritten digits of 8 x 8 pixels "
            "(UCI; E. Alpaydin, C. Kaynak, CC BY 4.0)"
        )
        return origin, *data.digits.load_data()
    if not Path(source).is_dir():
        raise ValueError(
            f"the data are 'digits', or a folder with the four files of MNIST. Received: {source!r}"
        )
    both = data.mnist.load_data(source)
    train, test = (((x.reshape(len(x), -1) / 255).astype("float32"), y) for x, y in both)
    return f"MNIST from {source}", train, test


class _Progress(Callback):
    """About ten lines in all, however many epochs."""

    def __init__(self, report, epochs):
        self.report = report
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs):
        if (epoch + 1) % max(1, self.epochs // 10) == 0:
            self.report.say(f"  epoch {epoch + 1:2d}: {of_epoch(logs)}")
