"""Repairs: always legal, never moving more than brute force finds, and saying so when there is no way."""

import time
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.planning.certificate import certify
from gridmap.planning.partition import partition
from gridmap.planning.repair import Repair, repair
from gridmap.planning.units import Units, make_units
from tests.planning.conftest import make_board
from tests.planning.test_partition import _blocks, _homes

NONE = -1


def _units(weights: list[list[int]]) -> Units:
    return make_units(make_board(weights), weight="n_households")


def _is_legal(units: Units, grids: np.ndarray, *, cap: float) -> bool:
    return certify(units, pd.Series(grids).replace(NONE, None), cap=cap).is_ok


def _check(units: Units, before: np.ndarray, found: Repair, *, cap: float) -> None:
    assert _is_legal(units, found.grids, cap=cap)
    moved = found.grids != before
    assert found.moved.tolist() == np.flatnonzero(moved).tolist()
    assert found.moved_weight == units.weights[moved].sum()
    assert found.bound <= found.moved_weight


def _legal_sets(units: Units, *, cap: float) -> set[frozenset[int]]:
    """Return every set of units that may be a grid, by looking at each set there is."""
    names = range(len(units))
    sets = [frozenset(held) for size in names for held in combinations(names, size + 1)]

    def hangs_together(held: frozenset[int]) -> bool:
        reached, waiting = set(), [min(held)]
        while waiting:
            unit = waiting.pop()
            if unit in held and unit not in reached:
                reached.add(unit)
                waiting += units.neighbours.of(unit).tolist()
        return reached == held

    return {held for held in sets if units.weights[list(held)].sum() <= cap and hangs_together(held)}


def _legal_plans(units: Units, n_grids: int, *, cap: float) -> list[np.ndarray]:
    allowed = _legal_sets(units, cap=cap) | {frozenset()}
    plans = product(range(n_grids), repeat=len(units))
    return [
        np.array(plan)
        for plan in plans
        if all(frozenset(unit for unit, of in enumerate(plan) if of == grid) in allowed for grid in range(n_grids))
    ]


@given(
    weights=st.lists(st.integers(0, 12), min_size=6, max_size=6),
    grids=st.lists(st.integers(-1, 2), min_size=6, max_size=6),
)
@settings(max_examples=25)
def test_no_plan_of_as_many_grids_moves_fewer_households(weights: list[int], grids: list[int]):
    units, before = _units([weights[:3], weights[3:]]), np.array(grids)
    found = repair(units, before, cap=20)
    _check(units, before, found, cap=20)
    names = np.unique(before[before != NONE])
    dense = np.where(before == NONE, NONE, np.searchsorted(names, before))
    for n_opened in range(found.n_opened):
        assert not _legal_plans(units, len(names) + n_opened, cap=20)
    legal = _legal_plans(units, len(names) + found.n_opened, cap=20)
    assert found.moved_weight == min(units.weights[plan != dense].sum() for plan in legal)
    assert found.is_optimal


@given(seed=st.integers(0, 10_000), n=st.integers(70, 160), n_disturbed=st.integers(1, 15))
@settings(max_examples=5)
def test_large_villages_come_back_to_the_rules(seed: int, n: int, n_disturbed: int):
    units, chance = _blocks(n, seed, most=20), np.random.default_rng(seed)
    before = partition(units, cap=80).grids.copy()
    for unit in chance.integers(0, n, n_disturbed):
        before[unit] = before[chance.choice(units.neighbours.of(int(unit)))]
    end = time.monotonic() + 3
    _check(units, before, repair(units, before, cap=80, has_time=lambda: time.monotonic() < end), cap=80)


def test_single_homes_come_back_to_the_rules():
    units = _homes(500, 3)
    before = partition(units, cap=100).grids.copy()
    taken = np.flatnonzero(before == 1)[:30]
    before[taken] = 0
    found = repair(units, before, cap=100)
    _check(units, before, found, cap=100)
    assert found.moved_weight <= 30


def test_a_legal_plan_is_left_alone():
    found = repair(_units([[40, 60], [50, 50]]), np.array([0, 0, 1, 1]), cap=100)
    assert (found.grids.tolist(), found.moved_weight, found.n_opened, found.is_optimal) == ([0, 0, 1, 1], 0, 0, True)


def test_a_path_without_a_legal_single_move_is_solved_by_an_exchange():
    found = repair(_units([[50, 50, 50, 50]]), np.array([0, 1, 1, 0]), cap=100)
    assert (found.moved_weight, found.bound, found.n_opened) == (100, 100, 0)


def test_a_path_without_any_legal_plan_says_so_and_changes_nothing():
    before = np.array([0, 0, 1, 1])
    found = repair(_units([[60, 60, 60, 60]]), before, cap=100, may_open=False)
    assert (found.is_legal, found.grids.tolist(), found.n_opened) == (False, before.tolist(), 0)


def test_as_few_grids_as_possible_are_opened_where_those_there_are_cannot_do():
    before = np.array([0, 0, 1, 1])
    found = repair(_units([[60, 60, 60, 60]]), before, cap=100)
    _check(_units([[60, 60, 60, 60]]), before, found, cap=100)
    assert (found.n_opened, found.moved_weight, found.is_optimal) == (2, 120, True)


def test_a_unit_over_the_cap_gets_a_grid_of_its_own_and_the_rest_is_mended():
    units = _units([[30, 120, 40], [10, 10, 10]])
    found = repair(units, np.zeros(6, dtype=np.intp), cap=100)
    assert found.oversized.tolist() == [1]
    assert (found.grids == found.grids[1]).sum() == 1
    kinds = {breach.kind for breach in certify(units, pd.Series(found.grids), cap=100).violations}
    assert kinds == {"unit_over_cap"}


def test_a_grid_in_two_villages_stays_where_most_of_its_households_are():
    units = make_units(make_board([[10, 10, 10, 30]]), weight="n_households", within="village")
    before = np.zeros(4, dtype=np.intp)
    found = repair(units, before, cap=100)
    assert _is_legal(units, found.grids, cap=100)
    assert found.moved.tolist() == [0, 1]
    assert found.grids[2:].tolist() == [0, 0]


def test_who_had_no_grid_counts_as_proven_beside_a_grid_in_two_villages():
    units = make_units(make_board([[60, 30, 60, 30]]), weight="n_households", within="village")
    found = repair(units, np.array([0, NONE, 0, NONE]), cap=100)
    assert _is_legal(units, found.grids, cap=100)
    assert (found.moved_weight, found.bound, found.is_optimal) == (120, 120, True)


def test_without_time_the_plan_is_legal_all_the_same():
    units = _blocks(120, 4, most=30)
    before = np.zeros(120, dtype=np.intp)
    found = repair(units, before, cap=60, has_time=lambda: False)
    _check(units, before, found, cap=60)
    assert not found.is_complete


@pytest.mark.parametrize("cap", [0, -1])
def test_a_cap_must_be_above_0(cap: int):
    with pytest.raises(ValueError, match="cap"):
        repair(_units([[1, 1]]), np.array([0, 0]), cap=cap)
