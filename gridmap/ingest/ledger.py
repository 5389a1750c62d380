"""The books of one table: every row is taken, taken with a change, or quarantined with a reason; nothing is lost."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap.ingest import personal, values
from gridmap.ingest.columns import Recognised
from gridmap.ingest.tables import RawTable
from gridmap.ingest.values import Flags, Parsed
from gridmap.texts import t

_MAX_TEXT = 4000
_MAX_SHOWN = 60


class Ledger:
    """One raw table on its way into a layer: columns are asked for by target, refusals and changes are booked.

    Parameters
    ----------
    table
        The raw table.
    fit
        How its headers fit the layer.

    Attributes
    ----------
    is_open
        Rows not refused so far, by position.
    """

    def __init__(self, table: RawTable, fit: Recognised) -> None:
        self.table = table
        self.fit = fit
        self.n_rows = len(table.row_numbers)
        self.is_open: Flags = np.ones(self.n_rows, dtype=bool)
        self._reasons: dict[int, tuple[str, str]] = {}
        self._changes: list[tuple[int, str]] = []
        numbers = {int(number): position for position, number in enumerate(table.row_numbers)}
        self._changes += [(numbers[number], change) for number, change in table.changes if number in numbers]
        overlong = np.zeros(self.n_rows, dtype=bool)
        overlong[list(table.overlong)] = True
        self.refuse(overlong, "too_many_cells")

    @property
    def n_open(self) -> int:
        """Rows that are still to be taken."""
        return int(self.is_open.sum())

    def header(self, target: str) -> str:
        """Return the header under which a target was found, or the target itself."""
        return self.fit.header_of.get(target, target)

    def has(self, target: str) -> bool:
        """Tell whether the table has a column for a target."""
        return target in self.fit.header_of

    def raw(self, target: str) -> pd.Series:
        """Return the raw cells of a target; all None where the table lacks it."""
        if not self.has(target):
            return pd.Series([None] * self.n_rows, dtype=object)
        return self.table.column(self.fit.header_of[target])

    def refuse(self, where: Flags, code: str, *, target: str | None = None, **shown: object) -> None:
        """Quarantine the marked rows that are still open.

        Parameters
        ----------
        where
            Rows, by position.
        code
            The reason; its sentence is `ingest.reason_<code>`.
        target
            The column it is about: its header and the raw cell go into the sentence as `{column}` and `{value}`.
        **shown
            Further values of the sentence; a sequence as long as the table is taken by row.
        """
        rows = np.flatnonzero(where & self.is_open).tolist()
        if not rows:
            return
        cells = self.raw(target) if target else None
        for row in rows:
            given = {name: _of_row(value, row, self.n_rows) for name, value in shown.items()}
            if cells is not None:
                given |= {"column": self.header(target or ""), "value": _shown(cells.iloc[row])}
            self._reasons[row] = (code, t(f"ingest.reason_{code}", **given))
        self.is_open[rows] = False

    def change(self, where: Flags, key: str, **shown: object) -> None:
        """Book a change of the marked rows; its sentence is `ingest.change_<key>`."""
        for row in np.flatnonzero(where & self.is_open).tolist():
            given = {name: _of_row(value, row, self.n_rows) for name, value in shown.items()}
            self._changes.append((row, t(f"ingest.change_{key}", **given)))

    def refuse_duplicates(self) -> None:
        """Quarantine rows that repeat an earlier row in every column of the layer."""
        cells = pd.DataFrame({target: self.raw(target).map(_comparable) for target in self.fit.header_of})
        if self.table.geometries is not None:
            cells["geometry"] = [None if shape is None else shape.wkb for shape in self.table.geometries]
        if cells.columns.empty:
            return
        groups = cells.groupby(list(cells.columns), dropna=False, sort=False).ngroup()
        self._refuse_later(groups, "duplicate")

    def refuse_repeated(self, *keys: pd.Series, target: str) -> None:
        """Quarantine open rows whose key an earlier open row has: the first one stands."""
        frame = pd.DataFrame({number: key.to_numpy() for number, key in enumerate(keys)})
        groups = frame[self.is_open].groupby(list(frame.columns), dropna=False, sort=False).ngroup()
        self._refuse_later(groups, "repeated_key", target=target)

    def _refuse_later(self, groups: pd.Series, code: str, *, target: str | None = None) -> None:
        later = groups[groups.duplicated()]
        if later.empty:
            return
        earlier = groups[~groups.duplicated()]
        row_of_group = pd.Series(
            self.table.row_numbers[earlier.index.to_numpy(dtype=np.int64)], index=earlier.to_numpy()
        )
        first = np.zeros(self.n_rows, dtype=np.int64)
        first[later.index] = row_of_group.loc[later].to_numpy()
        where = np.zeros(self.n_rows, dtype=bool)
        where[later.index] = True
        self.refuse(where, code, target=target, first=first)

    def code(self, target: str, *, is_required: bool = True) -> pd.Series:
        """Return a column of codes; identity and telephone numbers are no codes."""
        cells = self.raw(target)
        self.refuse(personal.is_personal(cells), "personal_value", column=self.header(target))
        return self.book(target, values.parse(cells, values.code_of), "not_a_code", is_required=is_required)

    def text(self, target: str, *, is_required: bool = False) -> pd.Series:
        """Return a column of texts; identity and telephone numbers inside are masked."""
        parsed = values.parse(self.raw(target), values.text_of)
        texts, is_masked = personal.mask_column(parsed.found)
        self.change(is_masked, "masked", column=self.header(target))
        self.change(parsed.is_mended & ~is_masked, "cleaned", column=self.header(target))
        too_long = np.array([isinstance(text, str) and len(text) > _MAX_TEXT for text in texts], dtype=bool)
        self.refuse(too_long, "too_long", column=self.header(target), limit=_MAX_TEXT)
        if is_required:
            self.refuse(texts.isna().to_numpy(), "missing_value", column=self.header(target))
        return texts

    def whole(
        self, target: str, *, low: int, high: int, blank: int | None = None, is_required: bool = True
    ) -> pd.Series:
        """Return a column of whole numbers between `low` and `high`; a blank cell counts as `blank` when given."""
        found = self._numbers(target, one=values.number_of)
        is_blank = values.without_nothing(self.raw(target)).isna().to_numpy()
        if blank is not None:
            found = found.mask(is_blank, blank)
        elif is_required:
            self.refuse(is_blank, "missing_value", column=self.header(target))
        finite = found.notna().to_numpy()
        self.refuse(finite & (found % 1 != 0).to_numpy(), "not_whole", target=target)
        outside = finite & ~found.between(low, high).to_numpy()
        self.refuse(outside, "out_of_range", target=target, low=low, high=high)
        return found

    def number(self, target: str) -> pd.Series:
        """Return a column of coordinates as floats; not a number, NaN and infinity are refused."""
        return self._numbers(target, one=values.degrees_of)

    def day(self, target: str, *, is_required: bool = True) -> pd.Series:
        """Return a column of dates."""
        return self.book(target, values.parse_days(self.raw(target)), "not_a_date", is_required=is_required)

    def instant(self, target: str, *, zone: dt.tzinfo, is_required: bool = True) -> pd.Series:
        """Return a column of instants; wall times are the zone's."""
        parsed = values.parse_instants(self.raw(target), zone=zone)
        return self.book(target, parsed, "not_a_time", is_required=is_required)

    def flag(self, target: str, *, blank: bool | None = None) -> pd.Series:
        """Return a column of yes and no; a blank cell counts as `blank` when given."""
        parsed = values.parse(self.raw(target), values.flag_of)
        found = self.book(target, parsed, "not_yes_no", is_required=blank is None)
        return found if blank is None else found.where(found.notna(), blank)

    def word(self, target: str, words: Mapping[str, tuple[str, ...]], *, is_required: bool = True) -> pd.Series:
        """Return a column of fixed words as their meanings in code."""
        parsed = values.parse(self.raw(target), values.word_reader(words))
        known = "、".join(ways[0] for ways in words.values() if ways)
        self.refuse(parsed.is_bad, "unknown_word", target=target, known=known)
        return self.book(target, parsed, "unknown_word", is_required=is_required)

    def book(self, target: str, parsed: Parsed, reason: str, *, is_required: bool = True) -> pd.Series:
        """Book the outcome of a parser: unreadable, missing and mended cells.

        Parameters
        ----------
        target
            The column.
        parsed
            What the parser made of it.
        reason
            Why an unreadable cell refuses its row.
        is_required
            Whether a blank cell does, too.
        """
        self.refuse(parsed.is_bad, reason, target=target)
        column = self.header(target)
        if is_required:
            self.refuse(parsed.found.isna().to_numpy() & ~parsed.is_bad, "missing_value", column=column)
        if parsed.is_mended.any():
            self.change(
                parsed.is_mended, "value", column=column, old=_cells(self.raw(target)), new=_cells(parsed.found)
            )
        return parsed.found

    def quarantined(self) -> pd.DataFrame:
        """Return the refused rows: `row_number, sheet, reason_code, reason, row` (raw cells by header, masked)."""
        rows = sorted(self._reasons)
        headers = [header for header in self.table.headers if header in self.fit.header_of.values()]
        columns = {header: self.table.column(header) for header in headers}
        return pd.DataFrame(
            {
                "row_number": self.table.row_numbers[rows],
                "sheet": pd.Series([self.table.name] * len(rows), dtype=object),
                "reason_code": pd.Series([self._reasons[row][0] for row in rows], dtype=object),
                "reason": pd.Series([self._reasons[row][1] for row in rows], dtype=object),
                "row": pd.Series(
                    [{header: _json(cells.iloc[row]) for header, cells in columns.items()} for row in rows],
                    dtype=object,
                ),
            }
        )

    def changed(self) -> pd.DataFrame:
        """Return the changes of rows that were taken: `row_number, sheet, change`."""
        kept = sorted(
            {(row, change): None for row, change in self._changes if self.is_open[row]}, key=lambda pair: pair[0]
        )
        return pd.DataFrame(
            {
                "row_number": self.table.row_numbers[[row for row, _ in kept]],
                "sheet": pd.Series([self.table.name] * len(kept), dtype=object),
                "change": pd.Series([change for _, change in kept], dtype=object),
            }
        )

    def _numbers(self, target: str, *, one: values.One) -> pd.Series:
        """Return a column of finite numbers, NaN where nothing stood or the row was refused."""
        cells = self.raw(target)
        parsed = values.parse_numbers(cells, one=one)
        self.refuse(parsed.is_bad, "not_a_number", target=target)
        is_written = values.without_nothing(cells).notna().to_numpy()
        is_finite = np.isfinite(parsed.found.to_numpy(dtype=float))
        self.refuse(is_written & ~is_finite, "not_finite", target=target)
        if parsed.is_mended.any():
            self.change(
                parsed.is_mended, "value", column=self.header(target), old=_cells(cells), new=_cells(parsed.found)
            )
        return parsed.found.where(is_finite)


def _of_row(value: object, row: int, n_rows: int) -> object:
    if isinstance(value, list | np.ndarray | pd.Series) and len(value) == n_rows:
        return value.iloc[row] if isinstance(value, pd.Series) else value[row]
    return value


def _cells(cells: pd.Series) -> NDArray[np.object_]:
    shown: NDArray[np.object_] = cells.map(_shown, na_action=None).to_numpy(dtype=object)
    return shown


def _shown(cell: Any) -> str:
    cell = personal.mask_cell(cell)
    if isinstance(cell, float):
        return f"{cell:.10g}"
    if isinstance(cell, tuple):
        return "/".join(str(part) for part in cell)
    text = "" if cell is None else str(cell)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _comparable(cell: Any) -> Any:
    """Return a cell such that equal means equal: True is not 1, and a date is not its text."""
    if cell is None or isinstance(cell, str):
        return cell
    return (type(cell).__name__, str(cell))


def _json(cell: Any) -> Any:
    cell = personal.mask_cell(cell)
    if isinstance(cell, dt.date | dt.datetime):
        return cell.isoformat()
    if isinstance(cell, float) and not np.isfinite(cell):
        return str(cell)
    if isinstance(cell, str):
        return cell.replace("\0", "")
    return cell if isinstance(cell, int | float | bool) or cell is None else str(cell)
