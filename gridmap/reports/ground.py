"""What most reports stand on: grids, households, checkpoints and visits of a township, in metres and by grid."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.counting import locate
from gridmap.analysis.visits import match_visits
from gridmap.reports.figures import depends_on
from gridmap.reports.township import find_township, read_standing_checkpoints
from gridmap.store.facts import read_checkins
from gridmap.store.places import Township, read_areas, read_grids, read_households


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """A township's places on one day, in metres.

    Parameters
    ----------
    township
        Code, name, zone, bounds.
    grids
        Area grids of the plan in force, index `grid_code`.
    households
        Index `household_code`, with `grid_code` (null: in no grid).
    checkpoints
        Every checkpoint there ever was, index `checkpoint_code`, with `opened_on`, `closed_on`, `grid_code` and
        `village_code` (null: in none).
    villages
        Polygons, index `area_code`, with `name`.
    """

    township: Township
    grids: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    checkpoints: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame


def read_ground(connection: Connection, *, township_code: str, on: date) -> Ground:
    """Read the places of a township as they stand on a day.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    township = find_township(connection, township_code=township_code)
    zone = township.metric_epsg
    grids = read_grids(connection, township_code=township_code, on=on).to_crs(zone)
    villages = read_areas(connection, township_code=township_code, level="village").to_crs(zone)
    households = read_households(connection, township_code=township_code).to_crs(zone)
    checkpoints = read_standing_checkpoints(connection, township_code=township_code).to_crs(zone)
    return Ground(
        township=township,
        grids=grids,
        households=households.assign(grid_code=locate(households, grids)),
        checkpoints=checkpoints.assign(
            grid_code=locate(checkpoints, grids), village_code=locate(checkpoints, villages)
        ),
        villages=villages,
    )


def read_visits(
    connection: Connection,
    ground: Ground,
    *,
    since: datetime,
    until: datetime,
    known_at: datetime,
    zone: tzinfo,
    checkpoint_reach_m: float,
) -> pd.DataFrame:
    """Read the check-ins of a span that were recorded by `known_at` and say of each which checkpoint it visited (see `analysis.visits.match_visits`)."""
    checkins = read_checkins(
        connection, township_code=ground.township.code, since=since, until=until, known_at=known_at
    )
    return match_visits(
        checkins.to_crs(ground.township.metric_epsg), ground.checkpoints, reach_m=checkpoint_reach_m, zone=zone
    )


@depends_on("places")
def villages_report(connection: Connection, *, township_code: str) -> dict[str, str]:
    """Return the names of the villages by their code."""
    villages = read_areas(connection, township_code=township_code, level="village")
    return {str(code): str(name) for code, name in villages["name"].items()}
