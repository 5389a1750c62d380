"""Difference, merge and lineage: by hand, and totals that never change."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.planning.compare import compare, kept_codes, lineage, merge

HOMES = pd.Series({"u1": 10, "u2": 20, "u3": 30, "u4": 40})
BASE = pd.Series({"u1": "A", "u2": "A", "u3": "B", "u4": "B"})
GRIDS = st.sampled_from(["A", "B", "C", None])
PLANS = st.lists(GRIDS, min_size=4, max_size=4).map(lambda grids: pd.Series(grids, index=HOMES.index, dtype=object))


def test_a_difference_names_units_and_counts_households():
    after = pd.Series({"u1": "A", "u2": "B", "u3": "B", "u4": "C"})
    found = compare(BASE, after, n_households=HOMES)
    assert found.moved[["before", "after"]].to_numpy().tolist() == [["A", "B"], ["B", "C"]]
    assert found.moved_households == 60
    assert found.grids.loc["B"].to_dict() == {"before": 70, "after": 50, "gained": 20, "lost": 40}


@given(before=PLANS, after=PLANS)
def test_what_a_grid_gains_less_what_it_loses_is_its_change(before: pd.Series, after: pd.Series):
    grids = compare(before, after, n_households=HOMES).grids
    assert (grids["after"] - grids["before"] == grids["gained"] - grids["lost"]).all()


def test_a_merge_takes_what_one_changed_and_asks_where_both_did():
    mine = BASE.replace({"u1": "A"}).copy()
    mine["u1"], mine["u3"] = "B", "C"
    theirs = BASE.copy()
    theirs["u2"], theirs["u3"] = "B", "A"
    merged = merge(BASE, mine, theirs)
    assert merged.plan.to_dict() == {"u1": "B", "u2": "B", "u3": "B", "u4": "B"}
    assert merged.conflicts.loc["u3"].to_dict() == {"base": "B", "mine": "C", "theirs": "A"}


@given(base=PLANS, mine=PLANS, theirs=PLANS)
def test_a_merge_is_symmetric_and_with_nothing_new_nothing_changes(base, mine, theirs):
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)
    assert one.plan.equals(other.plan)
    assert one.conflicts.index.equals(other.conflicts.index)
    assert merge(base, mine, base).plan.fillna("-").tolist() == mine.fillna("-").tolist()
    assert merge(base, mine, mine).conflicts.empty


def test_plans_of_other_units_are_not_merged():
    with pytest.raises(ValueError, match="same units"):
        merge(BASE, BASE.drop("u1"), BASE)


def test_lineage_says_where_the_households_went():
    after = pd.Series({"u1": "X", "u2": "X", "u3": "X", "u4": "Y"})
    table = lineage(BASE, after, n_households=HOMES)
    assert table[["old", "new", "n_households"]].to_numpy().tolist() == [["A", "X", 30], ["B", "Y", 40], ["B", "X", 30]]
    assert table["share_of_old"].tolist() == [1, 40 / 70, 30 / 70]
    assert table["share_of_new"].tolist() == [0.5, 1, 0.5]
    assert kept_codes(BASE, after, n_households=HOMES) == {"Y": "B", "X": "A"}


@given(before=PLANS, after=PLANS)
def test_lineage_preserves_the_households(before: pd.Series, after: pd.Series):
    both = before.notna() & after.notna()
    assert lineage(before, after, n_households=HOMES)["n_households"].sum() == HOMES[both].sum()
    kept = kept_codes(before, after, n_households=HOMES)
    assert len(set(kept.values())) == len(kept)
