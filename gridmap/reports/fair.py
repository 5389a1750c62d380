"""Fair workload: actual over expected, next month, and what would even out what the teams carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.counting import grids_of
from gridmap.analysis.fair.balance import one_more_member, per_member, unevenness
from gridmap.analysis.fair.compared import compared
from gridmap.analysis.fair.forecast import Forecast, forecast_load
from gridmap.analysis.fair.funnel import TOO_FEW
from gridmap.analysis.fair.terrain import path_metres
from gridmap.analysis.rhythm import visits_due
from gridmap.analysis.visits import span_instants
from gridmap.reports.fair_moves import MovedUnit, moved_units
from gridmap.reports.figures import depends_on
from gridmap.reports.ground import Ground, read_ground
from gridmap.store.facts import read_incidents
from gridmap.store.people import read_postings
from gridmap.store.places import read_paths
from gridmap.store.plans import read_plan_in_force
from gridmap.store.versions import read_known_at

_PAST_DAYS, _HISTORY_MONTHS, _MOST_TRIED, _MOST_SUGGESTED = 365, 13, 6, 3
_COMPARED = (
    "expected", "variance", "ratio", "low_95", "high_95", "low_998", "high_998", "p", "q", "shrunken", "shrunken_low",
    "shrunken_high", "rank",
)  # fmt: skip
_AHEAD = ("forecast", "forecast_low", "forecast_high")


@dataclass(frozen=True, kw_only=True)
class OneMore:
    """What one more member in a grid would even out.

    Parameters
    ----------
    grid_code, name
        The grid.
    team_size
        Who serves there now.
    before, after
        Incidents a member of it must expect next month, now and with one more; `before` is None where nobody serves.
    gain_share
        By what share the sum of squares over all members falls; None where nobody serves.
    """

    grid_code: str
    name: str
    team_size: int
    before: float | None
    after: float
    gain_share: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class FairReport:
    """The fair comparison of the workload page.

    Parameters
    ----------
    known_at
        When the newest fact was recorded; None without facts.
    first_on, last_on
        The span that is compared.
    is_known
        Whether there are households and incidents at all; else nothing can be compared.
    factors
        What the expected load rests on beside households, of `analysis.fair.compared.FACTORS`; one without data is left out.
    effects
        See `analysis.fair.expected.Expected`.
    dispersion
        Likewise.
    variance
        Of the limits that a chart draws: dispersion, and what is usually not known of an expected load.
    alpha, interval_share
        As asked.
    grids
        Index `grid_code` (sorted): `name`, `village_code`, `n_households`, `n_new`, `team_size`, `new_per_person` (NaN: unknown),
        `path_m`, `n_due`, `n_before`, the columns of `funnel` and `shrunken_ratios`, `expected`, `forecast`, `forecast_low`,
        `forecast_high`, `forecast_per_person`.
    forecast
        See `analysis.fair.forecast.Forecast`; None without incidents.
    forecast_month
        First day of the month that is forecast.
    has_todays_grids
        Whether the grids are those of today; else nothing is forecast or suggested for them.
    largest_per_person
        What the most burdened member of all must expect next month; None when not known.
    one_more
        Where one more member evens out most, best first.
    moves
        Which unit would even out most in the grid beside it, best first.
    """

    known_at: datetime | None
    first_on: date
    last_on: date
    is_known: bool
    factors: tuple[str, ...]
    effects: Mapping[str, float]
    dispersion: float
    variance: float
    alpha: float
    interval_share: float
    grids: pd.DataFrame
    forecast: Forecast | None
    forecast_month: date
    has_todays_grids: bool
    largest_per_person: float | None
    one_more: tuple[OneMore, ...]
    moves: tuple[MovedUnit, ...]


@depends_on("places", "households", "checkpoints", "incidents", "staff", "base_map", "plans")
def fair_report(
    connection: Connection,
    *,
    township_code: str,
    first_on: date,
    last_on: date,
    now: datetime,
    zone: tzinfo,
    fair_alpha: float,
    fair_interval_share: float,
    barrier_slip_m: float,
    with_past: bool = True,
    by_todays_plan: bool = False,
) -> FairReport:
    """Compare the incidents of every grid with what the other grids let expect of one like it.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    first_on, last_on
        The span, both days inside.
    now
        Only what was recorded by then counts; the forecast is of the month after its own.
    zone
        The township's clock.
    fair_alpha, fair_interval_share, barrier_slip_m
        See `settings`.
    with_past
        Whether a grid that always had more is expected to have more.
    by_todays_plan
        See `reports.workload.workload_report`.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    today = now.astimezone(zone).date()
    plan_on = today if by_todays_plan else min(last_on, today)
    in_force = {day: read_plan_in_force(connection, township_code=township_code, on=day) for day in (plan_on, today)}
    has_todays_grids = in_force[plan_on] == in_force[today]
    ground = read_ground(connection, township_code=township_code, on=plan_on)
    since, until = span_instants(first_on, last_on, zone=zone)
    months = pd.period_range(end=pd.Period(today, freq="M"), periods=_HISTORY_MONTHS, freq="M")
    begin, _ = span_instants(months[0].start_time.date(), today, zone=zone)
    before = since - timedelta(days=_PAST_DAYS)
    incidents = read_incidents(
        connection, township_code=township_code, since=min(before, begin), until=now, known_at=now
    ).to_crs(ground.township.metric_epsg)
    incidents = incidents.assign(grid_code=grids_of(incidents, ground.grids))
    postings = read_postings(connection, township_code=township_code, on=plan_on)
    grids = _counted(ground, incidents, postings, since=since, until=until, before=before)
    grids["path_m"], grids["n_due"] = _work(connection, ground, first_on=first_on, last_on=last_on)
    is_known = bool(len(incidents)) and grids["n_households"].gt(0).any()
    given: dict[str, Any] = {
        "known_at": read_known_at(connection, township_code=township_code, until=now),
        "first_on": first_on,
        "last_on": last_on,
        "alpha": fair_alpha,
        "interval_share": fair_interval_share,
        "forecast_month": (months[-1] + 1).start_time.date(),
        "has_todays_grids": has_todays_grids,
    }
    if not is_known:
        unknown = dict.fromkeys(["n_new", "n_before", "new_per_person", *_COMPARED, *_AHEAD, "forecast_per_person"])
        grids = grids.assign(**unknown | {"class": TOO_FEW}).astype(dict.fromkeys(unknown, float))
        return FairReport(
            **given, is_known=False, factors=(), effects={}, dispersion=0.0, variance=0.0, grids=grids, forecast=None,
            largest_per_person=None, one_more=(), moves=(),
        )  # fmt: skip
    found = compared(grids, with_past=with_past, alpha=fair_alpha, interval_share=fair_interval_share)
    model, grids = found.model, grids.join(found.table)
    ahead = _ahead(incidents, grids["n_households"], months, now=now, zone=zone, share=fair_interval_share)
    grids = grids.join(ahead.table if has_todays_grids else ahead.table.assign(**dict.fromkeys(_AHEAD, float("nan"))))
    grids["forecast_per_person"] = per_member(grids["forecast"], grids["team_size"])
    per_person = grids["forecast_per_person"].dropna()
    return FairReport(
        **given,
        is_known=True,
        factors=found.factors,
        effects={str(name): float(value) for name, value in model.effects.items()},
        dispersion=model.dispersion,
        variance=model.dispersion + float(grids["variance"].median()) if grids["variance"].notna().any() else 0.0,
        grids=grids,
        forecast=ahead,
        largest_per_person=float(per_person.max()) if len(per_person) else None,
        one_more=_one_more(grids),
        moves=moved_units(
            connection, ground, grids, incidents, on=today, barrier_slip_m=barrier_slip_m, most=_MOST_SUGGESTED
        )
        if has_todays_grids
        else (),
    )


def _counted(
    ground: Ground,
    incidents: gpd.GeoDataFrame,
    postings: pd.DataFrame,
    *,
    since: datetime,
    until: datetime,
    before: datetime,
) -> pd.DataFrame:
    """Count households, incidents of the span and before it, and who serves."""

    def of_grid(rows: pd.DataFrame) -> pd.Series:
        return rows.groupby("grid_code").size().reindex(ground.grids.index, fill_value=0)

    grids = pd.DataFrame(ground.grids[["name", "village_code"]])
    grids["n_households"] = of_grid(ground.households)
    grids["n_new"] = of_grid(incidents[incidents["happened_at"].between(since, until, inclusive="left")])
    grids["n_before"] = of_grid(incidents[incidents["happened_at"].between(before, since, inclusive="left")])
    grids["team_size"] = of_grid(postings) if len(postings) else float("nan")
    grids["new_per_person"] = per_member(grids["n_new"], grids["team_size"])
    return grids


def _work(connection: Connection, ground: Ground, *, first_on: date, last_on: date) -> tuple[pd.Series, pd.Series]:
    """Return metres of path and visits due in the span of each grid; NaN where a layer was never loaded."""
    unknown = pd.Series(float("nan"), index=ground.grids.index)
    paths = read_paths(connection, township_code=ground.township.code).to_crs(ground.township.metric_epsg)
    metres = path_metres(paths, ground.grids) if len(paths) else unknown
    if ground.checkpoints.empty:
        return metres, unknown
    due = visits_due(ground.checkpoints, first_on=first_on, last_on=last_on)
    by_grid = due.groupby(ground.checkpoints["grid_code"]).sum()
    return metres, by_grid.reindex(ground.grids.index, fill_value=0.0)


def _ahead(
    incidents: gpd.GeoDataFrame,
    households: pd.Series,
    months: pd.PeriodIndex,
    *,
    now: datetime,
    zone: tzinfo,
    share: float,
) -> Forecast:
    """Forecast the month after the last of `months`, from the first whole month of which anything is known."""
    happened = incidents["happened_at"].dt.tz_convert(zone).dt.tz_localize(None)
    local = now.astimezone(zone).replace(tzinfo=None)
    first = happened.min()
    known = months[months >= (pd.Period(first, freq="M") + int(first.day > 1))]
    days = [
        min(float(month.days_in_month), (local - month.start_time.to_pydatetime()) / timedelta(days=1))
        for month in known
    ]
    # Of a month that began today nothing is known yet.
    kept = [at for at, span in enumerate(days) if span >= 1]
    known, days = known[kept], [days[at] for at in kept]
    monthly = pd.crosstab(incidents["grid_code"], happened.dt.to_period("M"))
    return forecast_load(
        monthly.reindex(index=households.index, columns=known, fill_value=0),
        households,
        days=days,
        next_days=float((months[-1] + 1).days_in_month),
        share=share,
        most_tried=_MOST_TRIED,
    )


def _one_more(grids: pd.DataFrame) -> tuple[OneMore, ...]:
    table = one_more_member(grids["forecast"], grids["team_size"])
    total = unevenness(grids["forecast"], grids["team_size"].fillna(0))
    names = grids["name"].to_dict()
    return tuple(
        OneMore(
            grid_code=str(code),
            name=str(names[code]),
            team_size=int(row["team"]),
            before=float(row["per_person"]) if row["team"] > 0 else None,
            after=float(row["per_person_after"]),
            gain_share=float(row["gain"]) / total if row["team"] > 0 and total > 0 else None,
        )
        for code, row in table[table["gain"] > 0].head(_MOST_SUGGESTED).iterrows()
    )
