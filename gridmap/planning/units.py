"""Units with what planning needs to know of them: place, weight, area, and who touches whom."""

from collections.abc import Hashable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.planning.neighbours import Barriers, Ints, Neighbours, graph_of, neighbours_of
from gridmap.texts import t

_SHOWN = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Units:
    """Pieces of ground (or single households) that belong to one grid as a whole.

    Parameters
    ----------
    names
        Their codes, unique; a unit's position is its number everywhere else.
    shapes
        Polygons or points, metric CRS.
    weights
        Households of each, at least 0.
    areas
        Number of the area (village) that each lies in; grids stay inside one.
    area_names
        What the areas are called.
    neighbours
        Who touches whom.
    """

    names: tuple[Hashable, ...]
    shapes: gpd.GeoSeries
    weights: npt.NDArray[np.float64]
    areas: Ints
    area_names: tuple[Hashable, ...]
    neighbours: Neighbours

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.names)

    def part(self, members: Ints) -> "Units":
        """Return some of the units, with who touches whom among them."""
        number = np.full(len(self), -1, dtype=np.intp)
        number[members] = np.arange(len(members))
        pairs = np.column_stack([number[self.neighbours.first], number[self.neighbours.second]])
        inside = (pairs >= 0).all(axis=1)
        return Units(
            names=tuple(self.names[at] for at in members),
            shapes=self.shapes.iloc[members],
            weights=self.weights[members],
            areas=self.areas[members],
            area_names=self.area_names,
            neighbours=graph_of(len(members), pairs[inside], self.neighbours.border_m[inside]),
        )


def make_units(
    frame: gpd.GeoDataFrame, *, weight: str, within: str | None = None, barriers: Barriers | None = None
) -> Units:
    """Check a frame of units and find who touches whom.

    Parameters
    ----------
    frame
        One row a unit, its index their names; polygons or points. Metric CRS.
    weight
        Column of households.
    within
        Column of the area that grids must stay in; None: one area.
    barriers
        See `neighbours_of`.

    Raises
    ------
    CrsError
        If there is no metric CRS.
    ValueError
        If there are no units, names repeat, a shape is missing, empty or broken, shapes are mixed, a weight is not a number of
        at least 0, or an area is missing; names the first units at fault.
    """
    if frame.empty:
        raise ValueError(t("plan.unit_none"))
    _require(frame.index, ~frame.index.duplicated(), "twice")
    shapes = frame.geometry
    _require(frame.index, shapes.notna() & ~shapes.is_empty, "shapeless")
    finite = np.isfinite(shapely.bounds(shapes.to_numpy())).all(axis=1)
    _require(frame.index, finite, "nowhere")
    _require(frame.index, shapes.is_valid.to_numpy(), "crossed")
    weights = pd.to_numeric(frame[weight], errors="coerce").astype(float)
    _require(frame.index, np.isfinite(weights) & (weights >= 0), "weightless", column=weight)
    areas = pd.Series(0, index=frame.index) if within is None else frame[within]
    _require(frame.index, areas.notna(), "homeless", column=within)
    numbers, names = pd.factorize(areas, sort=True)
    return Units(
        names=tuple(frame.index),
        shapes=shapes,
        weights=weights.to_numpy(),
        areas=numbers.astype(np.intp),
        area_names=tuple(names),
        neighbours=neighbours_of(shapes, barriers=barriers),
    )


def _require(names: pd.Index, holds: "npt.ArrayLike", fault: str, *, column: str | None = None) -> None:
    wrong = names[~np.asarray(holds, dtype=bool)]
    if len(wrong):
        shown = ", ".join(f"`{name}`" for name in wrong[:_SHOWN])
        raise ValueError(t(f"plan.unit_{fault}", n=len(wrong), units=shown, column=column))
