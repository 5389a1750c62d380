"""Pages set with typst: what people wrote goes in as data (JSON), never as markup; the same input gives the same bytes."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst

from gridmap.errors import InputError
from gridmap.texts import t

FACES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
)
"""Chinese fonts that may be installed, the first choice first."""


def typeset(template: Path, given: dict[str, Any], *, form: Literal["pdf", "png"] = "pdf", ppi: float = 144) -> bytes:
    """Return a page (PDF) or its picture (PNG).

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

    Raises
    ------
    InputError
        If no Chinese font is installed.
    """
    faces = [face for face in FACES if face in _families()]
    if not faces:
        raise InputError(t("ledgers.error_font", font=FACES[0]))
    compiled = typst.compile(
        template.read_bytes(),
        format=form,
        ppi=ppi if form == "png" else None,
        font_paths=_fonts(),
        sys_inputs={"given": json.dumps({**given, "faces": faces}, ensure_ascii=False, sort_keys=True)},
        timestamp=0,
    )
    return compiled[0] if isinstance(compiled, list) else bytes(compiled)


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_embedded_fonts=False)


@cache
def _families() -> frozenset[str]:
    return frozenset(_fonts().families())
