"""Words that nobody has said: tones and hisses as a voice makes them, each by another speaker.

A voice is a buzz with all multiples of its pitch, which the mouth lets through in part: best near
three frequencies, the formants, which make the vowel. A word glides from one sound to another, and
every word has a twin with the same sounds in the other order: only who listens to the order can
tell them apart.

Speakers differ in their pitch and its melody, in the length of the mouth, which stretches all
formants, in speed and in loudness. A word begins anywhere in its clip. There is noise in it, and
some machine beeps.
"""

import numpy as np

RATE = 8000  # samples per second, as a telephone carries them
SAMPLES = RATE  # of a clip, which lasts one second
WORDS = ("ai", "ia", "au", "ua", "iu", "ui", "sa", "as")
FORMANTS = {"a": (800, 1250, 2600), "i": (300, 2200, 2900), "u": (330, 850, 2300)}  # hertz
STRENGTHS = np.array([1.0, 0.6, 0.3])[:, None, None]  # of the formants
WIDTH = 130  # of a formant, hertz


def make_clips(count, seed):
    """`count` clips of each word, in random order: sounds (n, SAMPLES) float32, labels (n,)."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.repeat(np.arange(len(WORDS)), count))
    return np.stack([speak(WORDS[label], generator) for label in labels]), labels


def speak(word, generator):
    """A clip in which a new speaker says the word.   -> (SAMPLES,)"""
    samples = int(generator.uniform(0.2, 0.8) * RATE)
    turn = generator.uniform(0.4, 0.6)
    second = 1 / (1 + np.exp(-12 * (np.linspace(0, 1, samples) - turn)))
    shares = dict(zip(word, (1 - second, second)))  # of each of the two sounds, at each time
    sound = voice(shares, generator)
    if "s" in shares:
        sound += 0.7 * shares["s"] * hiss(samples, generator)
    fade = np.minimum(1, np.arange(samples) / (0.04 * RATE))  # 40 ms, as at the end
    sound *= fade * fade[::-1]

    clip = beep(generator) + generator.normal(0, 10 ** generator.uniform(-0.5, 0.2), SAMPLES)
    begin = generator.integers(SAMPLES - samples + 1)
    clip[begin : begin + samples] += sound / np.sqrt(np.mean(sound**2))
    return (10 ** generator.uniform(-1.5, -0.5) * clip).astype(np.float32)


def voice(shares, generator):
    """The vowels of a word that one speaker says.   {sound: its share at each time (s,)} -> (s,)"""
    vowels = {sound: share for sound, share in shares.items() if sound in FORMANTS}
    loudness = sum(vowels.values())
    formants = sum(share * np.array(FORMANTS[vowel])[:, None] for vowel, share in vowels.items())
    formants *= generator.uniform(0.85, 1.15) / loudness  # (3, s)

    melody = np.linspace(*generator.uniform(0.8, 1.25, 2), len(loudness))
    pitch = generator.uniform(90, 260) * melody  # (s,)
    multiples = np.arange(1, int(RATE / 2 / pitch.max()) + 1)[:, None]
    distance = (multiples * pitch - formants[:, None]) / WIDTH  # (3, multiples, s)
    passed = (STRENGTHS / (1 + distance**2)).sum(axis=0)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    return loudness * (passed * np.sin(multiples * phase)).sum(axis=0)


def hiss(samples, generator):
    """Noise with little of the low frequencies.   -> (samples,)"""
    return np.diff(generator.normal(size=samples + 1))


def beep(generator):
    """A tone that has nothing to do with the word.   -> (SAMPLES,)"""
    begin, end = np.sort(generator.integers(SAMPLES, size=2))
    phase = 2 * np.pi * generator.uniform(200, 3500) * np.arange(SAMPLES) / RATE
    heard = (begin <= np.arange(SAMPLES)) & (np.arange(SAMPLES) < end)
    return heard * np.sin(phase)
