"""How few grids could do: a number that no plan can go below, and why."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridmap.planning.neighbours import Ints
from gridmap.planning.units import Units

Floats = npt.NDArray[np.float64]
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class FewestGrids:
    """The proven least number of grids.

    Parameters
    ----------
    n_grids
        No plan has fewer, were it as good as can be.
    oversized
        Positions of units that alone exceed the cap; each needs a grid of its own.
    by_area
        The least number for each area, on the order of `Units.area_names`.
    parts
        Connected part of each unit inside its area without the oversized units; -1 for those.
    """

    n_grids: int
    oversized: Ints
    by_area: Ints
    parts: Ints


def fewest_grids(units: Units, *, cap: float) -> FewestGrids:
    """Return the least number of grids that hold every unit, each connected, inside one area and at most `cap`.

    Parameters
    ----------
    units
        What is to be divided.
    cap
        Households a grid may hold, above 0.

    Raises
    ------
    ValueError
        If the cap is not above 0.

    Notes
    -----
    Sum over connected parts of the bin packing bound L2 of Martello and Toth (1990), which also counts units that do not
    fit together; a part without households needs a grid, unless an oversized unit beside it could take it along.
    """
    if not cap > 0:
        raise ValueError(f"`cap` must be above 0, got {cap}.")
    is_oversized = units.weights > cap
    labels = np.where(is_oversized, -1 - np.arange(len(units)), units.areas)
    parts = units.neighbours.parts(labels)
    by_area = np.bincount(units.areas, weights=is_oversized, minlength=len(units.area_names)).astype(np.intp)
    rest = np.flatnonzero(~is_oversized)
    order = rest[np.argsort(parts[rest], kind="stable")]
    for members in np.split(order, np.flatnonzero(np.diff(parts[order])) + 1):
        if not len(members):
            continue
        needed = packing_bound(units.weights[members], cap=cap)
        if not needed:
            needed = 0 if _touches(units, members, is_oversized) else 1
        by_area[units.areas[members[0]]] += needed
    return FewestGrids(
        n_grids=int(by_area.sum()),
        oversized=np.flatnonzero(is_oversized),
        by_area=by_area,
        parts=np.where(is_oversized, -1, parts),
    )


def _touches(units: Units, members: Ints, flags: npt.NDArray[np.bool_]) -> bool:
    area = units.areas[members[0]]
    return any(
        (flags[others] & (units.areas[others] == area)).any()
        for others in (units.neighbours.of(int(member)) for member in members)
    )


def packing_bound(weights: Floats, *, cap: float) -> int:
    """Return how many bins of size `cap` the weights need at least (L2 of Martello and Toth).

    Examples
    --------
    >>> packing_bound(np.array([60.0, 60.0, 60.0]), cap=100), packing_bound(np.array([50.0, 50.0, 1.0]), cap=100)
    (3, 2)
    """
    ordered = np.sort(weights)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    best = math.ceil(float(sums[-1]) / cap - _ROUNDING)
    n = len(ordered)
    half = int(np.searchsorted(ordered, cap / 2, side="right"))
    n_large = int(n - half)
    for smallest in np.unique(ordered[:half]):
        begin = int(np.searchsorted(ordered, smallest, side="left"))
        alone = int(np.searchsorted(ordered, cap - smallest, side="right"))
        room = (alone - half) * cap - (sums[alone] - sums[half])
        overflow = float(sums[half] - sums[begin] - room) / cap
        best = max(best, n_large + max(0, math.ceil(overflow - _ROUNDING)))
    return max(best, n_large)
