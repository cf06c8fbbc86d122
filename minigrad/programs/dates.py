"""Dates as people write them: in English and in Chinese, in figures and in words.

A day is a number, as `datetime.date.toordinal` counts. No two days look alike in any format, nor in
two of them: slashes are American, month first, and dots European, day first.
"""

import datetime

FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FIGURES = "〇一二三四五六七八九"
TEN = "十"


def iso(d):
    """2004-03-07"""
    return f"{d.year}-{d.month:02}-{d.day:02}"


def american(d):
    """March 7, 2004"""
    return f"{MONTHS[d.month - 1]} {d.day}, {d.year}"


def slashes(d):
    """3/7/2004"""
    return f"{d.month}/{d.day}/{d.year}"


def british(d):
    """7 Mar 2004"""
    return f"{d.day} {MONTHS[d.month - 1][:3]} {d.year}"


def dots(d):
    """7.3.2004"""
    return f"{d.day}.{d.month}.{d.year}"


def with_weekday(d):
    """Sunday, 7 March 2004"""
    return f"{WEEKDAYS[d.weekday()]}, {d.day} {MONTHS[d.month - 1]} {d.year}"


def chinese(d):
    """2004年3月7日"""
    return f"{d.year}年{d.month}月{d.day}日"


def chinese_in_words(d):
    """二〇〇四年三月七日"""
    year = "".join(FIGURES[int(digit)] for digit in str(d.year))
    return f"{year}年{counted(d.month)}月{counted(d.day)}日"


def chinese_with_weekday(d):
    """2004年3月7日 星期日"""
    return f"{chinese(d)} 星期{'一二三四五六日'[d.weekday()]}"


def counted(n):
    """A number from 1 to 99 in Chinese: 7 is 七, 10 is 十, 17 is 十七, 27 is 二十七."""
    tens, ones = divmod(n, 10)
    of_tens = (FIGURES[tens] if tens > 1 else "") + TEN if tens else ""
    return of_tens + (FIGURES[ones] if ones else "")


FORMATS = {
    "ISO": iso,
    "American": american,
    "slashes": slashes,
    "British": british,
    "dots": dots,
    "English with weekday": with_weekday,
    "Chinese": chinese,
    "Chinese in words": chinese_in_words,
    "Chinese with weekday": chinese_with_weekday,
}
TARGETS = ("ISO", "American", "Chinese", "Chinese in words")


def write(day, name):
    """The day in one of the FORMATS.

    >>> write(731647, "American"), write(731647, "Chinese in words")
    ('March 7, 2004', '二〇〇四年三月七日')
    """
    return FORMATS[name](datetime.date.fromordinal(day))
