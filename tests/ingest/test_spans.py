"""Hours of the day and seasons of the year, as they are written."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.ingest.spans import hours_of, season_of


def clock(hour: int, minute: int = 0) -> dt.time:
    return dt.time(hour, minute)


@pytest.mark.parametrize(
    ("written", "hours", "is_mended"),
    [
        ("08:00-18:00", (clock(8), clock(18)), False),
        ("８：００—１８：００", (clock(8), clock(18)), True),
        ("8时至18时30分", (clock(8), clock(18, 30)), True),
        ("22:00-06:00", (clock(22), clock(6)), False),
        ("22:00-次日06:00", (clock(22), clock(6)), False),
        ("08:00-24:00", (clock(8), clock(0)), False),
        ("全天", None, False),
        ("00:00-24:00", None, False),
    ],
)
def test_hours(written, hours, is_mended):
    assert hours_of(written) == (hours, is_mended)


@pytest.mark.parametrize(
    "written", ["白天", "25:00-26:00", "08:70-09:00", "08:00", "08:00-08:00", "08:00-次日18:00", 8]
)
def test_unclear_hours_are_refused(written):
    assert hours_of(written) is None


@pytest.mark.parametrize(
    ("written", "season", "is_mended"),
    [
        ("04-15至10-15", ("04-15", "10-15"), False),
        ("4月15日-10月15日", ("04-15", "10-15"), True),
        ("4-9月", ("04-01", "09-30"), True),
        ("每年10月至次年4月", ("10-01", "04-30"), True),
        ("12月至2月", ("12-01", "02-29"), True),
        ("全年", None, False),
        ("01-01至12-31", None, False),
    ],
)
def test_seasons(written, season, is_mended):
    assert season_of(written) == (season, is_mended)


@pytest.mark.parametrize("written", ["汛期", "02-30至03-01", "13-14月", "4月至次年9月", "04-15", "0月至3月"])
def test_unclear_seasons_are_refused(written):
    assert season_of(written) is None


@given(st.times(), st.times())
def test_written_hours_come_back(start: dt.time, end: dt.time):
    start, end = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    read = hours_of(f"{start:%H:%M}-{end:%H:%M}")
    assert read == (None if start == end else ((start, end), False))
