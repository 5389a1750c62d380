"""The review of a month: read as known on a day, measured, and put in the order of the agenda."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection

import gridmap
from gridmap.analysis.review.frames import Frames, Rules, Span, in_metres, month_before, month_span
from gridmap.analysis.review.month import Ways, review_of, ways_of
from gridmap.errors import InputError
from gridmap.reports.figures import depends_on
from gridmap.reports.review.actions import action_section
from gridmap.reports.review.build import Builder
from gridmap.reports.review.cases import Cases, dispute_section, handling_section, satisfaction_section
from gridmap.reports.review.land import cap_section, hotspot_section, plan_section, workload_section
from gridmap.reports.review.ledgers import LedgerFacts, ledger_section, promise_section, read_ledger_facts
from gridmap.reports.review.patrols import coverage_section, gap_section
from gridmap.reports.review.quality import not_turned_back, quality_section
from gridmap.reports.review.read import Read, read_review_frames
from gridmap.reports.review.shape import MonthAbout, ReviewNote, ReviewReport, Section
from gridmap.reports.review.trend import with_months
from gridmap.settings import Settings
from gridmap.store.imports import read_imports
from gridmap.store.review import read_tasks
from gridmap.store.versions import read_known_at
from gridmap.texts import t
from gridmap.workdays import WorkCalendar, work_calendar

_YEAR = 12
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


def parse_month(written: str) -> date:
    """Return the first day of a month written as `YYYY-MM`.

    Raises
    ------
    InputError
        If it is written otherwise.
    """
    digits = written.strip().split("-")
    try:
        year, month = (int(part) for part in digits)
        found = date(year, month, 1)
    except ValueError as error:
        raise InputError(t("review.error_month", month=written[:40])) from error
    if f"{found:%Y-%m}" != written.strip() or not _FIRST_YEAR < year < _LAST_YEAR:
        raise InputError(t("review.error_month", month=written[:40]))
    return found


def require_begun(month: date, *, known_at: datetime, zone: tzinfo) -> None:
    """Check that a month had begun.

    Raises
    ------
    InputError
        If its first day lies after `known_at`.
    """
    today = known_at.astimezone(zone).date()
    if month > today:
        raise InputError(t("review.error_future", month=f"{month:%Y-%m}", day=f"{today:%Y-%m-%d}"))


def rules_of(settings: Settings | Mapping[str, Any]) -> Rules:
    """Return the numbers of policy that a review rests on, from the settings or from those a frozen pack kept.

    Raises
    ------
    KeyError
        If one is missing.
    """
    given = settings if isinstance(settings, Mapping) else vars(settings)
    return Rules(**{name: given[name] for name in Rules.__dataclass_fields__})


@cache
def code_version() -> str:
    """Return the program's version, and the beginning of a digest over its source: two programs that may count differently."""
    folder = Path(gridmap.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode())
        digest.update(file.read_bytes())
    return f"{version('gridmap')}+{digest.hexdigest()[:12]}"


@depends_on(
    "places",
    "households",
    "base_map",
    "checkpoints",
    "checkins",
    "tracks",
    "home_visits",
    "incidents",
    "staff",
    "imports",
    "plans",
    "reviews",
    "ledgers",
)
def review_report(
    connection: Connection,
    *,
    township_code: str,
    month: str,
    known_at: datetime,
    zone: tzinfo,
    rules: Rules,
    imported_by: datetime | None = None,
) -> ReviewReport:
    """Return the review of a month as it was known at an instant.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    month
        `YYYY-MM`.
    known_at
        Only what was recorded, and published, by then counts. Cases are open or settled as of the end of the month, or as of this
        instant where the month goes on.
    zone
        The township's clock.
    rules
        Numbers of policy (`rules_of`).
    imported_by
        See `read_review_frames`: the instant at which a review was frozen.

    Raises
    ------
    InputError
        If the month is not written as `YYYY-MM`, lies after `known_at`, or the township is not in the database.
    """
    begin = parse_month(month)
    require_begun(begin, known_at=known_at, zone=zone)
    read = read_review_frames(
        connection,
        township_code=township_code,
        month=begin,
        known_at=known_at,
        zone=zone,
        rules=rules,
        imported_by=imported_by,
    )
    return report_of(connection, read, month=begin, known_at=known_at, zone=zone, rules=rules, imported_by=imported_by)


def report_of(
    connection: Connection,
    read: Read,
    *,
    month: date,
    known_at: datetime,
    zone: tzinfo,
    rules: Rules,
    imported_by: datetime | None = None,
) -> ReviewReport:
    """Return the review of a township that `read_review_frames` has read, with the same arguments; `month` is its first day."""
    township_code = read.township.code
    frames = in_metres(read.frames, epsg=read.township.metric_epsg)
    ways = _kept_ways(frames, rules)
    review = review_of(frames, month, known_at=known_at, zone=zone, rules=rules, ways=ways)
    months = _about(month, known_at=known_at, zone=zone)
    imports = read_imports(connection, township_code=township_code)
    made = Builder(review=review, months=months, zone=zone)
    following = (month + timedelta(days=31)).replace(day=1)
    return ReviewReport(
        township_code=township_code,
        township_name=read.township.name,
        month=months[0],
        previous=months[1],
        last_year=months[2],
        known_at=known_at,
        newest_at=read_known_at(connection, township_code=township_code, until=known_at, imported_by=imported_by),
        is_over=known_at.astimezone(zone).date() >= following,
        plan=read.plan,
        plan_before=read.plan_before,
        grids=pd.DataFrame(read.frames.grids[["name", "village_code", "village_name"]]).sort_index(),
        sections=_sections(
            made,
            read,
            rules,
            imports=imports[imports["imported_at"] <= known_at],
            tasks=read_tasks(connection, township_code=township_code, known_at=known_at),
            ledgers=read_ledger_facts(
                connection, township_code=township_code, month=month, known_at=known_at, zone=zone
            ),
            today=known_at.astimezone(zone).date(),
        ),
        settings=asdict(rules) | {"zone": str(zone)},
        code_version=code_version(),
    )


_ways: dict[str, Ways] = {}


def _kept_ways(frames: Frames, rules: Rules) -> Ways:
    """Return the paths as built last while neither they nor the households changed: that is a part of every review's work."""
    digest = hashlib.sha256(repr(rules).encode())
    for layer in (frames.paths, frames.households):
        for part in (*layer.geometry.to_wkb(), repr(layer.index.tolist()).encode()):
            digest.update(part)
    key = digest.hexdigest()
    found = _ways.get(key)
    if found is None:
        found = ways_of(frames, rules=rules)
        _ways.clear()
        _ways[key] = found
    return found


def _about(begin: date, *, known_at: datetime, zone: tzinfo) -> tuple[MonthAbout, MonthAbout, MonthAbout]:
    calendar = work_calendar()
    one, two, three = (
        _month_about(month_span(month, known_at=known_at, zone=zone), calendar)
        for month in (begin, month_before(begin), month_before(begin, n=_YEAR))
    )
    return one, two, three


def _month_about(span: Span, calendar: WorkCalendar) -> MonthAbout:
    n_days = (span.last_on - span.first_on).days + 1
    days = [span.first_on + timedelta(days=at) for at in range(n_days)]
    return MonthAbout(
        month=span.month,
        first_on=span.first_on,
        last_on=span.last_on,
        n_workdays=sum(calendar.is_workday(day) for day in days),
        is_published=calendar.is_published(span.first_on),
    )


def _sections(
    made: Builder,
    read: Read,
    rules: Rules,
    *,
    imports: pd.DataFrame,
    tasks: pd.DataFrame,
    ledgers: LedgerFacts,
    today: date,
) -> tuple[Section, ...]:
    frames, review = read.frames, made.review
    villages = read.village_names
    grids = frames.grids["name"]
    both = pd.concat([grids, frames.grids_before["name"]])
    both = both[~both.index.duplicated()]
    cases = Cases(
        made,
        villages=frames.villages["name"],
        village_names=villages,
        grids=grids,
        teams=frames.teams,
        categories=read.categories,
    )
    return (
        coverage_section(made, grids=review.now.grids, villages=villages, settings=asdict(rules)),
        gap_section(made, grids=grids, villages=villages),
        with_months(dispute_section(cases), frames.incidents, month=review.now.span.first_on, zone=made.zone),
        handling_section(cases),
        hotspot_section(made),
        workload_section(made),
        cap_section(made),
        plan_section(made, plan=read.plan, before=read.plan_before, names=both),
        ledger_section(made, ledgers),
        promise_section(made, ledgers.things, grids=grids),
        satisfaction_section(cases),
        quality_section(
            made,
            frames=frames,
            imports=imports,
            late_hours=rules.late_record_hours,
            notes=(*not_turned_back(review.now.span.last_on), *_calendar_notes(made)),
        ),
        action_section(made, tasks=tasks, month=made.months[0].month, on=today),
    )


def _calendar_notes(made: Builder) -> tuple[ReviewNote, ...]:
    missing = sorted({month.month[:4] for month in made.months if not month.is_published})
    return (ReviewNote(text_key="review.note_calendar", values={"years": "、".join(missing)}),) if missing else ()
