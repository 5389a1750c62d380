"""Errors of the intake as answers: a status, one sentence in the reader's language, a word for programs, no details."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from gridmap.actions.arrivals import NotAccepted
from gridmap.actions.duty import StepConflict
from gridmap.errors import ConflictError, GridmapError, StoreUnavailable
from gridmap.settings import LANGUAGES, settings
from gridmap.texts import t, use_language

_log = logging.getLogger("gridmap.intake")
_NOT_KEPT = {"Cache-Control": "no-store"}
_UNPROCESSABLE = 422
_STATUS = {
    "bad_key": 400,
    "bad_body": 400,
    "not_yours": 403,
    "unknown_report": 404,
    "unknown_photo": 404,
    "too_large": 413,
    "photo_too_large": 413,
    "bad_content_type": 415,
}
_OURS = (DataError, IntegrityError, ProgrammingError)
_RETRY_S = 10


class Refused(GridmapError):  # noqa: N818  a finding, named as people say it
    """A request that is answered with a status of its own: the token, the rate, the size.

    Parameters
    ----------
    status
        HTTP status.
    code
        A word for programs.
    message
        One sentence for a person.
    headers
        Of the answer.
    """

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def too_many(seconds: int) -> Refused:
    """Return the refusal of one who sends too much, with the seconds to wait."""
    return Refused(429, "too_many", t("intake.error_rate", seconds=seconds), Retry_After=str(seconds))


def answered(content: Any, *, status: int = 200) -> Response:
    """Return an answer that nobody keeps."""
    return JSONResponse(content, status_code=status, headers=_NOT_KEPT)


def read_language(accepted: str) -> str:
    """Return the first of our languages that an `Accept-Language` header prefers, else the setting.

    Examples
    --------
    >>> read_language("de, en;q=0.8, zh;q=0.9"), read_language("en-GB"), read_language("zh-CN,zh;q=0.9,en;q=0.8")
    ('zh', 'en', 'zh')
    """
    wanted = []
    for place, part in enumerate(accepted[:200].split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        wanted.append((-weight, place, name.split("-")[0].lower()))
    found = [name for weight, _, name in sorted(wanted) if name in LANGUAGES and weight < 0]
    return next(iter(found), settings().language)


Endpoint = Callable[[Request], Awaitable[Response]]


def guarded(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that speaks the reader's language and turns every error into an answer."""

    async def serve(request: Request) -> Response:
        use_language(read_language(request.headers.get("accept-language", "")))
        try:
            return await endpoint(request)
        except Exception as error:  # noqa: BLE001  the edge: whatever happens, the sender is told what became of his report
            return _refusal(error)

    return serve


def _refusal(error: Exception) -> Response:
    if isinstance(error, Refused):
        return _error(error.status, error.code, str(error), headers=error.headers)
    if isinstance(error, NotAccepted):
        return _error(_STATUS.get(error.code, _UNPROCESSABLE), error.code, str(error), **error.data)
    if isinstance(error, ConflictError):
        told = {"first": error.first} if isinstance(error, StepConflict) else {}
        return _error(409, "conflict", str(error), **told)
    if isinstance(error, StoreUnavailable | SQLAlchemyError) and not isinstance(error, _OURS):
        _log.warning("database: %s", type(error).__name__)
        return _error(503, "no_database", t("intake.error_store"), headers={"Retry-After": str(_RETRY_S)})
    if isinstance(error, GridmapError):
        return _error(_UNPROCESSABLE, "not_accepted", str(error))
    return _unforeseen(error)


def _unforeseen(error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return _error(400, "broken_off", t("intake.error_broken_off"))
    # Without the message: it may hold what was sent, which may be personal.
    _log.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    return _error(500, "ours", t("intake.error_ours"))


def _error(status: int, code: str, sentence: str, *, headers: dict[str, str] | None = None, **data: Any) -> Response:
    content = {"error": sentence, "code": code, **data}
    return JSONResponse(content, status_code=status, headers={**_NOT_KEPT, **(headers or {})})
