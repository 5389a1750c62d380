"""Two plans side by side, two edits of one plan brought together, and where each old grid went."""

from collections.abc import Hashable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """What one plan changes against another.

    Parameters
    ----------
    moved
        Index the units that changed: `before`, `after` (null: no grid, or the unit is not there), `n_households`.
    grids
        Index every grid of either plan: `before`, `after`, `gained`, `lost` (households).
    """

    moved: pd.DataFrame
    grids: pd.DataFrame

    @property
    def moved_households(self) -> float:
        """Return how many households change their grid."""
        return float(self.moved["n_households"].sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Merge:
    """Two edits of one plan brought together.

    Parameters
    ----------
    plan
        Grid of each unit; where both edits disagree, as in the base.
    conflicts
        Index the units that both changed differently: `base`, `mine`, `theirs`.
    """

    plan: pd.Series
    conflicts: pd.DataFrame


def compare(before: pd.Series, after: pd.Series, *, n_households: pd.Series) -> Difference:
    """Return the units and households that change their grid.

    Parameters
    ----------
    before, after
        Grid of each unit; the index names the units. A unit of only one plan counts as moved.
    n_households
        Households of each unit of either plan.

    Raises
    ------
    KeyError
        If a unit has no number of households.
    """
    units = before.index.union(after.index)
    missing = units.difference(n_households.index)
    if len(missing):
        raise KeyError(f"unit `{missing[0]}` has no number of households")
    both = pd.DataFrame({"before": before.reindex(units), "after": after.reindex(units)}, dtype=object)
    both["n_households"] = n_households.reindex(units)
    is_same = both["before"].eq(both["after"]) | (both["before"].isna() & both["after"].isna())
    moved = both[~is_same]
    grids = pd.DataFrame(
        {
            "before": both.groupby("before")["n_households"].sum(),
            "after": both.groupby("after")["n_households"].sum(),
            "gained": moved.groupby("after")["n_households"].sum(),
            "lost": moved.groupby("before")["n_households"].sum(),
        }
    )
    return Difference(moved=moved, grids=grids.fillna(0).rename_axis("grid"))


def merge(base: pd.Series, mine: pd.Series, theirs: pd.Series) -> Merge:
    """Bring two edits of one plan together, unit by unit.

    A unit that only one edit moved goes where it was moved; one that both moved to the same grid goes there; one that both moved
    apart is a conflict, and stays where it was until a person decides.

    Parameters
    ----------
    base, mine, theirs
        Grid of each unit, the same units in all three.

    Raises
    ------
    ValueError
        If the units differ.
    """
    if set(base.index) != set(mine.index) or set(base.index) != set(theirs.index):
        raise ValueError("`base`, `mine` and `theirs` must be plans of the same units. Bring cuts over first.")
    mine, theirs = mine.reindex(base.index), theirs.reindex(base.index)
    changed_mine, changed_theirs = _differ(base, mine), _differ(base, theirs)
    is_conflict = changed_mine & changed_theirs & _differ(mine, theirs)
    merged = base.where(~changed_mine, mine).where(~changed_theirs, theirs).where(~is_conflict, base)
    conflicts = pd.DataFrame({"base": base, "mine": mine, "theirs": theirs}, dtype=object)[is_conflict]
    return Merge(plan=merged, conflicts=conflicts)


def _differ(one: pd.Series, other: pd.Series) -> pd.Series:
    differs: pd.Series = one.ne(other) & ~(one.isna() & other.isna())
    return differs


def lineage(before: pd.Series, after: pd.Series, *, n_households: pd.Series) -> pd.DataFrame:
    """Return where the households of each old grid went.

    Parameters
    ----------
    before, after
        Grid of each household or unit, null where it has none; the same index.
    n_households
        Households of each.

    Returns
    -------
    DataFrame
        One row a pair: `old`, `new`, `n_households`, `share_of_old` (of the old grid's households), `share_of_new`; the
        largest share of each old grid first. A grid without households gives no row.
    """
    pairs = pd.DataFrame({"old": before, "new": after, "n_households": n_households}).dropna(subset=["old", "new"])
    table = pairs.groupby(["old", "new"], as_index=False)["n_households"].sum()
    table = table[table["n_households"] > 0]
    table["share_of_old"] = table["n_households"] / table.groupby("old")["n_households"].transform("sum")
    table["share_of_new"] = table["n_households"] / table.groupby("new")["n_households"].transform("sum")
    ranked: pd.DataFrame = table.sort_values(
        ["old", "share_of_old"], ascending=[True, False], kind="stable", ignore_index=True
    )
    return ranked


def kept_codes(before: pd.Series, after: pd.Series, *, n_households: pd.Series) -> dict[Hashable, Hashable]:
    """Return the old code that each new grid keeps: the pairs that share most households are settled first.

    An old code goes to at most one new grid, and a new grid keeps at most one code.

    Parameters
    ----------
    before, after, n_households
        See `lineage`.
    """
    table = lineage(before, after, n_households=n_households)
    kept: dict[Hashable, Hashable] = {}
    ranked = table.sort_values(["n_households", "old"], ascending=[False, True], kind="stable")
    for old, new in zip(ranked["old"], ranked["new"], strict=True):
        if new not in kept and old not in kept.values():
            kept[new] = old
    return kept
