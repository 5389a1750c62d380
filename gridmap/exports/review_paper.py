"""What stands on the paper of a review, in its order: headings, figures, tables, pictures, notes; Word and PDF set the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from gridmap.exports.review_pictures import Picture
from gridmap.reports.review.shape import TOTAL, ReviewColumn, ReviewFigure, ReviewReport, ReviewTable, Section
from gridmap.reports.review.words import (
    cell_words,
    column_title,
    figure_words,
    formula_of,
    known_words,
    note_words,
    number_words,
)
from gridmap.texts import language, t

MOST_ROWS = 40
_SHOWN_ROWS = 30
_NUMBERS = ("count", "decimal", "share")
_CODE_OF = {
    "grid_code": "grid",
    "village_code": "village",
    "checkpoint_code": "name",
    "code": "place",
    "old": "grid_before",
    "new": "grid_after",
}
_COUNTY_FORM = "disputes.county_form"
_NUMERALS = "一二三四五六七八九十"
_KEY_FIGURES = (
    "coverage.visited",
    "coverage.door_to_door",
    "disputes.n_new",
    "disputes.settled_share",
    "cases.on_time",
    "cases.in_grid",
    "satisfaction.rated_well",
    "cap.n_over",
)
ROLES = ("chair", "leader", "grid_office", "recorder")


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A table as it is set.

    Parameters
    ----------
    key
        Of the table; `figures.<section>` of a table of figures.
    caption
        Above it; empty: none.
    head, rows
        Words; every row as long as the head.
    is_number
        Which columns are set to the right.
    widths
        How wide each column is, in characters; a Chinese one is two.
    has_total
        Whether the last row adds the others up.
    is_wide
        Whether it needs a page across.
    after
        A sentence under it; empty: none.
    """

    key: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_number: tuple[bool, ...]
    widths: tuple[int, ...]
    has_total: bool = False
    is_wide: bool = False
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    """One thing on the paper: a `heading`, `note`, `table` or `picture`."""

    kind: Literal["heading", "note", "table", "picture"]
    text: str = ""
    table: PaperTable | None = None
    picture: str = ""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The whole paper.

    Parameters
    ----------
    title, month
        On the first page.
    header, footer
        Words of every page.
    about
        What it rests on: name and words.
    warning
        What must be known first; empty: nothing.
    key_figures
        Title, value, and the month before in words.
    blocks
        In order.
    formulas
        The appendix.
    signers
        Who signs; empty on a public one.
    """

    title: str
    month: str
    header: str
    footer: str
    about: tuple[tuple[str, str], ...]
    warning: str
    key_figures: tuple[tuple[str, str, str], ...]
    blocks: tuple[Block, ...]
    formulas: PaperTable
    signers: tuple[str, ...]


def paper_of(report: ReviewReport, pictures: Sequence[Picture], *, digest: str, is_public: bool) -> Paper:
    """Return the paper of a report.

    Parameters
    ----------
    report
        As it is to be shown.
    pictures
        Of it.
    digest
        Of the whole report, as it is frozen.
    is_public
        Whether it is the one for everybody.
    """
    month = month_words(report.month.month)
    known = t("review.paper_known", at=known_words(report))
    title = t("review.paper_title_public" if is_public else "review.paper_title", township=report.township_name)
    warnings = [] if report.is_over else [t("review.paper_not_over")]
    warnings += [t("review.paper_small")] if is_public else []
    return Paper(
        title=title,
        month=month,
        header=f"{title}　{month}　{known}",
        footer=t("review.paper_digest", digest=digest),
        about=tuple(_about(report, digest)),
        warning=" ".join(warnings),
        key_figures=tuple(_key_figure(report.figures[key]) for key in _KEY_FIGURES if key in report.figures),
        blocks=tuple(_blocks(report, pictures)),
        formulas=formulas_of(report),
        signers=() if is_public else tuple(t(f"review.role_{role}") for role in ROLES),
    )


def month_words(month: str) -> str:
    """Return `2026-10` as it is said."""
    year, number = month.split("-")
    return t("review.paper_month", year=year, month=int(number))


def _about(report: ReviewReport, digest: str) -> Iterator[tuple[str, str]]:
    one = report.month
    yield (
        t("review.paper_about_month"),
        t("review.paper_span", first=one.first_on, last=one.last_on, n_workdays=one.n_workdays),
    )
    pasts = "；".join(
        t("review.paper_past", month=past.month, n_workdays=past.n_workdays)
        for past in (report.previous, report.last_year)
    )
    yield t("review.paper_about_pasts"), pasts
    yield t("review.paper_about_known"), known_words(report)
    plan = report.plan
    yield (
        t("review.paper_about_plan"),
        t("review.unknown")
        if plan is None
        else t("review.paper_plan", name=plan.name, since=plan.valid_from, n=plan.n_grids, cap=plan.household_cap),
    )
    yield t("review.paper_about_code"), report.code_version
    yield t("review.paper_about_digest"), digest


def _key_figure(one: ReviewFigure) -> tuple[str, str, str]:
    past = one.previous
    before = "" if past is None else t("review.paper_before", value=figure_words(past.value, one.unit))
    return t(one.title_key), figure_words(one.value, one.unit), before


def _blocks(report: ReviewReport, pictures: Sequence[Picture]) -> Iterator[Block]:
    n_tables = n_pictures = 0
    for at, section in enumerate(report.sections):
        yield Block(kind="heading", text=f"{_numeral(at)}{t(section.title_key)}")
        if section.figures:
            yield Block(kind="table", table=figures_table(section))
        for note in section.notes:
            yield Block(kind="note", text=note_words(note))
        for picture in (one for one in pictures if one.section == section.key):
            n_pictures += 1
            caption = t("review.paper_picture", n=n_pictures, title=picture.caption)
            yield Block(kind="picture", text=caption, picture=picture.key)
        for table in (one for one in section.tables if not one.is_behind and not one.rows.empty):
            n_tables += 1
            yield Block(kind="table", table=paper_table(table, n=n_tables))


def _numeral(at: int) -> str:
    if language() != "zh":
        return f"{at + 1}. "
    ten = len(_NUMERALS)
    said = _NUMERALS[at] if at < ten else f"十{_NUMERALS[at - ten]}"
    return f"{said}、"


def figures_table(section: Section) -> PaperTable:
    """Return the figures of a section; columns that none of them has are left out."""
    figures = section.figures
    has_parts = any(one.denominator is not None for one in figures)
    has_past = any(one.previous or one.last_year for one in figures)
    has_adjusted = any(past and past.adjusted is not None for one in figures for past in (one.previous, one.last_year))
    head = [t("review.file_figure"), t("review.file_value")]
    head += [t("review.paper_parts")] if has_parts else []
    for name in ("previous", "last_year") if has_past else ():
        head += [t(f"review.file_{name}"), *([t("review.paper_adjusted")] if has_adjusted else [])]
    rows = []
    for one in figures:
        row = [t(one.title_key), figure_words(one.value, one.unit)]
        row += [parts_words(one.numerator, one.denominator)] if has_parts else []
        for past in (one.previous, one.last_year) if has_past else ():
            row.append("" if past is None else figure_words(past.value, one.unit))
            adjusted = None if past is None else past.adjusted
            row += ["" if adjusted is None else f"{adjusted:,.1f}"] if has_adjusted else []
        rows.append(tuple(row))
    return PaperTable(
        key=f"figures.{section.key}",
        caption="",
        head=tuple(head),
        rows=tuple(rows),
        is_number=(False, *[True] * (len(head) - 1)),
        widths=_widths(head, rows),
    )


def parts_words(numerator: float | None, denominator: float | None) -> str:
    """Return what a quotient was made of."""
    if numerator is None or denominator is None:
        return ""
    return " / ".join(number_words(one, "count" if float(one).is_integer() else "decimal") for one in (numerator, denominator))  # fmt: skip


def paper_table(table: ReviewTable, *, n: int | None = None) -> PaperTable:
    """Return a table as it is set; `n` is its number. A long one is cut, with a sentence where the rest is."""
    title = t(table.title_key)
    caption = title if n is None else t("review.paper_table", n=n, title=title)
    if table.key == _COUNTY_FORM:
        return _county_form(table, caption)
    columns = told_columns(table)
    rows = table.rows
    after = ""
    if len(rows) > MOST_ROWS:
        after = t("review.paper_cut", n=len(rows), shown=_SHOWN_ROWS, title=title)
        foot = rows.iloc[-1:] if table.has_total else rows.iloc[:0]
        rows = pd.concat([rows.iloc[:_SHOWN_ROWS], foot])
    head = [column_title(one) for one in columns]
    words = [tuple(_cell(one, value) for one, value in zip(columns, row, strict=True)) for row in rows[[one.key for one in columns]].itertuples(index=False, name=None)]  # fmt: skip
    return PaperTable(
        key=table.key,
        caption=caption,
        head=tuple(head),
        rows=tuple(words),
        is_number=tuple(_is_number(one, table) for one in columns),
        widths=_widths(head, words),
        has_total=table.has_total,
        after=after,
    )


def _cell(column: ReviewColumn, value: object) -> str:
    return "" if value is None and column.kind in ("text", "word", "day") else cell_words(column, value)


def told_columns(table: ReviewTable) -> list[ReviewColumn]:
    """Return the columns that people read: a name stands without its code; the workbook has both."""
    keys = {one.key for one in table.columns}
    return [one for one in table.columns if _CODE_OF.get(one.key) not in keys]


def _is_number(column: ReviewColumn, table: ReviewTable) -> bool:
    # Counts of a public table are text: "<3".
    return column.kind in _NUMBERS or (table.hides_small and column.key not in table.id_columns)


def _county_form(table: ReviewTable, caption: str) -> PaperTable:
    """Return the county's form turned round: a row a category, a column a village or team, "settled / not settled"; else it is 50 columns wide."""
    places = [t("review.total") if place == TOTAL else str(place) for place in table.rows["place"]]
    keys = [one.key for one in table.columns]
    names = [(key.removeprefix("settled: "), key) for key in keys if key.startswith("settled: ")]
    pairs = [(title, key, f"unsettled: {title}") for title, key in names]
    pairs.append((t("review.total"), "n_settled", "n_unsettled"))
    rows = [
        (title, *(_pair(settled, left) for settled, left in zip(table.rows[one], table.rows[other], strict=True)))
        for title, one, other in pairs
    ]
    for key in ("n_new", "n_previous", "change"):
        column = table.column(key)
        rows.append((column_title(column), *(cell_words(column, value) for value in table.rows[key])))
    head = (t("review.column_category"), *places)
    return PaperTable(
        key=table.key,
        caption=caption,
        head=head,
        rows=tuple(rows),
        is_number=(False, *[True] * len(places)),
        widths=_widths(head, rows),
        is_wide=True,
        after=t("review.paper_county_form"),
    )


def _pair(settled: float, left: float) -> str:
    return "" if not settled and not left else f"{settled:.0f} / {left:.0f}"


def formulas_of(report: ReviewReport) -> PaperTable:
    """Return how every figure and column is computed."""
    rows: dict[str, tuple[str, str, str]] = {}
    for section in report.sections:
        said = t(section.title_key)
        for one in section.figures:
            rows[one.formula_key] = (said, t(one.title_key), formula_of(one.formula_key, report.settings))
        for table in section.tables:
            for column in table.columns:
                key = column.formula_key
                if key is not None and key not in rows:
                    rows[key] = (
                        said,
                        f"{t(table.title_key)} · {column_title(column)}",
                        formula_of(key, report.settings),
                    )
    head = (t("review.file_section"), t("review.file_figure"), t("review.file_formula"))
    return PaperTable(
        key="formulas",
        caption=t("review.paper_formulas"),
        head=head,
        rows=tuple(rows.values()),
        is_number=(False, False, False),
        widths=(16, 24, 66),
    )


def wide_signs(said: str) -> int:
    """Return how wide text is in characters; a Chinese one is two."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in said)  # noqa: PLR2004  first CJK block


_NARROW, _BROAD, _HEAD_LINES = 5, 34, 2
# Broken, a title as short as this leaves one sign for the second line; only a table of few columns has room for it.
_UNBROKEN, _FEW = 12, 9


def _widths(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Return how wide each column is: its longest cell, or its title, a long one broken over two lines."""
    found = []
    for at, title in enumerate(head):
        whole = wide_signs(title)
        least = whole if whole <= _UNBROKEN and len(head) <= _FEW else -(-whole // _HEAD_LINES)
        found.append(min(max([wide_signs(row[at]) for row in rows] + [_NARROW, least]), _BROAD))
    return tuple(found)


def pictures_by_key(pictures: Sequence[Picture]) -> Mapping[str, bytes]:
    """Return the files of pictures by key."""
    return {one.key: one.png for one in pictures}
