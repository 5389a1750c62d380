"""Posters of the area grids for print: who serves here, and a QR code by which residents report without signing in.

Typeset with typst. Names go in as data (JSON), never as markup, and the picture of the map holds no text.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import segno
import shapely

from gridmap.errors import InputError
from gridmap.exports.typesetting import typeset
from gridmap.maps.grid_sketch import grid_sketch
from gridmap.reports.contacts import Colleague, Team
from gridmap.reports.posters import PosterReport
from gridmap.texts import language, t

PAPERS = ("a4", "a3")
_TEMPLATE = Path(__file__).with_name("poster.typ")
_ADDRESS = re.compile(
    r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~\-/]*)?|https?://\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?/?"
)
_MAX_ADDRESS = 120
# A quarter of the code may be worn off or covered.
_CORRECTION = "q"
_MAP_ASPECT = 2.3
_WORDS = (
    "banner", "scan", "scan_help", "step_1", "step_2", "step_3", "chief", "member", "vacant", "footer", "urgent",
)  # fmt: skip


def resident_address(base_url: str, grid_code: str) -> str:
    """Return the address of a grid's form for residents.

    Parameters
    ----------
    base_url
        Where phones reach the program, such as `https://grid.example.gov.cn`.
    grid_code
        Of the grid.

    Raises
    ------
    InputError
        If `base_url` is not a plain http or https address.

    Examples
    --------
    >>> resident_address("https://grid.example.gov.cn/", "439901101201003")
    'https://grid.example.gov.cn/r/439901101201003'
    """
    return f"{require_address(base_url)}/r/{grid_code}"


def require_address(base_url: str) -> str:
    """Return an address that phones can open, without its last slash.

    Raises
    ------
    InputError
        If it is not a plain http or https address.
    """
    if len(base_url) > _MAX_ADDRESS or not _ADDRESS.fullmatch(base_url):
        raise InputError(t("field.error_base_url", address=base_url[:_MAX_ADDRESS]))
    return base_url.rstrip("/")


def qr_picture(address: str) -> str:
    """Return a QR code as one vector shape with its quiet zone of four modules; dark modules touch without seams."""
    matrix = segno.make(address, error=_CORRECTION, micro=False, boost_error=False).matrix
    modules = [shapely.box(x, y, x + 1, y + 1) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark]
    dark = shapely.get_parts(shapely.union_all(modules))
    rings = [ring for shape in dark for ring in (shape.exterior, *shape.interiors)]
    data = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in ring.coords[:-1]) + "Z" for ring in rings)
    size = len(matrix) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {size} {size}">'
        f'<rect x="-4" y="-4" width="{size}" height="{size}" fill="#fff"/><path d="{data}" fill="#000" fill-rule="evenodd"/></svg>'
    )


def posters(report: PosterReport, *, base_url: str, paper: str, grid_codes: Sequence[str] | None = None) -> bytes:
    """Return posters as one PDF, a page a grid; the same input gives the same bytes.

    Parameters
    ----------
    report
        Teams and ground.
    base_url
        Where phones reach the program.
    paper
        One of `PAPERS`.
    grid_codes
        Which grids, in this order; None for all.

    Raises
    ------
    InputError
        If a grid is not there, the address or paper is none, nothing is to be printed, or no Chinese font is installed.
    """
    return typeset(_TEMPLATE, _input(report, base_url=base_url, paper=paper, grid_codes=grid_codes))


def poster_picture(report: PosterReport, grid_code: str, *, base_url: str, ppi: float = 60) -> bytes:
    """Return one poster as a PNG picture, to look at before printing.

    Raises
    ------
    InputError
        As of `posters`.
    """
    given = _input(report, base_url=base_url, paper="a4", grid_codes=[grid_code])
    return typeset(_TEMPLATE, given, form="png", ppi=ppi)


def _input(report: PosterReport, *, base_url: str, paper: str, grid_codes: Sequence[str] | None) -> dict[str, Any]:
    if paper not in PAPERS:
        raise InputError(t("field.error_paper", paper=paper[:40], papers=", ".join(PAPERS)))
    codes = list(report.teams) if grid_codes is None else list(grid_codes)
    unknown = [code for code in codes if code not in report.teams]
    if unknown:
        raise InputError(t("field.error_grid", grid=unknown[0][:40]))
    if not codes:
        raise InputError(t("field.error_no_grids"))
    return {
        "paper": paper,
        "language": language(),
        "map-aspect": _MAP_ASPECT,
        "words": {name: t(f"field.poster_{name}") for name in _WORDS},
        "made_on": t("field.poster_made_on", day=report.on.isoformat()),
        "sheets": [_sheet(report, report.teams[code], base_url) for code in codes],
    }


def _sheet(report: PosterReport, team: Team, base_url: str) -> dict[str, Any]:
    address = resident_address(base_url, team.code)
    sketch = grid_sketch(
        team.code,
        grids=report.grids,
        groups=report.groups,
        paths=report.paths,
        water=report.water,
        service_points=report.service_points,
        aspect=_MAP_ASPECT,
    )
    return {
        "code": team.code,
        "name": team.name,
        "place": " · ".join(part for part in (report.township_name, team.village_name) if part),
        "chiefs": _names(team.heads),
        "members": _names(team.members),
        "address": address,
        "qr": qr_picture(address),
        "map": sketch.svg,
        "names": [vars(name) for name in sketch.names],
        "bar": t("field.poster_metres", n=sketch.bar_m),
        "bar_share": sketch.bar_share,
    }


def _names(people: Sequence[Colleague]) -> list[str]:
    return [one.name for one in people]
