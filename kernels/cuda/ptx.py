"""What GPUs can do and numba.cuda has no word for: instructions, each a function for kernels.

The functions here write LLVM's or the GPU's own language, PTX; all of that is in this file. The
simulator has a function of the same name for each, in kernels/simulator/instructions.py.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.cuda.extending import intrinsic

FOUR = 4  # numbers of 4 bytes: what one thread can fetch at once
ALIGNED = 16  # bytes that these are: shared arrays begin at a multiple of 4 unless one says this
INT, LONG, FLOAT = ir.IntType(32), ir.IntType(64), ir.FloatType()
SHARED = 3  # the number that LLVM has for shared memory


def _pointer(context, builder, array_type, array, index_type, index):
    """A pointer to the element of an array with an index, a number or a tuple of them"""
    if isinstance(index_type, types.BaseTuple):
        numbers, kinds = cgutils.unpack_tuple(builder, index), list(index_type)
    else:
        numbers, kinds = [index], [index_type]
    numbers = [context.cast(builder, n, kind, types.intp) for n, kind in zip(numbers, kinds)]
    array = context.make_array(array_type)(context, builder, array)
    return cgutils.get_item_pointer(context, builder, array_type, array, numbers)


def _vector_pointer(context, builder, array_type, *rest):
    """A pointer to four neighbours, of which the first has an index, and their type"""
    vector = ir.VectorType(context.get_data_type(array_type.dtype), FOUR)
    pointer = _pointer(context, builder, array_type, *rest)
    return builder.bitcast(pointer, vector.as_pointer()), vector


def _bytes(array_type):
    return FOUR * array_type.dtype.bitwidth // 8


def _check_size(name, *arrays):
    """A TypingError if an instruction is given arrays of other than 4 bytes a number."""
    for array in arrays:
        if array.dtype.bitwidth != 32:
            raise TypingError(f"{name} takes numbers of 4 bytes. Received: {array}")


def _check_numbers(name, given, count, kinds=types.number_domain):
    """A TypingError unless an instruction is given a tuple of so many numbers of these kinds."""
    is_tuple = isinstance(given, types.BaseTuple) and len(given) == count
    if not (is_tuple and all(types.unliteral(kind) in kinds for kind in given)):
        what = "float32" if len(kinds) == 1 else "numbers"
        raise TypingError(f"{name} takes a tuple of {count} {what}. Received: {given}")


def _assembly(builder, result, arguments, constraints, text):
    """The result of an instruction in PTX, which may change memory."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(ir.InlineAsm(kind, text, constraints, side_effect=True), arguments)


# ---- Four numbers at once ------------------------------------------------------------------------


@intrinsic
def load4(typing_context, array, index):
    """The numbers at an index and at the three that follow, by one instruction.

    The first must lie at a multiple of 16 bytes (of 4 times its size).
    """

    def generate(context, builder, signature, arguments):
        kind, index_kind = signature.args
        pointer, _ = _vector_pointer(context, builder, kind, arguments[0], index_kind, arguments[1])
        loaded = builder.load(pointer, align=_bytes(kind))
        numbers = [builder.extract_element(loaded, INT(i)) for i in range(FOUR)]
        return context.make_tuple(builder, signature.return_type, numbers)

    return types.UniTuple(array.dtype, FOUR)(array, index), generate


@intrinsic
def store4(typing_context, array, index, numbers):
    """Write four numbers to an index and the three that follow, by one instruction."""
    _check_numbers("store4", numbers, FOUR)

    def generate(context, builder, signature, arguments):
        kind, index_kind, tuple_kind = signature.args
        pointer, vector = _vector_pointer(
            context, builder, kind, arguments[0], index_kind, arguments[1]
        )
        stored = ir.Constant(vector, ir.Undefined)
        for i, number in enumerate(cgutils.unpack_tuple(builder, arguments[2])):
            number = context.cast(builder, number, tuple_kind[i], kind.dtype)
            stored = builder.insert_element(stored, number, INT(i))
        builder.store(stored, pointer, align=_bytes(kind))
        return context.get_dummy_value()

    return types.void(array, index, numbers), generate


# ---- Copies that the threads do not wait for -----------------------------------------------------


@intrinsic
def copy_async4(typing_context, target, target_index, source, source_index):
    """Order a copy of four numbers from global to shared memory, which arrives some time later.

    Both places begin at a multiple of 16 bytes.
    """
    _check_size("copy_async4", target, source)

    def generate(context, builder, signature, arguments):
        kinds = signature.args
        target = _pointer(context, builder, kinds[0], arguments[0], kinds[1], arguments[1])
        source = _pointer(context, builder, kinds[2], arguments[2], kinds[3], arguments[3])
        shared = builder.addrspacecast(target, ir.PointerType(target.type.pointee, SHARED))
        addresses = builder.ptrtoint(shared, INT), builder.ptrtoint(source, LONG)
        text = "cp.async.cg.shared.global [$0], [$1], 16;"
        _assembly(builder, ir.VoidType(), addresses, "r,l,~{memory}", text)
        return context.get_dummy_value()

    return types.void(target, target_index, source, source_index), generate


@intrinsic
def commit_copies(typing_context):
    """All copies that this thread has ordered since the last time make a group."""

    def generate(context, builder, signature, arguments):
        _assembly(builder, ir.VoidType(), (), "~{memory}", "cp.async.commit_group;")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def wait_for_copies(typing_context, count):
    """Wait until all groups of this thread but the last `count`, a constant, have arrived.

    After that the thread itself sees them; others do after a barrier.
    """
    if not isinstance(count, types.IntegerLiteral):
        return None  # and Numba asks again, with the constant

    def generate(context, builder, signature, arguments):
        text = f"cp.async.wait_group {count.literal_value};"
        _assembly(builder, ir.VoidType(), (), "~{memory}", text)
        return context.get_dummy_value()

    return types.void(count), generate


# ---- Tensor cores --------------------------------------------------------------------------------


@intrinsic
def load_matrices(typing_context, array, index):
    """Four matrices (8, 4) in shared memory, for the lanes of a warp: as multiply_tf32 wants A.

    Lane 8 m + i says where row i of matrix m begins, at a multiple of 16 bytes. Lane 4 i + j gets
    element [i, j] of each of the four. The instruction knows (8, 8) numbers of 2 bytes; here each
    pair of these is a float32.
    """
    _check_size("load_matrices", array)

    def generate(context, builder, signature, arguments):
        kind, index_kind = signature.args
        row = _pointer(context, builder, kind, arguments[0], index_kind, arguments[1])
        row = builder.addrspacecast(row, ir.PointerType(row.type.pointee, SHARED))
        result = _assembly(
            builder,
            ir.LiteralStructType([INT] * 4),
            [builder.ptrtoint(row, INT)],
            "=r,=r,=r,=r,r,~{memory}",
            "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {$0,$1,$2,$3}, [$4];",
        )
        numbers = [builder.bitcast(builder.extract_value(result, i), FLOAT) for i in range(4)]
        return context.make_tuple(builder, signature.return_type, numbers)

    return types.UniTuple(types.float32, 4)(array, index), generate


@intrinsic
def multiply_tf32(typing_context, c, a, b):
    """C + A B by the lanes of a warp together:  C (16, 8), A (16, 8), B (8, 8), by one instruction.

    Of each number in A and B only the first 10 of 23 bits behind the point count. Lane 4 i + j has

        a   A[i, j], A[i + 8, j], A[i, j + 4], A[i + 8, j + 4]
        b   B[j, i], B[j + 4, i]
        c   C[i, 2 j], C[i, 2 j + 1], C[i + 8, 2 j], C[i + 8, 2 j + 1], and what is returned
    """
    for numbers, count in ((c, 4), (a, 4), (b, 2)):
        _check_numbers("multiply_tf32", numbers, count, {types.float32})

    def generate(context, builder, signature, arguments):
        c, a, b = (cgutils.unpack_tuple(builder, argument) for argument in arguments)
        bits = [builder.bitcast(number, INT) for number in (*a, *b)]
        result = _assembly(
            builder,
            ir.LiteralStructType([FLOAT] * 4),
            [*bits, *c],
            "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f",
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
            "{$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$10,$11,$12,$13};",
        )
        numbers = [builder.extract_value(result, i) for i in range(4)]
        return context.make_tuple(builder, signature.return_type, numbers)

    return c(c, a, b), generate
