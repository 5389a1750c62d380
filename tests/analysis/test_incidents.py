"""The fold over steps: by hand, whatever the order of rows, against a plain replay."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.incidents import closing_figures, daily_counts, incident_states, monthly_counts, newest_names

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 10, 20, 4, tzinfo=UTC)
SOON = timedelta(hours=24)


def _at(day: int, hour: int = 0) -> pd.Timestamp:
    return pd.Timestamp(2026, 10, day, hour, tz="UTC")


def _incidents(**due: pd.Timestamp | None) -> pd.DataFrame:
    return pd.DataFrame(
        {"happened_at": _at(1), "due_at": pd.to_datetime(list(due.values()), utc=True)}, index=list(due)
    )


def _steps(*rows: tuple) -> pd.DataFrame:
    names = ["incident_code", "kind", "level", "happened_at", "satisfaction"]
    steps = pd.DataFrame([(*row, *[None] * (5 - len(row))) for row in rows], columns=names)
    no_due = pd.Series(pd.NaT, index=steps.index, dtype="datetime64[ns, UTC]")
    return steps.assign(happened_at=pd.to_datetime(steps["happened_at"], utc=True), due_at=no_due, team_code=None)


STEPS = _steps(
    ("closed_in_grid", "reported", "member", _at(2)),
    ("closed_in_grid", "handled", "grid", _at(3)),
    ("closed_in_grid", "closed", "grid", _at(4), 5),
    ("went_up_late", "reported", "member", _at(2)),
    ("went_up_late", "escalated", "village", _at(3)),
    ("went_up_late", "closed", "village", _at(15), 2),
    ("reopened", "closed", "grid", _at(4)),
    ("reopened", "reopened", "grid", _at(6)),
    ("overdue", "accepted", "grid", _at(2)),
    ("due_soon", "dispatched", "township", _at(2)),
    ("due_soon", "closed", "grid", _at(25)),
)
INCIDENTS = _incidents(
    closed_in_grid=_at(8), went_up_late=_at(9), reopened=_at(25), overdue=_at(10), due_soon=_at(21), no_steps=None
)


def test_each_incident_stands_where_its_steps_lead():
    states = incident_states(INCIDENTS, STEPS, now=NOW, due_soon=SOON)
    assert states["state"].to_dict() == {
        "closed_in_grid": "closed",
        "went_up_late": "closed",
        "reopened": "reopened",
        "overdue": "accepted",
        "due_soon": "dispatched",
        "no_steps": "reported",
    }
    assert states.index[states["is_open"]].tolist() == ["reopened", "overdue", "due_soon", "no_steps"]
    assert states.index[states["is_overdue"]].tolist() == ["overdue"]
    assert states.index[states["is_due_soon"]].tolist() == ["due_soon"]
    assert states["is_on_time"].fillna(value=False).tolist() == [True, False, False, False, False, False]
    assert states["is_in_grid"].isna().tolist() == [False, False, True, True, True, True]
    assert states.loc["closed_in_grid", "is_in_grid"]
    assert not states.loc["went_up_late", "is_in_grid"]


@pytest.mark.parametrize(
    ("kind", "is_in_grid"),
    [("extended", True), ("checked", True), ("resumed", True), ("accepted", False), ("handled", False)],
)
def test_the_village_takes_a_matter_out_of_the_grid_by_dealing_with_it_not_by_granting_time(
    kind: str, is_in_grid: bool
):
    steps = _steps(
        ("case", "reported", "member", _at(2)),
        ("case", "handled", "grid", _at(3)),
        ("case", kind, "village", _at(4)),
        ("case", "closed", "grid", _at(5)),
    )
    states = incident_states(_incidents(case=_at(8)), steps, now=NOW, due_soon=SOON)
    assert states.loc["case", "is_in_grid"] == is_in_grid


@pytest.mark.parametrize("level", ["township", None])
def test_what_was_dispatched_to_a_team_has_left_its_grid(level: str | None):
    steps = _steps(("case", "dispatched", level, _at(3)), ("case", "closed", "grid", _at(5)))
    states = incident_states(_incidents(case=_at(8)), steps, now=NOW, due_soon=SOON)
    assert not states.loc["case", "is_in_grid"]


def test_shares_have_numerators_denominators_and_nan_for_nothing():
    figures = closing_figures(incident_states(INCIDENTS, STEPS, now=NOW, due_soon=SOON))
    assert figures.loc["closing", ["numerator", "denominator"]].tolist() == [2, 6]
    assert figures.loc["on_time", "share"] == 0.5
    assert figures.loc["in_grid", "share"] == 0.5
    assert figures.loc["satisfaction", "share"] == 0.5
    nothing = closing_figures(incident_states(INCIDENTS.iloc[:0], STEPS, now=NOW, due_soon=SOON))
    assert nothing["share"].isna().all()


@given(st.permutations(range(len(STEPS))))
@settings(max_examples=30)
def test_the_order_of_rows_never_matters(order: list[int]):
    shuffled = incident_states(INCIDENTS, STEPS.iloc[order], now=NOW, due_soon=SOON)
    pd.testing.assert_frame_equal(shuffled, incident_states(INCIDENTS, STEPS, now=NOW, due_soon=SOON))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["reported", "accepted", "handled", "closed", "reopened", "followed_up"]),
            st.integers(1, 19),
        ),
        max_size=8,
        unique_by=lambda step: step[1],
    )
)
def test_the_fold_is_a_replay(history: list[tuple[str, int]]):
    states = incident_states(
        _incidents(one=_at(9)),
        _steps(*(("one", kind, "grid", _at(day)) for kind, day in history)),
        now=NOW,
        due_soon=SOON,
    )
    closed_at = None
    for kind, day in sorted(history, key=lambda step: step[1]):
        closed_at = _at(day) if kind == "closed" else None if kind == "reopened" else closed_at
    assert states.loc["one", "is_open"] == (closed_at is None)
    if closed_at is not None:
        assert states.loc["one", "closed_at"] == closed_at
        assert states.loc["one", "is_on_time"] == (closed_at <= _at(9))


@pytest.mark.parametrize("kind", ["escalated", "handled", "dispatched", "paused", "accepted"])
def test_what_happened_after_a_closing_that_came_late_is_moot(kind: str):
    incidents = _incidents(one=_at(8))
    history = [
        ("one", "reported", "member", _at(2)),
        ("one", "handled", "member", _at(3)),
        ("one", "closed", "member", _at(4)),
    ]
    late = ("one", kind, "grid", _at(5))
    closed, overtaken = (
        incident_states(incidents, _steps(*rows), now=NOW, due_soon=SOON) for rows in (history, [*history, late])
    )
    pd.testing.assert_frame_equal(closed, overtaken)
    assert closed[["state", "is_open", "is_in_grid"]].iloc[0].tolist() == ["closed", False, True]
    again = [*history, late, ("one", "reopened", "member", _at(6)), ("one", "handled", "village", _at(7))]
    assert incident_states(incidents, _steps(*again), now=NOW, due_soon=SOON)["state"].tolist() == ["handling"]


def _happened(*texts: str) -> pd.DataFrame:
    instants = pd.to_datetime(list(texts)).tz_localize(SHANGHAI).tz_convert("UTC")
    return pd.DataFrame({"happened_at": instants, "kind": "dispute"})


def test_a_month_ends_at_midnight_in_shanghai_and_empty_months_inside_are_0():
    counts = monthly_counts(
        _happened("2026-01-31 23:59", "2026-02-01 00:00", "2026-04-01 00:01"), zone=SHANGHAI, by="kind"
    )
    assert counts["dispute"].to_dict() == {"2026-01": 1, "2026-02": 1, "2026-03": 0, "2026-04": 1}
    assert monthly_counts(_happened(), zone=SHANGHAI, by="kind").empty


def test_every_day_of_a_span_is_counted():
    counts = daily_counts(
        _happened("2026-02-27 23:59", "2026-02-28 00:00", "2026-02-28 12:00", "2026-03-02 00:00"),
        zone=SHANGHAI, first_on=date(2026, 2, 28), last_on=date(2026, 3, 1),
    )  # fmt: skip
    assert counts.to_dict() == {date(2026, 2, 28): 2, date(2026, 3, 1): 0}
    with pytest.raises(ValueError, match="last_on"):
        daily_counts(_happened(), zone=SHANGHAI, first_on=date(2026, 3, 1), last_on=date(2026, 2, 28))


def test_categories_bear_the_name_of_their_successor_in_the_newest_list():
    categories = pd.DataFrame(
        [("D1", 2025, "婚姻", "D28"), ("D2", 2025, "邻里", None), ("D3", 2025, "旧", None),
         ("D28", 2026, "婚姻家庭", None), ("D2", 2026, "邻里纠纷", None)],
        columns=["category_code", "list_year", "name", "successor_code"],
    )  # fmt: skip
    assert newest_names(categories).to_dict() == {
        ("D1", 2025): "婚姻家庭", ("D2", 2025): "邻里纠纷", ("D3", 2025): "旧",
        ("D28", 2026): "婚姻家庭", ("D2", 2026): "邻里纠纷",
    }  # fmt: skip


def test_a_list_that_changes_in_the_middle_of_its_year_is_followed_to_the_newest_name():
    january, july, next_year = date(2026, 1, 1), date(2026, 7, 1), date(2027, 1, 1)
    categories = pd.DataFrame(
        [("D1", 2025, "婚姻", date(2025, 1, 1), None), ("D1", 2026, "婚姻", january, "D28"),
         ("D28", 2026, "婚姻家庭", july, "D30"), ("D30", 2026, "别的", january, None), ("D2", 2026, "邻里", january, "D3"),
         ("D3", 2026, "相邻关系", january, None), ("D30", 2027, "家事", next_year, None)],
        columns=["category_code", "list_year", "name", "valid_from", "successor_code"],
    )  # fmt: skip
    assert newest_names(categories).to_dict() == {
        # Over the code of July to that of the next list, not to another category that bore it before.
        ("D1", 2025): "家事", ("D1", 2026): "家事", ("D28", 2026): "家事", ("D30", 2026): "家事", ("D30", 2027): "家事",
        # In force together from January: the successor is that of a next list, which does not know it.
        ("D2", 2026): "邻里", ("D3", 2026): "相邻关系",
    }  # fmt: skip


def test_a_missing_column_is_named():
    with pytest.raises(KeyError, match="due_at"):
        incident_states(INCIDENTS.drop(columns="due_at"), STEPS, now=NOW, due_soon=SOON)


def test_nothing_is_changed_in_place():
    incidents, steps = INCIDENTS.copy(), STEPS.copy()
    incident_states(incidents, steps, now=NOW, due_soon=SOON)
    pd.testing.assert_frame_equal(incidents, INCIDENTS)
    pd.testing.assert_frame_equal(steps, STEPS)
    assert np.array_equal(steps.columns, STEPS.columns)
