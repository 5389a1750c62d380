"""Small villages divided exactly: every connected set of units under the cap is listed, HiGHS chooses the best cover."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array

from gridmap.planning.bisect import Floats, Ints, Land
from gridmap.planning.smooth import Ground, roundness_of, unevenness

_ROUNDING = 1e-9
_ASK_EVERY = 1_024
_INFEASIBLE = 2
# HiGHS looks at its clock between steps, and its first steps grow with the sets: 40,000 took 48 s of the 2 s it was given.
_MOST_SETS_SOLVED = 8_000


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactDivision:
    """What is known for certain about a division into a number of grids.

    Parameters
    ----------
    grids
        The roundest division, or None.
    is_impossible
        Whether there is none.
    """

    grids: Ints | None
    is_impossible: bool


_UNKNOWN = ExactDivision(grids=None, is_impossible=False)


def divide_exactly(
    land: Land,
    ground: Ground,
    *,
    cap: float,
    n_grids: int,
    most_sets: int,
    seconds: float,
    has_time: Callable[[], bool] = lambda: True,
) -> ExactDivision:
    """Return the division into a number of connected grids under the cap with the roundest and most equal grids, or that none exists.

    Parameters
    ----------
    land, ground
        The same units.
    cap
        Households a grid may hold.
    n_grids
        How many grids.
    most_sets
        When more connected sets than this have been met, nothing is known; nor when too many of them are of use.
    seconds
        Time of the solver.
    has_time
        Asked while sets are listed.

    Notes
    -----
    A set lighter than what the other grids cannot take is left out: with little room under the cap few sets remain.
    """
    listed = _connected_sets(land, cap=cap, most=most_sets, has_time=has_time)
    if listed is None:
        return _UNKNOWN
    least = land.total - (n_grids - 1) * cap
    sets = [held for held, weight in listed if weight >= least - _ROUNDING]
    if not sets:
        return ExactDivision(grids=None, is_impossible=True)
    if len(sets) > _MOST_SETS_SOLVED:
        return _UNKNOWN
    lengths = np.fromiter(map(len, sets), dtype=np.intp, count=len(sets))
    rows = np.fromiter((unit for held in sets for unit in held), dtype=np.intp, count=int(lengths.sum()))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    holds = csc_array((np.ones(len(rows)), rows, starts), shape=(len(land.weights), len(sets)))
    solved = milp(
        unevenness(land.weights @ holds, mean=land.total / n_grids, cap=cap) - _roundness(ground, holds),
        constraints=[
            LinearConstraint(holds, 1, 1),
            LinearConstraint(csc_array(np.ones((1, len(sets)))), n_grids, n_grids),
        ],
        integrality=np.ones(len(sets)),
        bounds=Bounds(0, 1),
        options={"time_limit": seconds},
    )
    if solved.x is None:
        return ExactDivision(grids=None, is_impossible=solved.status == _INFEASIBLE)
    grids = np.empty(len(land.weights), dtype=np.intp)
    for grid, chosen in enumerate(np.flatnonzero(solved.x > 1 / 2)):
        grids[sets[chosen]] = grid
    return ExactDivision(grids=grids, is_impossible=False)


def _roundness(ground: Ground, holds: csc_array) -> Floats:
    pairs = csc_array(
        (
            np.ones(2 * len(ground.first)),
            (np.tile(np.arange(len(ground.first)), 2), np.r_[ground.first, ground.second]),
        ),
        shape=(len(ground.first), len(ground.area)),
    )
    is_inside = (pairs @ holds) > 1
    outline = ground.outline @ holds - 2 * (ground.border @ is_inside.astype(float))
    return roundness_of(ground.area @ holds, outline)


def _connected_sets(
    land: Land, *, cap: float, most: int, has_time: Callable[[], bool]
) -> list[tuple[list[int], float]] | None:
    """List every connected set under the cap with its households, each once; None when there are too many.

    Each set grows from its lowest unit; a unit that was passed over stays out of all that follow (Wernicke, 2006).
    """
    weights = land.weights.tolist()
    found: list[tuple[list[int], float]] = []
    for root in range(len(weights)):
        waiting = [([root], weights[root], [o for o in land.neighbours[root] if o > root], {*range(root + 1)})]
        while waiting:
            held, weight, edge, closed = waiting.pop()
            found.append((held, weight))
            if len(found) > most or (len(found) % _ASK_EVERY == 0 and not has_time()):
                return None
            passed = set(closed)
            for unit in edge:
                if unit in passed:
                    continue
                passed.add(unit)
                if weight + weights[unit] <= cap + _ROUNDING:
                    more = [other for other in land.neighbours[unit] if other not in passed]
                    ahead = [other for other in edge if other not in passed]
                    waiting.append(([*held, unit], weight + weights[unit], [*ahead, *more], set(passed)))
    return found
