"""One village brought back to the rules: exactly while it is small, else around each breach and by search."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gridmap.planning.bisect import Flags, Floats, Ints, Land, splits
from gridmap.planning.bounds import packing_bound
from gridmap.planning.reassign import reassign
from gridmap.planning.smooth import Effort, Ground, smooth

HasTime = Callable[[], bool]
_NO_GRID = -1
_ROUNDING = 1e-9
# Units times grids: beyond, the exact program takes too long for the whole, and for the surroundings of a breach.
_MOST_UNITS, _MOST_CHOICES, _MOST_CHOICES_AROUND, _SECONDS, _SECONDS_AROUND = 150, 2_500, 1_000, 3.0, 1.0
_HEATS, _ROUNDS = (0.0, 0.3, 1.0, 3.0), 200
_MOST_OPENED_IN_VAIN = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Mended:
    """A village's plan.

    Parameters
    ----------
    grids
        Grid of each unit; opened ones are numbered above the village's; -1: none was found.
    n_opened
        How many were opened.
    bound
        No legal plan with as few opened grids moves fewer households.
    is_legal, is_complete
        Whether every rule holds, and whether time was left.
    """

    grids: Ints
    n_opened: int
    bound: float
    is_legal: bool
    is_complete: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Village:
    """Units of one area, none over the cap, with the grid in which each may stay (-1: none)."""

    land: Land
    ground: Ground
    homes: Ints
    n_grids: int
    cap: float

    def mend(self, chance: np.random.Generator, *, may_open: bool, has_time: HasTime) -> Mended:
        """Return the legal plan nearest to that of the homes."""
        if self.is_legal(self.homes):
            return Mended(grids=self.homes, n_opened=0, bound=0.0, is_legal=True, is_complete=True)
        least = max(0, self._fewest() - self.n_grids)
        bound = self._bound()
        most = len(self.homes) if may_open else 0
        in_vain = 0
        for n_opened in range(least, most + 1):
            n_grids, proven = self.n_grids + n_opened, bound
            if len(self.homes) <= _MOST_UNITS and len(self.homes) * n_grids <= _MOST_CHOICES:
                exact = reassign(
                    self.land, self.homes, n_grids=n_grids, cap=self.cap, seconds=_SECONDS, has_time=has_time
                )
                if exact.grids is not None:
                    return self._answer(exact.grids, bound=max(bound, exact.bound), has_time=has_time)
                if exact.is_impossible:
                    continue
                proven = max(bound, exact.bound)
            plans = list(self._searched(n_opened, chance, has_time=has_time))
            if plans:
                best = min(plans, key=self.moved)
                return self._answer(best, bound=proven, has_time=has_time)
            in_vain += 1
            if in_vain > _MOST_OPENED_IN_VAIN or not has_time():
                break
        if may_open:
            return self._answer(self._shed(), bound=bound, has_time=has_time)
        return Mended(grids=self.homes, n_opened=0, bound=bound, is_legal=False, is_complete=has_time())

    def is_legal(self, grids: Ints) -> bool:
        """Tell whether each unit has a grid, and each grid is connected and under the cap."""
        return not self.breached(grids)

    def breached(self, grids: Ints) -> set[int]:
        """Return the grids that break a rule; -1 stands for units without a grid."""
        found = {_NO_GRID} if (grids == _NO_GRID).any() else set()
        for grid in np.unique(grids[grids != _NO_GRID]).tolist():
            inside = grids == grid
            if self.land.weights[inside].sum() > self.cap + _ROUNDING or self.land.parts(inside)[0] > 1:
                found.add(grid)
        return found

    def moved(self, grids: Ints) -> float:
        """Return the households that are not where they were."""
        return float(self.land.weights[grids != self.homes].sum())

    def _answer(self, grids: Ints, *, bound: float, has_time: HasTime) -> Mended:
        """Return a legal plan as an answer, its opened grids numbered without holes."""
        opened = np.unique(grids[grids >= self.n_grids])
        numbered = grids.copy()
        for number, grid in enumerate(opened.tolist()):
            numbered[grids == grid] = self.n_grids + number
        return Mended(
            grids=numbered,
            n_opened=len(opened),
            bound=min(bound, self.moved(grids)),
            is_legal=True,
            is_complete=has_time(),
        )

    def _fewest(self) -> int:
        number, part = self.land.parts(np.ones(len(self.homes), dtype=bool))
        return sum(max(1, packing_bound(self.land.weights[part == piece], cap=self.cap)) for piece in range(number))

    def _bound(self) -> float:
        """Return what must move at least: who has no grid, and what each grid has too much."""
        excess = [_least_sum(self.land.weights[self.homes == grid], self.cap) for grid in range(self.n_grids)]
        return float(sum(excess) + self.land.weights[self.homes == _NO_GRID].sum())

    def _searched(self, n_opened: int, chance: np.random.Generator, *, has_time: HasTime) -> Iterator[Ints]:
        """Yield legal plans: exact around each breach, and searched on the whole."""
        if n_opened == 0 and (around := self._around(has_time=has_time)) is not None:
            yield around
        begun = self._opened(self._attached(), n_opened, chance)
        if begun is None:
            return
        numbers = np.unique(begun)
        dense = np.searchsorted(numbers, begun)
        homes = np.full(len(begun), _NO_GRID, dtype=np.intp)
        stays = np.isin(self.homes, numbers)
        homes[stays] = np.searchsorted(numbers, self.homes[stays])
        for heat in _HEATS:
            if not has_time():
                return
            effort = Effort(rounds=_ROUNDS, heat=heat)
            found = smooth(
                self.land,
                self.ground,
                dense,
                cap=self.cap,
                effort=effort,
                chance=chance,
                homes=homes,
                has_time=has_time,
            )
            plan = numbers[found]
            if self.is_legal(plan):
                yield plan

    def _around(self, *, has_time: HasTime) -> Ints | None:
        """Solve the surroundings of each breach exactly, widened until there is a legal plan; None when they grow too large."""
        plan = self.homes.copy()
        while has_time():
            breached = self.breached(plan)
            if not breached:
                return plan
            inside = plan == min(breached)
            while has_time():
                mended = self._mend_inside(plan, inside, has_time=has_time)
                if mended is not None:
                    plan = mended
                    break
                wider = self._with_neighbours(plan, inside)
                if wider is None:
                    return None
                inside = wider
        return None

    def _mend_inside(self, plan: Ints, inside: Flags, *, has_time: HasTime) -> Ints | None:
        members = np.flatnonzero(inside)
        names = np.unique(plan[members])
        names = names[names != _NO_GRID]
        homes = np.where(plan[members] == _NO_GRID, _NO_GRID, np.searchsorted(names, plan[members]))
        if not len(names) or self.land.weights[members].sum() > len(names) * self.cap + _ROUNDING:
            return None
        exact = reassign(
            self.land.part(members),
            homes,
            n_grids=len(names),
            cap=self.cap,
            seconds=_SECONDS_AROUND,
            has_time=has_time,
        )
        if exact.grids is None:
            return None
        mended = plan.copy()
        mended[members] = names[exact.grids]
        return mended

    def _with_neighbours(self, plan: Ints, inside: Flags) -> Flags | None:
        """Return a piece with all grids that touch it; None when it grows no more or too large."""
        near = {other for unit in np.flatnonzero(inside) for other in self.land.neighbours[unit]}
        grids = np.unique(plan[sorted(near)])
        wider: Flags = inside | np.isin(plan, grids[grids != _NO_GRID])
        wider[[unit for unit in near if plan[unit] == _NO_GRID]] = True
        n_grids = len(np.unique(plan[wider]))
        too_large = int(wider.sum()) * n_grids > _MOST_CHOICES_AROUND
        return None if too_large or int(wider.sum()) == int(inside.sum()) else wider

    def _attached(self) -> Ints:
        """Return the homes with each cut-off piece, and each unit without a grid, given to a grid beside it, the emptiest first."""
        plan = self.homes.copy()
        for grid in range(self.n_grids):
            number, part = self.land.parts(plan == grid)
            if number > 1:
                sizes = np.bincount(part[part >= 0], weights=self.land.weights[part >= 0] + _ROUNDING)
                plan[(part >= 0) & (part != int(np.argmax(sizes)))] = _NO_GRID
        sums = np.bincount(plan[plan >= 0], weights=self.land.weights[plan >= 0], minlength=self.n_grids)
        waiting = set(np.flatnonzero(plan == _NO_GRID).tolist())
        while waiting:
            choices = [
                (sums[plan[near]] + self.land.weights[unit], unit, int(plan[near]))
                for unit in sorted(waiting)
                for near in self.land.neighbours[unit]
                if plan[near] != _NO_GRID
            ]
            if not choices:
                break
            _, unit, grid = min(choices)
            plan[unit] = grid
            sums[grid] += self.land.weights[unit]
            waiting.discard(unit)
        return plan

    def _opened(self, plan: Ints, n_opened: int, chance: np.random.Generator) -> Ints | None:
        """Return a plan with so many grids opened: land without a grid first, then part of the fullest grids."""
        plan, grid = plan.copy(), self.n_grids
        number, part = self.land.parts(plan == _NO_GRID)
        if number > n_opened:
            return None
        for piece in range(number):
            plan[part == piece] = grid + piece
        for opened in range(grid + number, grid + n_opened):
            sums = np.bincount(plan, weights=self.land.weights)
            members = np.flatnonzero(plan == int(np.argmax(sums)))
            both = self.land.part(members)
            excess = max(both.total - self.cap, float(both.weights[both.weights > 0].min(initial=0.0)))
            found = splits(both, least=excess, most=max(excess, min(self.cap, both.total / 2)), n=1, chance=chance)
            if not found:
                return None
            plan[members[found[0].is_first]] = opened
        return plan

    def _shed(self) -> Ints:
        """Return a plan that certainly is legal: each piece of a grid keeps what fits, the rest gets grids of its own."""
        plan = np.full(len(self.homes), _NO_GRID, dtype=np.intp)
        opened, used = self.n_grids, set()
        for start in np.lexsort((-self.land.weights, self.homes)).tolist():
            if plan[start] != _NO_GRID:
                continue
            home = int(self.homes[start])
            grid, opened = (home, opened) if home != _NO_GRID and home not in used else (opened, opened + 1)
            used.add(grid)
            weight, edge = 0.0, [start]
            while edge:
                unit = edge.pop(0)
                if plan[unit] != _NO_GRID or weight + self.land.weights[unit] > self.cap + _ROUNDING:
                    continue
                plan[unit] = grid
                weight += float(self.land.weights[unit])
                edge += [near for near in self.land.neighbours[unit] if self.homes[near] == home]
        return plan


def _least_sum(weights: Floats, cap: float) -> float:
    """Return the least sum of some weights by which they come under the cap; of fractions only the excess is known."""
    excess = float(weights.sum()) - cap
    if excess <= _ROUNDING:
        return 0.0
    if not (weights == np.round(weights)).all():
        return excess
    reachable = 1
    for weight in weights.astype(int).tolist():
        reachable |= reachable << weight
    rest = reachable >> int(np.ceil(excess - _ROUNDING))
    return float(np.ceil(excess - _ROUNDING) + ((rest & -rest).bit_length() - 1))
