"""A planner's desk: one plan laid out, what is chosen and locked on it, and what can be done with it."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.codes import VILLAGE_DIGITS
from gridmap.crs import STORED_CRS
from gridmap.errors import InputError
from gridmap.planning.certificate import Certificate, certify
from gridmap.planning.compactness import polsby_popper
from gridmap.planning.compare import Difference, compare, kept_codes
from gridmap.planning.cut import cut_polygon
from gridmap.planning.draft import Draft
from gridmap.planning.drawn import grids_of_units
from gridmap.planning.edits import CutUnit, Edit
from gridmap.planning.numbering import next_grid_code, next_piece_codes
from gridmap.planning.partition import partition
from gridmap.planning.repair import repair
from gridmap.planning.standing import standing_units
from gridmap.planning.units import Units
from gridmap.reports.plans import Board
from gridmap.texts import t

_LONGEST_NAME = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Suggestion:
    """A plan for one village that the machine proposes.

    Parameters
    ----------
    village
        Its code.
    grid_of
        Grid of each unit of the village.
    moved_households, bound
        How many change their grid, and how many must at least (repair); grids and the fewest there can be (partition).
    is_proven
        Whether the bound is reached.
    n_grids, n_opened
        Grids of the village then, and how many are new.
    compactness
        Mean Polsby-Popper of its grids.
    is_complete
        False when the time was over.
    """

    village: str
    grid_of: Mapping[str, str]
    moved_households: float
    bound: float
    is_proven: bool
    n_grids: int
    n_opened: int
    compactness: float
    is_complete: bool


@dataclass(kw_only=True, eq=False)
class Desk:
    """One planner's work on one plan; it lives as long as the session.

    Parameters
    ----------
    board
        The plan as it was opened.
    draft
        As it stands now.
    saved
        The edits that are saved.
    chosen, locked
        Units that the next step is about; grids that are left alone.
    village
        Only its units are seen, chosen and cut; None: all.
    """

    board: Board
    draft: Draft
    saved: tuple[Edit, ...]
    chosen: set[str] = field(default_factory=set)
    locked: set[str] = field(default_factory=set)
    village: str | None = None

    @classmethod
    def at(cls, board: Board) -> "Desk":
        """Lay out a plan."""
        draft = board.draft()
        return cls(board=board, draft=draft, saved=draft.log)

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to save."""
        return self.draft.log != self.saved

    def standing(self) -> tuple[Units, pd.Series]:
        """Return the units and their grids as they stand."""
        return standing_units(self.draft, self.board.units)

    def certificate(self) -> Certificate:
        """Judge the plan as it stands."""
        units, grids = self.standing()
        return certify(units, grids, cap=self.board.household_cap)

    def difference(self, other: Draft) -> Difference:
        """Return what this plan changes against another of the same begin."""
        weights = {unit: self.draft.unit_weight(unit) for unit in self.draft.plan}
        weights |= {unit: other.unit_weight(unit) for unit in other.plan if unit not in weights}
        return compare(_series(other.plan), _series(self.draft.plan), n_households=pd.Series(weights))

    def unit_at(self, longitude: float, latitude: float) -> str | None:
        """Return the unit on a place."""
        place = self._metric(shapely.Point(longitude, latitude))
        names = self._in_sight()
        held = shapely.intersects(np.array([self.draft.shape(name) for name in names], dtype=object), place)
        found = np.flatnonzero(held)
        return names[found[0]] if len(found) else None

    def _in_sight(self) -> list[str]:
        return [str(unit) for unit in self.draft.plan if str(unit).startswith(self.village or "")]

    def _metric(self, shape: shapely.Geometry) -> shapely.Geometry:
        zone = self.board.township.metric_epsg
        return gpd.GeoSeries([shape], crs=STORED_CRS).to_crs(zone).iloc[0]

    def look_at(self, village: str | None) -> None:
        """See one village, or all; what is out of sight is chosen no more."""
        self.village = village
        self._forget_what_is_gone()

    def click(self, longitude: float, latitude: float) -> None:
        """Choose the unit on a place, or choose it no more."""
        unit = self.unit_at(longitude, latitude)
        if unit is not None:
            self.chosen ^= {unit}

    def choose_inside(self, ring: shapely.Geometry) -> int:
        """Choose every unit whose middle a lasso holds; returns how many."""
        lasso = self._metric(ring)
        found = {unit for unit in self._in_sight() if lasso.contains(shapely.point_on_surface(self.draft.shape(unit)))}
        self.chosen |= found
        return len(found)

    def give(self, grid: str) -> None:
        """Give the chosen units to a grid.

        Raises
        ------
        InputError
            If nothing is chosen, the grid or a grid of the units is locked, or the grid is not there.
        """
        units = sorted(self.chosen & {str(unit) for unit in self.draft.plan})
        if not units:
            raise InputError(t("planning.nothing_chosen"))
        touched = {grid, *(str(self.draft.plan[unit]) for unit in units)}
        self._require_unlocked(touched)
        self.draft.move(units, grid)
        self.chosen.clear()

    def open_grid(self, village: str) -> str:
        """Open a grid in a village and return its code.

        Raises
        ------
        InfeasibleError
            If the village has used all its numbers.
        """
        code = self._next_code(village)
        self.draft.open(code)
        return code

    def retire(self, grid: str) -> None:
        """Retire an empty grid.

        Raises
        ------
        InputError
            If it has units, or is locked.
        """
        self._require_unlocked({grid})
        self.draft.retire(grid)

    def grid_name(self, grid: str) -> str:
        """Return what a grid is called in this draft."""
        return self.draft.label(grid) or self.board.grid_name(grid)

    def relabel(self, grid: str, name: str) -> None:
        """Call a grid something else.

        Raises
        ------
        InputError
            If the name is blank or longer than a sign can bear, another grid of the village has it, or the grid is locked.
        """
        self._require_unlocked({grid})
        village = grid[:VILLAGE_DIGITS]
        others = {self.grid_name(str(one)) for one in self.draft.grids if one != grid and str(one).startswith(village)}
        if not name or len(name) > _LONGEST_NAME or name in others:
            raise InputError(t("planning.bad_name", name=name, most=_LONGEST_NAME))
        self.draft.relabel(grid, name)

    def rename(self, grid: str, code: str) -> None:
        """Give a grid another code.

        Raises
        ------
        InputError
            If the code is not one of the village, was ever used, or the grid is locked.
        """
        self._require_unlocked({grid})
        is_of_village = code.startswith(grid[:VILLAGE_DIGITS]) and len(code) == len(grid) and code.isdigit()
        if not is_of_village or code in self.board.grid_names:
            raise InputError(t("planning.bad_code", code=code, village=grid[:VILLAGE_DIGITS]))
        self.draft.rename(grid, code)

    def cut(self, line: shapely.LineString) -> tuple[str, tuple[float, float]]:
        """Cut the one unit that a drawn line crosses, or the chosen one; returns it and the households of both pieces.

        Raises
        ------
        InputError
            If the line crosses none or several, its grid is locked, or the cut is refused.
        """
        way = self._metric(line)
        crossed = [unit for unit in self._in_sight() if self.draft.shape(unit).crosses(way)]
        parted = [unit for unit in crossed if self._is_parted(unit, way)] or crossed
        wanted = [unit for unit in parted if unit in self.chosen] or parted
        if len(wanted) != 1:
            raise InputError(t("planning.cut_one", n=len(wanted)))
        unit = wanted[0]
        self._require_unlocked({str(self.draft.plan[unit])})
        shape = self.draft.shape(unit)
        homes = [
            home
            for name in ({unit} if unit in self.board.units.names else self._begun_from(unit))
            for home in self.board.homes_of.get(name, [])
            if name == unit or shape.intersects(home[0])
        ]
        weights = self.draft.cut(unit, way, pieces=next_piece_codes(unit, used=self._units_ever()), homes=homes)
        self.chosen.discard(unit)
        return unit, weights

    def _is_parted(self, unit: str, way: shapely.LineString) -> bool:
        """Tell whether a line goes through a unit, not only into it."""
        try:
            cut_polygon(self.draft.shape(unit), way)
        except InputError:
            return False
        return True

    def undo(self) -> None:
        """Take back the last edit."""
        self.draft.undo()
        self._forget_what_is_gone()

    def redo(self) -> None:
        """Do again what was taken back last."""
        self.draft.redo()
        self._forget_what_is_gone()

    def take_over(self, suggestion: Suggestion, grids: set[str] | None = None) -> None:
        """Take over a suggestion, whole or some of its grids."""
        wanted = {unit: grid for unit, grid in suggestion.grid_of.items() if grids is None or grid in grids}
        for grid in sorted(set(wanted.values()) - {str(grid) for grid in self.draft.grids}):
            self.draft.open(grid)
        for grid in sorted(set(wanted.values())):
            self.draft.move([unit for unit in wanted if wanted[unit] == grid], grid)
        if grids is None:
            mine = [str(grid) for grid in self.draft.grids if str(grid).startswith(suggestion.village)]
            for grid in mine:
                if not self.draft.state(grid).n_units:
                    self.draft.retire(grid)
        self.chosen.clear()

    def take_drawing(self, drawn: gpd.GeoDataFrame, *, tolerance_m: float) -> pd.DataFrame:
        """Give units to grids as polygons drawn elsewhere say; returns how far the drawing was off, per grid.

        Raises
        ------
        InfeasibleError
            If the drawing does not follow the units within the tolerance.
        """
        units, grids = self.standing()
        frame = gpd.GeoDataFrame(geometry=units.shapes)
        found = grids_of_units(frame, drawn.to_crs(frame.crs), tolerance_m=tolerance_m)
        for grid in sorted(set(found.grid_of_unit) - set(self.draft.grids)):
            self.draft.open(grid)
        changed = found.grid_of_unit[found.grid_of_unit != grids]
        for grid, rows in changed.groupby(changed):
            self.draft.move(list(rows.index), grid)
        return found.differences

    # ---- what the machine proposes

    def suggest_repair(self, village: str, *, has_time: Callable[[], bool]) -> Suggestion:
        """Propose the plan nearest to this one that keeps every rule in a village."""
        part, codes = self._village_without_locked(village)
        numbers, names = pd.factorize(codes, sort=True)
        found = repair(part, numbers.astype(np.intp), cap=self.board.household_cap, has_time=has_time)
        labels = [str(name) for name in names]
        for _ in range(found.n_opened):
            labels.append(self._next_code(village, beside=labels))
        return self._suggestion(
            village,
            part,
            pd.Series([labels[grid] for grid in found.grids], index=codes.index),
            bound=found.bound,
            is_proven=found.is_optimal,
            n_opened=found.n_opened,
            is_complete=found.is_complete,
        )

    def suggest_partition(self, village: str, *, seed: int, has_time: Callable[[], bool]) -> Suggestion:
        """Propose a new division of a village; grids keep the code of the one that most of their households had."""
        part, codes = self._village_without_locked(village)
        found = partition(part, cap=self.board.household_cap, seed=seed, has_time=has_time)
        fresh = pd.Series(found.grids, index=codes.index)
        kept = kept_codes(codes, fresh, n_households=pd.Series(part.weights, index=codes.index))
        labels: dict[Hashable, str] = {}
        for grid in range(found.n_grids):
            known = kept.get(grid)
            labels[grid] = str(known) if known is not None else self._next_code(village, beside=list(labels.values()))
        return self._suggestion(
            village,
            part,
            fresh.map(labels),
            bound=float(found.lower_bound),
            is_proven=found.is_optimal,
            n_opened=found.n_grids - len(kept),
            is_complete=found.is_complete,
        )

    def _suggestion(
        self,
        village: str,
        part: Units,
        after: pd.Series,
        *,
        bound: float,
        is_proven: bool,
        n_opened: int,
        is_complete: bool,
    ) -> Suggestion:
        plan = self.draft.plan
        moved = np.array([plan[unit] != grid for unit, grid in after.items()], dtype=bool)
        return Suggestion(
            village=village,
            grid_of={str(unit): str(grid) for unit, grid in after.items()},
            moved_households=float(part.weights[moved].sum()),
            bound=bound,
            is_proven=is_proven,
            n_grids=after.nunique(),
            n_opened=n_opened,
            compactness=float(polsby_popper(part.shapes, after).mean()),
            is_complete=is_complete,
        )

    def _village_without_locked(self, village: str) -> tuple[Units, pd.Series]:
        """Return the units of a village that may change, and their grids; a grid of another village counts as none."""
        units, grids = self.standing()
        number = units.area_names.index(village)
        keep = np.flatnonzero((units.areas == number) & ~grids.isin(self.locked).to_numpy())
        if not len(keep):
            raise InputError(t("planning.all_locked"))
        own = grids.iloc[keep]
        return units.part(keep), own.where(own.astype(str).str.startswith(village))

    # ---- codes

    def _next_code(self, village: str, *, beside: list[str] | None = None) -> str:
        return next_grid_code(village, used=[*self.board.grid_names, *map(str, self.draft.grids), *(beside or [])])

    def _units_ever(self) -> set[str]:
        """Return the code of every unit there ever was, here too."""
        cuts = [edit for edit in self.draft.log if isinstance(edit, CutUnit)]
        cut = {str(code) for edit in cuts for code in (edit.unit, *edit.pieces)}
        return {*self.board.used_units, *map(str, self.draft.plan), *cut}

    def _begun_from(self, unit: str) -> set[str]:
        """Return the unit of the board that a piece was cut from."""
        return {str(name) for name in self.board.units.names if str(name)[:-2] == unit[:-2]}

    def _forget_what_is_gone(self) -> None:
        self.chosen &= set(self._in_sight())
        self.locked &= {str(grid) for grid in self.draft.grids}

    def _require_unlocked(self, grids: set[str]) -> None:
        held = sorted(grids & self.locked)
        if held:
            raise InputError(t("planning.locked_grid", grid=", ".join(held)))


def _series(plan: Mapping[Hashable, Hashable | None]) -> pd.Series:
    return pd.Series(dict(plan), dtype=object)
