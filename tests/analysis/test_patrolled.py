"""Unpatrolled household-days: by hand, against all shortest ways, and as properties."""

from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.patrolled import STATES, patrolled, patrolled_by_grid, patrolled_by_path
from gridmap.errors import CrsError
from tests.analysis.network.maps import brute_ways, network_of, points_at, random_lines

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 10)
SPAN = {"first_day": FIRST, "last_day": LAST, "reach_m": 100.0, "attach_limit_m": 60.0}
NUMBERS = ["days_since", "n_unpatrolled_days"]


def _fixes(*rows: tuple[float, float, int]) -> gpd.GeoDataFrame:
    """East, north and the day of March of each fix."""
    days = [FIRST + timedelta(days=row[2] - 1) for row in rows]
    return points_at(*(row[:2] for row in rows)).assign(day=pd.Series(days, dtype=object))


def test_a_home_counts_from_the_last_day_somebody_passed_within_reach_along_the_path():
    network = network_of([(0, 0), (500, 0)], [(0, 100), (500, 100)])
    homes = points_at((100, 10), (350, 10), (100, 90), (100, 500))
    found = patrolled(homes, _fixes((150, 5, 3), (190, 5, 7), (191, 5, 9), (150, 5, 3)), network, **SPAN)
    table = found.households
    # 10 m to the path and 90 along it: the fix at 190 is within reach, the one at 191 is not.
    assert table["state"].tolist() == ["passed", "never", "never", "unmatched"]
    assert table["days_since"].tolist()[:3] == [3, 10, 10]
    assert table["n_unpatrolled_days"].tolist()[:3] == [8, 10, 10]
    assert table[NUMBERS].iloc[3].isna().all()
    assert table["last_passed_on"].dt.day.tolist()[0] == 7
    assert (found.n_fixes, found.n_fixes_unmatched, found.n_fixes_outside) == (4, 0, 0)


def test_days_outside_the_span_and_fixes_far_from_paths_are_counted_apart():
    network = network_of([(0, 0), (500, 0)])
    fixes = _fixes((100, 0, 0), (100, 0, 11), (100, 300, 5), (100, 0, 4))
    fixes.loc[4] = [fixes.geometry[0], None]
    found = patrolled(points_at((100, 0)), fixes, network, **SPAN)
    assert (found.n_fixes, found.n_fixes_unmatched, found.n_fixes_outside) == (1, 1, 3)
    assert found.households["days_since"].tolist() == [6]


def test_without_any_patrol_nothing_is_known_and_that_is_not_0():
    network = network_of([(0, 0), (500, 0)])
    found = patrolled(points_at((100, 0)), _fixes(), network, **SPAN)
    assert found.households["state"].tolist() == ["unknown"]
    assert found.households[NUMBERS].isna().all(axis=None)
    by_grid = patrolled_by_grid(found.households, grid_codes=pd.Series(["a"]))
    assert by_grid[["n_households", "n_unknown"]].to_numpy().tolist() == [[1, 1]]
    assert by_grid["household_days"].isna().all()
    assert patrolled_by_path(found.edges)["state"].tolist() == ["unknown"]


def test_grids_add_up_and_the_worst_comes_first():
    network = network_of([(0, 0), (1000, 0)])
    homes = points_at((0, 0), (50, 0), (900, 0), (500, 400))
    found = patrolled(homes, _fixes((0, 0, 8), (20, 0, 2)), network, **SPAN)
    table = patrolled_by_grid(found.households, grid_codes=pd.Series(["a", "a", "b", "b"]))
    columns = ["n_households", "n_unknown", "n_never", "household_days", "n_unpatrolled_days", "mean_days_since"]
    assert table[columns].to_dict("index") == {
        "b": dict(zip(columns, [2, 1, 1, 10, 10, 10], strict=True)),
        "a": dict(zip(columns, [2, 0, 0, 4, 16, 2], strict=True)),
    }


def test_lanes_are_listed_from_the_longest_unpatrolled():
    network = network_of([(0, 0), (200, 0)], [(100, 0), (100, 80)], [(0, 200), (300, 200)], [(0, 300), (50, 300)])
    lanes = patrolled_by_path(patrolled(points_at(), _fixes((20, 0, 9), (100, 40, 4)), network, **SPAN).edges)
    assert lanes.index.tolist() == [2, 3, 1, 0]
    assert lanes["days_since"].tolist() == [10, 10, 6, 1]
    assert lanes["never_m"].tolist() == [300, 50, 0, 100]
    assert lanes["state"].tolist() == ["never", "never", "passed", "passed"]


@given(st.integers(0, 100_000))
@settings(max_examples=25)
def test_days_agree_with_asking_every_home_and_fix(seed: int):
    chance = np.random.default_rng(seed)
    lines = random_lines(seed)
    network = network_of(*lines, snap_m=1e-4)
    edge = chance.integers(0, network.n_edges, 30)
    on_path = network.xy_at(edge, chance.uniform(0, 1, 30) * network.length_m[edge])
    homes, day = [tuple(place) for place in chance.uniform(0, 500, (10, 2))], chance.integers(1, 11, 30)
    ways = brute_ways(lines, homes, [tuple(place) for place in on_path], limit_m=60)
    found = patrolled(points_at(*homes), _fixes(*zip(*on_path.T, map(int, day), strict=True)), network, **SPAN)
    for way, row in zip(ways, found.households.itertuples(), strict=True):
        days = set(day[way <= 100].tolist())
        if np.isinf(way).all() and row.state == "unmatched":
            continue
        assert row.n_unpatrolled_days == 10 - len(days)
        assert row.days_since == (10 - max(days) if days else 10)
        assert row.state == ("passed" if days else "never")


@given(st.integers(0, 100_000), st.integers(0, 12))
@settings(max_examples=25)
def test_one_more_fix_raises_no_number(seed: int, day: int):
    chance = np.random.default_rng(seed)
    network = network_of(*random_lines(seed), snap_m=1e-4)
    homes = points_at(*map(tuple, chance.uniform(0, 500, (15, 2))))
    rows = [(*chance.uniform(0, 500, 2), int(chance.integers(1, 11))) for _ in range(6)]
    fewer = patrolled(homes, _fixes(*rows), network, **SPAN)
    more = patrolled(homes, _fixes(*rows, (*chance.uniform(0, 500, 2), day)), network, **SPAN)
    known = fewer.households["days_since"].notna()
    assert (more.households[NUMBERS] <= fewer.households[NUMBERS])[known].all(axis=None)
    assert (more.edges["days_since"] <= fewer.edges["days_since"])[fewer.edges["days_since"].notna()].all()
    assert more.households["state"].isin(STATES).all()
    codes = pd.Series(chance.choice(["a", "b"], 15))
    sums, more_sums = (patrolled_by_grid(found.households, grid_codes=codes).sort_index() for found in (fewer, more))
    if fewer.n_fixes:
        assert (more_sums["household_days"] <= sums["household_days"]).where(sums["household_days"].notna(), True).all()


def test_lengths_spans_and_degrees_are_refused():
    network = network_of([(0, 0), (500, 0)])
    home, fix = points_at((0, 0)), _fixes((0, 0, 1))
    with pytest.raises(ValueError, match="`reach_m` must be above 0"):
        patrolled(home, fix, network, **SPAN | {"reach_m": 0})
    with pytest.raises(ValueError, match="`limit_m`"):
        patrolled(home, fix, network, **SPAN | {"attach_limit_m": 0})
    with pytest.raises(ValueError, match="must not be before"):
        patrolled(home, fix, network, **SPAN | {"last_day": date(2026, 2, 1)})
    with pytest.raises(CrsError):
        patrolled(home, fix.set_crs("EPSG:4490", allow_override=True), network, **SPAN)
