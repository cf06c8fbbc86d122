"""`minigrad run translate_dates`: no held-out day is learned from, and all can be read anywhere."""

import datetime

import numpy as np
import pytest

from minigrad.__main__ import main
from minigrad.programs import dates, translate_dates_picture
from minigrad.programs import translate_dates as program

DAYS = np.arange(dates.FIRST.toordinal(), dates.LAST.toordinal() + 1)
WRITTEN = {
    "ISO": "2004-03-07",
    "American": "March 7, 2004",
    "slashes": "3/7/2004",
    "British": "7 Mar 2004",
    "dots": "7.3.2004",
    "English with weekday": "Sunday, 7 March 2004",
    "Chinese": "2004年3月7日",
    "Chinese in words": "二〇〇四年三月七日",
    "Chinese with weekday": "2004年3月7日 星期日",
}


@pytest.fixture(scope="module")
def tokenizer():
    return program.make_tokenizer()


# ---- Formats -------------------------------------------------------------------------------------


def test_every_format_is_as_people_write_it():
    day = datetime.date(2004, 3, 7).toordinal()
    assert {name: dates.write(day, name) for name in dates.FORMATS} == WRITTEN


@pytest.mark.parametrize(
    "n, words", {3: "三", 10: "十", 12: "十二", 20: "二十", 31: "三十一"}.items(), ids=str
)
def test_numbers_are_counted_in_chinese(n, words):
    assert dates.counted(n) == words


def test_no_two_days_look_alike_in_any_formats():
    texts = {dates.write(day, name): day for day in DAYS[::7] for name in dates.FORMATS}
    assert len(texts) == len(DAYS[::7]) * len(dates.FORMATS)


# ---- Tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", dates.FORMATS)
def test_every_date_becomes_tokens_and_back(name, tokenizer):
    for day in DAYS[::50]:
        text = dates.write(day, name)
        assert tokenizer.decode(tokenizer.encode(text)) == text and len(text) < program.LONGEST - 2


def test_a_target_begins_with_what_asks_for_it_and_ends(tokenizer):
    ids, counts = program.asked(tokenizer, DAYS[:2], ["ISO", "American"])
    special = tokenizer.special_tokens
    assert ids[:, 0].tolist() == [special["<ISO>"], special["<American>"]]
    assert [row[kept][-1] for row, kept in zip(ids, counts)] == [special[program.END]] * 2
    assert tokenizer.decode(ids[0][1:11].tolist()) == "1900-01-01" and not counts[0][12:].any()


# ---- Learning ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trial():
    """One seed, with a twentieth of the training; and the days that training drew."""
    drawn, draw = set(), program.draw

    def remember(days, n, generator):
        chosen, sources, targets = draw(days, n, generator)
        drawn.update(chosen.tolist())
        return chosen, sources, targets

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "draw", remember)
        patch.setattr(program, "EPOCHS", 3)
        patch.setattr(program, "BATCHES", 20)
        patch.setattr(program, "ASKED", 3)
        return program.trial(0), drawn


def test_no_held_out_day_is_learned_from(trial):
    one, drawn = trial
    learned = {dates.write(day, "ISO") for day in drawn}
    assert len(learned) > 3000 and sum(one.days) == len(DAYS)
    tested = [row[dates.TARGETS.index("ISO")] for row in one.truth]
    assert len(tested) == 3 * len(dates.FORMATS) and not learned & set(tested)


def test_the_loss_falls(trial):
    losses = trial[0].losses
    assert len(losses) == 3 and losses[0] > losses[1] > losses[2]


def test_the_nearest_example_is_of_another_day_and_yet_near(trial):
    assert not trial[0].right(program.BASELINE).any()
    assert 0.6 < trial[0].letters(program.BASELINE) < 0.9


def test_the_nearest_example_is_the_day_itself_where_that_is_known(tokenizer):
    days, sources = DAYS[1000:1040], np.repeat([*dates.FORMATS], 5)[:40]
    found = program.nearest(tokenizer, days, sources, "ISO", (days, sources))
    assert found == [dates.write(day, "ISO") for day in days]


def test_attention_has_a_row_for_each_character_and_the_end(trial):
    for _, source, written, weights in trial[0].shown:
        assert weights.shape == (len(written) + 1, len(source))
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_mistakes_are_listed_up_to_a_few(trial):
    lines = program.mistakes([trial[0]])
    wrong = (~trial[0].right(program.TRANSFORMER)).sum()
    assert len(lines) == program.LISTED + 1 and lines[-1] == f"and {wrong - program.LISTED} more"
    assert "  ->  " in lines[0] and ", not " in lines[0]


# ---- The program ---------------------------------------------------------------------------------


def test_every_character_stands_in_the_picture_in_letters_that_all_machines_have():
    characters = {c for day in DAYS[::11] for name in dates.FORMATS for c in dates.write(day, name)}
    assert all(translate_dates_picture.meaning(character).isascii() for character in characters)


def test_the_command_writes_a_report_and_a_picture(tmp_path, capsys, monkeypatch):
    for name, value in {"EPOCHS": 1, "BATCHES": 2, "ASKED": 2, "REMEMBERED": 20}.items():
        monkeypatch.setattr(program, name, value)
    out = tmp_path / "new" / "folder"
    assert main(["run", "translate_dates", "--out", str(out), "--seeds", "1"]) == 0
    printed = capsys.readouterr().out
    assert (out / "report.txt").read_text(encoding="utf-8").strip() == printed.strip()
    assert "二〇〇四年三月七日" in printed and printed.splitlines()[-1].startswith("dates right: ")
    assert (out / "translate_dates.png").read_bytes().startswith(b"\x89PNG")


def test_no_seed_is_one_line_and_status_2(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "translate_dates", "--seeds", "0"]) == 2
    complaint = capsys.readouterr().err
    assert "seeds=0" in complaint and complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
