"""The fewest households that must change their grid, exactly: a mixed integer program that learns what hangs together."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import coo_array, csr_array, vstack

from gridmap.planning.bisect import Flags, Floats, Ints, Land

_ROUNDING = 1e-6
_SOLVED, _INFEASIBLE = 0, 2
# Of two plans that move as many households, the one that moves fewer units: all together weigh less than one household.
_UNITS_BESIDE_A_HOUSEHOLD = 0.5
_MOST_LESSONS = 60
_NO_GRID = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Reassignment:
    """The answer of the program.

    Parameters
    ----------
    grids
        A legal plan that moves the fewest households; None when none was found.
    bound
        No legal plan moves fewer households.
    is_impossible
        Whether it is proven that there is no legal plan of so many grids.
    """

    grids: Ints | None
    bound: float
    is_impossible: bool


def reassign(
    land: Land, grids: Ints, *, n_grids: int, cap: float, seconds: float, has_time: Callable[[], bool] = lambda: True
) -> Reassignment:
    """Return the legal plan that moves the fewest households.

    Parameters
    ----------
    land
        The units; need not be connected.
    grids
        Grid of each now, -1: none.
    n_grids
        Grids there may be, those of the plan first.
    cap
        Households a grid may hold.
    seconds
        Time of each run of the solver.
    has_time
        Asked between runs.

    Notes
    -----
    The program knows the cap at first. Whenever its answer has a grid in pieces it learns: one unit of each piece can both be in a
    grid only if a unit of those that part them is (Carvajal et al., 2013; Oehrlein and Haunert, 2017).
    """
    n_units = len(grids)
    program = _Program.begin(land, grids, n_grids=n_grids, cap=cap)
    spread = _UNITS_BESIDE_A_HOUSEHOLD
    bound = 0.0
    are_whole = bool((land.weights == np.round(land.weights)).all())
    for _ in range(_MOST_LESSONS):
        if not has_time():
            break
        solved = program.solve(seconds)
        if solved.status == _INFEASIBLE:
            return Reassignment(grids=None, bound=bound, is_impossible=True)
        if solved.mip_dual_bound is not None and np.isfinite(solved.mip_dual_bound):
            least = max(0.0, float(solved.mip_dual_bound) - spread * (n_units > 0))
            bound = max(bound, np.ceil(least - _ROUNDING) if are_whole else least)
        if solved.x is None:
            break
        answer = np.argmax(solved.x.reshape(n_units, n_grids), axis=1).astype(np.intp)
        is_legal = not program.learn(land, answer, grids)
        if solved.status != _SOLVED and not is_legal:  # too hard to go on with
            break
        if is_legal:
            moved = float(land.weights[answer != grids].sum())
            is_optimal = solved.status == _SOLVED
            return Reassignment(grids=answer, bound=moved if is_optimal else min(bound, moved), is_impossible=False)
    return Reassignment(grids=None, bound=bound, is_impossible=False)


@dataclass(eq=False)
class _Program:
    """Variables: unit u is in grid g, numbered u · n_grids + g."""

    cost: Floats
    n_grids: int
    once: csr_array
    rows: csr_array
    most: Floats

    @classmethod
    def begin(cls, land: Land, grids: Ints, *, n_grids: int, cap: float) -> "_Program":
        n_units = len(grids)
        away = np.ones((n_units, n_grids), dtype=bool)
        held = np.flatnonzero(grids != _NO_GRID)
        away[held, grids[held]] = False
        cost = away * (land.weights[:, None] + _UNITS_BESIDE_A_HOUSEHOLD / max(n_units, 1))
        unit, grid = np.divmod(np.arange(n_units * n_grids), n_grids)
        shape = (n_units, n_units * n_grids)
        once = csr_array((np.ones(len(unit)), (unit, np.arange(len(unit)))), shape=shape)
        full = csr_array((land.weights[unit], (grid, np.arange(len(unit)))), shape=(n_grids, n_units * n_grids))
        return cls(cost.ravel(), n_grids, once, full, np.full(n_grids, float(cap)))

    def solve(self, seconds: float) -> OptimizeResult:
        return milp(
            self.cost,
            constraints=[LinearConstraint(self.once, 1, 1), LinearConstraint(self.rows, -np.inf, self.most)],
            integrality=np.ones(len(self.cost)),
            bounds=Bounds(0, 1),
            options={"time_limit": seconds},
        )

    def learn(self, land: Land, answer: Ints, grids: Ints) -> bool:
        """Add what the answer has wrong; tell whether there was anything."""
        lessons: list[tuple[int, int, list[int]]] = []
        for grid in range(self.n_grids):
            number, part = land.parts(answer == grid)
            if number <= 1:
                continue
            sizes = np.bincount(part[part >= 0], weights=land.weights[part >= 0] + _ROUNDING)
            main = int(np.argmax(sizes))
            for piece in range(number):
                if piece != main:
                    lessons += _lesson(land, part == piece, part == main, grids == grid)
        self._add(lessons)
        return bool(lessons)

    def _add(self, lessons: list[tuple[int, int, list[int]]]) -> None:
        if not lessons:
            return
        entries, columns, values, most = [], [], [], []
        row = 0
        for one, other, between in lessons:
            for grid in range(self.n_grids):
                held = [one, other, *between]
                entries += [row] * len(held)
                columns += [unit * self.n_grids + grid for unit in held]
                values += [1.0, 1.0] + [-1.0] * len(between)
                most.append(1.0)
                row += 1
        new = coo_array((values, (entries, columns)), shape=(row, len(self.cost))).tocsr()
        self.rows = vstack([self.rows, new], format="csr")
        self.most = np.concatenate([self.most, most])


def _lesson(land: Land, piece: Flags, main: Flags, had: Flags) -> list[tuple[int, int, list[int]]]:
    """Return one unit of a piece, one of the main part, and the units that part them, as few as can be: from both sides."""
    return [
        (_heaviest(land, one, had), _heaviest(land, other, had), _border_between(land, one, other))
        for one, other in ((piece, main), (main, piece))
    ]


def _heaviest(land: Land, inside: Flags, had: Flags) -> int:
    """Return the unit of a part that is most likely to stay: one that had the grid before, the heaviest of them."""
    members = np.flatnonzero(inside)
    return int(members[np.lexsort((-land.weights[members], ~had[members]))[0]])


def _border_between(land: Land, one: Flags, other: Flags) -> list[int]:
    """Return the units that touch a part and from which the other is reached without passing it or each other."""
    touching = {near for unit in np.flatnonzero(one) for near in land.neighbours[unit] if not one[near]}
    waiting = np.flatnonzero(other).tolist()
    seen, reached = set(waiting), set()
    while waiting:
        for near in land.neighbours[waiting.pop()]:
            if near in touching:
                reached.add(near)
            elif near not in seen and not one[near]:
                seen.add(near)
                waiting.append(near)
    return sorted(reached)
