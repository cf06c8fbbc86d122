"""Pretraining from top to bottom: a model of language that knows nothing but what it reads.

A text is cut into tokens, and the tokens into windows. GPT says at each place of a window which
token comes next; BERT says which tokens were hidden. Whatever they are wrong about, the gradient
makes them a little less wrong about, again and again.

n windows in a batch, t tokens in a window, d features, v words in the vocabulary, k predictions.
"""

import numpy as np

import kernels

from .. import data, layers, models, ops, optimizers, random, schedules, text
from ..atomic import alone_in
from ..environment import one_blas_thread
from ..tensor import no_grad
from . import pretraining_picture, pretraining_report
from .pretraining_backup import Backup, Progress
from .pretraining_settings import END_OF, FIRST, HIDDEN, LAST, MASK, choose, model_of, tokenizer_of
from .report import Report

WARM_UP = 0.05  # the share of a training in which the learning rate rises
LEFT = 0.1  # of the learning rate at the end
DECAY = 0.1  # of all weights that multiply; biases and normalizations have none
BETA_1, BETA_2 = 0.9, 0.99
LARGEST = 1.0  # norm of the gradient of all parameters together
GLANCE = 1 << 14  # tokens that are validated with while training goes on
SHOWN = 64  # tokens of a sample


@one_blas_thread
def pretrain(kind, out=None, resume=False, report=None, **options):
    """Train a "gpt" or a "bert" on raw text; returns its {"loss", "bits per byte"} in validation.

    out      the folder for model, tokenizer, tokens, report and picture (default: "runs/gpt")
    resume   go on with the training that was interrupted there. Options may be left out, and have
             to be the same if they are given. One of so many steps ends with the weights that it
             would have had without the interruption, bit by bit
    report   a Report that all is said to (default: one in the folder)
    options  what is not to be as in `Settings`

    ValueError for options and text from which nothing can be learned, and for a training that
    cannot be gone on with.
    """
    backup = Backup(out or f"runs/{kind}", resume)
    settings = choose({"kind": kind, **options}, backup.settings)
    corpus = data.corpus(settings.data)
    tokenizer = tokenizer_of(settings, corpus) if not resume else text.load_tokenizer(backup.folder)
    backup.check(settings, corpus, tokenizer)

    folder = backup.folder
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):  # model and tokenizer of two trainings would not belong together
        report = report or Report(folder / "report.txt", append=resume)
        return learn(settings, corpus, tokenizer, backup, report)


def learn(settings, corpus, tokenizer, backup, report):
    """What is done in the folder of the backup, stage by stage; returns what `pretrain` does."""
    folder, kind = backup.folder, settings.kind
    report.stage("Text")
    tokenizer.save(folder)
    tokens = {
        name: data.tokens_of(part, tokenizer, folder / f"{name}.tokens", END_OF[kind])
        for name, part in corpus.parts().items()
    }
    pretraining_report.say_text(report, corpus, tokenizer, tokens)
    task = TASKS[kind](settings, tokenizer)
    for name, ids in tokens.items():
        data.check_length(ids, task.window, f"the {name} part of {corpus.name}")

    report.stage("Model")
    random.seed(settings.seed)
    model = model_of(settings, tokenizer).to(settings.device)
    pretraining_report.say_model(report, settings, model)

    report.stage("Training")
    file = folder / "model.safetensors"
    file.unlink(missing_ok=True)  # of an earlier training: its tokenizer was another
    progress = Progress(settings.steps, settings.minutes)
    train(model, task, tokens, settings, progress, backup, report)
    model.save(file)  # first of all: a disk that is full must not cost it
    pretraining_picture.draw(progress, folder / "losses.png")
    backup.remove()

    report.stage("Evaluation of the saved model on all of the validation part")
    model = models.load_model(file).to(settings.device)
    windows = data.all_windows(tokens["validation"], settings.batch, task.window, task.overlap)
    loss = evaluate(Objective(model), task, windows)
    bits = pretraining_report.say_result(report, settings, corpus, tokens, loss)
    return {"loss": loss, "bits per byte": bits}


def train(model, task, tokens, settings, progress, backup, report):
    """The loop: a batch, the gradient of its loss, a step; now and then a look at the validation.

    Begins where the backup says, and ends when the progress is 1.
    """
    objective, parameters = Objective(model), model.parameters()
    optimizer = optimizers.AdamW(
        weight_decay=DECAY, beta_1=BETA_1, beta_2=BETA_2, global_clipnorm=LARGEST
    )
    rate = settings.learning_rate
    schedule = schedules.CosineDecay(0.0, 1 - WARM_UP, LEFT, rate, WARM_UP)  # of the share done
    compile_kernels(objective, task, settings)
    backup.begin(model, optimizer, progress)
    watch = pretraining_report.Watch(report, settings, model, progress)

    while not progress.is_over:
        optimizer.learning_rate = schedule(progress.share)
        generator = random.generator()
        windows = data.random_windows(tokens["train"], settings.batch, task.window, generator)
        examples = task.examples(windows, generator)
        loss = add_gradients(objective, *examples, settings.accumulate)
        optimizer.step(parameters)
        forget_gradients(parameters)
        progress.count(loss)

        watch.say_speed()
        if watch.is_time_to_look():
            ids = tokens["validation"]
            windows = data.spaced_windows(ids, settings.batch, task.window, GLANCE)
            watch.say_validation(evaluate(objective, task, windows))
            task.say_sample(report, model, ids)
        backup.save_now_and_then(model, optimizer, progress)
        watch.go_on()


# ---- The loss and its gradient -------------------------------------------------------------------


class Objective(layers.Layer):
    """Σ -log p(target) over the places that count, with the p that a model gives there.

    ids (n, t), targets (n, t), and where to predict: counts (n, t), or None for everywhere -> ()
    """

    def __init__(self, model):
        super().__init__()
        self.model = model

    def call(self, ids, targets, counts=None):
        device = self.model.device
        x = self.model.features(kernels.move(ids.data, device))  # (n, t, d)
        x = ops.reshape(x, (-1, x.shape[-1]))  # (n t, d)
        if counts is not None:  # to compare with all v words is dear: only where it counts
            x = ops.take(x, kernels.move(np.flatnonzero(counts), device), axis=0)  # (k, d)
            targets = targets[counts]  # (k,)
        logits = self.model.logits(x)  # (k, v)
        targets = kernels.move(np.reshape(targets, -1), device)
        return ops.sum(ops.sparse_softmax_cross_entropy(logits, targets))


def add_gradients(objective, ids, targets, counts, parts=1):
    """Add dL/dθ to the .grad of each parameter; L is the mean over the k places that count.

    The batch is computed in `parts`, one after the other. Each one's sum is divided by the k of the
    whole batch, since a mean of means would weigh a place by how few others its part has.
    Returns L.
    """
    k = count(targets, counts)
    mean = 0.0
    for rows in np.array_split(np.arange(len(ids)), parts):
        where = None if counts is None else counts[rows]
        L = objective(ids[rows], targets=targets[rows], counts=where, training=True) / k
        L.backward()
        mean += L.item()
    return mean


def forget_gradients(parameters):
    """Begin the gradients anew."""
    for parameter in parameters:
        parameter.grad = None


@no_grad()
def evaluate(objective, task, batches):
    """The mean loss over all places that count in some batches of windows."""
    generator = np.random.default_rng(0)  # the same places are hidden every time
    total = k = 0
    for windows in batches:
        ids, targets, counts = task.examples(windows, generator)
        total += objective(ids, targets=targets, counts=counts, training=False).item()
        k += count(targets, counts)
    return total / k


def count(targets, counts):
    """How many places count."""
    return targets.size if counts is None else np.count_nonzero(counts)


def compile_kernels(objective, task, settings):
    """Compute a gradient and forget it: what is compiled by that is so before the clock starts."""
    before = random.get_state()
    windows = np.zeros((settings.batch, task.window), "int64")
    examples = task.examples(windows, random.generator())
    add_gradients(objective, *examples, settings.accumulate)
    forget_gradients(objective.parameters())
    random.set_state(before)


# ---- What there is to predict --------------------------------------------------------------------


class NextToken:
    """What GPT learns: which token comes after each one of a window."""

    def __init__(self, settings, tokenizer):
        self.tokenizer = tokenizer
        self.window = settings.context + 1
        self.overlap = 1  # the last token of a window is the first that the next one predicts from

    def examples(self, windows, generator):
        """ids, targets and where they count   (n, t + 1) -> (n, t), (n, t), None: everywhere"""
        return windows[:, :-1], windows[:, 1:], None

    def say_sample(self, report, model, validation):
        """How the model goes on with the first tokens of the validation part."""
        prompt = validation[: min(SHOWN // 4, self.window - 1)].tolist()
        [ids] = text.generate(model, [prompt], SHOWN, temperature=0.8, seed=0)
        shown = f"{self.tokenizer.decode(prompt)}⟫{self.tokenizer.decode(ids)}"
        report.say(pretraining_report.sample(shown))


class HiddenTokens:
    """What BERT learns: which tokens of a window were hidden from it."""

    def __init__(self, settings, tokenizer):
        self.tokenizer = tokenizer
        special = tokenizer.special_tokens
        self.around = ((0, 0), (special[FIRST], special[LAST]))
        self.mask = special[MASK]
        self.others = np.setdiff1d(np.arange(tokenizer.vocabulary_size), list(special.values()))
        self.window = settings.context - 2
        self.overlap = 0

    def examples(self, windows, generator):
        """ids of which some are hidden, the ids that they were, and which ones count

        (n, t - 2) -> (n, t), (n, t), (n, t): the special tokens stand around each window
        """
        seen, chosen = data.hide_tokens(windows, HIDDEN, self.mask, self.others, generator)
        one = ((0, 0), (1, 1))
        ids, targets = (np.pad(x, one, constant_values=self.around) for x in (seen, windows))
        return ids, targets, np.pad(chosen, one)

    def say_sample(self, report, model, validation):
        """The first tokens of the validation part: ⟨what was hidden|what the model guesses⟩."""
        window = np.array(validation[None, : min(SHOWN, self.window)], "int64")
        ids, targets, counts = self.examples(window, np.random.default_rng(0))
        with no_grad():
            ids = kernels.move(ids, model.device)
            guesses = model(ids, training=False).numpy().argmax(axis=-1)
        decode, texts = self.tokenizer.decode, []
        for truth, guess, hidden in zip(targets[0, 1:-1], guesses[0, 1:-1], counts[0, 1:-1]):
            pair = f"⟨{decode([truth])}|{decode([guess])}⟩".replace("\n", "↵")
            texts.append(pair if hidden else decode([truth]))
        report.say(pretraining_report.sample("".join(texts)))


TASKS = {"gpt": NextToken, "bert": HiddenTokens}
