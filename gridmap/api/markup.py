"""Plain HTML pages for phones: every value is escaped when it is filled in; no script or style of their own stands in them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from markupsafe import Markup
from starlette.responses import HTMLResponse

from gridmap.api.assets import asset_file
from gridmap.texts import catalogue, language, t

_PAGE = Markup("""<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="theme-color" content="#14684a">
<meta name="format-detection" content="telephone=no">
<title>{title}</title>
{links}
</head>
<body>
{body}
<script type="application/json" id="given">{given}</script>
{scripts}
</body>
</html>
""")
_STYLE = Markup('<link rel="stylesheet" href="{}">')
_MANIFEST = Markup('<link rel="manifest" href="{}"><link rel="icon" href="{}">')
_SCRIPT = Markup('<script src="{}" defer></script>')
_HEAD = Markup("""<header class="head"><div class="wide">
<div class="row"><span>{above}</span><a href="{other_href}" hreflang="{other}">{other_name}</a></div>
<h1>{title}</h1>
</div></header>
""")
# Text inside JSON must not end the element that it stands in, nor begin a comment.
_JSON_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_NO_STORE = {"Cache-Control": "no-store"}


def joined(parts: Sequence[Markup]) -> Markup:
    """Return pieces of HTML one after the other."""
    return Markup("").join(parts)


def filled(template: Markup, **values: object) -> Markup:
    """Return a template with values in their places, each escaped unless it is HTML already."""
    return template.format(**values)


def script_words(*names: str, **others: str) -> dict[str, str]:
    """Return words that scripts say, as they stand in the catalogue: their values are filled in there.

    Parameters
    ----------
    names
        Of words of the area `field`, under the same name.
    others
        Name → key of the catalogue.
    """
    spoken = catalogue(language())
    keys = {**{name: f"field.{name}" for name in names}, **others}
    return {name: spoken[key] for name, key in keys.items()}


@cache
def own_asset(name: str) -> str:
    """Return the address of one of our files for phones; another content has another address.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    file = asset_file(f"gridmap/field/{name}")
    if file is None:
        raise FileNotFoundError(name)
    return f"/assets/gridmap/field/{name}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def head(*, title: str, above: str, path: str) -> Markup:
    """Return the head of a page: what stands above its title, the title, and the way to the other language."""
    other = "en" if language() == "zh" else "zh"
    href = f"{path}?lang={other}"
    return filled(_HEAD, above=above, title=title, other=other, other_href=href, other_name=t("shell.other_language"))


def page(
    *,
    title: str,
    body: Markup,
    given: Mapping[str, Any],
    scripts: Sequence[str] = (),
    manifest: str | None = None,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a page for phones.

    Parameters
    ----------
    title
        Of the window.
    body
        HTML.
    given
        Data for the scripts, as JSON.
    scripts
        Names of our own files, in order.
    manifest
        Address of the manifest of a page that can be kept on the phone.
    status_code
        Of the answer.
    headers
        More headers; by default nobody keeps the page.
    """
    links = [_STYLE.format(own_asset("field.css"))]
    if manifest:
        links.append(_MANIFEST.format(manifest, own_asset("icon.svg")))
    data = json.dumps(given, ensure_ascii=False, separators=(",", ":"), sort_keys=True).translate(_JSON_ESCAPES)
    content = filled(
        _PAGE,
        lang="zh-CN" if language() == "zh" else "en",
        title=title,
        links=joined(links),
        body=body,
        given=Markup(data),  # noqa: S704  escaped as JSON a line above
        scripts=joined([_SCRIPT.format(own_asset(name)) for name in scripts]),
    )
    return HTMLResponse(str(content), status_code=status_code, headers={**_NO_STORE, **(headers or {})})
