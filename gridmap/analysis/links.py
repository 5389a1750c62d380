"""Incidents that a patrol of a checkpoint came upon: near it, by the same person that day or at the time of a visit."""

from datetime import timedelta, tzinfo

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from gridmap.analysis.geometry import coordinates_of
from gridmap.analysis.visit_classes import CLASSES
from gridmap.crs import require_one_metric_crs

HOW = ("same_person", "same_time")


def linked_incidents(
    incidents: gpd.GeoDataFrame,
    visits: pd.DataFrame,
    checkpoints: gpd.GeoDataFrame,
    *,
    reach_m: float,
    within: timedelta,
    zone: tzinfo,
) -> pd.DataFrame:
    """Link incidents to the checkpoint at whose visit they were found.

    Parameters
    ----------
    incidents
        Points (may be null), the index names them; `happened_at` (tz-aware), `reporter` (who reported; may be null). Metric CRS.
    visits
        From `analysis.visit_classes.judge_visits`: `place_code`, `staff_id`, `day`, `happened_at`, `reason`. Visits of every class
        say that somebody was there.
    checkpoints
        Points, the index names them. Same CRS.
    reach_m
        Metres from the checkpoint; above 0.
    within
        A visit so long before or after the incident counts as of its time.
    zone
        The township's clock.

    Returns
    -------
    DataFrame
        Index the incidents that are linked, in their order: `checkpoint_code` (the nearest that fits; of equally near ones the first by
        code), `distance_m`, `how`: `same_person` (who reported it visited the checkpoint that day), else `same_time`.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If `reach_m` is not above 0.

    Notes
    -----
    A longer reach never links fewer. Rule: docs/kpi.md, "Ledger of patrols".
    """
    require_one_metric_crs(incidents=incidents, checkpoints=checkpoints)
    if not reach_m > 0:
        raise ValueError(f"`reach_m` must be above 0, got {reach_m}.")
    there = visits[visits["place_code"].notna() & visits["reason"].isin(CLASSES)]
    by_place = dict(iter(there.groupby("place_code")))
    points, places = coordinates_of(incidents), coordinates_of(checkpoints)
    standing = np.flatnonzero(np.isfinite(places).all(axis=1))
    found = np.flatnonzero(np.isfinite(points).all(axis=1))
    if not len(standing):
        found = found[:0]
    near = cKDTree(places[standing].reshape(-1, 2)).query_ball_point(points[found].reshape(-1, 2), reach_m)
    day = incidents["happened_at"].dt.tz_convert(zone).dt.date.to_numpy(dtype=object)
    at = incidents["happened_at"].to_numpy()
    rows = []
    for row, places_near in zip(found, near, strict=True):
        reporter = incidents["reporter"].iloc[row]
        fitting = []
        for place in places_near:
            code = str(checkpoints.index[standing[place]])
            how = _how(by_place.get(code), reporter=reporter, day=day[row], at=pd.Timestamp(at[row]), within=within)
            if how is not None:
                distance_m = float(np.hypot(*(places[standing[place]] - points[row])))
                fitting.append((distance_m, code, how))
        if fitting:
            distance_m, code, how = min(fitting)
            rows.append((incidents.index[row], code, distance_m, how))
    index, codes, distances, hows = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pd.DataFrame(
        {"checkpoint_code": list(codes), "distance_m": np.array(distances, dtype=float), "how": list(hows)},
        index=pd.Index(index, name=incidents.index.name, dtype=object),
    )


def _how(
    visits: pd.DataFrame | None, *, reporter: object, day: object, at: pd.Timestamp, within: timedelta
) -> str | None:
    if visits is None:
        return None
    if isinstance(reporter, str) and ((visits["staff_id"] == reporter) & (visits["day"] == day)).any():
        return "same_person"
    apart = (visits["happened_at"] - at).abs()
    return "same_time" if (apart <= within).any() else None
