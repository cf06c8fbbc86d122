"""Sound as a picture: how much of each pitch there is at each time.

A sound is a row of samples, the pressure of the air `rate` times per second. Its short-time Fourier
transform cuts it into frames that overlap and asks of each frame which frequencies it is made of;
the logarithm of their energies, added up in bands as wide as the ear's, is the log-mel spectrogram
that most networks for speech begin with.

n sounds, s samples, t frames, f frequencies.
"""

import numpy as np

from ..registry import check_integer
from .checks import check_array

SILENCE = 1e-10  # the energy below which all is equally silent, for its logarithm would be -∞


def frames(x, length, hop):
    """Stretches of `length` samples, one every `hop` samples.   (..., s) -> (..., t, length)

    t = 1 + (s - length) // hop: only frames that are full; what is left over at the end is left
    out. The result is a view of x: it must not be written to. ValueError for a sound shorter than
    one frame.
    """
    x = check_array("x", x)
    check_integer("length", length)
    check_integer("hop", hop)
    if x.shape[-1] < length:
        raise ValueError(f"a frame of {length} samples needs as many. Received: {x.shape[-1]}")
    return np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[..., ::hop, :]


def hann(length):
    """wᵢ = (1 - cos(2π i / length)) / 2   (length,): a window that fades a frame in and out

    Without one, a frame begins and ends with a jump, which has all frequencies in it.
    """
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def stft(x, length=256, hop=128):
    """Xₜₖ = Σᵢ wᵢ x[t hop + i] exp(-2πj k i / length)   (..., s) -> complex (..., t, f)

    The short-time Fourier transform with the Hann window w. f = length // 2 + 1 frequencies,
    k rate / length hertz each: those above half the rate cannot be told from these.
    """
    stretches = frames(x, length, hop)
    dtype = np.result_type(stretches.dtype, np.float32)
    return np.fft.rfft(stretches * hann(length).astype(dtype))


def mel(hertz):
    """Pitch on a scale on which equal steps sound equal: 2595 log₁₀(1 + hertz / 700)

    D. O'Shaughnessy, "Speech Communication", 1987, after S. S. Stevens and others, 1937.
    """
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)


def mel_tips(bands, rate):
    """The frequencies that `bands` bands from 0 to rate / 2 hear best, in hertz   -> (bands,)

    They are equally far apart in mel, from each other and from both ends.
    """
    check_integer("bands", bands)
    check_integer("rate", rate)
    return 700 * (10 ** (np.linspace(0, mel(rate / 2), bands + 2)[1:-1] / 2595) - 1)


def mel_filters(bands, length, rate):
    """How much each frequency of a transform counts in each band.   -> (f, bands)

    The bands are triangles of pitch: each rises from the tip of the one before, and falls to that
    of the next.
    """
    check_integer("length", length)
    corners = mel([0, *mel_tips(bands, rate), rate / 2])
    low, tip, high = corners[:-2], corners[1:-1], corners[2:]
    pitch = mel(np.arange(length // 2 + 1) * rate / length)[:, None]  # (f, 1)
    filters = np.maximum(0, np.minimum((pitch - low) / (tip - low), (high - pitch) / (high - tip)))
    empty = np.flatnonzero(~filters.any(axis=0))
    if len(empty):
        raise ValueError(
            f"band {empty[0]} lies between two frequencies of the transform: take fewer bands, or "
            f"longer frames. Received: {bands=}, {length=}, {rate=}"
        )
    return filters


def log_mel_spectrogram(x, rate, bands=40, length=256, hop=128):
    """log(|X|² · filters) of the transform X   (..., s) -> (..., t, bands)"""
    energy = np.abs(stft(x, length, hop)) ** 2
    filters = mel_filters(bands, length, rate).astype(energy.dtype)
    return np.log(energy @ filters + SILENCE)


def resample(x, rate, new_rate):
    """The same sound with other samples per second.   (..., s) -> (..., round(s new_rate / rate))

    By the Fourier transform of the whole, of which the frequencies that the new rate cannot carry
    are left out, or to which silent ones are added. So the end of a sound is taken to go on with
    its beginning, which is good for sounds that are silent at both.
    """
    x = check_array("x", x)
    check_integer("rate", rate)
    check_integer("new_rate", new_rate)
    old = x.shape[-1]
    new = max(1, round(old * new_rate / rate))
    if new == old:
        return x
    spectrum = np.fft.rfft(x)
    shared = min(old, new) // 2 + 1
    kept = np.zeros((*x.shape[:-1], new // 2 + 1), spectrum.dtype)
    kept[..., :shared] = spectrum[..., :shared]
    if min(old, new) % 2 == 0:  # the highest frequency stands for two, of which one is lost or new
        kept[..., shared - 1] *= 2 if new < old else 0.5
    return np.fft.irfft(kept, new) * (new / old)
