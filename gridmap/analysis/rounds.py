"""Check-ins and tracks of a span, each told which checkpoint it visited and how: what every figure of patrols stands on."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

import geopandas as gpd
import pandas as pd

from gridmap.analysis.tracks import track_visits
from gridmap.analysis.visit_classes import EXCLUDED, judge_visits, of_team
from gridmap.analysis.visits import match_visits, possible_visits


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


def rounds_of(
    checkins: gpd.GeoDataFrame,
    fixes: gpd.GeoDataFrame,
    checkpoints: gpd.GeoDataFrame,
    postings: pd.DataFrame,
    *,
    now: datetime,
    zone: tzinfo,
    rule: VisitRule,
) -> Rounds:
    """Say of each check-in and pass of a track which checkpoint it visited and how.

    Parameters
    ----------
    checkins, fixes
        As `analysis.visits.match_visits` and `analysis.tracks.track_visits` need them. Metric CRS.
    checkpoints
        With `grid_code`, same CRS.
    postings
        Everybody's, also past ones.
    now
        Nothing that happens later counts.
    zone
        The township's clock.
    rule
        What counts.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If a length of the rule is not above 0.
    """
    fixes = fixes[fixes["happened_at"] <= now]
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
