"""Spans of the day and of the year as people write them: `08:00-18:00`, `04-15至10-15`, `10月至次年4月`."""

import calendar
import datetime as dt
import re
import unicodedata
from typing import Any

_TO = r"(?:-|~|至|到|—|–)+"
_NEXT = r"(?P<next>次日|翌日|次年|翌年)?"
_CLOCK = r"(\d{1,2})(?:[:时点](\d{1,2})?分?)?"
_HOURS = re.compile(rf"{_CLOCK}{_TO}{_NEXT}{_CLOCK}")
_DAY = r"(\d{1,2})[-/.月](\d{1,2})[日号]?"
_DAYS = re.compile(rf"(?:每年)?{_DAY}{_TO}{_NEXT}{_DAY}")
_MONTHS = re.compile(rf"(?:每年)?(\d{{1,2}})月?{_TO}{_NEXT}(\d{{1,2}})月")
_WRITTEN_HOURS = re.compile(r"\d{2}:\d{2}-(次日)?\d{2}:\d{2}")
_WRITTEN_DAYS = re.compile(r"\d{2}-\d{2}至\d{2}-\d{2}")
_ALL_DAY, _ALL_YEAR = frozenset({"全天", "全日", "24小时", "不限"}), frozenset({"全年", "常年", "四季", "不限"})
_MIDNIGHT, _LEAP_YEAR = 24 * 60, 2024


def hours_of(cell: Any) -> tuple[tuple[dt.time, dt.time] | None, bool] | None:
    """Read hours of the day; an end before the beginning lies on the next day, and all day is no restriction.

    Examples
    --------
    >>> hours_of("22:00-06:00"), hours_of("08:00-08:00")
    (((datetime.time(22, 0), datetime.time(6, 0)), False), None)
    """
    text = _plain(cell)
    if text in _ALL_DAY:
        return None, False
    match = _HOURS.fullmatch(text)
    if match is None:
        return None
    start, end = _minutes(match[1], match[2]), _minutes(match[4], match[5])
    if start is None or end is None or start == _MIDNIGHT:
        return None
    if (start, end) == (0, _MIDNIGHT):
        return None, False
    if start == end % _MIDNIGHT or (match["next"] and end > start):
        return None
    return (_time(start), _time(end % _MIDNIGHT)), _WRITTEN_HOURS.fullmatch(text) is None


def season_of(cell: Any) -> tuple[tuple[str, str] | None, bool] | None:
    """Read a season as MM-DD to MM-DD, both inside; it may cross the new year, and all year is no restriction.

    A month alone is the whole month; the end of February is the 29th.

    Examples
    --------
    >>> season_of("10月至次年4月"), season_of("汛期")
    ((('10-01', '04-30'), True), None)
    """
    text = _plain(cell)
    if text in _ALL_YEAR:
        return None, False
    if match := _DAYS.fullmatch(text):
        start, end = _day(match[1], match[2]), _day(match[4], match[5])
    elif match := _MONTHS.fullmatch(text):
        start, end = _day(match[1], "1"), _month_end(match[3])
    else:
        return None
    if start is None or end is None or (match["next"] and end > start):
        return None
    return (None, False) if (start, end) == ("01-01", "12-31") else ((start, end), not _WRITTEN_DAYS.fullmatch(text))


def _plain(cell: Any) -> str:
    return unicodedata.normalize("NFKC", str(cell)).replace(" ", "")


def _minutes(hour: str, minute: str | None) -> int | None:
    minutes = 60 * int(hour) + int(minute or 0)
    return minutes if int(minute or 0) < 60 and minutes <= _MIDNIGHT else None  # noqa: PLR2004


def _time(minutes: int) -> dt.time:
    return dt.time(minutes // 60, minutes % 60)


def _day(month: str, day: str) -> str | None:
    """Return MM-DD, or None for a day that no year has."""
    try:
        return dt.date(_LEAP_YEAR, int(month), int(day)).strftime("%m-%d")
    except ValueError:
        return None


def _month_end(month: str) -> str | None:
    return _day(month, str(calendar.monthrange(_LEAP_YEAR, int(month))[1])) if 1 <= int(month) <= 12 else None  # noqa: PLR2004
