"""Editing a plan: whatever is done, counts agree with counting anew, the ground stays whole, and all can be undone."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.errors import InputError
from gridmap.planning.draft import Draft
from gridmap.planning.units import Units, make_units
from tests.planning.conftest import make_board

GRIDS = ("A", "B", "C")


def _units() -> Units:
    return make_units(
        make_board([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]), weight="n_households", within="village"
    )


def _draft() -> Draft:
    return Draft(_units(), ["A", "A", "B", "B"] * 3)


def _homes(draft: Draft, unit: str, n: int = 4) -> list[tuple[shapely.Point, float]]:
    west, south, east, north = draft.shape(unit).bounds
    chance = np.random.default_rng(len(unit))
    weight = draft.unit_weight(unit) / n
    inside = []
    while len(inside) < n:
        point = shapely.Point(chance.uniform(west, east), chance.uniform(south, north))
        if draft.shape(unit).contains(point):
            inside.append((point, weight))
    return inside


def test_a_move_is_counted_on_both_sides_and_undone():
    draft = _draft()
    states = draft.move(["r0c1", "r1c1"], "B")
    assert (states["A"].weight, states["B"].weight) == (1 + 5 + 9 + 10, 2 + 6 + 3 + 4 + 7 + 8 + 11 + 12)
    assert (states["A"].n_units, states["A"].n_parts) == (4, 1)
    draft.undo()
    assert draft.plan == _draft().plan
    assert draft.state("A").weight == 1 + 2 + 5 + 6 + 9 + 10
    draft.redo()
    assert draft.plan["r0c1"] == "B"


def test_a_grid_in_two_parts_and_in_two_villages_says_so():
    draft = _draft()
    draft.move(["r1c0", "r1c1"], "B")
    assert (draft.state("A").n_parts, draft.state("B").n_areas) == (2, 2)


def test_grids_are_opened_renamed_and_retired_when_empty():
    draft = _draft()
    draft.open("C")
    assert draft.state("C").n_parts == 0
    draft.move(["r0c0"], "C")
    with pytest.raises(InputError, match="C"):
        draft.retire("C")
    draft.relabel("C", "河东")
    draft.rename("C", "D")
    assert (draft.plan["r0c0"], draft.label("D"), draft.label("A")) == ("D", "河东", None)
    draft.move(["r0c0"], "A")
    draft.retire("D")
    assert set(draft.grids) == {"A", "B"}
    while draft.undo():
        pass
    assert (draft.plan, set(draft.grids), draft.log) == (_draft().plan, {"A", "B"}, ())
    assert [draft.label(grid) for grid in ("A", "B", "C", "D")] == [None] * 4


def test_a_cut_divides_households_and_ground_exactly():
    draft = _draft()
    homes = [(shapely.Point(110, 150), 4.0), (shapely.Point(190, 150), 2.0)]
    assert draft.cut("r1c1", shapely.LineString([(150, 90), (150, 210)]), pieces=("w", "e"), homes=homes) == (4, 2)
    assert draft.shape("w").area == draft.shape("e").area == 5000
    assert set(draft.neighbours("w")) == {"e", "r1c0", "r0c1", "r2c1"}
    assert set(draft.neighbours("e")) == {"w", "r1c2", "r0c1", "r2c1"}
    assert "r1c1" not in draft.neighbours("r0c1")
    assert shapely.coverage_is_valid([draft.shape(unit) for unit in draft.plan])
    assert draft.state("A").n_parts == 1
    draft.undo()
    assert set(draft.neighbours("r0c1")) == {"r0c0", "r0c2", "r1c1"}
    assert "w" not in draft.plan


@pytest.mark.parametrize(
    "wrong",
    [
        lambda draft: draft.move(["nobody"], "A"),
        lambda draft: draft.move(["r0c0"], "nowhere"),
        lambda draft: draft.open("A"),
        lambda draft: draft.rename("A", "B"),
        lambda draft: draft.retire("nowhere"),
        lambda draft: draft.cut("r0c0", shapely.LineString([(900, 0), (900, 9)]), pieces=("w", "e"), homes=[]),
        lambda draft: draft.cut("r0c0", shapely.LineString([(50, 190), (50, 310)]), pieces=("w", "e"), homes=[]),
        lambda draft: draft.cut("r0c0", shapely.LineString([(50, 190), (50, 310)]), pieces=("w", "r0c1"), homes=[]),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(wrong):
    draft = _draft()
    with pytest.raises(InputError):
        wrong(draft)
    assert (draft.plan, draft.log) == (_draft().plan, ())


def _random_edit(draft: Draft, chance: np.random.Generator) -> None:
    units, grids = sorted(draft.plan), sorted(draft.grids)
    kind = chance.integers(0, 11)
    if kind < 5:
        draft.move(chance.choice(units, chance.integers(1, 4)).tolist(), str(chance.choice(grids)))
    elif kind == 5:
        draft.open(f"N{len(draft.log)}-{len(grids)}")
    elif kind == 6:
        draft.rename(str(chance.choice(grids)), f"R{len(draft.log)}-{len(grids)}")
    elif kind == 7:
        draft.retire(str(chance.choice(grids)))
    elif kind == 8:
        draft.relabel(str(chance.choice(grids)), f"called {len(draft.log)}")
    elif kind == 9:
        unit = str(chance.choice(units))
        west, south, east, north = draft.shape(unit).bounds
        x = chance.uniform(west, east, 2)
        line = shapely.LineString([(x[0], south - 9), (x[1], north + 9)])
        draft.cut(unit, line, pieces=(f"{unit}w", f"{unit}e"), homes=_homes(draft, unit))
    elif chance.integers(0, 2):
        draft.undo()
    else:
        draft.redo()


def _assert_sound(draft: Draft) -> None:
    plan = draft.plan
    shapes = [draft.shape(unit) for unit in plan]
    assert shapely.coverage_is_valid(shapes)
    assert sum(shape.area for shape in shapes) == pytest.approx(120_000, rel=1e-6)
    assert sum(draft.unit_weight(unit) for unit in plan) == pytest.approx(78)
    for grid in draft.grids:
        members = [unit for unit, held in plan.items() if held == grid]
        state = draft.state(grid)
        assert state.weight == pytest.approx(sum(draft.unit_weight(unit) for unit in members))
        assert state.n_units == len(members)
        whole = shapely.union_all([draft.shape(unit) for unit in members])
        # A corner that joins two parts makes one multipolygon of two.
        assert state.n_parts == (shapely.get_num_geometries(whole) if members else 0)
    for unit in plan:
        assert all(unit in draft.neighbours(other) for other in draft.neighbours(unit))


# `--hypothesis-profile thorough` makes 10,000 edits of it.
@given(seed=st.integers(0, 1_000_000))
def test_any_sequence_of_edits_keeps_the_promises(seed: int):
    chance = np.random.default_rng(seed)
    draft = _draft()
    for _ in range(25):
        try:
            _random_edit(draft, chance)
        except InputError:
            continue
        _assert_sound(draft)
    again = _draft()
    again.replay(draft.log)
    assert again.plan == draft.plan
    assert {grid: again.label(grid) for grid in again.grids} == {grid: draft.label(grid) for grid in draft.grids}
    _assert_sound(again)
    while draft.undo():
        pass
    assert draft.plan == _draft().plan
    assert set(draft.grids) == {"A", "B"}
    _assert_sound(draft)
