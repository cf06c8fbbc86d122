"""Where arrays are: the names of devices, and the way from one to another.

"cpu"        arrays of NumPy
"cuda"       a GPU of NVIDIA
"simulator"  a GPU that is not there: its kernels run on the CPU, thread by thread, slowly
"""

import functools

import numpy as np

NAMES = ("cpu", "cuda", "simulator")


@functools.cache
def device(name):
    """The device of a name, "cuda" or "simulator": a kernels.cuda.device.Device.

    An OSError if there is no GPU.
    """
    if name not in NAMES[1:]:
        raise ValueError(f"a device is one of {', '.join(NAMES)}. Received: {name!r}")
    from .cuda.device import Device

    if name == "simulator":
        from .simulator.machine import Machine

        return Device(Machine())
    from .cuda.card import Card

    return Device(Card())


def move(array, to):
    """An array on the device of a name: a copy, or itself if it is there already."""
    here = device_of(array)
    if here == to:
        return array
    array = array if here == "cpu" else array.numpy()
    return array if to == "cpu" else device(to).put(array)


def from_dlpack(x):
    """An array of another library that speaks DLPack: the same memory, without a copy.

    What is on a GPU becomes an array of the device "cuda", what is on the host one of NumPy.
    """
    from .dlpack import GPU

    kind, _ = x.__dlpack_device__()
    return device("cuda").adopt(x) if kind == GPU else np.from_dlpack(x)


def device_of(array):
    """The name of the device that an array is on."""
    return array.device.name if hasattr(array, "__kernel__") else "cpu"
