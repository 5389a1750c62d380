"""Working time: the published days, by hand, additive, and against counting minute by minute."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import settings as settings_module
from gridmap.errors import InputError
from gridmap.workdays import Span, WorkCalendar, office_hours, published_days, with_own_days, work_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
UNITS = ("h", "wh", "wd")
INSTANTS = st.integers(0, 3 * 365 * 86400).map(
    lambda second: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def calendar() -> WorkCalendar:
    return work_calendar()


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_year_has_the_published_248_working_days(calendar: WorkCalendar, year: int):
    """365 days − 104 of weekends − 13 holidays of the law (人社部: 全年月平均工作时间, 2025)."""
    days = [date(year, 1, 1) + timedelta(days=at) for at in range(365)]
    assert sum(map(calendar.is_workday, days)) == 248
    assert all(calendar.is_published(day) for day in days)


def test_made_up_days_are_weekend_days_next_to_their_holiday(calendar: WorkCalendar):
    assert all(day.weekday() >= 5 for day in calendar.made_up)
    assert all(any(abs((day - off).days) <= 14 for off in calendar.off) for day in calendar.made_up)
    assert not calendar.made_up & calendar.off


@pytest.mark.parametrize(
    ("day", "is_worked"),
    [("2025-01-26", True), ("2025-10-08", False), ("2026-02-14", True), ("2026-02-23", False), ("2026-05-09", True),
     ("2026-09-20", True), ("2026-10-07", False), ("2026-10-10", True), ("2026-10-11", False)],
)  # fmt: skip
def test_single_days_are_as_published(calendar: WorkCalendar, day: str, is_worked: bool):
    assert calendar.is_workday(date.fromisoformat(day)) == is_worked


def test_2025_is_as_the_notice_says(calendar: WorkCalendar):
    """国办发明电〔2024〕12号, written down by hand."""
    off = [("01-01", 1), ("01-28", 8), ("04-04", 3), ("05-01", 5), ("05-31", 3), ("10-01", 8)]
    days_off = {
        date.fromisoformat(f"2025-{first}") + timedelta(days=at) for first, n_days in off for at in range(n_days)
    }
    worked = {date.fromisoformat(f"2025-{day}") for day in ("01-26", "02-08", "04-27", "09-28", "10-11")}
    for day in (date(2025, 1, 1) + timedelta(days=at) for at in range(365)):
        assert calendar.is_workday(day) == (day in worked or (day.weekday() < 5 and day not in days_off))


def test_a_year_without_a_list_has_weekends_only_and_says_so(calendar: WorkCalendar):
    assert calendar.is_workday(date(2027, 10, 1))
    assert not calendar.is_workday(date(2027, 10, 2))
    assert not calendar.is_published(date(2027, 10, 1))


@pytest.mark.parametrize(
    ("since", "span", "due"),
    [
        ("2026-09-30T16:00", "1wd", "2026-10-08T16:00"),  # over the holiday of seven days
        ("2026-10-09T10:00", "2wd", "2026-10-12T10:00"),  # the Saturday is made up, the Sunday is not
        ("2026-10-03T10:00", "1wd", "2026-10-09T00:00"),  # what comes in on a day off begins with the next working day
        ("2026-10-03T10:00", "2h", "2026-10-03T12:00"),  # hours by the clock know no holiday
        ("2026-10-15T11:00", "2wh", "2026-10-15T15:30"),  # over noon
        ("2026-10-15T17:00", "1wh", "2026-10-16T09:00"),  # half an hour left, half in the morning
        ("2026-10-15T17:00", "0.5wh", "2026-10-15T17:30"),  # the end of the day, not the next morning
        ("2026-10-15T20:00", "6.5wh", "2026-10-16T17:30"),
    ],
)
def test_due_times_by_hand(calendar: WorkCalendar, since: str, span: str, due: str):
    assert calendar.add(_at(since), Span.parsed(span)) == _at(due)


@given(INSTANTS, INSTANTS, INSTANTS, st.sampled_from(UNITS))
def test_spans_add_up(one: datetime, two: datetime, three: datetime, unit: str):
    between = work_calendar().elapsed
    assert between(one, two, unit=unit) + between(two, three, unit=unit) == between(one, three, unit=unit)


@given(INSTANTS, st.timedeltas(timedelta(seconds=1), timedelta(days=60)), st.sampled_from(UNITS))
def test_what_is_added_has_passed_then_and_not_before(since: datetime, span: timedelta, unit: str):
    calendar = work_calendar()
    due = calendar.later(since, span, unit=unit)
    assert calendar.elapsed(since, due, unit=unit) == span
    assert calendar.elapsed(since, due - timedelta(microseconds=1), unit=unit) < span


@settings(max_examples=25)
@given(INSTANTS, st.integers(0, 12 * 1440), st.sampled_from(["wh", "wd"]))
def test_working_time_is_what_counting_minutes_gives(since: datetime, minutes: int, unit: str):
    calendar = work_calendar()
    since = since.replace(second=0, microsecond=0)
    counted = 0
    for at in range(minutes):
        local = (since + timedelta(minutes=at)).astimezone(SHANGHAI)
        clock = local.hour * 60 + local.minute
        in_office = 510 <= clock < 720 or 870 <= clock < 1050
        counted += calendar.is_workday(local.date()) and (unit == "wd" or in_office)
    assert calendar.elapsed(since, since + timedelta(minutes=minutes), unit=unit) == timedelta(minutes=counted)


def test_nothing_added_is_now_and_a_span_backwards_is_negative(calendar: WorkCalendar):
    sunday = _at("2026-10-11T10:00")
    assert calendar.later(sunday, timedelta(0), unit="wd") == sunday
    assert calendar.elapsed(_at("2026-10-16T09:00"), _at("2026-10-15T17:00"), unit="wh") == timedelta(hours=-1)


def test_a_file_of_the_installation_replaces_its_years(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = tmp_path / "days.toml"
    own.write_text('[2027]\noff = [["10-01", "10-07"]]\nworked = ["10-09"]\n[2026]\noff = []\n', "utf-8")
    monkeypatch.setenv("GRIDMAP_CALENDAR_FILE", str(own))
    settings_module.settings.cache_clear()
    calendar = work_calendar()
    assert not calendar.is_workday(date(2027, 10, 1))
    assert calendar.is_workday(date(2027, 10, 9))
    assert calendar.is_workday(date(2026, 10, 1))
    assert not calendar.is_workday(date(2025, 10, 1))


@pytest.mark.parametrize(
    "written", ["[2026", '[2026]\noff = [["10-07", "10-01"]]', '[2026]\nworked = ["02-30"]', "a=1"]
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, written: str):
    file = tmp_path / "days.toml"
    file.write_text(written, "utf-8")
    with pytest.raises(InputError, match=r"days\.toml"):
        with_own_days(published_days(), file)
    with pytest.raises(InputError, match="gone"):
        with_own_days(published_days(), tmp_path / "gone.toml")


@pytest.mark.parametrize("written", ["", "8-12", "12:00-08:00", "08:00-12:00,11:00-13:00", "20:00-25:00"])
def test_bad_office_hours_are_refused(written: str):
    with pytest.raises(InputError, match="OFFICE_HOURS"):
        office_hours(written)


@pytest.mark.parametrize("written", ["", "7", "7d", "0wd", "-1h", "1wd2"])
def test_a_bad_span_is_refused(written: str):
    with pytest.raises(InputError):
        Span.parsed(written)


def test_an_instant_needs_a_zone_a_known_unit_and_a_year_of_this_century(calendar: WorkCalendar):
    now = datetime(2026, 10, 15, tzinfo=UTC)
    with pytest.raises(ValueError, match="zone"):
        calendar.later(now.replace(tzinfo=None), timedelta(hours=1), unit="wh")
    with pytest.raises(KeyError):
        calendar.elapsed(now, now, unit="d")
    with pytest.raises(InputError, match="1999"):
        calendar.elapsed(datetime(1999, 10, 15, tzinfo=UTC), now, unit="wh")
    with pytest.raises(InputError):
        calendar.later(now, timedelta(days=40_000), unit="wd")
