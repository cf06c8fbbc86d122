"""Words that somebody has recorded: a folder with a subfolder of WAV files for each word."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import data

MOST_SECONDS = 10  # what lasts longer is no word
MOST_FILES = 300  # of a word: more would take longer than they teach
FEWEST_FILES = 8  # of a word, to learn from and to test on
MOST_WORDS = 40


class Words(NamedTuple):
    """Sounds that all have the same length, what is said in them, and by whom.

    clips     (n, samples) float32
    labels    (n,) which of the names
    names     a list of the words
    speakers  (n,) equal where the speaker is known to be the same
    """

    clips: np.ndarray
    labels: np.ndarray
    names: list
    speakers: np.ndarray


def read_words(folder, rate, samples):
    """The Words in a folder: a subfolder is a word, each WAV file in it somebody who says it.

    Sounds of several channels become their mean, and all get `rate` samples per second; the
    loudest stretch of `samples` is kept, and a shorter sound is silent around. As in Google's
    "Speech Commands" (P. Warden, 2018), subfolders with names that begin with _ are no words, and
    files whose names are alike up to `_nohash_` have the same speaker.

    ValueError that names the folder or the file for what cannot be used.
    """
    files = {word: _chosen(paths) for word, paths in _found(Path(folder)).items()}
    clips, labels, speakers = [], [], []
    for label, paths in enumerate(files.values()):
        for path in paths:
            clips.append(_clip(path, rate, samples))
            labels.append(label)
            stem = path.name.split("_nohash_")
            speakers.append(stem[0] if len(stem) > 1 else str(path))
    return Words(np.stack(clips), np.array(labels), list(files), np.array(speakers))


def _found(folder):
    """{word: its WAV files}, in the order of the alphabet."""
    if not folder.is_dir():
        raise ValueError(f"--folder must be a folder with a subfolder per word. Received: {folder}")
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir())
    found = {}
    for subfolder in subfolders:
        files = sorted(path for path in subfolder.iterdir() if path.suffix.lower() == ".wav")
        if subfolder.name[0] in "._" or not files:
            continue
        if len(files) < FEWEST_FILES:
            raise ValueError(
                f"{subfolder} needs {FEWEST_FILES} WAV files at least, some to learn from and some "
                f"to test on. Received: {len(files)}"
            )
        found[subfolder.name] = files
    if not 2 <= len(found) <= MOST_WORDS:
        raise ValueError(
            f"{folder} must have 2 to {MOST_WORDS} subfolders with WAV files, one for each word. "
            f"Received: {len(found)} of {len(subfolders)} subfolders have any"
        )
    return found


def _chosen(files):
    """MOST_FILES of them by chance, the same in every run; all if there are no more."""
    if len(files) <= MOST_FILES:
        return files
    order = np.random.default_rng(0).permutation(len(files))[:MOST_FILES]
    return [files[i] for i in np.sort(order)]


def _clip(path, rate, samples):
    """The sound in a file   -> (samples,) float32"""
    sound, own_rate = data.read_wav(path, MOST_SECONDS)
    sound = data.resample(sound.mean(axis=1), own_rate, rate)
    if not sound.any():
        raise ValueError(f"{path} is silent from beginning to end")
    return loudest(sound, samples).astype(np.float32)


def loudest(sound, samples):
    """The stretch of `samples` with the most energy, silence around a shorter sound.   (s,)"""
    missing = max(0, samples - len(sound))
    sound = np.pad(sound, (missing // 2, missing - missing // 2))
    energy = np.cumsum(np.concatenate([[0.0], sound.astype(np.float64) ** 2]))
    begin = np.argmax(energy[samples:] - energy[:-samples])
    return sound[begin : begin + samples]
