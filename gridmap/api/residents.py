"""The residents' form of a grid (扫码报事): no sign-in, one page, an answer by number; works without any script."""

import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gridmap.actions.arrivals import NotAccepted, Position
from gridmap.actions.intake import NewReport, report_by_resident
from gridmap.actions.receipts import Answered
from gridmap.api import resident_pages as pages
from gridmap.api.bodies import Body, read_form
from gridmap.api.intake import address_of
from gridmap.api.rates import seconds_to_wait
from gridmap.api.refusals import Refused
from gridmap.errors import ConflictError, GridmapError, StoreUnavailable
from gridmap.reports.contacts import Team, grid_team
from gridmap.reports.intake import categories_told, public_state
from gridmap.settings import LANGUAGES, settings
from gridmap.store.database import read_engine, write_engine
from gridmap.texts import t, use_language

_log = logging.getLogger("gridmap.field")
_MAX_NUMBER = 60
_TRAP = "website"
_MAX_FIELDS = 16
_STATUS = {"too_large": 413, "photo_too_large": 413, "bad_body": 400}


@dataclass(frozen=True, kw_only=True)
class Written:
    """What somebody filled in, to be shown again where something is missing."""

    category: str = ""
    text: str = ""
    place: str = ""
    position: Position | None = None
    photos: tuple[bytes, ...] = field(default=(), repr=False)


def resident_routes() -> list[BaseRoute]:
    """Return the routes under `/r`."""
    return [
        Route("/r/state", _guarded(_state), methods=["GET"]),
        Route("/r/{grid_code}", _guarded(_form), methods=["GET"]),
        Route("/r/{grid_code}", _guarded(_record), methods=["POST"]),
    ]


Endpoint = Callable[[Request], Awaitable[Response]]


def speak(request: Request) -> None:
    """Speak the language that the address names (`?lang=en`), else the setting: a village reads one language, whatever its phones say."""
    asked = request.query_params.get("lang")
    use_language(asked if asked in LANGUAGES else None)


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that speaks a language and says what became of a report, whatever happens."""

    async def serve(request: Request) -> Response:
        speak(request)
        try:
            return await endpoint(request)
        except ClientDisconnect:
            return pages.told(t("field.error_broken_off"), status_code=400)
        except (StoreUnavailable, SQLAlchemyError) as error:
            _log.warning("database: %s", type(error).__name__)
            return pages.told(t("field.error_store"), status_code=503, headers={"Retry-After": "30"})
        except GridmapError as error:
            return pages.told(str(error), status_code=422)

    return serve


async def _form(request: Request) -> Response:
    team, categories = await run_in_threadpool(_ground, str(request.path_params["grid_code"]))
    if team is None:
        return pages.told(t("field.error_no_form"), status_code=404)
    return pages.form(team, categories, key=_new_key(), written=Written())


async def _record(request: Request) -> Response:
    team, categories = await run_in_threadpool(_ground, str(request.path_params["grid_code"]))
    if team is None:
        return pages.told(t("field.error_no_form"), status_code=404)
    written, key = Written(), _new_key()
    try:
        body = await read_form(request, most_fields=_MAX_FIELDS)
        written, key = _written(body), str(body.fields.get("key", ""))
        _require_takeable(body, written, grid_code=team.code, address=address_of(request))
        done = await run_in_threadpool(_take, team, written, key)
    except (GridmapError, SQLAlchemyError) as error:
        words, status_code, is_key_spent = _fault(error)
        key = _new_key() if is_key_spent else key
        return pages.form(team, categories, key=key, written=written, fault=words, status_code=status_code)
    return pages.thanks(team, done.answer, status_code=200 if done.is_replay else 201)


def _written(body: Body) -> Written:
    texts = {name: str(value).replace("\r\n", "\n").strip() for name, value in body.fields.items()}
    return Written(
        category=texts.get("category", ""),
        text=texts.get("text", ""),
        place=texts.get("place", ""),
        position=_position(texts.get("lng", ""), texts.get("lat", ""), texts.get("accuracy_m", "")),
        photos=tuple(body.photos),
    )


def _require_takeable(body: Body, written: Written, *, grid_code: str, address: str) -> None:
    """Refuse what a machine sends, what says nothing, and who sends too much: by address and form, and by form."""
    if body.fields.get(_TRAP):
        raise Refused(400, "machine", t("field.error_machine"))
    if not written.category:
        raise NotAccepted("missing", t("field.error_category"), field="category")
    wait = seconds_to_wait("intake_resident_rate", f"{grid_code} {address}")
    if wait is None:
        wait = seconds_to_wait("intake_grid_rate", grid_code)
    if wait is not None:
        raise Refused(429, "too_many", t("field.error_rate", minutes=-(-wait // 60)))


def _fault(error: Exception) -> tuple[str, int, bool]:
    """Return what to say, the status, and whether the page needs another key."""
    if isinstance(error, Refused):
        return str(error), error.status, False
    if isinstance(error, NotAccepted):
        return str(error), _STATUS.get(error.code, 422), error.code == "bad_key"
    if isinstance(error, ConflictError):
        # The same page was sent before with something else in it: this is another report, under a new key.
        return t("field.error_sent_before"), 409, True
    if isinstance(error, GridmapError) and not isinstance(error, StoreUnavailable):
        return str(error), 422, False
    _log.warning("database: %s", type(error).__name__)
    return t("field.error_store"), 503, False


async def _state(request: Request) -> Response:
    number = request.query_params.get("number", "").strip()
    if not number:
        return pages.state(number="", told=None, is_asked=False)
    wait = seconds_to_wait("intake_stranger_rate", address_of(request))
    if wait is not None:
        return pages.told(t("field.error_rate", minutes=-(-wait // 60)), status_code=429)
    is_possible = len(number) <= _MAX_NUMBER and number.isprintable()
    told = await run_in_threadpool(_read_state, number) if is_possible else None
    status_code = 200 if told else 404
    return pages.state(number=number[:_MAX_NUMBER], told=told, is_asked=True, status_code=status_code)


def _today() -> date:
    return datetime.now(UTC).astimezone(settings().zone).date()


def _ground(grid_code: str) -> tuple[Team | None, list[dict[str, Any]]]:
    with read_engine().connect() as connection:
        team = grid_team(connection, grid_code=grid_code, on=_today(), grid_members=settings().grid_members)
        return team, categories_told(connection, on=_today()) if team else []


def _read_state(number: str) -> dict[str, Any] | None:
    with read_engine().connect() as connection:
        return public_state(connection, number=number, now=datetime.now(UTC))


def _take(team: Team, written: Written, key: str) -> Answered:
    new = NewReport(
        category=written.category,
        text=written.text or None,
        place=written.place or None,
        position=written.position,
        grid_code=team.code,
        photos=written.photos,
    )
    return report_by_resident(write_engine(), new, key=key, now=datetime.now(UTC))


def _position(lng: str, lat: str, accuracy_m: str) -> Position | None:
    """Return where the browser said it is, None where it did not; browsers tell WGS 84."""
    try:
        return Position(lng=float(lng), lat=float(lat), datum="wgs84", accuracy_m=float(accuracy_m or "nan"))
    except ValueError:
        return None


def _new_key() -> str:
    return f"resident-{uuid.uuid4().hex}"
