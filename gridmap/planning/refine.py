"""A finished division made rounder: two grids beside each other are divided anew, then borders are smoothed."""

from collections.abc import Callable

import numpy as np

from gridmap.planning.bisect import Flags, Floats, Ints, Land, splits
from gridmap.planning.smooth import Effort, Ground, smooth, unevenness

_COLD = Effort(rounds=100)
# Blocks are few and stand in each other's way: more heat brings them over; homes are many and only shiver.
_WARM_BLOCKS, _WARM_HOMES = Effort(rounds=400, heat=0.1), Effort(rounds=60, heat=0.01)
_FEW_UNITS_A_GRID = 30
_PASSES, _WAYS = 2, 4
_MOST_UNITS_DIVIDED_ANEW = 15_000
_LEAST_GAIN = 1e-6


def refine(
    land: Land,
    ground: Ground,
    grids: Ints,
    *,
    cap: float,
    chance: np.random.Generator,
    has_time: Callable[[], bool] = lambda: True,
) -> Ints:
    """Return a rounder division: connected, under the cap and as many grids as before.

    Parameters
    ----------
    land, ground
        The same units.
    grids
        Grid of each unit, from 0 without holes; each connected and under the cap.
    cap
        Households a grid may hold.
    chance
        Of the order and of changes in heat.
    has_time
        Asked between steps.
    """
    if grids.max() == 0:
        return grids
    for _ in range(_PASSES):
        grids = smooth(land, ground, grids, cap=cap, effort=_COLD, chance=chance, has_time=has_time)
        grids = _divide_pairs_anew(land, ground, grids, cap=cap, chance=chance, has_time=has_time)
    few = len(grids) <= _FEW_UNITS_A_GRID * (int(grids.max()) + 1)
    warm = _WARM_BLOCKS if few else _WARM_HOMES
    return smooth(land, ground, grids, cap=cap, effort=warm, chance=chance, has_time=has_time)


def _divide_pairs_anew(
    land: Land, ground: Ground, grids: Ints, *, cap: float, chance: np.random.Generator, has_time: Callable[[], bool]
) -> Ints:
    """Divide each two grids that touch in another way when that is rounder, the least round pairs first."""
    grids = grids.copy()
    n_grids = int(grids.max()) + 1
    left = _MOST_UNITS_DIVIDED_ANEW
    for one, other in _touching(ground, grids, n_grids):
        members = np.flatnonzero((grids == one) | (grids == other))
        left -= len(members)
        if left < 0 or not has_time():
            break
        both, piece = land.part(members), ground.part(members)
        mean = land.total / n_grids
        is_one = _rounder(both, piece, grids[members] == one, mean=mean, cap=cap, chance=chance)
        grids[members] = np.where(is_one, one, other)
    return grids


def _touching(ground: Ground, grids: Ints, n_grids: int) -> list[tuple[int, int]]:
    one, other = grids[ground.first], grids[ground.second]
    across = one != other
    keys = np.unique(np.minimum(one, other)[across] * n_grids + np.maximum(one, other)[across])
    ones, others = keys // n_grids, keys % n_grids
    roundness: Floats = ground.roundness(grids, n_grids)
    order = np.argsort(roundness[ones] + roundness[others], kind="stable")
    return list(zip(ones[order].tolist(), others[order].tolist(), strict=True))


def _rounder(
    both: Land, piece: Ground, is_one: Flags, *, mean: float, cap: float, chance: np.random.Generator
) -> Flags:
    if not (is_one[piece.first] != is_one[piece.second]).any():  # an earlier change has parted them
        return is_one
    best, roundest = is_one, _worth(both, piece, is_one, mean=mean, cap=cap) + _LEAST_GAIN
    for split in splits(both, least=max(0.0, both.total - cap), most=cap, n=_WAYS, chance=chance):
        if (now := _worth(both, piece, split.is_first, mean=mean, cap=cap)) > roundest:
            best, roundest = split.is_first, now
    return best


def _worth(both: Land, piece: Ground, is_one: Flags, *, mean: float, cap: float) -> float:
    side = (~is_one).astype(np.intp)
    households: Floats = np.bincount(side, weights=both.weights, minlength=2).astype(float)
    return float(piece.roundness(side, 2).sum() - unevenness(households, mean=mean, cap=cap).sum())
