"""What most reports stand on: grids, households, checkpoints and visits of a township, in metres and by grid."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.counting import locate
from gridmap.analysis.tracks import track_visits
from gridmap.analysis.visit_classes import EXCLUDED, judge_visits, of_team
from gridmap.analysis.visits import match_visits, possible_visits
from gridmap.reports.figures import depends_on
from gridmap.reports.township import find_township, read_standing_checkpoints
from gridmap.store.facts import read_checkins, read_fixes
from gridmap.store.people import read_all_postings
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


@dataclass(frozen=True, kw_only=True)
class VisitRule:
    """What counts as a visit: see the settings `checkpoint_reach_m`, `fix_accuracy_m`, `patrol_max_speed_kmh`, `far_checkin_m`."""

    checkpoint_reach_m: float
    fix_accuracy_m: float
    patrol_max_speed_kmh: float
    far_checkin_m: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Rounds:
    """What is known of the patrols of a span.

    Parameters
    ----------
    visits
        One row a check-in or pass of a track, with its class (`analysis.visit_classes.judge_visits`), without the future.
    possible
        Visits that may have been made by somebody of the team: `place_code`, `staff_id`, `day`, `why`.
    traces
        Who left a trace on which day: `staff_id`, `day`.
    postings
        Everybody's postings, also past ones.
    excluded
        Check-ins that count nowhere, by `analysis.visit_classes.EXCLUDED` (`reason`), with their `day`.
    """

    visits: pd.DataFrame
    possible: pd.DataFrame
    traces: pd.DataFrame
    postings: pd.DataFrame
    excluded: pd.DataFrame


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
    fixes = fixes[fixes["happened_at"] <= now]
    postings = read_all_postings(connection, township_code=township.code)
    reach_m = rule.checkpoint_reach_m
    matched = match_visits(checkins, checkpoints, reach_m=reach_m, zone=zone)
    passes, gaps = track_visits(
        fixes,
        checkpoints,
        reach_m=reach_m,
        accuracy_m=rule.fix_accuracy_m,
        max_speed_m_s=rule.patrol_max_speed_kmh / 3.6,
        zone=zone,
    )
    named = possible_visits(checkins, matched, checkpoints, reach_m=reach_m)
    possible = pd.concat([one for one in (named, gaps) if len(one)] or [named], ignore_index=True)
    both = pd.concat([one for one in (matched, passes) if len(one)] or [matched], ignore_index=True)
    judged = judge_visits(both, checkpoints, postings, now=now, zone=zone, far_m=rule.far_checkin_m)
    is_ours = of_team(
        possible.assign(grid_code=possible["place_code"].map(checkpoints["grid_code"])).astype({"staff_id": object}),
        postings,
    )
    is_past = judged["reason"] != "future"
    walked = pd.DataFrame(
        {"staff_id": fixes["staff_id"], "day": fixes["happened_at"].dt.tz_convert(zone).dt.date}
    ).drop_duplicates()
    seen = judged.loc[is_past, ["staff_id", "day"]].drop_duplicates()
    return Rounds(
        visits=judged[is_past],
        possible=possible[is_ours & (possible["day"] <= now.astimezone(zone).date())],
        traces=pd.concat([seen, walked], ignore_index=True).drop_duplicates(),
        postings=postings,
        excluded=judged.loc[judged["reason"].isin(EXCLUDED), ["reason", "day"]],
    )


@depends_on("places")
def villages_report(connection: Connection, *, township_code: str) -> dict[str, str]:
    """Return the names of the villages by their code."""
    villages = read_areas(connection, township_code=township_code, level="village")
    return {str(code): str(name) for code, name in villages["name"].items()}
