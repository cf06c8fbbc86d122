"""`math` as a GPU has it: float32 gives float32, and what Python refuses gives infinity or NaN."""

import math

import numpy as np


class Mathematics:
    """Stands for the module `math` while a kernel is simulated."""

    def __getattr__(self, name):
        thing = getattr(math, name)
        if callable(thing):
            thing = _without_errors(thing)
        setattr(self, name, thing)  # found at once the next time
        return thing


def _without_errors(function):
    def compute(*numbers):
        try:
            result = function(*numbers)
        except OverflowError:
            result = math.inf
        except ValueError:  # such as log(-1), but also log(0)
            result = -math.inf if function is math.log and numbers[0] == 0 else math.nan
        return np.float32(result) if type(numbers[0]) is np.float32 else result

    return compute
