"""Coverage: which households have a checkpoint near, and which checkpoints were visited, were not, or cannot be told."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.coverage import checkpoint_cover, cover_by_grid
from gridmap.analysis.rounds import VisitRule
from gridmap.analysis.visits import visit_figures
from gridmap.crs import STORED_CRS
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ground import Ground, read_ground, read_rounds
from gridmap.reports.township import open_on
from gridmap.reports.visits import VisitReport, visit_report
from gridmap.store.versions import read_known_at

_ALWAYS, _FOR_EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
STATES = ("never", "missed", "waiting", "unknown", "visited")
"""States of a checkpoint, worst first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CoverageReport:
    """The coverage page.

    Parameters
    ----------
    known_at
        When the newest fact was recorded; None without facts.
    covered, visited
        Shares of the township: households near a checkpoint, visits made of those due.
    n_never, n_uncovered
        Checkpoints never visited, households without a checkpoint near.
    households
        One row a household, EPSG:4490 points: `is_covered`.
    checkpoints
        Those open on some day of the span, worst first, EPSG:4490 points: `name`, `duty`, `village_name`, `grid_name`, `n_due`, `n_made`, `n_missing`,
        `last_visit_at`, `state`, and the verdict columns of `reports.visits.VisitReport`.
    grids
        Worst first, index `grid_code`: `name`, `village_name` and the columns of `analysis.coverage.cover_by_grid`.
    visits
        Verdicts, tables, streaks, calendars and door-to-door shares.
    """

    known_at: datetime | None
    covered: Figure
    visited: Figure
    n_never: Figure
    n_uncovered: Figure
    households: gpd.GeoDataFrame
    checkpoints: gpd.GeoDataFrame
    grids: pd.DataFrame
    visits: VisitReport


@depends_on("places", "households", "base_map", "checkpoints", "checkins", "tracks", "home_visits", "staff")
def coverage_report(
    connection: Connection,
    *,
    township_code: str,
    first_on: date,
    last_on: date,
    duty: str | None,
    village_code: str | None,
    now: datetime,
    zone: tzinfo,
    checkpoint_reach_m: float,
    fix_accuracy_m: float,
    patrol_max_speed_kmh: float,
    far_checkin_m: float,
    cover_reach_m: float,
) -> CoverageReport:
    """Measure coverage in space and in time.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    first_on, last_on
        The span of visits, both days inside.
    duty
        Only checkpoints of this duty; None: all.
    village_code
        Only households and checkpoints of this village; None: all.
    now
        The present instant; only what was recorded by then counts.
    zone
        The township's clock.
    checkpoint_reach_m, fix_accuracy_m, patrol_max_speed_kmh, far_checkin_m, cover_reach_m
        See `settings`.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    today = now.astimezone(zone).date()
    ground = read_ground(connection, township_code=township_code, on=today)
    wanted = ground.checkpoints if duty is None else ground.checkpoints[ground.checkpoints["duty"] == duty]
    near = wanted[open_on(wanted, today)]
    cover = checkpoint_cover(ground.households, near, reach_m=cover_reach_m)
    households = ground.households.join(cover)
    # "Never" looks at everything that is known, not only at the span.
    rounds = read_rounds(
        connection,
        ground.checkpoints,
        township=ground.township,
        since=_ALWAYS,
        until=_FOR_EVER,
        now=now,
        zone=zone,
        rule=VisitRule(
            checkpoint_reach_m=checkpoint_reach_m,
            fix_accuracy_m=fix_accuracy_m,
            patrol_max_speed_kmh=patrol_max_speed_kmh,
            far_checkin_m=far_checkin_m,
        ),
    )
    in_span = wanted[(wanted["opened_on"] <= last_on) & (wanted["closed_on"] > first_on)]
    figures = visit_figures(in_span, rounds.visits, first_on=first_on, last_on=last_on, today=today)
    checkpoints = _named_checkpoints(ground, in_span, figures)
    if village_code is not None:
        households = households[households["group_code"].str.startswith(village_code)]
        checkpoints = checkpoints[checkpoints["village_code"] == village_code]
    visits = visit_report(
        connection,
        ground,
        checkpoints,
        rounds,
        households=households,
        first_on=first_on,
        last_on=last_on,
        now=now,
        zone=zone,
    )
    checkpoints = _worst_first(checkpoints.join(visits.checkpoints))
    has_points = len(near) > 0
    return CoverageReport(
        known_at=read_known_at(connection, township_code=township_code, until=now),
        **_figures(households, checkpoints, has_points=has_points, has_visits=len(rounds.visits) > 0),
        households=households.to_crs(STORED_CRS),
        checkpoints=gpd.GeoDataFrame(checkpoints).to_crs(STORED_CRS),
        grids=_grids(ground, households),
        visits=visits,
    )


def _named_checkpoints(ground: Ground, checkpoints: gpd.GeoDataFrame, rounds: pd.DataFrame) -> gpd.GeoDataFrame:
    named = checkpoints.join(rounds)
    named["village_name"] = named["village_code"].map(ground.village_names)
    named["grid_name"] = named["grid_code"].map(ground.grids["name"])
    named["n_missing"] = named["n_due"] - named["n_counted"]
    return named


def _worst_first(checkpoints: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Put checkpoints in order; where the data would have missed a visit nobody is called absent."""
    unsure = (checkpoints["state"] == "missed") & (checkpoints["verdict"] == "cannot_tell")
    told = checkpoints.assign(state=checkpoints["state"].mask(unsure, "unknown"))
    rank = told["state"].map({state: rank for rank, state in enumerate(STATES)})
    return told.assign(rank=rank).sort_values(["rank", "n_missing"], ascending=[True, False], kind="stable")


def _grids(ground: Ground, households: gpd.GeoDataFrame) -> pd.DataFrame:
    by_grid = cover_by_grid(households, grid_codes=households["grid_code"], n_residents=households["n_residents"])
    named: pd.DataFrame = pd.DataFrame(ground.grids[["name", "village_name"]]).join(by_grid, how="right")
    return named


def _figures(
    households: gpd.GeoDataFrame, checkpoints: pd.DataFrame, *, has_points: bool, has_visits: bool
) -> dict[str, Figure]:
    n_homes = len(households) if has_points else 0
    n_covered = int(households["is_covered"].sum())
    told = checkpoints[checkpoints["state"] != "unknown"]
    return {
        "covered": share(n_covered, n_homes, formula_key="coverage.formula_covered"),
        "n_uncovered": count(
            n_homes - n_covered if n_homes else None,
            unit="unit.households",
            formula_key="coverage.formula_uncovered",
        ),
        "visited": share(
            float(told["n_counted"].sum()), float(told["n_due"].sum()), formula_key="coverage.formula_visited"
        ),
        "n_never": count(
            int(checkpoints["last_visit_at"].isna().sum()) if has_points and has_visits else None,
            unit="unit.points",
            formula_key="coverage.formula_never",
        ),
    }
