"""`minigrad run speech_commands`: words as a voice makes them, recordings, who can read them."""

import re
import wave

import numpy as np
import pytest

from minigrad import data
from minigrad.__main__ import main
from minigrad.programs import speech_commands as program
from minigrad.programs import spoken_words, word_folder
from minigrad.programs.word_folder import Words, read_words

RATE = spoken_words.RATE


def tone(hertz, seconds=1.0, rate=RATE, loudness=0.5):
    return loudness * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def record(path, *channels, rate=RATE):
    """A WAV file of 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(np.stack(channels, axis=1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture
def recordings(tmp_path):
    """A folder where nine people say each of two words: one is a low tone, one a high tone."""
    for word, hertz in {"low": 300, "high": 2000}.items():
        for i in range(9):
            record(tmp_path / "words" / word / f"{i}.wav", tone(hertz * (1 + 0.01 * i), 0.5))
    return tmp_path / "words"


# ---- Words that are made -------------------------------------------------------------------------


@pytest.mark.parametrize("vowel", spoken_words.FORMANTS)
def test_a_vowel_is_loudest_near_its_first_formants(vowel):
    """Half of its energy at least is within a quarter of them, for a mouth within 15 %."""
    sound = spoken_words.voice({vowel: np.ones(RATE)}, np.random.default_rng(0))
    energy = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(RATE, 1 / RATE)
    near = [abs(hertz / formant - 1) < 0.25 for formant in spoken_words.FORMANTS[vowel]]
    assert energy[np.any(near, axis=0)].sum() > 0.5 * energy.sum()


def test_a_voice_is_made_of_multiples_of_its_pitch(monkeypatch):
    class Plain:
        """A speaker of 100 Hz without any melody."""

        def uniform(self, low, high, size=None):
            return {90: 100.0, 0.8: [1.0, 1.0], 0.85: 1.0}[low]

    energy = np.abs(np.fft.rfft(spoken_words.voice({"a": np.ones(RATE)}, Plain()))) ** 2
    assert energy[::100].sum() > 0.999 * energy.sum()


def test_a_word_glides_from_its_first_sound_to_its_second(monkeypatch):
    heard = []
    monkeypatch.setattr(
        spoken_words, "voice", lambda shares, g: heard.append(shares) or np.ones(len(shares["u"]))
    )
    spoken_words.speak("ui", np.random.default_rng(0))
    (shares,) = heard
    assert list(shares) == ["u", "i"] and np.allclose(shares["u"] + shares["i"], 1)
    assert shares["u"][0] > 0.98 and shares["u"][-1] < 0.02


def test_the_hiss_is_high_and_the_beep_is_one_tone():
    generator = np.random.default_rng(0)
    energy = np.abs(np.fft.rfft(spoken_words.hiss(RATE, generator))) ** 2
    assert energy[2000:].sum() > 3 * energy[:2000].sum()
    beep = spoken_words.beep(generator)
    heard = np.flatnonzero(beep)
    energy = (
        np.abs(np.fft.rfft(beep[heard[0] : heard[-1] + 1] * np.hanning(np.ptp(heard) + 1))) ** 2
    )
    peak = energy.argmax()
    assert energy[peak - 3 : peak + 4].sum() > 0.99 * energy.sum()


def test_clips_are_the_same_for_a_seed_and_as_many_for_each_word():
    clips, labels = spoken_words.make_clips(3, 7)
    again, _ = spoken_words.make_clips(3, 7)
    other, _ = spoken_words.make_clips(3, 8)
    assert np.array_equal(clips, again) and not np.array_equal(clips, other)
    assert clips.shape == (24, spoken_words.SAMPLES) and clips.dtype == np.float32
    assert np.bincount(labels).tolist() == [3] * 8 and np.isfinite(clips).all()


def test_every_word_has_a_twin():
    assert {word[::-1] for word in spoken_words.WORDS} == set(spoken_words.WORDS)


# ---- Words that are recorded ---------------------------------------------------------------------


def test_a_subfolder_is_a_word(recordings):
    record(recordings / "_noise_" / "rain.wav", tone(100))
    (recordings / "empty").mkdir()
    (recordings / "readme.txt").write_text("no word")
    words = read_words(recordings, RATE, RATE)
    assert words.names == ["high", "low"] and np.bincount(words.labels).tolist() == [9, 9]
    assert words.clips.shape == (18, RATE) and len(np.unique(words.speakers)) == 18
    energy = np.abs(np.fft.rfft(words.clips)) ** 2
    assert (energy.argmax(axis=1) < 400).tolist() == (words.labels == 1).tolist()


def test_channels_become_their_mean_and_all_get_the_same_rate(recordings):
    record(
        recordings / "low" / "0.wav", tone(500, rate=44100), 0 * tone(500, rate=44100), rate=44100
    )
    clip = read_words(recordings, RATE, RATE).clips[9]
    assert clip == pytest.approx(0.5 * tone(500), abs=0.01)


def test_the_loudest_stretch_is_kept_and_a_short_sound_is_silent_around():
    long = np.array([0.1, 0.1, 0.1, 3, -2, 0.1, 0.1, 1])
    assert word_folder.loudest(long, 3).tolist() in ([0.1, 3, -2], [3, -2, 0.1])
    assert word_folder.loudest(np.array([1.0, 2.0]), 5).tolist() == [0, 1, 2, 0, 0]


def test_of_many_files_some_are_taken_the_same_in_every_run(recordings, monkeypatch):
    monkeypatch.setattr(word_folder, "MOST_FILES", 8)
    first, again = (read_words(recordings, RATE, RATE) for _ in range(2))
    assert np.bincount(first.labels).tolist() == [8, 8]
    assert first.speakers.tolist() == again.speakers.tolist()


def test_speakers_are_known_by_the_names_of_files(recordings):
    for word in ("low", "high"):
        for i in range(9):
            (recordings / word / f"{i}.wav").rename(recordings / word / f"p{i % 4}_nohash_{i}.wav")
    assert set(read_words(recordings, RATE, RATE).speakers) == {"p0", "p1", "p2", "p3"}


def cut(folder):
    path = folder / "low" / "3.wav"
    path.write_bytes(path.read_bytes()[:100])


def thin_out(folder):
    for i in range(2, 9):
        (folder / "low" / f"{i}.wav").unlink()


def empty(folder):
    for path in folder.glob("*/*"):
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "culprit"),
    [
        (cut, "3.wav is not an intact WAV file"),
        (lambda f: record(f / "low" / "3.wav", tone(9, 11)), "3.wav.*10 s at most"),
        (lambda f: record(f / "low" / "3.wav", tone(9, loudness=0)), "3.wav is silent"),
        (thin_out, "low needs 8 WAV files at least"),
        (empty, "0 of 2 subfolders have any"),
        (lambda f: f.rename(f.with_name("elsewhere")), "--folder must be a folder.*words"),
        (lambda f: (f / "low" / "folder.wav").mkdir(), "folder.wav"),
    ],
    ids=["cut", "long", "silent", "few", "empty", "absent", "folder"],
)
def test_a_folder_that_cannot_be_used_is_one_line(spoil, culprit, recordings, tmp_path, capsys):
    spoil(recordings)
    out = tmp_path / "out"
    assert main(["run", "speech_commands", "--folder", str(recordings), "--out", str(out)]) == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1 and not out.exists()
    assert re.search(culprit, complaint)


# ---- From sounds to pictures ---------------------------------------------------------------------


def test_a_spectrogram_does_not_know_how_loud_a_clip_is():
    clips = np.random.default_rng(0).normal(size=(2, 2000))
    found = program.spectrograms(clips)
    assert program.spectrograms(0.01 * clips) == pytest.approx(found, abs=1e-3)
    assert (found.max(axis=(1, 2)) == 0).all()


def test_what_is_sixty_decibels_below_is_silence():
    clip = np.concatenate([tone(500), tone(500, loudness=1e-4)])[None]
    found = program.spectrograms(clip)[0]
    assert found.min() == program.QUIETEST and (found[-20:] == program.QUIETEST).all()


def test_bands_are_scaled_by_the_training_alone():
    generator = np.random.default_rng(0)
    x = generator.normal([1.0, 2.0, 0.0], [3.0, 4.0, 0.0], size=(50, 7, 3))
    train, test = program.scaled(x, x[:1] + 1)
    assert train.mean(axis=(0, 1)) == pytest.approx(0, abs=1e-5)
    assert train.std(axis=(0, 1)) == pytest.approx([1, 1, 0], abs=1e-5)  # the last is constant
    assert test[0] == pytest.approx(train[0] + 1 / np.array([*x.std(axis=(0, 1))[:2], 1]), abs=1e-4)


def test_each_word_is_shifted_by_a_time_of_its_own():
    x = np.zeros((200, 61, 2))
    x[:, 30] = [1, 2]
    shifted = program.shifted(x, np.random.default_rng(0))
    places = shifted[:, :, 0].argmax(axis=1)
    assert set(places) == set(range(30 - program.SHIFT, 31 + program.SHIFT))
    assert (shifted[np.arange(200), places] == [1, 2]).all() and shifted.sum() == x.sum()


# ---- Who hears what ------------------------------------------------------------------------------


def words_of(speakers, labels):
    return Words(np.zeros((len(labels), 1)), np.array(labels), ["a", "b"], np.array(speakers))


def test_nobody_speaks_in_training_and_test():
    speakers, labels = np.arange(80) % 16, np.arange(80) // 16 % 2
    train, test = program.split(words_of(speakers, labels), 0)
    assert not set(speakers[train]) & set(speakers[test])
    assert sorted([*train, *test]) == list(range(80)) and len(set(speakers[test])) == 4


def test_strangers_are_split_in_equal_shares_of_each_word():
    labels = np.repeat([0, 1], [40, 20])
    _, test = program.split(words_of(np.arange(60), labels), 0)
    assert np.bincount(labels[test]).tolist() == [10, 5]


def test_a_word_of_one_speaker_is_refused():
    with pytest.raises(ValueError, match="too few speakers say 'b'"):
        program.split(words_of([0, 1, 2, 3, 4, 4], [0, 0, 0, 0, 1, 1]), 0)


def test_the_nearest_mean_is_that_of_a_class():
    x, y = np.array([[0.0], [2.0], [10.0], [12.0]]), np.array([0, 0, 1, 1])
    assert program.nearest_mean(x, y, np.array([[5.9], [6.1]]), 2).tolist() == [0, 1]


@pytest.fixture(scope="module")
def accuracies():
    """Fewer clips and epochs than the program has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "CLIPS", 60)
        patch.setattr(program, "EPOCHS", 12)
        truth, predictions = program.trial(program.made(0), 0)
    assert list(predictions) == list(program.LISTENERS)
    return {name: np.mean(predicted == truth) for name, predicted in predictions.items()}


def test_who_hears_the_average_alone_knows_the_twins_at_most(accuracies):
    heard = [accuracies[n] for n, (kind, _) in program.LISTENERS.items() if kind == "average"]
    assert len(heard) == 2 and 0.2 < min(heard) <= max(heard) < 0.5


def test_who_sees_the_order_knows_more(accuracies):
    linear = accuracies["logistic regression, spectrogram"]
    assert linear > accuracies[program.BASELINE] + 0.1
    assert accuracies["network, words shifted"] > linear
    assert accuracies[program.BEST] > accuracies["network, words shifted"]


def test_the_convolution_knows_no_time():
    """A word in the middle gives the same probabilities wherever it is moved by an even time."""
    x = np.zeros((2, 61, 3), np.float32)
    x[0, 20:30] = x[1, 30:40] = np.random.default_rng(0).normal(size=(10, 3))
    first, later = program.convolutional((61, 3), 4).predict(x, verbose=0)
    assert first == pytest.approx(later, abs=1e-6)


# ---- The program ---------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(program, "EPOCHS", 1)
    monkeypatch.setattr(program, "CLIPS", 8)


def test_a_seed_gives_the_same_numbers_again(quick, tmp_path):
    first, second = (program.speech_commands(tmp_path / name, seeds=1) for name in "ab")
    assert first == second


@pytest.mark.parametrize("folder", [False, True], ids=["made", "recorded"])
def test_the_command_writes_a_report_and_pictures(folder, quick, recordings, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    options = ["--folder", str(recordings)] if folder else []
    assert main(["run", "speech_commands", "--out", str(out), "--seeds", "1", *options]) == 0
    text = capsys.readouterr().out
    assert (out / "report.txt").read_text(encoding="utf-8").strip() == text.strip()
    assert ("clips of 2 words: high, low" in text) == folder
    assert {path.name for path in out.glob("*.png")} == {"words.png", "confusion.png"}
    assert text.splitlines()[-1].startswith("test accuracy ")


def test_no_seed_is_one_line_and_status_2(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "speech_commands", "--seeds", "0"]) == 2
    complaint = capsys.readouterr().err
    assert "seeds=0" in complaint and complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_data_of_a_clip_are_a_second_of_bands():
    clips, _ = spoken_words.make_clips(1, 0)
    tips = data.mel_tips(program.BANDS, RATE)
    assert program.spectrograms(clips).shape == (8, 61, len(tips))
