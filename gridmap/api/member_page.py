"""The members' page (网格员): one page whose script reports, checks in and takes steps over `/intake`, also later, when there is no network."""

from datetime import UTC, date, datetime

from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gridmap.analysis.lifecycle import STEPS
from gridmap.api.assets import asset_file
from gridmap.api.markup import filled, head, own_asset, page, script_words
from gridmap.api.residents import speak
from gridmap.errors import StoreUnavailable
from gridmap.frames import TEAM_CODES
from gridmap.reports.contacts import is_area_grid
from gridmap.settings import settings
from gridmap.store.database import read_engine
from gridmap.store.places import read_grid_tree, read_townships
from gridmap.texts import catalogue, language, t

_BODY = Markup("""{head}<div class="wide"><div id="line" class="line" role="status"></div><div id="warnings" class="stack"></div></div>
<main><div id="main" class="wide stack"><noscript><p class="note alarm">{no_script}</p></noscript></div></main>""")
_SHARED_WORDS = (
    "what", "tell", "tell_hint", "where", "where_hint", "optional", "photo", "take_photo", "photo_one", "photos_full",
    "place_looking", "place_found", "place_again", "place_insecure", "place_none", "place_denied", "place_lost",
    "error_category", "sending", "before",
)  # fmt: skip
_SCRIPTS = ("dom.js", "outbox.js", "member.js", "member_report.js", "member_cases.js")
_PATH, _MANIFEST, _WORKER = "/m", "/m/manifest.webmanifest", "/m/worker.js"


def member_routes() -> list[BaseRoute]:
    """Return the routes of the members' page."""
    return [Route(_PATH, _member_page), Route(_MANIFEST, _manifest), Route(_WORKER, _worker)]


def _member_page(request: Request) -> Response:
    speak(request)
    own = [key.removeprefix("field.") for key in catalogue(language()) if key.startswith(("field.m_", "field.kind_"))]
    now = datetime.now(UTC).astimezone(settings().zone)
    given = {
        "language": language(),
        "zone": str(settings().zone),
        "utc_offset": now.isoformat()[-6:],
        "words": script_words(
            *_SHARED_WORDS,
            *own,
            **{f"step_{kind}": f"handling.kind_{kind}" for kind in STEPS},
            **{f"team_{team}": f"handling.team_{team}" for team in TEAM_CODES},
        ),
        "grids": _grids(now.date()),
        "max_photos": settings().intake_max_photos,
        "photo_px": settings().intake_photo_px,
    }
    body = filled(
        _BODY,
        head=head(title=t("field.m_title"), above=t("field.m_above"), path=_PATH),
        no_script=t("field.m_no_script"),
    )
    return page(title=t("field.m_title"), body=body, given=given, scripts=_SCRIPTS, manifest=_MANIFEST)


def _grids(today: date) -> list[tuple[str, str]]:
    """Return code and name of the area grids; none while the database does not answer, since the page works without it."""
    try:
        with read_engine().connect() as connection:
            trees = [
                read_grid_tree(connection, township_code=town.code, on=today) for town in read_townships(connection)
            ]
    except (StoreUnavailable, SQLAlchemyError):
        return []
    return [(str(code), str(name)) for tree in trees for code, name in tree["name"].items() if is_area_grid(str(code))]


def _manifest(_request: Request) -> Response:
    """Serve what a phone needs to keep the page on its home screen."""
    return JSONResponse(
        {
            "name": t("field.m_title"),
            "short_name": t("field.m_title"),
            "start_url": _PATH,
            "scope": _PATH,
            "display": "standalone",
            "background_color": "#f6f8fa",
            "theme_color": "#14684a",
            "icons": [{"src": own_asset("icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
        },
        media_type="application/manifest+json",
    )


def _worker(_request: Request) -> Response:
    """Serve the worker that lets the page open without network; it may stand before the page and nothing else."""
    file = asset_file("gridmap/field/worker.js")
    if file is None:
        raise FileNotFoundError(_WORKER)
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": _PATH}
    return FileResponse(file, media_type="text/javascript", headers=headers)
