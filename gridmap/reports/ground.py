"""What most reports stand on: grids, households, checkpoints and visits of a township, in metres and by grid."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.counting import locate
from gridmap.analysis.rounds import Rounds, VisitRule, rounds_of
from gridmap.reports.figures import depends_on
from gridmap.reports.township import find_township, read_standing_checkpoints
from gridmap.store.facts import read_checkins, read_fixes
from gridmap.store.people import read_all_postings
from gridmap.store.places import Township, read_area_names, read_areas, read_grids, read_households

__all__ = ["Ground", "Rounds", "VisitRule", "read_ground", "read_rounds", "villages_report"]


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
    village_names
        By code; also of those that have ended by then, which facts may name.
    """

    township: Township
    grids: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    checkpoints: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    village_names: pd.Series


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
    villages = read_areas(connection, township_code=township_code, level="village", on=on).to_crs(zone)
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
        village_names=read_area_names(connection, township_code=township_code, level="village"),
    )


def read_rounds(
    connection: Connection,
    checkpoints: gpd.GeoDataFrame,
    *,
    township: Township,
    since: datetime,
    until: datetime,
    now: datetime,
    zone: tzinfo,
    rule: VisitRule,
) -> Rounds:
    """Read check-ins and tracks of a span that were recorded by now, and say of each which checkpoint it visited and how.

    Parameters
    ----------
    connection
        Where to read.
    checkpoints
        In metres, with `grid_code`.
    township
        Whose.
    since, until
        The span, its end outside.
    now
        Only what was recorded by then counts, and nothing that happens later.
    zone
        The township's clock.
    rule
        What counts.
    """
    metric = township.metric_epsg
    checkins, fixes = (
        read(connection, township_code=township.code, since=since, until=until, known_at=now).to_crs(metric)
        for read in (read_checkins, read_fixes)
    )
    postings = read_all_postings(connection, township_code=township.code)
    return rounds_of(checkins, fixes, checkpoints, postings, now=now, zone=zone, rule=rule)


@depends_on("places")
def villages_report(connection: Connection, *, township_code: str) -> dict[str, str]:
    """Return the names of the villages by their code."""
    names = read_area_names(connection, township_code=township_code, level="village")
    return {str(code): str(name) for code, name in names.items()}
