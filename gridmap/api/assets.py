"""Browser assets that the set-up step installed, and the program's own: named folders only."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from gridmap.settings import PROJECT_DIR, settings

_PACKAGES = ("@fontsource/noto-sans-sc", "leaflet/dist", "leaflet-draw/dist")
_OWN = {
    "gridmap/field": PROJECT_DIR / "gridmap" / "api" / "field",
    "gridmap": PROJECT_DIR / "gridmap" / "ui" / "styles",
}
# The map libraries bring scripts that a browser is to run, and our pages for phones have some; Streamlit is handed its own.
_SCRIPTED = ("leaflet/dist", "leaflet-draw/dist", "gridmap/field")
_KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_ONE_DAY = {"Cache-Control": "public, max-age=86400"}


def asset(request: Request) -> Response:
    """Serve one file of a known package, 404 for everything else."""
    file = asset_file(str(request.path_params["path"]))
    if file is None:
        return PlainTextResponse("not found", status_code=404)
    return FileResponse(file, media_type=_KINDS[file.suffix], headers=_ONE_DAY)


def asset_file(path: str) -> Path | None:
    """Return the file behind an asset path, None when it is not one of ours.

    Parameters
    ----------
    path
        `<package>/<file>`; the package is one of the known ones, or `gridmap` and `gridmap/field` for the program's own.
    """
    for package, folder in _folders().items():
        inside = path.removeprefix(f"{package}/")
        if inside == path:
            continue
        file = (folder / inside).resolve()
        may_be_served = file.suffix in _KINDS and (file.suffix != ".js" or package in _SCRIPTED)
        if file.is_relative_to(folder.resolve()) and may_be_served and file.is_file():
            return file
    return None


def _folders() -> dict[str, Path]:
    return {**{package: settings().assets_dir / package for package in _PACKAGES}, **_OWN}
