"""The paper of a review as PDF: A4 for the meeting."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gridmap.exports.review_paper import Block, Paper
from gridmap.exports.review_pictures import Picture
from gridmap.exports.typesetting import typeset
from gridmap.texts import catalogue, language, t

TEMPLATE = Path(__file__).with_name("review.typ")


def review_pdf(paper: Paper, pictures: Sequence[Picture]) -> bytes:
    """Return the paper as PDF, A4.

    Raises
    ------
    InputError
        If no Chinese font is installed.
    """
    return typeset(TEMPLATE, given_of(paper), pictures=picture_files(pictures))


def picture_files(pictures: Sequence[Picture]) -> dict[str, bytes]:
    """Return pictures by the names that the template calls them."""
    return {f"{one.key}.png": one.png for one in pictures}


def given_of(paper: Paper) -> dict[str, Any]:
    """Return what the template reads."""
    return {
        **{name: value for name, value in vars(paper).items() if name not in ("blocks", "formulas")},
        "formulas": asdict(paper.formulas),
        "blocks": [_block(one) for one in paper.blocks],
        "language": language(),
        "words": {
            **{name: t(f"review.paper_{name}") for name in ("sign", "sign_name", "sign_date")},
            "page": catalogue(language())["review.paper_page"],
        },
    }


def _block(one: Block) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "text": one.text,
        "file": f"{one.picture}.png",
        "table": None if one.table is None else asdict(one.table),
    }
