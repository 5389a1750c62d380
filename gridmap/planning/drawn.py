"""The one door for polygons drawn elsewhere: hand-drawn grids become an assignment of units."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.crs import require_one_metric_crs
from gridmap.errors import InfeasibleError
from gridmap.texts import t


@dataclass(frozen=True, kw_only=True)
class DrawnGrids:
    """What drawn polygons say about units.

    Parameters
    ----------
    grid_of_unit
        Grid label of each unit, on the units' index.
    differences
        Index the grid labels: `n_units`, `area_m2` (of the units), `moved_m2` (area by which drawing and units differ)
        and `offset_m` (widest sliver between them).
    """

    grid_of_unit: pd.Series
    differences: pd.DataFrame


def grids_of_units(units: gpd.GeoDataFrame, drawn: gpd.GeoDataFrame, *, tolerance_m: float) -> DrawnGrids:
    """Give each unit to the drawn grid that holds most of it, if drawing and units agree within a tolerance.

    Borders drawn by hand leave slivers and overlaps; the units know the exact border. A unit follows the polygon with
    its largest share, and the drawing is accepted where no part of a unit wider than `tolerance_m` lies outside it.

    Parameters
    ----------
    units
        Polygons that form an exact coverage, one row a unit. Metric CRS.
    drawn
        Polygons, one row a grid, same CRS.
    tolerance_m
        Widest sliver in metres that counts as a slip of the hand; above 0.

    Returns
    -------
    DrawnGrids
        The assignment and, per grid, how far the drawing was off.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If `tolerance_m` is not above 0.
    InfeasibleError
        If a unit lies in no grid, a grid holds no unit, or the drawing cuts through a unit by more than the tolerance;
        `reason` lists `units` and `grids`.
    """
    require_one_metric_crs(units=units, drawn=drawn)
    if not tolerance_m > 0:
        raise ValueError(f"`tolerance_m` must be above 0, got {tolerance_m}.")
    unit_at, drawn_at = _largest_shares(units, drawn)
    _require_complete(units, drawn, unit_at, drawn_at)
    outside = shapely.difference(units.geometry.to_numpy()[unit_at], drawn.geometry.to_numpy()[drawn_at])
    offsets_m = sliver_widths(outside, ceiling_m=8 * tolerance_m)
    cut = units.index[unit_at[offsets_m > tolerance_m]]
    if len(cut):
        raise InfeasibleError(
            t(
                "plan.drawn_through",
                n=len(cut),
                tolerance=f"{tolerance_m:g}",
                unit=cut[0],
                offset=f"{offsets_m.max():.1f}",
            ),
            reason={"units": [str(unit) for unit in cut], "offset_m": float(offsets_m.max())},
        )
    grid_of_unit = pd.Series(drawn.index.to_numpy()[drawn_at], index=units.index[unit_at], name="grid_code")
    by_grid = grid_of_unit.to_numpy()
    merged = units.geometry.iloc[unit_at].groupby(by_grid).agg(lambda shapes: shapely.union_all(shapes.to_numpy()))
    moved = shapely.symmetric_difference(merged.to_numpy(), drawn.geometry.loc[merged.index].to_numpy())
    differences = pd.DataFrame(
        {
            "n_units": grid_of_unit.groupby(by_grid).size(),
            "area_m2": pd.Series(shapely.area(merged.to_numpy()), index=merged.index),
            "moved_m2": pd.Series(shapely.area(moved), index=merged.index),
            "offset_m": pd.Series(sliver_widths(moved, ceiling_m=8 * tolerance_m), index=merged.index),
        }
    ).rename_axis(drawn.index.name)
    return DrawnGrids(grid_of_unit=grid_of_unit.reindex(units.index), differences=differences)


def sliver_widths(shapes: np.ndarray, *, ceiling_m: float, step_m: float = 0.05) -> np.ndarray:
    """Return the width of the widest part of each polygon: twice the inner buffer that makes it vanish.

    Parameters
    ----------
    shapes
        Polygons in a metric CRS.
    ceiling_m
        Widths above are returned as the ceiling.
    step_m
        The answer is exact to this, found by bisection.
    """
    low = np.zeros(len(shapes))
    high = np.where(shapely.area(shapes) > 0, float(ceiling_m), 0.0)
    while (high - low).max(initial=0.0) > step_m:
        middle = (low + high) / 2
        vanished = shapely.is_empty(shapely.buffer(shapes, -middle / 2, join_style="mitre"))
        high, low = np.where(vanished, middle, high), np.where(vanished, low, middle)
    return high


def _largest_shares(units: gpd.GeoDataFrame, drawn: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    unit_at, drawn_at = drawn.sindex.query(units.geometry, predicate="intersects")
    shared_m2 = shapely.area(
        shapely.intersection(units.geometry.to_numpy()[unit_at], drawn.geometry.to_numpy()[drawn_at])
    )
    pairs = pd.DataFrame({"unit_at": unit_at, "drawn_at": drawn_at, "shared_m2": shared_m2})
    pairs = pairs[pairs["shared_m2"] > 0].sort_values(["unit_at", "shared_m2", "drawn_at"])
    largest = pairs.drop_duplicates("unit_at", keep="last")
    return largest["unit_at"].to_numpy(), largest["drawn_at"].to_numpy()


def _require_complete(
    units: gpd.GeoDataFrame, drawn: gpd.GeoDataFrame, unit_at: np.ndarray, drawn_at: np.ndarray
) -> None:
    lost = [str(unit) for unit in units.index.delete(unit_at)]
    idle = [str(grid) for grid in drawn.index.delete(np.unique(drawn_at))]
    if lost or idle:
        named = ", ".join(f"`{name}`" for name in (lost + idle)[:5])
        raise InfeasibleError(
            t("plan.drawn_incomplete", n_lost=len(lost), n_idle=len(idle), named=named),
            reason={"units": lost, "grids": idle},
        )
