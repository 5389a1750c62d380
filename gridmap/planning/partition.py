"""From units to connected grids of at most a cap: as few as possible, then compact."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array

from gridmap.planning.bisect import Flags, Ints, Land, splits
from gridmap.planning.bounds import fewest_grids, packing_bound
from gridmap.planning.exact import ExactDivision, divide_exactly
from gridmap.planning.groups import as_pieces, ground_of_pieces, kept_together
from gridmap.planning.nearest import land_of_shapes
from gridmap.planning.refine import refine
from gridmap.planning.smooth import Effort, Ground, smooth
from gridmap.planning.units import Units

_SPLITS_A_GRID = 5
# Cut under the cap, twice; then cut above it, by this share, and brought under it.
_LOOSENESS = (0.0, 0.0, 0.01, 0.03, 0.03, 0.06, 0.1, 0.2)
_HEATS, _ROUNDS_TO_FIT = (0.1, 1.0, 4.0), 300
# What one search has missed, another from other turns often finds; a third pays where the cap leaves a grid in a hundred.
_TURNS = 3
_UNITS_OF_AN_EXACT_VILLAGE, _SETS_AT_ONCE, _SETS_FOR_A_PROOF, _SOLVER_SECONDS = 60, 4_000, 60_000, 2.0
# Near the end of the cutting there is much to try, at its beginning little is lost by the first good way.
_FEW, _MANY, _MANY_GRIDS = 2, 8, 4
_SHARES_OF_ROOM = (0.25, 1.0)
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Partition:
    """A division into grids.

    Parameters
    ----------
    grids
        Number of the grid of each unit, from 0.
    n_grids
        How many.
    lower_bound
        No division has fewer.
    oversized
        Positions of units that alone exceed the cap; each has a grid of its own.
    is_complete
        False when the time was over before every part was tried to the end; the division is whole all the same.
    """

    grids: Ints
    n_grids: int
    lower_bound: int
    oversized: Ints
    is_complete: bool

    @property
    def is_optimal(self) -> bool:
        """Return whether no division has fewer grids."""
        return self.n_grids == self.lower_bound


def partition(
    units: Units,
    *,
    cap: float,
    groups: pd.Series | None = None,
    seed: int = 0,
    has_time: Callable[[], bool] = lambda: True,
) -> Partition:
    """Divide units into connected grids of at most a cap, each inside one area.

    Parameters
    ----------
    units
        What is divided. A unit over the cap gets a grid of its own.
    cap
        Households a grid may hold, above 0.
    groups
        Group of each unit, on their order: one that fits under the cap stays together, and bounds are those of such plans.
    seed
        Of the random turns: the same seed gives the same division.
    has_time
        Asked between tries; once it says no, the best division so far is returned.

    Raises
    ------
    ValueError
        If the cap is not above 0.

    Notes
    -----
    A small connected part is solved exactly. A larger one is cut in two again and again, the shorter border first; the number
    of grids starts at the proven least and grows by one when no way is found. Then the grids are made rounder.
    """
    ground = ground_of(units)
    if groups is None:
        return _partition(units, ground, cap=cap, chance=np.random.default_rng(seed), has_time=has_time)
    pieces = kept_together(units, groups, cap=cap)
    found = _partition(
        as_pieces(units, pieces),
        ground_of_pieces(ground, pieces),
        cap=cap,
        chance=np.random.default_rng(seed),
        has_time=has_time,
    )
    return replace(found, grids=found.grids[pieces], oversized=np.flatnonzero(np.isin(pieces, found.oversized)))


def _partition(
    units: Units, ground: Ground, *, cap: float, chance: np.random.Generator, has_time: Callable[[], bool]
) -> Partition:
    bound = fewest_grids(units, cap=cap)
    grids = np.full(len(units), -1, dtype=np.intp)
    grids[bound.oversized] = np.arange(len(bound.oversized))
    n_grids, lower_bound, is_complete = len(bound.oversized), bound.n_grids, True
    land = land_of(units)
    for part in np.unique(bound.parts[bound.parts >= 0]):
        members = np.flatnonzero(bound.parts == part)
        found = _divide(land.part(members), ground.part(members), cap=cap, chance=chance, has_time=has_time)
        grids[members] = found.grids + n_grids
        n_grids += int(found.grids.max()) + 1
        lower_bound += found.raised
        is_complete &= found.is_complete
    return Partition(
        grids=grids,
        n_grids=n_grids,
        lower_bound=lower_bound,
        oversized=bound.oversized,
        is_complete=is_complete,
    )


def land_of(units: Units) -> Land:
    """Return the units as land; a border costs its length, one that a bridge or a sight line makes costs one metre."""
    near = units.neighbours
    cost = np.maximum(near.border_m, 1.0)
    rows, columns = np.concatenate([near.first, near.second]), np.concatenate([near.second, near.first])
    graph = csr_array((np.tile(cost, 2), (rows, columns)), shape=(len(units), len(units)))
    middles = units.shapes.centroid
    return Land(graph, units.weights, np.column_stack([middles.x, middles.y]))


def ground_of(units: Units) -> Ground:
    """Return what the shapes of grids follow from; points stand for the land nearest to them."""
    near, cells = units.neighbours, land_of_shapes(units.shapes.to_numpy())
    return Ground(
        area=shapely.area(cells),
        outline=shapely.length(cells),
        first=near.first,
        second=near.second,
        border=near.border_m,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Division:
    """Grids of one connected part, by how much its least number was raised, and whether it was tried to the end."""

    grids: Ints
    raised: int
    is_complete: bool


def _divide(
    land: Land, ground: Ground, *, cap: float, chance: np.random.Generator, has_time: Callable[[], bool]
) -> _Division:
    """Divide a connected part: exactly when it is small, else the least number for which a way is found."""
    least = max(1, packing_bound(land.weights, cap=cap))
    raised, is_proven = 0, True
    for n_grids in range(least, len(land.weights) + 1):
        exact = _exactly(land, ground, cap=cap, n_grids=n_grids, most=_SETS_AT_ONCE, has_time=has_time)
        if exact.grids is not None:
            return _Division(grids=exact.grids, raised=raised, is_complete=True)
        for turn in range(_TURNS):
            if exact.is_impossible:
                break
            grids = _search(land, ground, cap=cap, n_grids=n_grids, chance=chance, has_time=has_time)
            if grids is not None:
                grids = refine(land, ground, grids, cap=cap, chance=chance, has_time=has_time)
                return _Division(grids=grids, raised=raised, is_complete=has_time())
            if not has_time():
                return _Division(grids=_greedy(land, cap=cap), raised=raised, is_complete=False)
            if turn == 0:
                exact = _exactly(land, ground, cap=cap, n_grids=n_grids, most=_SETS_FOR_A_PROOF, has_time=has_time)
                if exact.grids is not None:
                    return _Division(grids=exact.grids, raised=raised, is_complete=True)
        is_proven = is_proven and exact.is_impossible
        raised += is_proven
    return _Division(grids=np.arange(len(land.weights), dtype=np.intp), raised=raised, is_complete=True)


def _exactly(
    land: Land, ground: Ground, *, cap: float, n_grids: int, most: int, has_time: Callable[[], bool]
) -> ExactDivision:
    # One grid needs no list of sets, and homes without number have too many.
    if n_grids == 1 or len(land.weights) > _UNITS_OF_AN_EXACT_VILLAGE:
        return ExactDivision(grids=None, is_impossible=False)
    return divide_exactly(
        land, ground, cap=cap, n_grids=n_grids, most_sets=most, seconds=_SOLVER_SECONDS, has_time=has_time
    )


def _search(
    land: Land,
    ground: Ground,
    *,
    cap: float,
    n_grids: int,
    chance: np.random.Generator,
    has_time: Callable[[], bool],
) -> Ints | None:
    """Return a division into a number of grids: cut under the cap, else above it and brought under it in heat."""
    for looseness in _LOOSENESS:
        if not has_time():
            return None
        search = _Search(
            cap=cap * (1 + looseness), chance=chance, has_time=has_time, splits_left=_SPLITS_A_GRID * n_grids
        )
        grids = search.into(land, n_grids)
        if grids is None:
            continue
        for heat in _HEATS:
            if _fits(land, grids, cap=cap):
                return grids
            effort = Effort(rounds=_ROUNDS_TO_FIT, heat=heat)
            grids = smooth(land, ground, grids, cap=cap, effort=effort, chance=chance, has_time=has_time)
        if _fits(land, grids, cap=cap):
            return grids
    return None


def _fits(land: Land, grids: Ints, *, cap: float) -> bool:
    return bool(np.bincount(grids, weights=land.weights).max() <= cap + _ROUNDING)


@dataclass(kw_only=True, eq=False)
class _Search:
    """One try to divide land into a number of grids: it ends after so many splits."""

    cap: float
    chance: np.random.Generator
    has_time: Callable[[], bool]
    splits_left: int

    def into(self, land: Land, n_grids: int) -> Ints | None:
        """Divide connected land into a number of grids, None when no way was found."""
        if len(land.weights) < n_grids or packing_bound(land.weights, cap=self.cap) > n_grids:
            return None
        if n_grids == 1:
            return np.zeros(len(land.weights), dtype=np.intp)
        n_first = n_grids // 2
        n_second = n_grids - n_first
        ideal = land.total * n_first / n_grids
        least, most = max(0.0, land.total - n_second * self.cap), min(land.total, n_first * self.cap)
        # A fair share first, then all the room that the cap leaves.
        room = min(most - ideal, ideal - least)
        for share in _SHARES_OF_ROOM if room > _ROUNDING else (1.0,):
            if self.splits_left <= 0 or not self.has_time():
                return None
            self.splits_left -= 1
            n_ways = _FEW if n_grids > _MANY_GRIDS else _MANY
            low, high = ideal - room * share, ideal + room * share
            for split in splits(land, least=low, most=high, n=n_ways, chance=self.chance):
                labels = self._both(land, split.is_first, n_first, n_second)
                if labels is not None:
                    return labels
        return None

    def _both(self, land: Land, is_first: Flags, n_first: int, n_second: int) -> Ints | None:
        labels = np.empty(len(is_first), dtype=np.intp)
        offset = 0
        for members, n_grids in ((np.flatnonzero(is_first), n_first), (np.flatnonzero(~is_first), n_second)):
            inside = self.into(land.part(members), n_grids)
            if inside is None:
                return None
            labels[members] = inside + offset
            offset += n_grids
        return labels


def _greedy(land: Land, *, cap: float) -> Ints:
    """Fill one connected grid after the other: whole and below the cap, whatever the number."""
    labels = np.full(len(land.weights), -1, dtype=np.intp)
    grid = -1
    for start in np.argsort(land.xy[:, 0], kind="stable"):
        if labels[start] >= 0:
            continue
        grid += 1
        weight, edge = 0.0, [int(start)]
        while edge:
            unit = edge.pop(0)
            if labels[unit] >= 0 or weight + land.weights[unit] > cap:
                continue
            labels[unit] = grid
            weight += float(land.weights[unit])
            edge.extend(other for other in land.neighbours[unit] if labels[other] < 0)
    return labels
