"""Incidents: the fold over their steps, shares, counts by day and month, names across list years."""

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.incidents import closing_figures, daily_counts, incident_states, monthly_counts, newest_names

ZONE = ZoneInfo("Asia/Shanghai")
START = pd.Timestamp("2026-03-02 08:00", tz=ZONE)
NOW = START + pd.Timedelta(hours=100)
SOON = timedelta(hours=24)
KINDS = (
    "reported",
    "accepted",
    "handled",
    "escalated",
    "dispatched",
    "checked",
    "closed",
    "reopened",
    "extended",
    "followed_up",
)
STATES = dict(zip(KINDS, KINDS, strict=True)) | {"handled": "handling"}
LEVELS = (None, "member", "grid", "village", "township")
INSTANT = "datetime64[ns, Asia/Shanghai]"


def _after(hours: float | None) -> pd.Timestamp:
    return pd.NaT if hours is None else START + pd.Timedelta(hours=hours)


def _incidents(due_hours: dict[str, float | None]) -> pd.DataFrame:
    index = pd.Index(list(due_hours), name="incident_code", dtype=object)
    due_at = pd.Series([_after(hours) for hours in due_hours.values()], index=index, dtype=INSTANT)
    return pd.DataFrame({"happened_at": pd.Series(START, index=index, dtype=INSTANT), "due_at": due_at})


def _steps(rows: list[tuple[str, str, str | None, float | None, float]]) -> pd.DataFrame:
    columns = ["incident_code", "kind", "level", "satisfaction", "happened_at"]
    frame = pd.DataFrame([(*row[:4], _after(row[4])) for row in rows], columns=columns)
    return frame.astype({"level": object, "satisfaction": "Int64", "happened_at": INSTANT})


STORY = _steps(
    [
        ("a", "reported", "member", None, 0),
        ("a", "accepted", "grid", None, 1),
        ("a", "closed", "grid", 3, 10),
        ("a", "followed_up", None, 5, 30),
        ("b", "reported", "member", None, 0),
        ("b", "escalated", "grid", None, 4),
        ("b", "handled", "village", None, 5),
        ("b", "closed", "village", 2, 60),
        ("c", "closed", "grid", 4, 20),
        ("c", "reopened", "grid", None, 50),
        ("d", "reported", "member", None, 0),
        ("d", "extended", "village", None, 2),
        ("d", "closed", "grid", None, 101),
        ("other", "closed", "grid", 5, 1),
    ]
)
DUE: dict[str, float | None] = {"a": 10, "b": 48, "c": 48, "d": 110, "none": None}


def _states(steps: pd.DataFrame = STORY, due: dict[str, float | None] | None = None) -> pd.DataFrame:
    return incident_states(_incidents(DUE if due is None else due), steps, now=NOW, due_soon=SOON)


def test_each_incident_stands_where_its_steps_left_it():
    found = _states()
    assert list(found.index) == [*"abcd", "none"]
    assert found["state"].tolist() == ["closed", "closed", "reopened", "reported", "reported"]
    assert found["level"].fillna("-").tolist() == ["grid", "village", "grid", "village", "-"]
    assert found["last_step_at"].tolist() == [_after(30), _after(60), _after(50), _after(2), pd.NaT]
    assert found["closed_at"].tolist() == [_after(10), _after(60), pd.NaT, pd.NaT, pd.NaT]
    assert found["is_open"].tolist() == [False, False, True, True, True]
    assert found["is_overdue"].tolist() == [False, False, True, False, False]
    assert found["is_due_soon"].tolist() == [False, False, False, True, False]
    assert found["is_on_time"].tolist() == [True, False, pd.NA, pd.NA, pd.NA]
    assert found["is_in_grid"].tolist() == [True, False, pd.NA, pd.NA, pd.NA]
    np.testing.assert_array_equal(found["satisfaction"], [5, 2, 4, np.nan, np.nan])


def test_a_second_closing_counts_and_not_the_first():
    again = _steps(
        [("c", "closed", "grid", None, 20), ("c", "reopened", "grid", None, 50), ("c", "closed", "grid", None, 70)]
    )
    found = _states(again, {"c": 48}).loc["c"]
    assert (found["state"], found["closed_at"], found["is_on_time"]) == ("closed", _after(70), False)


def test_reopened_at_the_instant_of_closing_is_open():
    found = _states(_steps([("c", "reopened", "grid", None, 20), ("c", "closed", "grid", None, 20)]), {"c": 48}).loc[
        "c"
    ]
    assert (found["state"], found["is_open"]) == ("reopened", True)


@pytest.mark.parametrize(
    ("level", "expected"), [("member", True), ("grid", False), ("village", False), ("township", False), (None, False)]
)
def test_an_escalation_by_the_grid_leaves_it_and_one_to_the_grid_does_not(level: str | None, expected: bool):
    steps = _steps([("a", "escalated", level, None, 1), ("a", "closed", "grid", None, 2)])
    assert _states(steps, {"a": None}).loc["a", "is_in_grid"] == expected


def test_without_steps_or_incidents_nothing_breaks():
    found = _states(_steps([]))
    assert found["state"].tolist() == ["reported"] * 5
    assert found["is_overdue"].tolist() == [True, True, True, False, False]
    assert found["closed_at"].isna().all()
    assert found["is_on_time"].isna().all()
    nothing = _states(STORY, {})
    assert nothing.empty
    assert list(nothing.columns) == list(found.columns)
    assert closing_figures(nothing)["share"].isna().all()


def test_a_missing_column_is_an_error():
    with pytest.raises(KeyError, match="level"):
        _states(STORY.drop(columns="level"))


ROWS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(KINDS),
        st.sampled_from(LEVELS),
        st.one_of(st.none(), st.integers(1, 5)),
        st.integers(0, 120),
    ),
    max_size=12,
    unique_by=lambda row: (row[0], row[1], row[4]),
)


def _told(rows: list[tuple[str, str, str | None, float | None, float]], due: float | None) -> tuple[object, ...]:
    """The plain walk over the steps of one incident, as a clerk would do it."""
    state, level, last, closed, rating, left = "reported", None, None, None, None, False
    for _, kind, at_level, score, hours in sorted(rows, key=lambda row: (row[4], KINDS.index(row[1]))):
        if hours > 100:
            continue
        last = hours
        if kind not in ("extended", "followed_up"):
            state = STATES[kind]
        if kind == "closed":
            closed = hours
        elif kind == "reopened":
            closed = None
        level = at_level or level
        rating = score or rating
        left = left or at_level in ("village", "township") or (kind == "escalated" and at_level != "member")
    is_open = closed is None
    overdue = is_open and due is not None and due < 100
    soon = is_open and due is not None and 100 <= due <= 124
    on_time = None if is_open or due is None else closed <= due
    return (state, level, last, closed, is_open, overdue, soon, on_time, None if is_open else not left, rating)


@given(ROWS, st.lists(st.one_of(st.none(), st.integers(0, 130)), min_size=3, max_size=3))
def test_the_fold_is_the_walk_over_the_steps(rows, dues):
    due = dict(zip("abc", dues, strict=True))
    found = _states(_steps(rows), due)
    for code in "abc":
        told = _told([row for row in rows if row[0] == code], due[code])
        expected = [_after(value) if place in (2, 3) else value for place, value in enumerate(told)]
        for name, value, wanted in zip(found.columns, found.loc[code], expected, strict=True):
            assert pd.isna(value) if wanted is None or wanted is pd.NaT else value == wanted, (code, name)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_their_index_never_matter(rows, shuffler):
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    repeated_index = _steps(shuffled).set_axis(np.zeros(len(rows), dtype=int))
    pd.testing.assert_frame_equal(_states(_steps(rows)), _states(repeated_index))


def test_the_inputs_stay_as_they_were():
    incidents, steps = _incidents(DUE), STORY.copy()
    incident_states(incidents, steps, now=NOW, due_soon=SOON)
    pd.testing.assert_frame_equal(incidents, _incidents(DUE))
    pd.testing.assert_frame_equal(steps, STORY)


def test_shares_say_what_they_are_made_of():
    found = closing_figures(_states())
    assert found.index.tolist() == ["closing", "on_time", "in_grid", "satisfaction"]
    assert found["numerator"].tolist() == [2, 1, 1, 1]
    assert found["denominator"].tolist() == [5, 2, 2, 2]
    assert found["share"].tolist() == [0.4, 0.5, 0.5, 0.5]


def test_the_rating_of_a_reopened_incident_waits_for_its_closing():
    steps = _steps([("a", "closed", "grid", 5, 1), ("a", "reopened", "grid", None, 2)])
    assert closing_figures(_states(steps, {"a": None})).loc["satisfaction", "denominator"] == 0


def test_closing_figures_need_their_columns():
    with pytest.raises(KeyError, match="is_open"):
        closing_figures(_states().drop(columns="is_open"))


@given(ROWS)
def test_the_parts_of_two_sets_of_incidents_add_up(rows):
    states = _states(_steps(rows), dict.fromkeys("abc", 60))
    parts = ["numerator", "denominator"]
    whole, first, rest = (closing_figures(part)[parts] for part in (states, states.iloc[:1], states.iloc[1:]))
    pd.testing.assert_frame_equal(whole, first + rest)
    assert (whole["numerator"] <= whole["denominator"]).all()


def _happened(instants: list[str], kinds: list[str]) -> pd.DataFrame:
    happened_at = pd.Series(pd.to_datetime(instants, utc=True), dtype="datetime64[ns, UTC]")
    return pd.DataFrame({"happened_at": happened_at, "kind": pd.Series(kinds, dtype=object)})


def test_months_end_at_the_midnight_of_the_township():
    # 16:00 UTC is midnight in China.
    rows = _happened(["2026-01-31T15:59Z", "2026-01-31T16:00Z", "2026-04-01T00:00Z"], ["dispute", "dispute", "hazard"])
    found = monthly_counts(rows, zone=ZONE, by="kind")
    assert found.index.tolist() == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert found["dispute"].tolist() == [1, 1, 0, 0]
    assert found["hazard"].tolist() == [0, 0, 0, 1]
    assert daily_counts(rows, zone=ZONE, first_on=date(2026, 1, 30), last_on=date(2026, 2, 2)).tolist() == [0, 1, 1, 0]


def test_no_incidents_are_no_months_but_days_of_zero():
    nothing = _happened([], [])
    assert monthly_counts(nothing, zone=ZONE, by="kind").empty
    found = daily_counts(nothing, zone=ZONE, first_on=date(2026, 1, 1), last_on=date(2026, 1, 2))
    assert found.to_dict() == {date(2026, 1, 1): 0, date(2026, 1, 2): 0}


@given(st.lists(st.tuples(st.integers(0, 5_000), st.sampled_from(["dispute", "hazard"])), max_size=20))
def test_counts_are_those_of_a_tally(rows):
    instants = [START + pd.Timedelta(hours=hours) for hours, _ in rows]
    frame = _happened([instant.isoformat() for instant in instants], [kind for _, kind in rows])
    months = monthly_counts(frame, zone=ZONE, by="kind")
    tally = Counter((f"{instant:%Y-%m}", kind) for instant, (_, kind) in zip(instants, rows, strict=True))
    assert int(months.to_numpy().sum()) == len(rows)
    assert all(months.loc[key] == n for key, n in tally.items())
    last_on = START.date() + timedelta(days=300)
    days = daily_counts(frame, zone=ZONE, first_on=START.date(), last_on=last_on)
    assert Counter({day: n for day, n in days.items() if n}) == Counter(instant.date() for instant in instants)


def test_counts_need_their_columns_and_a_span_that_runs_forward():
    rows = _happened(["2026-01-31T15:59Z"], ["dispute"])
    with pytest.raises(KeyError):
        monthly_counts(rows, zone=ZONE, by="urgency")
    with pytest.raises(ValueError, match="`last_on`"):
        daily_counts(rows, zone=ZONE, first_on=date(2026, 1, 2), last_on=date(2026, 1, 1))


def _categories(rows: list[tuple[str, int, str, str | None]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["category_code", "list_year", "name", "successor_code"]).astype(
        {"successor_code": object}
    )


def test_a_category_bears_the_newest_name_of_its_successors():
    found = newest_names(
        _categories(
            [
                ("A", 2024, "land", "B"),
                ("B", 2025, "land and water", None),
                ("B", 2026, "land, water, forest", None),
                ("C", 2024, "ended", None),
                ("D", 2026, "new", None),
            ]
        )
    )
    assert found[("A", 2024)] == found[("B", 2025)] == found[("B", 2026)] == "land, water, forest"
    assert found[("C", 2024)] == "ended"
    assert found[("D", 2026)] == "new"


def test_no_categories_have_no_names_and_columns_are_needed():
    assert newest_names(_categories([])).empty
    with pytest.raises(KeyError):
        newest_names(_categories([]).drop(columns="list_year"))


@given(st.lists(st.permutations("ABC"), min_size=1, max_size=4))
def test_renumbering_the_list_every_year_keeps_each_category_apart(lists):
    """Each year gives the same three categories other codes; following them must end at the same three."""
    rows = [
        (code, 2020 + year, f"{code} {2020 + year}", lists[year + 1][place] if year + 1 < len(lists) else None)
        for year, codes in enumerate(lists)
        for place, code in enumerate(codes)
    ]
    found = newest_names(_categories(rows))
    last = 2020 + len(lists) - 1
    for year, codes in enumerate(lists):
        for place, code in enumerate(codes):
            assert found[(code, 2020 + year)] == f"{lists[-1][place]} {last}"
