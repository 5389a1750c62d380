"""Lines and polygons of a vector file into CGCS2000: projected, shifted, repaired where nearly nothing changes."""

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from gridmap.crs import STORED_EPSG, metric_epsg
from gridmap.errors import CrsError, InputError
from gridmap.ingest.datum import to_cgcs2000
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import (
    Given,
    Placed,
    accepted_crs,
    crs_label,
    fitted_datum,
    inside_china,
    kind_words,
    refuse_outside,
)
from gridmap.ingest.projected import to_degrees
from gridmap.ingest.values import Flags
from gridmap.texts import catalogue, language, t

Shapes = NDArray[np.object_]
MAX_REPAIR_SHARE = 0.001
_SWAPPED_SHARE = 0.95
_DEGREES_LIMIT = 400.0
_POLYGONS, _LINES = ("Polygon", "MultiPolygon"), ("LineString", "MultiLineString")


def place_shapes(ledger: Ledger, given: Given, *, allowed: tuple[str, ...]) -> Placed:
    """Give every open row its sound shape in CGCS2000.

    Parameters
    ----------
    ledger
        The table; rows with an unusable shape are refused here.
    given
        Township, datum, CRS.
    allowed
        Geometry types that the layer takes.

    Raises
    ------
    CrsError
        If the coordinate system is missing, wrong or of an old datum.
    InputError
        If the table has no shapes, or the declared datum contradicts the fit.
    """
    if ledger.table.geometries is None:
        raise InputError(t("ingest.error_no_shapes", file=ledger.table.file))
    file = ledger.table.file
    crs = accepted_crs(given.crs or ledger.table.crs, file=file)
    if crs is None:
        raise CrsError(t("ingest.error_crs_missing", file=file))
    shapes = ledger.table.geometries.copy()
    _refuse_unusable(ledger, shapes, allowed)
    shapes[~ledger.is_open] = None
    _require_fitting_numbers(shapes, crs, file=file)
    notes: list[str] = []
    if crs.to_epsg() != STORED_EPSG:
        shapes = _transform(shapes, crs)
    shapes = _turned(ledger, shapes, notes)
    abroad = ~_all_inside(shapes)
    if ledger.n_open and abroad[ledger.is_open].all():
        raise CrsError(t("ingest.error_crs_wrong", file=file, crs=crs_label(crs)))
    ledger.refuse(abroad, "outside_china")
    shapes[~ledger.is_open] = None
    datum = given.datum or _datum(shapes, crs, given, file=file)
    if datum in {"gcj02", "bd09"}:
        shapes = shapely.transform(shapes, lambda degrees: np.column_stack(to_cgcs2000(*degrees.T, datum=datum)))
    shapes = _repaired(ledger, shapes, given)
    refuse_outside(ledger, _only_open(ledger, shapes), given.context)
    nothing = np.full(ledger.n_rows, np.nan)
    return Placed(geometries=shapes, raw_x=nothing, raw_y=nothing, crs=crs_label(crs), datum=datum, notes=tuple(notes))


def to_metres(shapes: Shapes, *, epsg: int) -> Shapes:
    """Project CGCS2000 shapes into a metric zone."""
    return _through(shapes, pyproj.CRS.from_epsg(STORED_EPSG), pyproj.CRS.from_epsg(epsg))


def to_stored(shapes: Shapes, *, epsg: int) -> Shapes:
    """Turn shapes in a metric zone back into CGCS2000 degrees."""
    return _through(shapes, pyproj.CRS.from_epsg(epsg), pyproj.CRS.from_epsg(STORED_EPSG))


def zone_of(shapes: Shapes, given: Given) -> int:
    """Return the EPSG code of the metric zone: the township's, else the one around the shapes' middle."""
    if given.context is not None:
        return given.context.metric_epsg
    west, _, east, _ = shapely.total_bounds(shapes)
    return metric_epsg((west + east) / 2)


def _through(shapes: Shapes, source: pyproj.CRS, target: pyproj.CRS) -> Shapes:
    transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)
    turned: Shapes = shapely.transform(shapes, lambda points: np.column_stack(transformer.transform(*points.T)))
    return turned


def _transform(shapes: Shapes, crs: pyproj.CRS) -> Shapes:
    turned: Shapes = shapely.transform(shapes, lambda points: np.column_stack(to_degrees(*points.T, crs=crs)))
    return turned


def _refuse_unusable(ledger: Ledger, shapes: Shapes, allowed: tuple[str, ...]) -> None:
    missing = shapely.is_missing(shapes)
    ledger.refuse(missing, "missing_geometry")
    ledger.refuse(~missing & shapely.is_empty(shapes), "empty_geometry")
    kinds = np.array(["" if shape is None else shape.geom_type for shape in shapes], dtype=object)
    wanted = t("ingest.or").join(dict.fromkeys(t(f"ingest.kind_{kind}") for kind in allowed))
    ledger.refuse(~missing & ~np.isin(kinds, allowed), "wrong_geometry_type", kind=kind_words(kinds), allowed=wanted)
    points, owners = shapely.get_coordinates(shapes, return_index=True)
    endless = np.zeros(len(shapes), dtype=bool)
    endless[owners[~(np.isfinite(points) & (np.abs(points) < 1e9)).all(axis=1)]] = True  # noqa: PLR2004  beyond any map
    ledger.refuse(endless, "not_finite_geometry")


def _require_fitting_numbers(shapes: Shapes, crs: pyproj.CRS, *, file: str) -> None:
    present = shapes[~shapely.is_missing(shapes)]
    if not len(present):
        return
    size = float(np.abs(shapely.bounds(present)).max(axis=1).min())
    if crs.is_geographic == (size > _DEGREES_LIMIT):
        raise CrsError(t("ingest.error_crs_wrong", file=file, crs=crs_label(crs)))


def _turned(ledger: Ledger, shapes: Shapes, notes: list[str]) -> Shapes:
    """Swap latitude and longitude back where the whole layer has them the wrong way round."""
    present = ~shapely.is_missing(shapes)
    swapped = np.full(len(shapes), None, dtype=object)
    swapped[present] = shapely.transform(shapes[present], lambda points: points[:, ::-1])
    is_turned = present & ~_all_inside(shapes) & _all_inside(swapped)
    if is_turned.any() and is_turned.sum() >= _SWAPPED_SHARE * (present & (_all_inside(shapes) | is_turned)).sum():
        ledger.change(is_turned, "swapped_axes")
        notes.append(t("ingest.note_swapped_axes", n=int(is_turned.sum())))
        ledger.refuse(present & ~is_turned & _all_inside(shapes), "swapped_axes")
        return np.where(is_turned, swapped, shapes)
    ledger.refuse(is_turned, "swapped_axes")
    return shapes


def _only_open(ledger: Ledger, shapes: Shapes) -> Shapes:
    kept = shapes.copy()
    kept[~ledger.is_open] = None
    return kept


def _all_inside(shapes: Shapes) -> Flags:
    bounds = shapely.bounds(shapes)
    return inside_china(bounds[:, 0], bounds[:, 1]) & inside_china(bounds[:, 2], bounds[:, 3])


def _datum(shapes: Shapes, crs: pyproj.CRS, given: Given, *, file: str) -> str:
    declared = "wgs84" if "84" in (crs.geodetic_crs or crs).name else "cgcs2000"
    points = shapely.get_coordinates(shapes)
    if not len(points):
        return declared
    datum, _ = fitted_datum(points[:, 0], points[:, 1], file=file, context=given.context, declared=declared)
    return datum


def _repaired(ledger: Ledger, shapes: Shapes, given: Given) -> Shapes:
    """Repair what is invalid when its area changes by less than 0.1 %, else refuse it; lines need a length."""
    shapes = _only_open(ledger, shapes)
    lengthless = shapely.length(shapes) == 0
    ledger.refuse(lengthless, "empty_geometry")
    if not ledger.n_open:
        return shapes
    epsg = zone_of(shapes, given)
    metres = to_metres(shapes, epsg=epsg)
    # A sliver can be sound in degrees and cross itself in metres, or the other way round: it must be sound in both.
    broken = np.flatnonzero(~(shapely.is_valid(shapes) & shapely.is_valid(metres)) & ledger.is_open)
    if not len(broken):
        return shapes
    mended = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    mended_metres = to_metres(mended, epsg=epsg)
    before, after = shapely.area(metres[broken]), shapely.area(mended_metres)
    change = np.abs(after - before) / np.maximum(np.maximum(after, before), 1e-9)
    is_whole = np.isin(shapely.get_type_id(mended), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    is_fine = is_whole & (change < MAX_REPAIR_SHARE) & (after > 0) & shapely.is_valid(mended_metres)
    refused, changed = np.zeros(len(shapes), dtype=bool), np.zeros(len(shapes), dtype=bool)
    refused[broken[~is_fine]], changed[broken[is_fine]] = True, True
    percent, fault = np.full(len(shapes), "", dtype=object), np.full(len(shapes), "", dtype=object)
    percent[broken] = [f"{share * 100:.3g}" for share in change]
    fault[broken] = [_fault_words(str(reason)) for reason in shapely.is_valid_reason(metres[broken])]
    ledger.refuse(refused, "invalid_geometry", fault=fault, percent=percent)
    ledger.change(changed, "repaired", fault=fault, percent=percent)
    shapes[broken[is_fine]] = mended[is_fine]
    return shapes


def _fault_words(reason: str) -> str:
    """Return what GEOS calls a fault in words of the catalogue; one that has none stays as it is."""
    name = reason.split("[", maxsplit=1)[0].strip()
    key = f"ingest.fault_{name.lower().replace(' ', '_').replace('-', '_')}"
    return t(key) if key in catalogue(language()) else name
