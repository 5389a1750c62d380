"""Map layers for the browser: fetched once, kept until their content changes."""

from collections.abc import Hashable
from datetime import UTC, date, datetime
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gridmap.errors import StoreUnavailable
from gridmap.reports.base_map import LAYERS, MapLayer, map_layer
from gridmap.settings import settings
from gridmap.store.database import read_engine
from gridmap.store.versions import read_versions

_KEPT_LAYERS = 32
_kept: dict[Hashable, MapLayer] = {}
_keeping = Lock()


def layer(request: Request) -> Response:
    """Serve `/map/<township>/<layer>-<digest>.json`.

    With the digest of the present content the answer may be kept for ever; with another one the present content is
    given and must not be kept. `?on=<day>` asks for the grids of another day than today. 404 for a layer, township or day that is
    not there, 503 when the database does not answer.
    """
    name, _, digest = str(request.path_params["name"]).partition("-")
    township_code = str(request.path_params["township"])
    if name not in LAYERS or not (township_code.isascii() and township_code.isdigit()):
        return PlainTextResponse("not found", status_code=404)
    on = _day(request.query_params.get("on"))
    if on is None:
        return PlainTextResponse("not found", status_code=404)
    try:
        found = _present_layer(name, township_code, on)
    except StoreUnavailable:
        return PlainTextResponse("database unavailable", status_code=503)
    if found.n_features == 0:
        return PlainTextResponse("not found", status_code=404)
    headers = {"ETag": f'"{found.digest}"', "Vary": "Accept-Encoding"}
    headers["Cache-Control"] = "public, max-age=31536000, immutable" if digest == found.digest else "no-store"
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return _answer(found, request, headers)


def _answer(found: MapLayer, request: Request, headers: dict[str, str]) -> Response:
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.body, media_type="application/geo+json", headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.raw(), media_type="application/geo+json", headers=headers)


def _day(asked: str | None) -> date | None:
    """Return the day that the grids are asked of: today when none is named, None when it is no day."""
    if asked is None:
        return datetime.now(UTC).astimezone(settings().zone).date()
    try:
        return date.fromisoformat(asked)
    except ValueError:
        return None


def _present_layer(name: str, township_code: str, on: date) -> MapLayer:
    try:
        with read_engine().connect() as connection:
            key = (name, township_code, on, tuple(sorted(read_versions(connection).items())))
            if key not in _kept:
                found = map_layer(connection, township_code=township_code, layer=name, on=on)
                _keep(key, found)
                return found
            return _kept[key]
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"The database does not answer ({type(error).__name__}).") from error


def _keep(key: Hashable, found: MapLayer) -> None:
    with _keeping:
        while len(_kept) >= _KEPT_LAYERS:
            _kept.pop(next(iter(_kept)))
        _kept[key] = found
