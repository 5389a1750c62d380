"""Headers of every answer: the browser fetches from this program only."""

import base64
import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# blob: scripts are the inline parts of Streamlit's components; blob: workers and data: images are deck.gl's.
_POLICY = (
    "default-src 'self'",
    "script-src 'self' blob: 'wasm-unsafe-eval' {hashes}",
    "worker-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
)
# The component that draws folium's maps runs the script it is sent, in a frame of its own.
_MAP_FRAME = "/component/streamlit_folium.st_folium/"
_MAP_FRAME_SCRIPTS = "script-src 'self' 'unsafe-inline' 'unsafe-eval'"
# Pages for phones are ours alone: nothing inline, nothing evaluated; they may ask where the phone is.
_FIELD_PAGES = re.compile(r"/(m|r)(/.*)?")
_FIELD_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
    " manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FIELD_PERMISSIONS = "camera=(), microphone=(), geolocation=(self)"
_ROOT_SCRIPT = b'window.__streamlit={BACKEND_BASE_URL:location.origin+"/"}'
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# What Streamlit offers to machines: figures of the server, and the pages without a browser.
_CLOSED_PATHS = ("/_stcore/metrics", "/_stcore/agent")


def rooted(page: bytes) -> bytes:
    """Return Streamlit's page, told that the server answers at the root.

    Without it a deep link such as `/live` first asks `/live/_stcore/…`, an error in the console at every visit.
    """
    return page.replace(b"<head>", b"<head><script>" + _ROOT_SCRIPT + b"</script>", 1)


def content_security_policy(page: bytes) -> str:
    """Return the policy, with the hashes of the inline scripts of the page that the program serves."""
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page))
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return "; ".join(_POLICY).format(hashes=hashes)


def map_frame_policy() -> str:
    """Return the policy of the frame that folium's maps are drawn in."""
    return "; ".join(_MAP_FRAME_SCRIPTS if part.startswith("script-src") else part for part in _POLICY)


class SecurityHeaders:
    """Middleware that adds the headers, serves the page, and closes the paths that tell about the machine.

    Parameters
    ----------
    app
        The application behind it.
    page
        The HTML page whose own inline scripts may run, by their hashes; no other inline script may.
    addresses
        Paths at which the page is served.

    Raises
    ------
    OSError
        If the page cannot be read.
    """

    def __init__(self, app: ASGIApp, *, page: Path, addresses: Collection[str]) -> None:
        self._app = app
        self._page = rooted(page.read_bytes())
        self._addresses = frozenset(addresses)
        self._headers = {"Content-Security-Policy": content_security_policy(self._page), **_HEADERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if scope["path"].startswith(_MAP_FRAME):
                    headers["Content-Security-Policy"] = map_frame_policy()
                elif _FIELD_PAGES.fullmatch(scope["path"]):
                    headers["Content-Security-Policy"] = _FIELD_POLICY
                    headers["Permissions-Policy"] = _FIELD_PERMISSIONS
            await send(message)

        if any(f"{closed}/" in f"{scope['path']}/" for closed in _CLOSED_PATHS):
            await PlainTextResponse("closed", status_code=404)(scope, receive, send_with_headers)
            return
        if scope["method"] in ("GET", "HEAD") and scope["path"] in self._addresses:
            page = HTMLResponse(self._page, headers={"Cache-Control": "no-cache"})
            await page(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)
