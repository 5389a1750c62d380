"""Sections of the ledgers: lists ticked off, conventions, points as they were posted; practical things promised and done."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.review.frames import Span, month_before
from gridmap.analysis.review.measures import Measure, counted, quotient
from gridmap.reports.figures import Figure
from gridmap.reports.ledgers.lists import ListsReport, lists_report
from gridmap.reports.ledgers.points import from_result
from gridmap.reports.review.build import Builder, column, named, table, with_total
from gridmap.reports.review.shape import ReviewNote, ReviewTable, Section
from gridmap.store.ledgers import read_things
from gridmap.store.points import read_freezes

_LISTS = {"ticked": "n_ticked", "agreed": "n_agreed", "signed": "n_signed", "n_opinions": "n_opinions"}


@dataclass(frozen=True, kw_only=True, eq=False)
class LedgerFacts:
    """What the ledgers hold, as known at the instant of the review.

    Parameters
    ----------
    lists, lists_before
        Of the month and of the one before.
    points, points_before
        The tables of the last freeze of the points (`reports.ledgers.points.PointsReport`) of each; None: not posted.
    things
        Practical things, see `store.ledgers.read_things`.
    """

    lists: ListsReport
    lists_before: ListsReport
    points: dict[str, pd.DataFrame] | None
    points_before: dict[str, pd.DataFrame] | None
    things: pd.DataFrame


def read_ledger_facts(
    connection: Connection, *, township_code: str, month: date, known_at: datetime, zone: tzinfo
) -> LedgerFacts:
    """Read what the ledgers hold of a month and the one before.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    month
        First day of the month.
    known_at
        The instant; points frozen later were not posted then.
    zone
        The township's clock.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    months = (month, month_before(month))
    lists = [
        lists_report(connection, township_code=township_code, month=one, now=known_at, zone=zone) for one in months
    ]
    points = [_posted(connection, township_code, one, known_at) for one in months]
    return LedgerFacts(
        lists=lists[0],
        lists_before=lists[1],
        points=points[0],
        points_before=points[1],
        things=read_things(connection, township_code=township_code, known_at=known_at),
    )


def _posted(
    connection: Connection, township_code: str, month: date, known_at: datetime
) -> dict[str, pd.DataFrame] | None:
    freezes: list[dict[str, Any]] = read_freezes(connection, township_code=township_code, month=month)
    posted = [one for one in freezes if one["known_at"] <= known_at]
    return from_result(posted[-1]["result"]) if posted else None


def ledger_section(made: Builder, facts: LedgerFacts) -> Section:
    """Return lists ticked off, conventions, and the points of the month as they were posted.

    Parameters
    ----------
    made
        The measured months.
    facts
        From `read_ledger_facts`.
    """
    now, before = _measures(facts.lists, facts.points), _measures(facts.lists_before, facts.points_before)
    notes = [] if facts.points is not None else [ReviewNote(text_key="review.note_points_not_posted")]
    return Section(
        key="ledgers",
        title_key="review.section_ledgers",
        figures=tuple(made.figure(key, one, before=before[key]) for key, one in now.items()),
        tables=(
            _progress(facts.lists),
            _grid_points(facts.points),
            _people_points(facts.points),
            _conventions(facts.lists),
            _opinions(facts.lists, zone=made.zone),
        ),
        notes=tuple(notes),
    )


def _measures(lists: ListsReport, points: dict[str, pd.DataFrame] | None) -> dict[str, Measure]:
    is_kept = _is_kept(lists)
    found = {
        f"ledgers.{name}": _measure(getattr(lists, source)) if is_kept else Measure(None)
        for name, source in _LISTS.items()
    }
    total = None if points is None else float(points["people"]["points"].sum())
    return found | {"ledgers.points": counted(total)}


def _measure(figure: Figure) -> Measure:
    return Measure(figure.value, figure.numerator, figure.denominator)


def _progress(lists: ListsReport) -> ReviewTable:
    sums = ("n_publicity", "n_publicity_done", "n_visit", "n_visit_done")
    rows = lists.progress.rename(columns={"name": "grid", "village_name": "village"})
    rows = rows.rename_axis("grid_code").sort_index().reset_index()
    rows = with_total(rows if len(lists.tasks) else rows.iloc[:0], texts=["grid", "grid_code", "village"], sums=sums)
    columns = [column("grid"), column("grid_code"), column("village"), *(column(name, "count") for name in sums)]
    return table("ledgers.lists", rows, columns, by=["grid_code"], has_total=True, is_public=True)


def _conventions(lists: ListsReport) -> ReviewTable:
    """Return the grids with their last count of signatures; those without a convention have none."""
    is_kept = _is_kept(lists)
    rows = lists.conventions.rename(columns={"name": "grid", "village_name": "village"})
    rows = rows.rename_axis("grid_code").sort_index().reset_index() if is_kept else rows.iloc[:0].reset_index()
    columns = [
        column("grid"),
        column("grid_code"),
        column("village"),
        column("agreed_on", "day"),
        column("n_signed", "count", unit="unit.households"),
        column("n_households", "count", unit="unit.households", called="n_asked"),
        column("counted_on", "day"),
    ]
    return table("ledgers.conventions", rows, columns, by=["grid_code"], is_behind=True)


def _opinions(lists: ListsReport, *, zone: tzinfo) -> ReviewTable:
    """Return the opinions of the month by number: what was said is on their own page."""
    rows = lists.opinions.rename(columns={"grid_name": "grid", "village_name": "village"})
    rows = rows.rename_axis("incident_code").sort_index().reset_index()
    rows["happened_on"] = rows["happened_at"].dt.tz_convert(zone).dt.strftime("%Y-%m-%d")
    columns = [column("incident_code"), column("happened_on", "day"), column("village"), column("grid")]
    return table("ledgers.opinions", rows, columns, by=["incident_code"], is_behind=True)


def _is_kept(lists: ListsReport) -> bool:
    return bool(len(lists.tasks) or len(lists.signatures) or len(lists.opinions))


def _grid_points(points: dict[str, pd.DataFrame] | None) -> ReviewTable:
    columns = [
        column("grid"),
        column("grid_code"),
        column("village"),
        column("rank", "count"),
        column("points", "count"),
        column("n_people", "count", unit="unit.residents", called="n_in_team"),
        column("n_done", "count"),
        column("n_due", "count", called="n_duties"),
        column("share", "share", called="duties_share"),
    ]
    rows = pd.DataFrame(columns=[one.key for one in columns], dtype=object)
    if points is not None:
        rows = points["grids"].rename(columns={"name": "grid", "village_name": "village"})
        rows = rows.rename_axis("grid_code").reset_index()
    return table("ledgers.points_by_grid", rows, columns, by=["grid_code"])


def _people_points(points: dict[str, pd.DataFrame] | None) -> ReviewTable:
    columns = [
        column("staff_id"),
        column("name", called="person"),
        column("grid_name", called="grid"),
        column("rank", "count"),
        column("points", "count"),
        column("grade", "word", words="ledgers.grade_"),
    ]
    rows = pd.DataFrame(columns=[one.key for one in columns], dtype=object)
    if points is not None:
        rows = points["people"].rename_axis("staff_id").reset_index()
        rows["grade"] = rows["grade"].where(rows["grade"].notna(), None)
    return table("ledgers.points", rows, columns, by=["staff_id"], is_behind=True)


def promise_section(made: Builder, things: pd.DataFrame, *, grids: pd.Series) -> Section:
    """Return practical things promised, done, open and overdue at the end of the month.

    Parameters
    ----------
    made
        The measured months.
    things
        See `store.ledgers.read_things`.
    grids
        Names by code.
    """
    span, past = made.review.now.span, made.review.before.span
    now, before = (_promises(things, one, zone=made.zone) for one in (span, past))
    states = _states(things, on=span.last_on, over_on=_over_on(span, made.zone))
    concerned = things["promised_on"].map(lambda day: day <= span.last_on) & (
        states.isin(["promised", "begun", "overdue"])
        | things["ended_on"].map(lambda day: _within(day, span.first_on, span.last_on))
    )
    told = things.assign(state=states, grid=named(things["grid_code"], grids))
    is_of_year = (states == "overdue") | (
        (states == "done")
        & things["ended_on"].map(lambda day: _within(day, date(span.first_on.year, 1, 1), span.last_on))
    )
    is_made = things["promised_on"].map(lambda day: day <= span.last_on).astype(bool)
    return Section(
        key="promises",
        title_key="review.section_promises",
        figures=tuple(made.figure(key, one, before=before[key]) for key, one in now.items()),
        tables=(
            _things("promises.things", told[concerned.astype(bool)]),
            _things("promises.year", told[is_made & is_of_year.astype(bool)], is_behind=True),
        ),
        notes=() if len(things) else (ReviewNote(text_key="review.note_no_promises"),),
    )


def _things(key: str, things: pd.DataFrame, *, is_behind: bool = False) -> ReviewTable:
    rows = things.reset_index()
    for name in ("promised_on", "due_on", "ended_on"):
        rows[name] = [None if pd.isna(day) else day.isoformat() for day in rows[name]]
    rows.loc[~rows["state"].isin(["done", "dropped"]), "ended_on"] = None
    columns = [
        column("thing_id", "count"),
        column("grid"),
        column("title", called="promise"),
        column("promised_on", "day"),
        column("due_on", "day"),
        column("state", "word", words="review.promise_", called="promise_state"),
        column("ended_on", "day"),
    ]
    return table(key, rows, columns, by=["thing_id"], is_behind=is_behind)


def _within(day: date | None, first_on: date, last_on: date) -> bool:
    return day is not None and not pd.isna(day) and first_on <= day <= last_on


def _over_on(span: Span, zone: tzinfo) -> date:
    """Return the last day of a month that is over: what is due today is not overdue yet."""
    return (span.until.astimezone(zone) - timedelta(days=1)).date()


def _states(things: pd.DataFrame, *, on: date, over_on: date) -> pd.Series:
    """Return where each thing stood on a day: done, dropped, overdue (its day is over), begun or promised."""

    def state(begun_on: date | None, ended_as: str | None, ended_on: date | None, due_on: date) -> str:
        if isinstance(ended_as, str) and ended_on is not None and ended_on <= on:
            return ended_as
        if due_on <= over_on:
            return "overdue"
        return "begun" if begun_on is not None and not pd.isna(begun_on) and begun_on <= on else "promised"

    columns = (things[name] for name in ("begun_on", "ended_as", "ended_on", "due_on"))
    return pd.Series([state(*row) for row in zip(*columns, strict=True)], index=things.index, dtype=object)


def _promises(things: pd.DataFrame, span: Span, *, zone: tzinfo) -> dict[str, Measure]:
    first_on, last_on = span.first_on, span.last_on
    made = things[things["promised_on"].map(lambda day: day <= last_on).astype(bool)]
    is_known = len(made) > 0
    states = _states(made, on=last_on, over_on=_over_on(span, zone))
    in_month = made["promised_on"].map(lambda day: day >= first_on).astype(bool)
    ended = made["ended_on"].map(lambda day: _within(day, first_on, last_on)).astype(bool)
    n_overdue, n_open = int((states == "overdue").sum()), int(states.isin(["promised", "begun", "overdue"]).sum())
    this_year = made["ended_on"].map(lambda day: _within(day, date(first_on.year, 1, 1), last_on)).astype(bool)
    n_done = int((this_year & (states == "done")).sum())
    return {
        "promises.n_promised": counted(int(in_month.sum()), is_known=is_known),
        "promises.n_done": counted(int((ended & (states == "done")).sum()), is_known=is_known),
        "promises.n_open": counted(n_open, is_known=is_known),
        "promises.n_overdue": counted(n_overdue, is_known=is_known),
        "promises.kept": quotient(n_done, n_done + n_overdue, is_known=is_known),
    }
