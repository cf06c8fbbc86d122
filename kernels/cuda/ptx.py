"""What GPUs can do and numba.cuda has no word for: instructions, each a function for kernels.

The functions here write LLVM's or the GPU's own language, PTX; all of that is in this file. The
simulator has a function of the same name for each, in kernels/simulator/instructions.py.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.cuda.extending import intrinsic

FOUR = 4  # numbers of 4 bytes: what one thread can fetch at once


def _vector_pointer(context, builder, array_type, array, index_type, index):
    """A pointer to four neighbours of an array, of which the first has this index."""
    if isinstance(index_type, types.BaseTuple):
        numbers, kinds = cgutils.unpack_tuple(builder, index), list(index_type)
    else:
        numbers, kinds = [index], [index_type]
    numbers = [context.cast(builder, n, kind, types.intp) for n, kind in zip(numbers, kinds)]
    array = context.make_array(array_type)(context, builder, array)
    pointer = cgutils.get_item_pointer(context, builder, array_type, array, numbers)
    vector = ir.VectorType(context.get_data_type(array_type.dtype), FOUR)
    return builder.bitcast(pointer, vector.as_pointer()), vector


def _bytes(array_type):
    return FOUR * array_type.dtype.bitwidth // 8


@intrinsic
def load4(typing_context, array, index):
    """The numbers at an index and at the three that follow, by one instruction.

    The first must lie at a multiple of 16 bytes (of 4 times its size).
    """

    def generate(context, builder, signature, arguments):
        kind, index_kind = signature.args
        pointer, _ = _vector_pointer(context, builder, kind, arguments[0], index_kind, arguments[1])
        loaded = builder.load(pointer, align=_bytes(kind))
        numbers = [builder.extract_element(loaded, _lane(i)) for i in range(FOUR)]
        return context.make_tuple(builder, signature.return_type, numbers)

    return types.UniTuple(array.dtype, FOUR)(array, index), generate


@intrinsic
def store4(typing_context, array, index, numbers):
    """Write four numbers to an index and the three that follow, by one instruction."""

    def generate(context, builder, signature, arguments):
        kind, index_kind, tuple_kind = signature.args
        pointer, vector = _vector_pointer(
            context, builder, kind, arguments[0], index_kind, arguments[1]
        )
        stored = ir.Constant(vector, ir.Undefined)
        for i, number in enumerate(cgutils.unpack_tuple(builder, arguments[2])):
            number = context.cast(builder, number, tuple_kind[i], kind.dtype)
            stored = builder.insert_element(stored, number, _lane(i))
        builder.store(stored, pointer, align=_bytes(kind))
        return context.get_dummy_value()

    return types.void(array, index, numbers), generate


def _lane(i):
    return ir.Constant(ir.IntType(32), i)
