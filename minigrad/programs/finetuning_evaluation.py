"""How good a fine-tuned model is on the test part, beside a baseline: one function for each task.

m rows of the test, c classes.
"""

from typing import NamedTuple

import numpy as np

from .. import metrics
from . import predict_table, table_file
from .finetuned_folder import TEST
from .finetuning_settings import label_of
from .predict_text import answers_of, softmax
from .table_evaluation import evaluate_classes, evaluate_numbers


class Found(NamedTuple):
    """{name: figure}, and the most important one in a sentence."""

    figures: dict
    sentence: str


def evaluate(report, training, parts, folder):
    """Report on the test part, draw pictures, write the predictions. Returns what was Found."""
    outputs = training.model.predict(training.examples["test"][0], verbose=0)
    kind = EVALUATIONS.get(training.settings.task, _loss)
    with table_file.writing(folder):
        found = kind(report, training, parts, outputs, folder)
        rows = parts["test"].rows
        columns = {"line": np.array(parts["test"].lines)}
        label = label_of(training.task)
        if label is not None:
            columns[f"true {label}"] = np.array([row[label] for row in rows], dtype=object)
        columns |= answers_of(training.task, outputs, rows, training.tokenizer)
        predict_table.write(folder / TEST, columns)
    return found


def _classify(report, training, parts, outputs, folder):
    """Accuracy, beside that of always the most frequent label."""
    y, y_train = training.examples["test"][1], training.examples["train"][1]
    labels, p = training.task.labels, softmax(outputs)
    found = evaluate_classes(report, labels, y, y_train, p, folder)
    if found.test <= found.baseline:
        report.say("the model is no better than the baseline: the rows are too few, or training")
        report.say("  too short, for --epochs, --learning-rate and --method that were chosen")
    macro = metrics.classification_report(y, p).averages["macro"]
    figures = {"accuracy": found.test, "baseline": found.baseline}
    figures |= {f"macro {name}": macro[name] for name in ("precision", "recall", "f1_score")}
    return Found(figures, f"{found.sentence}; macro-F1 {macro['f1_score']:.4f}")


def _regress(report, training, parts, outputs, folder):
    """The error, beside that of always the mean."""
    label = training.task.target
    y, y_train = (
        np.array([float(text) for text in parts[name].column(label)]) for name in ("test", "train")
    )
    predicted = np.array(training.task.answers(outputs), float)
    found = evaluate_numbers(report, label, y, y_train, predicted, folder)
    if found.test >= found.baseline:
        report.say("the model is no better than the baseline")
    return Found({"error": found.test, "baseline": found.baseline}, found.sentence)


def _loss(report, training, parts, outputs, folder):
    """Loss and metrics, before and after."""
    before = training.before
    after = training.model.evaluate(*training.examples["test"], verbose=0, return_dict=True)
    for name, value in after.items():
        report.say(f"{name} {value:.4f}; before the fine-tuning {before[name]:.4f}")
    name = list(after)[-1]
    sentence = f"test {name} {after[name]:.4f}; before the fine-tuning {before[name]:.4f}"
    return Found({**after, **{f"{name} before": x for name, x in before.items()}}, sentence)


EVALUATIONS = {"classify": _classify, "regress": _regress}
