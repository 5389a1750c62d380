"""What the posters of the area grids are made of: the teams of a day, and the ground that the map excerpts show, in metres."""

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
from sqlalchemy import Connection

from gridmap.reports.contacts import Team, contact_book
from gridmap.reports.figures import depends_on
from gridmap.reports.township import find_township, open_on, read_standing_checkpoints
from gridmap.store.places import read_areas, read_grids, read_paths, read_water


@dataclass(frozen=True, kw_only=True, eq=False)
class PosterReport:
    """A township as its posters show it on a day; all layers in the township's metres.

    Parameters
    ----------
    on
        The day.
    township_name
        As on the map.
    teams
        Teams of the area grids that have ground, by grid code.
    grids
        Area grids of the plan in force, index `grid_code`.
    groups
        Village groups with `name`.
    paths, water
        The base map, with `kind`.
    service_points
        Service points that are open, with `name`.
    """

    on: date
    township_name: str
    teams: dict[str, Team]
    grids: gpd.GeoDataFrame
    groups: gpd.GeoDataFrame
    paths: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    service_points: gpd.GeoDataFrame


@depends_on("places", "base_map", "checkpoints", "staff")
def poster_report(connection: Connection, *, township_code: str, on: date, grid_members: int) -> PosterReport:
    """Return what the posters of a township are made of.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    on
        Day whose plan in force and whose teams count.
    grid_members
        Members that an area grid should have beside its chief.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    township = find_township(connection, township_code=township_code)
    zone = township.metric_epsg
    book = contact_book(connection, township_code=township_code, on=on, grid_members=grid_members)
    grids = read_grids(connection, township_code=township_code, on=on).to_crs(zone)
    checkpoints = read_standing_checkpoints(connection, township_code=township_code)
    is_service = (checkpoints["duty"] == "service") & open_on(checkpoints, on)
    return PosterReport(
        on=on,
        township_name=township.name,
        teams={team.code: team for team in book.teams if team.code in grids.index},
        grids=grids,
        groups=read_areas(connection, township_code=township_code, level="group", on=on).to_crs(zone),
        paths=read_paths(connection, township_code=township_code).to_crs(zone),
        water=read_water(connection, township_code=township_code).to_crs(zone),
        service_points=checkpoints[is_service].to_crs(zone),
    )
