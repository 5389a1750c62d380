"""Layer `areas`: township, villages and village groups with their polygons, an exact coverage on each level."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap.errors import InputError
from gridmap.ingest.columns import Column, Part
from gridmap.ingest.layers import words
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given, Placed
from gridmap.ingest.shapes import place_shapes, to_metres, to_stored, zone_of
from gridmap.texts import t

Shapes = NDArray[np.object_]
MAX_FAULT_M = 2.0
_SEEN_FAULT_M2 = 1e-4
_FRAME_M = 100.0
_DIGITS = {"township": 9, "village": 12, "group": 14}
_PARENT_DIGITS = {"village": 9, "group": 12}
_LEVEL_OF_KIND = {"township": "township", "community": "village", "village": "village", "group": "group"}
_LISTED = 5

PART = Part(
    name="areas",
    columns=(
        Column(target="area_code", headers=("代码", "区划代码", "统计用区划代码", "编码", "code")),
        Column(target="name", headers=("名称", "区划名称", "地名", "name")),
        Column(target="kind", headers=("级别", "类型", "类别", "层级", "level")),
        Column(target="parent_code", headers=("上级代码", "上级区划代码", "父代码", "parent"), is_required=False),
    ),
    place="shape",
)


@dataclass(frozen=True, kw_only=True)
class _Tree:
    code: pd.Series
    parent: pd.Series
    level: pd.Series


def read_areas(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:  # noqa: ARG001
    """Read the areas.

    Raises
    ------
    InputError
        If there is not exactly one township, or the polygons of a level leave gaps or overlaps of more than 2 m.
    """
    ledger = ledgers["areas"]
    ledger.refuse_duplicates()
    code = ledger.code("area_code")
    kind = ledger.word("kind", words.AREA_KINDS)
    level = kind.map(_LEVEL_OF_KIND)
    name = ledger.text("name", is_required=True)
    expected = level.map(_DIGITS)
    fits = code.str.fullmatch(r"[0-9]+").fillna(value=False) & (code.str.len() == expected)
    ledger.refuse((~fits).to_numpy(dtype=bool), "area_code_form", target="area_code", digits=expected)
    parent = _parents(ledger, code, level)
    placed = place_shapes(
        ledger, Given(context=None, datum=given.datum, crs=given.crs), allowed=("Polygon", "MultiPolygon")
    )
    ledger.refuse_repeated(code, target="area_code")
    _refuse_orphans(ledger, code, parent)
    n_townships = int((level[ledger.is_open] == "township").sum())
    if n_townships != 1:
        raise InputError(t("ingest.error_townships", file=ledger.table.file, n=n_townships))
    shapes = _clean_coverage(ledger, _Tree(code=code, parent=parent, level=level), placed, given)
    columns = {"area_code": code, "level": level, "kind": kind, "parent_code": parent, "name": name}
    placed = replace(placed, geometries=shapes)
    return (Taken(part="areas", frame=frame_of("areas", columns, ledger, placed), ledger=ledger, placed=placed),)


def _parents(ledger: Ledger, code: pd.Series, level: pd.Series) -> pd.Series:
    """Return the parent's code, which the area's own code starts with; a blank one is filled in."""
    written = ledger.code("parent_code", is_required=False)
    digits = level.map(_PARENT_DIGITS)
    expected = pd.Series(
        [own[: int(n)] if isinstance(own, str) and n == n else None for own, n in zip(code, digits, strict=True)],  # noqa: PLR0124
        dtype=object,
    )
    is_top = (level == "township").to_numpy()
    blank = written.isna().to_numpy() & ~is_top
    if ledger.has("parent_code"):
        ledger.change(blank, "parent_filled", parent=expected)
    wrong = ~blank & ~is_top & (written != expected).to_numpy()
    ledger.refuse(wrong, "parent_code", target="parent_code", expected=expected)
    return expected


def _refuse_orphans(ledger: Ledger, code: pd.Series, parent: pd.Series) -> None:
    """Refuse areas whose parent was refused, down the levels."""
    while True:
        known = set(code[ledger.is_open])
        orphan = parent.notna().to_numpy() & ~parent.isin(known).to_numpy() & ledger.is_open
        if not orphan.any():
            return
        ledger.refuse(orphan, "unknown_parent", parent=parent)


def _clean_coverage(ledger: Ledger, tree: _Tree, placed: Placed, given: Given) -> Shapes:
    """Return the shapes, seamless on each level: tiny faults cleaned and booked, bigger ones refuse the file."""
    rows = np.flatnonzero(ledger.is_open)
    epsg = zone_of(placed.geometries[rows], given)
    metres = np.full(ledger.n_rows, None, dtype=object)
    metres[rows] = to_metres(placed.geometries[rows], epsg=epsg)
    stored = placed.geometries.copy()
    for above, step in (("township", "village"), ("village", "group")):
        members = rows[(tree.level.iloc[rows] == step).to_numpy()]
        if not len(members):
            continue
        _require_filled(ledger, tree, metres, members)
        outside = _outside(metres[rows[(tree.level.iloc[rows] == above).to_numpy()]])
        coverage = np.array([*metres[members], outside], dtype=object)
        if shapely.coverage_is_valid(coverage, gap_width=MAX_FAULT_M):
            continue
        cleaned = shapely.coverage_clean(coverage, gap_width=MAX_FAULT_M)[:-1]
        _require_small(ledger, tree, metres[members], cleaned, members)
        moved = np.zeros(ledger.n_rows)
        moved[members] = shapely.area(shapely.symmetric_difference(metres[members], cleaned))
        ledger.change(moved > _SEEN_FAULT_M2, "coverage_cleaned", area=np.round(moved, 3))
        metres[members] = cleaned
        stored[members] = to_stored(cleaned, epsg=epsg)
    return stored


def _outside(wholes: Shapes) -> shapely.Geometry:
    """Return a frame around the areas of the level above, so that a gap at their rim is a gap between two polygons."""
    west, south, east, north = shapely.total_bounds(wholes)
    frame = shapely.box(west - _FRAME_M, south - _FRAME_M, east + _FRAME_M, north + _FRAME_M)
    return shapely.difference(frame, shapely.union_all(wholes))


def _require_filled(ledger: Ledger, tree: _Tree, metres: Shapes, members: NDArray[np.int64]) -> None:
    """Check that the parts of each parent cover it and stay inside, but for faults up to the tolerance."""
    position = {str(own): row for row, own in enumerate(tree.code) if ledger.is_open[row]}
    for whole, parts in pd.Series(members).groupby(tree.parent.iloc[members].to_numpy()):
        union = shapely.union_all(metres[parts.to_numpy()])
        if _is_wide(shapely.symmetric_difference(union, metres[position[str(whole)]])):
            raise InputError(t("ingest.error_not_filled", file=ledger.table.file, area=whole, limit=f"{MAX_FAULT_M:g}"))


def _require_small(ledger: Ledger, tree: _Tree, before: Shapes, after: Shapes, members: NDArray[np.int64]) -> None:
    """Check that neither cleaning moved, nor neighbours overlap by, more than the tolerance."""
    wide = [
        row
        for row, old, new in zip(members, before, after, strict=True)
        if _is_wide(shapely.symmetric_difference(old, new))
    ]
    first, second = shapely.STRtree(before).query(before, predicate="intersects")
    for one, other in zip(first[first < second], second[first < second], strict=True):
        if _is_wide(shapely.intersection(before[one], before[other])):
            wide += [members[one], members[other]]
    if wide:
        listed = ", ".join(dict.fromkeys(str(tree.code.iloc[row]) for row in wide[: 2 * _LISTED]))
        raise InputError(t("ingest.error_coverage", file=ledger.table.file, areas=listed, limit=f"{MAX_FAULT_M:g}"))


def _is_wide(difference: shapely.Geometry) -> bool:
    """Tell whether a strip is wider than the tolerance: something is left after taking half of it off each side."""
    return not shapely.is_empty(shapely.buffer(difference, -MAX_FAULT_M / 2, quad_segs=2))


LAYER = Layer(name="areas", parts=(PART,), read=read_areas)
