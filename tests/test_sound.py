"""Sound: transforms and new rates held to SciPy, mel bands, WAV files good and bad."""

import gzip
import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from minigrad import data
from minigrad.data import sound, wav_file
from tests.golden.make_sound import FILE, RATES, TRANSFORMS

GOLDEN = load_file(FILE)
DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])


def tone(hertz, rate=8000, samples=4000):
    return np.sin(2 * np.pi * hertz * np.arange(samples) / rate)


# ---- Transforms ----------------------------------------------------------------------------------


@DTYPES
@pytest.mark.parametrize("i", range(len(TRANSFORMS)))
def test_the_transform_is_that_of_scipy(i, dtype, tolerance):
    _, length, hop = TRANSFORMS[i]
    expected = GOLDEN[f"transform.{i}.expected"]
    found = data.stft(GOLDEN[f"transform.{i}.x"].astype(dtype), length, hop)
    assert found.real.dtype == dtype
    scale = np.abs(expected).max()
    assert np.abs(np.stack([found.real, found.imag], axis=-1) - expected).max() < tolerance * scale


@DTYPES
@pytest.mark.parametrize("i", range(len(RATES)))
def test_a_new_rate_is_that_of_scipy(i, dtype, tolerance):
    _, rate, new_rate = RATES[i]
    expected = GOLDEN[f"rate.{i}.expected"]
    found = data.resample(GOLDEN[f"rate.{i}.x"].astype(dtype), rate, new_rate)
    assert found.dtype == dtype and found.shape == expected.shape
    assert np.abs(found - expected).max() < tolerance * np.abs(expected).max()


def test_a_frame_is_made_of_full_stretches_alone():
    assert sound.frames(np.arange(10), 4, 3).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    assert sound.frames(np.arange(9), 4, 3).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6]]


def test_a_tone_is_found_at_its_frequency():
    energy = np.abs(data.stft(tone(1000), 256, 128)) ** 2
    assert (energy.argmax(axis=-1) == 1000 * 256 / 8000).all()


def test_the_end_of_a_sound_without_new_frequencies_is_the_same_sound():
    x = tone(440) * np.hanning(4000)
    again = data.resample(data.resample(x, 8000, 12000), 12000, 8000)
    assert again == pytest.approx(x, abs=1e-6)


def test_integers_are_sounds():
    x = np.round(1000 * tone(440)).astype(np.int16)
    assert np.abs(data.stft(x) - data.stft(x.astype(np.float64))).max() < 1e-6 * 256 * 1000


# ---- Mel bands -----------------------------------------------------------------------------------


def test_the_scale_is_that_of_o_shaughnessy():
    assert sound.mel(700) == pytest.approx(2595 * np.log10(2))
    assert sound.mel(1000) == pytest.approx(1000, abs=0.1)


def test_the_tips_of_the_bands_are_equally_far_apart():
    pitch = sound.mel([0, *data.mel_tips(30, 8000), 4000])
    assert np.diff(pitch) == pytest.approx(sound.mel(4000) / 31)


def test_between_the_outer_tips_the_bands_share_each_frequency():
    filters = data.mel_filters(20, 1024, 8000)
    tips = data.mel_tips(20, 8000)
    hertz = np.arange(513) * 8000 / 1024
    inside = (hertz >= tips[0]) & (hertz <= tips[-1])
    assert filters[inside].sum(axis=1) == pytest.approx(1)
    assert (filters >= 0).all() and (filters[[0, -1]] < 1e-9).all()


def test_a_tone_is_loudest_in_the_band_of_its_frequency():
    tips = data.mel_tips(32, 8000)
    for band in (10, 20, 30):
        spectrogram = data.log_mel_spectrogram(tone(tips[band]), 8000, 32)
        assert (spectrogram.argmax(axis=-1) == band).all()


def test_a_spectrogram_is_the_logarithm_of_the_energy():
    """Ten times as loud is a hundred times the energy; silence stays finite."""
    x = tone(440)
    louder = data.log_mel_spectrogram(10 * x, 8000) - data.log_mel_spectrogram(x, 8000)
    assert louder[:, 10].max() == pytest.approx(np.log(100), abs=1e-3)
    assert np.isfinite(data.log_mel_spectrogram(np.zeros(1000), 8000)).all()


@pytest.mark.parametrize(
    ("call", "culprit"),
    [
        (lambda: data.stft(np.zeros(100)), "a frame of 256 samples.*Received: 100"),
        (lambda: data.stft(np.zeros(300), hop=0), "hop=0"),
        (lambda: data.stft(np.zeros(300), length=2.5), "length=2.5"),
        (lambda: data.stft(np.float64(3)), "the one value 3.0"),
        (lambda: data.stft(np.full(300, np.nan)), "x has 300 values that are NaN"),
        (lambda: data.resample(np.zeros(10), 0, 8), "rate=0"),
        (lambda: data.resample(np.zeros(10), 8, -8), "new_rate=-8"),
        (lambda: data.resample(np.zeros((2, 0)), 8, 9), r"x is empty. Received: shape \(2, 0\)"),
        (lambda: data.mel_filters(60, 64, 8000), "fewer bands.*bands=60, length=64"),
        (lambda: data.mel_tips(True, 8000), "bands=True"),
    ],
)
def test_bad_arguments_are_named(call, culprit):
    with pytest.raises(ValueError, match=culprit):
        call()


# ---- WAV files -----------------------------------------------------------------------------------


def wav_bytes(payload, channels=1, width=2, rate=8000):
    stream = io.BytesIO()
    with wave.open(stream, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.setframerate(rate)
        written.writeframes(payload)
    return stream.getvalue()


def write(path, content):
    path.write_bytes(content)
    return path


# The least and the greatest sample, nothing, and a half, in bytes of each width.
EXTREMES = {
    1: bytes([0, 255, 128, 192]),
    2: struct.pack("<4h", -(2**15), 2**15 - 1, 0, 2**14),
    3: b"".join(n.to_bytes(3, "little", signed=True) for n in (-(2**23), 2**23 - 1, 0, 2**22)),
    4: struct.pack("<4i", -(2**31), 2**31 - 1, 0, 2**30),
}


@pytest.mark.parametrize("width", EXTREMES)
def test_samples_of_each_width_are_numbers_from_minus_1_to_1(width, tmp_path):
    samples, rate = data.read_wav(write(tmp_path / "x.wav", wav_bytes(EXTREMES[width], 1, width)))
    assert samples.dtype == np.float32 and rate == 8000
    assert samples[[0, 2, 3], 0].tolist() == [-1, 0, 0.5]
    assert samples[1, 0] == pytest.approx(1 - 2.0 ** (1 - 8 * width))


def test_channels_are_columns(tmp_path):
    payload = struct.pack("<6h", 1, -1, 2, -2, 3, -3)
    samples, rate = data.read_wav(write(tmp_path / "x.wav", wav_bytes(payload, 2, rate=44100)))
    assert (samples * 2**15).tolist() == [[1, -1], [2, -2], [3, -3]] and rate == 44100


def test_a_long_file_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(wav_file, "_PIECE", 7)
    numbers = np.arange(100, dtype="<i2")
    samples, _ = data.read_wav(write(tmp_path / "x.wav", wav_bytes(numbers.tobytes())))
    assert (samples[:, 0] * 2**15).tolist() == numbers.tolist()


def test_a_zipped_file_is_read_too(tmp_path):
    path = write(tmp_path / "x.wav.gz", gzip.compress(wav_bytes(EXTREMES[2])))
    assert data.read_wav(path)[0][3, 0] == 0.5


GOOD = wav_bytes(bytes(200))


def with_format(code, bits=16):
    """The file with another code of its coding, and other bits of a sample."""
    header = bytearray(GOOD)
    header[20:22] = code.to_bytes(2, "little")
    header[34:36] = bits.to_bytes(2, "little")
    return bytes(header)


HOSTILE = {
    "empty": (b"", "not an intact WAV file: it ends within its header"),
    "text": (b"hello, " * 30, "RIFF"),
    "another kind of RIFF": (b"RIFF" + struct.pack("<I", 40) + b"AVI " + bytes(40), "WAVE"),
    "cut in the header": (GOOD[:30], "x.wav is not an intact WAV file: it ends within its header"),
    "cut in the samples": (GOOD[:-50], "100 samples are announced.*Received: 75"),
    "without samples": (wav_bytes(b""), "0 samples are announced, at least one"),
    "more announced than there is": (
        GOOD[:40] + struct.pack("<I", 2**32 - 2) + GOOD[44:],
        "Received: 100",
    ),
    "floating numbers": (with_format(3, 32), "unknown format: 3; PCM"),
    "compressed": (with_format(85), "unknown format: 85; PCM"),
    "64 bits": (with_format(1, 64), "32 bits at most. Received: 64"),
    "no channel": (GOOD[:22] + bytes(2) + GOOD[24:], "bad # of channels"),
    "no rate": (GOOD[:24] + bytes(4) + GOOD[28:], "samples per second. Received: 0"),
    "zipped text": (gzip.compress(b"hello"), "not an intact gzipped WAV file"),
    "a cut zip": (gzip.compress(GOOD)[:-20], "not an intact gzipped WAV file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_sound_is_named(name, tmp_path):
    content, culprit = HOSTILE[name]
    with pytest.raises(ValueError, match=culprit) as caught:
        data.read_wav(write(tmp_path / "x.wav", content))
    assert "x.wav" in str(caught.value)


def test_a_file_that_lasts_too_long_is_not_read(tmp_path):
    path = write(tmp_path / "x.wav", wav_bytes(bytes(2 * 8001)))
    assert len(data.read_wav(path)[0]) == 8001
    with pytest.raises(ValueError, match="x.wav.*1 s at most. Received: 1.0"):
        data.read_wav(path, most_seconds=1)


def test_a_false_header_does_not_fill_the_memory(tmp_path, monkeypatch):
    """Nothing larger than a piece is asked of a file that announces four gigabytes."""
    asked, read = [], wave.Wave_read.readframes
    monkeypatch.setattr(
        wave.Wave_read, "readframes", lambda self, n: asked.append(n) or read(self, n)
    )
    content, _ = HOSTILE["more announced than there is"]
    with pytest.raises(ValueError):
        data.read_wav(write(tmp_path / "x.wav", content))
    assert max(asked) <= wav_file._PIECE


@given(st.data())
def test_whatever_is_changed_in_a_file_is_read_or_refused_by_name(tmp_path_factory, data_of):
    content = bytearray(GOOD[: data_of.draw(st.integers(0, len(GOOD)))])
    changes = data_of.draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=5))
    for place, byte in changes:
        content[place : place + 1] = bytes([byte])
    path = write(tmp_path_factory.getbasetemp() / "changed.wav", bytes(content))
    try:
        samples, rate = data.read_wav(path)
    except ValueError as error:
        assert "changed.wav" in str(error)
    else:
        assert samples.size > 0 and np.isfinite(samples).all() and rate > 0
