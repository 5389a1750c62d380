"""Walking distance on the path network from each household to the nearest service point."""

import geopandas as gpd
import pandas as pd

from gridmap.analysis.network.attach import attach
from gridmap.analysis.network.build import build_network
from gridmap.analysis.network.travel import travel
from gridmap.crs import require_one_metric_crs


def walking_reach(
    households: gpd.GeoDataFrame,
    points: gpd.GeoDataFrame,
    paths: gpd.GeoDataFrame,
    *,
    reach_m: float,
    attach_limit_m: float,
    snap_m: float,
    barriers: gpd.GeoSeries | None = None,
) -> pd.DataFrame:
    """Measure the way from each household to the nearest point, along the paths.

    Homes and points are attached to the nearest place ON a path, never to a junction; the way to the path counts.

    Parameters
    ----------
    households, points
        Points; the indexes name them. One metric CRS.
    paths
        Lines, as `analysis.network.build.build_network` takes them, same CRS. May be empty.
    reach_m
        Metres that still count as reached; above 0.
    attach_limit_m
        Farther from any path than this a home or point is not matched; above 0.
    snap_m
        Ends this near to each other or to another line meet; above 0.
    barriers
        Water that no way to a path crosses; None: nothing is known of it.

    Returns
    -------
    DataFrame
        On the households' index: `walk_m` (NaN when no point can be walked to), `point` (label of the nearest one, else
        null), `status`: `reached`, `beyond` (farther than the reach), `unreachable` (no way to any point), `unmatched` (too
        far from the paths). The four add up to all households.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If a length is not above 0.

    Notes
    -----
    One more point never lengthens a way. Rule: docs/kpi.md, "15-minute service circle".
    """
    require_one_metric_crs(households=households, points=points, paths=paths)
    if not (reach_m > 0 and attach_limit_m > 0 and snap_m > 0):
        raise ValueError(f"Lengths must be above 0, got {reach_m=}, {attach_limit_m=}, {snap_m=}.")
    # At one metre a second, on the flat, seconds are metres.
    network, _ = build_network(paths, snap_m=snap_m, speed_m_s=1.0, uses_heights=False)
    homes, goals = (
        attach(network, places, limit_m=attach_limit_m, off_path_m_s=1.0, barriers=barriers)
        for places in (households, points)
    )
    found = travel(network, homes, goals, limit_s=reach_m)
    return found[["seconds", "point", "status"]].rename(columns={"seconds": "walk_m"})
