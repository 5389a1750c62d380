"""Two logs of one draft: what only one planner changed is kept, what both changed is asked."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.planning.draft import Draft
from gridmap.planning.together import bring_together
from gridmap.planning.units import make_units
from tests.planning.conftest import make_board

UNITS = make_units(make_board([[1, 2, 3], [4, 5, 6]]), weight="n_households")
BEGUN = ("A", "A", "B", "A", "B", "B")


def _together(mine: Callable[[Draft], object], theirs: Callable[[Draft], object]) -> tuple[Draft, dict]:
    drafts = [Draft(UNITS, BEGUN), Draft(UNITS, BEGUN)]
    mine(drafts[0])
    theirs(drafts[1])
    both = bring_together(UNITS, BEGUN, mine=drafts[0].log, theirs=drafts[1].log)
    return both.draft, dict(both.conflicts)


def test_a_grid_that_one_named_and_the_other_filled_is_both():
    def mine(draft: Draft) -> None:
        draft.relabel("A", "West")
        draft.rename("B", "C")

    draft, conflicts = _together(mine, lambda draft: draft.move(["r0c2"], "A"))
    assert conflicts == {}
    assert (draft.label("A"), draft.plan["r0c2"], draft.plan["r1c2"]) == ("West", "A", "C")


def test_where_both_named_a_grid_theirs_stands():
    draft, _ = _together(lambda draft: draft.relabel("A", "mine"), lambda draft: draft.relabel("A", "theirs"))
    assert draft.label("A") == "theirs"


def test_a_unit_that_went_two_ways_is_asked():
    def mine(draft: Draft) -> None:
        draft.open("C")
        draft.move(["r0c0"], "C")

    draft, conflicts = _together(mine, lambda draft: draft.move(["r0c0"], "B"))
    assert conflicts == {"r0c0": "C"}
    assert draft.plan["r0c0"] == "B"


def _some_edits(draft: Draft, seed: int, units: list[str], new: str) -> None:
    chance = np.random.default_rng(seed)
    draft.open(new)
    for _ in range(chance.integers(0, 6)):
        draft.move([str(chance.choice(units))], str(chance.choice(["A", "B", new])))
    if not draft.state(new).n_units:
        draft.retire(new)


@given(seed=st.integers(0, 1_000_000))
@pytest.mark.parametrize("is_alone", [True, False])
def test_edits_of_different_units_are_all_kept(seed: int, is_alone: bool):
    """Alone, the other planner did nothing, and mine stands as it was."""
    mine, theirs = Draft(UNITS, BEGUN), Draft(UNITS, BEGUN)
    _some_edits(mine, seed, ["r0c0", "r0c1", "r0c2"], "M")
    if not is_alone:
        _some_edits(theirs, seed + 1, ["r1c0", "r1c1", "r1c2"], "T")
    both = bring_together(UNITS, BEGUN, mine=mine.log, theirs=theirs.log)
    expected = {unit: (mine if unit.startswith("r0") else theirs).plan[unit] for unit in mine.plan}
    assert both.draft.plan == expected
    assert dict(both.conflicts) == {}
    assert pd.Series(both.draft.plan).isin(both.draft.grids).all()
