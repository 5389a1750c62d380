"""Balance: gains against the sum they promise to lower, counted again."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.fair.balance import moved_loads, one_more_member, per_member, unevenness

GRIDS = ["a", "b", "c"]
LOAD, TEAM = pd.Series([30.0, 12.0, 8.0], index=GRIDS), pd.Series([2, 4, 0], index=GRIDS)
Loads = st.lists(st.floats(0, 100), min_size=3, max_size=3)
Teams = st.lists(st.integers(1, 6), min_size=3, max_size=3)


def test_one_more_member_by_hand():
    """a: 15 each, 10 with one more: 30² (1/2 - 1/3) = 150; b: 12² (1/4 - 1/5) = 7.2; c has nobody and comes first."""
    table = one_more_member(LOAD, TEAM)
    assert table.index.tolist() == ["c", "a", "b"]
    assert table["gain"].tolist() == [np.inf, pytest.approx(150), pytest.approx(7.2)]
    assert table.loc["a", ["per_person", "per_person_after"]].tolist() == [15, 10]
    assert np.isnan(table.loc["c", "per_person"])


@given(Loads, Teams, st.integers(0, 2))
def test_the_gain_of_a_member_is_how_far_the_sum_falls(loads: list, teams: list, at: int):
    load, team = pd.Series(loads, index=GRIDS), pd.Series(teams, index=GRIDS)
    more = team.copy()
    more.iloc[at] += 1
    gain = one_more_member(load, team).loc[GRIDS[at], "gain"]
    assert gain == pytest.approx(unevenness(load, team) - unevenness(load, more), abs=1e-6)


@given(Loads, Teams, st.floats(0, 1))
def test_the_gain_of_a_move_is_how_far_the_sum_falls(loads: list, teams: list, part: float):
    load, team = pd.Series(loads, index=GRIDS), pd.Series(teams, index=GRIDS)
    goes = load["a"] * part
    after = load + pd.Series([-goes, goes, 0], index=GRIDS)
    moves = pd.DataFrame({"from_grid": ["a"], "to_grid": ["b"], "load": [goes]})
    row = moved_loads(load, team, moves).iloc[0]
    assert row["gain"] == pytest.approx(unevenness(load, team) - unevenness(after, team), abs=1e-6)
    assert row["from_after"] * team["a"] + row["to_after"] * team["b"] == pytest.approx(load["a"] + load["b"])


def test_moves_are_ordered_and_those_without_a_team_left_out():
    moves = pd.DataFrame({"from_grid": ["b", "a", "a"], "to_grid": ["a", "b", "c"], "load": [3.0, 10.0, 5.0]})
    table = moved_loads(LOAD, TEAM, moves)
    assert table["from_grid"].tolist() == ["a", "b"]
    assert table["gain"].iloc[0] > 0 > table["gain"].iloc[1]


def test_what_is_not_known_is_left_out():
    load, team = LOAD.where(LOAD != 12), TEAM.astype(float).where(TEAM > 0)
    assert one_more_member(load, team).index.tolist() == ["a"]
    assert per_member(load, team).isna().tolist() == [False, True, True]


def test_numbers_out_of_range_are_refused_by_name():
    with pytest.raises(ValueError, match="`team`"):
        per_member(LOAD, TEAM - 3)
    with pytest.raises(ValueError, match="`load`"):
        one_more_member(-LOAD, TEAM)
    with pytest.raises(ValueError, match="`moves`"):
        moved_loads(LOAD, TEAM, pd.DataFrame({"from_grid": ["a"], "to_grid": ["b"], "load": [31.0]}))
