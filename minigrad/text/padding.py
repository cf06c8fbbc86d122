"""Lists of ids, of different lengths, as one array with a mask."""

import numpy as np


def pad(sequences, length=None, fill=0, side="right"):
    """Lists of ids as an array, filled up.   -> ids int64 (n, t), mask (n, t), True where ids are

    length  t; by default the length of the longest
    fill    the id to fill up with, such as that of "[PAD]"
    side    where: "right", or "left" for texts that a model is to continue

    ValueError for a list that is longer than `length`.

    >>> ids, mask = pad([[5, 6, 7], [8]])
    >>> ids
    array([[5, 6, 7],
           [8, 0, 0]])
    """
    if side not in ("right", "left"):
        raise ValueError(f"side must be 'right' or 'left'. Received: {side=}")
    longest = max(map(len, sequences), default=0)
    t = longest if length is None else length
    if longest > t:
        raise ValueError(f"a sequence has {longest} ids, more than the length. Received: {length=}")
    ids = np.full((len(sequences), t), fill, np.int64)
    mask = np.zeros(ids.shape, bool)
    for row, sequence in enumerate(sequences):
        start = t - len(sequence) if side == "left" else 0
        ids[row, start : start + len(sequence)] = sequence
        mask[row, start : start + len(sequence)] = True
    return ids, mask
