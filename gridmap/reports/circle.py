"""The 15-minute service circle: who is inside, who is not and by how much, and what one or n more points would win."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from gridmap.analysis.geometry import coordinates_of
from gridmap.analysis.network.areas import reached_pieces
from gridmap.analysis.network.attach import Attached, attach
from gridmap.analysis.network.build import build_network
from gridmap.analysis.network.matrix import reach_matrix
from gridmap.analysis.network.network import Flags, Ints, Network
from gridmap.analysis.network.polygons import polygons_around
from gridmap.analysis.network.travel import travel
from gridmap.analysis.siting.choose import Siting, choose_sites
from gridmap.crs import STORED_CRS
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ground import Ground, read_ground
from gridmap.reports.township import open_on
from gridmap.store.places import read_areas, read_paths, read_water
from gridmap.store.versions import read_known_at
from gridmap.texts import t

GOALS = ("service", "any")
"""What is to be reached: a service point, or any checkpoint."""
# A canal or a pond is stepped over; a river needs a bridge.
_WALLS = ("river",)
_OUTSIDE = ("beyond", "unreachable")
_KMH = 3.6


@dataclass(frozen=True, kw_only=True, eq=False)
class CircleFigures:
    """The circle in numbers, of the township or of a village.

    Parameters
    ----------
    reached
        Share of the homes that can be told.
    n_outside, n_residents_outside
        Homes whose way is too long or who have none, and who lives there.
    n_unmatched
        Homes of which nothing can be said.
    """

    reached: Figure
    n_outside: Figure
    n_residents_outside: Figure
    n_unmatched: Figure


@dataclass(frozen=True, kw_only=True, eq=False)
class Walk:
    """The paths and the homes on them, to ask further questions of.

    Parameters
    ----------
    network, homes
        In metres; the homes in the order of the report's.
    attach_m, walking_m_s, limit_s
        How it was measured.
    walls
        What nobody crosses on the way to a path.
    groups
        Land of the village groups, to name places: `name`, `parent_code`.
    """

    network: Network
    homes: Attached
    attach_m: float
    walking_m_s: float
    limit_s: float
    walls: gpd.GeoSeries
    groups: gpd.GeoDataFrame

    def attached(self, places: gpd.GeoSeries) -> Attached:
        """Return places on the network."""
        return attach(self.network, places, limit_m=self.attach_m, off_path_m_s=self.walking_m_s, barriers=self.walls)


@dataclass(frozen=True, kw_only=True, eq=False)
class CircleReport:
    """The page of the 15-minute circle.

    Parameters
    ----------
    known_at
        When the newest fact was recorded; None without facts.
    minutes, goal
        What was asked.
    figures
        Of the whole township.
    n_points
        Points that are to be reached.
    households
        Index the household, EPSG:4490 points: `grid_code`, `grid_name`, `village_code`, `n_residents`, `status` (see
        `analysis.network.travel`), `minutes` of the way, `missing_m` by which it is too long (0 inside, NaN no way).
    points
        EPSG:4490: `name`, `duty`.
    area
        Ground along the paths within reach, EPSG:4490.
    grids
        Most homes outside first, index `grid_code`: `name`, `village_code`, `village_name`, `n_households`, `n_outside`,
        `n_residents_outside`, `n_unmatched`, `missing_m` (median of those outside with a way), `reached_share`.
    villages
        The same per village.
    problems
        What was odd about the paths, EPSG:4490; see `analysis.network.build`.
    villages_land
        Borders, EPSG:4490.
    walk
        To ask further questions of.
    key
        Tells this report from any other.
    """

    known_at: datetime | None
    minutes: int
    goal: str
    figures: CircleFigures
    n_points: Figure
    households: gpd.GeoDataFrame
    points: gpd.GeoDataFrame
    area: gpd.GeoSeries
    grids: pd.DataFrame
    villages: pd.DataFrame
    problems: gpd.GeoDataFrame
    villages_land: gpd.GeoSeries
    walk: Walk
    key: object = field(default_factory=object)

    @property
    def is_known(self) -> bool:
        """Whether anything can be said: there are homes, paths and points."""
        return self.figures.reached.value is not None

    @property
    def n_known(self) -> int:
        """Homes that can be told."""
        return int((self.households["status"] != "unmatched").sum())

    def of_village(self, village_code: str | None) -> CircleFigures:
        """Return the figures of a village; None: of the township."""
        if village_code is None:
            return self.figures
        return _figures(self.households[self.households["village_code"] == village_code], is_known=self.is_known)


@depends_on("places", "households", "base_map", "checkpoints")
def circle_report(
    connection: Connection,
    *,
    township_code: str,
    on: date,
    minutes: int,
    goal: str,
    walking_kmh: float,
    path_attach_m: float,
    path_snap_m: float,
    circle_land_m: float,
) -> CircleReport:
    """Measure who reaches a point on foot within some minutes.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    on
        The day whose grids and open points count.
    minutes
        Longest way that is inside; above 0.
    goal
        One of `GOALS`.
    walking_kmh, path_attach_m, path_snap_m, circle_land_m
        See `settings`.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    ground = read_ground(connection, township_code=township_code, on=on)
    metric = ground.township.metric_epsg
    standing = ground.checkpoints[open_on(ground.checkpoints, on)]
    points = standing if goal == "any" else standing[standing["duty"] == "service"]
    paths = read_paths(connection, township_code=township_code).to_crs(metric)
    water = read_water(connection, township_code=township_code).to_crs(metric)
    walking_m_s = walking_kmh / _KMH
    network, problems = build_network(paths, snap_m=path_snap_m, speed_m_s=walking_m_s)
    walls = water.geometry[water["kind"].isin(_WALLS)]
    options = {"limit_m": path_attach_m, "off_path_m_s": walking_m_s, "barriers": walls}
    walk = Walk(
        network=network,
        homes=attach(network, ground.households, **options),
        attach_m=path_attach_m,
        walking_m_s=walking_m_s,
        limit_s=minutes * 60.0,
        walls=walls,
        groups=read_areas(connection, township_code=township_code, level="group").to_crs(metric),
    )
    goals = attach(network, points, **options)
    ways = travel(network, walk.homes, goals, limit_s=walk.limit_s)
    households = _households(ground, ways, limit_s=walk.limit_s, walking_m_s=walking_m_s)
    is_known = bool(len(points)) and bool(network.n_edges)
    land = polygons_around(reached_pieces(network, goals, limit_s=walk.limit_s), buffer_m=circle_land_m)
    return CircleReport(
        known_at=read_known_at(connection, township_code=township_code),
        minutes=minutes,
        goal=goal,
        figures=_figures(households, is_known=is_known),
        n_points=count(len(points), unit="unit.points", formula_key="circle.formula_points"),
        households=households.to_crs(STORED_CRS),
        points=points.to_crs(STORED_CRS),
        area=land.to_crs(STORED_CRS),
        grids=_by_area(households, "grid_code", names=ground.grids[["name", "village_code", "village_name"]]),
        villages=_by_area(households, "village_code", names=ground.villages[["name"]]),
        problems=problems.to_crs(STORED_CRS),
        villages_land=ground.villages.geometry.to_crs(STORED_CRS),
        walk=walk,
    )


def _households(ground: Ground, ways: pd.DataFrame, *, limit_s: float, walking_m_s: float) -> gpd.GeoDataFrame:
    homes = ground.households
    found = homes[["grid_code", "n_residents", "geometry"]].assign(
        grid_name=homes["grid_code"].map(ground.grids["name"]),
        village_code=homes["group_code"].str[:12],
        status=ways["status"],
        minutes=ways["seconds"] / 60,
        missing_m=((ways["seconds"] - limit_s) * walking_m_s).clip(lower=0),
    )
    return gpd.GeoDataFrame(found)


def _figures(households: pd.DataFrame, *, is_known: bool) -> CircleFigures:
    status = households["status"]
    outside, n_reached = status.isin(_OUTSIDE), int((status == "reached").sum())
    known = is_known and len(households) > 0

    def counted(value: int, unit: str, name: str) -> Figure:
        return count(value if known else None, unit=unit, formula_key=f"circle.formula_{name}")

    return CircleFigures(
        reached=share(
            n_reached if known else None,
            n_reached + int(outside.sum()) if known else None,
            formula_key="circle.formula_reached",
        ),
        n_outside=counted(int(outside.sum()), "unit.households", "outside"),
        n_residents_outside=counted(
            int(households["n_residents"][outside].sum()), "unit.residents", "residents_outside"
        ),
        n_unmatched=counted(int((status == "unmatched").sum()), "unit.households", "unmatched"),
    )


def _by_area(households: pd.DataFrame, column: str, *, names: pd.DataFrame) -> pd.DataFrame:
    outside = households["status"].isin(_OUTSIDE)
    rows = households.assign(
        is_outside=outside,
        is_unmatched=households["status"] == "unmatched",
        residents=households["n_residents"].where(outside, 0),
        missing=households["missing_m"].where(outside),
    ).dropna(subset=column)
    by_area = rows.groupby(column)
    table = pd.DataFrame(
        {
            "n_households": by_area.size(),
            "n_outside": by_area["is_outside"].sum().astype(int),
            "n_residents_outside": by_area["residents"].sum().astype(int),
            "n_unmatched": by_area["is_unmatched"].sum().astype(int),
            "missing_m": by_area["missing"].median(),
        }
    )
    n_known = table["n_households"] - table["n_unmatched"]
    table["reached_share"] = 1 - table["n_outside"] / n_known.where(n_known > 0)
    named: pd.DataFrame = pd.DataFrame(names).join(table, how="right")
    return named.sort_values(["n_outside", "missing_m"], ascending=False, kind="stable")


@dataclass(frozen=True, kw_only=True, eq=False)
class Tried:
    """What one more point would win.

    Parameters
    ----------
    place
        Latitude and longitude.
    is_matched
        Whether a path is near enough.
    won
        Homes that come in.
    n_residents
        Who lives there.
    """

    place: tuple[float, float]
    is_matched: bool
    won: pd.Index
    n_residents: int


def try_point(report: CircleReport, *, longitude: float, latitude: float) -> Tried:
    """Say which homes would come into the circle if one more point stood at a place."""
    walk = report.walk
    place = gpd.GeoSeries([shapely.Point(longitude, latitude)], crs=STORED_CRS).to_crs(walk.network.crs)
    point = walk.attached(place)
    is_outside = report.households["status"].isin(_OUTSIDE).to_numpy()
    ways = travel(walk.network, walk.homes.take(is_outside), point, limit_s=walk.limit_s, is_cut=True)
    won = ways.index[ways["status"] == "reached"]
    return Tried(
        place=(latitude, longitude),
        is_matched=bool(point.is_matched[0]),
        won=won,
        n_residents=int(report.households["n_residents"].loc[won].sum()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Suggestion:
    """Where n more points help most.

    Parameters
    ----------
    places
        Latitude and longitude of each point, the one that brings in most first.
    table
        One row a point: `number`, `place` (words), `gain`, `covered` (homes inside with it and those before it).
    won
        Homes that come in.
    n_residents
        Who lives there.
    siting
        The proof: see `analysis.siting.choose.Siting`.
    """

    places: tuple[tuple[float, float], ...]
    table: pd.DataFrame
    won: pd.Index
    n_residents: int
    siting: Siting

    @property
    def n_won(self) -> int:
        """Homes that come in."""
        return len(self.won)


def suggest_points(report: CircleReport, *, n_points: int, seconds_left: Callable[[], float]) -> Suggestion:
    """Choose where n more points bring most homes into the circle, from all homes and junctions.

    Parameters
    ----------
    report
        The circle as it is; its points stay.
    n_points
        How many more.
    seconds_left
        Asked again and again; at 0 the best so far is returned with its bound.

    Raises
    ------
    ValueError
        If the number is not from 1 to that of the candidates.
    """
    walk = report.walk
    homes = report.households.to_crs(walk.network.crs)
    xy = np.concatenate([coordinates_of(homes), walk.network.node_xy])
    candidates = gpd.GeoSeries(shapely.points(xy), crs=walk.network.crs)
    told = np.flatnonzero(walk.homes.is_matched)
    covers = reach_matrix(walk.network, walk.homes.take(told), walk.attached(candidates), limit_s=walk.limit_s)
    covers.data[:] = 1.0  # a home reaches a point at its own door in 0 seconds
    is_reached = (report.households["status"] == "reached").to_numpy()[told]
    siting = choose_sites(
        covers,
        np.ones(len(told)),
        n_sites=n_points,
        is_covered=is_reached,
        seconds_left=seconds_left,
    )
    chosen = candidates.iloc[siting.sites]
    inside = _inside_again(walk, chosen, told, is_reached)
    if inside.sum() != siting.covered:
        raise RuntimeError(
            f"The siting claims {siting.covered:g} homes, their ways say {inside.sum()}. Report this as a fault."
        )
    won = report.households.index[told][inside & ~is_reached]
    degrees = chosen.to_crs(STORED_CRS)
    return Suggestion(
        places=tuple((float(place.y), float(place.x)) for place in degrees),
        table=pd.DataFrame(
            {
                "number": np.arange(1, len(chosen) + 1),
                "place": _words(report, walk, chosen),
                "gain": siting.gains.astype(int),
                "covered": (is_reached.sum() + np.cumsum(siting.gains)).astype(int),
            }
        ),
        won=won,
        n_residents=int(report.households["n_residents"].loc[won].sum()),
        siting=siting,
    )


def _inside_again(walk: Walk, chosen: gpd.GeoSeries, told: Ints, is_reached: Flags) -> Flags:
    """Count once more, by the ways themselves and not by the solver's table, which homes are inside."""
    ways = travel(walk.network, walk.homes.take(told), walk.attached(chosen), limit_s=walk.limit_s, is_cut=True)
    inside: Flags = is_reached | (ways["status"] == "reached").to_numpy()
    return inside


def _words(report: CircleReport, walk: Walk, places: gpd.GeoSeries) -> list[str]:
    """Name places by the village and the group whose land they are on, or the nearest."""
    nearest = walk.groups.sindex.nearest(places, return_all=False)[1]
    villages = dict(zip(report.grids["village_code"], report.grids["village_name"], strict=True))
    found = walk.groups.iloc[nearest]
    return [
        t("circle.place_words", village=villages.get(parent, ""), group=name).strip()
        for parent, name in zip(found["parent_code"], found["name"], strict=True)
    ]
