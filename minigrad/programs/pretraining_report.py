"""What a pretraining says of its text, of its speed, and of what it has learned."""

import math
import textwrap
import time

import numpy as np

import kernels

from .pretraining_settings import HIDDEN
from .report import table

LINES = 20  # that say the speed
LOOKS = 5  # at the validation part


def say_text(report, corpus, tokenizer, tokens):
    """What there is to learn from.   tokens {part: ids}"""
    for name, ids in tokens.items():
        part = getattr(corpus, name)
        size = f"{part.size / 1e6:.2f} MB" if part.size >= 1e5 else f"{part.size:,} bytes"
        files = f"{len(part.documents):,} file{'s' * (len(part.documents) > 1)}"
        report.say(
            f"{corpus.name}, {name}: {size} in {files}, "
            f"{len(ids):,} tokens of {part.size / len(ids):.2f} bytes"
        )
    report.say(f"{tokenizer.vocabulary_size:,} different tokens")


def say_model(report, settings, model):
    """The shape of the model, and what a step learns from."""
    report.say(
        f"{type(model).__name__}: {settings.layers} layers, {settings.heads} heads, width "
        f"{settings.width}, context {settings.context}: {model.count_params():,} parameters"
    )
    places = settings.batch * settings.context
    report.say(f"a step learns from {settings.batch} windows, {places:,} tokens")


class Watch:
    """What is said while a training goes on, and when. It counts the time of the steps alone."""

    def __init__(self, report, settings, model, progress):
        self.report, self.progress = report, progress
        self.tokens = settings.batch * settings.context  # of a step
        self.work = operations(settings, model)  # of a step
        self.said, self.looked = self._done(LINES), self._done(LOOKS)
        self._begin_line()
        self.go_on()

    def _done(self, parts):
        """How many of so many parts of the training are done."""
        return int(parts * self.progress.done)

    def _begin_line(self):
        self.seconds, self.first = 0.0, self.progress.step

    def go_on(self):
        """A step begins."""
        self.since = time.perf_counter()

    def say_speed(self):
        """A step is over: a line, if it is time for one."""
        self.seconds += time.perf_counter() - self.since
        if self._done(LINES) == self.said:
            return
        self.said, progress = self._done(LINES), self.progress
        rate = (progress.step - self.first) / self.seconds
        share = rate * self.work / (kernels.peak() * 1e9)
        self.report.say(
            f"step {progress.step:6,}: loss {np.mean(progress.losses[self.first :]):.4f}, "
            f"{rate * self.tokens:,.0f} tokens/s, {share:.0%} of the machine's peak, "
            f"{clock(progress.left)} left"
        )
        self._begin_line()

    def is_time_to_look(self):
        """Whether it is time to look at the validation part."""
        before, self.looked = self.looked, self._done(LOOKS)
        return self.looked > before

    def say_validation(self, loss):
        """What was seen there."""
        self.progress.look(loss)
        self.report.say(f"{'':13}validation loss {loss:.4f}")


def operations(settings, model):
    """Floating-point operations of a step's products of matrices: one way there, two ways back.

    For each token a block multiplies by 4 d² weights in attention, and by 8 d² in the two layers
    behind it. Queries times keys, and their weights times values, take 2 t d more, of which the
    causal half is counted for GPT. BERT's head works where tokens are hidden.
    """
    n, t, d = settings.batch, settings.context, settings.width
    blocks = settings.layers * n * t * (12 * d * d + (t if settings.kind == "gpt" else 2 * t) * d)
    places = n * t if settings.kind == "gpt" else HIDDEN * n * (t - 2)
    head = places * (model.vocabulary_size * d + (0 if settings.kind == "gpt" else d * d))
    return 3 * 2 * (blocks + head)  # 2: each product is multiplied, and added


def sample(written):
    """What a model writes, moved to the right, so that nobody takes it for a line of the program.

    Characters that would move the cursor, or worse, are shown as one that cannot be shown.
    """
    shown = "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in written
    )
    return textwrap.indent(shown, f"{'':13}| ", lambda line: True)


def clock(seconds):
    """Seconds as 4:05, or 1:04:05."""
    if math.isinf(seconds):
        return "?"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def say_result(report, settings, corpus, tokens, loss):
    """The loss, and what that is in bits for each byte of the text, beside gzip and xz.

    Returns these bits.
    """
    part, ids = corpus.validation, tokens["validation"]
    bits = loss / math.log(2) * len(ids) / part.size
    if settings.kind == "gpt":
        rows = [[name, f"{8 * size / part.size:.3f}"] for name, size in part.compressed().items()]
        rows.append(["this GPT, which has read the training part", f"{bits:.3f}"])
        report.say(table([f"to write down these {part.size:,} bytes", "bits per byte"], rows))
        report.say("")
    else:
        report.say("of what was hidden, knowing all that was not:")
    report.say(f"validation loss {loss:.4f}, {bits:.3f} bits per byte")
    return bits
