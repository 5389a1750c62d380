"""The 15-minute service circle: who is inside, who is not and by how much, and what further questions need."""

from dataclasses import dataclass, field
from datetime import date, datetime

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.gaps import OUTSIDE, gaps_by_grid, with_missing
from gridmap.analysis.network.areas import reached_pieces
from gridmap.analysis.network.attach import Attached, attach
from gridmap.analysis.network.build import build_network
from gridmap.analysis.network.network import Network
from gridmap.analysis.network.polygons import polygons_around
from gridmap.analysis.network.travel import travel
from gridmap.crs import STORED_CRS
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ground import Ground, read_ground
from gridmap.reports.township import open_on
from gridmap.store.places import read_areas, read_paths, read_water
from gridmap.store.versions import read_known_at

GOALS = ("service", "any")
"""What is to be reached: a service point, or any checkpoint."""
# A canal or a pond is stepped over; a river needs a bridge.
_WALLS = ("river",)
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
        groups=read_areas(connection, township_code=township_code, level="group", on=on).to_crs(metric),
    )
    goals = attach(network, points, **options)
    ways = travel(network, walk.homes, goals, limit_s=walk.limit_s)
    households = _households(ground, ways, limit_s=walk.limit_s)
    is_known = bool(len(points)) and bool(network.n_edges)
    land = polygons_around(reached_pieces(network, goals, limit_s=walk.limit_s), buffer_m=circle_land_m)
    return CircleReport(
        known_at=read_known_at(connection, township_code=township_code),
        minutes=minutes,
        goal=goal,
        figures=_figures(households, is_known=is_known),
        n_points=count(len(points) if len(standing) else None, unit="unit.points", formula_key="circle.formula_points"),
        households=households.to_crs(STORED_CRS),
        points=points.to_crs(STORED_CRS),
        area=land.to_crs(STORED_CRS),
        grids=_by_area(households, "grid_code", names=ground.grids[["name", "village_code", "village_name"]]),
        villages=_by_area(households, "village_code", names=ground.village_names.to_frame()),
        problems=problems.to_crs(STORED_CRS),
        villages_land=ground.villages.geometry.to_crs(STORED_CRS),
        walk=walk,
    )


def _households(ground: Ground, ways: pd.DataFrame, *, limit_s: float) -> gpd.GeoDataFrame:
    homes = ground.households
    found = homes[["grid_code", "n_residents", "geometry"]].assign(
        grid_name=homes["grid_code"].map(ground.grids["name"]),
        village_code=homes["group_code"].str[:12],
        status=ways["status"],
        minutes=ways["seconds"] / 60,
        missing_m=with_missing(ways, limit_s=limit_s)["missing_m"],
    )
    return gpd.GeoDataFrame(found)


def _figures(households: pd.DataFrame, *, is_known: bool) -> CircleFigures:
    status = households["status"]
    outside, n_reached = status.isin(OUTSIDE), int((status == "reached").sum())
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
    gaps = gaps_by_grid(households, grid_codes=households[column], weights=households["n_residents"])
    n_known = gaps["n_reached"] + gaps["n_outside"]
    table = gaps.rename(
        columns={"n_homes": "n_households", "weight_outside": "n_residents_outside", "median_missing_m": "missing_m"}
    ).assign(reached_share=gaps["n_reached"] / n_known.where(n_known > 0))
    named: pd.DataFrame = pd.DataFrame(names).join(table, how="right")
    return named.sort_values(["n_outside", "missing_m"], ascending=False, kind="stable")
