"""The review of a month: all figures of one township from its frames, and those of the months it is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any

import geopandas as gpd
import pandas as pd

from gridmap.analysis.counting import locate
from gridmap.analysis.network.build import build_network
from gridmap.analysis.network.network import Network
from gridmap.analysis.patrolled import Within, homes_within
from gridmap.analysis.review.cases import DISPUTE, case_measures, month_cases, placed_incidents
from gridmap.analysis.review.frames import Frames, Rules, Span, month_before, month_span
from gridmap.analysis.review.land import (
    KMH,
    Reach,
    compared_grids,
    compared_measures,
    grid_table,
    hot_grids,
    hot_measures,
    load_measures,
    month_reach,
    move_measures,
    plan_moves,
    reach_measures,
)
from gridmap.analysis.review.measures import Measure, counted
from gridmap.analysis.review.patrols import (
    MonthHomes,
    MonthPatrols,
    gap_changes,
    home_measures,
    month_homes,
    month_patrols,
    patrol_measures,
    review_places,
    review_rounds,
)
from gridmap.analysis.review.quality import quality_measures
from gridmap.analysis.rounds import Rounds


@dataclass(frozen=True, kw_only=True, eq=False)
class Ways:
    """The paths of a township, at walking speed, and from where on them each home is passed."""

    network: Network
    within: Within


def ways_of(frames: Frames, *, rules: Rules) -> Ways:
    """Build the paths of a township; they are the same for every month.

    Parameters
    ----------
    frames
        Paths and households, in metres.
    rules
        How paths join, how far a patrol passes a home.

    Raises
    ------
    CrsError
        If paths and households do not share one metric CRS.
    ValueError
        If a rule is out of range.
    """
    network, _ = build_network(frames.paths, snap_m=rules.path_snap_m, speed_m_s=rules.walking_kmh / KMH)
    within = homes_within(frames.households, network, reach_m=rules.patrol_pass_m, attach_limit_m=rules.path_attach_m)
    return Ways(network=network, within=within)


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A township's frames, each located in the grids of one plan.

    Parameters
    ----------
    frames
        With `checkpoints` and `households` that have `grid_code`, checkpoints also `village_code`.
    incidents
        From `analysis.review.cases.placed_incidents`.
    rounds
        From `analysis.review.patrols.review_rounds`.
    seen
        From `analysis.review.patrols.review_places`.
    ways
        The paths, and from where on them each home is passed.
    """

    frames: Frames
    incidents: pd.DataFrame
    rounds: Rounds
    seen: gpd.GeoDataFrame
    ways: Ways


def located(
    frames: Frames, spans: Sequence[Span], ways: Ways, *, known_at: datetime, zone: tzinfo, rules: Rules
) -> Place:
    """Locate everything in villages and in the grids of the month.

    Parameters
    ----------
    frames
        The township.
    spans
        The months whose patrols are judged by these grids.
    ways
        From `ways_of`.
    known_at
        The instant of the review.
    zone
        The township's clock.
    rules
        What counts.
    """
    checkpoints = frames.checkpoints.assign(
        grid_code=locate(frames.checkpoints, frames.grids), village_code=locate(frames.checkpoints, frames.villages)
    )
    households = frames.households.assign(grid_code=locate(frames.households, frames.grids))
    placed = replace(frames, checkpoints=gpd.GeoDataFrame(checkpoints), households=gpd.GeoDataFrame(households))
    return Place(
        frames=placed,
        incidents=placed_incidents(placed),
        rounds=review_rounds(placed, placed.checkpoints, spans, known_at=known_at, zone=zone, rules=rules),
        seen=review_places(placed, placed.checkpoints, known_at=known_at, zone=zone, rules=rules),
        ways=ways,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class MonthReview:
    """What one month was like.

    Parameters
    ----------
    span
        The month.
    cases
        See `analysis.review.cases.month_cases`.
    patrols
        See `analysis.review.patrols`.
    homes
        Likewise; None where the month had not begun.
    grids
        See `analysis.review.land.grid_table`.
    hot, compared, reach
        See `analysis.review.land`; None where grids are not looked at.
    measures
        Every figure by its key.
    """

    span: Span
    cases: pd.DataFrame
    patrols: MonthPatrols
    homes: MonthHomes
    grids: pd.DataFrame
    hot: pd.DataFrame | None
    compared: pd.DataFrame | None
    reach: Reach | None
    measures: dict[str, Measure]


def month_review(
    place: Place,
    span: Span,
    *,
    known_at: datetime,
    zone: tzinfo,
    rules: Rules,
    with_grids: bool,
    open_before: pd.Series | None = None,
) -> MonthReview:
    """Measure one month.

    Parameters
    ----------
    place
        The township, located.
    span
        The month, begun by `known_at`.
    known_at
        The instant of the review.
    zone
        The township's clock.
    rules
        Numbers of policy.
    with_grids
        Whether hot spots, the fair comparison and reach are measured; else nothing is said of them.
    open_before
        See `month_cases`.
    """
    frames = place.frames
    cases = month_cases(place.incidents, frames.steps, span, open_before=open_before)
    patrols = month_patrols(frames.checkpoints, place.rounds, span, today=known_at.astimezone(zone).date())
    homes = month_homes(frames, place.seen, place.ways.network, span, within=place.ways.within, zone=zone, rules=rules)
    grids = grid_table(frames, frames.households, rules=rules)
    last = span.last_on
    is_open = (frames.checkpoints["opened_on"] <= last) & (frames.checkpoints["closed_on"] > last)
    measures = (
        patrol_measures(patrols)
        | home_measures(homes, has_points=bool(is_open.any()), long_days=rules.long_unpatrolled_days)
        | case_measures(cases)
        | quality_measures(cases, patrols, frames, span, late_hours=rules.late_record_hours)
    )
    hot = compared = reach = None
    if with_grids:
        new = cases[cases["is_new"]]
        hot = hot_grids(new[new["kind"] == DISPUTE], frames, grids, has_facts=len(new) > 0, rules=rules)
        compared = compared_grids(place.incidents, frames, grids, span, rules=rules)
        reach = month_reach(frames, frames.checkpoints, frames.households, place.ways.network, span, rules=rules)
        measures |= load_measures(grids) | hot_measures(hot) | compared_measures(compared) | reach_measures(reach)
    return MonthReview(
        span=span,
        cases=cases,
        patrols=patrols,
        homes=homes,
        grids=grids,
        hot=hot,
        compared=compared,
        reach=reach,
        measures=measures,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Review:
    """A month beside the month before and the same month of the year before.

    Parameters
    ----------
    now, before, last_year
        The three months. Grids are not looked at in the last, whose plan may be another.
    gaps
        What became of each gap since the month before (`analysis.review.patrols.gap_changes`).
    moves
        Where the households of each grid went since then (`analysis.review.land.plan_moves`).
    measures
        Those of the month, with those of gaps and moves.
    """

    now: MonthReview
    before: MonthReview
    last_year: MonthReview
    gaps: pd.Series
    moves: pd.DataFrame
    measures: dict[str, Measure]


def review_of(
    frames: Frames, month: date, *, known_at: datetime, zone: tzinfo, rules: Rules, ways: Ways | None = None
) -> Review:
    """Measure a month and those it is compared with.

    Parameters
    ----------
    frames
        One township, see `Frames`.
    month
        First day of the month; not after `known_at`.
    known_at
        The instant of the review; the frames hold nothing that was recorded later.
    zone
        The township's clock.
    rules
        Numbers of policy.
    ways
        What `ways_of` gave for the same paths and households, where it is kept.

    Raises
    ------
    CrsError
        If the frames do not share one metric CRS.
    ValueError
        If the month begins after `known_at`, or a rule is out of range.
    """
    if month > known_at.astimezone(zone).date():
        raise ValueError(f"`month` must have begun by `known_at`, got {month:%Y-%m} and {known_at}.")
    now_span, before_span, then_span = (
        month_span(begin, known_at=known_at, zone=zone)
        for begin in (month, month_before(month), month_before(month, n=12))
    )
    given: dict[str, Any] = {"known_at": known_at, "zone": zone, "rules": rules}
    found = ways_of(frames, rules=rules) if ways is None else ways
    spans = (now_span, then_span) if frames.has_new_plan else (now_span, then_span, before_span)
    place = earlier = located(frames, spans, found, **given)
    if frames.has_new_plan:
        earlier = located(replace(frames, grids=frames.grids_before), (before_span,), found, **given)
    before = month_review(earlier, before_span, with_grids=True, **given)
    now = month_review(place, now_span, with_grids=True, open_before=before.cases["is_open"], **given)
    last_year = month_review(place, then_span, with_grids=False, **given)
    gaps = gap_changes(before.patrols.checkpoints, now.patrols.checkpoints)
    is_known = len(now.patrols.traces) > 0 and len(before.patrols.traces) > 0
    counts = gaps.value_counts()
    changes = {
        f"gaps.n_{name}": counted(sum(int(counts.get(kind, 0)) for kind in kinds), is_known=is_known)
        for name, kinds in (
            ("opened", ("opened", "new_point")),
            ("closed", ("closed", "gone")),
            ("persists", ("persists",)),
        )
    }
    moves = plan_moves(place.frames, place.frames.households)
    return Review(
        now=now,
        before=before,
        last_year=last_year,
        gaps=gaps,
        moves=moves,
        measures=now.measures | changes | move_measures(place.frames, moves),
    )


def row_parts(
    key: str, value: float | None, numerator: float | None, denominator: float | None
) -> dict[str, float | None]:
    """Return a figure as it is named in a township's row."""
    return {key: value, f"{key}.numerator": numerator, f"{key}.denominator": denominator}


def review_row(review: Review) -> pd.Series:
    """Return the figures of a township as one row: `<key>`, `<key>.numerator`, `<key>.denominator`, and the month before.

    Returns
    -------
    Series
        float, NaN: cannot be told; `previous.<key>` and `last_year.<key>` where the figure is compared.
    """
    row: dict[str, float | None] = {}
    for key, one in review.measures.items():
        row |= row_parts(key, one.value, one.numerator, one.denominator)
        for name, past in (("previous", review.before), ("last_year", review.last_year)):
            if key in past.measures:
                row[f"{name}.{key}"] = past.measures[key].value
    return pd.Series(row, dtype=float)
