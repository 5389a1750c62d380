"""Checkpoint coverage: which households have a checkpoint within reach."""

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from gridmap.analysis.geometry import coordinates_of
from gridmap.crs import require_one_metric_crs


def checkpoint_cover(households: gpd.GeoDataFrame, checkpoints: gpd.GeoDataFrame, *, reach_m: float) -> pd.DataFrame:
    """Nearest checkpoint of each household, in a straight line.

    Parameters
    ----------
    households
        Points, one row a household. Metric CRS.
    checkpoints
        Points, same CRS; the index names them. May be empty.
    reach_m
        Metres within which a household counts as covered; above 0.

    Returns
    -------
    DataFrame
        On the households' index: `nearest_checkpoint` (label, null without checkpoints), `distance_m` (NaN without
        checkpoints), `is_covered` (bool).

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If `reach_m` is not above 0.

    Notes
    -----
    One more checkpoint or a longer reach never covers fewer. Rule: docs/kpi.md, "checkpoint coverage".
    """
    require_one_metric_crs(households=households, checkpoints=checkpoints)
    if not reach_m > 0:
        raise ValueError(f"`reach_m` must be above 0, got {reach_m}.")
    nearest = np.full(len(households), None, dtype=object)
    distance_m = np.full(len(households), np.nan)
    homes, points = coordinates_of(households), coordinates_of(checkpoints)
    placed, standing = np.isfinite(homes).all(axis=1), np.isfinite(points).all(axis=1)
    if placed.any() and standing.any():
        found_m, at = cKDTree(points[standing]).query(homes[placed])
        nearest[placed] = checkpoints.index.to_numpy(dtype=object)[standing][at]
        distance_m[placed] = found_m
    return pd.DataFrame(
        {"nearest_checkpoint": nearest, "distance_m": distance_m, "is_covered": distance_m <= reach_m},
        index=households.index,
    )


def cover_by_grid(cover: pd.DataFrame, *, grid_codes: pd.Series, n_residents: pd.Series) -> pd.DataFrame:
    """Covered share of each grid's households, worst first.

    Parameters
    ----------
    cover
        One row a household with `is_covered` (bool).
    grid_codes, n_residents
        Grid and residents of each household, on the same index; households without a grid are left out.

    Returns
    -------
    DataFrame
        Index `grid_code`, most uncovered households first: `n_households`, `n_covered`, `n_uncovered`,
        `n_residents_uncovered` (int), `covered_share` (0 to 1).

    Raises
    ------
    KeyError
        If a column is missing.
    """
    rows = pd.DataFrame(
        {
            "grid_code": grid_codes,
            "is_covered": cover["is_covered"],
            "n_residents_uncovered": n_residents.where(~cover["is_covered"], 0),
        }
    ).dropna(subset="grid_code")
    by_grid = rows.groupby("grid_code")
    counts = pd.DataFrame(
        {
            "n_households": by_grid.size(),
            "n_covered": by_grid["is_covered"].sum().astype(int),
            "n_residents_uncovered": by_grid["n_residents_uncovered"].sum().astype(int),
        }
    )
    counts["n_uncovered"] = counts["n_households"] - counts["n_covered"]
    counts["covered_share"] = counts["n_covered"] / counts["n_households"]
    return counts.sort_values(["n_uncovered", "covered_share"], ascending=[False, True], kind="stable")
