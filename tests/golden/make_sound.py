"""Writes sound.safetensors: spectra and resampled sounds by SciPy.   Needs scikit-learn's SciPy.

    python -m tests.golden.make_sound    (from the root of the repository)

For each case, x is a sound (2, s) and expected what SciPy makes of it, in float64: of the complex
numbers of a transform, (2, t, f, 2), the real and the imaginary part. The tests need no SciPy.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

FILE = Path(__file__).with_name("sound.safetensors")

# (samples, length of a frame, hop)
TRANSFORMS = [(300, 64, 32), (300, 64, 64), (301, 63, 25), (64, 64, 1)]
# (samples, rate, new rate)
RATES = [
    (100, 16000, 8000),
    (101, 44100, 8000),
    (97, 8000, 16000),
    (100, 8000, 16000),
    (100, 8, 9),
    (99, 9, 8),
    (100, 9, 8),
    (3, 48000, 8000),
]


def main():
    from scipy import signal

    generator = np.random.default_rng(0)
    arrays = {}
    for i, (samples, length, hop) in enumerate(TRANSFORMS):
        x = generator.normal(size=(2, samples))
        overlap = {"nperseg": length, "noverlap": length - hop}
        _, _, spectra = signal.stft(x, window="hann", boundary=None, padded=False, **overlap)
        # SciPy divides by the sum of the window, and has the frames last.
        spectra = spectra.swapaxes(1, 2) * signal.get_window("hann", length).sum()
        arrays[f"transform.{i}.x"] = x
        arrays[f"transform.{i}.expected"] = np.stack([spectra.real, spectra.imag], axis=-1)
    for i, (samples, rate, new_rate) in enumerate(RATES):
        x = generator.normal(size=(2, samples))
        expected = signal.resample(x, max(1, round(samples * new_rate / rate)), axis=1)
        arrays[f"rate.{i}.x"], arrays[f"rate.{i}.expected"] = x, expected
    save_file(arrays, FILE)


if __name__ == "__main__":
    main()
