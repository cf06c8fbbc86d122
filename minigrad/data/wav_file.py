"""WAV files: sounds as rows of samples, read by the standard library's `wave`."""

import struct
import wave

import numpy as np

from .files import unzipped

_PIECE = 1 << 16  # how many samples are read at once
_RATES = 1_000, 1_000_000  # outside of these, a header is damaged


def read_wav(file, most_seconds=None):
    """(samples (s, channels) float32 from -1 to 1, how many of them there are in a second).

    Reads PCM of 8, 16, 24 or 32 bits. A ValueError names the file and what is wrong with it, or
    that it lasts longer than `most_seconds`. What the header announces is believed only as far as
    the bytes come, so a false header does not fill the memory.
    """
    with unzipped(file, "WAV file") as stream:
        try:
            with wave.open(stream, "rb") as sound:
                return _parse(sound, most_seconds)
        except (wave.Error, struct.error, RuntimeError) as error:
            what = str(error) or "a length in it is wrong"
            raise ValueError(f"{what}; PCM of 8, 16, 24 or 32 bits is read") from error
        except EOFError as error:
            raise ValueError(str(error) or "it ends within its header") from error


def _parse(sound, most_seconds):
    channels, width, rate, expected = sound.getparams()[:4]
    if width > 4:
        raise ValueError(f"a sample should have 32 bits at most. Received: {8 * width}")
    if not _RATES[0] <= rate <= _RATES[1]:
        raise ValueError(
            f"it should have {_RATES[0]:,} to {_RATES[1]:,} samples per second. Received: {rate:,}"
        )
    if most_seconds is not None and expected > most_seconds * rate:
        raise ValueError(
            f"it should last {most_seconds} s at most. Received: {expected / rate:.1f} s"
        )
    data = bytearray()
    while len(data) < expected * channels * width and (piece := sound.readframes(_PIECE)):
        data += piece
    if len(data) != expected * channels * width or expected == 0:
        came = len(data) // (channels * width)
        raise ValueError(
            f"{expected:,} samples are announced, at least one is needed. Received: {came:,}"
        )
    return _numbers(data, width).reshape(expected, channels), rate


def _numbers(data, width):
    """The samples in bytes, `width` for each, as float32 from -1 to 1."""
    if width == 1:  # alone among the widths, it counts from 0
        return (np.frombuffer(data, "u1").astype(np.float32) - 128) / 128
    if width == 3:
        wide = np.zeros((len(data) // 3, 4), "u1")
        wide[:, 1:] = np.frombuffer(data, "u1").reshape(-1, 3)  # times 256, as 32 bits
        data, width = wide, 4
    return np.frombuffer(data, f"<i{width}").astype(np.float32) / 2 ** (8 * width - 1)
