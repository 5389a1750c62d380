"""Every answer is guarded, and what Streamlit offers to machines is closed."""

import base64
import hashlib
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gridmap.api.headers import SecurityHeaders
from tests.api.conftest import Client


@pytest.fixture
def guarded(tmp_path: Path) -> Client:
    page = tmp_path / "index.html"
    page.write_text("<html><head><script>window.ready = false</script></head></html>")
    routes = [Route("/{rest:path}", lambda _request: PlainTextResponse("open"))]
    return Client(SecurityHeaders(Starlette(routes=routes), page=page, addresses=["/", "/live"]))


@pytest.mark.parametrize("path", ["/live", "/anything"])
def test_every_answer_carries_the_policy(guarded: Client, path: str):
    headers = guarded.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_only_the_page_s_own_inline_scripts_may_run(guarded: Client):
    policy = guarded.get("/live").headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(b"window.ready = false").digest()).decode()
    script_sources = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert f"'sha256-{digest}'" in script_sources
    assert "'unsafe-inline'" not in script_sources
    assert "'unsafe-eval'" not in script_sources


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics/",
        "/live/_stcore/metrics",
        "/_stcore/agent",
        "/_stcore/agent/interact",
        "/_stcore/agent/mcp",
        "/live/_stcore/agent/openapi.json",
    ],
)
def test_what_is_for_machines_is_closed(guarded: Client, path: str):
    assert guarded.get(path).status_code == 404


def test_the_rest_stays_open(guarded: Client):
    assert guarded.get("/_stcore/health").text == "open"
    assert guarded.get("/_stcore/agents").text == "open"


def test_the_frame_of_the_planners_map_may_run_what_it_is_sent_and_nothing_from_elsewhere(guarded: Client):
    policy = guarded.get("/component/streamlit_folium.st_folium/index.html").headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in policy
    assert "connect-src 'self'" in policy
    assert "http" not in policy
