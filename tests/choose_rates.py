"""The learning rates of `minigrad ablation`, chosen by its validation part.

    python -m tests.choose_rates [WAY ...]    (from the root of the repository; needs MiniLM)

Each way learns with each of its rates from examples that no run of the ablation has, by a seed of
their own. A line says how many of all validation sentences are right after the last epoch. The best
rate of each way stands in minigrad/programs/ablation_run.py, and what was found once is FOUND. The
test part is not looked at.
"""

import sys

from minigrad import data, finetune, random
from minigrad.environment import one_blas_thread
from minigrad.finetune.tasks import Classify
from minigrad.programs.ablation import EPOCHS, EXAMPLES, MAX_LENGTH, draw
from minigrad.programs.ablation_run import WAYS, fit, new_model

SEED = 100
RATES = {
    "full": (1e-4, 2e-4, 4e-4),
    "head": (5e-3, 1e-2, 2e-2),
    "frozen": (1e-4, 2e-4, 4e-4),
    "last_blocks": (2e-4, 4e-4, 8e-4),
    "gradual": (2e-4, 4e-4, 8e-4),
    "layerwise": (2e-4, 4e-4, 8e-4),
    "bitfit": (3e-3, 5e-3, 1e-2),
    "lora": (3e-3, 5e-3, 1e-2),
    "random": (1e-4, 3e-4, 1e-3),
}
FOUND = {}  # {way: accuracy with each of its rates}


@one_blas_thread
def main(ways):
    parts = data.docstring_topics()
    labels = sorted({row["label"] for row in parts["train"]})
    task = Classify(labels, max_length=MAX_LENGTH)
    rows = draw(parts["train"], EXAMPLES, SEED)
    for way in ways or RATES:
        for rate in RATES[way]:
            random.seed(SEED)
            model = new_model(way, finetune.minilm_folder(), task)
            tokenizer = model.base.tokenizer
            train = task.examples(rows, tokenizer)
            fit(WAYS[way]._replace(rate=rate), model, task, train, None, EPOCHS)
            validation = task.examples(parts["validation"], tokenizer)
            loss, accuracy = model.evaluate(*validation, verbose=0)
            print(f"{way:12} {rate:.0e}: accuracy {accuracy:.3f}, loss {loss:.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
