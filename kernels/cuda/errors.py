"""What goes wrong with arrays on a device."""


class HostCopyError(TypeError):
    """An array would leave its device, or come to it, without anyone asking for it."""


class NoDeviceError(OSError):
    """There is no such device on this machine."""


class WrongDeviceError(OSError):
    """A kernel is for other GPUs than the one that is here."""
