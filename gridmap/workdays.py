"""Working time: the State Council's calendar with its made-up days (调休), office hours, and clocks that run on them.

A clock is a function of the instant that only rises while it runs: the working time since a fixed day. A span is the
difference of two of its values, a due time its inverse; so spans add up by construction.
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import chinese_calendar

from gridmap.errors import InputError
from gridmap.settings import settings
from gridmap.texts import t

_FIRST, _LAST = date(2000, 1, 1), date(2100, 12, 31)
_SATURDAY = 5
_DAY = timedelta(days=1)
_WHOLE_DAY = ((timedelta(0), _DAY),)
_SPAN = re.compile(r"^\s*([0-9]+(?:\.[0-9]+)?)\s*(h|wh|wd)\s*$")
_HOURS = re.compile(r"^([0-2]?[0-9]):([0-5][0-9])-([0-2]?[0-9]):([0-5][0-9])$")

Shifts = tuple[tuple[timedelta, timedelta], ...]


@dataclass(frozen=True, kw_only=True)
class Span:
    """A length of time and the clock that measures it.

    Parameters
    ----------
    amount
        How many, above 0.
    unit
        `h`: hours by any clock, nights and holidays too. `wh`: office hours. `wd`: working days of 24 hours, to the same
        time of a later working day; days off do not count.
    """

    amount: float
    unit: str

    @classmethod
    def parsed(cls, written: str) -> "Span":
        """Return the span that a setting such as `2h`, `4wh` or `7wd` means.

        Raises
        ------
        InputError
            If it is written otherwise, or not above 0.

        Examples
        --------
        >>> Span.parsed("7wd")
        Span(amount=7.0, unit='wd')
        """
        found = _SPAN.match(written)
        if found is None or not float(found[1]) > 0:
            raise InputError(t("handling.error_span", written=written[:40]))
        return cls(amount=float(found[1]), unit=found[2])


class _Clock:
    """Working time since the first day of the table, for one list of working days and shifts."""

    def __init__(self, worked: Sequence[bool], shifts: Shifts) -> None:
        self._worked, self._shifts = worked, shifts
        a_day = sum((until - since for since, until in shifts), timedelta(0))
        self._before = list(accumulate((a_day if one else timedelta(0) for one in worked), initial=timedelta(0)))

    def reading(self, local: datetime) -> timedelta:
        at = (local.date() - _FIRST).days
        if not 0 <= at < len(self._worked):
            raise InputError(t("handling.error_years", instant=f"{local:%Y-%m-%d}", first=_FIRST, last=_LAST))
        of_day = timedelta(0)
        if self._worked[at]:
            passed = local - datetime.combine(local.date(), time())
            of_day = sum((max(min(passed, until) - since, timedelta(0)) for since, until in self._shifts), timedelta(0))
        return self._before[at] + of_day

    def earliest(self, reading: timedelta) -> datetime:
        """Return the first local instant with a reading above 0."""
        at = bisect_left(self._before, reading) - 1
        if at + 1 >= len(self._before):
            raise InputError(t("handling.error_years", instant=f"> {_LAST}", first=_FIRST, last=_LAST))
        left = reading - self._before[at]
        midnight = datetime.combine(_FIRST + timedelta(days=at), time())
        for since, until in self._shifts[:-1]:
            if left <= until - since:
                return midnight + since + left
            left -= until - since
        return midnight + self._shifts[-1][0] + left


@dataclass(frozen=True, kw_only=True)
class WorkCalendar:
    """Which days are worked, and when, in one township.

    Parameters
    ----------
    zone
        The township's clock. Working time is counted by the hands of it.
    shifts
        Office hours of a working day, rising, as times since midnight.
    off
        Weekdays and weekend days that the State Council gave off.
    made_up
        Weekend days that are worked for them.
    years
        Years whose list is known; in others weekends are off and nothing else (`is_published`).
    """

    zone: tzinfo
    shifts: Shifts
    off: frozenset[date]
    made_up: frozenset[date]
    years: frozenset[int]

    def is_workday(self, day: date) -> bool:
        """Return whether a day is worked."""
        return day in self.made_up or (day.weekday() < _SATURDAY and day not in self.off)

    def is_published(self, day: date) -> bool:
        """Return whether the list of the day's year is known; if not, holidays are not."""
        return day.year in self.years

    @cached_property
    def _worked(self) -> list[bool]:
        return [self.is_workday(_FIRST + timedelta(days=at)) for at in range((_LAST - _FIRST).days + 1)]

    @cached_property
    def _clocks(self) -> Mapping[str, _Clock]:
        return {"wh": _Clock(self._worked, self.shifts), "wd": _Clock(self._worked, _WHOLE_DAY)}

    def _local(self, instant: datetime) -> datetime:
        if instant.tzinfo is None:
            raise ValueError(f"`instant` must have a zone, got {instant}.")
        return instant.astimezone(self.zone).replace(tzinfo=None)

    def elapsed(self, since: datetime, until: datetime, *, unit: str) -> timedelta:
        """Return the time between two instants by the clock of a unit; negative when `until` lies before `since`.

        Working days are counted as 24 hours each. For any instant between, both parts add up to the whole.

        Raises
        ------
        InputError
            If an instant lies outside 2000 to 2100.
        KeyError
            If there is no such unit.
        ValueError
            If an instant has no zone.
        """
        if unit == "h":
            return until - since
        clock = self._clocks[unit]
        return clock.reading(self._local(until)) - clock.reading(self._local(since))

    def later(self, since: datetime, span: timedelta, *, unit: str) -> datetime:
        """Return the first instant at which a span has passed by the clock of a unit, in UTC.

        A span that ends with the office hours of a day is due then, not in the next morning. None or a negative span is
        over at once.

        Raises
        ------
        InputError
            If an instant lies outside 2000 to 2100.
        KeyError
            If there is no such unit.
        ValueError
            If the instant has no zone.
        """
        if span <= timedelta(0):
            return since.astimezone(UTC)
        if unit == "h":
            return (since + span).astimezone(UTC)
        clock = self._clocks[unit]
        due = clock.earliest(clock.reading(self._local(since)) + span)
        return due.replace(tzinfo=self.zone).astimezone(UTC)

    def add(self, since: datetime, span: Span) -> datetime:
        """Return the instant at which a span that begins now is over, in UTC.

        Raises
        ------
        InputError
            If an instant lies outside 2000 to 2100.
        ValueError
            If the instant has no zone.
        """
        length = timedelta(days=span.amount) if span.unit == "wd" else timedelta(hours=span.amount)
        return self.later(since, length, unit=span.unit)


def office_hours(written: str) -> Shifts:
    """Return the shifts that a setting such as `08:30-12:00,14:30-17:30` means.

    Raises
    ------
    InputError
        If it is written otherwise, does not rise, or passes midnight.
    """
    ends: list[timedelta] = []
    for part in written.split(","):
        found = _HOURS.match(part.strip())
        if found is None:
            raise InputError(t("handling.error_hours", written=written[:60]))
        one, two, three, four = map(int, found.groups())
        ends += [timedelta(hours=one, minutes=two), timedelta(hours=three, minutes=four)]
    if any(later <= before for before, later in pairwise(ends)) or ends[-1] > _DAY:
        raise InputError(t("handling.error_hours", written=written[:60]))
    return tuple(zip(ends[::2], ends[1::2], strict=True))


Days = tuple[frozenset[date], frozenset[date], frozenset[int]]


def published_days() -> Days:
    """Return the State Council's days off, made-up days and years, as the library `chinesecalendar` has them (from 2004)."""
    off, made_up = frozenset(chinese_calendar.holidays), frozenset(chinese_calendar.workdays)
    return off, made_up, frozenset(day.year for day in off)


def with_own_days(published: Days, file: Path) -> Days:
    """Return days off, made-up days and years with those of a file in place of the published ones of the same years.

    Parameters
    ----------
    published
        Days off, made-up days, years.
    file
        TOML, a table a year: `off` (first and last day of each holiday as `MM-DD`, weekends inside included) and `worked`
        (weekend days that are worked).

    Raises
    ------
    InputError
        If the file cannot be read, a day does not exist or a period runs backwards.
    """
    try:
        listed: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(t("handling.error_calendar", file=file.name, fault=error)) from error
    off = {day for day in published[0] if str(day.year) not in listed}
    made_up = {day for day in published[1] if str(day.year) not in listed}
    for year, days in listed.items():
        try:
            for first, last in days.get("off", ()):
                off |= _days(f"{year}-{first}", f"{year}-{last}")
            made_up |= {date.fromisoformat(f"{year}-{day}") for day in days.get("worked", ())}
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(t("handling.error_calendar", file=file.name, fault=f"{year}: {error}")) from error
    return frozenset(off), frozenset(made_up), published[2] | frozenset(map(int, listed))


def _days(first: str, last: str) -> set[date]:
    since, until = date.fromisoformat(first), date.fromisoformat(last)
    if until < since:
        raise ValueError(f"{first} > {last}")
    return {since + timedelta(days=at) for at in range((until - since).days + 1)}


@cache
def _calendar(zone: tzinfo, hours: str, own: Path | None) -> WorkCalendar:
    off, made_up, years = with_own_days(published_days(), own) if own else published_days()
    return WorkCalendar(zone=zone, shifts=office_hours(hours), off=off, made_up=made_up, years=years)


def work_calendar() -> WorkCalendar:
    """Return the calendar of this installation: the State Council's days, its own file over them, its office hours.

    Raises
    ------
    InputError
        If the setting `office_hours` or the file `calendar_file` cannot be read.
    """
    own = settings().calendar_file
    return _calendar(settings().zone, settings().office_hours, Path(own).expanduser() if own else None)
