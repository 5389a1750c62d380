"""Which datum coordinates in degrees are in: decided by how they lie on known things, never guessed.

GCJ-02 shifts by 34-679 m, so the township's outline is too blunt. The test uses distances to households, checkpoints,
paths, and to the area that a row itself names. For each candidate datum every point gets a score per kind of
landmark, `-log(1 + (d / 25 m)²)`: one far stray costs little. A candidate is accepted when its mean score stands out
as a peak: above the other candidates by a paired t of at least 3, and above the same points displaced by 150-1000 m in
eight directions by one of at least 2 (the best of 32 is a hard rival). Right data lie on the landmarks; wrong data lie
as well or as badly as displaced ones, and so do data of a datum that is no candidate. The kinds of landmarks are
looked at together and one by one, since incidents lie at homes and patrols on paths; when two views
accept different candidates, nothing is decided.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gridmap.errors import InputError
from gridmap.ingest import gcj02
from gridmap.ingest.context import TownshipContext

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]
Term = Callable[[Numbers, Rows], Numbers]

DATUMS = ("cgcs2000", "wgs84", "gcj02", "bd09")
CANDIDATES = ("cgcs2000", "gcj02", "bd09")
_SAME = {"wgs84": "cgcs2000"}
_SCALE_M, _FAR_M = 25.0, 1000.0
_RADII_M, _N_DIRECTIONS = (150.0, 300.0, 600.0, 1000.0), 8
_MIN_T, _MIN_PEAK_T, _MIN_POINTS, _MAX_POINTS = 3.0, 2.0, 20, 400
_STEP_M = 10.0
_CELL_DEGREES = 1e-4


class DatumUnknown(InputError):  # noqa: N818  a state, named as people say it
    """The datum of coordinates in degrees is neither declared nor to be seen from their fit."""


@dataclass(frozen=True, kw_only=True)
class DatumFit:
    """What the fit to known things says.

    Parameters
    ----------
    datum
        The accepted candidate, or None: the points do not tell.
    scores
        Candidate → mean score, higher is better.
    t
        The paired t by which it beats the other candidates.
    t_peak
        The paired t by which it beats itself displaced.
    n_points
        Points that were used.
    """

    datum: str | None
    scores: Mapping[str, float]
    t: float
    t_peak: float
    n_points: int


def to_cgcs2000(lon: Numbers, lat: Numbers, *, datum: str) -> tuple[Numbers, Numbers]:
    """Turn degrees of a datum into CGCS2000.

    Raises
    ------
    ValueError
        If the datum is not one of `DATUMS`.
    """
    if datum not in DATUMS:
        raise ValueError(f"`datum` must be one of {DATUMS}, got {datum!r}.")
    if datum == "gcj02":
        return gcj02.from_gcj02(lon, lat)
    return gcj02.from_bd09(lon, lat) if datum == "bd09" else (lon, lat)


def is_same(one: str, other: str) -> bool:
    """Tell whether two datums are one for our purposes: WGS 84 and CGCS2000 differ by centimetres."""
    return _SAME.get(one, one) == _SAME.get(other, other)


def landmark_terms(context: TownshipContext) -> list[Term]:
    """Return one distance term for each kind of landmark that the township has."""
    terms = []
    for series in context.landmarks.values():
        present = series[series.notna() & ~series.is_empty]
        if len(present):
            terms.append(_nearest_term(context.to_metres(gpd.GeoSeries(present))))
    return terms


def stated_term(polygons: NDArray[np.object_]) -> Term:
    """Return the term of the areas (in metres) that the rows themselves name: 0 inside, None counts as 0."""

    def distances(points: Numbers, rows: Rows) -> Numbers:
        apart: Numbers = shapely.distance(shapely.points(points), polygons[rows])
        return np.nan_to_num(apart, nan=0.0)

    return distances


def fit_datum(lon: Numbers, lat: Numbers, *, context: TownshipContext, terms: Sequence[Term]) -> DatumFit:
    """Decide the datum of points by their fit to known things.

    Parameters
    ----------
    lon, lat
        Degrees as read; pairs that are not finite are left out.
    context
        The township.
    terms
        Distance terms; none means no decision.

    Returns
    -------
    DatumFit
        With `datum` None when no candidate stands out.
    """
    rows = _sample(lon, lat)
    if len(rows) < _MIN_POINTS or not terms:
        return DatumFit(datum=None, scores={}, t=0.0, t_peak=0.0, n_points=len(rows))
    placed = {}
    for datum in CANDIDATES:
        true_lon, true_lat = to_cgcs2000(lon[rows], lat[rows], datum=datum)
        metres = context.to_metres(gpd.GeoSeries(shapely.points(true_lon, true_lat)))
        placed[datum] = shapely.get_coordinates(metres.to_numpy())
    scores = {datum: _scores(points, rows, terms) for datum, points in placed.items()}
    displaced: dict[str, list[Numbers]] = {}
    views = []
    for chosen in _views(len(terms)):
        means = {datum: float(score[chosen].sum(axis=0).mean()) for datum, score in scores.items()}
        best = max(CANDIDATES, key=lambda datum: means[datum])
        if best not in displaced:
            displaced[best] = [_scores(placed[best] + shift, rows, terms) for shift in _displacements()]
        own = scores[best][chosen].sum(axis=0)
        t_rivals = min(_paired_t(own, scores[datum][chosen].sum(axis=0)) for datum in CANDIDATES if datum != best)
        t_peak = min(_paired_t(own, moved[chosen].sum(axis=0)) for moved in displaced[best])
        is_clear = t_rivals >= _MIN_T and t_peak >= _MIN_PEAK_T
        views.append(
            DatumFit(datum=best if is_clear else None, scores=means, t=t_rivals, t_peak=t_peak, n_points=len(rows))
        )
    accepted = {view.datum for view in views if view.datum is not None}
    strongest = max(views, key=lambda view: (view.datum is not None, view.t_peak))
    return strongest if len(accepted) <= 1 else replace(strongest, datum=None)


def _nearest_term(shapes: gpd.GeoSeries) -> Term:
    tree = cKDTree(shapely.get_coordinates(shapely.segmentize(shapes.to_numpy(), _STEP_M)))

    def distances(points: Numbers, _: Rows) -> Numbers:
        return np.asarray(tree.query(points, distance_upper_bound=_FAR_M)[0], dtype=float)

    return distances


def _scores(points: Numbers, rows: Rows, terms: Sequence[Term]) -> Numbers:
    """Return the score of every point (columns) by every term (rows)."""
    apart = np.array([np.minimum(term(points, rows), _FAR_M) for term in terms])
    return np.asarray(-np.log1p((apart / _SCALE_M) ** 2), dtype=float)


def _views(n_terms: int) -> list[list[int]]:
    together = list(range(n_terms))
    return [together] if n_terms == 1 else [together, *([one] for one in together)]


def _displacements() -> list[Numbers]:
    angles = np.arange(_N_DIRECTIONS) * 2 * np.pi / _N_DIRECTIONS
    return [radius * np.array([np.cos(angle), np.sin(angle)]) for radius in _RADII_M for angle in angles]


def _paired_t(better: Numbers, worse: Numbers) -> float:
    differences = better - worse
    spread = float(differences.std(ddof=1))
    if spread == 0:
        return 0.0 if differences.mean() <= 0 else np.inf
    return float(differences.mean() / (spread / np.sqrt(len(differences))))


def _sample(lon: Numbers, lat: Numbers) -> Rows:
    """Return rows of distinct places (about 10 m), at most a few hundred, evenly through the file."""
    rows = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    cells = np.round(np.column_stack([lon[rows], lat[rows]]) / _CELL_DEGREES)
    _, first = np.unique(cells, axis=0, return_index=True)
    distinct = rows[np.sort(first)]
    step = max(1, len(distinct) // _MAX_POINTS)
    return distinct[::step][:_MAX_POINTS].astype(np.int64)
