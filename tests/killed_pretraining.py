"""A pretraining as a program that can be killed, and goes on when it is run again.

    python -m tests.killed_pretraining FOLDER gpt

It prints "training" when the first step begins, and at the end a line with a digest of the model.
Steps are backed up every few hundredths of a second; dropout and, for BERT, hidden tokens are
drawn by chance.
"""

import contextlib
import hashlib
import io
import sys
from pathlib import Path

from minigrad.programs import pretrain, pretraining_backup

STEPS = 300


def main(folder, kind):
    folder = Path(folder)
    text = folder / "text.txt"
    text.write_text("".join(f"{i * i} is the square of {i}\n" for i in range(2000)))
    pretraining_backup.SECONDS = 0.03
    compile_kernels = pretrain.compile_kernels

    def tell(*arguments):
        compile_kernels(*arguments)
        print("training", file=sys.__stdout__, flush=True)

    pretrain.compile_kernels = tell
    shape = {"layers": 2, "heads": 2, "width": 16, "context": 16, "batch": 4}
    options = {"data": str(text), "tokenizer": "byte", "dropout": 0.1, "steps": STEPS, **shape}
    resume = (folder / "backup.safetensors").exists()
    with contextlib.redirect_stdout(io.StringIO()):
        pretrain.pretrain(kind, folder, resume, **options)
    print(hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
