"""Kernels that Python runs and Numba does not compile, and some like them that it does compile.

The simulator must tell the first and run the second: tests/test_simulator_syntax.py. That Numba
does as it is said here is checked by tests/check_gpu_compilation.py.
"""
# ruff: noqa: B018, C408, C416, C419, E731, F841, PLW0603, RET504, SIM115, UP030, UP031, UP032

import math
import random
import time

import numba
import numpy as np
from numba import cuda, float32, prange
from numba.extending import register_jitable

from kernels.cuda.ptx import multiply_tf32, store4

REFUSED = {}  # {name: (kernel, a part of the line that is told, words of the message)}
COMPILED = {}  # {name: kernel}

DEBUG, SIZE = False, 3
LIST, DICT, SET, TUPLE = [1, 2], {1: 2}, {1, 2}, (1, 2)
counter = 0


def refused(line, *words):
    """Remember a kernel that must be told, in a line that has a part, with words."""

    def remember(kernel):
        REFUSED[kernel.__name__] = kernel, line, words
        return kernel

    return remember


def compiled(kernel):
    """Remember a kernel that must not be told."""
    COMPILED[kernel.__name__] = kernel
    return kernel


def plain(x):
    return x + 1


@register_jitable
def is_told_to_numba(x):
    return x + 1


@cuda.jit(device=True, inline="always")
def adds_one(x):
    return x + 1


@cuda.jit(device=True, inline="always")
def asks_a_dict(x):
    return {1: 2}[1] + x


@cuda.jit(device=True, inline="always")
def asks_a_dict_if(x, flag):
    if flag:
        return {1: 2}[1]
    return x


@cuda.jit(device=True, inline="always")
def asks_a_dict_unless_none(x, numbers):
    if numbers is not None:
        return {1: 2}[1]
    return x


@cuda.jit(device=True)
def asks_a_dict_if_positive(x):
    if x > 0:
        return {1: 2}[1]
    return x


@cuda.jit(device=True)
def asks_a_dict_behind_none(x, numbers):
    if numbers is None:
        return x
    return {1: 2}[1]


@cuda.jit(device=True, inline="always")
def writes_only(x):
    x[0] = 1


@cuda.jit(device=True)
def factorial(n):
    if n <= 1:
        return 1
    return n * factorial(n - 1)


@cuda.jit(device=True)
def is_even(n):
    if n == 0:
        return True
    return is_odd(n - 1)


@cuda.jit(device=True)
def is_odd(n):
    if n == 0:
        return False
    return is_even(n - 1)


# ---- What is returned ----------------------------------------------------------------------------


@refused("return x[0]", "is a kernel, and returns a value", "@cuda.jit(device=True)")
def returns_an_element(x):
    return x[0]


@refused("return 0", "returns a value")
def returns_zero_where_nothing_is_to_be_done(x):
    if cuda.grid(1) >= x.shape[0]:
        return 0
    x[cuda.grid(1)] = 1


@refused("return total", "returns a value", "out[i] = value")
def returns_a_sum(x):
    total = float32(0)
    for i in range(x.shape[0]):
        total += x[i]
    return total


@refused("return adds_one(x[0])", "returns a value")
def returns_what_a_function_does(x):
    return adds_one(x[0])


@refused("return x", "returns a value")
def returns_its_array(x):
    return x


@compiled
def returns_nothing(x):
    if x[0] > 5:
        return
    if x[0] > 4:
        return None
    nothing = None
    return nothing


@compiled
def returns_what_is_nothing(x):
    return writes_only(x)


@compiled
def returns_in_a_function_within(x):
    def inner(a):
        return a + 1

    x[0] = inner(x[0]) + (lambda a: a * 2)(x[1])


# ---- Containers ----------------------------------------------------------------------------------


@refused("found = {}", "has a dict", "cuda.local.array")
def makes_a_dict(x):
    found = {}
    x[0] = 1


@refused("x[0] = {1: 2.0}[1]", "has a dict")
def reads_a_dict(x):
    x[0] = {1: 2.0}[1]


@refused("x[0] = {i: i for i in range(3)}[1]", "has a dict")
def makes_a_dict_in_a_loop(x):
    x[0] = {i: i for i in range(3)}[1]


@refused("return {1: 2}[1] + x", "asks_a_dict has a dict")
def calls_what_has_a_dict(x):
    x[0] = asks_a_dict(x[0])


@refused("if cuda.threadIdx.x in {1, 2}:", "has a set")
def asks_a_set(x):
    if cuda.threadIdx.x in {1, 2}:
        x[0] = 1


@refused("x[0] = len({i for i in range(3)})", "has a set")
def makes_a_set_in_a_loop(x):
    x[0] = len({i for i in range(3)})


@refused("found = []", "has a list", "as in (0, 1, 2)")
def appends(x):
    found = []
    found.append(x[0])
    x[0] = found[0]


@refused("numbers = [1, 2, 3]", "has a list")
def reads_a_list(x):
    numbers = [1, 2, 3]
    x[0] = numbers[1]


@refused("a, b = [x[0], x[1]]", "has a list")
def takes_a_list_apart(x):
    a, b = [x[0], x[1]]
    x[0] = b


@refused("sums = [0.0] * 4", "has a list")
def multiplies_a_list(x):
    sums = [0.0] * 4
    x[0] = sums[0]


@refused("x[0] = max([x[1], x[2]])", "has a list")
def asks_for_the_largest_of_a_list(x):
    x[0] = max([x[1], x[2]])


@refused("for i in [j + 1 for j in range(2)]:", "has a list")
def loops_over_a_made_list(x):
    for i in [j + 1 for j in range(2)]:
        x[i] = 1


@refused("tile = cuda.shared.array([4, 4], float32)", "has a list")
def gives_a_shape_as_a_list(x):
    tile = cuda.shared.array([4, 4], float32)
    tile[0, 0] = 1


@refused("x[0] = sum(x[i] for i in range(3))", "has a generator")
def sums_a_generator(x):
    x[0] = sum(x[i] for i in range(3))


@refused("yield x[0]", "has a `yield`")
def yields(x):
    yield x[0]


@refused("x[0] = LIST[1]", "LIST is a list of the program", "np.array([1, 2, 3], np.float32)")
def reads_a_global_list(x):
    x[0] = LIST[1]


@refused("x[0] = DICT[1]", "DICT is a dict of the program")
def reads_a_global_dict(x):
    x[0] = DICT[1]


@refused("if 1 in SET:", "SET is a set of the program")
def asks_a_global_set(x):
    if 1 in SET:
        x[0] = 1


def made_with(numbers):
    @refused("x[0] = numbers[0]", "numbers is a list of the program")
    def reads_a_list_around_it(x):
        x[0] = numbers[0]


made_with([1, 2])


@compiled
def has_lists_that_are_none(x):
    for i in [1, 2, 3]:
        x[i] = 1
    for number in [x[0], x[1]]:
        x[2] += number
    if x[0] in [x[1], x[2]] or cuda.threadIdx.x not in [1, 2]:
        x[3] = 1


@compiled
def has_a_list_that_nobody_uses(x):
    numbers = [1, 2]
    [3, 4]
    x[0] = 1


@compiled
def has_tuples(x):
    numbers = (1, 2, 3) + (4,) * 2
    for i in (0, 1):
        x[i] = numbers[i] + TUPLE[i] + max((1, 2))


# ---- Statements ----------------------------------------------------------------------------------


@refused("try:", "has a `try`", "Nothing is caught on a GPU")
def tries(x):
    try:
        x[0] = 1
    except IndexError:
        x[0] = 2


@refused("try:", "has a `try`")
def tries_where_no_thread_comes(x):
    if x[0] > 100:
        try:
            x[0] = 1
        finally:
            x[0] = 2


@refused('with open("file") as file:', "has a `with`")
def opens(x):
    with open("file") as file:
        x[0] = 1


@refused("import math", "has an `import`")
def imports(x):
    import math

    x[0] = math.exp(x[0])


@refused("from math import exp", "has an `import`")
def imports_a_function(x):
    from math import exp

    x[0] = exp(x[0])


@refused("class Pair:", "has a `class`")
def has_a_class(x):
    class Pair:
        pass

    x[0] = 1


@refused("del total", "has a `del`")
def deletes(x):
    total = x[0]
    del total


@refused("global counter", "has a global name that it changes")
def changes_a_global_name(x):
    global counter
    counter += 1
    x[0] = counter


@refused("first, *rest = 1, 2, x[0]", "has a name with a *")
def takes_the_rest(x):
    first, *rest = 1, 2, x[0]
    x[1] = rest[0]


@refused("case (0, 1):", "has a case that is a sequence")
def matches_a_tuple(x):
    match (cuda.threadIdx.x, 1):
        case (0, 1):
            x[0] = 1


@refused("for i in numba.prange(3):", "has a loop over prange()", "cuda.gridsize(1)")
def loops_in_parallel(x):
    for i in numba.prange(3):
        x[i] = 1


@refused("for i in prange(3):", "has a loop over prange()")
def loops_in_parallel_by_another_name(x):
    for i in prange(3):
        x[i] = 1


@compiled
def has_other_statements(x):
    global counter
    match cuda.threadIdx.x:
        case 0 | 1:
            x[0] = counter
        case n if n > 3:
            x[n % 4] = n
    for i in range(3):
        if x[i] > 7:
            break
    else:
        x[3] = (0 < x[1] < 2) + (1 if x[2] > 0 else 2)
    assert x[0] < 100, "a text"
    if x[1] > 100:
        raise ValueError("a text")


@compiled
def asks_for_none(x):
    nothing = None
    if cuda.threadIdx.x == 9:
        nothing = 1
    if nothing is not None:
        x[0] = nothing
    if x is not None and x[0] is not None:
        x[1] = 1


# ---- Texts ---------------------------------------------------------------------------------------


@refused('print(f"x is {x[0]}")', "a text with numbers in it", 'print("x is", x[i])')
def prints_a_format(x):
    print(f"x is {x[0]}")


@refused('print("x is %f" % x[0])', "a text with numbers in it")
def prints_with_percents(x):
    print("x is %f" % x[0])


@refused('print("x is {}".format(x[0]))', "a text with numbers in it")
def prints_with_braces(x):
    print("x is {}".format(x[0]))


@refused('raise ValueError(f"x is {x[0]}")', "a text with numbers in it")
def raises_with_a_format(x):
    if x[0] > 100:
        raise ValueError(f"x is {x[0]}")


@refused('print("x", x[0], sep=", ")', "has print() with sep=")
def prints_with_a_separator(x):
    print("x", x[0], sep=", ")


@compiled
def prints(x):
    print("x is", x[0], cuda.threadIdx.x)
    print(f"nothing in it")  # noqa: F541
    print()


# ---- Functions -----------------------------------------------------------------------------------


@refused("x[0] = plain(x[0])", "plain is a function for the host", "`def plain`")
def calls_a_plain_function(x):
    x[0] = plain(x[0])


def made_of(function):
    @refused("x[0] = function(x[0])", "function is a function for the host", "`def plain`")
    def calls_what_is_around_it(x):
        x[0] = function(x[0])


made_of(plain)


@refused("return n * factorial(n - 1)", "factorial calls itself")
def calls_what_calls_itself(x):
    x[0] = factorial(3)


@refused("return is_even(n - 1)", "is_even calls itself, or what calls it")
def calls_what_calls_each_other(x):
    x[0] = is_even(3)


@refused("for i in reversed(range(3)):", "reversed() is one of Python's own functions")
def goes_backward(x):
    for i in reversed(range(3)):
        x[i] = 1


@refused("x[0] = any((x[1] > 0, x[2] > 0))", "any() is one of Python's own functions")
def asks_for_any(x):
    x[0] = any((x[1] > 0, x[2] > 0))


@refused("for i in sorted((2, 1)):", "sorted() is one of Python's own functions")
def sorts(x):
    for i in sorted((2, 1)):
        x[i] = 1


@refused("numbers = list(range(3))", "list() is one of Python's own functions")
def lists_a_range(x):
    numbers = list(range(3))
    x[0] = numbers[0]


@refused("x[0] = np.exp(x[0])", "np.exp is no function for a kernel", "Take math.exp(x)")
def takes_numpys_exp(x):
    x[0] = np.exp(x[0])


@refused("mine = np.zeros(4, np.float32)", "np.zeros", "cuda.local.array(4, float32)")
def takes_numpys_zeros(x):
    mine = np.zeros(4, np.float32)
    x[0] = mine[0]


@refused("x[0] = np.random.rand()", "np.random", "an array of random numbers")
def takes_numpys_random(x):
    x[0] = np.random.rand()


@refused("x[0] = random.random()", "random.random is no function for a kernel")
def takes_random(x):
    x[0] = random.random()


@refused("x[0] = time.time()", "time.time is no function for a kernel", "outside of the kernel")
def takes_the_time(x):
    x[0] = time.time()


@refused("x[0] = math.factorial(3)", "math.factorial is no function for a kernel")
def takes_a_factorial(x):
    x[0] = math.factorial(3)


@compiled
def takes_functions(x):
    x[0] = abs(x[1]) + max(1, 2) + min(x[0], 3) + np.log(x[1] + 5) + math.sqrt(4)
    x[1] = round(x[2]) + divmod(7, 2)[1] + pow(x[0], 2) + np.float32(3) + int(2.5) + bool(1)
    for i, j in zip((0, 1), (1, 2)):
        x[i] += j
    for i, j in enumerate((0, 1)):
        x[i] += j


@compiled
def calls_what_is_told_to_numba(x):
    x[0] = is_told_to_numba(x[0])


# ---- Arguments -----------------------------------------------------------------------------------


@refused(
    "cuda.atomic.add(x, (0,), 1)", "add of cuda.atomic is given the index (0,)", "number itself"
)
def updates_with_a_tuple(x):
    cuda.atomic.add(x, (0,), 1)


@refused("store4(x, 0, x[0])", "store4 is given", "which is no tuple")
def stores_one_number(x):
    store4(x, 0, x[0])


@refused("multiply_tf32(", "multiply_tf32 is given float64 (4,) for c", "write float32(0)")
def multiplies_float64(x):
    multiply_tf32((0.0, 0.0, 0.0, 0.0), (x[0], x[0], x[0], x[0]), (x[0], x[0]))


@refused("multiply_tf32(", "multiply_tf32 is given int64 (2,) for b")
def multiplies_integers(x):
    multiply_tf32((x[0], x[0], x[0], x[0]), (x[0], x[0], x[0], x[0]), (1, 1))


@refused("multiply_tf32(", "multiply_tf32 is given float32 (2,) for a")
def multiplies_too_few(x):
    multiply_tf32((x[0], x[0], x[0], x[0]), (x[0], x[0]), (x[0], x[0]))


@compiled
def updates_and_stores(x):
    cuda.atomic.add(x, 0, 1)
    store4(x, 0, (1, 2, 3, 4))


# ---- What Numba leaves out as it compiles --------------------------------------------------------


@compiled
def has_much_that_is_left_out(x):
    flag = False
    if DEBUG:
        found = []
        found.append(f"x is {x[0]}")
        x[0] = plain(reversed(TUPLE))
    if not SIZE or flag or (DEBUG and x[0] > 3):
        return {1: 2}[1]
    while DEBUG:
        x[0] = LIST[0]
    if x.ndim == 2:
        x[0] = {1: 2}[1]
    x[0] = {1: 2}[1] if SIZE > 4 else 2


@compiled
def has_something_behind_its_end(x):
    x[0] = 1
    return
    x[0] = {1: 2}[1]


@compiled
def has_a_function_that_nobody_calls(x):
    def inner(a):
        return {1: 2}[a]

    other = lambda a: {1: 2}[a]
    x[0] = 1


@compiled
def calls_what_has_something_left_out(x):
    x[0] = asks_a_dict_if(x[0], False) + asks_a_dict_unless_none(x[1], None)


@refused("x[0] = {1: 2}[1]", "has a dict")
def does_not_leave_out_what_changes(x):
    flag = False
    for i in range(3):
        flag = x[i] > 100
    if flag or x is None:
        x[0] = {1: 2}[1]


@refused("x[0] = {1: 2}[1]", "has a dict")
def does_not_leave_out_what_is_true(x):
    flag = True
    if flag and (not flag or flag is not None):
        x[0] = {1: 2}[1]


@refused("x[0] = {1: 2}[1]", "has a dict")
def does_not_leave_out_what_may_be_true(x):
    if True and x[0] > 100:
        x[0] = {1: 2}[1]


@refused("return {1: 2}[1]", "asks_a_dict_if_positive has a dict")
def calls_what_asks_for_its_argument(x):
    x[0] = asks_a_dict_if_positive(x[0])


@compiled
def has_something_behind_conditions_that_end_it(x):
    flag = True
    x[0] = asks_a_dict_behind_none(x[0], None)
    if x[0] > 100:
        return
    elif flag:
        x[1] = 1
        return
    x[0] = {1: 2}[1]


@compiled
def has_branches_that_are_never_taken(x):
    flag, nothing = True, None
    level = 3
    if level > 2 or x[0] > 1:
        x[0] = 1
    else:
        x[0] = {1: 2}[1]
    if x[0] > 1 and not level:
        x[0] = {1: 2}[1]
    x[1] = 1 if level == 3 else {1: 2}[1]
