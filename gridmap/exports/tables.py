"""Tables as Excel and CSV: what a person typed stays text, never a formula or a link."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import xlsxwriter

from gridmap.reports.figures import formula_words

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_WIDEST, _NARROWEST = 40, 8
_MOST_SHEET_NAME = 31


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of an exported table.

    Parameters
    ----------
    name
        Column of the frame.
    header
        What a person reads above it.
    kind
        `text`, `count`, `share`, `decimal` or `instant`.
    formula
        How it is computed, in words; written to the second sheet.
    """

    name: str
    header: str
    kind: str = "text"
    formula: str = ""


def explained(name: str, header: str, kind: str, *, formula: str) -> Column:
    """Return a column whose formula stands in the text catalogue, told with the settings in force."""
    return Column(name=name, header=header, kind=kind, formula=formula_words(formula))


_FORMATS = {"text": "@", "count": "#,##0", "share": "0.0%", "decimal": "0.0", "instant": "yyyy-mm-dd hh:mm"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """One table of a workbook.

    Parameters
    ----------
    name
        Of the sheet.
    rows
        Nulls become empty cells.
    columns
        What to write, in order.
    """

    name: str
    rows: pd.DataFrame
    columns: Sequence[Column]


def workbook(sheets: Sequence[Sheet], *, about_sheet: str, about: Mapping[str, str]) -> bytes:
    """Return a workbook: its tables, and a sheet that says what they are, how old, and how each column is computed.

    Parameters
    ----------
    sheets
        The tables, in order.
    about_sheet
        Name of the last sheet.
    about
        Lines of the last sheet before the formulas: what, of when, by whom.
    """
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        head = book.add_format(
            {"bold": True, "bg_color": "#eef2f5", "bottom": 1, "text_wrap": True, "valign": "vcenter"}
        )
        formats = {kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
        for sheet in sheets:
            _write_sheet(book.add_worksheet(sheet.name[:_MOST_SHEET_NAME]), sheet, head=head, formats=formats)
        said = book.add_worksheet(about_sheet[:_MOST_SHEET_NAME])
        said.set_column(0, 0, 24)
        said.set_column(1, 1, 90)
        formulas = {one.header: one.formula for sheet in sheets for one in sheet.columns if one.formula}
        for row, (name, text) in enumerate([*about.items(), *formulas.items()]):
            said.write_string(row, 0, name, head)
            said.write_string(row, 1, text)
    return file.getvalue()


def _write_sheet(page: Any, sheet: Sheet, *, head: Any, formats: Mapping[str, Any]) -> None:
    page.freeze_panes(1, 0)
    for at, column in enumerate(sheet.columns):
        page.write_string(0, at, column.header, head)
        values = [_cell(value, column.kind) for value in sheet.rows[column.name]]
        for row, value in enumerate(values, start=1):
            _write(page, row, at, value, formats[column.kind])
        page.set_column(at, at, _width(column.header, values))
    page.autofilter(0, 0, max(len(sheet.rows), 1), max(len(sheet.columns) - 1, 0))


def comma_separated(table: pd.DataFrame, columns: Sequence[Column]) -> bytes:
    """Return the table as CSV that Excel opens with Chinese text and without formulas (UTF-8 with a mark)."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([harmless(column.header) for column in columns])
    cells = [[_cell(value, column.kind) for value in table[column.name]] for column in columns]
    for row in zip(*cells, strict=True):
        writer.writerow([harmless(value) if isinstance(value, str) else _plain(value) for value in row])
    return file.getvalue().encode("utf-8-sig")


def _cell(value: Any, kind: str) -> Any:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value):  # noqa: PLR0124  NaN
        return None
    if kind == "text":
        return str(value)
    if kind == "instant":
        return pd.Timestamp(value).to_pydatetime().replace(tzinfo=None)
    return float(value) if kind in ("share", "decimal") else int(value)


def _write(page: Any, row: int, column: int, value: Any, form: Any) -> None:
    if value is None:
        page.write_blank(row, column, None, form)
    elif isinstance(value, str):
        page.write_string(row, column, value, form)
    elif isinstance(value, datetime):
        page.write_datetime(row, column, value, form)
    else:
        page.write_number(row, column, value, form)


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.lstrip(_INVISIBLE + " ").startswith(_FORMULA_SIGNS) else text


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else value


def _width(header: str, values: Sequence[Any]) -> float:
    """Return a column width in characters; a Chinese one is two wide."""
    texts = [header, *(str(value) for value in values[:200] if value is not None)]
    widest = max(sum(2 if ord(sign) > 0x2E7F else 1 for sign in text) for text in texts)  # noqa: PLR2004  first CJK block
    return float(min(max(widest + 2, _NARROWEST), _WIDEST))
