"""Grids of a month: over the cap, hot or cold, carrying more than their like, moved by a new plan; homes within reach."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.analysis.counting import locate
from gridmap.analysis.fair.compared import compared
from gridmap.analysis.fair.funnel import HIGHER, LOWER
from gridmap.analysis.fair.funnel import TOO_FEW as TOO_FEW_TO_COMPARE
from gridmap.analysis.fair.terrain import path_metres
from gridmap.analysis.gaps import OUTSIDE
from gridmap.analysis.hotspots.find import COLD, HOT, TOO_FEW
from gridmap.analysis.hotspots.find import Rules as HotspotRules
from gridmap.analysis.hotspots.judged import judged
from gridmap.analysis.hotspots.near import touching
from gridmap.analysis.households import grid_load
from gridmap.analysis.network.attach import attach
from gridmap.analysis.network.network import Network
from gridmap.analysis.network.travel import travel
from gridmap.analysis.review.frames import Frames, Rules, Span
from gridmap.analysis.review.measures import Measure, counted, quotient
from gridmap.analysis.rhythm import visits_due

KMH = 3.6
PAST_DAYS = 365
# A canal or a pond is stepped over; a river needs a bridge.
WALLS = ("river",)
_JUDGED = ("n_disputes", "expected", "rate", "n_around", "expected_around", "p", "q", "is_alone", "class", "beside")
_COMPARED = ("expected", "ratio", "low_95", "high_95", "q", "shrunken", "shrunken_low", "shrunken_high", "class")


def grid_table(frames: Frames, households: gpd.GeoDataFrame, *, rules: Rules) -> pd.DataFrame:
    """Return households and the cap of each grid of the plan.

    Returns
    -------
    DataFrame
        Index `grid_code`, sorted: `name`, `village_code`, `village_name`, `exception_reason`, `n_households`, `n_residents`, `household_cap`,
        `cap_share`, `load_class` (all of the load null while no household is known), `team_size` is not here.
    """
    grids = frames.grids
    named = pd.DataFrame(grids[["name", "village_code", "village_name", "exception_reason"]])
    cap = int(grids["household_cap"].iloc[0]) if len(grids) else rules.household_cap
    load = grid_load(households, grids, household_cap=cap, near_cap_share=rules.near_cap_share)
    load = load[["n_households", "n_residents", "cap_share", "load_class"]]
    if households.empty:
        load = load.astype(object).where(np.zeros(load.shape, dtype=bool), None)
    return named.join(load).assign(household_cap=cap).sort_index()


def load_measures(grids: pd.DataFrame) -> dict[str, Measure]:
    """Return the figures of the cap: `cap.*`."""
    is_known = bool(len(grids)) and bool(grids["n_households"].notna().any())
    over = grids["load_class"] == "over"
    return {
        "cap.n_grids": counted(len(grids), is_known=len(grids) > 0),
        "cap.n_households": counted(float(grids["n_households"].sum()), is_known=is_known),
        "cap.n_over": counted(int(over.sum()), is_known=is_known),
        "cap.n_over_unexcused": counted(int((over & grids["exception_reason"].isna()).sum()), is_known=is_known),
    }


def hot_grids(
    disputes: pd.DataFrame, frames: Frames, grids: pd.DataFrame, *, has_facts: bool, rules: Rules
) -> pd.DataFrame:
    """Judge every grid by the disputes of a month.

    Parameters
    ----------
    disputes
        Of the month, with `grid_code`.
    frames
        The grids.
    grids
        From `grid_table`.
    has_facts
        Whether anything of any kind was recorded in the month.
    rules
        What counts.

    Returns
    -------
    DataFrame
        On the index of `grids`: `n_disputes` and the columns of `analysis.hotspots.judged.judged`; `class` is null where nothing can be said
        of any grid.
    """
    homes = grids["n_households"].astype(float)
    if not has_facts or grids.empty or not (homes > 0).any():
        return pd.DataFrame(index=grids.index, columns=list(_JUDGED), dtype=object)
    counts = disputes["grid_code"].value_counts().reindex(grids.index, fill_value=0).astype(float)
    near = touching(frames.grids.reindex(grids.index), tolerance_m=rules.drawn_tolerance_m)
    found = judged(
        counts,
        homes,
        near=near,
        rules=HotspotRules(
            alpha=rules.hotspot_alpha,
            min_households=rules.hotspot_min_households,
            min_expected=rules.hotspot_min_expected,
        ),
        permutations=rules.hotspot_permutations,
        chance=np.random.default_rng(rules.hotspot_seed),
    )
    return found.assign(n_disputes=counts)[list(_JUDGED)]


def hot_measures(hot: pd.DataFrame) -> dict[str, Measure]:
    """Return how many grids are hot, cold, or too few to say: `hotspots.*`."""
    is_known = bool(hot["class"].notna().any())
    return {
        f"hotspots.n_{name}": counted(int((hot["class"] == kind).sum()), is_known=is_known)
        for name, kind in (("hot", HOT), ("cold", COLD), ("too_few", TOO_FEW))
    }


def compared_grids(
    incidents: pd.DataFrame, frames: Frames, grids: pd.DataFrame, span: Span, *, rules: Rules
) -> pd.DataFrame:
    """Compare the incidents of each grid with what the others let expect.

    Parameters
    ----------
    incidents
        All known, with `grid_code`.
    frames
        Paths, checkpoints with `grid_code`, and grids.
    grids
        From `grid_table`.
    span
        The month.
    rules
        What counts.

    Returns
    -------
    DataFrame
        On the index of `grids`: `n_new`, `n_before` (in the 365 days before), `expected`, `ratio`, limits, `q`, `class`, shrunken ratio and its interval; null
        where nothing can be compared.
    """
    homes = grids["n_households"].astype(float)
    happened = incidents["happened_at"]
    before = span.since - pd.Timedelta(days=PAST_DAYS)
    columns = ["n_new", "n_before", *_COMPARED]
    is_new = happened.between(span.since, span.until, inclusive="left")
    if grids.empty or not (homes > 0).any() or not is_new.any():
        return pd.DataFrame(index=grids.index, columns=columns, dtype=object)

    def of_grid(rows: pd.Series) -> pd.Series:
        counts: pd.Series = rows.value_counts().reindex(grids.index, fill_value=0)
        return counts

    table = pd.DataFrame({"n_households": homes})
    table["n_new"] = of_grid(incidents.loc[is_new, "grid_code"])
    table["n_before"] = of_grid(incidents.loc[happened.between(before, span.since, inclusive="left"), "grid_code"])
    unknown = pd.Series(float("nan"), index=grids.index)
    table["path_m"] = path_metres(frames.paths, frames.grids).reindex(grids.index) if len(frames.paths) else unknown
    table["n_due"] = unknown
    if len(frames.checkpoints):
        due = visits_due(frames.checkpoints, first_on=span.first_on, last_on=span.last_on)
        table["n_due"] = due.groupby(frames.checkpoints["grid_code"]).sum().reindex(grids.index, fill_value=0.0)
    found = compared(table, with_past=True, alpha=rules.fair_alpha, interval_share=rules.fair_interval_share)
    return table.join(found.table)[columns]


def compared_measures(table: pd.DataFrame) -> dict[str, Measure]:
    """Return how many grids carry more or less than expected: `workload.*`."""
    is_known = bool(table["class"].notna().any())
    kinds = (("higher", HIGHER), ("lower", LOWER), ("too_few", TOO_FEW_TO_COMPARE))
    return {
        f"workload.n_{name}": counted(int((table["class"] == kind).sum()), is_known=is_known) for name, kind in kinds
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class Reach:
    """Who reaches a service point on foot.

    Parameters
    ----------
    status
        Of each household, as `analysis.network.travel.travel` says.
    is_known
        Whether there are points and paths at all.
    """

    status: pd.Series
    is_known: bool


def month_reach(
    frames: Frames,
    checkpoints: gpd.GeoDataFrame,
    households: gpd.GeoDataFrame,
    network: Network,
    span: Span,
    *,
    rules: Rules,
) -> Reach:
    """Say of each household whether a service point open on the last day of the month is within its walk.

    Parameters
    ----------
    frames
        Water.
    checkpoints, households
        Of the frames.
    network
        The paths, at walking speed.
    span
        The month.
    rules
        Minutes and speed.
    """
    last = span.last_on
    is_open = (checkpoints["opened_on"] <= last) & (checkpoints["closed_on"] > last)
    points = checkpoints[is_open & (checkpoints["duty"] == "service")]
    walls = frames.water.geometry[frames.water["kind"].isin(WALLS)]
    speed = rules.walking_kmh / KMH
    homes, goals = (
        attach(network, places, limit_m=rules.path_attach_m, off_path_m_s=speed, barriers=walls)
        for places in (households, points)
    )
    ways = travel(network, homes, goals, limit_s=rules.service_minutes * 60.0)
    return Reach(status=ways["status"], is_known=bool(len(points)) and bool(network.n_edges) and len(households) > 0)


def reach_measures(reach: Reach) -> dict[str, Measure]:
    """Return the figures of the 15-minute circle: `coverage.*`."""
    n_reached, n_outside = int((reach.status == "reached").sum()), int(reach.status.isin(OUTSIDE).sum())
    return {
        "coverage.reached": quotient(n_reached, n_reached + n_outside, is_known=reach.is_known),
        "coverage.n_outside": counted(n_outside, is_known=reach.is_known),
    }


def plan_moves(frames: Frames, households: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return where the households of each grid went since the month before.

    By households, not by units: where a village was merged or units were cut, no unit of one plan is in the other.

    Parameters
    ----------
    frames
        Both plans.
    households
        With the `grid_code` of the month.

    Returns
    -------
    DataFrame
        `old`, `new` (grid codes; null: in no grid), `n_households`; also those that stayed. Empty where either plan is not known.
    """
    if frames.grids.empty or frames.grids_before.empty:
        return pd.DataFrame({"old": [], "new": [], "n_households": []}).astype({"old": object, "new": object})
    old = households["grid_code"]
    if frames.has_new_plan:
        old = locate(households, frames.grids_before)
    pairs = pd.DataFrame({"old": old.astype(object), "new": households["grid_code"].astype(object)})
    moves: pd.DataFrame = pairs.groupby(["old", "new"], dropna=False).size().rename("n_households").reset_index()
    return moves.sort_values(["n_households", "old", "new"], ascending=[False, True, True], ignore_index=True)


def is_moved(moves: pd.DataFrame) -> pd.Series:
    """Return which rows of `plan_moves` changed their grid; who is in no grid of either plan went nowhere, though null is not null."""
    changed: pd.Series = (moves["old"] != moves["new"]) & ~(moves["old"].isna() & moves["new"].isna())
    return changed


def move_measures(frames: Frames, moves: pd.DataFrame) -> dict[str, Measure]:
    """Return how much a new plan changed: `plans.*`."""
    is_known = len(frames.grids) > 0 and len(frames.grids_before) > 0
    old, new = set(frames.grids_before.index), set(frames.grids.index)
    return {
        "plans.n_changes": counted(int(frames.has_new_plan), is_known=is_known),
        "plans.n_moved_households": counted(int(moves.loc[is_moved(moves), "n_households"].sum()), is_known=is_known),
        "plans.n_new_grids": counted(len(new - old), is_known=is_known),
        "plans.n_gone_grids": counted(len(old - new), is_known=is_known),
    }
