"""Counts of people and their age: by hand, added up, and due when too many are stale."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.rosters import looked_after, people_counts, updates_due

TODAY = date(2026, 9, 30)


def homes(*rows: tuple) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["grid_code", "n_residents", "n_alone", "updated_on"])
    return table.astype({"updated_on": object})


HOMES = homes(
    ("g", 3, 1, date(2026, 9, 1)),
    ("g", 4, 0, date(2026, 4, 3)),
    ("g", 2, 0, None),
    ("h", 5, 2, date(2026, 4, 4)),
    (None, 9, 9, date(2026, 9, 1)),
)


def test_counts_by_hand():
    table = people_counts(HOMES, by=["grid_code"], needs=["n_alone"], today=TODAY, stale_days=180)
    assert table.loc["g"].tolist() == [3, 9, 1, 2, date(2026, 9, 1), date(2026, 4, 3)]
    assert table.loc["h"].tolist() == [1, 5, 2, 0, date(2026, 4, 4), date(2026, 4, 4)]
    assert table.columns.tolist() == ["n_households", "n_residents", "n_alone", "n_stale", "newest_on", "oldest_on"]


def test_nothing_known_is_no_day():
    table = people_counts(homes(("g", 1, 0, None)), by=["grid_code"], needs=[], today=TODAY, stale_days=1)
    assert table.loc["g", "newest_on"] is None
    assert people_counts(HOMES.iloc[:0], by=["grid_code"], needs=[], today=TODAY, stale_days=1).empty


def test_the_later_of_two_days_counts():
    one, other = (
        pd.Series([date(2026, 1, 1), None, None], dtype=object),
        pd.Series([date(2026, 2, 1), date(2025, 1, 1), None], dtype=object),
    )
    assert looked_after(one, other).tolist() == [date(2026, 2, 1), date(2025, 1, 1), None]
    with pytest.raises(ValueError, match="same households"):
        looked_after(one, other.iloc[::-1])


def test_a_grid_is_due_when_more_than_its_share_is_stale():
    days = [date(2026, 1, 1), date(2026, 4, 1), date(2026, 6, 1), date(2026, 9, 1)]
    table = homes(*(("g", 1, 0, day) for day in days), ("h", 1, 0, None))
    due = updates_due(table, today=TODAY, stale_days=180, stale_share=0.25)
    # One of four may be stale; the second becomes so 180 days after the first of April.
    assert due.loc["g"].tolist() == [date(2026, 9, 28), True]
    assert due.loc["h"].tolist() == [None, True]
    assert not updates_due(table, today=TODAY, stale_days=180, stale_share=0.5).loc["g", "is_due"]


AGES = st.lists(st.one_of(st.none(), st.integers(0, 400)), min_size=1, max_size=20)


@given(AGES, st.integers(1, 300), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]))
def test_due_is_more_stale_households_than_allowed_and_counts_add_up(ages, stale_days, share):
    table = homes(
        *(
            ("g" if k % 2 else "h", k, 1, None if age is None else TODAY - timedelta(days=age))
            for k, age in enumerate(ages)
        )
    )
    due = updates_due(table, today=TODAY, stale_days=stale_days, stale_share=share)
    counted = people_counts(table, by=["grid_code"], needs=["n_alone"], today=TODAY, stale_days=stale_days)
    for code, row in counted.iterrows():
        assert due.loc[code, "is_due"] == (row["n_stale"] > int(share * row["n_households"]))
    assert counted["n_households"].sum() == len(ages)
    assert counted["n_stale"].sum() == sum(age is None or age >= stale_days for age in ages)


def test_impossible_questions_are_refused():
    with pytest.raises(ValueError, match="stale_days"):
        people_counts(HOMES, by=["grid_code"], needs=[], today=TODAY, stale_days=0)
    for wrong in ({"stale_days": 0, "stale_share": 0.1}, {"stale_days": 1, "stale_share": 1.0}):
        with pytest.raises(ValueError, match="stale"):
            updates_due(HOMES, today=TODAY, **wrong)
