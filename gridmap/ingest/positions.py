"""Points of a table, from coordinate columns or point geometries, into CGCS2000; every doubtful one is refused."""

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from gridmap.crs import CHINA_BOX
from gridmap.errors import CrsError, InputError
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.datum import (
    DATUMS,
    DatumUnknown,
    Term,
    fit_datum,
    is_same,
    landmark_terms,
    stated_term,
    to_cgcs2000,
)
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.projected import are_projected, find_projection, to_degrees
from gridmap.ingest.values import Flags
from gridmap.texts import t

Numbers = NDArray[np.float64]
OUTSIDE_TOLERANCE_M = 200.0
_WRONG_PLACE_SHARE, _WRONG_PLACE_ROWS = 0.9, 5
_SWAPPED_SHARE = 0.95


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the caller knows of the places in the file.

    Parameters
    ----------
    context
        The township; None while its areas are being loaded.
    datum
        What the person said, or None.
    crs
        What the person said, or None.
    """

    context: TownshipContext | None
    datum: str | None
    crs: str | None


@dataclass(frozen=True, kw_only=True)
class Placed:
    """The outcome: one geometry a row (None without a place), what was read, and what it was read as."""

    geometries: NDArray[np.object_]
    raw_x: Numbers
    raw_y: Numbers
    crs: str | None
    datum: str | None
    notes: tuple[str, ...]


def place_points(
    ledger: Ledger,
    given: Given,
    *,
    is_required: bool = True,
    may_be_zero: Flags | None = None,
    stated: NDArray[np.object_] | None = None,
) -> Placed:
    """Give every open row its point in CGCS2000.

    Parameters
    ----------
    ledger
        The table; rows without a usable place are refused here.
    given
        Township, datum, CRS.
    is_required
        Whether a row without coordinates is refused (else its geometry is None).
    may_be_zero
        Rows whose 0,0 means "no location".
    stated
        The polygon (EPSG:4490) of the area that each row names, or None: sharpens the fit of the datum.

    Raises
    ------
    CrsError
        If the coordinate system is missing, wrong or of an old datum.
    DatumUnknown
        If degrees come without a datum and their fit does not tell it.
    InputError
        If the declared datum contradicts the fit.
    """
    raw_x, raw_y = _coordinates(ledger)
    notes: list[str] = []
    is_zero = (raw_x == 0) & (raw_y == 0)
    if may_be_zero is not None:
        raw_x, raw_y = (np.where(is_zero & may_be_zero, np.nan, raw) for raw in (raw_x, raw_y))
        is_zero &= ~may_be_zero
    ledger.refuse(is_zero, "zero_coordinates")
    has_x, has_y = np.isfinite(raw_x), np.isfinite(raw_y)
    ledger.refuse(has_x != has_y, "half_coordinates")
    if is_required:
        ledger.refuse(~has_x & ~has_y, "missing_coordinates")
    there = has_x & has_y & ledger.is_open
    x, y = (np.where(there, raw, np.nan) / ledger.table.scale for raw in (raw_x, raw_y))
    reader = _from_metres if are_projected(x, y) else _from_degrees
    lon, lat, crs, datum = reader(ledger, x, y, given, notes)
    lon, lat = (np.where(ledger.is_open, degrees, np.nan) for degrees in (lon, lat))
    if np.isfinite(lon).any() or datum is not None:
        datum = given.datum or _fitted_datum(ledger, lon, lat, given, declared=datum, stated=stated, notes=notes)
        lon, lat = to_cgcs2000(lon, lat, datum=datum)
    geometries = np.full(ledger.n_rows, None, dtype=object)
    located = np.isfinite(lon) & np.isfinite(lat)
    geometries[located] = shapely.points(lon[located], lat[located])
    refuse_outside(ledger, geometries, given.context)
    return Placed(geometries=geometries, raw_x=raw_x, raw_y=raw_y, crs=crs, datum=datum, notes=tuple(notes))


def accepted_crs(crs: str | None, *, file: str) -> pyproj.CRS | None:
    """Return a CRS whose datum is CGCS2000 or WGS 84; None stays None.

    Raises
    ------
    CrsError
        If it cannot be understood, or has an older datum whose shift is not public.
    """
    if crs is None:
        return None
    try:
        parsed = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(t("ingest.error_crs_unknown", file=file, crs=crs[:100])) from error
    geodetic = parsed.geodetic_crs
    name = "" if geodetic is None or geodetic.datum is None else f"{geodetic.datum.name} {geodetic.name}"
    compact = name.lower().replace("_", " ").replace(" ", "")
    if not any(
        word in compact
        for word in ("china2000", "cgcs2000", "wgs84", "worldgeodeticsystem1984", "wgs1984", "chinageodetic")
    ):
        datum = geodetic.datum.name if geodetic is not None and geodetic.datum is not None else "—"
        raise CrsError(t("ingest.error_crs_datum", file=file, crs=parsed.name, datum=datum))
    return parsed


def crs_label(crs: pyproj.CRS) -> str:
    """Return `EPSG:…` when the code is sure, else the CRS's name."""
    code = crs.to_epsg(min_confidence=70)
    return f"EPSG:{code}" if code else str(crs.name)


def inside_china(lon: Numbers, lat: Numbers) -> Flags:
    """Tell which degrees lie in the China box."""
    west, south, east, north = CHINA_BOX
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def refuse_outside(ledger: Ledger, geometries: NDArray[np.object_], context: TownshipContext | None) -> None:
    """Quarantine rows whose geometry lies more than 200 m outside the township.

    Raises
    ------
    CrsError
        If nearly all lie outside: then the coordinate system is wrong, not the rows.
    """
    if context is None:
        return
    located = np.array([shape is not None for shape in geometries], dtype=bool) & ledger.is_open
    if not located.any():
        return
    shapes = context.to_metres(gpd.GeoSeries(geometries[located])).to_numpy()
    outline = context.to_metres(gpd.GeoSeries([context.outline])).iloc[0]
    shapely.prepare(outline)
    outside = np.zeros(ledger.n_rows, dtype=bool)
    outside[located] = ~shapely.dwithin(shapes, outline, OUTSIDE_TOLERANCE_M)
    n_outside, n_located = int(outside.sum()), int(located.sum())
    if n_located >= _WRONG_PLACE_ROWS and n_outside > _WRONG_PLACE_SHARE * n_located:
        raise CrsError(t("ingest.error_wrong_place", file=ledger.table.file, n=n_outside, total=n_located))
    ledger.refuse(outside, "outside_township", tolerance=f"{OUTSIDE_TOLERANCE_M:g}")


def fitted_datum(
    lon: Numbers,
    lat: Numbers,
    *,
    file: str,
    context: TownshipContext | None,
    declared: str | None,
    more_terms: Callable[[TownshipContext], list[Term]] | None = None,
) -> tuple[str, str | None]:
    """Return the datum of degrees and a note on how it was found.

    Raises
    ------
    DatumUnknown
        If nothing was declared and the fit does not tell.
    InputError
        If the fit contradicts what was declared.
    """
    fit = None
    if context is not None:
        terms = landmark_terms(context) + (more_terms(context) if more_terms else [])
        fit = fit_datum(lon, lat, context=context, terms=terms)
    if declared is None:
        if fit is None or fit.datum is None:
            raise DatumUnknown(t("ingest.error_datum_unknown", file=file, known=", ".join(DATUMS)))
        return fit.datum, t("ingest.note_datum_fitted", datum=fit.datum, n=fit.n_points, strength=f"{fit.t:.1f}")
    if fit is not None and fit.datum is not None and not is_same(fit.datum, declared):
        raise InputError(t("ingest.error_datum_contradiction", file=file, declared=declared, fitted=fit.datum))
    return declared, None


def _coordinates(ledger: Ledger) -> tuple[Numbers, Numbers]:
    if ledger.table.geometries is not None:
        return _of_geometries(ledger, ledger.table.geometries)
    pair = ("lon", "lat") if ledger.has("lon") and ledger.has("lat") else ("x", "y")
    if not ledger.has(pair[0]):
        nothing = np.full(ledger.n_rows, np.nan)
        return nothing, nothing.copy()
    x, y = (ledger.number(target).to_numpy(dtype=float) for target in pair)
    return x, y


def _of_geometries(ledger: Ledger, shapes: NDArray[np.object_]) -> tuple[Numbers, Numbers]:
    present = np.array([shape is not None and not shape.is_empty for shape in shapes], dtype=bool)
    is_single = present & (shapely.get_num_geometries(shapes) == 1)
    points = shapes.copy()
    points[is_single] = shapely.get_geometry(shapes[is_single], 0)
    is_point = shapely.get_type_id(points) == shapely.GeometryType.POINT
    kinds = np.array(["" if shape is None else shape.geom_type for shape in shapes], dtype=object)
    ledger.refuse(present & ~is_point, "wrong_geometry_type", kind=kind_words(kinds), allowed=t("ingest.kind_Point"))
    x, y = np.full(len(shapes), np.nan), np.full(len(shapes), np.nan)
    usable = present & is_point
    x[usable], y[usable] = shapely.get_x(points[usable]), shapely.get_y(points[usable])
    ledger.refuse(usable & ~(np.isfinite(x) & np.isfinite(y)), "not_finite_geometry")
    return x, y


def _from_metres(
    ledger: Ledger, x: Numbers, y: Numbers, given: Given, notes: list[str]
) -> tuple[Numbers, Numbers, str | None, str | None]:
    file = ledger.table.file
    declared = accepted_crs(given.crs or ledger.table.crs, file=file)
    if ledger.table.geometries is not None and declared is None:
        raise CrsError(t("ingest.error_crs_missing", file=file))
    if declared is not None and declared.is_geographic:
        raise CrsError(t("ingest.error_crs_wrong", file=file, crs=crs_label(declared)))
    if ledger.table.geometries is not None and declared is not None:
        lon, lat = to_degrees(x, y, crs=declared)
        _refuse_abroad(ledger, lon, lat, np.isfinite(x))
        return lon, lat, crs_label(declared), "cgcs2000"
    projection = find_projection(x, y, file=file, context=given.context, crs=declared)
    ledger.refuse(projection.is_swapped, "swapped_axes")
    east, north = (y, x) if projection.is_north_first else (x, y)
    lon, lat = to_degrees(east, north, crs=projection.crs)
    _refuse_abroad(ledger, lon, lat, np.isfinite(x))
    label = crs_label(projection.crs)
    notes.append(t("ingest.note_projected", crs=label, name=projection.crs.name))
    if projection.is_north_first:
        notes.append(t("ingest.note_north_first", first=ledger.header("x"), second=ledger.header("y")))
    return lon, lat, label, "cgcs2000"


def _from_degrees(
    ledger: Ledger, x: Numbers, y: Numbers, given: Given, notes: list[str]
) -> tuple[Numbers, Numbers, str | None, str | None]:
    file = ledger.table.file
    crs = accepted_crs(given.crs or ledger.table.crs, file=file)
    known = np.isfinite(x)
    if ledger.table.geometries is not None and crs is None:
        raise CrsError(t("ingest.error_crs_missing", file=file))
    if crs is not None and crs.is_projected and known.any():
        raise CrsError(t("ingest.error_crs_wrong", file=file, crs=crs_label(crs)))
    normal, turned = inside_china(x, y) & known, inside_china(y, x) & known
    if turned.any() and turned.sum() >= _SWAPPED_SHARE * (normal | turned).sum():
        x, y = y, x
        normal, turned = turned, normal & ~turned
        ledger.change(normal, "swapped_axes")
        notes.append(t("ingest.note_swapped_axes", n=int(normal.sum())))
    ledger.refuse(turned & ~normal, "swapped_axes")
    _refuse_abroad(ledger, x, y, known)
    declared = ledger.table.datum or ledger.fit.datum
    if declared is None and crs is not None:
        declared = "wgs84" if "84" in crs.name else "cgcs2000"
    return x, y, None if crs is None else crs_label(crs), declared


def _refuse_abroad(ledger: Ledger, lon: Numbers, lat: Numbers, known: Flags) -> None:
    ledger.refuse(known & ~inside_china(lon, lat), "outside_china")


def _fitted_datum(
    ledger: Ledger,
    lon: Numbers,
    lat: Numbers,
    given: Given,
    *,
    declared: str | None,
    stated: NDArray[np.object_] | None,
    notes: list[str],
) -> str:
    if ledger.table.datum is not None:
        return ledger.table.datum

    def stated_terms(context: TownshipContext) -> list[Term]:
        if stated is None or not any(shape is not None for shape in stated):
            return []
        codes, distinct = pd.factorize(pd.Series([id(shape) for shape in stated]))
        first = [int(np.flatnonzero(codes == code)[0]) for code in range(len(distinct))]
        metres = context.to_metres(gpd.GeoSeries([stated[position] for position in first])).to_numpy()
        return [stated_term(metres[codes])]

    datum, note = fitted_datum(
        lon, lat, file=ledger.table.file, context=given.context, declared=declared, more_terms=stated_terms
    )
    if note:
        notes.append(note)
    return datum


def kind_words(kinds: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return what kinds of shape are called, by their names in GeoJSON."""
    words = [t(f"ingest.kind_{kind}") if kind else "" for kind in kinds]
    return np.array(words, dtype=object)
