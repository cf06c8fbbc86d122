"""Products of matrices as layers need them, made like `matmul.double_buffered`.

    product        C = A B     (z m, k), (z k, n) -> (z m, n)
    transposed_a   C = Aᵀ B    (z k, m), (z k, n) -> (z m, n), as in a gradient of weights
    transposed_b   C = A Bᵀ    (z m, k), (z n, k) -> (z m, n), as in logits of tokens
    dense          z = x W + b,  y = f(z)    (n, d), (d, u), (u,) -> (n, u) each

The z matrices of a batch stand below each other. Aᵀ B takes a single pair of long matrices as a
batch, too: then C has z parts, whose sum is the product.

Each kernel is there for blocks of 64 x 64 elements, which are many, and of 128 x 128, which fetch
less for each element; `launch.of_width` finds it in `LAUNCHES`. Arrays are float32, in rows without
gaps that begin at a multiple of 16 bytes. A bias of no numbers stands for none. z and y are one
array where f is none, and may be where it is "relu": then nobody asks for z.
"""

from numba import cuda, float32

from .elementwise import IDENTITY, activation4, take4
from .launch import INTEGER, MATRIX, VECTOR, Launch, named
from .matmul import (
    EDGE,
    SIDE,
    TILE,
    Operand,
    four_elements,
    multiply_ahead,
    put_four,
    put_wide,
)

EDGES = 64, 128  # rows and columns of C that a block computes


@cuda.jit(device=True, forceinline=True)
def share_of_batch(rows):
    """From which row on, and before which, a block has its own matrix of a batch"""
    each = (rows + cuda.gridDim.z - 1) // cuda.gridDim.z
    start = cuda.blockIdx.z * each
    return start, min(start + each, rows)


@cuda.jit(device=True, forceinline=True)
def operand(x, is_turned, first):
    """A block's matrix of a batch, from a row or column on: turned, its rows are those of a tile"""
    start, stop = share_of_batch(x.shape[0])
    if is_turned:
        return Operand(x, True, stop, 0, start + first)
    return Operand(x, False, stop, start, first)


def _product(edge, a_is_turned, b_is_turned):
    wide, thin, gap = edge // SIDE, TILE // edge, edge + 4

    def product(a, b, c):
        """C = A B. What has a column for each k is turned over: A itself, and Bᵀ."""
        total = cuda.local.array((wide, wide), float32)
        row, column = cuda.blockIdx.x * edge, cuda.blockIdx.y * edge
        of_a, of_b = operand(a, a_is_turned, row), operand(b, b_is_turned, column)
        count = a.shape[1] if a_is_turned else of_a.stop - of_a.first_k
        multiply_ahead(total, of_a, of_b, count, wide, thin, gap)
        start, stop = share_of_batch(c.shape[0])
        put_wide(c, stop, start + row, column, total, wide)

    return product


# ---- A layer -------------------------------------------------------------------------------------


@cuda.jit(device=True, forceinline=True)
def add_bias(total, bias, first_column, wide):
    """total += b, for the columns of a thread"""
    for group in range(wide // 4):
        four = take4(bias, first_column + group * EDGE + cuda.threadIdx.x * 4)
        for i in range(wide):
            for j in range(4):
                total[i, group * 4 + j] += four[j]


@cuda.jit(device=True, forceinline=True)
def apply(function, z, y, first_row, first_column, wide):
    """y = f(z) of the elements of a thread, which it has just written to z

    Sums in registers would need a copy of all functions each. A cache still has z.
    """
    row, column = first_row + cuda.threadIdx.y * 4, first_column + cuda.threadIdx.x * 4
    for part in range(wide * wide // 4):
        i, group = part // (wide // 4), part % (wide // 4)
        at_row, at_column = row + i // 4 * EDGE + i % 4, column + group * EDGE
        four = four_elements(z, z.shape[0], at_row, at_column)
        put_four(y, y.shape[0], at_row, at_column, activation4(function, four))


def _dense(edge):
    wide, thin, gap = edge // SIDE, TILE // edge, edge + 4

    def dense(x, weight, bias, function, z, y):
        """z = x W + b,  y = f(z), without another walk through memory for b and f"""
        total = cuda.local.array((wide, wide), float32)
        row, column = cuda.blockIdx.x * edge, cuda.blockIdx.y * edge
        of_x, of_weight = operand(x, True, row), operand(weight, False, column)
        multiply_ahead(total, of_x, of_weight, x.shape[1], wide, thin, gap)
        add_bias(total, bias, column, wide)
        put_wide(z, z.shape[0], row, column, total, wide)
        if function != IDENTITY:
            apply(function, z, y, row, column, wide)

    return dense


# ---- How they are started ------------------------------------------------------------------------


def _blocks(edge, m, n, batches):
    """Rows come first: there may be 2³¹ blocks along x, and 65,535 along y and z."""
    return -(-m // edge), -(-n // edge), batches


def _launch(name, edge, kernel, sizes, signature):
    """A kernel for blocks of an edge;  sizes(*arguments) -> rows and columns of C, and batches"""
    kernel.__name__ = f"{name}_{edge}"
    return Launch(kernel, (SIDE, SIDE), lambda *given: _blocks(edge, *sizes(*given)), signature)


def _sizes(a, b, c):
    batches = b.shape[0] // a.shape[1]
    return c.shape[0] // batches, c.shape[1], batches


def _sizes_of_transposed_a(a, b, c):
    return a.shape[1], b.shape[1], c.shape[0] // a.shape[1]


def _sizes_of_transposed_b(a, b, c):
    batches = b.shape[0] // c.shape[1]
    return c.shape[0] // batches, c.shape[1], batches


def _sizes_of_layer(x, weight, bias, function, z, y):
    return *z.shape, 1


_PRODUCTS = {  # {name: (whether A is turned, whether B is, sizes)}
    "product": (True, False, _sizes),
    "transposed_a": (False, False, _sizes_of_transposed_a),
    "transposed_b": (True, True, _sizes_of_transposed_b),
}
_LAYER = MATRIX, MATRIX, VECTOR, INTEGER, MATRIX, MATRIX
LAUNCHES = named(
    *(
        _launch(name, edge, _product(edge, *turned), sizes, (MATRIX,) * 3)
        for name, (*turned, sizes) in _PRODUCTS.items()
        for edge in EDGES
    ),
    *(_launch("dense", edge, _dense(edge), _sizes_of_layer, _LAYER) for edge in EDGES),
)
