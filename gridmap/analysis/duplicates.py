"""Reports that likely tell of the same matter: of one category, near, and of about the same time. Suggested, never merged."""

from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import CrsError

_HOUR_S = 3600.0


def likely_duplicates(
    others: gpd.GeoDataFrame,
    *,
    category_code: str,
    category_name: str,
    happened_at: datetime,
    point: shapely.Point | None,
    grid_code: str | None,
    within_m: float,
    within_hours: float,
    most: int,
) -> pd.DataFrame:
    """Return the reports that likely tell of the same matter, nearest first, then by time.

    Parameters
    ----------
    others
        Reports on record, index their number: `category_code`, `category_name`, `grid_code` (null where unknown), `happened_at`
        (tz-aware); points in metres, null without a place.
    category_code, category_name
        Of the new report. The code, or from one year's list to the next the name, must be the same.
    happened_at
        When it happened, tz-aware.
    point
        Where, in the metres of `others`; None without a place.
    grid_code
        Its grid. Of two reports, one of which has no place, both must name the same grid.
    within_m
        Metres that still count as near; 0 and more.
    within_hours
        Hours apart, before or after, that still count as one time; 0 and more.
    most
        At most so many are returned.

    Returns
    -------
    DataFrame
        Index the number: `distance_m` (NaN where one of the two has no place), `hours` (apart, 0 and more), `category_name`.

    Raises
    ------
    CrsError
        If the points are not in metres.
    KeyError
        If a column is missing.
    ValueError
        If a limit is negative.

    Notes
    -----
    Greater limits never lose a suggestion, but for `most`. Rule: docs/kpi.md, "Likely duplicates".
    """
    if others.crs is None or not others.crs.is_projected:
        raise CrsError(f"`others` is in `{others.crs}`, not in metres. Project it (`to_crs`) first.")
    if not (within_m >= 0 and within_hours >= 0):
        raise ValueError(f"Limits must be 0 or more, got {within_m} m and {within_hours} h.")
    hours = (others["happened_at"] - pd.Timestamp(happened_at)).dt.total_seconds().abs() / _HOUR_S
    same = (others["category_code"] == category_code) | (others["category_name"] == category_name)
    placed = others.geometry.notna()
    distance = pd.Series(np.nan, index=others.index)
    if point is not None:
        distance = others.geometry.distance(point)
    is_near = distance <= within_m
    if grid_code is not None:
        nowhere = ~placed if point is not None else pd.Series(True, index=others.index)
        is_near |= nowhere & (others["grid_code"] == grid_code)
    found = pd.DataFrame(
        {"distance_m": distance, "hours": hours, "category_name": others["category_name"]}, index=others.index
    )[same & is_near & (hours <= within_hours)]
    nearest: pd.DataFrame = found.sort_values(["distance_m", "hours"], kind="stable", na_position="last").head(most)
    return nearest
