"""What the workload page draws of the fair comparison: funnel, ranking with forecast, suggestions."""

import html

import numpy as np
import pandas as pd
import streamlit as st

from gridmap.analysis.fair.funnel import CLASSES, HIGHER, INNER, LOWER, OUTER, TOO_FEW, limits
from gridmap.exports.tables import Column
from gridmap.reports.fair import FairReport
from gridmap.reports.fair_moves import MovedUnit
from gridmap.texts import t
from gridmap.ui.funnel_chart import funnel_option
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room
from gridmap.ui.theme import Markup

WITHOUT_PAST = "fair_without_past"
_CHART_PX, _TABLE_PX = 290, 300
_NAME_PX, _CLASS_PX, _NUMBER_PX, _RANGE_PX = 124, 108, 51, 68
_N_CURVE = 160
_EXPORTED = (
    ("expected", "decimal"),
    ("actual_ratio", "decimal"),
    ("shrunken", "decimal"),
    ("shrunken_low", "decimal"),
    ("shrunken_high", "decimal"),
    ("class", "text"),
    ("new_per_person", "decimal"),
    ("forecast", "decimal"),
    ("forecast_low", "count"),
    ("forecast_high", "count"),
    ("forecast_per_person", "decimal"),
)


def class_words(kind: str) -> str:
    """Return sign and word of a class."""
    return t("fair.class_too_few" if kind == TOO_FEW else f"fair.class_{kind.replace(' ', '_')}")


def funnel(report: FairReport, village: str | None, room: Room) -> None:
    """Draw the funnel, and say what it rests on and what it found."""
    rows = _compared(report, village)
    if not report.is_known or rows.empty:
        st.info(t("fair.unknown"))
        return
    factors = t("fair.joint").join(t(f"fair.{name}") for name in ("households", *report.factors))
    said, switch = st.columns([5, 2], vertical_alignment="center")
    said.caption(t("fair.rests_on", factors=factors))
    switch.toggle(t("fair.without_past"), key=WITHOUT_PAST, help=t("fair.without_past_help"))
    most = float(rows["expected"].max()) * 1.06
    expected = np.linspace(min(0.25, most / 8), most, _N_CURVE)
    variance = np.full(_N_CURVE, report.variance)
    curves = {
        t("fair.limits_named"): limits(expected, variance, share=INNER),
        t("fair.limits_outer"): limits(expected, variance, share=OUTER),
    }
    st.echarts_chart(
        funnel_option(
            rows.assign(told=[_told(row) for _, row in rows.iterrows()]),
            curves,
            expected,
            words={kind: class_words(kind).split(maxsplit=1)[1] for kind in CLASSES},
            axes=(t("fair.axis_expected"), t("fair.axis_ratio")),
        ),
        height=room.tall(_CHART_PX),
        theme=None,
        renderer="svg",
        key=f"fair_funnel_{village}",
    )
    counted = rows["class"].value_counts()
    st.caption(
        t(
            "fair.found",
            n_grids=len(rows),
            n_compared=len(_compared(report, None)),
            n_higher=int(counted.get(HIGHER, 0)),
            n_lower=int(counted.get(LOWER, 0)),
            n_too_few=int(counted.get(TOO_FEW, 0)),
            alpha=f"{report.alpha:.0%}",
        )
    )


def ranking(report: FairReport, village: str | None, room: Room, *, key: str, touched: str) -> str | None:
    """Draw the table, most over expectation first, and return the code of the row that is chosen."""
    rows = _of_village(report, village).sort_values("rank", kind="stable")
    if not report.is_known:
        st.info(t("fair.unknown"))
        return None
    share = f"{report.interval_share:.0%}"
    texts, number = st.column_config.TextColumn, st.column_config.NumberColumn
    shown = pd.DataFrame(
        {
            "name": rows["name"],
            "class": rows["class"].map(class_words),
            "n_new": rows["n_new"],
            "expected": rows["expected"],
            "shrunken": rows["shrunken"],
            "shrunken_range": _range(rows, "shrunken", digits=1),
            "new_per_person": rows["new_per_person"],
            "forecast": rows["forecast"],
            "forecast_range": _range(rows, "forecast", digits=0),
            "forecast_per_person": rows["forecast_per_person"],
        }
    )
    month = f"{report.forecast_month:%Y-%m}"
    columns = {
        name: number(
            t(f"fair.{name}_short"), help=t(f"fair.{name}_formula", month=month), format="%.1f", width=_NUMBER_PX
        )
        for name in ("expected", "shrunken", "new_per_person", "forecast", "forecast_per_person")
    }
    event = st.dataframe(
        shown.astype(object).where(shown.notna(), None),
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config=columns
        | {
            "name": texts(t("workload.name"), pinned=True, width=_NAME_PX),
            "class": texts(t("fair.class"), width=_CLASS_PX),
            "n_new": number(t("fair.n_new_short"), help=t("workload.n_new_formula"), format="%d", width=_NUMBER_PX),
            "shrunken_range": texts(
                t("fair.shrunken_range_short"), help=t("fair.shrunken_range_formula", share=share), width=_RANGE_PX
            ),
            "forecast_range": texts(
                t("fair.forecast_range_short"), help=t("fair.forecast_range_formula", share=share), width=_RANGE_PX
            ),
        },
        on_select=lambda: st.session_state.update({touched: key}),
        selection_mode="single-row",
        key=key,
    )
    st.caption(_how_sure(report))
    chosen = event.selection.rows
    return str(rows.index[chosen[0]]) if chosen and chosen[0] < len(rows) else None


def suggestions(report: FairReport, room: Room) -> None:
    """Say in plain sentences where one more member, or a moved group, evens out most."""
    if not report.is_known:
        st.info(t("fair.unknown"))
        return
    if not report.has_todays_grids:
        st.info(t("fair.past_plan"))
        return
    adding = [_add_words(report, at) for at in range(len(report.one_more))] or [t("fair.no_add")]
    moving = [_move_words(one) for one in report.moves] or [t("fair.no_move")]
    parts = [
        f"<h4>{html.escape(title)}</h4><ol>{''.join(f'<li>{html.escape(one)}</li>' for one in sentences)}</ol>"
        for title, sentences in ((t("fair.add_title"), adding), (t("fair.move_title"), moving))
    ]
    with st.container(height=room.tall(_TABLE_PX + 60), border=False):
        st.html(Markup(f'<div class="advice">{"".join(parts)}</div>'))
        st.caption(f"{t('fair.sum_rule')} {t('fair.move_rule')}")


def exported(report: FairReport) -> tuple[pd.DataFrame, list[Column]]:
    """Return the columns for the exported table, on the grids' index, with the words for how each is computed."""
    rows = report.grids.assign(actual_ratio=report.grids["ratio"])
    month, share = f"{report.forecast_month:%Y-%m}", f"{report.interval_share:.0%}"
    rows["class"] = rows["class"].map(class_words)
    columns = [
        Column(
            name=name,
            header=t(f"fair.{name}"),
            kind=kind,
            formula="" if kind == "text" else t(f"fair.{name}_formula", month=month, share=share),
        )
        for name, kind in _EXPORTED
    ]
    return rows[[name for name, _ in _EXPORTED]], columns


def _of_village(report: FairReport, village: str | None) -> pd.DataFrame:
    return report.grids if village is None else report.grids[report.grids["village_code"] == village]


def _compared(report: FairReport, village: str | None) -> pd.DataFrame:
    return _of_village(report, village).dropna(subset="expected") if report.is_known else report.grids.iloc[:0]


def _told(row: pd.Series) -> str:
    return t(
        "fair.point",
        name=row["name"],
        actual=int(row["n_new"]),
        expected=f"{row['expected']:.1f}",
        class_words=class_words(str(row["class"])),
        low=f"{row['low_95']:.2f}",
        high=f"{row['high_95']:.2f}",
    )


def _range(rows: pd.DataFrame, name: str, *, digits: int) -> list[str | None]:
    return [
        None if pd.isna(low) else f"{low:.{digits}f} – {high:.{digits}f}"
        for low, high in zip(rows[f"{name}_low"], rows[f"{name}_high"], strict=True)
    ]


def _how_sure(report: FairReport) -> str:
    if not report.has_todays_grids:
        return t("fair.past_plan")
    if report.forecast is None or not report.forecast.n_tried:
        return t("fair.untried")
    return t(
        "fair.tried",
        n_tried=report.forecast.n_tried,
        coverage=f"{report.forecast.coverage:.0%}",
        share=f"{report.forecast.share:.0%}",
        error=f"{report.forecast.error:.1f}",
        naive=f"{report.forecast.error_of_last_month:.1f}",
    )


def _add_words(report: FairReport, at: int) -> str:
    one = report.one_more[at]
    if one.before is None:
        return t("fair.add_empty", name=one.name, after=f"{one.after:.1f}")
    gain = UNKNOWN if one.gain_share is None else f"{one.gain_share:.1%}"
    return t(
        "fair.add", name=one.name, team=one.team_size, before=f"{one.before:.1f}", after=f"{one.after:.1f}", gain=gain
    )


def _move_words(move: MovedUnit) -> str:
    return t(
        "fair.move" if move.back_name is None else "fair.exchange",
        unit=move.unit_name,
        back=move.back_name,
        from_grid=move.from_grid,
        to_grid=move.to_grid,
        n=move.n_households,
        after_homes=move.to_households,
        from_before=f"{move.from_before:.1f}",
        from_after=f"{move.from_after:.1f}",
        to_before=f"{move.to_before:.1f}",
        to_after=f"{move.to_after:.1f}",
        gain=f"{move.gain_share:.1%}",
    )
