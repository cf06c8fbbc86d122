"""Cross-entropy of rows of logits on a GPU, a warp for each row: without a matrix of probabilities.

    cross_entropy            l = log Σⱼ exp zⱼ - z[label]
    cross_entropy_backward   dL/dzⱼ = g (pⱼ - [j = label]),  p = softmax(z)

logits and their gradient (n, c); labels (n,) int64; losses and g (n,); norms (n, 2), which are
maxⱼ zⱼ and log Σⱼ exp(zⱼ - maxⱼ zⱼ). `LAUNCHES` says how each is started. A label that is none of
0 .. c - 1 makes its loss and the gradient of its row NaN: a GPU has nobody to raise an error to.
"""

import math

from numba import cuda, float32

from .launch import INDICES, MATRIX, VECTOR, Launch, named, rows
from .reduction import LOWEST, WARP, WARPS, add_exponential, warp_sum_of_exponentials

NAN = float32(math.nan)


def cross_entropy(logits, labels, losses, norms):
    """The logits are read once: maximum and sum are found in the same pass."""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < logits.shape[0]  # for all lanes of a warp, or for none
    if is_inside:
        most, total = LOWEST, float32(0)
        for i in range(lane, logits.shape[1], WARP):
            most, total = add_exponential(most, total, logits[row, i])
        most, total = warp_sum_of_exponentials(most, total)
        if lane == 0:
            label, log = labels[row], math.log(total)
            is_class = label >= 0 and label < logits.shape[1]
            losses[row] = log - (logits[row, label] - most) if is_class else NAN
            norms[row, 0] = most
            norms[row, 1] = log


def cross_entropy_backward(g, logits, norms, labels, dlogits):
    """Each p is found again from its logit and the norms of its row."""
    row, lane = cuda.blockIdx.x * WARPS + cuda.threadIdx.y, cuda.threadIdx.x
    is_inside = row < logits.shape[0]
    if is_inside:
        label = labels[row]
        is_class = label >= 0 and label < logits.shape[1]
        factor = g[row] if is_class else NAN
        for i in range(lane, logits.shape[1], WARP):
            p = math.exp(logits[row, i] - norms[row, 0] - norms[row, 1])
            dlogits[row, i] = factor * (p - float32(1) if i == label else p)


LAUNCHES = named(
    Launch(cross_entropy, (WARP, WARPS), rows(WARPS), (MATRIX, INDICES, VECTOR, MATRIX)),
    Launch(
        *(cross_entropy_backward, (WARP, WARPS), rows(WARPS)),
        (VECTOR, MATRIX, MATRIX, INDICES, MATRIX),
    ),
)
