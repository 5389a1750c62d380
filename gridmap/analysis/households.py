"""Households and residents per grid, and the cap."""

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.analysis.counting import count_points

_MEDIUM_FROM_SHARE = 0.5


def grid_load(
    households: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, *, household_cap: int, near_cap_share: float
) -> pd.DataFrame:
    """Households and residents of each grid, against the cap.

    Parameters
    ----------
    households
        Points, one row a household; `n_residents`, and one `n_<need>` for each service need. Metric CRS.
    grids
        Polygons, one row a grid, same CRS; the index names them.
    household_cap
        Households that a grid may hold; above 0.
    near_cap_share
        Share of the cap from which a grid is near it; above 0, at most 1.

    Returns
    -------
    DataFrame
        On the grids' index, every grid: `n_households`, `n_residents`, each `n_<need>` (int), `cap_share` (households
        over cap) and `load_class`: `low` (under half the cap), `medium`, `near`, `over`.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If the cap or the share is out of range.

    Notes
    -----
    A household on a shared border counts once. Rule: docs/kpi.md, "grid load".
    """
    if household_cap <= 0:
        raise ValueError(f"`household_cap` must be above 0, got {household_cap}.")
    if not 0 < near_cap_share <= 1:
        raise ValueError(f"`near_cap_share` must be above 0 and at most 1, got {near_cap_share}.")
    needs = [name for name in households.columns if str(name).startswith("n_")]
    counted = count_points(households, grids, weights=needs).rename(columns={"n_points": "n_households"})
    counted["cap_share"] = counted["n_households"] / household_cap
    steps = [
        counted["n_households"] > household_cap,
        counted["cap_share"] >= near_cap_share,
        counted["cap_share"] >= _MEDIUM_FROM_SHARE,
    ]
    counted["load_class"] = np.select(steps, ["over", "near", "medium"], default="low")
    return counted
