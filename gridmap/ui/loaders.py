"""Reports for pages: read once per change of the data, shared by all sessions."""

import inspect
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from gridmap.errors import StoreUnavailable
from gridmap.reports.figures import depends_on
from gridmap.settings import settings
from gridmap.store.database import read_engine
from gridmap.store.places import Township, read_townships
from gridmap.store.versions import TOPICS
from gridmap.ui import known_on
from gridmap.ui.shelf import Shelf
from gridmap.ui.versions import watch

R = TypeVar("R")
_MAX_REPORTS = 128


@dataclass(frozen=True)
class Kept(Generic[R]):
    """A report that may be the last good one.

    Parameters
    ----------
    report
        The report.
    is_fresh
        False when the database did not answer and this is the last that was read.
    read_at
        When it was last known to be true.
    """

    report: R
    is_fresh: bool
    read_at: datetime


_reports = Shelf(_MAX_REPORTS)
_last_good: dict[Hashable, Kept[Any]] = {}


def renewed_daily(report: Callable[..., R]) -> Callable[..., R]:
    """Mark a report of what is over: of the time it needs only the day, so it is read anew when the data change or a day ends."""
    vars(report)["is_daily"] = True
    return report


@cache
def _parameters(report: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.signature(report).parameters)


def today() -> date:
    """Return the day by the township's clock, or the past day as known on which this run looks."""
    return known_on.instant().astimezone(settings().zone).date()


@depends_on("places")
def _townships(connection: Any) -> tuple[Township, ...]:
    return tuple(read_townships(connection))


def township() -> Township | None:
    """Return the township of this installation, None while no areas are loaded.

    Raises
    ------
    StoreUnavailable
        If the database does not answer and never did.
    """
    found = load_or_last(_townships).report
    return found[0] if found else None


def load(report: Callable[..., R], /, **arguments: Any) -> R:
    """Return a report, read only when the topics it depends on have changed.

    Missing arguments are filled in by name: `township_code`, `now`, `on` (today) and every number that is a
    setting. Mark the report with `depends_on`; without it any change renews it.

    Parameters
    ----------
    report
        A function of `gridmap.reports`: connection first, keyword-only options.
    arguments
        Its options, hashable.

    Raises
    ------
    StoreUnavailable
        If the database does not answer.
    """
    given = _filled_in(report, arguments)
    known = watch().current().versions
    topics: tuple[str, ...] = getattr(report, "topics", TOPICS)
    moment = _moment(report, given["now"]) if "now" in given and "now" not in arguments else None
    key = (
        report,
        known_on.day(),
        *sorted((name, value) for name, value in given.items() if name != "now" or name in arguments),
    )
    version = (moment, *(known[topic] for topic in topics), settings().database_url)
    found: R = _reports.take(key, lambda: _read(report, given), version=version)
    return found


def _moment(report: Callable[..., Any], now: datetime) -> str:
    """Return until when a report that needs the time is the same: each minute it is renewed, and sees all up to its own instant."""
    if getattr(report, "is_daily", False):
        return f"{now.astimezone(settings().zone):%F}"
    return f"{now:%F %R}"


def load_or_last(report: Callable[..., R], /, **arguments: Any) -> Kept[R]:
    """Return a report, or the last good one when the database does not answer.

    Raises
    ------
    StoreUnavailable
        If the database does not answer and there is no last one.
    """
    name = (report, known_on.day(), *sorted(arguments.items()))
    try:
        fresh = load(report, **arguments)
    except StoreUnavailable:
        if name not in _last_good:
            raise
        return replace(_last_good[name], is_fresh=False)
    _last_good[name] = Kept(fresh, is_fresh=True, read_at=watch().current().checked_at)
    return _last_good[name]


def forget() -> None:
    """Forget all reports: the program is pointed at another database."""
    _reports.clear()
    _last_good.clear()


def _filled_in(report: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(arguments)
    for name in _parameters(report) - given.keys():
        if name == "township_code":
            town = township()
            given[name] = town.code if town else ""
        elif name == "now":
            given[name] = known_on.instant()
        elif name == "on":
            given[name] = today()
        elif hasattr(settings(), name):
            given[name] = getattr(settings(), name)
    return given


def _read(report: Callable[..., R], arguments: Mapping[str, Any]) -> R:
    try:
        with read_engine().connect() as connection:
            return report(connection, **arguments)
    except SQLAlchemyError as error:
        raise StoreUnavailable(
            f"The database does not answer ({type(error).__name__}). Look at `gridmap db status`."
        ) from error
