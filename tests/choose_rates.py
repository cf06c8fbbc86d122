"""The learning rates of `minigrad ablation`, chosen by its validation part.

    python -m tests.choose_rates [WAY ...]    (from the root of the repository; needs MiniLM)

Each way learns with each of its rates from examples that are drawn by a seed which the ablation
does not use. A line says what share of all validation sentences is right after the last epoch. The
rate of each way stands in minigrad/programs/ablation_run.py. The test part is not looked at.

Accuracy on 616 sentences; a difference below 0.02 is chance. In the first lines 256 examples were
learned 8 times, in the second 384 and in the third 320, 6 times each:

    full 1e-4 0.477, 2e-4 0.506; head 1e-2 0.511, 3e-2 0.479; frozen 2e-4 0.508; random 3e-4 0.271;
    last_blocks 3e-4 0.516; gradual 4e-4 0.503; layerwise 2e-4 0.485; bitfit 3e-3 0.495, 1e-2 0.511;
    lora 3e-3 0.484, 1e-2 0.506

    full 1e-4 0.513, 2e-4 0.529, 4e-4 0.531 with a larger loss; frozen 2e-4 0.524

    lora 5e-3 0.497, 1e-2 0.487; random 3e-4 0.286, 1e-3 0.162; layerwise 2e-4 0.519, 4e-4 0.489;
    last_blocks 4e-4 0.539, 8e-4 0.511; gradual 4e-4 0.549, 8e-4 0.534; bitfit 3e-3 0.510, 1e-2
    0.518
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
