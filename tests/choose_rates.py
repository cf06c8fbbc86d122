"""The learning rates of `minigrad ablation`, chosen by its validation part.

    python -m tests.choose_rates [WAY ...]    (from the root of the repository; needs MiniLM)

Each way learns with each of its rates from examples that are drawn by a seed which the ablation
does not use; the logistic regression with each of its penalties. A line says what share of all
validation sentences is right after the last epoch, and their mean loss. The test part is not looked
at.

A difference below 0.02 is chance, as there are 616 sentences. The rule: of the rates whose accuracy
is within 0.02 of the best, the one with the least loss. What was found, accuracy and loss:

    full         1e-4 .500 1.532    2e-4 .515 1.736    4e-4 .503 1.974
    head         2e-3 .494 1.712    5e-3 .524 1.528    1e-2 .513 1.528    2e-2 .490 1.708
    frozen       1e-4 .508 1.515    2e-4 .506 1.707    4e-4 .510 1.947
    last_blocks  5e-5 .403 1.834    1e-4 .519 1.525    2e-4 .562 1.370    4e-4 .539 1.510
    gradual      2e-4 .532 1.435    4e-4 .549 1.383    8e-4 .534 1.553
    layerwise    2e-4 .519 1.465    4e-4 .489 1.765    8e-4 .511 1.991
    bitfit       3e-3 .510 1.485    5e-3 .524 1.508    1e-2 .518 1.579
    lora         1e-3 .489 1.586    2e-3 .511 1.548    3e-3 .503 1.697    5e-3 .497 1.877
    random       1e-4 .221 2.133    3e-4 .286 2.296    1e-3 .162 2.158
    words        C = 10 .357        30 .372            100 .381           300 .380
"""

import sys

import numpy as np

from minigrad import data, finetune, random
from minigrad.environment import one_blas_thread
from minigrad.finetune.tasks import Classify
from minigrad.programs.ablation import EPOCHS, EXAMPLES, MAX_LENGTH, draw
from minigrad.programs.ablation_run import WAYS, WORDS, fit, new_model
from minigrad.programs.word_model import WordModel

SEED = 100
RATES = {
    "full": (1e-4, 2e-4, 4e-4),
    "head": (2e-3, 5e-3, 1e-2, 2e-2),
    "frozen": (1e-4, 2e-4, 4e-4),
    "last_blocks": (5e-5, 1e-4, 2e-4, 4e-4),
    "gradual": (2e-4, 4e-4, 8e-4),
    "layerwise": (2e-4, 4e-4, 8e-4),
    "bitfit": (3e-3, 5e-3, 1e-2),
    "lora": (1e-3, 2e-3, 3e-3, 5e-3),
    "random": (1e-4, 3e-4, 1e-3),
}
PENALTIES = 10, 30, 100, 300


@one_blas_thread
def main(ways):
    parts = data.docstring_topics()
    task = Classify(sorted({row["label"] for row in parts["train"]}), max_length=MAX_LENGTH)
    rows = draw(parts["train"], EXAMPLES, SEED)
    for way in ways or (*RATES, WORDS):
        if way == WORDS:
            choose_penalty(task, rows, parts["validation"])
        else:
            choose_rate(way, task, rows, parts["validation"])


def choose_rate(way, task, rows, validation):
    for rate in RATES[way]:
        random.seed(SEED)
        model = new_model(way, finetune.minilm_folder(), task)
        train, watched = (task.examples(part, model.base.tokenizer) for part in (rows, validation))
        fit(WAYS[way]._replace(rate=rate), model, task, train, None, EPOCHS)
        loss, accuracy = model.evaluate(*watched, verbose=0)
        print(f"{way:12} {rate:.0e}: accuracy {accuracy:.3f}, loss {loss:.3f}", flush=True)


def choose_penalty(task, rows, validation):
    texts, watched = ([row["text"] for row in part] for part in (rows, validation))
    for c in PENALTIES:
        model = WordModel(c).fit(texts, task.targets(rows), len(task.labels))
        accuracy = np.mean(model.predict(watched).argmax(axis=1) == task.targets(validation))
        print(f"{WORDS:12} C = {c}: accuracy {accuracy:.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
