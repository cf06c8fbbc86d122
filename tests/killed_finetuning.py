"""A fine-tuning as a program that can be killed, and goes on when it is run again.

    python -m tests.killed_finetuning FOLDER METHOD

It prints "training" when the training begins, and at the end a line with a digest of the model and
its predictions. Steps are backed up every few hundredths of a second; dropout is drawn by chance.
"""

import contextlib
import hashlib
import io
import sys
from pathlib import Path

import numpy as np

from minigrad.programs import finetuning_backup
from minigrad.programs.finetune_text import finetune_text
from tests.tiny_models import WORDS, tiny_bert

EPOCHS = 25


def main(folder, method):
    folder = Path(folder)
    base, file, out = folder / "base", folder / "data.csv", folder / "out"
    if not file.exists():
        tiny_bert(base, dropout=0.1)
        write_rows(file)
    finetuning_backup.SECONDS = 0.03
    begin = finetuning_backup.Backup.on_train_begin

    def tell(backup):
        begin(backup)
        print("training", file=sys.__stdout__, flush=True)

    finetuning_backup.Backup.on_train_begin = tell
    told = {"method": method, "epochs": EPOCHS, "patience": EPOCHS, "learning_rate": 0.001}
    resume = (out / "backup.safetensors").exists()
    with contextlib.redirect_stdout(io.StringIO()):
        finetune_text(str(base), str(file), out, overwrite=True, resume=resume, **told)
    learned = (out / "model" / "model.safetensors").read_bytes() + (out / "test.csv").read_bytes()
    print(hashlib.sha256(learned).hexdigest(), flush=True)


def write_rows(file):
    draw = np.random.default_rng(0)
    texts = [" ".join(draw.choice(WORDS, 12)) for _ in range(200)]
    lines = [f"{text},{'many' if text.count('a') > 5 else 'few'}" for text in texts]
    file.write_text("\n".join(["text,label", *lines]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
