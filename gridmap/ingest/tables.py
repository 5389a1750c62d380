"""Tables from outside: CSV and Excel sheets as raw cells with their headers, every row numbered as the person sees it."""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap.errors import InputError
from gridmap.ingest.columns import Part, recognise
from gridmap.ingest.encoding import decode_text
from gridmap.ingest.limits import Limits
from gridmap.ingest.sandbox import Sheet, read_workbook
from gridmap.texts import t

_HEADER_SEARCH_ROWS = 10
_SEPARATORS = ",\t;，"
Cells = list[Any]
Merged = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """One table as it was read, before anything is understood.

    Parameters
    ----------
    file
        Name of the file, for messages.
    name
        Name of the sheet or of the layer inside the file; None where there is only one.
    headers
        Headers in file order; they may repeat.
    cells
        One column a header position (0, 1, …), object cells, blank = None; index 0, 1, ….
    row_numbers
        The number of each row as a person sees it.
    geometries
        One geometry a row (object array), or None.
    crs
        What the file says, or None.
    datum
        The datum that the kind of file fixes by its documentation, or None.
    encoding
        Encoding of its texts.
    changes
        `(row number, change)` made while reading.
    overlong
        Positions of rows with cells beyond the last header.
    is_visible
        False for a hidden sheet.
    """

    file: str
    name: str | None
    headers: tuple[str, ...]
    cells: pd.DataFrame
    row_numbers: NDArray[np.int64]
    geometries: NDArray[np.object_] | None = None
    crs: str | None = None
    datum: str | None = None
    encoding: str | None = None
    changes: tuple[tuple[int, str], ...] = ()
    overlong: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    is_visible: bool = True
    scale: float = field(default=1.0)

    def column(self, header: str) -> pd.Series:
        """Return the cells under a header (the first, where it repeats)."""
        return self.cells[self.headers.index(header)]


def read_csv(
    file: Path, *, name: str, parts: Sequence[Part], mapping: Mapping[str, str] | None, limits: Limits
) -> RawTable:
    """Read one CSV file: encoding and separator are found, every cell stays text.

    Raises
    ------
    InputError
        If it is not text, breaks off inside quotes, or has too many rows or columns.
    """
    text, encoding = decode_text(file.read_bytes(), file=name)
    if "\0" in text:
        raise InputError(t("ingest.error_not_recognised", file=name))
    head = "\n".join(text.splitlines()[:_HEADER_SEARCH_ROWS])
    separator = max(_SEPARATORS, key=head.count)
    rows: list[Cells] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            rows.append([cell.strip() or None for cell in row])
            if len(rows) > limits.max_rows + _HEADER_SEARCH_ROWS:
                raise InputError(t("ingest.error_too_many_rows", file=name, limit=limits.max_rows))
    except csv.Error as error:
        raise InputError(t("ingest.error_broken_csv", file=name, line=reader.line_num)) from error
    return table_of_rows(rows, file=name, name=None, parts=parts, mapping=mapping, limits=limits, encoding=encoding)


def read_sheets(
    file: Path, *, name: str, parts: Sequence[Part], mapping: Mapping[str, str] | None, limits: Limits
) -> list[RawTable]:
    """Read every sheet of a workbook that has cells.

    Raises
    ------
    InputError
        If the workbook cannot be read, a header cell is merged, or there are too many rows or columns.
    """
    tables = []
    for sheet in read_workbook(file, limits=limits):
        rows = [[_cell(cell) for cell in row] for row in sheet.rows]
        if any(cell is not None for row in rows for cell in row):
            tables.append(_sheet_table(sheet, rows, file=name, parts=parts, mapping=mapping, limits=limits))
    if not tables:
        raise InputError(t("ingest.error_empty_file", file=name))
    return tables


def table_of_rows(
    rows: Sequence[Cells],
    *,
    file: str,
    name: str | None,
    parts: Sequence[Part],
    mapping: Mapping[str, str] | None,
    limits: Limits,
    merged: Sequence[Merged] = (),
    encoding: str | None = None,
    is_visible: bool = True,
) -> RawTable:
    """Find the header row among the first rows and cut the rest into columns; wholly blank rows are skipped.

    Raises
    ------
    InputError
        If there is nothing but blanks, a header cell is merged, or there are too many columns.
    """
    header_row = _header_row(rows, parts=parts, mapping=mapping)
    if header_row is None:
        raise InputError(t("ingest.error_empty_file", file=file))
    headers = _headers(rows[header_row])
    if len(headers) > limits.max_columns:
        raise InputError(t("ingest.error_too_many_columns", file=file, n=len(headers), limit=limits.max_columns))
    for first_row, first_column, last_row, _ in merged:
        if first_row <= header_row <= last_row:
            place = _address(first_row, first_column)
            raise InputError(t("ingest.error_merged_header", file=file, sheet=name or "-", cell=place))
    changes = _spread_merged(rows, merged, header_row)
    body = [number for number in range(header_row + 1, len(rows)) if any(cell is not None for cell in rows[number])]
    width = len(headers)
    padded = [(*rows[number][:width], *[None] * (width - len(rows[number]))) for number in body]
    cells = pd.DataFrame(padded, columns=range(width), dtype=object)
    overlong = [place for place, number in enumerate(body) if any(cell is not None for cell in rows[number][width:])]
    kept = [position for position, header in enumerate(headers) if header]
    return RawTable(
        file=file,
        name=name,
        headers=tuple(headers[position] for position in kept),
        cells=cells[kept].set_axis(range(len(kept)), axis="columns"),
        row_numbers=np.array(body, dtype=np.int64) + 1,
        encoding=encoding,
        changes=tuple(changes),
        overlong=tuple(overlong),
        is_visible=is_visible,
    )


def _sheet_table(
    sheet: Sheet,
    rows: list[Cells],
    *,
    file: str,
    parts: Sequence[Part],
    mapping: Mapping[str, str] | None,
    limits: Limits,
) -> RawTable:
    return table_of_rows(
        rows,
        file=file,
        name=sheet.name,
        parts=parts,
        mapping=mapping,
        limits=limits,
        merged=sheet.merged,
        is_visible=sheet.is_visible,
    )


def _cell(cell: Any) -> Any:
    if isinstance(cell, dict):
        return dt.date.fromisoformat(cell["d"]) if "d" in cell else dt.datetime.fromisoformat(cell["t"])
    if isinstance(cell, str):
        return cell if cell.strip() else None
    return cell


def _header_row(rows: Sequence[Cells], *, parts: Sequence[Part], mapping: Mapping[str, str] | None) -> int | None:
    """Return the row among the first filled ones that fits a part best; titles above a header are common."""
    filled = [number for number, row in enumerate(rows) if any(cell is not None for cell in row)][:_HEADER_SEARCH_ROWS]
    if not filled:
        return None

    def fit(number: int) -> int:
        headers = [header for header in _headers(rows[number]) if header]
        return max((len(recognise(part, headers, mapping=mapping).header_of) for part in parts), default=0)

    return max(filled, key=lambda number: (fit(number), -number))


def _headers(row: Cells) -> list[str]:
    headers = ["" if cell is None else str(cell).strip() for cell in row]
    while headers and not headers[-1]:
        headers.pop()
    return headers


def _spread_merged(rows: Sequence[Cells], merged: Sequence[Merged], header_row: int) -> list[tuple[int, str]]:
    """Give every cell of a merged block its value, as Excel shows it."""
    changes = []
    for first_row, first_column, last_row, last_column in merged:
        if first_row <= header_row or first_row >= len(rows) or first_column >= len(rows[first_row]):
            continue
        value = rows[first_row][first_column]
        for number in range(first_row, min(last_row + 1, len(rows))):
            for column in range(first_column, min(last_column + 1, len(rows[number]))):
                if (number, column) != (first_row, first_column) and value is not None:
                    rows[number][column] = value
                    change = t("ingest.change_merged", cell=_address(first_row, first_column), value=value)
                    changes.append((number + 1, change))
    return changes


def _address(row: int, column: int) -> str:
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"
