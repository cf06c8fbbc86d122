"""How good a fine-tuned model is on the test part, beside a baseline: one function for each task.

m rows of the test, c classes.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from .. import metrics
from ..losses import IGNORED
from . import predict_table, table_file
from .finetuned_folder import TEST
from .finetuning_settings import label_of
from .predict_text import answers_of, softmax
from .pretraining_report import sample
from .table_evaluation import evaluate_classes, evaluate_numbers

SHOWN = 3  # answers to instructions


class Found(NamedTuple):
    """{name: figure}, and the most important one in a sentence."""

    figures: dict
    sentence: str


def evaluate(report, training, parts, folder):
    """Report on the test part, draw pictures, write the predictions. Returns what was Found."""
    task, test = training.task, parts["test"]
    with table_file.writing(folder):
        if training.settings.task not in EVALUATIONS:
            if training.settings.task == "instruct":
                _instruct(report, training, test.rows)
            return _loss(report, training)
        outputs = training.model.predict(training.examples["test"][0], verbose=0)
        found = EVALUATIONS[training.settings.task](report, training, parts, outputs, folder)
        columns = {"line": np.array(test.lines)}
        if (label := label_of(task)) is not None:
            columns[f"true {label}"] = np.array(test.column(label), dtype=object)
        columns |= answers_of(task, training.model, test.rows)
        predict_table.write(folder / TEST, columns)
    return found


def _classify(report, training, parts, outputs, folder):
    """Accuracy, beside that of always the most frequent label."""
    y, y_train = training.examples["test"][1], training.examples["train"][1]
    return _labels(report, training.task.labels, y, y_train, outputs, folder)


def _tag(report, training, parts, outputs, folder):
    """The same of the words."""
    y, y_train = training.examples["test"][1], training.examples["train"][1]
    counts = y != IGNORED
    return _labels(
        report,
        training.task.labels,
        y[counts],
        y_train[y_train != IGNORED],
        outputs[counts],
        folder,
    )


def _labels(report, labels, y, y_train, logits, folder):
    p = softmax(logits)
    found = evaluate_classes(report, labels, y, y_train, p, folder)
    if found.test <= found.baseline:
        report.say("the model is no better than the baseline: the rows are too few, or training")
        report.say("  too short, for --epochs, --learning-rate and --method that were chosen")
    macro = metrics.classification_report(y, p, range(len(labels))).averages["macro"]
    figures = {"accuracy": found.test, "baseline": found.baseline}
    figures |= {f"macro {name}": macro[name] for name in ("precision", "recall", "f1_score")}
    return Found(figures, f"{found.sentence}; macro-F1 {macro['f1_score']:.4f}")


def _regress(report, training, parts, outputs, folder):
    """The error, beside that of always the mean."""
    target = training.task.target
    y, y_train = (np.array(parts[name].column(target), float) for name in ("test", "train"))
    predicted = np.array(training.task.answers(outputs), float)
    found = evaluate_numbers(report, target, y, y_train, predicted, folder)
    if found.test >= found.baseline:
        report.say("the model is no better than the baseline")
    return Found({"error": found.test, "baseline": found.baseline}, found.sentence)


def _answer(report, training, parts, outputs, folder):
    """How many answers are right to the letter, and how many of their words are."""
    rows, task = parts["test"].rows, training.task
    answers = [answer.text for answer in task.answers(outputs, rows, training.tokenizer)]
    both = list(zip((row[task.answer] for row in rows), answers))
    exact = float(np.mean([true.strip() == answer.strip() for true, answer in both]))
    shared = float(np.mean([shared_words(*pair) for pair in both]))
    report.say(f"answers that are right to the letter: {exact:.3f}")
    report.say(f"F1 of their words: {shared:.3f}")
    sentence = f"test answers right {exact:.4f}, F1 of their words {shared:.4f}"
    return Found({"exact": exact, "F1": shared}, sentence)


def shared_words(true, answer):
    """The harmonic mean of precision and recall of the words of an answer.

    >>> round(shared_words("the red house", "red house there"), 3)
    0.667
    """
    wanted, came = (Counter(text.lower().split()) for text in (true, answer))
    return 2 * (wanted & came).total() / max(1, wanted.total() + came.total())


def _match(report, training, parts, outputs, folder):
    """How near the two of each pair are, beside loss and metrics before."""
    cosines = training.task.answers(outputs)
    report.say(f"cosine of the two of a pair: {np.mean(cosines):.3f} on average")
    return _loss(report, training, list(training.before)[-1])


def _loss(report, training, most_telling="loss"):
    """Loss and metrics, before and after."""
    before = training.before
    after = training.model.evaluate(*training.examples["test"], verbose=0, return_dict=True)
    for name, value in after.items():
        words = name.replace("_", " ")
        report.say(f"{words} {value:.4f}; before the fine-tuning {before[name]:.4f}")
    name, words = most_telling, most_telling.replace("_", " ")
    sentence = f"test {words} {after[name]:.4f}; before the fine-tuning {before[name]:.4f}"
    return Found({**after, **{f"{name} before": x for name, x in before.items()}}, sentence)


def _instruct(report, training, rows):
    """The first answers to the test's instructions, as they are now."""
    task = training.task
    answers = task.predict(training.model, rows[:SHOWN], training.tokenizer)
    for row, answer in zip(rows, answers):
        asked = " | ".join(row[name] for name in task.columns)
        report.say(f"\nasked: {asked}\n{sample(answer)}")
    report.say("")


EVALUATIONS = {
    **{"classify": _classify, "tag": _tag, "regress": _regress},
    **{"answer": _answer, "match": _match},
}
# Tasks that a model can do before: what it did then is what it is compared with.
WITHOUT_BASELINE = ("match", "mask", "continue", "instruct")
