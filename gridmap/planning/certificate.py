"""Whether a plan keeps every rule; if not, each breach with the units, the numbers and a place to look at."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.planning.bounds import FewestGrids, fewest_grids
from gridmap.planning.neighbours import Ints
from gridmap.planning.units import Units

Floats = npt.NDArray[np.float64]
KINDS = ("unassigned", "unit_over_cap", "over_cap", "not_contiguous", "crosses_within", "overlap", "gap")
_NOISE_M2 = 1e-4
# Between borders nearer than this nobody meant to leave land out; nearer than the noise they are one.
# A sliver is some times as long as wide; a corner is not.
_NARROW_M, _NOISE_M, _LONG = 1.0, 1e-3, 3.0
_UNASSIGNED = -1


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One breach of a rule.

    Parameters
    ----------
    kind
        One of `KINDS`.
    grid
        The grid, None where the breach is not of one grid.
    units
        The units at fault: those beyond the cap's grid, of the smaller parts, of the smaller areas, or the pair that
        overlaps.
    value
        Households, number of parts or areas, or square metres.
    place
        A point inside, in the units' CRS.
    facts
        More numbers, for the sentence.
    """

    kind: str
    grid: Hashable | None
    units: tuple[Hashable, ...]
    value: float
    place: tuple[float, float]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate:
    """The judgement of a plan.

    Parameters
    ----------
    violations
        Every breach, in the order of `KINDS`; empty: the plan may be published.
    n_grids, n_units, total_weight, max_weight
        Sizes of the plan; the largest grid.
    bound
        The least number of grids that could do.
    """

    violations: tuple[Violation, ...]
    n_grids: int
    n_units: int
    total_weight: float
    max_weight: float
    bound: FewestGrids

    @property
    def is_ok(self) -> bool:
        """Return whether no rule is broken."""
        return not self.violations


def certify(units: Units, grids: pd.Series, *, cap: float) -> Certificate:
    """Judge a plan.

    Parameters
    ----------
    units
        What is divided.
    grids
        Grid of each unit, in their order; null: none.
    cap
        Households a grid may hold, above 0.

    Raises
    ------
    ValueError
        If the cap is not above 0 or the lengths differ.
    """
    if len(grids) != len(units):
        raise ValueError(f"`grids` must name a grid for each of {len(units)} units, got {len(grids)}.")
    bound = fewest_grids(units, cap=cap)
    numbers, names = pd.factorize(grids, sort=True)
    plan = _Plan(units=units, grids=numbers.astype(np.intp), names=tuple(names), cap=cap)
    held = plan.grids != _UNASSIGNED
    totals: Floats = np.bincount(plan.grids[held], weights=units.weights[held], minlength=len(names)).astype(float)
    found = [
        *_unassigned(plan),
        *_unit_over_cap(plan, bound.oversized),
        *_over_cap(plan, totals),
        *_not_contiguous(plan),
        *_crosses_within(plan),
        *_overlaps(units),
        *_gaps(units),
        *_narrow_gaps(units),
    ]
    return Certificate(
        violations=tuple(found),
        n_grids=len(names),
        n_units=len(units),
        total_weight=float(units.weights.sum()),
        max_weight=float(totals.max(initial=0.0)),
        bound=bound,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Plan:
    units: Units
    grids: Ints
    names: tuple[Hashable, ...]
    cap: float

    def members(self) -> Iterator[tuple[int, Ints]]:
        """Go through the grids with their units."""
        order = np.argsort(self.grids, kind="stable")
        starts = np.searchsorted(self.grids[order], np.arange(len(self.names) + 1))
        for grid in range(len(self.names)):
            yield grid, order[starts[grid] : starts[grid + 1]]


def _named(units: Units, at: npt.ArrayLike) -> tuple[Hashable, ...]:
    return tuple(units.names[int(unit)] for unit in np.asarray(at))


def _place(units: Units, unit: int) -> tuple[float, float]:
    point = shapely.point_on_surface(units.shapes.iloc[unit])
    return float(point.x), float(point.y)


def _unassigned(plan: _Plan) -> Iterator[Violation]:
    lost = np.flatnonzero(plan.grids == _UNASSIGNED)
    if len(lost):
        yield Violation(
            kind="unassigned",
            grid=None,
            units=_named(plan.units, lost),
            value=float(len(lost)),
            place=_place(plan.units, int(lost[0])),
            facts={"weight": float(plan.units.weights[lost].sum())},
        )


def _unit_over_cap(plan: _Plan, oversized: Ints) -> Iterator[Violation]:
    for unit in oversized:
        grid = int(plan.grids[unit])
        yield Violation(
            kind="unit_over_cap",
            grid=None if grid == _UNASSIGNED else plan.names[grid],
            units=_named(plan.units, [unit]),
            value=float(plan.units.weights[unit]),
            place=_place(plan.units, int(unit)),
        )


def _over_cap(plan: _Plan, totals: Floats) -> Iterator[Violation]:
    for grid, members in plan.members():
        # A grid that is one unit over the cap is told as that unit.
        if totals[grid] > plan.cap and len(members) > 1:
            largest = int(members[np.argmax(plan.units.weights[members])])
            yield Violation(
                kind="over_cap",
                grid=plan.names[grid],
                units=_named(plan.units, members),
                value=float(totals[grid]),
                place=_place(plan.units, largest),
                facts={"excess": float(totals[grid] - plan.cap)},
            )


def _not_contiguous(plan: _Plan) -> Iterator[Violation]:
    parts = plan.units.neighbours.parts(plan.grids)
    for grid, members in plan.members():
        numbers, counts = np.unique(parts[members], return_counts=True)
        if len(numbers) > 1:
            weights = [plan.units.weights[members[parts[members] == number]].sum() for number in numbers]
            main = numbers[np.lexsort((counts, weights))[-1]]
            apart = members[parts[members] != main]
            yield Violation(
                kind="not_contiguous",
                grid=plan.names[grid],
                units=_named(plan.units, apart),
                value=float(len(numbers)),
                place=_place(plan.units, int(apart[0])),
                facts={"weight": float(plan.units.weights[apart].sum())},
            )


def _crosses_within(plan: _Plan) -> Iterator[Violation]:
    for grid, members in plan.members():
        areas = plan.units.areas[members]
        numbers, counts = np.unique(areas, return_counts=True)
        if len(numbers) > 1:
            strange = members[areas != numbers[np.argmax(counts)]]
            yield Violation(
                kind="crosses_within",
                grid=plan.names[grid],
                units=_named(plan.units, strange),
                value=float(len(numbers)),
                place=_place(plan.units, int(strange[0])),
                facts={"areas": [plan.units.area_names[int(number)] for number in numbers]},
            )


def _overlaps(units: Units) -> Iterator[Violation]:
    shapes = units.shapes.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = np.column_stack([one, other])[one < other]
    pairs = pairs[shapely.get_dimensions(shapes[pairs[:, 0]]) > 0]
    pairs = pairs[~shapely.touches(shapes[pairs[:, 0]], shapes[pairs[:, 1]])]
    shared = shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]])
    area_m2 = shapely.area(shared)
    for at in np.flatnonzero(area_m2 > _NOISE_M2):
        point = shapely.point_on_surface(shared[at])
        yield Violation(
            kind="overlap",
            grid=None,
            units=_named(units, pairs[at]),
            value=float(area_m2[at]),
            place=(float(point.x), float(point.y)),
        )


def _gaps(units: Units) -> Iterator[Violation]:
    """Holes in the land that all units cover together: nobody serves what lies in them."""
    shapes = units.shapes.to_numpy()
    if (shapely.get_dimensions(shapes) == 0).all():
        return
    land = shapely.get_parts(shapely.union_all(shapes))
    rings = np.concatenate([shapely.get_rings(part)[1:] for part in land]) if len(land) else np.empty(0, dtype=object)
    holes = shapely.polygons(rings)
    tree = shapely.STRtree(shapes)
    for hole in holes[shapely.area(holes) > _NOISE_M2]:
        point = shapely.point_on_surface(hole)
        around = np.sort(tree.query(hole, predicate="intersects"))
        yield Violation(
            kind="gap",
            grid=None,
            units=_named(units, around),
            value=float(hole.area),
            place=(float(point.x), float(point.y)),
        )


def _narrow_gaps(units: Units) -> Iterator[Violation]:
    """Slivers between borders that nearly meet and are open to the outside, so that no hole shows them."""
    shapes = units.shapes.to_numpy()
    if (shapely.get_dimensions(shapes) == 0).all():
        return
    edges = shapely.coverage_invalid_edges(shapes, gap_width=_NARROW_M)
    suspects = np.flatnonzero(shapely.length(edges) > 0)
    one, other = shapely.STRtree(edges[suspects]).query(edges[suspects], predicate="dwithin", distance=_NARROW_M)
    tree = shapely.STRtree(shapes)
    for first, second in suspects[np.column_stack([one, other])[one < other]]:
        # Where corners do not match, borders are flagged that lie on each other: there is no land between them.
        apart = [
            shapely.intersection(
                shapely.difference(edges[unit], shapely.buffer(shapely.boundary(shapes[beside]), _NOISE_M)),
                shapely.buffer(shapes[beside], _NARROW_M),
            )
            for unit, beside in ((first, second), (second, first))
        ]
        reach = min(_NARROW_M, max(shapely.hausdorff_distance(*apart), _NOISE_M))
        if np.isnan(reach) or any(shapely.length(rest) < _LONG * reach for rest in apart):
            continue
        between = shapely.intersection(*shapely.buffer(apart, reach, cap_style="flat"))
        around = tree.query(between, predicate="intersects")
        land = shapely.difference(between, shapely.union_all(shapes[around]))
        if land.area > _NOISE_M2 and not shapely.contains(_filled(shapes[around]), land):
            point = shapely.point_on_surface(land)
            yield Violation(
                kind="gap",
                grid=None,
                units=_named(units, [first, second]),
                value=float(land.area),
                place=(float(point.x), float(point.y)),
            )


def _filled(shapes: npt.NDArray[np.object_]) -> shapely.Geometry:
    """Return the land of units without holes; those are told as holes."""
    parts = shapely.get_parts(shapely.union_all(shapes))
    return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(parts)))
