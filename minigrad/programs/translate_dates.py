"""The Transformer that translates, on dates: from nine formats, English and Chinese, to four.

It reads and writes characters, and has never heard of dates or languages before. The first token of
what it writes says which format is asked for. A tenth of all days from 1900 to 2099 are held out:
training shows them in no format, so that no answer can be known by heart.

Cross-attention shows how it is done: where in the source the model looks for each character that it
writes.
"""

import datetime
from typing import NamedTuple

import numpy as np

from .. import losses, models, no_grad, optimizers, random, schedules, text
from ..environment import one_blas_thread
from . import translate_dates_picture
from .dates import FIRST, FORMATS, LAST, TARGETS, write
from .report import Report, check_seeds, spread, table

TEST = 0.1  # the share of the days to test on
ASKED = 50  # days in the test, for each pair of formats
FILL, END = "<fill>", "<end>"
LONGEST = 40  # tokens of a date
LISTED = 8  # mistakes in the report

# Chosen with seeds from 100 on.
LAYERS, HEADS, SIZE, INSIDE = 2, 4, 64, 128
EPOCHS, BATCHES, BATCH, RATE = 12, 100, 64, 0.004
REMEMBERED = 3000  # examples of each target format that the baseline looks the nearest up in

TRANSFORMER, BASELINE = "Transformer", "nearest example"
# What the picture shows: from which format to which
SHOWN = (
    ("English with weekday", "ISO"),
    ("Chinese in words", "American"),
    ("dots", "Chinese in words"),
)


# ---- Dates as tokens -----------------------------------------------------------------------------


def make_tokenizer():
    """Knows every character of every format, and how a target of each format begins and ends."""
    days = range(FIRST.toordinal(), LAST.toordinal(), 11)  # which have all months and figures
    special = [FILL, END, *map(start_of, TARGETS)]
    return text.CharacterTokenizer.train(
        [write(day, name) for day in days for name in FORMATS], special
    )


def start_of(target):
    """The token that asks for a format: what is written begins with it."""
    return f"<{target}>"


def read(tokenizer, days, sources):
    """Dates in the formats that each is to have   -> ids (n, s), mask (n, s)"""
    texts = [write(day, source) for day, source in zip(days, sources)]
    return text.pad(tokenizer.encode_batch(texts))


def asked(tokenizer, days, targets):
    """What is to be written for them, from the token that asks for it to the end   -> the same"""
    texts = [f"{start_of(to)}{write(day, to)}{END}" for day, to in zip(days, targets)]
    return text.pad(tokenizer.encode_batch(texts))


# ---- Learning ------------------------------------------------------------------------------------


def make_model(tokenizer):
    """source (n, s), target (n, t) -> logits (n, t, v)"""
    v = tokenizer.vocabulary_size
    return models.Seq2SeqTransformer(v, LAYERS, HEADS, SIZE, INSIDE, max_sequence_length=LONGEST)


def fit(model, tokenizer, days, generator):
    """Train on days in formats drawn at random. Returns the mean loss of a character, by epoch."""
    steps = EPOCHS * BATCHES
    optimizer = optimizers.AdamW(schedules.CosineDecay(RATE, steps), weight_decay=0.01)
    parameters, means = model.parameters(), []
    for _ in range(EPOCHS):
        total = 0.0
        for _ in range(BATCHES):
            loss = loss_of(model, tokenizer, *draw(days, BATCH, generator))
            for parameter in parameters:
                parameter.grad = None
            loss.backward()
            optimizer.step(parameters)
            total += loss.item()
        means.append(total / BATCHES)
    return means


def draw(days, n, generator):
    """n of the days, and formats from which to which each is to be translated."""
    sources, targets = generator.choice([*FORMATS], n), generator.choice(TARGETS, n)
    return generator.choice(days, n), sources, targets


def loss_of(model, tokenizer, days, sources, targets):
    """The mean of -log p over all characters to write, each given those before it."""
    source, mask = read(tokenizer, days, sources)  # (n, s)
    target, counts = asked(tokenizer, days, targets)  # (n, t + 1)
    features = model.decode(target[:, :-1], model.read(source, mask), mask)  # (n, t, d)
    next_ids, counts = target[:, 1:], counts[:, 1:]  # (n, t)
    logits = model.logits(features[counts])  # (characters, v)
    return losses.SparseCategoricalCrossentropy(from_logits=True)(next_ids[counts], logits)


# ---- Translating ---------------------------------------------------------------------------------


def translate(model, tokenizer, days, sources, target):
    """The days, read in their source formats and written in one: a list of texts."""
    ids, mask = read(tokenizer, days, sources)
    start, end = (tokenizer.special_tokens[name] for name in (start_of(target), END))
    return [tokenizer.decode(row) for row in model.translate(ids, start, end, LONGEST - 1, mask)]


def nearest(tokenizer, days, sources, target, known):
    """The same by looking up: the example with most characters where they are here, and its target.

    known  examples that training may have shown: days and their source formats
    """
    examples = fixed(read(tokenizer, *known)[0])
    found = []
    for row in fixed(read(tokenizer, days, sources)[0]):
        best = np.argmax((examples == row).sum(axis=1))
        found.append(write(known[0][best], target))
    return found


def fixed(ids):
    """ids (n, s), filled up to LONGEST."""
    return np.pad(ids, ((0, 0), (0, LONGEST - ids.shape[1])))


def attention(model, tokenizer, day, source, target):
    """Where the last block looks while it writes: a title, both texts, weights (t, s).

    A row of the weights, the mean of all heads, belongs to each character that is written; the last
    one, to the end.
    """
    ids, mask = read(tokenizer, [day], [source])
    written = translate(model, tokenizer, [day], [source], target)[0]
    so_far = np.array([tokenizer.encode(start_of(target) + written)])
    scores = []
    with no_grad():
        model.decode(so_far, model.read(ids, mask), mask, scores=scores)
    weights = scores[-1].numpy()[0].mean(axis=0)
    return f"From {source} to {target}", write(day, source), written, weights


# ---- A trial -------------------------------------------------------------------------------------


class Trial(NamedTuple):
    """What came out of one seed.

    days     how many were learned from, and how many held out
    losses   by epoch
    texts    (n,) dates of held-out days, ASKED in each format after the other
    truth    (n, targets) what they are in each of the TARGETS
    answers  {name of a model: (n, targets)}
    shown    [(title, source, written, weights of attention)]
    """

    days: tuple
    losses: list
    texts: np.ndarray
    truth: np.ndarray
    answers: dict
    shown: list

    def right(self, name):
        """Whether a model is right in every character.   -> (n, targets)"""
        return self.answers[name] == self.truth

    def letters(self, name):
        """The share of characters that a model gets right."""
        pairs = zip(self.answers[name].ravel(), self.truth.ravel())
        return float(np.mean([agreement(*pair) for pair in pairs]))


def trial(seed):
    """Learn from nine tenths of the days, and translate some of the others."""
    generator = np.random.default_rng(seed)
    days = generator.permutation(np.arange(FIRST.toordinal(), LAST.toordinal() + 1))
    held_out = round(TEST * len(days))
    test, train = days[:held_out], days[held_out:]
    random.seed(seed)
    tokenizer = make_tokenizer()
    model = make_model(tokenizer)
    means = fit(model, tokenizer, train, generator)

    tested, sources = test[: ASKED * len(FORMATS)], np.repeat([*FORMATS], ASKED)
    known = draw(train, REMEMBERED, generator)[:2]
    answers = {
        TRANSFORMER: [translate(model, tokenizer, tested, sources, to) for to in TARGETS],
        BASELINE: [nearest(tokenizer, tested, sources, to, known) for to in TARGETS],
    }
    return Trial(
        (len(train), len(test)),
        means,
        np.array([write(*pair) for pair in zip(tested, sources)]),
        np.array([[write(day, to) for to in TARGETS] for day in tested]),
        {name: np.array(columns).T for name, columns in answers.items()},
        [attention(model, tokenizer, test[-i], *pair) for i, pair in enumerate(SHOWN, start=1)],
    )


def agreement(text, truth):
    """The share of the characters of the longer one that the other has in the same place.

    >>> agreement("2004-03-07", "2004-03-17")
    0.9
    """
    return sum(a == b for a, b in zip(text, truth)) / max(len(text), len(truth))


# ---- The program ---------------------------------------------------------------------------------


@one_blas_thread
def translate_dates(out="runs/translate_dates", seeds=3):
    """Learn to translate dates, `seeds` times; write a report and a picture of the attention.

    A seed decides which days are held out, the first weights, and what training draws. Returns
    {name of a model: the share of held-out dates that it gets right, for each seed}.
    """
    check_seeds(seeds)
    report, folder = Report.in_folder(out)

    report.stage("Formats: one day in each, and * if it is translated to")
    day = datetime.date(2004, 3, 7).toordinal()
    for name in FORMATS:
        report.say(f"{name:<22}{write(day, name)}{'  *' if name in TARGETS else ''}")

    report.stage("Training")
    trials = []
    for seed in range(seeds):
        trials.append(trial(seed))
        now = trials[-1]
        report.say(
            f"seed {seed}: {now.days[0]:,} days, {now.days[1]:,} others held out; -log p of a "
            f"character {now.losses[0]:.3f} in the first epoch, {now.losses[-1]:.4f} in the last"
        )
    report.say("\nheld-out days, translated by the model of the last seed:")
    for _, source, written, _ in trials[-1].shown:
        report.say(f"  {source}  ->  {written}")

    report.stage("Held-out dates that are right in every character, in %: mean of the seeds")
    report.say(table(["from", *(f"to {target}" for target in TARGETS)], by_format(trials)))
    report.say("\nmistakes of the Transformer:")
    for line in mistakes(trials) or ["none"]:
        report.say(f"  {line}")

    report.stage("In all: mean and standard deviation over the seeds")
    dates = {
        name: [float(one.right(name).mean()) for one in trials] for name in (TRANSFORMER, BASELINE)
    }
    letters = {name: [one.letters(name) for one in trials] for name in dates}
    rows = [[name, spread(dates[name]), spread(letters[name])] for name in dates]
    report.say(table(["model", "dates right", "characters right"], rows))
    report.say(f"\nthe {BASELINE} is of another day, and so never right in every character")

    picture = folder / "translate_dates.png"
    translate_dates_picture.draw([one.losses for one in trials], trials[-1].shown, picture)
    report.say(f"\npicture of the attention: {picture}")
    report.say(
        f"dates right: {TRANSFORMER} {spread(dates[TRANSFORMER])}; "
        f"characters right: {spread(letters[TRANSFORMER])}, {BASELINE} {spread(letters[BASELINE])}"
    )
    return dates


def by_format(trials):
    """Rows of the table: how many of the dates in each format are translated rightly to each."""
    right = np.mean([one.right(TRANSFORMER) for one in trials], axis=0)  # (n, targets)
    shares = 100 * right.reshape(len(FORMATS), ASKED, len(TARGETS)).mean(axis=1)
    return [[name, *(f"{share:.1f}" for share in row)] for name, row in zip(FORMATS, shares)]


def mistakes(trials):
    """Lines of text: the first few dates that the Transformer gets wrong."""
    wrong = [(one, *place) for one in trials for place in np.argwhere(~one.right(TRANSFORMER))]
    lines = []
    for one, row, target in wrong[:LISTED]:
        said, true = one.answers[TRANSFORMER][row, target], one.truth[row, target]
        lines.append(f"{one.texts[row]}  ->  {said}, not {true}")
    return lines + ([f"and {len(wrong) - LISTED} more"] if len(wrong) > LISTED else [])
