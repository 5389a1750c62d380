"""A review as a workbook: figures with their formulas, every table with filters, and the rows behind the figures."""

import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import xlsxwriter

from gridmap.exports.review_paper import Paper, formulas_of, wide_signs
from gridmap.reports.review.shape import Past, ReviewColumn, ReviewFigure, ReviewReport, ReviewTable
from gridmap.reports.review.words import cell_words, column_title, formula_of
from gridmap.texts import t

_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_LONGEST_NAME, _FORBIDDEN = 31, re.compile(r"[\[\]:*?/\\']")
_NARROW, _BROAD, _LOOKED_AT = 8, 44, 300
_SMALL = 0.01
_FORMS = {
    "text": "@",
    "count": "#,##0",
    "decimal": "#,##0.00",
    "tiny": "0.0E+00",
    "share": "0.0%",
    "day": "yyyy-mm-dd",
    "instant": "yyyy-mm-dd hh:mm",
}


def review_workbook(report: ReviewReport, paper: Paper) -> bytes:
    """Return the workbook of a report; what people wrote stays text, and nothing in it is computed by Excel.

    Parameters
    ----------
    report
        As it is to be shown.
    paper
        Of it: what the last sheet says.
    """
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, _OPTIONS) as book:
        at = report.known_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
        book.set_properties({"title": f"{paper.title} {paper.month}", "author": "gridmap", "created": at})
        styles = _Styles(book)
        names = sheet_names(report)
        pages = {key: book.add_worksheet(name) for key, name in names.items()}
        _write_figures(pages["figures"], report, styles, names)
        for key, table in report.tables.items():
            _write_table(pages[key], table, styles)
        _write_about(pages["about"], report, paper, styles)
    return file.getvalue()


def sheet_names(report: ReviewReport) -> dict[str, str]:
    """Return the name of each sheet by `figures`, the key of its table, and `about`: at most 31 signs, no two alike."""
    wanted = {"figures": t("review.sheet_figures")}
    for section in report.sections:
        for table in section.tables:
            wanted[table.key] = f"{t(section.title_key)}-{t(table.title_key)}"
    wanted["about"] = t("review.paper_about")
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key, said in wanted.items():
        plain = _FORBIDDEN.sub(" ", said).strip()
        name, n = plain[:_LONGEST_NAME], 1
        while name.casefold() in taken:
            n += 1
            name = f"{plain[: _LONGEST_NAME - len(str(n)) - 1]}-{n}"
        taken.add(name.casefold())
        names[key] = name
    return names


class _Styles:
    """Formats of a workbook, made once each."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[Any, ...], Any] = {}
        self.head = book.add_format({"bold": True, "bg_color": "#e6edf1", "bottom": 1, "text_wrap": True, "valign": "vcenter", "font_name": "等线"})  # fmt: skip
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top", "font_name": "等线"})
        self.link = book.add_format({"font_color": "#1f6f64", "underline": 1, "font_name": "等线"})

    def of(self, kind: str, *, is_bold: bool = False, is_right: bool = False) -> Any:
        """Return the format of a kind of cell."""
        key = (kind, is_bold, is_right)
        if key not in self._made:
            options: dict[str, Any] = {"num_format": _FORMS[kind], "font_name": "等线", "valign": "top"}
            options |= {"bold": True, "top": 1} if is_bold else {}
            options |= {"align": "right"} if is_right else {}
            self._made[key] = self._book.add_format(options)
        return self._made[key]


_FIGURE_WIDTHS = (20, 22, 12, 8, 12, 12, 12, 16, 12, 16, 70, 26)


def _write_figures(page: Any, report: ReviewReport, styles: _Styles, names: Mapping[str, str]) -> None:
    head = ["section", "figure", "value", "unit", "numerator", "denominator", "previous", "previous_adjusted", "last_year", "last_year_adjusted", "formula", "rows"]  # fmt: skip
    for at, (name, width) in enumerate(zip(head, _FIGURE_WIDTHS, strict=True)):
        page.write_string(0, at, t(f"review.file_{name}"), styles.head)
        page.set_column(at, at, width)
    row = 0
    for section in report.sections:
        for one in section.figures:
            row += 1
            page.write_string(row, 0, t(section.title_key), styles.of("text"))
            page.write_string(row, 1, t(one.title_key), styles.of("text"))
            _write_figure(page, row, one, styles)
            page.write_string(row, 10, formula_of(one.formula_key, report.settings), styles.wrapped)
            if one.rows_key is not None and one.rows_key in names:
                page.write_url(row, 11, f"internal:'{names[one.rows_key]}'!A1", styles.link, names[one.rows_key])
    page.freeze_panes(1, 2)
    page.autofilter(0, 0, max(row, 1), len(head) - 1)
    _set_print(page)


def _write_figure(page: Any, row: int, one: ReviewFigure, styles: _Styles) -> None:
    is_share = one.unit == "unit.share"
    _write_number(page, row, 2, one.value, styles, kind="share" if is_share else None)
    page.write_string(row, 3, "" if one.unit == "unit.none" or is_share else t(one.unit), styles.of("text"))
    for at, value in ((4, one.numerator), (5, one.denominator)):
        if value is not None:
            _write_number(page, row, at, value, styles)
    for at, past in ((6, one.previous), (8, one.last_year)):
        if isinstance(past, Past):
            _write_number(page, row, at, past.value, styles, kind="share" if is_share else None)
            if past.adjusted is not None:
                _write_number(page, row, at + 1, past.adjusted, styles, kind="decimal")


def _write_number(page: Any, row: int, at: int, value: float | None, styles: _Styles, *, kind: str | None = None) -> None:  # fmt: skip
    if value is None:
        page.write_string(row, at, t("review.unknown"), styles.of("text", is_right=True))
        return
    found = kind or ("count" if float(value).is_integer() else "decimal")
    page.write_number(row, at, value, styles.of(found))


def _write_table(page: Any, table: ReviewTable, styles: _Styles) -> None:
    last = len(table.rows)
    for at, column in enumerate(table.columns):
        title = column_title(column)
        page.write_string(0, at, title, styles.head)
        widest = max(wide_signs(title) / 2, _NARROW)
        for row, value in enumerate(table.rows[column.key], start=1):
            is_foot = table.has_total and row == last
            said = _write_cell(page, row, at, column, value, styles, is_foot=is_foot, is_public=table.hides_small)
            if row < _LOOKED_AT:
                widest = max(widest, wide_signs(said))
        page.set_column(at, at, min(widest + 2.5, _BROAD))
    page.freeze_panes(1, 1)
    n_filtered = last - 1 if table.has_total and last > 1 else last
    page.autofilter(0, 0, max(n_filtered, 1), len(table.columns) - 1)
    _set_print(page)


def _write_cell(  # noqa: PLR0917  as the writer takes them
    page: Any,
    row: int,
    at: int,
    column: ReviewColumn,
    value: Any,
    styles: _Styles,
    *,
    is_foot: bool,
    is_public: bool,
) -> str:
    """Write one cell and return it as text; what cannot be told is empty."""
    if value is None:
        page.write_blank(row, at, None, styles.of("text", is_bold=is_foot))
        return ""
    if column.kind in ("count", "decimal", "share") and not isinstance(value, str):
        kind = "tiny" if column.kind == "decimal" and 0 < abs(value) < _SMALL else column.kind
        page.write_number(row, at, value, styles.of(kind, is_bold=is_foot))
        return cell_words(column, value)
    moment = _moment(value) if column.kind in ("day", "instant") else None
    if moment is not None:
        page.write_datetime(row, at, moment, styles.of(column.kind, is_bold=is_foot))
        return str(value)
    said = cell_words(column, value)
    if is_public and said.isdecimal():
        page.write_number(row, at, int(said), styles.of("count", is_bold=is_foot))
    else:
        page.write_string(row, at, said, styles.of("text", is_bold=is_foot, is_right=said.startswith("<")))
    return said


def _moment(value: Any) -> date | datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(tzinfo=None)


def _write_about(page: Any, report: ReviewReport, paper: Paper, styles: _Styles) -> None:
    page.set_column(0, 0, 30)
    page.set_column(1, 1, 110)
    for row, (name, said) in enumerate(_about_lines(report, paper)):
        page.write_string(row, 0, name, styles.head)
        page.write_string(row, 1, said, styles.wrapped)


def _about_lines(report: ReviewReport, paper: Paper) -> Iterator[tuple[str, str]]:
    yield paper.title, paper.month
    yield from paper.about
    if paper.warning:
        yield "", paper.warning
    for section, name, formula in formulas_of(report).rows:
        yield f"{section} · {name}", formula


def _set_print(page: Any) -> None:
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
