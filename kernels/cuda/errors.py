"""What goes wrong with arrays on a device."""


class HostCopyError(TypeError):
    """An array would leave its device, or come to it, without anyone asking for it."""


# A kernel raises no error, for nobody waits for it: it leaves a mark, which the host finds when it
# reads the next time.
MARKS = (
    (IndexError, "an index was beyond the end of an array"),
    (ValueError, "integers were raised to a power below 0"),
)
INDEX, POWER = range(len(MARKS))


class NoDeviceError(OSError):
    """There is no such device on this machine."""


class WrongDeviceError(OSError):
    """A kernel is for other GPUs than the one that is here."""
