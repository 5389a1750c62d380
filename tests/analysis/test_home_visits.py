"""Door to door: the share of a grid's households visited in a month."""

from datetime import date
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.home_visits import door_to_door

SHANGHAI = ZoneInfo("Asia/Shanghai")
SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
HOUSEHOLDS = pd.DataFrame(
    {"grid_code": ["g1", "g1", "g1", "g1", "g2", "g2", None]}, index=[f"h{number}" for number in range(7)]
)


def visits(*rows: tuple[str, str]) -> pd.DataFrame:
    codes, instants = zip(*rows, strict=True) if rows else ((), ())
    happened_at = pd.to_datetime(pd.Series(instants, dtype=object)).dt.tz_localize(SHANGHAI).dt.tz_convert("UTC")
    return pd.DataFrame({"household_code": pd.Series(codes, dtype=object), "happened_at": happened_at})


def shares(*rows: tuple[str, str], months: tuple[date, ...] = (OCTOBER,)) -> pd.DataFrame:
    return door_to_door(HOUSEHOLDS, visits(*rows), months=list(months), zone=SHANGHAI)


def test_a_household_counts_once_a_month_and_months_end_at_midnight_in_shanghai():
    table = shares(
        ("h0", "2026-10-01 00:00"),
        ("h0", "2026-10-20 09:00"),
        ("h1", "2026-10-31 23:59"),
        ("h2", "2026-11-01 00:00"),
        ("h4", "2026-09-30 23:59"),
        ("h6", "2026-10-05 09:00"),
        ("strange", "2026-10-05 09:00"),
        months=(OCTOBER, SEPTEMBER),
    )
    assert table[["grid_code", "month", "n_households", "n_visited", "visited_share"]].to_numpy().tolist() == [
        ["g1", SEPTEMBER, 4, 0, 0],
        ["g1", OCTOBER, 4, 2, 0.5],
        ["g2", SEPTEMBER, 2, 1, 0.5],
        ["g2", OCTOBER, 2, 0, 0],
    ]


def test_a_month_without_any_visit_is_unknown_and_not_zero():
    table = shares(("h0", "2026-09-05 09:00"))
    assert table["n_households"].tolist() == [4, 2]
    assert table[["n_visited", "visited_share"]].isna().all(axis=None)
    assert shares()["visited_share"].isna().all()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 30)), min_size=1, max_size=20))
def test_shares_agree_with_counting_and_a_visit_more_never_lowers_one(rows: list):
    given_rows = [(f"h{home}", f"2026-10-{on:02d} 09:00") for home, on in rows]
    table = shares(*given_rows).set_index("grid_code")
    for grid, homes in (("g1", {0, 1, 2, 3}), ("g2", {4, 5})):
        assert table.loc[grid, "n_visited"] == len(homes & {home for home, _ in rows})
    more = shares(*given_rows, ("h3", "2026-10-30 10:00")).set_index("grid_code")
    assert (more["visited_share"] >= table["visited_share"]).all()


def test_a_month_is_named_by_its_first_day():
    with pytest.raises(ValueError, match="months"):
        shares(months=(date(2026, 10, 2),))
