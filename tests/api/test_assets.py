"""Browser assets: named folders only."""

from pathlib import Path

import pytest
from starlette.applications import Starlette

from gridmap import settings as settings_module
from gridmap.api.assets import asset_file
from gridmap.api.routes import routes
from tests.api.conftest import Client


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages with one font, a script, and a secret beside them."""
    package = tmp_path / "node_modules" / "@fontsource" / "noto-sans-sc"
    package.mkdir(parents=True)
    (package / "400.css").write_text("@font-face {}")
    (package / "install.js").write_text("boom()")
    (tmp_path / "node_modules" / "other").mkdir()
    (tmp_path / "node_modules" / "other" / "x.css").write_text("secret")
    (tmp_path / "secret.css").write_text("secret")
    (package / "link.css").symlink_to(tmp_path / "secret.css")
    monkeypatch.setenv("GRIDMAP_ASSETS_DIR", str(tmp_path / "node_modules"))
    settings_module.settings.cache_clear()
    return package


def test_a_font_sheet_is_served_and_kept_for_a_day(assets: Path):
    answer = Client(Starlette(routes=routes())).get("/assets/@fontsource/noto-sans-sc/400.css")
    assert (answer.status_code, answer.text) == (200, "@font-face {}")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"] == "public, max-age=86400"


@pytest.mark.parametrize(
    "path",
    [
        "@fontsource/noto-sans-sc/../../../secret.css",
        "@fontsource/noto-sans-sc/link.css",
        "@fontsource/noto-sans-sc/install.js",
        "@fontsource/noto-sans-sc/",
        "@fontsource/noto-sans-sc/none.css",
        "other/x.css",
        "gridmap/../dashboard.py",
        "gridmap/../../settings.py",
        "/etc/passwd",
        "",
    ],
)
def test_nothing_else_is_given(assets: Path, path: str):
    assert asset_file(path) is None
    assert Client(Starlette(routes=routes())).get(f"/assets/{path}").status_code == 404


def test_the_marks_of_the_map_are_served():
    assert asset_file("gridmap/marks-dark.svg") is not None


def test_the_map_libraries_bring_their_scripts(assets: Path):
    script = assets.parent.parent / "leaflet" / "dist" / "leaflet.js"
    script.parent.mkdir(parents=True)
    script.write_text("map()")
    answer = Client(Starlette(routes=routes())).get("/assets/leaflet/dist/leaflet.js")
    assert (answer.status_code, answer.text) == (200, "map()")
    assert answer.headers["content-type"].startswith("text/javascript")
