"""Kernels for GPUs: plain Python functions for numba.cuda, which the simulator runs as well."""
