"""Grids made rounder and brought under the cap: units at a border change sides, or two change places."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridmap.planning.bisect import Floats, Ints, Land

_LEAST_GAIN = 1e-4
_ROUNDING = 1e-9
_NO_UNIT = -1
# Of each border between two grids so many units are paired with those of the other side; of the pairs so many are tried.
_PAIRED, _TRIED = 10, 12
# One household too many weighs more than any roundness that two grids can gain.
_WORTH_OF_THE_CAP = 4.0
# When people are to stay where they are, one that must not move weighs more than any roundness.
_WORTH_OF_STAYING, _ROUNDNESS_BESIDE_STAYING = 0.05, 0.001
# A grid half the cap away from the mean is as bad as one that is rounder by a sixth is good.
_WORTH_OF_BALANCE = 2 / 3
_COLD_FROM = 0.8


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What the shape of grids follows from.

    Parameters
    ----------
    area, outline
        Of each unit, m² and metres.
    first, second, border
        Pairs of units that touch and the metres they share.
    """

    area: Floats
    outline: Floats
    first: Ints
    second: Ints
    border: Floats

    def part(self, members: Ints) -> "Ground":
        """Return the ground of some units, numbered anew."""
        number = np.full(len(self.area), _NO_UNIT, dtype=np.intp)
        number[members] = np.arange(len(members))
        first, second = number[self.first], number[self.second]
        inside = (first >= 0) & (second >= 0)
        return Ground(
            area=self.area[members],
            outline=self.outline[members],
            first=first[inside],
            second=second[inside],
            border=self.border[inside],
        )

    def roundness(self, grids: Ints, n_grids: int) -> Floats:
        """Return the Polsby-Popper measure of each grid."""
        area, outline = self.sums(grids, n_grids)
        return roundness_of(area, outline)

    def sums(self, grids: Ints, n_grids: int) -> tuple[Floats, Floats]:
        """Return the area and the outline of each grid."""
        inside = grids[self.first] == grids[self.second]
        shared = np.bincount(grids[self.first][inside], weights=self.border[inside], minlength=n_grids)
        area: Floats = np.bincount(grids, weights=self.area, minlength=n_grids).astype(float)
        outline: Floats = np.bincount(grids, weights=self.outline, minlength=n_grids) - 2.0 * shared
        return area, outline


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long grids are worked at.

    Parameters
    ----------
    rounds
        How often at most all borders are looked at.
    heat
        How much worse a change may be at first, in roundness; 0: only what gains.
    """

    rounds: int
    heat: float = 0.0


def smooth(
    land: Land,
    ground: Ground,
    grids: Ints,
    *,
    cap: float,
    effort: Effort,
    chance: np.random.Generator,
    homes: Ints | None = None,
    has_time: Callable[[], bool] = lambda: True,
) -> Ints:
    """Return the best grids found: connected, as many as before, nearer to the cap where one was above, rounder, more equal.

    Parameters
    ----------
    land, ground
        The same units.
    grids
        Grid of each unit, from 0 without holes; each connected.
    cap
        Households a grid may hold. No change makes the excess over it greater, except in heat.
    effort
        How long.
    chance
        Of the changes in heat.
    homes
        Grid that each unit had (-1: none): then as few households as can be are away from it, and roundness decides the
        rest. None: roundness alone.
    has_time
        Asked before each round.
    """
    state = _Grids(land, ground, grids, cap, homes)
    best, best_grids = state.worth(), grids
    for round_ in range(effort.rounds):
        if not has_time():
            break
        share = round_ / (_COLD_FROM * effort.rounds)
        heat = effort.heat * max(0.0, 1 - share) ** 2
        changed = state.improve(heat, chance)
        if (worth := state.worth()) > best:
            best, best_grids = worth, state.grids.copy()
        if not changed and not heat:
            break
    return best_grids


def roundness_of(area: Floats, outline: Floats) -> Floats:
    """Return Polsby-Popper: 4 π area ÷ outline²."""
    roundness: Floats = 4 * np.pi * area / np.maximum(outline, _ROUNDING) ** 2
    return roundness


def unevenness(households: Floats, *, mean: float, cap: float) -> Floats:
    """Return how bad it is that grids are not equally large, in roundness."""
    uneven: Floats = _WORTH_OF_BALANCE * np.square((households - mean) / cap)
    return uneven


@dataclass(frozen=True, eq=False)
class _Steps:
    """Units that could go over a border: from which grid to which, and what the two outlines gain by it."""

    unit: Ints
    source: Ints
    target: Ints
    leaves: Floats
    comes: Floats


class _Grids:
    """Grids under work, their sums kept."""

    def __init__(self, land: Land, ground: Ground, grids: Ints, cap: float, homes: Ints | None) -> None:
        self.land, self.ground, self.cap, self.homes = land, ground, cap, homes
        self.grids, self.grid_of = grids.copy(), grids.tolist()
        self.n_grids = int(grids.max()) + 1
        self.n_units = np.bincount(grids, minlength=self.n_grids)
        self.households: Floats = np.bincount(grids, weights=land.weights, minlength=self.n_grids).astype(float)
        self.mean = land.total / self.n_grids
        self.area, self.outline = ground.sums(grids, self.n_grids)
        self.one = np.concatenate([ground.first, ground.second])
        self.other = np.concatenate([ground.second, ground.first])
        self.border = np.tile(ground.border, 2)

    def worth(self) -> float:
        """Return the mean roundness, far less when a grid is over the cap."""
        excess = np.maximum(self.households - self.cap, 0).sum()
        roundness = roundness_of(self.area, self.outline).mean()
        if self.homes is None:
            uneven = unevenness(self.households, mean=self.mean, cap=self.cap).mean()
            return float(roundness - uneven - _WORTH_OF_THE_CAP * excess)
        away = self.land.weights[self.grids != self.homes].sum()
        return float(_ROUNDNESS_BESIDE_STAYING * roundness - _WORTH_OF_STAYING * away - _WORTH_OF_THE_CAP * excess)

    def _comes_home(self, unit: Ints, source: Ints, target: Ints) -> Floats:
        """Return the households that are in the grid they had after a step and were not before."""
        if self.homes is None:
            return np.zeros(len(unit))
        homes = self.homes[unit]
        more: Floats = self.land.weights[unit] * ((target == homes).astype(float) - (source == homes))
        return more

    def improve(self, heat: float, chance: np.random.Generator) -> bool:
        """Make the best changes of which no two meet in a grid; tell whether there was one."""
        steps = self._steps()
        no_unit = np.full(len(steps.unit), _NO_UNIT, dtype=np.intp)
        one, back = self._pairs(steps)
        there, home = np.concatenate([np.arange(len(steps.unit)), one]), np.concatenate([no_unit, back])
        gain = self._gain(steps, there, home)
        if heat:
            gain += heat * chance.gumbel(size=len(gain))
        good = np.flatnonzero(gain > _LEAST_GAIN)
        busy: set[int] = set()
        for at in good[np.argsort(-gain[good], kind="stable")][: _TRIED * self.n_grids].tolist():
            step, back_step = int(there[at]), int(home[at])
            source, target = int(steps.source[step]), int(steps.target[step])
            if source in busy or target in busy:
                continue
            returning = int(steps.unit[back_step]) if back_step != _NO_UNIT else _NO_UNIT
            if self._change(int(steps.unit[step]), returning, source, target):
                busy |= {source, target}
        self.area, self.outline = self.ground.sums(self.grids, self.n_grids)
        return bool(busy)

    def _steps(self) -> _Steps:
        from_grid, to_grid = self.grids[self.one], self.grids[self.other]
        crosses = from_grid != to_grid
        keys, at = np.unique(self.one[crosses] * self.n_grids + to_grid[crosses], return_inverse=True)
        unit, target = keys // self.n_grids, keys % self.n_grids
        shared = np.bincount(at, weights=self.border[crosses], minlength=len(keys))
        kept = np.bincount(self.one[~crosses], weights=self.border[~crosses], minlength=len(self.grids))
        outline = self.ground.outline[unit]
        return _Steps(unit, self.grids[unit], target, 2 * kept[unit] - outline, outline - 2 * shared)

    def _pairs(self, steps: _Steps) -> tuple[Ints, Ints]:
        """Return pairs of steps over one border in opposite ways, of the most promising of each way."""
        promise = self._gain(steps, np.arange(len(steps.unit)), np.full(len(steps.unit), _NO_UNIT), counts_cap=False)
        order = np.lexsort((-promise, steps.target, steps.source))
        border = steps.source[order] * self.n_grids + steps.target[order]
        keys, begins, counts = np.unique(border, return_index=True, return_counts=True)
        rank = np.arange(len(border)) - np.repeat(begins, counts)
        table = np.full((len(keys), _PAIRED), _NO_UNIT, dtype=np.intp)
        kept = rank < _PAIRED
        table[np.repeat(np.arange(len(keys)), counts)[kept], rank[kept]] = order[kept]
        # Units that touch across a border are listed from both sides, so each key has its reverse.
        upward = np.flatnonzero(keys // self.n_grids < keys % self.n_grids)
        reverse = np.searchsorted(keys, (keys[upward] % self.n_grids) * self.n_grids + keys[upward] // self.n_grids)
        one, back = np.broadcast_arrays(table[upward][:, :, None], table[reverse][:, None, :])
        are_steps = (one != _NO_UNIT) & (back != _NO_UNIT)
        return one[are_steps], back[are_steps]

    def _gain(self, steps: _Steps, there: Ints, home: Ints, *, counts_cap: bool = True) -> Floats:
        """Return by how much the roundness of two grids rises when a step is made, and another one back (-1: none)."""
        unit, source, target = steps.unit[there], steps.source[there], steps.target[there]
        source_more, target_more = steps.leaves[there], steps.comes[there]
        area, households = self.ground.area[unit], self.land.weights[unit]
        returns = home != _NO_UNIT
        if returns.any():
            touch = 2 * self._touch(unit, np.where(returns, steps.unit[home], unit))
            source_more = source_more + np.where(returns, steps.comes[home] + touch, 0.0)
            target_more = target_more + np.where(returns, steps.leaves[home] + touch, 0.0)
            area = area - np.where(returns, self.ground.area[steps.unit[home]], 0.0)
            households = households - np.where(returns, self.land.weights[steps.unit[home]], 0.0)
        before = roundness_of(self.area, self.outline)
        after_source = roundness_of(self.area[source] - area, self.outline[source] + source_more)
        after_target = roundness_of(self.area[target] + area, self.outline[target] + target_more)
        gain = after_source + after_target - before[source] - before[target]
        if self.homes is not None:
            home_again = self._comes_home(unit, source, target)
            home_again += np.where(returns, self._comes_home(steps.unit[home], target, source), 0.0)
            gain = _ROUNDNESS_BESIDE_STAYING * gain + _WORTH_OF_STAYING * home_again
        else:
            after_both = np.stack([self.households[source] - households, self.households[target] + households])
            before_both = np.stack([self.households[source], self.households[target]])
            gain -= (
                unevenness(after_both, mean=self.mean, cap=self.cap)
                - unevenness(before_both, mean=self.mean, cap=self.cap)
            ).sum(axis=0)
        if counts_cap:
            excess = np.maximum(self.households - self.cap, 0)
            after = np.maximum(self.households[source] - households - self.cap, 0)
            after += np.maximum(self.households[target] + households - self.cap, 0)
            more = after - excess[source] - excess[target]
            gain -= _WORTH_OF_THE_CAP * np.where(np.abs(more) > _ROUNDING, more, 0.0)
        return gain

    @cached_property
    def _shared(self) -> tuple[Ints, Floats]:
        keys = self.one * len(self.grids) + self.other
        order = np.argsort(keys)
        return keys[order], self.border[order]

    def _touch(self, one: Ints, other: Ints) -> Floats:
        """Return the metres that units share."""
        keys, border = self._shared
        wanted = one * len(self.grids) + other
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, border[at], 0.0)

    def _change(self, unit: int, back: int, source: int, target: int) -> bool:
        """Make a change if both grids stay in one piece by it."""
        self._put(unit, target)
        self._put(back, source)
        if self._holds(source, left=unit, came=back) and self._holds(target, left=back, came=unit):
            for moved, grid, old in ((unit, target, source), (back, source, target)):
                if moved != _NO_UNIT:
                    self._count(moved, grid, old)
            return True
        self._put(unit, source)
        self._put(back, target)
        return False

    def _put(self, unit: int, grid: int) -> None:
        if unit != _NO_UNIT:
            self.grid_of[unit] = grid

    def _count(self, unit: int, grid: int, old: int) -> None:
        self.grids[unit] = grid
        self.households[grid] += self.land.weights[unit]
        self.households[old] -= self.land.weights[unit]
        self.n_units[grid] += 1
        self.n_units[old] -= 1

    def _holds(self, grid: int, *, left: int, came: int) -> bool:
        """Tell whether a grid is in one piece, and is not lost, after a unit has left it and another has come (-1: none)."""
        grid_of, neighbours = self.grid_of, self.land.neighbours
        wanted = set()
        if left != _NO_UNIT:
            wanted = {other for other in neighbours[left] if grid_of[other] == grid}
        if came != _NO_UNIT:
            around = [other for other in neighbours[came] if grid_of[other] == grid]
            others = int(self.n_units[grid]) - (left != _NO_UNIT)
            if not around and others:
                return False
            wanted.add(came)
        if not wanted:
            return False
        start = wanted.pop()
        seen, waiting = {start}, deque([start])
        while waiting and wanted:
            for other in neighbours[waiting.popleft()]:
                if grid_of[other] == grid and other not in seen:
                    seen.add(other)
                    wanted.discard(other)
                    waiting.append(other)
        return not wanted
