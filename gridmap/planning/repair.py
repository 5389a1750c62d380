"""From a plan that breaks rules to one that does not, moving the fewest households."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridmap.planning.bisect import Ints
from gridmap.planning.mend import Village
from gridmap.planning.partition import ground_of, land_of
from gridmap.planning.units import Units

_NO_GRID = -1
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Repair:
    """A plan without breaches, as far as there is one.

    Parameters
    ----------
    grids
        Grid of each unit: the numbers of the old plan, and numbers above them for grids that were opened.
    moved
        Units that changed their grid.
    moved_weight
        Households of those.
    bound
        No plan without breaches, with as few new grids, moves fewer households.
    n_opened
        Grids that had to be opened.
    oversized
        Units over the cap: each has a grid of its own, which stays a breach.
    is_optimal
        Whether `moved_weight` is proven to be the least.
    is_legal
        Whether every other rule holds; False when no new grid may be opened and none else was found.
    is_complete
        False when the time was over.
    """

    grids: Ints
    moved: Ints
    moved_weight: float
    bound: float
    n_opened: int
    oversized: Ints
    is_legal: bool
    is_complete: bool

    @property
    def is_optimal(self) -> bool:
        """Return whether it is proven that no plan with as few new grids moves fewer households."""
        return self.is_legal and self.moved_weight <= self.bound + _ROUNDING

    @property
    def gap(self) -> float:
        """Return the share of the moved households that is not proven to be necessary, 0 to 1."""
        return (self.moved_weight - self.bound) / self.moved_weight if self.moved_weight > 0 else 0.0


def repair(
    units: Units,
    grids: Ints,
    *,
    cap: float,
    may_open: bool = True,
    seed: int = 0,
    has_time: Callable[[], bool] = lambda: True,
) -> Repair:
    """Return the plan nearest to a plan in which every unit has a grid, and every grid is connected, inside one area, and under the cap.

    Parameters
    ----------
    units
        What is divided.
    grids
        Grid of each, from 0; -1: none.
    cap
        Households a grid may hold, above 0.
    may_open
        Whether grids may be opened where the existing ones cannot do; as few as possible.
    seed
        Of random turns.
    has_time
        Asked between steps; once it says no, the best so far is returned.

    Raises
    ------
    ValueError
        If the cap is not above 0, or the lengths differ.

    Notes
    -----
    A grid that lies in several areas stays in the one where most of its households are. Each area is a problem of its own:
    a small one is solved exactly. In a larger one the exact program works on the surroundings of each breach, and a search
    that prefers to leave people where they are on the whole; the better of both counts.
    """
    if not cap > 0:
        raise ValueError(f"`cap` must be above 0, got {cap}.")
    if len(grids) != len(units):
        raise ValueError(f"`grids` must name a grid for each of {len(units)} units, got {len(grids)}.")
    chance = np.random.default_rng(seed)
    n_next = n_known = int(grids.max(initial=_NO_GRID)) + 1
    homes = _homes(units, grids, cap=cap)
    is_oversized = units.weights > cap
    result = homes.copy()
    for unit in np.flatnonzero(is_oversized & (homes == _NO_GRID)):
        result[unit], n_next = n_next, n_next + 1
    # In areas whose grids were given to one of several claimants, only what that alone moves is proven, and who had no grid.
    was_settled = (homes != grids) & (grids != _NO_GRID)
    settled = set(units.areas[np.isin(grids, grids[was_settled])].tolist())
    bound, is_legal, is_complete = float(units.weights[was_settled].sum()), True, True
    land, ground = land_of(units), ground_of(units)
    for area in np.unique(units.areas[~is_oversized]).tolist():
        members = np.flatnonzero((units.areas == area) & ~is_oversized)
        names, local = np.unique(homes[members], return_inverse=True)
        names, local = names[names != _NO_GRID], local - int(_NO_GRID in names)
        village = Village(
            land=land.part(members), ground=ground.part(members), homes=local, n_grids=len(names), cap=cap
        )
        found = village.mend(chance, may_open=may_open, has_time=has_time)
        labels = np.concatenate([names, np.arange(n_next, n_next + found.n_opened), [_NO_GRID]]).astype(np.intp)
        result[members] = labels[found.grids]
        n_next += found.n_opened
        unassigned = float(units.weights[members[grids[members] == _NO_GRID]].sum())
        bound += unassigned if area in settled else found.bound
        is_legal &= found.is_legal
        is_complete &= found.is_complete
    moved = result != grids
    moved_weight = float(units.weights[moved].sum())
    return Repair(
        grids=result,
        moved=np.flatnonzero(moved),
        moved_weight=moved_weight,
        bound=min(bound, moved_weight),
        n_opened=n_next - n_known,
        oversized=np.flatnonzero(is_oversized),
        is_legal=is_legal,
        is_complete=is_complete,
    )


def _homes(units: Units, grids: Ints, *, cap: float) -> Ints:
    """Return the grid in which each unit may stay: one area keeps each grid, and a unit over the cap shares none."""
    homes = grids.copy()
    for grid in np.unique(grids[grids != _NO_GRID]):
        members = np.flatnonzero(grids == grid)
        weights = units.weights[members]
        claims = units.areas[members].astype(float)
        over = weights > cap
        claims[over] = -1.0 - np.arange(int(over.sum()))
        names, at = np.unique(claims, return_inverse=True)
        if len(names) > 1:
            homes[members[at != int(np.argmax(np.bincount(at, weights=weights + _ROUNDING)))]] = _NO_GRID
    return homes
