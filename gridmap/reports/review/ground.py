"""The land that the maps of a review are drawn on: its own report says what is on it, the database where it lies."""

from dataclasses import dataclass

import geopandas as gpd
from sqlalchemy import Connection

from gridmap.reports.figures import depends_on
from gridmap.reports.review.shape import ReviewReport
from gridmap.reports.township import find_township
from gridmap.store.places import read_areas, read_grids_of, read_paths, read_water


@dataclass(frozen=True, kw_only=True, eq=False)
class ReviewGround:
    """The land of a month, in metres.

    Parameters
    ----------
    grids
        Polygons of the plan that the report rests on, index `grid_code`, sorted; empty without a plan.
    villages
        Polygons of the villages of the month's last day, index `area_code`: `name`.
    water, paths
        The base map: `kind` of each.
    """

    grids: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    paths: gpd.GeoDataFrame


@depends_on("places", "base_map", "plans")
def review_ground(connection: Connection, *, report: ReviewReport) -> ReviewGround:
    """Return the land of the month of a report: the plan it rests on, villages as they were on its last day.

    Parameters
    ----------
    connection
        Where to read.
    report
        Also one that was frozen long ago.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    code = report.township_code
    zone_m = find_township(connection, township_code=code).metric_epsg
    plan_id = None if report.plan is None else report.plan.plan_id
    villages = read_areas(connection, township_code=code, level="village", on=report.month.last_on)
    return ReviewGround(
        grids=gpd.GeoDataFrame(read_grids_of(connection, plan_id=plan_id)[["geometry"]]).to_crs(zone_m),
        villages=gpd.GeoDataFrame(villages[["name", "geometry"]]).to_crs(zone_m),
        water=gpd.GeoDataFrame(read_water(connection, township_code=code)[["kind", "geometry"]]).to_crs(zone_m),
        paths=gpd.GeoDataFrame(read_paths(connection, township_code=code)[["kind", "geometry"]]).to_crs(zone_m),
    )
