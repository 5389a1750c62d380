"""A plan being edited: every edit is counted at once, and can be undone to the beginning."""

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.errors import InputError
from gridmap.planning.cut import cut_polygon, with_corners
from gridmap.planning.edits import CutUnit, Edit, GridState, Label, Move, Open, Rename, Retire
from gridmap.planning.units import Units
from gridmap.texts import t

_NOISE_M, _NOISE_HOMES = 1e-3, 1e-3


@dataclass(frozen=True, eq=False)
class _Unit:
    """A unit as it stands; a cut replaces it and changes its neighbours, undoing puts the old ones back."""

    shape: shapely.Geometry
    weight: float
    area: int
    touching: frozenset[Hashable]


class Draft:
    """A plan under a planner's hands.

    Parameters
    ----------
    units
        What is divided.
    grids
        Grid of each unit, in their order; None: none.

    Raises
    ------
    ValueError
        If the lengths differ.
    """

    def __init__(self, units: Units, grids: Sequence[Hashable | None]) -> None:
        if len(grids) != len(units):
            raise ValueError(f"`grids` must name a grid for each of {len(units)} units, got {len(grids)}.")
        self._base = units
        self._changed: dict[Hashable, _Unit | None] = {}
        self._position = {name: at for at, name in enumerate(units.names)}
        self._grid_of: dict[Hashable, Hashable | None] = dict(zip(units.names, grids, strict=True))
        self._members: dict[Hashable, set[Hashable]] = {}
        self._weights: dict[Hashable, float] = {}
        self._parts: dict[Hashable, int] = {}
        for name, grid in self._grid_of.items():
            if grid is not None:
                self._members.setdefault(grid, set()).add(name)
                self._weights[grid] = self._weights.get(grid, 0.0) + self.unit_weight(name)
        self._labels: dict[Hashable, str | None] = {}
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._undoing: list[Callable[[], None]] = []

    @property
    def log(self) -> tuple[Edit, ...]:
        """The edits that stand, oldest first: replayed on the beginning they give this plan."""
        return tuple(self._done)

    @property
    def plan(self) -> dict[Hashable, Hashable | None]:
        """Grid of each unit."""
        return dict(self._grid_of)

    @property
    def can_redo(self) -> bool:
        """Return whether an edit was taken back that can be done again."""
        return bool(self._undone)

    def plan_of(self, unit: Hashable) -> Hashable | None:
        """Return the grid of a unit."""
        return self._grid_of[unit]

    @property
    def grids(self) -> tuple[Hashable, ...]:
        """Every grid that is open, also without units."""
        return tuple(self._members)

    def label(self, grid: Hashable) -> str | None:
        """Return what a grid was called in this draft; None: nothing."""
        return self._labels.get(grid)

    def unit_weight(self, unit: Hashable) -> float:
        """Return the households of a unit."""
        changed = self._changed.get(unit)
        return changed.weight if changed else float(self._base.weights[self._position[unit]])

    def shape(self, unit: Hashable) -> shapely.Geometry:
        """Return the ground of a unit."""
        return self._unit(unit).shape

    def neighbours(self, unit: Hashable) -> Collection[Hashable]:
        """Return the units that touch one."""
        changed = self._changed.get(unit)
        if changed:
            return changed.touching
        names = self._base.names
        return [names[other] for other in self._base.neighbours.of(self._position[unit])]

    def state(self, grid: Hashable) -> GridState:
        """Return a grid as it stands; its connection is looked at once after each edit that touches it.

        Raises
        ------
        InputError
            If there is no such grid.
        """
        self._require_grid(grid)
        members = self._members[grid]
        if grid not in self._parts:
            self._parts[grid] = self._count_parts(members)
        return GridState(
            weight=self._weights.get(grid, 0.0),
            n_units=len(members),
            n_parts=self._parts[grid],
            n_areas=len({self.area(unit) for unit in members}),
        )

    # ---- edits

    def move(self, units: Iterable[Hashable], grid: Hashable | None) -> dict[Hashable, GridState]:
        """Give units to a grid, or to none; returns the state of every grid that changed.

        Raises
        ------
        InputError
            If a unit or the grid is not there.
        """
        wanted = tuple(dict.fromkeys(units))
        for unit in wanted:
            self._require_unit(unit)
        if grid is not None:
            self._require_grid(grid)
        moved = tuple(unit for unit in wanted if self._grid_of[unit] != grid)
        before = tuple(self._grid_of[unit] for unit in moved)
        if moved:
            self._do(Move(moved, before, grid))
        touched = dict.fromkeys([grid, *before])
        return {name: self.state(name) for name in touched if name is not None}

    def open(self, grid: Hashable) -> None:
        """Open a grid without units.

        Raises
        ------
        InputError
            If it is there already.
        """
        self._require_new(grid)
        self._do(Open(grid))

    def retire(self, grid: Hashable) -> None:
        """Retire a grid that has no units any more.

        Raises
        ------
        InputError
            If it is not there, or still has units.
        """
        self._require_grid(grid)
        if self._members[grid]:
            raise InputError(t("plan.grid_not_empty", grid=grid, n=len(self._members[grid])))
        self._do(Retire(grid))

    def rename(self, before: Hashable, after: Hashable) -> None:
        """Give a grid another name.

        Raises
        ------
        InputError
            If it is not there, or the name is taken.
        """
        self._require_grid(before)
        self._require_new(after)
        self._do(Rename(before, after))

    def relabel(self, grid: Hashable, label: str) -> None:
        """Call a grid something else; its name, by which it is known here, stays.

        Raises
        ------
        InputError
            If it is not there.
        """
        self._require_grid(grid)
        self._do(Label(grid, self.label(grid), label))

    def cut(
        self,
        unit: Hashable,
        line: shapely.LineString,
        *,
        pieces: tuple[Hashable, Hashable],
        homes: Sequence[tuple[shapely.Point, float]],
    ) -> tuple[float, float]:
        """Cut a unit in two along a line; both pieces stay in its grid. Returns the households of both.

        Parameters
        ----------
        unit
            A polygon.
        line
            See `cut_polygon`.
        pieces
            Names of the western and the eastern piece, both new.
        homes
            Place and weight of what lives in the unit; a home on the line belongs to the western piece.

        Raises
        ------
        InputError
            If there is no such unit, a name is taken, the homes do not add up to the unit, or the line does not cut it.
        """
        self._require_unit(unit)
        if len(set(pieces)) < len(pieces) or any(piece in self._grid_of or piece in self._position for piece in pieces):
            raise InputError(t("plan.unit_is_there", unit=", ".join(str(piece) for piece in pieces)))
        made = cut_polygon(self._unit(unit).shape, line)
        west = sum(weight for place, weight in homes if made.pieces[0].intersects(place))
        total = sum(weight for _, weight in homes)
        if abs(total - self.unit_weight(unit)) > _NOISE_HOMES:
            raise InputError(
                t("plan.homes_do_not_add_up", unit=unit, homes=f"{total:g}", weight=f"{self.unit_weight(unit):g}")
            )
        weights = (float(west), float(total - west))
        self._do(CutUnit(unit, line, pieces, weights))
        return weights

    def undo(self) -> Edit | None:
        """Take back the last edit and return it; None at the beginning."""
        if not self._done:
            return None
        self._undoing.pop()()
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def redo(self) -> Edit | None:
        """Do again the edit that was taken back last and return it; None when there is none."""
        if not self._undone:
            return None
        edit = self._undone.pop()
        self._apply(edit)
        return edit

    def replay(self, edits: Iterable[Edit]) -> None:
        """Do a log of edits, as another draft of the same beginning wrote it."""
        for edit in edits:
            self._do(edit)

    def _do(self, edit: Edit) -> None:
        self._apply(edit)
        self._undone.clear()

    def _apply(self, edit: Edit) -> None:
        self._undoing.append(self._applied(edit))
        self._done.append(edit)

    def _applied(self, edit: Edit) -> Callable[[], None]:
        """Change the plan and return what changes it back."""
        match edit:
            case Move():
                for unit in edit.units:
                    self._put(unit, edit.after)
                return lambda: self._put_back(edit)
            case Open():
                self._members[edit.grid] = set()
                return lambda: self._forget_grid(edit.grid)
            case Retire():
                self._forget_grid(edit.grid)
                return lambda: self._members.__setitem__(edit.grid, set())
            case Rename():
                self._renamed(edit.before, edit.after)
                return lambda: self._renamed(edit.after, edit.before)
            case Label():
                self._labels[edit.grid] = edit.after
                return lambda: self._labels.__setitem__(edit.grid, edit.before)
            case CutUnit():
                return self._cut(edit)

    def _put_back(self, edit: Move) -> None:
        for unit, grid in zip(edit.units, edit.before, strict=True):
            self._put(unit, grid)

    def _put(self, unit: Hashable, grid: Hashable | None) -> None:
        weight, before = self.unit_weight(unit), self._grid_of[unit]
        if before is not None:
            self._members[before].discard(unit)
            self._weights[before] -= weight
            self._parts.pop(before, None)
        if grid is not None:
            self._members[grid].add(unit)
            self._weights[grid] = self._weights.get(grid, 0.0) + weight
            self._parts.pop(grid, None)
        self._grid_of[unit] = grid

    def _forget_grid(self, grid: Hashable) -> None:
        for kept in (self._members, self._weights, self._parts):
            kept.pop(grid, None)

    def _renamed(self, before: Hashable, after: Hashable) -> None:
        members = self._members.pop(before)
        self._members[after] = members
        self._weights[after] = self._weights.pop(before, 0.0)
        self._labels[after] = self._labels.pop(before, None)
        self._parts.pop(before, None)
        for unit in members:
            self._grid_of[unit] = after

    def _cut(self, edit: CutUnit) -> Callable[[], None]:
        old, grid = self._unit(edit.unit), self._grid_of[edit.unit]
        made = cut_polygon(old.shape, edit.line)
        around = {name: self._unit(name) for name in old.touching}
        shapes = {name: with_corners(one.shape, made.corners) for name, one in around.items()}
        touching: dict[Hashable, set[Hashable]] = {
            name: set(one.touching) - {edit.unit} for name, one in around.items()
        }
        first, second = edit.pieces
        sides: tuple[set[Hashable], set[Hashable]] = ({second}, {first})
        for name, shape in shapes.items():
            meets = [shapely.length(shapely.intersection(piece, shape)) > _NOISE_M for piece in made.pieces]
            # What only a bridge joins to the unit stays joined to the nearer piece.
            if not any(meets):
                meets[int(np.argmin([piece.distance(shape) for piece in made.pieces]))] = True
            for piece, side, is_met in zip(edit.pieces, sides, meets, strict=True):
                if is_met:
                    side.add(name)
                    touching[name].add(piece)
        kept = {name: self._changed.get(name) for name in [edit.unit, *edit.pieces, *around]}
        for name, one in around.items():
            self._changed[name] = _Unit(shapes[name], one.weight, one.area, frozenset(touching[name]))
        self._put(edit.unit, None)
        del self._grid_of[edit.unit]
        for piece, shape, weight, side in zip(edit.pieces, made.pieces, edit.weights, sides, strict=True):
            self._changed[piece] = _Unit(shape, weight, old.area, frozenset(side))
            self._grid_of[piece] = None
            self._put(piece, grid)
        return lambda: self._uncut(edit, kept)

    def _uncut(self, edit: CutUnit, kept: dict[Hashable, _Unit | None]) -> None:
        grid = self._grid_of[edit.pieces[0]]
        for piece in edit.pieces:
            self._put(piece, None)
            del self._grid_of[piece]
        for name, one in kept.items():
            if one is None:
                self._changed.pop(name, None)
            else:
                self._changed[name] = one
        self._grid_of[edit.unit] = None
        self._put(edit.unit, grid)

    def _unit(self, unit: Hashable) -> _Unit:
        self._require_unit(unit)
        changed = self._changed.get(unit)
        if changed:
            return changed
        at = self._position[unit]
        return _Unit(
            self._base.shapes.iloc[at],
            float(self._base.weights[at]),
            int(self._base.areas[at]),
            frozenset(self.neighbours(unit)),
        )

    def area(self, unit: Hashable) -> int:
        """Return the number of the area that a unit lies in."""
        changed = self._changed.get(unit)
        return changed.area if changed else int(self._base.areas[self._position[unit]])

    def _count_parts(self, members: set[Hashable]) -> int:
        left, n_parts = set(members), 0
        while left:
            n_parts += 1
            waiting = deque([left.pop()])
            while waiting:
                for other in self.neighbours(waiting.popleft()):
                    if other in left:
                        left.discard(other)
                        waiting.append(other)
        return n_parts

    def _require_unit(self, unit: Hashable) -> None:
        if unit not in self._grid_of:
            raise InputError(t("plan.no_unit", unit=unit))

    def _require_grid(self, grid: Hashable) -> None:
        if grid not in self._members:
            raise InputError(t("plan.no_grid", grid=grid))

    def _require_new(self, grid: Hashable) -> None:
        if grid in self._members:
            raise InputError(t("plan.grid_is_there", grid=grid))
