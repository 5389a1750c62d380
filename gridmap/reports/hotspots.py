"""Where incidents cluster for their households, how sure that is, whether it rises, and whether one draws the next."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from gridmap.analysis.counting import count_points, grids_of
from gridmap.analysis.hotspots.find import COLD, HOT, NOTHING, TOO_FEW, Rules
from gridmap.analysis.hotspots.judged import judged
from gridmap.analysis.hotspots.near import touching
from gridmap.analysis.hotspots.repeats import count_near, near_repeats
from gridmap.analysis.hotspots.trend import trends
from gridmap.analysis.incidents import newest_names
from gridmap.analysis.small_counts import known_public, public_count
from gridmap.analysis.visits import span_instants
from gridmap.crs import STORED_CRS
from gridmap.reports.figures import depends_on
from gridmap.reports.township import find_township
from gridmap.store.categories import read_categories
from gridmap.store.facts import read_incidents
from gridmap.store.places import read_grids, read_households
from gridmap.store.plans import read_plan_in_force
from gridmap.store.versions import read_known_at

CLASSES = (HOT, NOTHING, COLD, TOO_FEW)
# Each permutation looks at every pair: more would keep a page waiting.
_MOST_PAIRS = 300_000
_DAY = pd.Timedelta(days=1)
# With the households of the grids, each of these can be turned back into counts.
_GIVES_AWAY = ("expected", "rate", "n_around", "expected_around", "p", "q")


@dataclass(frozen=True, kw_only=True)
class NearRepeats:
    """Pairs of incidents that lie near each other within days, against the same incidents with their days dealt out anew.

    Parameters
    ----------
    within_m, within_days
        A pair is nearer than so many metres, and at most so many days apart.
    n_pairs, ratio, p
        As `analysis.hotspots.repeats.near_repeats`.
    """

    within_m: float
    within_days: int
    n_pairs: int
    ratio: float
    p: float


@dataclass(frozen=True, kw_only=True, eq=False)
class HotspotsReport:
    """Hot and cold grids of the township.

    Parameters
    ----------
    known_at
        When the newest fact was recorded; None without facts.
    plan_on, is_past_plan
        The day whose plan in force gives the grids, and whether another is in force today.
    unknown
        Why nothing can be said: `no_grids`, `no_households`, `no_facts` (nothing of any kind was recorded in the span);
        None where it can.
    grids
        Index `grid_code`, in the order of the map layer `grids`: `name`, `village_code`, `longitude`, `latitude` (a point
        inside), `n_households`, `n_incidents`, `expected`, `rate` (per 100 households), `n_near` (grids that touch it), `n_around`
        and `expected_around` (with those), `p`, `q` (of the grid by itself where `is_alone`, else with its neighbours: the less
        likely of the two), `class` (one of `CLASSES`; null where `unknown`), `beside` (`hot` or `cold`:
        only with its neighbours, not by itself; else null), `trend`. NaN where it cannot be told. For everybody, `n_incidents`
        is without private matters, `n_private` the number of those as everybody may see it (`<3`), and what a number could be
        reckoned back from is NaN: `expected`, `rate`, `n_around`, `expected_around`, `p`, `q`.
    hides_private
        Whether it is for everybody.
    n_elsewhere
        Incidents of the selection in no grid or without a place.
    alpha
        Share of the findings that may be false.
    trend_first_on, n_months
        The trend is of the months from then to the end of the span, so many of them.
    repeats
        None where they were not significant, or could not be tested.
    """

    known_at: datetime | None
    plan_on: date
    is_past_plan: bool
    unknown: str | None
    hides_private: bool
    grids: pd.DataFrame
    n_elsewhere: int
    alpha: float
    trend_first_on: date
    n_months: int
    repeats: NearRepeats | None


@depends_on("places", "households", "incidents", "plans")
def hotspots_report(
    connection: Connection,
    *,
    township_code: str,
    first_on: date,
    last_on: date,
    kind: str | None,
    category: str | None,
    hides_private: bool,
    now: datetime,
    zone: tzinfo,
    public_hidden_below: int,
    drawn_tolerance_m: float,
    hotspot_alpha: float,
    hotspot_min_households: int,
    hotspot_min_expected: float,
    hotspot_permutations: int,
    hotspot_seed: int,
    trend_months: int,
    trend_min_months: int,
    trend_persistent_share: float,
    repeat_m: float,
    repeat_days: int,
) -> HotspotsReport:
    """Judge every grid of the township for a span of days.

    A grid is always compared with the whole township: a page that shows one village narrows the rows, not the comparison.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    first_on, last_on
        The span by day of happening, both days inside.
    kind
        `dispute`, `hazard`, `request` or `clue`; None: all.
    category
        Newest name of a category; None: all.
    hides_private
        Whether the report is for everybody, not only for those who handle matters: grids are judged with all incidents, but private
        ones are told as counts that hide small numbers, and figures that would give these away are left out.
    now
        Only what was recorded by then counts.
    zone
        The township's clock.
    public_hidden_below, drawn_tolerance_m, hotspot_alpha, hotspot_min_households, hotspot_min_expected, hotspot_permutations, hotspot_seed
        See `settings`.
    trend_months, trend_min_months, trend_persistent_share, repeat_m, repeat_days
        See `settings`.

    Raises
    ------
    InputError
        If the township is not in the database.
    ValueError
        If the last day lies before the first, or a number of the settings makes no rule.
    """
    rules = Rules(alpha=hotspot_alpha, min_households=hotspot_min_households, min_expected=hotspot_min_expected)
    chance = np.random.default_rng(hotspot_seed)
    metric = find_township(connection, township_code=township_code).metric_epsg
    today = now.astimezone(zone).date()
    plan_on = min(last_on, today)
    plan, todays_plan = (
        read_plan_in_force(connection, township_code=township_code, on=day) for day in (plan_on, today)
    )
    grids = read_grids(connection, township_code=township_code, on=plan_on).to_crs(metric)
    homes = read_households(connection, township_code=township_code).to_crs(metric)
    trend_first_on = min(first_on, (pd.Timestamp(last_on) - pd.DateOffset(months=trend_months) + _DAY).date())
    since, _ = span_instants(first_on, last_on, zone=zone)
    longer, until = span_instants(trend_first_on, last_on, zone=zone)
    known = read_incidents(connection, township_code=township_code, since=longer, until=until, known_at=now)
    selected = _selected(known.to_crs(metric), newest_names(read_categories(connection)), kind=kind, category=category)
    selected = selected.assign(grid_code=grids_of(selected, grids))
    shown = selected[selected["happened_at"] >= since]
    table = _ground(grids, homes)
    table["n_incidents"] = _counted(shown, grids)
    has_facts = bool((known["happened_at"] >= since).any())
    unknown = (
        "no_grids" if grids.empty
        else "no_households" if not (table["n_households"] > 0).any()
        else None if has_facts
        else "no_facts"
    )  # fmt: skip
    months = _monthly(selected, grids, first_on=trend_first_on, last_on=last_on, zone=zone)
    if unknown is None:
        near = touching(grids, tolerance_m=drawn_tolerance_m)
        judge = partial(judged, near=near, rules=rules, permutations=hotspot_permutations, chance=chance)
        table = table.join(judge(table["n_incidents"], table["n_households"]))
        whole = table["class"]
        if trend_first_on < first_on:
            whole = judge(months.sum(axis=1), table["n_households"])["class"]
        table["trend"] = trends(
            months,
            table["n_households"],
            near,
            whole,
            rules=rules,
            min_months=trend_min_months,
            persistent_share=trend_persistent_share,
        )["trend"]
    else:
        table = table.assign(**dict.fromkeys(("expected", "rate", "n_around", "expected_around", "p", "q"), np.nan))
        table = table.assign(n_near=0, is_alone=False, **dict.fromkeys(("class", "beside", "trend"), None))
    if unknown == "no_facts":
        table["n_incidents"] = np.nan
    if hides_private:
        is_public = known_public(shown["is_private"])
        table = _for_everybody(table, shown, is_public, grids, hidden_below=public_hidden_below)
        shown = gpd.GeoDataFrame(shown[is_public])
    return HotspotsReport(
        known_at=read_known_at(connection, township_code=township_code, until=now),
        plan_on=plan_on,
        is_past_plan=plan != todays_plan,
        unknown=unknown,
        hides_private=hides_private,
        grids=table,
        n_elsewhere=int(shown["grid_code"].isna().sum()),
        alpha=hotspot_alpha,
        trend_first_on=trend_first_on,
        n_months=months.shape[1],
        repeats=_repeats(
            shown,
            zone=zone,
            within_m=repeat_m,
            within_days=repeat_days,
            permutations=hotspot_permutations,
            alpha=hotspot_alpha,
            chance=chance,
        ),
    )


def _selected(
    incidents: gpd.GeoDataFrame, names: pd.Series, *, kind: str | None, category: str | None
) -> gpd.GeoDataFrame:
    keys = zip(incidents["category_code"], incidents["list_year"], strict=True)
    named = pd.Series([names.get(key) for key in keys], index=incidents.index, dtype=object)
    wanted = pd.Series(data=True, index=incidents.index)
    if kind is not None:
        wanted &= incidents["kind"] == kind
    if category is not None:
        wanted &= named == category
    return gpd.GeoDataFrame(incidents[wanted])


def _ground(grids: gpd.GeoDataFrame, homes: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return what is known of the grids before anything happens."""
    inside = gpd.GeoSeries(shapely.point_on_surface(grids.geometry.to_numpy()), crs=grids.crs).to_crs(STORED_CRS)
    table = pd.DataFrame(grids[["name", "village_code"]])
    table["longitude"], table["latitude"] = inside.x.to_numpy(), inside.y.to_numpy()
    table["n_households"] = count_points(homes, grids)["n_points"].astype(float)
    return table


def _counted(incidents: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> pd.Series:
    counted: pd.Series = incidents["grid_code"].value_counts().reindex(grids.index, fill_value=0).astype(float)
    return counted


def _for_everybody(
    table: pd.DataFrame,
    incidents: gpd.GeoDataFrame,
    is_public: pd.Series,
    grids: gpd.GeoDataFrame,
    *,
    hidden_below: int,
) -> pd.DataFrame:
    """Return the table without what tells a small number of private matters."""
    is_known = table["n_incidents"].notna()
    told = _counted(gpd.GeoDataFrame(incidents[is_public]), grids)
    private = _counted(gpd.GeoDataFrame(incidents[~is_public]), grids)
    return table.assign(
        n_incidents=told.where(is_known),
        n_private=private.map(lambda n: public_count(n, hidden_below=hidden_below)).where(is_known, None),
        is_alone=False,
        **dict.fromkeys(_GIVES_AWAY, np.nan),
    )


def _monthly(
    incidents: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, *, first_on: date, last_on: date, zone: tzinfo
) -> pd.DataFrame:
    """Count incidents by grid and calendar month of the span; the first and the last may be cut off by its ends."""
    months = incidents["happened_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.to_period("M")
    counted = pd.crosstab(incidents["grid_code"], months)
    table: pd.DataFrame = counted.reindex(
        index=grids.index, columns=pd.period_range(first_on, last_on, freq="M"), fill_value=0
    )
    return table


def _repeats(
    incidents: gpd.GeoDataFrame,
    *,
    zone: tzinfo,
    within_m: float,
    within_days: int,
    permutations: int,
    alpha: float,
    chance: np.random.Generator,
) -> NearRepeats | None:
    """Return the near repeats where they are significant."""
    placed = incidents[incidents.geometry.notna() & ~incidents.geometry.is_empty]
    xy = shapely.get_coordinates(placed.geometry.to_numpy())
    if not 0 < count_near(xy, within_m=within_m) <= _MOST_PAIRS:
        return None
    days = placed["happened_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    (row,) = near_repeats(
        xy,
        ((days - days.min()) / _DAY).to_numpy(dtype=float),
        distances_m=[0, within_m],
        spans_days=[0, within_days + 1],
        permutations=permutations,
        rng=chance,
    ).to_dict("records")
    if not row["p"] <= alpha:
        return None
    return NearRepeats(
        within_m=within_m, within_days=within_days, n_pairs=int(row["n_pairs"]), ratio=row["ratio"], p=row["p"]
    )
