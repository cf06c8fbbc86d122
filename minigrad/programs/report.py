"""What a program says, on the screen and in a file."""

import numpy as np


class Report:
    """Text in numbered stages that goes to the screen and, at the same time, to the file `path`."""

    def __init__(self, path):
        self.path = path
        self.stages = 0
        path.write_text("", encoding="utf-8")

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
