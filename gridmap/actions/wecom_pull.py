"""Pull the work platform's reports: page by page, each page with its place in the list in one transaction, nothing twice."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from gridmap.actions.load import LoadOptions, store_reading
from gridmap.actions.township import chosen_township, township_context
from gridmap.errors import ConflictError, CrsError, GridmapError, InputError, PlatformError
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.files import FileFacts
from gridmap.ingest.limits import Limits
from gridmap.ingest.reading import Reading, read_answers
from gridmap.ingest.wecom_client import FAMILIES, OrderPage, WecomClient
from gridmap.settings import Settings
from gridmap.store.work_platform import PullState, read_pull, write_pull
from gridmap.texts import t

_GRIDS = "grids"
_MAX_IDLE_PAGES = 10
_PULLED_BY = "gridmap wecom pull"


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What one pull of one list did.

    Parameters
    ----------
    family
        `patrol`, `resident` or `grids`.
    n_pages, n_orders
        Pages and orders (grids) that came.
    n_new, n_quarantined
        Rows (incidents and steps) that were new, and rows refused.
    notes
        Sentences for the person.
    fault
        Why it stopped before the end; None: it did not. What came before is stored, the next pull goes on there.
    is_passing
        Whether the fault may pass by itself.
    """

    family: str
    n_pages: int = 0
    n_orders: int = 0
    n_new: int = 0
    n_quarantined: int = 0
    notes: tuple[str, ...] = ()
    fault: str | None = None
    is_passing: bool = False


@dataclass(kw_only=True)
class _Run:
    """One pull of one list while it is under way."""

    engine: Engine
    client: WecomClient
    settings: Settings
    context: TownshipContext
    family: str
    now: datetime
    done: Pulled
    seen_orders: set[str] = field(default_factory=set)
    seen_cursors: set[str] = field(default_factory=set)
    n_idle: int = 0


def pull(
    engine: Engine,
    client: WecomClient,
    *,
    settings: Settings,
    now: datetime,
    families: Sequence[str] = FAMILIES,
    since: datetime | None = None,
    township_code: str | None = None,
) -> list[Pulled]:
    """Pull the grid tree, when it is old, and every order that was modified since the last pull.

    Parameters
    ----------
    engine
        The writing engine.
    client
        Asks the platform.
    settings
        Overlap, age of the grid tree, datum, the township's clock.
    now
        The instant, tz-aware.
    families
        `patrol` and `resident`, or one of them.
    since
        Ask again for what was modified since then; never later than where the last pull ended, so that no gap is left.
    township_code
        Needed only when the database holds several townships.

    Returns
    -------
    list of Pulled
        One a list. A list that fails does not keep the others from being pulled.

    Raises
    ------
    InputError
        If there is no such family, or no township.
    sqlalchemy.exc.DBAPIError
        If the database cannot be reached.
    """
    strange = [family for family in families if family not in FAMILIES]
    if strange:
        raise InputError(t("wecom.error_family", family=strange[0][:60], known=", ".join(FAMILIES)))
    with engine.connect() as connection:
        town = chosen_township(connection, township_code)
        context = township_context(connection, town.code)
    run = _Run(
        engine=engine,
        client=client,
        settings=settings,
        context=context,
        family=_GRIDS,
        now=now,
        done=Pulled(family=_GRIDS),
    )
    outcomes = []
    if _are_grids_old(run):
        outcomes.append(_guarded(_pull_grids, run))
        # Orders find their grids by the table that was just written.
        with engine.connect() as connection:
            context = township_context(connection, town.code)
    for family in families:
        run = replace(
            run,
            context=context,
            family=family,
            done=Pulled(family=family),
            seen_orders=set(),
            seen_cursors=set(),
            n_idle=0,
        )
        outcomes.append(_guarded(lambda run: _pull_orders(run, since=since), run))
    return outcomes


def _guarded(step: Callable[[_Run], None], run: _Run) -> Pulled:
    """Take a list as far as it goes; what stops it becomes its fault."""
    try:
        step(run)
    except PlatformError as error:
        run.done = replace(run.done, fault=str(error), is_passing=error.is_passing)
    except GridmapError as error:
        run.done = replace(run.done, fault=str(error))
    return run.done


def _are_grids_old(run: _Run) -> bool:
    state = _state(run)
    if state is None or state.next_since is None:
        return True
    return run.now - state.next_since >= timedelta(hours=run.settings.wecom_grids_hours)


def _state(run: _Run) -> PullState | None:
    with run.engine.connect() as connection:
        return read_pull(connection, township_code=run.context.township_code, family=run.family)


def _pull_grids(run: _Run) -> None:
    answers = [answer for answer in run.client.grid_answers() if answer["grid_list"]]
    readings = [_read(run, answers)] if answers else []
    _store(run, readings, before=_state(run), after=PullState(next_since=run.now), n_orders=0)
    n_grids = sum(len(reading.frames["platform_grids"]) for reading in readings)
    run.done = replace(run.done, n_pages=len(answers), n_orders=n_grids)


def _pull_orders(run: _Run, *, since: datetime | None) -> None:
    state = _state(run)
    modified_since, cursor = _where_to_begin(state, since)
    begun_at = state.begun_at if state is not None and cursor is not None else None
    is_resumed = cursor is not None
    while True:
        try:
            page = run.client.orders(run.family, modified_since=modified_since, cursor=cursor)
        except PlatformError as error:
            if not is_resumed or error.is_passing or error.errcode is None:
                raise
            # A cursor does not live for ever; the same question from its first page brings everything again, once.
            run.done = replace(run.done, notes=(*run.done.notes, _restarted(run, modified_since)))
            cursor, begun_at, is_resumed = None, None, False
            continue
        begun_at = begun_at or min(run.now, page.answered_at or run.now)
        is_stuck = _is_stuck(run, page, cursor)
        is_last = page.next_cursor is None
        missed = _missed(run, modified_since) if is_last and cursor is not None else []
        after = PullState(
            begun_at=begun_at,
            modified_since=modified_since,
            cursor=page.next_cursor,
            next_since=None if state is None else state.next_since,
        )
        if is_last:
            after = PullState(next_since=begun_at - timedelta(minutes=run.settings.wecom_overlap_minutes))
        _store_orders(run, page, missed, before=state, after=state if is_stuck else after)
        if is_stuck:
            raise PlatformError(t("wecom.error_cursor", path=f"report/{run.family}/get_order_list"))
        if is_last:
            return
        state = after
        cursor, is_resumed = page.next_cursor, False


def _restarted(run: _Run, modified_since: datetime | None) -> str:
    if modified_since is None:
        return t("wecom.restarted", since=t("wecom.from_the_beginning"))
    return t("wecom.restarted", since=f"{modified_since.astimezone(run.settings.zone):%Y-%m-%d %H:%M}")


def _where_to_begin(state: PullState | None, since: datetime | None) -> tuple[datetime | None, str | None]:
    """Return what to ask for and where to go on: a run that broke off is ended first, unless more than it is asked for."""
    if state is None:
        return since, None
    is_under_way = state.begun_at is not None
    last = state.modified_since if is_under_way else state.next_since
    if is_under_way and (since is None or last is None or since >= last):
        return last, state.cursor
    return (last if since is None or last is None else min(since, last)), None


def _is_stuck(run: _Run, page: OrderPage, cursor: str | None) -> bool:
    """Tell whether the list turns in circles: a cursor that came before, or many pages with nothing new."""
    ids = {str(order["order_id"]) for order in page.orders}
    run.n_idle = 0 if ids - run.seen_orders else run.n_idle + 1
    run.seen_orders |= ids
    if cursor is not None:
        run.seen_cursors.add(cursor)
    return page.next_cursor is not None and (page.next_cursor in run.seen_cursors or run.n_idle > _MAX_IDLE_PAGES)


def _missed(run: _Run, modified_since: datetime | None) -> list[Mapping[str, Any]]:
    """Walk the list once more and return what did not come: an order that changes meanwhile can push another off its page."""
    missed: dict[str, Mapping[str, Any]] = {}
    cursors: set[str] = set()
    cursor: str | None = None
    while True:
        page = run.client.orders(run.family, modified_since=modified_since, cursor=cursor)
        missed |= {str(order["order_id"]): order for order in page.orders if order["order_id"] not in run.seen_orders}
        cursor = page.next_cursor
        if cursor is None or cursor in cursors:
            return list(missed.values())
        cursors.add(cursor)


def _store_orders(
    run: _Run,
    page: OrderPage,
    missed: Sequence[Mapping[str, Any]],
    *,
    before: PullState | None,
    after: PullState | None,
) -> None:
    """Ask for the details of each order of a page and store them, and what was missed as the list has it."""
    orders, n_bare = [], 0
    for item in page.orders:
        try:
            orders.append(run.client.order(run.family, str(item["order_id"])))
        except PlatformError as error:
            if error.is_passing:
                raise
            # The list has the same fields: an order whose details are refused holds up no other.
            orders.append(item)
            n_bare += 1
    _store(run, _readings(run, [*orders, *missed]), before=before, after=after, n_orders=len(orders))
    notes = (t("wecom.without_details", n=n_bare),) if n_bare else ()
    run.done = replace(
        run.done,
        n_pages=run.done.n_pages + 1,
        n_orders=run.done.n_orders + len(orders),
        notes=(*run.done.notes, *notes),
    )


def _readings(run: _Run, orders: Sequence[Mapping[str, Any]]) -> list[Reading]:
    """Read the orders of a page together; where nearly all lie outside the township, in parts, so that each has its reason."""
    if not orders:
        return []
    try:
        return [_read(run, [{"errcode": 0, "order_list": list(orders)}])]
    except CrsError:
        if len(orders) == 1:
            raise
        middle = len(orders) // 2
        return [*_readings(run, orders[:middle]), *_readings(run, orders[middle:])]


def _read(run: _Run, answers: Sequence[Mapping[str, Any]]) -> Reading:
    content = json.dumps(answers, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    path = "report/grid/list" if run.family == _GRIDS else f"report/{run.family}/get_order_info"
    return read_answers(
        answers,
        family=run.family,
        facts=FileFacts(name=path, sha256=hashlib.sha256(content).hexdigest(), n_bytes=len(content)),
        context=run.context,
        zone=run.settings.zone,
        datum=None if run.settings.wecom_datum == "gcj02" else run.settings.wecom_datum,
        limits=Limits(max_bytes=run.settings.max_file_mb * 2**20),
    )


def _store(
    run: _Run, readings: Sequence[Reading], *, before: PullState | None, after: PullState | None, n_orders: int
) -> None:
    """Store what was read together with the place in the list; all of it or nothing."""
    notes: list[str] = []
    n_new = 0
    with run.engine.begin() as connection:
        for reading in readings:
            new, told = _store_one(run, connection, reading)
            n_new += new
            notes += told
        if after is not None and not write_pull(
            connection,
            township_code=run.context.township_code,
            family=run.family,
            before=before,
            after=after,
            n_orders=n_orders,
            now=run.now,
        ):
            raise ConflictError(t("wecom.error_two_pulls", family=t(f"wecom.family_{run.family}")))
    run.done = replace(
        run.done,
        n_new=run.done.n_new + n_new,
        n_quarantined=run.done.n_quarantined + sum(reading.n_quarantined for reading in readings),
        notes=tuple(dict.fromkeys((*run.done.notes, *notes))),
    )


def _store_one(run: _Run, connection: Connection, reading: Reading) -> tuple[int, Sequence[str]]:
    """Store one reading; one that brings nothing new leaves no record behind."""
    with connection.begin_nested() as savepoint:
        kept = store_reading(
            connection,
            reading,
            frames=reading.frames,
            notes=(),
            township_code=run.context.township_code,
            options=LoadOptions(imported_by=_PULLED_BY),
            settings=run.settings,
            now=run.now,
        )
        written = kept.stored.written
        if kept.is_known or not (written.n_new or written.n_updated or reading.n_quarantined):
            savepoint.rollback()
            # How teams differ may have changed here although nothing changed there.
            return 0, kept.stored.notes if run.family == _GRIDS else ()
    return written.n_new, (*reading.notes, *kept.stored.notes)


def parsed_since(given: str | None, *, settings: Settings) -> datetime | None:
    """Return the instant that `--since` names: a day is its midnight in the township.

    Raises
    ------
    InputError
        If it is neither a day nor a time with its zone.
    """
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise InputError(t("wecom.error_since", given=given[:60])) from error
    is_day = len(given) == len("2026-11-23")
    if moment.tzinfo is None and not is_day:
        raise InputError(t("wecom.error_since", given=given[:60]))
    return (moment.replace(tzinfo=settings.zone) if is_day else moment).astimezone(UTC)
