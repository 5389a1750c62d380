"""One way to write a review: the same numbers give the same text and digest, and two reviews are compared cell by cell."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from gridmap.reports.review.shape import (
    MonthAbout,
    Past,
    ReviewColumn,
    ReviewFigure,
    ReviewMap,
    ReviewNote,
    ReviewPlan,
    ReviewReport,
    ReviewTable,
    Section,
)

DIGITS = 9
"""Every number of a review is rounded to so many significant digits, here and nowhere else: sums of floats differ in the
sixteenth with the order of their parts, and with the machine."""
_NOTHING = 1e-12
Cell = str | int | float | bool | None
Record = dict[str, Any]


def number(value: Any) -> int | float | None:
    """Return a number as a review holds it: rounded, whole where it is whole; None for what cannot be told.

    Examples
    --------
    >>> number(2 / 3), number(4.0), number(0.1 + 0.2 - 0.3), number(float("nan"))
    (0.666666667, 4, 0, None)
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    plain = float(value)
    if not math.isfinite(plain):
        return None
    rounded = 0.0 if abs(plain) < _NOTHING else float(f"{plain:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded


def cell(value: Any) -> Cell:
    """Return a cell as a review holds it: text, a truth, a number by `number`, a day or instant as ISO text, or None."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return bool(value)
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return number(value)


def plain_rows(rows: pd.DataFrame, columns: tuple[ReviewColumn, ...]) -> pd.DataFrame:
    """Return the named columns of a frame with every cell as by `cell`, on a plain index."""
    return pd.DataFrame({one.key: pd.Series([cell(value) for value in rows[one.key]], dtype=object) for one in columns})


# ---- to records and back


def to_record(report: ReviewReport) -> Record:
    """Return a report as plain data, everything in it; `from_record` makes the same report of it."""
    record = {name: value for name, value in vars(report).items() if name not in ("grids", "sections")}
    for name in ("month", "previous", "last_year", "plan", "plan_before"):
        record[name] = None if record[name] is None else {k: cell(v) for k, v in asdict(record[name]).items()}
    for name in ("known_at", "newest_at"):
        record[name] = None if record[name] is None else record[name].isoformat()
    record["settings"] = {name: cell(value) for name, value in sorted(report.settings.items())}
    record["grids"] = _rows_record(report.grids.reset_index(names="grid_code"))
    record["sections"] = [_section_record(section) for section in report.sections]
    return record


def _rows_record(rows: pd.DataFrame) -> Record:
    return {
        "columns": [str(name) for name in rows.columns],
        "rows": [[cell(value) for value in row] for row in rows.itertuples(index=False, name=None)],
    }


def _section_record(section: Section) -> Record:
    return {
        "key": section.key,
        "title_key": section.title_key,
        "figures": [asdict(one) for one in section.figures],
        "tables": [
            {
                **{name: value for name, value in vars(one).items() if name not in ("columns", "rows", "id_columns")},
                "id_columns": list(one.id_columns),
                "columns": [asdict(column) for column in one.columns],
                "rows": _rows_record(one.rows)["rows"],
            }
            for one in section.tables
        ],
        "maps": [
            {
                **{name: value for name, value in vars(one).items() if name not in ("grids", "classes")},
                "classes": list(one.classes),
                "grids": _rows_record(one.grids.reset_index(names="grid_code")),
            }
            for one in section.maps
        ],
        "notes": [{"text_key": one.text_key, "values": dict(one.values)} for one in section.notes],
    }


def from_record(record: Mapping[str, Any]) -> ReviewReport:
    """Return the report that `to_record` wrote.

    Frozen packs are read for years: a field of `shape` is only ever added, with a default, never removed or renamed.

    Raises
    ------
    KeyError
        If something is missing.
    """
    given = dict(record)
    for name in ("month", "previous", "last_year"):
        days = {key: date.fromisoformat(given[name][key]) for key in ("first_on", "last_on")}
        given[name] = MonthAbout(**given[name] | days)
    for name in ("plan", "plan_before"):
        if given[name] is not None:
            given[name] = ReviewPlan(**given[name] | {"valid_from": date.fromisoformat(given[name]["valid_from"])})
    for name in ("known_at", "newest_at"):
        given[name] = None if given[name] is None else datetime.fromisoformat(given[name])
    given["grids"] = _frame(given["grids"]).set_index("grid_code")
    given["sections"] = tuple(_section(one) for one in given["sections"])
    return ReviewReport(**given)


def _frame(written: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(written["rows"], columns=written["columns"], dtype=object)


def _past(written: Mapping[str, Any] | None) -> Past | None:
    return None if written is None else Past(**written)


def _section(written: Mapping[str, Any]) -> Section:
    return Section(
        key=written["key"],
        title_key=written["title_key"],
        figures=tuple(
            ReviewFigure(**one | {"previous": _past(one["previous"]), "last_year": _past(one["last_year"])})
            for one in written["figures"]
        ),
        tables=tuple(
            ReviewTable(
                **one
                | {
                    "columns": tuple(ReviewColumn(**column) for column in one["columns"]),
                    "id_columns": tuple(one["id_columns"]),
                    "rows": _frame({"rows": one["rows"], "columns": [column["key"] for column in one["columns"]]}),
                }
            )
            for one in written["tables"]
        ),
        maps=tuple(
            ReviewMap(**one | {"classes": tuple(one["classes"]), "grids": _frame(one["grids"]).set_index("grid_code")})
            for one in written["maps"]
        ),
        notes=tuple(ReviewNote(**one) for one in written["notes"]),
    )


# ---- digests and differences


def canonical_text(record: Any) -> str:
    """Return plain data as JSON with sorted names and no blanks: one text for one content."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a report's record, hexadecimal: figures, tables, maps, notes, plan, settings, code version."""
    return hashlib.sha256(canonical_text(record).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class CellDifference:
    """One value of a review that is another one now.

    Parameters
    ----------
    place
        `figure`, `table`, `map` or `about` (plan, settings, program).
    key
        Of the figure, table or map; of `about` the name.
    row
        What tells the row from the others, in the order of `id_columns`; empty for a figure.
    column
        The column; of a figure `value`, `numerator`, `previous.value` …; `row` where the whole row came or went.
    before, after
        As frozen and as it is now; None: cannot be told, or not there.
    """

    place: str
    key: str
    row: tuple[Cell, ...]
    column: str
    before: Cell
    after: Cell


_ABOUT = ("township_name", "plan", "plan_before", "settings", "code_version", "is_over")


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[CellDifference, ...]:
    """Return what differs between two records of one month, cell by cell, in the order of the agenda.

    The instant that the data are known at, and the newest fact, are not compared: they always differ.

    Raises
    ------
    ValueError
        If they are of different months or townships.
    """
    for name in ("township_code", "month"):
        if before[name] != after[name]:
            raise ValueError(f"`before` and `after` must be of one {name}, got {before[name]} and {after[name]}.")
    found = [
        CellDifference(
            place="about", key=name, row=(), column="value", before=_said(before[name]), after=_said(after[name])
        )
        for name in _ABOUT
        if before[name] != after[name]
    ]
    for place, cells_of in (("figure", _figure_cells), ("table", _table_cells), ("map", _map_cells)):
        old, new = (dict(cells_of(record)) for record in (before, after))
        for at in {**old, **new}:
            if old.get(at) != new.get(at):
                key, row, column = at
                found.append(
                    CellDifference(place=place, key=key, row=row, column=column, before=old.get(at), after=new.get(at))
                )
    return tuple(found)


_At = tuple[str, tuple[Cell, ...], str]


def _said(value: Any) -> Cell:
    return canonical_text(value) if isinstance(value, Mapping) else cell(value)


def _figure_cells(record: Mapping[str, Any]) -> Iterator[tuple[_At, Cell]]:
    for section in record["sections"]:
        for one in section["figures"]:
            for name in ("value", "numerator", "denominator"):
                yield (one["key"], (), name), one[name]
            for past in ("previous", "last_year"):
                for name, value in (one[past] or {}).items():
                    yield (one["key"], (), f"{past}.{name}"), value


def _table_cells(record: Mapping[str, Any]) -> Iterator[tuple[_At, Cell]]:
    for section in record["sections"]:
        for one in section["tables"]:
            names = [column["key"] for column in one["columns"]]
            for row in one["rows"]:
                cells = dict(zip(names, row, strict=True))
                told_by = tuple(cells[name] for name in one["id_columns"])
                yield (one["key"], told_by, "row"), "there"
                for name, value in cells.items():
                    yield (one["key"], told_by, name), value


def _map_cells(record: Mapping[str, Any]) -> Iterator[tuple[_At, Cell]]:
    for section in record["sections"]:
        for one in section["maps"]:
            at = one["grids"]["columns"].index("grid_code")
            for row in one["grids"]["rows"]:
                for name, value in zip(one["grids"]["columns"], row, strict=True):
                    if name != "grid_code":
                        yield (one["key"], (row[at],), name), value
