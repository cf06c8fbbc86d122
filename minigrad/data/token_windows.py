"""Windows on a long row of tokens: at random places to train on, one after the other to validate.

n windows, t tokens of each.
"""

import numpy as np


def random_windows(tokens, n, t, generator):
    """Tokens from n random places on.   (length,) -> integers (n, t)

    tokens  1-d integers, such as `data.tokens_of` gives; only the windows are read
    """
    check_length(tokens, t)
    starts = generator.integers(len(tokens) - t + 1, size=n)
    return np.stack([tokens[start : start + t] for start in starts]).astype("int64")


def all_windows(tokens, n, t, overlap=0):
    """All tokens in their order: arrays (n, t), the last full one smaller, then (1, the rest).

    overlap  so many tokens at the end of a window come again at the start of the next
    """
    check_length(tokens, t)
    stride = t - overlap
    full = np.lib.stride_tricks.sliding_window_view(tokens, t)[::stride]
    for i in range(0, len(full), n):
        yield full[i : i + n].astype("int64")
    rest = tokens[len(full) * stride :]
    if len(rest) > overlap:
        yield rest[None].astype("int64")


def spaced_windows(tokens, n, t, most):
    """Windows of `most` tokens together, or one at least, evenly from everywhere: arrays (n, t)."""
    check_length(tokens, t)
    starts = np.linspace(0, len(tokens) - t, max(1, most // t)).astype(int)
    for i in range(0, len(starts), n):
        yield np.stack([tokens[start : start + t] for start in starts[i : i + n]]).astype("int64")


def check_length(tokens, t, name="the text"):
    """ValueError unless there is one window at least."""
    if len(tokens) < t:
        raise ValueError(
            f"{name} is smaller than one context: a window has {t} tokens. "
            f"Received: {len(tokens)} tokens"
        )


def hide_tokens(ids, share, mask, others, generator):
    """Tokens, some of them hidden to be guessed, and where.   integers (n, t) -> (n, t), (n, t)

    A share of the places is chosen, one by one at random and one at least. There the token becomes
    `mask` in 8 cases of 10, one of `others` (k,) in 1, and stays in 1: so what stands there is
    worth reading, hidden or not (Devlin et al., 2019). The second array is True at these places.
    """
    chosen = generator.random(ids.shape) < share
    if not chosen.any():
        chosen.flat[generator.integers(ids.size)] = True
    dice = generator.random(ids.shape)
    random = others[generator.integers(len(others), size=ids.shape)]
    seen = np.where(dice < 0.8, mask, np.where(dice < 0.9, random, ids))
    return np.where(chosen, seen, ids), chosen
