"""What a program is asked at its beginning and says: on the screen, and in a file."""

from pathlib import Path

import numpy as np

from ..registry import is_integer


class Report:
    """Text in numbered stages that goes to the screen and, at the same time, to the file `path`.

    append  whether it goes on with what is in the file
    """

    def __init__(self, path, append=False):
        self.path = path
        self.stages = 0
        if not append:
            path.write_text("", encoding="utf-8")

    @classmethod
    def in_folder(cls, folder):
        """The Report in `folder`, which is made if need be, and the folder as a Path."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder / "report.txt"), folder

    def stage(self, name):
        """Begin a stage: its number and name."""
        self.stages += 1
        self.say(f"\n{self.stages}. {name}\n" if self.stages > 1 else f"{self.stages}. {name}\n")

    def say(self, text):
        """One line, or several."""
        print(text, flush=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def spread(values):
    """Mean ± standard deviation of some numbers, as text; a single one has no deviation."""
    deviation = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{deviation}"


def of_epoch(logs):
    """What fit has logged of an epoch, as text: "loss 0.1234, validation loss 0.2345"."""
    numbers = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
    return numbers.replace("val_", "validation ")


def table(head, rows):
    """Lines of text with the head, a rule, and the rows: lists of as many texts, in columns."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    lines = [
        "  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])])
        for first, *others in (head, *rows)
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def check_seeds(seeds):
    """ValueError unless `seeds`, how often all is repeated, is an integer from 1 up."""
    if not is_integer(seeds):
        raise ValueError(f"seeds is how many, an integer from 1 up. Received: {seeds=}")
