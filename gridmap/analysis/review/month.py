"""The review of a month: all figures of one township from its frames, and those of the months it is compared with."""

from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo

import geopandas as gpd
import pandas as pd

from gridmap.analysis.counting import locate
from gridmap.analysis.network.build import build_network
from gridmap.analysis.network.network import Network
from gridmap.analysis.review.cases import DISPUTE, case_measures, month_cases, placed_incidents
from gridmap.analysis.review.frames import Frames, Rules, Span, month_before, month_span
from gridmap.analysis.review.land import (
    KMH,
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
)
from gridmap.analysis.review.quality import quality_measures


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A township's frames, each located in the grids of one plan.

    Parameters
    ----------
    frames
        With `checkpoints` and `households` that have `grid_code`, checkpoints also `village_code`.
    incidents
        From `analysis.review.cases.placed_incidents`.
    network
        The paths, at walking speed.
    """

    frames: Frames
    incidents: gpd.GeoDataFrame
    network: Network


def located(frames: Frames, *, network: Network | None = None, rules: Rules) -> Place:
    """Locate everything in villages and in the grids of the month.

    Parameters
    ----------
    frames
        The township.
    network
        Its paths, where they were built before.
    rules
        How paths join.
    """
    if network is None:
        network, _ = build_network(frames.paths, snap_m=rules.path_snap_m, speed_m_s=rules.walking_kmh / KMH)
    checkpoints = frames.checkpoints.assign(
        grid_code=locate(frames.checkpoints, frames.grids), village_code=locate(frames.checkpoints, frames.villages)
    )
    households = frames.households.assign(grid_code=locate(frames.households, frames.grids))
    placed = replace(frames, checkpoints=gpd.GeoDataFrame(checkpoints), households=gpd.GeoDataFrame(households))
    return Place(frames=placed, incidents=placed_incidents(placed), network=network)


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
    hot, compared
        See `analysis.review.land`; None where grids are not looked at.
    measures
        Every figure by its key.
    """

    span: Span
    cases: gpd.GeoDataFrame
    patrols: MonthPatrols
    homes: MonthHomes
    grids: pd.DataFrame
    hot: pd.DataFrame | None
    compared: pd.DataFrame | None
    measures: dict[str, Measure]


def month_review(
    place: Place, span: Span, *, known_at: datetime, zone: tzinfo, rules: Rules, with_grids: bool
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
    """
    frames = place.frames
    cases = month_cases(place.incidents, frames.steps, span)
    patrols = month_patrols(frames, frames.checkpoints, span, known_at=known_at, zone=zone, rules=rules)
    homes = month_homes(frames, frames.checkpoints, frames.households, place.network, span, zone=zone, rules=rules)
    grids = grid_table(frames, frames.households, rules=rules)
    last = span.last_on
    is_open = (frames.checkpoints["opened_on"] <= last) & (frames.checkpoints["closed_on"] > last)
    measures = (
        patrol_measures(patrols)
        | home_measures(homes, has_points=bool(is_open.any()), long_days=rules.long_unpatrolled_days)
        | case_measures(cases)
        | quality_measures(cases, patrols, frames, span, late_hours=rules.late_record_hours)
    )
    hot = compared = None
    if with_grids:
        new = cases[cases["is_new"]]
        hot = hot_grids(new[new["kind"] == DISPUTE], frames, grids, has_facts=len(new) > 0, rules=rules)
        compared = compared_grids(place.incidents, frames, grids, span, rules=rules)
        reach = month_reach(frames, frames.checkpoints, frames.households, place.network, span, rules=rules)
        measures |= load_measures(grids) | hot_measures(hot) | compared_measures(compared) | reach_measures(reach)
    return MonthReview(
        span=span, cases=cases, patrols=patrols, homes=homes, grids=grids, hot=hot, compared=compared, measures=measures
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


def review_of(frames: Frames, month: date, *, known_at: datetime, zone: tzinfo, rules: Rules) -> Review:
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

    Raises
    ------
    CrsError
        If the frames do not share one metric CRS.
    ValueError
        If the month begins after `known_at`, or a rule is out of range.
    """
    if month > known_at.astimezone(zone).date():
        raise ValueError(f"`month` must have begun by `known_at`, got {month:%Y-%m} and {known_at}.")
    place = located(frames, rules=rules)
    earlier = place
    if frames.grids_before is not frames.grids:
        earlier = located(replace(frames, grids=frames.grids_before), network=place.network, rules=rules)

    def measured(of: Place, begin: date, *, with_grids: bool) -> MonthReview:
        span = month_span(begin, known_at=known_at, zone=zone)
        return month_review(of, span, known_at=known_at, zone=zone, rules=rules, with_grids=with_grids)

    now = measured(place, month, with_grids=True)
    before = measured(earlier, month_before(month), with_grids=True)
    last_year = measured(place, month_before(month, n=12), with_grids=False)
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


def review_row(review: Review) -> pd.Series:
    """Return the figures of a township as one row: `<key>`, `<key>.numerator`, `<key>.denominator`, and the month before.

    Returns
    -------
    Series
        float, NaN: cannot be told; `previous.<key>` and `last_year.<key>` where the figure is compared.
    """
    row: dict[str, float | None] = {}
    for key, one in review.measures.items():
        row |= {key: one.value, f"{key}.numerator": one.numerator, f"{key}.denominator": one.denominator}
        for name, past in (("previous", review.before), ("last_year", review.last_year)):
            if key in past.measures:
                row[f"{name}.{key}"] = past.measures[key].value
    return pd.Series(row, dtype=float)
