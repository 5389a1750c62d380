"""What the review reads: every frame of a township as it was known at an instant."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.incidents import newest_names
from gridmap.analysis.review.cases import DISPUTE
from gridmap.analysis.review.frames import Frames, Rules, month_before, month_span
from gridmap.reports.review.shape import ReviewPlan
from gridmap.reports.township import find_township, read_standing_checkpoints
from gridmap.store.activity import read_active_incidents, read_active_steps
from gridmap.store.categories import read_categories
from gridmap.store.facts import read_checkins, read_fixes, read_home_visits
from gridmap.store.people import read_all_postings, read_teams
from gridmap.store.places import (
    Township,
    read_area_names,
    read_areas,
    read_grids_of,
    read_households,
    read_paths,
    read_water,
)
from gridmap.store.plans import read_plan_known, read_plan_units
from gridmap.store.review import read_imported_after

_YEAR = 12
_A_MOMENT = timedelta(microseconds=1)
_INCIDENT = ("kind", "village_code", "named_grid_code", "happened_at", "recorded_at", "due_at", "geometry")
_STEP = ("incident_code", "kind", "level", "team_code", "satisfaction", "due_at", "happened_at", "recorded_at")


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """A township as it was known, with what the report says of its plans.

    Parameters
    ----------
    township
        Whose.
    frames
        In the stored coordinate system; `analysis.review.frames.in_metres` of them for `analysis.review.month.review_of`.
    village_names
        Of every village there is or was, by code.
    categories
        Names of the categories of disputes in the newest list, in its order.
    plan, plan_before
        In force on the last day of the month, and of the month before.
    """

    township: Township
    frames: Frames
    village_names: pd.Series
    categories: tuple[str, ...]
    plan: ReviewPlan | None
    plan_before: ReviewPlan | None


def read_review_frames(
    connection: Connection,
    *,
    township_code: str,
    month: date,
    known_at: datetime,
    zone: tzinfo,
    rules: Rules,
    imported_by: datetime | None = None,
) -> Read:
    """Read a township as it was known at an instant.

    Facts and plans are turned back: only what was recorded, or published, by then. Households, areas, paths, water,
    checkpoints, postings and the list of categories are those of now; the report says so.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    month
        First day of the month.
    known_at
        The instant.
    zone
        The township's clock.
    rules
        How far patrols are looked back for.
    imported_by
        Incidents of files that came in later are left out: a file names the times of its records itself, and they may be long past.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    town = find_township(connection, township_code=township_code)
    span, before, last_year = (
        month_span(begin, known_at=known_at, zone=zone)
        for begin in (month, month_before(month), month_before(month, n=_YEAR))
    )
    plan, grids = _plan(connection, town, on=span.last_on, known_at=known_at)
    plan_before, grids_before = _plan(connection, town, on=before.last_on, known_at=known_at)
    back = timedelta(days=rules.patrolled_days + 2)
    # Two stretches: the month with the one before, and the month a year ago.
    stretches = (
        (before.until - back, min(span.until + timedelta(days=9), known_at)),
        (last_year.until - back, last_year.until + timedelta(days=9)),
    )

    def facts(read: Callable[..., pd.DataFrame], *, from_month: bool = False) -> pd.DataFrame:
        begins = (before.since, last_year.since) if from_month else [since for since, _ in stretches]
        parts = [
            read(connection, township_code=township_code, since=since, until=until + _A_MOMENT, known_at=known_at)
            for since, (_, until) in zip(begins, stretches, strict=True)
        ]
        return pd.concat(parts[::-1])

    categories = read_categories(connection)
    names = newest_names(categories)
    long_ago = month_span(month_before(month, n=_YEAR + 1), known_at=known_at, zone=zone).since
    incidents = read_active_incidents(connection, township_code=township_code, since=long_ago, now=known_at)
    steps = read_active_steps(connection, township_code=township_code, since=long_ago, now=known_at)
    if imported_by is not None:
        late = read_imported_after(connection, township_code=township_code, at=imported_by)
        incidents = gpd.GeoDataFrame(incidents[~incidents.index.isin(late)])
        steps = steps[~steps["incident_code"].isin(late)]
    keys, name_of = zip(incidents["category_code"], incidents["list_year"], strict=True), names.to_dict()
    category = pd.Series([name_of.get(key) for key in keys], index=incidents.index, dtype=object)
    frames = Frames(
        villages=read_areas(connection, township_code=township_code, level="village", on=span.last_on),
        grids=grids,
        grids_before=grids_before,
        has_new_plan=plan is not None and plan_before is not None and plan.plan_id != plan_before.plan_id,
        households=read_households(connection, township_code=township_code),
        checkpoints=read_standing_checkpoints(connection, township_code=township_code),
        paths=read_paths(connection, township_code=township_code),
        water=read_water(connection, township_code=township_code),
        postings=read_all_postings(connection, township_code=township_code),
        incidents=gpd.GeoDataFrame(incidents[list(_INCIDENT)].assign(category=category)),
        steps=steps[list(_STEP)],
        checkins=gpd.GeoDataFrame(facts(read_checkins)),
        fixes=gpd.GeoDataFrame(facts(read_fixes)),
        home_visits=facts(read_home_visits, from_month=True),
        teams=read_teams(connection)["name"],
    )
    return Read(
        township=town,
        frames=frames,
        village_names=read_area_names(connection, township_code=township_code, level="village"),
        categories=_dispute_names(categories),
        plan=plan,
        plan_before=plan_before,
    )


def _plan(
    connection: Connection, town: Township, *, on: date, known_at: datetime
) -> tuple[ReviewPlan | None, gpd.GeoDataFrame]:
    """Return the plan in force on a day and its grids."""
    found = read_plan_known(connection, township_code=town.code, on=on, known_at=known_at)
    plan_id = None if found is None else found.plan_id
    grids = read_grids_of(connection, plan_id=plan_id)
    if found is None:
        return None, grids
    units = read_plan_units(connection, plan_id=found.plan_id)["grid_code"]
    written = "\n".join(f"{unit} {grid}" for unit, grid in units.items())
    plan = ReviewPlan(
        plan_id=found.plan_id,
        name=found.name,
        valid_from=found.valid_from,
        household_cap=found.household_cap,
        n_grids=len(grids),
        digest=hashlib.sha256(written.encode()).hexdigest(),
    )
    return plan, grids


def _dispute_names(categories: pd.DataFrame) -> tuple[str, ...]:
    disputes = categories[categories["kind"] == DISPUTE]
    newest = disputes[disputes["list_year"] == disputes["list_year"].max()].sort_values("category_code")
    return tuple(dict.fromkeys(newest["name"]))
