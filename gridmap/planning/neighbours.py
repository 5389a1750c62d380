"""Which units touch: an undirected graph, cut along barriers and joined by bridges."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gridmap.crs import require_one_metric_crs
from gridmap.planning.nearest import seen_pairs
from gridmap.texts import t

Ints = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]
_NOISE_M = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbours:
    """Pairs of units that touch.

    Parameters
    ----------
    n_units
        Units are numbered from 0 by their position.
    first, second
        The two units of each pair, first < second, pairs sorted.
    border_m
        Length of the border they share (of points: of the land nearest to each); 0 for a pair that only a bridge joins.
    starts, others
        The same graph by unit: the neighbours of unit `i` are `others[starts[i]:starts[i + 1]]`.
    """

    n_units: int
    first: Ints
    second: Ints
    border_m: Floats
    starts: Ints
    others: Ints

    def of(self, unit: int) -> Ints:
        """Return the units that touch one."""
        return self.others[self.starts[unit] : self.starts[unit + 1]]

    def parts(self, labels: Ints) -> Ints:
        """Return the connected part of each unit when only units of the same label hang together, numbered from 0."""
        inside = labels[self.first] == labels[self.second]
        pairs = (np.ones(int(inside.sum()), dtype=np.int8), (self.first[inside], self.second[inside]))
        _, part = connected_components(coo_array(pairs, shape=(self.n_units, self.n_units)), directed=False)
        numbered: Ints = part.astype(np.intp)
        return numbered


@dataclass(frozen=True, kw_only=True, eq=False)
class Barriers:
    """What units cannot be joined across, and where they can nevertheless.

    Parameters
    ----------
    walls
        Lines or polygons: a border that runs along one, or a way between two points that crosses one, does not join.
    bridges
        Lines over a wall: the units at their two ends touch.
    slip_m
        How far a wall may be drawn beside the border that it follows; above 0.
    """

    walls: gpd.GeoSeries
    bridges: gpd.GeoSeries
    slip_m: float


def neighbours_of(units: gpd.GeoSeries, *, barriers: Barriers | None = None) -> Neighbours:
    """Find the units that share a border, or, of points, those that see each other (Delaunay).

    Polygons touch where they share a border longer than a millimetre that no wall follows; a corner is not enough.

    Parameters
    ----------
    units
        Polygons or points, none null or empty. Metric CRS.
    barriers
        Same CRS; None: there are none.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If polygons and points are mixed.
    """
    layers = {"units": units}
    if barriers is not None:
        layers |= {"walls": barriers.walls, "bridges": barriers.bridges}
    require_one_metric_crs(**layers)
    shapes: Shapes = units.to_numpy()
    dimensions = set(np.unique(shapely.get_dimensions(shapes)).tolist())
    if dimensions - {2} and dimensions != {0}:
        raise ValueError(t("plan.unit_mixed"))
    are_points = dimensions == {0}
    pairs, border_m = seen_pairs(shapes) if are_points else _touching_pairs(shapes, barriers)
    if barriers is not None:
        if are_points:
            free = ~_crosses(shapes, pairs, barriers.walls.to_numpy())
            pairs, border_m = pairs[free], border_m[free]
        bridged = _bridged_pairs(shapes, barriers.bridges.to_numpy())
        pairs, border_m = np.vstack([pairs, bridged]), np.concatenate([border_m, np.zeros(len(bridged))])
    return graph_of(len(shapes), pairs, border_m)


def graph_of(n_units: int, pairs: Ints, border_m: Floats) -> Neighbours:
    """Sort pairs, keep each once with its longest border, and list them by unit."""
    pairs = np.sort(pairs, axis=1)
    order = np.lexsort((-border_m, pairs[:, 1], pairs[:, 0]))
    pairs, border_m = pairs[order], border_m[order]
    is_new = np.ones(len(pairs), dtype=bool)
    is_new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    pairs, border_m = pairs[is_new], border_m[is_new]
    both = np.vstack([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    starts = np.searchsorted(both[:, 0], np.arange(n_units + 1))
    return Neighbours(
        n_units=n_units,
        first=pairs[:, 0],
        second=pairs[:, 1],
        border_m=border_m,
        starts=starts.astype(np.intp),
        others=both[:, 1],
    )


def _no_pairs() -> Ints:
    return np.empty((0, 2), dtype=np.intp)


def _touching_pairs(shapes: Shapes, barriers: Barriers | None) -> tuple[Ints, Floats]:
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = np.column_stack([one, other])[one < other]
    shared = shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]])
    # Borders whose corners do not match meet in points only, by a rounding of the coordinates.
    rough = np.flatnonzero(shapely.length(shared) <= _NOISE_M)
    snapped = shapely.intersection(shapes[pairs[rough, 0]], shapes[pairs[rough, 1]], grid_size=_NOISE_M)
    # Snapping alone can make two millimetres of less than one.
    is_real = shapely.length(snapped) > 2 * _NOISE_M
    shared[rough[is_real]] = snapped[is_real]
    if barriers is not None and len(barriers.walls):
        shared = _free_of_walls(shared, barriers)
    # The outline of an overlap goes there and back.
    border_m = shapely.length(shared) / np.where(shapely.area(shared) > 0, 2, 1)
    joined = border_m > _NOISE_M
    return pairs[joined], border_m[joined]


def _free_of_walls(borders: Shapes, barriers: Barriers) -> Shapes:
    """Return what is left of each border away from walls; a rest shorter than the slip's reach is an end of a wall."""
    walls = shapely.buffer(barriers.walls.to_numpy(), barriers.slip_m, cap_style="flat")
    border_at, wall_at = shapely.STRtree(walls).query(borders, predicate="intersects")
    for at in np.unique(border_at):
        rest = shapely.difference(borders[at], shapely.union_all(walls[wall_at[border_at == at]]))
        borders[at] = rest if shapely.length(rest) > 2 * barriers.slip_m else shapely.Point()
    return borders


def _crosses(shapes: Shapes, pairs: Ints, walls: Shapes) -> npt.NDArray[np.bool_]:
    """Tell which ways from point to point meet a wall."""
    xy = shapely.get_coordinates(shapes)
    ways = shapely.linestrings(xy[pairs])
    crossed = np.zeros(len(pairs), dtype=bool)
    if len(walls) and len(pairs):
        way_at, _ = shapely.STRtree(walls).query(ways, predicate="intersects")
        crossed[way_at] = True
    return crossed


def _bridged_pairs(shapes: Shapes, bridges: Shapes) -> Ints:
    """Return the units at the two ends of each bridge."""
    lines = bridges[shapely.get_dimensions(bridges) == 1]
    if not len(lines) or not len(shapes):
        return _no_pairs()
    ends = np.concatenate([shapely.get_coordinates(line)[[0, -1]] for line in lines])
    if (shapely.get_dimensions(shapes) == 0).all():
        _, at = cKDTree(shapely.get_coordinates(shapes)).query(ends)
    else:
        at = shapely.STRtree(shapes).nearest(shapely.points(ends))
    joined: Ints = np.asarray(at, dtype=np.intp).reshape(-1, 2)
    apart: Ints = joined[joined[:, 0] != joined[:, 1]]
    return apart
