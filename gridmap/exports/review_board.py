"""The month on a village board: one A3 sheet for everybody, small counts hidden, private matters as counts only."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gridmap.exports.review_pages import picture_files
from gridmap.exports.review_paper import PaperTable, month_words, paper_table
from gridmap.exports.review_pictures import Picture
from gridmap.exports.typesetting import typeset
from gridmap.reports.review.shape import ReviewReport
from gridmap.reports.review.words import figure_words, known_words
from gridmap.texts import language, t

BOARD = Path(__file__).with_name("review_board.typ")
_CARDS = (
    "coverage.visited",
    "coverage.door_to_door",
    "coverage.reached",
    "cases.on_time",
    "cases.in_grid",
    "satisfaction.rated_well",
    "gaps.n_closed",
)
_MAPS = ("coverage.visited", "coverage.doors", "coverage.days", "cap.share")
_TABLES = ("disputes.by_category", "gaps.by_village", "coverage.by_duty")
# More rows, and nobody reads them from where people stand before a board.
_MOST_ROWS = 30
_NOTHING = ("", "0", "—")


def review_board(report: ReviewReport, pictures: Sequence[Picture], *, digest: str) -> bytes:
    """Return the sheet as PDF, A3.

    Parameters
    ----------
    report
        As everybody may see it (`reports.review.public.public_report`).
    pictures
        Of it.
    digest
        Of the whole report.

    Raises
    ------
    InputError
        If no Chinese font is installed.
    """
    return typeset(BOARD, board_given(report, pictures, digest=digest), pictures=picture_files(pictures))


def board_given(report: ReviewReport, pictures: Sequence[Picture], *, digest: str) -> dict[str, Any]:
    """Return what the template reads; its parameters are those of `review_board`."""
    figures = report.figures
    cards = []
    for one in (figures[key] for key in _CARDS if key in figures):
        past = one.previous
        before = "" if past is None else t("review.paper_before", value=figure_words(past.value, one.unit))
        cards.append((t(one.title_key), figure_words(one.value, one.unit), before))
    by_key = {one.key: one for one in pictures}
    return {
        "language": language(),
        "title": t("review.paper_title_public", township=report.township_name),
        "month": month_words(report.month.month),
        "known": t("review.paper_known", at=known_words(report)),
        "cards": cards,
        "maps": [{"file": f"{key}.png", "text": by_key[key].caption} for key in _MAPS if key in by_key],
        "tables": [asdict(one) for one in _tables(report)],
        "about": [t("review.paper_small"), t("review.note_settled"), t("review.note_absence"), t("review.note_gaps")],
        "digest": t("review.paper_digest", digest=digest),
        "words": {name: t(f"review.board_{name}") for name in ("about", "appeal", "stamp", "dates")},
    }


def _tables(report: ReviewReport) -> list[PaperTable]:
    """Return the tables that fit on the sheet, the first ones first."""
    titles = {table.key: t(section.title_key) for section in report.sections for table in section.tables}
    found, n = [], 0
    for key in _TABLES:
        table = report.tables.get(key)
        if table is None or table.rows.empty:
            continue
        set_one = _without_nothing(paper_table(table))
        if n + len(set_one.rows) > _MOST_ROWS:
            continue
        n += len(set_one.rows)
        found.append(replace(set_one, caption=f"{titles[key]} · {set_one.caption}"))
    return found


def _without_nothing(table: PaperTable) -> PaperTable:
    """Return a table without the rows in which nothing happened; the workbook has them."""
    last = len(table.rows) - 1

    def tells(row: tuple[str, ...]) -> bool:
        return any(cell not in _NOTHING for cell, is_number in zip(row, table.is_number, strict=True) if is_number)

    kept = [row for at, row in enumerate(table.rows) if tells(row) or (table.has_total and at == last)]
    return replace(table, rows=tuple(kept))
