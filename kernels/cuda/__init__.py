"""Kernels for GPUs: plain Python functions for numba.cuda, which the simulator runs as well.

And arrays that run them. From the inside out:

    ptx, launch, reduction   what kernels are made of, and how they are started
    matmul, gemm, attention, ...   kernels written for one purpose, many of them as ladders
    ufuncs, axes, indexing, products   kernels for what NumPy says: exp, sum, x[i], matmul
    sines                    sin and cos, which ufuncs takes from there
    array_kernels            the table of these, for `compile`
    calls/                   what kernels.matmul and the like do with arrays on a device
    functions, array         NumPy's functions of such arrays, and the arrays themselves
    device                   memory, and who launches what: a GPU, by `card`, or the simulator
    driver                   whether there is a GPU, and if not, what is missing
    compile                  what every kernel needs of a GPU, found without one

What kernels call costs no call. A short function is written into its caller by Numba, which takes
its time for each place where it does that: inline="always". Long ones, and what many call, Numba
compiles once, and NVIDIA's compiler writes them into their callers: forceinline=True.
"""
