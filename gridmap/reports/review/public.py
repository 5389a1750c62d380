"""What of a review may hang on a board: nothing of single cases, no small count, no number that gives one away."""

from dataclasses import replace

import pandas as pd

from gridmap.analysis.small_counts import public_counts
from gridmap.reports.review.shape import TOTAL, ReviewColumn, ReviewReport, ReviewTable, Section

HIDDEN_BELOW = 3
_PARTS, _SUM = ("n_settled", "n_unsettled"), "n_new"


def public_report(report: ReviewReport) -> ReviewReport:
    """Return the report as everybody may see it.

    Figures, tables and maps that are not public are gone, and with them rows behind figures; counts of 1 and 2 are "<3",
    totals beside them what the shown counts allow (`analysis.small_counts`); shares and comparisons that would give them
    away are gone.
    """
    sections = tuple(_public_section(section) for section in report.sections)
    kept = tuple(one for one in sections if one.figures or one.tables or one.maps)
    return replace(report, sections=kept)


def _public_section(section: Section) -> Section:
    tables = [one for one in section.tables if one.is_public and not one.is_behind]
    shown = {one.key for one in tables}
    figures = (one for one in section.figures if one.is_public)
    return replace(
        section,
        figures=tuple(replace(one, rows_key=one.rows_key if one.rows_key in shown else None) for one in figures),
        tables=tuple(public_table(one) if one.hides_small else one for one in tables),
        maps=tuple(one for one in section.maps if one.is_public),
    )


def public_table(table: ReviewTable) -> ReviewTable:
    """Return a table of settled and not settled cases with its small counts hidden; its counts are text then.

    Raises
    ------
    KeyError
        If it is no such table.
    """
    names = [*table.id_columns]
    rows = table.rows.iloc[:-1] if table.has_total else table.rows
    counts = rows[list(_PARTS)].astype(int).set_axis(pd.RangeIndex(len(rows)))
    if rows.empty:
        told = pd.DataFrame(columns=[*names, _SUM, *_PARTS], dtype=object)
    else:
        hidden = public_counts(counts, hidden_below=HIDDEN_BELOW, total=TOTAL).rename(columns={TOTAL: _SUM})
        labels = pd.DataFrame({name: [*rows[name], TOTAL] for name in names}, index=hidden.index)
        told = labels.join(hidden)[[*names, _SUM, *_PARTS]].reset_index(drop=True)
    columns = [table.column(name) for name in names]
    columns += [_as_text(table.column(name)) for name in (_SUM, *_PARTS)]
    return replace(table, columns=tuple(columns), rows=told)


def _as_text(column: ReviewColumn) -> ReviewColumn:
    return replace(column, kind="text")
