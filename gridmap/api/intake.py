"""Intake over HTTP: reports, check-ins and steps come in with a token and a key; what is open is asked for. docs/intake.md."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gridmap.actions.arrivals import NotAccepted
from gridmap.actions.duty import CHECKIN_KIND, NewArrival, WantedStep, check_in, take
from gridmap.actions.intake import NewReport, report
from gridmap.actions.receipts import Answered
from gridmap.actions.tokens import token_hash
from gridmap.api.bodies import Body, Fields, read_body
from gridmap.api.rates import seconds_to_wait
from gridmap.api.refusals import Endpoint, Refused, answered, guarded, too_many
from gridmap.reports.intake import case_told, cases_of, categories_told, may_read, public_state
from gridmap.settings import settings
from gridmap.store.database import read_engine, write_engine
from gridmap.store.intake import Source, read_source
from gridmap.store.photos import read_photo
from gridmap.texts import t

_REPORT_FIELDS = (
    "category", "text", "urgency", "happened_at", "position", "grid_code", "grid_name", "village", "place",
    "township_code", "staff_id",
)  # fmt: skip
_CHECKIN_FIELDS = ("kind", "happened_at", "position", "place", "note", "staff_id")
_STEP_FIELDS = ("kind", "note", "team_code", "satisfaction", "due_at", "level", "staff_id")
_SCHEME, _MAX_TOKEN, _MAX_NUMBER, _MAX_ID = "bearer", 200, 80, 2**31 - 1
_PHOTO_HEADERS = {"Cache-Control": "private, max-age=86400", "Content-Disposition": "inline"}


def address_of(request: Request) -> str:
    """Return the address that a request came from, as far as the server knows it."""
    return request.client.host if request.client else ""


def source_of(request: Request) -> Source:
    """Return who sends, by his token, and count the request.

    Raises
    ------
    Refused
        401 where the token is missing, wrong or revoked; 429 where he, or an address without a right token, sends too much.
    StoreUnavailable
        If the database cannot be reached.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    source = None
    if scheme.lower() == _SCHEME and 0 < len(token.strip()) <= _MAX_TOKEN:
        with write_engine().connect() as connection:
            source = read_source(connection, token_sha256=token_hash(token.strip()))
    if source is None:
        _count("intake_stranger_rate", address_of(request))
        raise Refused(401, "no_token", t("intake.error_token"), WWW_Authenticate='Bearer realm="gridmap"')
    _count("intake_rate", str(source.source_id))
    return source


def _count(rate: str, whose: str) -> None:
    seconds = seconds_to_wait(rate, whose)
    if seconds is not None:
        raise too_many(seconds)


def _writing(record: Callable[[Request, Source, Body, datetime], Answered]) -> Endpoint:
    """Return an endpoint that takes something in: token first, then the body, then the work in a thread."""

    async def serve(request: Request) -> Response:
        source = await run_in_threadpool(source_of, request)
        body = await read_body(request)
        done = await run_in_threadpool(record, request, source, body, datetime.now(UTC))
        return answered({**done.answer, "replayed": done.is_replay}, status=200 if done.is_replay else 201)

    return guarded(serve)


def _key(request: Request) -> str:
    return request.headers.get("idempotency-key", "")


def _record_report(request: Request, source: Source, body: Body, now: datetime) -> Answered:
    return report(write_engine(), source, report_in(body), key=_key(request), now=now)


def report_in(body: Body) -> NewReport:
    """Return the report that a body holds.

    Raises
    ------
    NotAccepted
        If a field is missing, not known or of another kind.
    """
    fields = Fields(body.fields, known=_REPORT_FIELDS)
    return NewReport(
        category=fields.required("category"),
        text=fields.text("text"),
        urgency=fields.text("urgency") or "normal",
        happened_at=fields.instant("happened_at"),
        position=fields.position("position"),
        grid_code=fields.text("grid_code"),
        grid_name=fields.text("grid_name"),
        village=fields.text("village"),
        place=fields.text("place"),
        photos=tuple(body.photos),
        township_code=fields.text("township_code"),
        staff_id=fields.text("staff_id"),
    )


def _record_checkin(request: Request, source: Source, body: Body, now: datetime) -> Answered:
    fields = Fields(body.fields, known=_CHECKIN_FIELDS)
    new = NewArrival(
        kind=fields.text("kind") or CHECKIN_KIND,
        happened_at=fields.instant("happened_at"),
        position=fields.position("position"),
        place=fields.text("place"),
        note=fields.text("note"),
        staff_id=fields.text("staff_id"),
    )
    return check_in(write_engine(), source, new, key=_key(request), now=now)


def _record_step(request: Request, source: Source, body: Body, now: datetime) -> Answered:
    fields = Fields(body.fields, known=_STEP_FIELDS)
    rating = fields.number("satisfaction")
    if rating is not None and not rating.is_integer():
        raise NotAccepted("bad_field", t("handling.error_satisfaction"), field="satisfaction")
    wanted = WantedStep(
        number=_number(request),
        kind=fields.required("kind"),
        note=fields.text("note"),
        team_code=fields.text("team_code"),
        satisfaction=None if rating is None else int(rating),
        due_at=fields.instant("due_at"),
        level=fields.text("level"),
        staff_id=fields.text("staff_id"),
    )
    return take(write_engine(), source, wanted, key=_key(request), now=now)


def _number(request: Request) -> str:
    number = str(request.path_params["number"])
    if len(number) > _MAX_NUMBER or "\x00" in number:
        raise NotAccepted("unknown_report", t("handling.error_unknown", number=number[:20].replace("\x00", "")))
    return number


def _reading(tell: Callable[[Request, Source, Connection, datetime], Response]) -> Endpoint:
    """Return an endpoint that answers who has a token."""

    def ask(request: Request, source: Source) -> Response:
        with read_engine().connect() as connection:
            return tell(request, source, connection, datetime.now(UTC))

    async def serve(request: Request) -> Response:
        source = await run_in_threadpool(source_of, request)
        return await run_in_threadpool(ask, request, source)

    return guarded(serve)


def _tell_case(request: Request, connection: Connection, source: Source | None, now: datetime) -> Response:
    number = _number(request)
    told: dict[str, Any] | None
    if source is None:
        told = public_state(connection, number=number, now=now)
    else:
        told = case_told(
            connection,
            number=number,
            source=source,
            now=now,
            zone=settings().zone,
            deadlines=settings().deadlines,
        )
    if told is None:
        raise NotAccepted("unknown_report", t("handling.error_unknown", number=number[:60]))
    return answered(told)


def _ask_case(request: Request) -> Response:
    """Tell a case to who has a token, and its public state to who has only the number."""
    source = None
    if "authorization" in request.headers:
        source = source_of(request)
    else:
        _count("intake_stranger_rate", address_of(request))
    with read_engine().connect() as connection:
        return _tell_case(request, connection, source, datetime.now(UTC))


async def _case(request: Request) -> Response:
    return await run_in_threadpool(_ask_case, request)


def _tell_mine(_request: Request, source: Source, connection: Connection, now: datetime) -> Response:
    if source.staff_id is None or source.township_code is None:
        raise NotAccepted("not_yours", t("intake.error_missing", field="staff_id"))
    open_cases = cases_of(
        connection,
        staff_id=source.staff_id,
        township_code=source.township_code,
        now=now,
        zone=settings().zone,
        due_soon_hours=settings().due_soon_hours,
        deadlines=settings().deadlines,
    )
    return answered({"staff_id": source.staff_id, "open": open_cases})


def _tell_categories(request: Request, _source: Source, connection: Connection, now: datetime) -> Response:
    asked = request.query_params.get("on")
    try:
        on = now.astimezone(settings().zone).date() if asked is None else date.fromisoformat(asked)
    except ValueError as error:
        raise NotAccepted("bad_field", t("intake.error_day", field="on"), field="on") from error
    return answered({"on": on.isoformat(), "categories": categories_told(connection, on=on)})


def _tell_photo(request: Request, source: Source, connection: Connection, now: datetime) -> Response:
    photo_id = int(request.path_params["photo_id"])
    photo = read_photo(connection, photo_id=photo_id) if photo_id <= _MAX_ID else None
    on = now.astimezone(settings().zone).date()
    if photo is None or not may_read(connection, source=source, number=photo[0], on=on):
        raise NotAccepted("unknown_photo", t("intake.error_no_photo"))
    return Response(photo[1], media_type="image/jpeg", headers=_PHOTO_HEADERS)


async def _nowhere(_request: Request) -> Response:
    raise Refused(404, "not_found", t("intake.error_not_found"))


def intake_routes() -> list[BaseRoute]:
    """Return the routes under `/intake`."""
    return [
        Route("/intake/reports", _writing(_record_report), methods=["POST"]),
        Route("/intake/checkins", _writing(_record_checkin), methods=["POST"]),
        Route("/intake/reports/{number}/steps", _writing(_record_step), methods=["POST"]),
        Route("/intake/reports/{number}", guarded(_case), methods=["GET"]),
        Route("/intake/mine", _reading(_tell_mine), methods=["GET"]),
        Route("/intake/categories", _reading(_tell_categories), methods=["GET"]),
        Route("/intake/photos/{photo_id:int}", _reading(_tell_photo), methods=["GET"]),
        Route("/intake/{rest:path}", guarded(_nowhere), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
