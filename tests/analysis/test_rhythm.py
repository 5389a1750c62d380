"""When a checkpoint is due: open days, seasons, hours, periods."""

from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.rhythm import due_days, duty_periods, hours_class, span_days, visits_due

MONDAY = date(2026, 10, 5)


def points(*rows: dict) -> pd.DataFrame:
    usual = {
        "n_visits_due": 1, "per": "week", "opened_on": date(2020, 1, 1), "closed_on": None, "season_from": None,
        "season_until": None,
    }  # fmt: skip
    return pd.DataFrame([usual | row for row in rows], index=[f"c{at}" for at in range(len(rows))]).astype(
        {"closed_on": object}
    )


def test_a_season_counts_both_its_ends_and_may_cross_the_new_year():
    checkpoints = points(
        {"season_from": "04-15", "season_until": "10-15"}, {"season_from": "10-15", "season_until": "04-14"}
    )
    days = [date(2026, 4, 14), date(2026, 4, 15), date(2026, 10, 15), date(2026, 10, 16), date(2027, 1, 1)]
    assert due_days(checkpoints, days).tolist() == [[False, True, True, False, False], [True, False, True, True, True]]


def test_dues_of_a_season_are_those_of_its_days():
    checkpoints = points({"n_visits_due": 7, "season_from": "10-11", "season_until": "12-31"})
    due = visits_due(checkpoints, first_on=date(2026, 10, 1), last_on=date(2026, 10, 31))
    assert due.tolist() == [21.0]


MONTH_DAYS = st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda day: f"{day:%m-%d}")


@given(MONTH_DAYS, MONTH_DAYS, st.integers(0, 500), st.integers(0, 500), st.sampled_from(["week", "month"]))
def test_dues_add_up_in_and_out_of_season(first: str, last: str, before: int, after: int, per: str):
    """Spans that meet add up, and a season and the rest of the year add up to the whole year."""
    start, middle = date(2026, 1, 10), date(2026, 1, 10) + timedelta(days=before)
    end = middle + timedelta(days=1 + after)
    checkpoints = points({"season_from": first, "season_until": last, "n_visits_due": 3, "per": per})
    whole = visits_due(checkpoints, first_on=start, last_on=end)
    parts = visits_due(checkpoints, first_on=start, last_on=middle) + visits_due(
        checkpoints, first_on=middle + timedelta(days=1), last_on=end
    )
    np.testing.assert_allclose(whole, parts)
    year = span_days(date(2024, 1, 1), date(2024, 12, 31))
    inside = due_days(checkpoints, year)[0]
    by_hand = [first <= f"{d:%m-%d}" <= last if first <= last else not last < f"{d:%m-%d}" < first for d in year]
    assert inside.tolist() == by_hand


@pytest.mark.parametrize(
    ("at", "hours", "how", "day"),
    [
        ("08:00", ("08:00", "18:00"), "visit", 5),
        ("18:00", ("08:00", "18:00"), "late", 5),
        ("07:59", ("08:00", "18:00"), "early", 5),
        ("00:30", ("08:00", "18:00"), "late", 5),
        ("02:00", ("08:00", "18:00"), "early", 5),
        ("23:00", ("22:00", "06:00"), "visit", 5),
        ("05:59", ("22:00", "06:00"), "visit", 4),
        ("06:00", ("22:00", "06:00"), "late", 5),
        ("21:00", ("22:00", "06:00"), "early", 5),
        ("23:59", ("08:00", "00:00"), "visit", 5),
    ],
)
def test_hours(at, hours, how, day):
    """Before the hours or after them: the nearer end tells; after midnight a visit belongs to the evening before."""
    moment = datetime.combine(MONDAY, time.fromisoformat(at))
    assert hours_class(moment, *(time.fromisoformat(end) for end in hours)) == (how, date(2026, 10, day))


def test_without_hours_every_time_is_right():
    assert hours_class(datetime(2026, 10, 5, 3), None, None) == ("visit", MONDAY)  # noqa: DTZ001  the township's clock


def test_periods_are_days_weeks_or_months_as_the_rhythm_says():
    checkpoints = points({"n_visits_due": 7}, {"n_visits_due": 2}, {"n_visits_due": 2, "per": "month"})
    periods = duty_periods(checkpoints, first_on=MONDAY + timedelta(days=2), last_on=MONDAY + timedelta(days=8))
    assert periods.groupby("checkpoint_code").size().tolist() == [7, 2, 1]
    assert periods.groupby("checkpoint_code")["n_needed"].first().tolist() == [1, 2, 2]
    week = periods[periods["checkpoint_code"] == "c1"].iloc[0]
    assert (week["first_on"], week["last_on"]) == (MONDAY, MONDAY + timedelta(days=6))
    month = periods[periods["checkpoint_code"] == "c2"].iloc[0]
    assert (month["first_on"], month["last_on"]) == (date(2026, 10, 1), date(2026, 10, 31))


def test_a_period_that_is_half_open_needs_half_and_one_out_of_season_is_none():
    checkpoints = points(
        {"n_visits_due": 4, "opened_on": MONDAY + timedelta(days=4)},
        {"season_from": "01-01", "season_until": "03-31"},
        {"n_visits_due": 1, "opened_on": MONDAY + timedelta(days=5)},
    )
    periods = duty_periods(checkpoints, first_on=MONDAY, last_on=MONDAY)
    assert periods[["checkpoint_code", "n_needed"]].to_numpy().tolist() == [["c0", 2]]


def test_a_backward_span_is_refused():
    with pytest.raises(ValueError, match="last_on"):
        duty_periods(points({}), first_on=MONDAY, last_on=MONDAY - timedelta(days=1))
