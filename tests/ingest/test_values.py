import datetime as dt
import math
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.ingest import values

EIGHT_THIRTY = dt.datetime.fromisoformat("2026-03-05T08:30:00")
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (4, (4.0, False)),
        (4.5, (4.5, False)),
        ("4", (4.0, False)),
        (" 4 ", (4.0, False)),
        ("４", (4.0, True)),
        ("1,204", (1204.0, True)),
        ("4人", (4.0, True)),
        ("-3", (-3.0, False)),
        ("1e3", (1000.0, False)),
        ("约100", None),
        ("100多", None),
        ("3-4", None),
        ("四", None),
        ("1,2", None),
        ("", None),
        (True, None),
        (dt.date(2026, 3, 5), None),
    ],
)
def test_a_number_is_sure_or_none(cell, expected):
    assert values.number_of(cell) == expected


@pytest.mark.parametrize("word", ["nan", "NaN", "Infinity", "-inf", 1e309])
def test_numbers_that_are_not_finite_are_kept_to_be_refused(word):
    assert not math.isfinite(values.number_of(word)[0])


def test_an_integer_beyond_floats_is_infinite():
    assert values.number_of(10**400)[0] == math.inf


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_written_float_reads_back(number):
    assert values.number_of(repr(number)) == (number, False)


@given(st.text())
def test_no_text_breaks_a_reader(text):
    for one in (
        values.number_of,
        values.degrees_of,
        values.day_of,
        values.moment_of,
        values.flag_of,
        values.rhythm_of,
        values.code_of,
        values.text_of,
    ):
        one(text)


@given(st.dates(min_value=dt.date(1900, 1, 1), max_value=dt.date(2099, 12, 31)))
def test_every_way_of_writing_a_date_is_the_same_day(day):
    ways = [
        day,
        day.isoformat(),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month:02d}.{day.day:02d}",
        day.strftime("%Y%m%d") if day.year >= 1000 else day,
        dt.datetime.combine(day, dt.time()),
    ]
    assert {values.day_of(way)[0] for way in ways} == {day}


@given(st.dates(min_value=dt.date(1930, 1, 1), max_value=dt.date(2099, 12, 31)))
def test_an_excel_serial_is_the_day_that_excel_shows(day):
    serial = (day - dt.date(1899, 12, 30)).days
    assert values.day_of(float(serial)) == (day, True)
    assert values.day_of(str(serial)) == (day, True)


@pytest.mark.parametrize(
    "cell",
    ["3/5/2026", "2026-13-01", "2026年2月30日", "26-3-5", "2026年3月", "昨天", 5, True, 3.2e9, "2026-03-05 25:00"],
)
def test_a_doubtful_date_is_none(cell):
    assert values.day_of(cell) is None


@pytest.mark.parametrize(
    "text", ["2026-03-05 08:30", "2026-03-05T08:30:00", "2026年3月5日 8时30分", "2026/3/5 8:30:00"]
)
def test_every_way_of_writing_a_moment_is_the_same(text):
    assert values.moment_of(text)[0] == EIGHT_THIRTY


def test_a_moment_in_an_excel_serial_is_rounded_to_the_second():
    assert values.moment_of(46086.354166666664)[0] == EIGHT_THIRTY


def test_wall_times_and_offsets_become_instants_of_the_zone():
    found = values.parse_instants(
        pd.Series(["2026-03-05 08:00", "2026-03-05T00:00:00Z", None], dtype=object), zone=ZONE
    )
    assert found.found[0] == found.found[1] == pd.Timestamp("2026-03-05 08:00", tz=ZONE)
    assert pd.isna(found.found[2])
    assert not found.is_bad.any()


def test_a_wall_time_that_the_clock_skipped_is_still_an_instant():
    assert values.parse_instants(pd.Series(["1986-05-04 02:30"], dtype=object), zone=ZONE).found.notna().all()


def test_unix_seconds_become_instants_and_milliseconds_are_bad():
    found = values.parse_unix_seconds(
        pd.Series([1_772_668_800, "1772668800", 1_772_668_800_000, None], dtype=object), zone=ZONE
    )
    assert found.found[0] == found.found[1] == pd.Timestamp("2026-03-05 08:00", tz=ZONE)
    assert found.is_bad.tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("每周2次", (2, "week")),
        ("每周两次", (2, "week")),
        ("每月一次", (1, "month")),
        ("２次/周", (2, "week")),
        ("每天1次", (7, "week")),
        ("每旬1次", (3, "month")),
        ("每半月1次", (2, "month")),
        ("每周巡查3次", (3, "week")),
        ("每月", (1, "month")),
    ],
)
def test_a_rhythm_is_so_many_a_week_or_month(text, expected):
    assert values.rhythm_of(text)[0] == expected


@pytest.mark.parametrize("text", ["每两周1次", "每季度1次", "经常", "2次", "每周约2次", ""])
def test_a_rhythm_that_does_not_fit_is_none(text):
    assert values.rhythm_of(text) is None


@pytest.mark.parametrize(
    ("cell", "expected"), [("是", True), ("否", False), (1.0, True), (0, False), ("√", True), ("也许", None)]
)
def test_yes_and_no(cell, expected):
    answer = values.flag_of(cell)
    assert (None if answer is None else answer[0]) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("439901101201", ("439901101201", False)),
        (439901101201.0, ("439901101201", True)),
        ("４３９９", ("4399", True)),
        ("QS 01", ("QS01", True)),
        ("4.39901E+14", None),
        (4399011012010011.0, None),
        (1.5, None),
    ],
)
def test_a_code_keeps_every_digit(cell, expected):
    assert values.code_of(cell) == expected


def test_degrees_minutes_and_seconds_are_read():
    assert values.degrees_of("114°12′36″")[0] == pytest.approx(114.21)
    assert values.degrees_of("东经114度12分36秒")[0] == pytest.approx(114.21)
    assert values.degrees_of("114°72′00″") is None


def test_invisible_characters_are_cleaned_and_newlines_kept():
    assert values.text_of("一\u200b组\x00\n二") == ("一组\n二", True)


def test_words_for_nothing_count_as_empty_numbers():
    found = values.parse_numbers(pd.Series(["无", "/", 3, "4", None], dtype=object))
    assert found.found.tolist()[2:4] == [3.0, 4.0]
    assert found.found.isna().tolist() == [True, True, False, False, True]
    assert not found.is_bad.any()


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5), st.floats(), st.text(max_size=4), st.booleans())))
def test_a_column_is_read_as_its_cells_are(cells):
    column = pd.Series(cells, dtype=object)
    parsed = values.parse(column, values.number_of)
    for cell, found, is_bad in zip(cells, parsed.found, parsed.is_bad, strict=True):
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            assert found is None
            continue
        answer = values.number_of(cell)
        assert is_bad == (answer is None)
        assert answer is None or found == answer[0] or np.isnan(answer[0])
