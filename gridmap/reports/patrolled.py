"""Where nobody was seen for long: household-days since a patrol passed, by grid and village group, and the lanes they live on."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.network.attach import attach
from gridmap.analysis.network.build import build_network
from gridmap.analysis.patrolled import longest_lanes, patrolled, patrolled_by_grid, seen_places
from gridmap.analysis.visits import match_visits, span_instants
from gridmap.crs import STORED_CRS
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ground import Ground, read_ground
from gridmap.store.facts import read_checkins, read_fixes
from gridmap.store.places import read_area_names, read_paths


@dataclass(frozen=True, kw_only=True, eq=False)
class PatrolledReport:
    """How long ago somebody passed each home.

    Parameters
    ----------
    first_on, last_on
        The days that were looked at.
    mean_days
        Household-days since a patrol passed ÷ homes.
    long_share
        Share of the homes that nobody passed for `long_days` days or more.
    long_days
        From how many days on it is long.
    households
        Index the household: `days_since`, `state` (see `analysis.patrolled`), `grid_code`, `group_code`.
    grids
        Most household-days first, index `grid_code`: `name`, `village_code`, `village_name`, and the columns of
        `analysis.patrolled.patrolled_by_grid`.
    groups
        Most homes passed long ago first, index the group's code: `name`, `village_name`, `n_households`, `n_long`, `days_since`
        (the longest).
    lanes
        EPSG:4490 lines with homes that nobody passed for long, the longest first: `n_households`, `days_since`.
    """

    first_on: date
    last_on: date
    mean_days: Figure
    long_share: Figure
    long_days: int
    households: pd.DataFrame
    grids: pd.DataFrame
    groups: pd.DataFrame
    lanes: gpd.GeoDataFrame

    @cached_property
    def longest_lanes(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """Longitude and latitude along the lanes that nobody passed in all the days that were looked at."""
        n_days = (self.last_on - self.first_on).days + 1
        longest = self.lanes.geometry[self.lanes["days_since"] >= n_days]
        return tuple(tuple((float(x), float(y)) for x, y in line.coords) for line in longest)


@depends_on("places", "households", "base_map", "tracks")
def patrolled_report(
    connection: Connection,
    *,
    township_code: str,
    now: datetime,
    zone: tzinfo,
    patrolled_days: int,
    patrol_pass_m: float,
    long_unpatrolled_days: int,
    checkpoint_reach_m: float,
    path_attach_m: float,
    path_snap_m: float,
) -> PatrolledReport:
    """Measure how long ago somebody passed each home, by check-ins and tracks, whoever it was.

    Pages renew it each minute: a check-in more need not be seen at once.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    now
        The present instant; only what was recorded by then counts.
    zone
        The township's clock.
    patrolled_days, patrol_pass_m, long_unpatrolled_days, checkpoint_reach_m, path_attach_m, path_snap_m
        See `settings`.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    today = now.astimezone(zone).date()
    first_on = today - timedelta(days=patrolled_days - 1)
    ground = read_ground(connection, township_code=township_code, on=today)
    metric = ground.township.metric_epsg
    paths = read_paths(connection, township_code=township_code).to_crs(metric)
    network, _ = build_network(paths, snap_m=path_snap_m, speed_m_s=1.0, uses_heights=False)
    fixes = _fixes(connection, ground, first_on=first_on, now=now, zone=zone, reach_m=checkpoint_reach_m)
    passed = patrolled(
        ground.households,
        fixes,
        network,
        reach_m=patrol_pass_m,
        attach_limit_m=path_attach_m,
        first_day=first_on,
        last_day=today,
    )
    homes = attach(network, ground.households, limit_m=path_attach_m, off_path_m_s=1.0)
    lanes = longest_lanes(network, homes, passed.households, from_days=long_unpatrolled_days)
    households = ground.households[["grid_code", "group_code"]].join(passed.households)
    known = households["days_since"].notna()
    is_long = households["days_since"] >= long_unpatrolled_days
    by_grid = patrolled_by_grid(passed.households, grid_codes=households["grid_code"])
    return PatrolledReport(
        first_on=first_on,
        last_on=today,
        mean_days=count(
            float(households["days_since"].mean()) if known.any() else None,
            unit="unit.days",
            formula_key="coverage.formula_mean_days",
        ),
        long_share=share(
            int(is_long.sum()) if known.any() else None,
            int(known.sum()) if known.any() else None,
            formula_key="coverage.formula_long",
        ),
        long_days=long_unpatrolled_days,
        households=households,
        grids=pd.DataFrame(ground.grids[["name", "village_code", "village_name"]])
        .join(by_grid, how="right")
        .sort_values("household_days", ascending=False, kind="stable"),
        groups=_groups(connection, ground, households.assign(is_long=is_long)),
        lanes=lanes.to_crs(STORED_CRS),
    )


def _fixes(
    connection: Connection, ground: Ground, *, first_on: date, now: datetime, zone: tzinfo, reach_m: float
) -> gpd.GeoDataFrame:
    """Read where somebody was on which day: check-ins whose place is known, and the fixes of tracks."""
    code, metric = ground.township.code, ground.township.metric_epsg
    since, _ = span_instants(first_on, first_on, zone=zone)
    checkins, tracks = (
        read(connection, township_code=code, since=since, until=now, known_at=now).to_crs(metric)
        for read in (read_checkins, read_fixes)
    )
    matched = match_visits(checkins, ground.checkpoints, reach_m=reach_m, zone=zone)
    return seen_places(checkins, matched, tracks, zone=zone)


def _groups(connection: Connection, ground: Ground, households: pd.DataFrame) -> pd.DataFrame:
    names = read_area_names(connection, township_code=ground.township.code, level="group")
    by_group = households.groupby("group_code")
    table = pd.DataFrame(
        {
            "n_households": by_group.size(),
            "n_long": by_group["is_long"].sum().astype(int),
            "days_since": by_group["days_since"].max(),
        }
    )
    table.insert(0, "village_name", ground.village_names.reindex(table.index.str[:12]).to_numpy())
    table.insert(0, "name", names.reindex(table.index))
    return table.sort_values(["n_long", "days_since"], ascending=False, kind="stable")
