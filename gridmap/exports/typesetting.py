"""Pages set with typst: what people wrote goes in as data (JSON), never as markup; the same input gives the same bytes."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import typst

from gridmap.errors import InputError
from gridmap.maps.faces import CHINESE_FACES
from gridmap.texts import t

FACES = CHINESE_FACES
"""Chinese fonts that may be installed, the first choice first."""


def typeset(
    template: Path,
    given: dict[str, Any],
    *,
    form: Literal["pdf", "png"] = "pdf",
    ppi: float = 144,
    pictures: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return pages (PDF) or the picture of the first one (PNG).

    Parameters
    ----------
    template
        The typst file; it reads `given` and `faces` (fonts to use) from `sys.inputs.given`.
    given
        What is to be shown, as JSON takes it.
    form
        `pdf`, or `png`: the first page.
    ppi
        Dots an inch of a picture.
    pictures
        Files that the template may show, by the name it calls them.

    Raises
    ------
    InputError
        If no Chinese font is installed.
    """
    compiled = _compiled(template, given, form=form, ppi=ppi, pictures=pictures or {})
    return compiled[0] if isinstance(compiled, list) else bytes(compiled)


def typeset_pages(
    template: Path, given: dict[str, Any], *, ppi: float = 144, pictures: Mapping[str, bytes] | None = None
) -> list[bytes]:
    """Return every page as a picture (PNG), to look at; parameters and errors as of `typeset`."""
    compiled = _compiled(template, given, form="png", ppi=ppi, pictures=pictures or {})
    return compiled if isinstance(compiled, list) else [bytes(compiled)]


def _compiled(
    template: Path, given: dict[str, Any], *, form: Literal["pdf", "png"], ppi: float, pictures: Mapping[str, bytes]
) -> Any:
    faces = [face for face in FACES if face in _families()]
    if not faces:
        raise InputError(t("ledgers.error_font", font=FACES[0]))
    with TemporaryDirectory() as folder:
        # Typst reads only below its root; a folder of its own holds the template and its pictures, and nothing else.
        page = Path(folder, "page.typ")
        page.write_bytes(template.read_bytes())
        for name, content in pictures.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return typst.compile(
            page,
            root=Path(folder),
            format=form,
            ppi=ppi if form == "png" else None,
            font_paths=_fonts(),
            sys_inputs={"given": json.dumps({**given, "faces": faces[:1]}, ensure_ascii=False, sort_keys=True)},
            timestamp=0,
        )


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_embedded_fonts=False)


@cache
def _families() -> frozenset[str]:
    return frozenset(_fonts().families())
