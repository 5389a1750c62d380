"""The files of a review: figures and everything else as one JSON, each table as CSV, figures as CSV."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from gridmap.errors import InputError
from gridmap.exports.tables import Column, comma_separated
from gridmap.reports.review.canonical import digest_of, to_record
from gridmap.reports.review.shape import ReviewReport, ReviewTable
from gridmap.reports.review.words import cell_words, column_title, figure_words, formula_of
from gridmap.texts import t

_NUMBERS = ("count", "decimal", "share")


def write_pack(report: ReviewReport, out: Path) -> list[Path]:
    """Write every file of the pack into a folder; the same report gives the same bytes.

    Parameters
    ----------
    report
        What `reports.review.report.review_report` gives, or `public_report` of it for a board.
    out
        A folder; made where it is not there. Files of the same names in it are replaced.

    Returns
    -------
    list
        The files, in the order they were written.

    Raises
    ------
    InputError
        If `out` is no folder, or cannot be written to.
    """
    files = dict(_files(report))
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise InputError(t("review.error_out", out=out)) from error
    return [out / name for name in files]


def _files(report: ReviewReport) -> Iterator[tuple[str, bytes]]:
    record = to_record(report)
    written = json.dumps(record | {"digest": digest_of(record)}, ensure_ascii=False, sort_keys=True, indent=1)
    yield "figures.json", f"{written}\n".encode()
    yield "figures.csv", figures_csv(report)
    for table in report.tables.values():
        yield f"{_file_name(table.key)}.csv", table_csv(table)


def _file_name(key: str) -> str:
    return re.sub(r"[^a-z0-9_]", "-", key)


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
