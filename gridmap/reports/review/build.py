"""How sections are put together: every number rounded in one place, every figure with its comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

import pandas as pd

from gridmap.analysis.review.measures import Measure
from gridmap.analysis.review.month import Review
from gridmap.reports.review.canonical import number, plain_rows
from gridmap.reports.review.shape import (
    NOWHERE,
    TOTAL,
    Kind,
    MonthAbout,
    Past,
    ReviewColumn,
    ReviewFigure,
    ReviewMap,
    ReviewTable,
)


@dataclass(frozen=True, kw_only=True)
class FigureKind:
    """What is always true of a figure; see `ReviewFigure`. `is_flow`: it counts what happened in the span."""

    unit: str
    rows_key: str
    is_flow: bool = False
    is_public: bool = True


_COUNT, _SHARE = "unit.incidents", "unit.share"
# The exact number of private matters stands on no public sheet: beside hidden counts it would tell them.
_FLOW = {"is_flow": True, "is_public": False}


def _flow(name: str, rows_key: str) -> dict[str, FigureKind]:
    return {
        f"{name}.n_new": FigureKind(unit=_COUNT, rows_key=rows_key, **_FLOW),
        f"{name}.n_new_settled": FigureKind(unit=_COUNT, rows_key=rows_key, **_FLOW),
        f"{name}.n_new_unsettled": FigureKind(unit=_COUNT, rows_key=rows_key, is_public=False),
        f"{name}.settled_share": FigureKind(unit=_SHARE, rows_key=rows_key, is_public=False),
        f"{name}.n_open_before": FigureKind(unit=_COUNT, rows_key=rows_key, is_public=False),
        f"{name}.n_settled": FigureKind(unit=_COUNT, rows_key=rows_key, **_FLOW),
        f"{name}.n_reopened": FigureKind(unit=_COUNT, rows_key=rows_key, **_FLOW),
        f"{name}.n_open_after": FigureKind(unit=_COUNT, rows_key=rows_key, is_public=False),
    }


KINDS: dict[str, FigureKind] = {
    "coverage.visited": FigureKind(unit=_SHARE, rows_key="coverage.points"),
    "coverage.kept": FigureKind(unit=_SHARE, rows_key="coverage.points"),
    "coverage.cannot_tell": FigureKind(unit=_SHARE, rows_key="coverage.points"),
    "coverage.n_points": FigureKind(unit="unit.points", rows_key="coverage.points"),
    "coverage.n_missed": FigureKind(unit="unit.points", rows_key="coverage.points"),
    "coverage.covered": FigureKind(unit=_SHARE, rows_key="coverage.homes"),
    "coverage.n_uncovered": FigureKind(unit="unit.households", rows_key="coverage.homes"),
    "coverage.door_to_door": FigureKind(unit=_SHARE, rows_key="coverage.by_grid"),
    "coverage.mean_days": FigureKind(unit="unit.days", rows_key="coverage.homes"),
    "coverage.long_share": FigureKind(unit=_SHARE, rows_key="coverage.homes"),
    "coverage.reached": FigureKind(unit=_SHARE, rows_key="coverage.homes"),
    "coverage.n_outside": FigureKind(unit="unit.households", rows_key="coverage.homes"),
    "gaps.n_opened": FigureKind(unit="unit.points", rows_key="gaps.points"),
    "gaps.n_closed": FigureKind(unit="unit.points", rows_key="gaps.points"),
    "gaps.n_persists": FigureKind(unit="unit.points", rows_key="gaps.points"),
    **_flow("disputes", "disputes.rows"),
    **_flow("cases", "cases.rows"),
    "cases.on_time": FigureKind(unit=_SHARE, rows_key="cases.rows"),
    "cases.in_grid": FigureKind(unit=_SHARE, rows_key="cases.rows"),
    "cases.n_overdue": FigureKind(unit=_COUNT, rows_key="cases.rows", is_public=False),
    "satisfaction.rated_well": FigureKind(unit=_SHARE, rows_key="cases.rows"),
    "satisfaction.mean": FigureKind(unit="unit.none", rows_key="cases.rows"),
    "satisfaction.asked": FigureKind(unit=_SHARE, rows_key="cases.rows"),
    "hotspots.n_hot": FigureKind(unit="unit.grids", rows_key="hotspots.grids"),
    "hotspots.n_cold": FigureKind(unit="unit.grids", rows_key="hotspots.grids"),
    "hotspots.n_too_few": FigureKind(unit="unit.grids", rows_key="hotspots.grids"),
    "workload.n_higher": FigureKind(unit="unit.grids", rows_key="workload.grids", is_public=False),
    "workload.n_lower": FigureKind(unit="unit.grids", rows_key="workload.grids", is_public=False),
    "workload.n_too_few": FigureKind(unit="unit.grids", rows_key="workload.grids", is_public=False),
    "cap.n_grids": FigureKind(unit="unit.grids", rows_key="cap.grids"),
    "cap.n_households": FigureKind(unit="unit.households", rows_key="cap.grids"),
    "cap.n_over": FigureKind(unit="unit.grids", rows_key="cap.grids"),
    "cap.n_over_unexcused": FigureKind(unit="unit.grids", rows_key="cap.grids"),
    "plans.n_changes": FigureKind(unit="unit.plans", rows_key="plans.in_force"),
    "plans.n_moved_households": FigureKind(unit="unit.households", rows_key="plans.moved"),
    "plans.n_new_grids": FigureKind(unit="unit.grids", rows_key="plans.codes"),
    "plans.n_gone_grids": FigureKind(unit="unit.grids", rows_key="plans.codes"),
    "ledgers.ticked": FigureKind(unit=_SHARE, rows_key="ledgers.lists"),
    "ledgers.agreed": FigureKind(unit=_SHARE, rows_key="ledgers.conventions"),
    "ledgers.signed": FigureKind(unit=_SHARE, rows_key="ledgers.conventions"),
    "ledgers.n_opinions": FigureKind(unit=_COUNT, rows_key="ledgers.opinions", is_flow=True, is_public=False),
    "ledgers.points": FigureKind(unit="unit.score", rows_key="ledgers.points", is_flow=True, is_public=False),
    "promises.n_promised": FigureKind(unit="unit.tasks", rows_key="promises.things", is_flow=True),
    "promises.n_done": FigureKind(unit="unit.tasks", rows_key="promises.things", is_flow=True),
    "promises.n_open": FigureKind(unit="unit.tasks", rows_key="promises.things"),
    "promises.n_overdue": FigureKind(unit="unit.tasks", rows_key="promises.things"),
    "promises.kept": FigureKind(unit=_SHARE, rows_key="promises.year"),
    "quality.n_facts": FigureKind(unit="unit.records", rows_key="quality.facts", is_flow=True),
    "quality.late": FigureKind(unit=_SHARE, rows_key="quality.facts"),
    "quality.n_after_month": FigureKind(unit="unit.records", rows_key="quality.facts"),
    "quality.without_place": FigureKind(unit=_SHARE, rows_key="cases.rows"),
    "quality.silent_days": FigureKind(unit=_SHARE, rows_key="quality.days"),
    "quality.not_counted": FigureKind(unit=_SHARE, rows_key="quality.excluded"),
    "quality.quarantined": FigureKind(unit=_SHARE, rows_key="quality.imports", is_public=False),
    "actions.n_open": FigureKind(unit="unit.tasks", rows_key="actions.tasks", is_public=False),
    "actions.done": FigureKind(unit=_SHARE, rows_key="actions.tasks", is_public=False),
    "actions.n_overdue": FigureKind(unit="unit.tasks", rows_key="actions.tasks", is_public=False),
}
"""Every figure there is, in the order of the agenda."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Builder:
    """What sections are made of.

    Parameters
    ----------
    review
        The measured months.
    months
        About the month, the one before, the one a year ago.
    zone
        The township's clock.
    """

    review: Review
    months: tuple[MonthAbout, MonthAbout, MonthAbout]
    zone: tzinfo

    def figures(self, *keys: str) -> tuple[ReviewFigure, ...]:
        """Return figures with their comparisons.

        Raises
        ------
        KeyError
            If there is no such figure.
        """
        return tuple(self.figure(key, self.review.measures[key]) for key in keys)

    def figure(self, key: str, measure: Measure, *, before: Measure | None = None) -> ReviewFigure:
        """Return one figure, measured elsewhere (then with the month `before`) or in the review.

        Raises
        ------
        KeyError
            If there is no such figure.
        """
        kind = KINDS[key]
        named = key.replace(".", "_")
        return ReviewFigure(
            key=key,
            title_key=f"review.figure_{named}",
            unit=kind.unit,
            formula_key=f"review.formula_{named}",
            value=number(measure.value),
            numerator=number(measure.numerator),
            denominator=number(measure.denominator),
            previous=self._past(key, self.review.before.measures.get(key, before), self.months[1]),
            last_year=self._past(key, self.review.last_year.measures.get(key), self.months[2]),
            rows_key=kind.rows_key,
            is_public=kind.is_public,
        )

    def _past(self, key: str, measure: Measure | None, month: MonthAbout) -> Past | None:
        if measure is None:
            return None
        adjusted = None
        if KINDS[key].is_flow and measure.value is not None and month.n_workdays:
            adjusted = measure.value * self.months[0].n_workdays / month.n_workdays
        return Past(
            value=number(measure.value),
            numerator=number(measure.numerator),
            denominator=number(measure.denominator),
            adjusted=number(adjusted),
        )


def column(
    key: str,
    kind: Kind = "text",
    *,
    title: str | None = None,
    unit: str | None = None,
    words: str | None = None,
    formula: str | None = None,
    called: str | None = None,
) -> ReviewColumn:
    """Return a column; its title stands at `review.column_<called or key>`, its formula at `review.formula_<formula>`."""
    return ReviewColumn(
        key=key,
        title_key=f"review.column_{called or key}",
        kind=kind,
        title=title,
        unit=unit,
        words=words,
        formula_key=None if formula is None else f"review.formula_{formula}",
    )


def table(
    key: str,
    rows: pd.DataFrame,
    columns: Sequence[ReviewColumn],
    *,
    by: Sequence[str],
    has_total: bool = False,
    is_behind: bool = False,
    is_public: bool = False,
    hides_small: bool = False,
) -> ReviewTable:
    """Return a table of plain cells; its title stands at `review.table_<key>`, told apart by the columns `by`."""
    return ReviewTable(
        key=key,
        title_key=f"review.table_{key.replace('.', '_')}",
        columns=tuple(columns),
        rows=plain_rows(rows, tuple(columns)),
        id_columns=tuple(by),
        has_total=has_total,
        is_behind=is_behind,
        is_public=is_public,
        hides_small=hides_small,
    )


def with_total(rows: pd.DataFrame, *, texts: Sequence[str], sums: Sequence[str]) -> pd.DataFrame:
    """Return the rows and a last one that adds `sums` up; its `texts` are `TOTAL`. Without rows there is none to add up."""
    if rows.empty:
        return rows
    foot = dict.fromkeys(texts, TOTAL) | {name: rows[name].sum(min_count=1) for name in sums}
    return pd.concat([rows, pd.DataFrame([foot], columns=rows.columns)], ignore_index=True)


def named(codes: pd.Series, names: pd.Series) -> pd.Series:
    """Return the name of each code; a code without a name stands for itself, no code is `NOWHERE`."""
    found = codes.map(names.to_dict())
    shown: pd.Series = found.where(found.notna(), codes).astype(object)
    return shown.where(shown.notna(), NOWHERE)


def grid_map(
    key: str,
    values: pd.Series,
    kind: Kind,
    *,
    labels: pd.Series | None = None,
    unit: str | None = None,
    classes: Sequence[str] = (),
    words: str | None = None,
    is_bad_high: bool = True,
    is_public: bool = False,
) -> ReviewMap:
    """Return what a map of the grids shows; its title stands at `review.map_<key>`."""
    columns = (column("grid_code"), column("value", kind), column("label"))
    rows = pd.DataFrame({"grid_code": values.index, "value": values.to_numpy(dtype=object)})
    rows["label"] = "" if labels is None else labels.reindex(values.index).to_numpy(dtype=object)
    return ReviewMap(
        key=key,
        title_key=f"review.map_{key.replace('.', '_')}",
        grids=plain_rows(rows, columns).set_index("grid_code").sort_index(),
        kind=kind,
        unit=unit,
        classes=tuple(classes),
        words=words,
        is_bad_high=is_bad_high,
        is_public=is_public,
    )
