"""Text from a language model: token after token, each chosen from what the model says of the next.

A model is anything that reads ids (n, t) as `models.GPT` does: `features(ids, mask, cache)` and
`logits(features)` say which token comes next, `make_cache(length)` keeps what was read, and there
are `vocabulary_size` and `max_sequence_length`, the context.

n sequences side by side, v tokens of the vocabulary.
"""

from dataclasses import dataclass

import numpy as np

import kernels

from .. import random
from ..registry import check_integer, check_number
from ..tensor import no_grad
from .streaming import StreamDecoder

END = "<|endoftext|>"  # the special token of GPT-2 after a document


@dataclass(frozen=True)
class Choice:
    """How the next token is chosen: at random by its probability, unless something else is said.

    temperature         divides the logits: below 1 likely tokens become likelier; 0 takes the most
                        likely one, always
    top_k               only the k most likely tokens are chosen from
    top_p               only the most likely ones whose probabilities together reach this number
                        (Holtzman et al., 2020)
    beams               from 2 up: not chance but a search for the most likely sequence, in which so
                        many are followed side by side. The best is the one with the largest mean of
                        log-probabilities
    repetition_penalty  above 1: logits of tokens that are there already are divided by it, or
                        multiplied where they are negative (Keskar et al., 2019)
    end_token           the id after which nothing follows; it is not part of the result
    seed                of chance: sequence i of a batch has that of seed + i
    use_cache           False reads everything again for each token. The result is the same
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    beams: int = 1
    repetition_penalty: float = 1.0
    end_token: int | None = None
    seed: int | None = None
    use_cache: bool = True

    def __post_init__(self):
        check_integer("beams", self.beams)
        if self.top_k is not None:
            check_integer("top_k", self.top_k)
        if self.temperature is not None:
            check_number("temperature", self.temperature)
        if self.top_p is not None and check_number("top_p", self.top_p, positive=True) > 1:
            raise ValueError(f"top_p is a share of 1. Received: top_p={self.top_p}")
        check_number("repetition_penalty", self.repetition_penalty, positive=True)
        for name in ("seed", "end_token"):
            value = getattr(self, name)
            if value is not None:
                check_integer(name, value, least=0)
        chance = self.temperature, self.top_k, self.top_p
        if self.beams > 1 and chance != (None, None, None):
            raise ValueError(
                "a search with beams leaves nothing to chance: without temperature, top_k and "
                f"top_p. Received: beams={self.beams}, temperature={self.temperature}, "
                f"top_k={self.top_k}, top_p={self.top_p}"
            )

    def generators(self, n):
        """The chance of each of n sequences."""
        seed = random.key() if self.seed is None else self.seed
        return [np.random.Generator(np.random.Philox(seed + i)) for i in range(n)]


def generate(model, prompts, max_new_tokens, **options):
    """What follows each prompt: lists of ids.

    prompts         lists of ids, of any lengths
    max_new_tokens  how many may follow
    options         those of a `Choice`

    Once the context of the model is full, the older half of what is in it is forgotten. ValueError
    for prompts that are empty, longer than the context, or have ids that the model does not know.
    """
    choice = Choice(**options)
    check_integer("max_new_tokens", max_new_tokens)
    prompts = [_check_prompt(model, prompt) for prompt in prompts]
    if choice.beams > 1:
        return [_search(model, prompt, max_new_tokens, choice) for prompt in prompts]
    results = [[] for _ in prompts]
    for tokens in _one_by_one(model, prompts, max_new_tokens, choice):
        for result, token in zip(results, tokens):
            if token is not None:
                result.append(token)
    return results


def stream(model, tokenizer, prompt, max_new_tokens, stop=(), **options):
    """What follows a prompt, as it comes: an iterator of texts, which hold whole characters.

    stop     texts: where one of them would begin, the result ends
    options  those of a `Choice`; the end token is the tokenizer's <|endoftext|>, if it has that

    With beams nothing is known before the end, when all comes at once. The errors are those of
    `generate`, and a ValueError for a tokenizer of another model.
    """
    if tokenizer.vocabulary_size != model.vocabulary_size:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocabulary_size} tokens and the model "
            f"{model.vocabulary_size}: they do not belong together"
        )
    stop = [stop] if isinstance(stop, str) else list(stop)
    if "" in stop:
        raise ValueError("a stop string must not be empty")
    options = {"end_token": tokenizer.special_tokens.get(END)} | options
    choice = Choice(**options)
    check_integer("max_new_tokens", max_new_tokens)
    ids = _check_prompt(model, tokenizer.encode(prompt))
    return _without_stops(_texts(model, tokenizer, ids, max_new_tokens, choice), stop)


def _texts(model, tokenizer, ids, max_new_tokens, choice):
    """Whole characters, as they come."""
    decoder = StreamDecoder(tokenizer)
    if choice.beams > 1:
        tokens = iter(_search(model, ids, max_new_tokens, choice))
    else:
        tokens = (token for (token,) in _one_by_one(model, [ids], max_new_tokens, choice))
    yield from map(decoder.add, tokens)
    yield decoder.end()


def _without_stops(texts, stop):
    """The texts up to where the first stop string begins, held back as long as one may begin."""
    held = ""
    for text in texts:
        held += text
        ends = [place for place in map(held.find, stop) if place >= 0]
        if ends:
            yield held[: min(ends)]
            return
        kept = max((_overlap(held, string) for string in stop), default=0)
        yield held[: len(held) - kept]
        held = held[len(held) - kept :]
    yield held


def _overlap(text, string):
    """How many of the last characters of a text may be the first ones of a string."""
    return max(n for n in range(len(string)) if text.endswith(string[:n]))


def _check_prompt(model, prompt):
    """A prompt as a list of ids; ValueError unless the model can read it."""
    if not np.iterable(prompt) or not all(hasattr(id, "__index__") for id in prompt):
        raise ValueError(f"a prompt is a list of ids, integers. Received: {prompt!r}")
    ids = [int(id) for id in prompt]
    if not ids:
        raise ValueError("a prompt must not be empty: the model has nothing to go on from")
    if len(ids) > model.max_sequence_length:
        raise ValueError(
            f"the prompt has {len(ids)} tokens, and the model reads at most "
            f"{model.max_sequence_length} at once"
        )
    if min(ids) < 0 or max(ids) >= model.vocabulary_size:
        raise ValueError(
            f"the model knows ids from 0 to {model.vocabulary_size - 1}. "
            f"Received: a prompt with ids from {min(ids)} to {max(ids)}"
        )
    return ids


# ---- Reading -------------------------------------------------------------------------------------


class _Reader:
    """A model that reads sequences as they grow.

    rows  all ids of each sequence. It reads those from its start on: once these are more than the
          context, the start moves, and half of the context is left
    """

    def __init__(self, model, prompts, max_new_tokens, use_cache):
        self.model = model
        self.rows = [list(prompt) for prompt in prompts]
        self.starts = [0] * len(prompts)
        longest = max(map(len, prompts), default=0) + max_new_tokens
        self.length = min(longest, model.max_sequence_length) if use_cache else None
        self.cache = None

    @no_grad()
    def next_logits(self):
        """What the model says of the next token of each sequence.   -> (n, v)"""
        has_moved = self._move()
        if self.cache is None or has_moved:
            ids, mask = self._fill_up()
            self.cache = None if self.length is None else self.model.make_cache(self.length)
        else:
            ids, mask = np.array([row[-1:] for row in self.rows]), None
        ids, mask = (x if x is None else kernels.move(x, self.model.device) for x in (ids, mask))
        features = self.model.features(ids, mask=mask, cache=self.cache)  # (n, t, d)
        logits = self.model.logits(features[:, -1]).numpy()
        if not np.isfinite(logits).all():
            raise ValueError(
                "the model's logits of the next token are not finite: its weights may have become "
                "so in a training with too large a learning rate"
            )
        return logits

    def _move(self):
        """Move the starts of sequences that are too long. Returns whether there were any."""
        context, before = self.model.max_sequence_length, list(self.starts)
        for i, row in enumerate(self.rows):
            if len(row) - self.starts[i] > context:
                self.starts[i] = len(row) - max(1, context // 2)
        return self.starts != before

    def _fill_up(self):
        """What is read of all rows, ids (n, t) that are filled up on the left, and their mask."""
        rows = [row[start:] for row, start in zip(self.rows, self.starts)]
        t = max(map(len, rows))
        ids = np.array([[0] * (t - len(row)) + row for row in rows])
        mask = np.arange(t) >= np.array([[t - len(row)] for row in rows])
        return ids, None if mask.all() else mask

    def append(self, tokens):
        """Each sequence grows by a token."""
        for row, token in zip(self.rows, tokens):
            row.append(token)

    def select(self, places):
        """Go on with copies of the sequences at these places alone."""
        self.rows = [list(self.rows[place]) for place in places]
        self.starts = [self.starts[place] for place in places]
        for kept in self.cache or ():
            kept.select(places)


# ---- One token after another ---------------------------------------------------------------------


def _one_by_one(model, prompts, max_new_tokens, choice):
    """The next token of each sequence, or None behind its end, until all have come to their end."""
    reader = _Reader(model, prompts, max_new_tokens, choice.use_cache)
    generators, has_ended = choice.generators(len(prompts)), [False] * len(prompts)
    for _ in range(max_new_tokens if prompts else 0):
        scores = adjust(reader.next_logits(), reader.rows, choice)
        if choice.temperature == 0:
            tokens = np.argmax(scores, axis=1).tolist()
        else:
            tokens = [draw(row, chance) for row, chance in zip(scores, generators)]
        has_ended = [ended or token == choice.end_token for ended, token in zip(has_ended, tokens)]
        if all(has_ended):
            return
        yield [None if ended else token for ended, token in zip(has_ended, tokens)]
        reader.append(tokens)


def adjust(logits, rows, choice):
    """Logits as a `Choice` wants them, -inf for what is not to be chosen.   (n, v) -> (n, v)

    rows  all ids of each sequence so far
    """
    logits = penalized(logits, rows, choice.repetition_penalty)
    if choice.temperature:
        logits = logits / choice.temperature
    if choice.top_k is not None and choice.top_k < logits.shape[1]:
        least = np.partition(logits, -choice.top_k, axis=1)[:, -choice.top_k, None]
        logits = np.where(logits < least, -np.inf, logits)
    if choice.top_p is not None:
        order = np.argsort(-logits, axis=1, kind="stable")
        p = _softmax(np.take_along_axis(logits, order, axis=1))
        likelier = np.cumsum(p, axis=1) - p  # the probability of all before this one
        ranked = np.where(likelier < choice.top_p, 0.0, -np.inf)
        kept = np.empty_like(ranked)
        np.put_along_axis(kept, order, ranked, axis=1)
        logits = logits + kept
    return logits


def penalized(logits, rows, penalty):
    """Logits of tokens that are in a sequence already, made smaller.   (n, v) -> (n, v), float64"""
    logits = logits.astype("float64")
    if penalty != 1:
        for scores, row in zip(logits, rows):
            seen = scores[row]
            scores[row] = np.where(seen < 0, seen * penalty, seen / penalty)
    return logits


def draw(logits, generator):
    """A token by its probability, softmax(logits).   (v,) -> an integer"""
    reached = np.cumsum(_softmax(logits))
    return int(np.searchsorted(reached, generator.random() * reached[-1], side="right"))


def _softmax(logits):
    p = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return p / np.sum(p, axis=-1, keepdims=True)


# ---- Beams ---------------------------------------------------------------------------------------


def _search(model, prompt, max_new_tokens, choice):
    """The ids of the most likely sequence that a search with beams finds behind a prompt.

    Of all continuations of all beams by one token, the best are followed. One that ends is kept,
    with the mean of its log-probabilities, if no other that goes on is among the best. The search
    is over when no beam is better than all that are kept.
    """
    reader = _Reader(model, [prompt], max_new_tokens, choice.use_cache)
    sums, ended = np.zeros(1), []  # of log-probabilities; (mean, ids) of sequences
    for made in range(1, max_new_tokens + 1):
        logits = reader.next_logits().astype("float64")
        log_p = penalized(np.log(_softmax(logits)), reader.rows, choice.repetition_penalty)
        totals = (sums[:, None] + log_p).ravel()
        best = np.argsort(-totals, kind="stable")[: 2 * choice.beams]
        followed = []
        for rank, place in enumerate(best.tolist()):
            beam, token = divmod(place, log_p.shape[1])
            if token == choice.end_token or made == max_new_tokens:
                if rank < choice.beams:
                    ids = reader.rows[beam][len(prompt) :]
                    ids = ids if token == choice.end_token else [*ids, token]
                    ended.append((totals[place] / made, ids))
            elif len(followed) < choice.beams:
                followed.append((beam, token, totals[place]))
        ended = sorted(ended, key=lambda pair: -pair[0])[: choice.beams]
        is_full = len(ended) == choice.beams
        if not followed or (is_full and followed[0][2] / made <= ended[-1][0]):
            break
        beams, tokens, sums = zip(*followed)
        sums = np.array(sums)
        reader.select(beams)
        reader.append(tokens)
    return ended[0][1]
