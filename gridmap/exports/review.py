"""The pack of a review: Word, Excel, PDF, the sheet for the board, pictures; figures as JSON and CSV, each table as CSV."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gridmap.errors import InputError
from gridmap.exports.folders import replace_folder, require_room
from gridmap.exports.review_board import review_board
from gridmap.exports.review_book import review_workbook
from gridmap.exports.review_pages import review_pdf
from gridmap.exports.review_paper import paper_of
from gridmap.exports.review_pictures import review_pictures
from gridmap.exports.review_template import fill_template
from gridmap.exports.review_word import review_docx
from gridmap.exports.tables import Column, comma_separated
from gridmap.reports.review.canonical import digest_of, to_record
from gridmap.reports.review.ground import ReviewGround
from gridmap.reports.review.public import public_report
from gridmap.reports.review.shape import ReviewReport, ReviewTable
from gridmap.reports.review.words import cell_words, column_title, figure_words, formula_of
from gridmap.texts import t

_NUMBERS = ("count", "decimal", "share")
_UNSAFE = r"[^a-z0-9_]"


@dataclass(frozen=True, kw_only=True)
class Form:
    """A county's own form to be filled.

    Parameters
    ----------
    name
        Of its file.
    content
        A Word file (.docx).
    """

    name: str
    content: bytes


def read_form(file: Path) -> Form:
    """Return a form from its file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return Form(name=file.name, content=file.read_bytes())
    except OSError as error:
        raise InputError(t("review.error_template", file=file)) from error


def write_pack(
    report: ReviewReport,
    out: Path,
    *,
    ground: ReviewGround | None = None,
    is_public: bool = False,
    form: Form | None = None,
    tell: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write every file of the pack into a folder, all or nothing; the same report gives the same bytes.

    Parameters
    ----------
    report
        What `reports.review.report.review_report` gives; the whole one, also for a board.
    out
        A folder that is not there, is empty, or holds a pack that nobody has changed since; that one is replaced.
    ground, is_public, form, tell
        See `pack_files`.

    Returns
    -------
    list
        The files, in order.

    Raises
    ------
    InputError
        If `out` holds anything else or cannot be written to, no Chinese font is installed, or the form does not fit.
    """
    require_room(out)
    files = pack_files(report, ground=ground, is_public=is_public, form=form, tell=tell)
    return replace_folder(out, files)


def pack_files(
    report: ReviewReport,
    *,
    ground: ReviewGround | None = None,
    is_public: bool = False,
    form: Form | None = None,
    tell: Callable[[str], None] | None = None,
) -> dict[str, bytes]:
    """Return every file of the pack by its name.

    Parameters
    ----------
    report
        The whole report.
    ground
        The land of its maps; None: without maps.
    is_public
        Whether only what everybody may see goes into it.
    form
        A county's form, filled as well.
    tell
        Hears what is being made.

    Raises
    ------
    InputError
        If no Chinese font is installed, or the form does not fit.
    """
    say = tell or (lambda _: None)
    digest = digest_of(to_record(report))
    public = public_report(report)
    shown = public if is_public else report
    ending = f"{report.month.month}-public" if is_public else report.month.month
    say(t("review.making_pictures"))
    pictures = review_pictures(shown, ground)
    paper = paper_of(shown, pictures, digest=digest, is_public=is_public)
    files = dict(_plain_files(shown, digest=digest))
    if form is not None:
        content = fill_template(form.content, shown, pictures, digest=digest, name=form.name)
        files[f"{Path(form.name).stem}-{ending}.docx"] = content
    say(t("review.making_word"))
    files[f"review-{ending}.docx"] = review_docx(paper, pictures, at=report.known_at)
    files[f"review-{ending}.xlsx"] = review_workbook(shown, paper)
    say(t("review.making_pdf"))
    files[f"review-{ending}.pdf"] = review_pdf(paper, pictures)
    # Of the same map the picture is the same, whoever sees it; only those of private matters are not public.
    seen = [one for one in pictures if one.key in public.maps]
    files[f"board-{report.month.month}-a3.pdf"] = review_board(public, seen, digest=digest)
    files |= {f"pictures/{re.sub(_UNSAFE, '-', one.key)}.png": one.png for one in pictures}
    return files


def _plain_files(report: ReviewReport, *, digest: str) -> Iterator[tuple[str, bytes]]:
    record = to_record(report)
    more = {"digest": digest_of(record), "review_digest": digest}
    written = json.dumps(record | more, ensure_ascii=False, sort_keys=True, indent=1)
    yield "figures.json", f"{written}\n".encode()
    yield "figures.csv", figures_csv(report)
    for table in report.tables.values():
        yield f"tables/{_file_name(table.key)}.csv", table_csv(table)


def _file_name(key: str) -> str:
    return re.sub(_UNSAFE, "-", key)


def figures_csv(report: ReviewReport) -> bytes:
    """Return every figure with what it was made of, the months before, and its formula; what cannot be told says so."""
    rows = [
        {
            "section": t(section.title_key),
            "figure": t(one.title_key),
            "value": figure_words(one.value, one.unit),
            "numerator": one.numerator,
            "denominator": one.denominator,
            "previous": None if one.previous is None else figure_words(one.previous.value, one.unit),
            "previous_adjusted": None if one.previous is None else one.previous.adjusted,
            "last_year": None if one.last_year is None else figure_words(one.last_year.value, one.unit),
            "last_year_adjusted": None if one.last_year is None else one.last_year.adjusted,
            "formula": formula_of(one.formula_key, report.settings),
        }
        for section in report.sections
        for one in section.figures
    ]
    numbers = ("numerator", "denominator", "previous_adjusted", "last_year_adjusted")
    names = list(rows[0]) if rows else ["figure", "value"]
    columns = [
        Column(name=name, header=t(f"review.file_{name}"), kind="decimal" if name in numbers else "text")
        for name in names
    ]
    return comma_separated(pd.DataFrame(rows, columns=names), columns)


def table_csv(table: ReviewTable) -> bytes:
    """Return a table as CSV; codes as words, numbers as they are, what cannot be told is empty."""
    columns = [
        Column(name=one.key, header=column_title(one), kind=one.kind if one.kind in _NUMBERS else "text")
        for one in table.columns
    ]
    return comma_separated(pd.DataFrame(_told(table), dtype=object), columns)


def _told(table: ReviewTable) -> dict[str, list[Any]]:
    return {
        one.key: [
            value if value is None or one.kind in _NUMBERS else cell_words(one, value) for value in table.rows[one.key]
        ]
        for one in table.columns
    }
