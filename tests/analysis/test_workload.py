"""Workload: by hand, additive, unknown without a team."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.workload import workload

SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
LOAD = pd.DataFrame({"n_households": [50, 100, 0], "n_residents": [150, 320, 0]}, index=["g1", "g2", "g3"])


def _incidents(*rows: tuple) -> pd.DataFrame:
    names = ["grid_code", "happened_at", "closed_at", "is_overdue"]
    incidents = pd.DataFrame(rows, columns=names)
    for name in ("happened_at", "closed_at"):
        incidents[name] = pd.to_datetime(incidents[name], utc=True, format="ISO8601")
    return incidents.assign(is_open=incidents["closed_at"].isna(), is_overdue=incidents["is_overdue"].astype(bool))


def _workload(incidents: pd.DataFrame, *, grids_of_team: list[str]) -> pd.DataFrame:
    checkpoints = pd.DataFrame({"grid_code": ["g1", "g1", None], "n_due": [4, 2, 9], "n_counted": [3, 2, 9]})
    postings = pd.DataFrame({"grid_code": grids_of_team})
    return workload(LOAD, incidents=incidents, checkpoints=checkpoints, postings=postings, since=SINCE, until=UNTIL)


def test_the_work_of_each_grid_stands_side_by_side():
    incidents = _incidents(
        ("g1", "2026-10-01", None, True),
        ("g1", "2026-09-30 23:59", "2026-10-31 23:59", False),
        ("g1", "2026-11-01", None, False),
        ("g2", "2026-10-05", "2026-11-01", False),
        (None, "2026-10-05", None, False),
    )
    table = _workload(incidents, grids_of_team=["g1", "g1", "g2"])
    assert table.loc["g1", ["n_new", "n_closed", "n_open", "n_overdue", "n_due", "n_made", "team_size"]].tolist() == [
        1, 1, 2, 1, 6, 5, 2,
    ]  # fmt: skip
    assert table.loc["g2", ["n_new", "n_closed", "n_open"]].tolist() == [1, 0, 0]
    assert table["households_per_member"].tolist()[:2] == [25, 100]
    assert table["incidents_per_100_households"].tolist()[:2] == [2, 1]


def test_without_a_team_or_households_a_ratio_is_unknown():
    table = _workload(_incidents(), grids_of_team=[])
    assert table["households_per_member"].isna().all()
    assert pd.isna(table.loc["g3", "incidents_per_100_households"])


@given(st.lists(st.tuples(st.sampled_from(["g1", "g2", "g3"]), st.booleans()), max_size=30))
def test_counts_add_up_to_the_township(given_rows: list[tuple[str, bool]]):
    incidents = _incidents(
        *((grid, "2026-10-05", None if is_open else "2026-10-06", False) for grid, is_open in given_rows)
    )
    table = _workload(incidents, grids_of_team=["g1"])
    assert table["n_new"].sum() == len(given_rows)
    assert table["n_open"].sum() + table["n_closed"].sum() == len(given_rows)


def test_a_missing_column_is_named():
    with pytest.raises(KeyError, match="grid_code"):
        _workload(_incidents().drop(columns="grid_code"), grids_of_team=[])
