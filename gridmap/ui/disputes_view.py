"""What the disputes page draws: the heat map of a month or of the whole span, its legend, tables."""

from functools import lru_cache

import pandas as pd
import streamlit as st

from gridmap.analysis.density import Density
from gridmap.maps.deck import CachedDeck
from gridmap.maps.heat import HEAT_RAMP, corners_of, heat_image
from gridmap.maps.office import MapGround, heat_deck
from gridmap.reports.disputes import DisputesReport
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import charts, panels
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

SHOWN = ("by_density", "by_grid")
_WHOLE = ""
_MAP_PX, _TABLE_PX, _CHART_PX, _KEPT = 390, 235, 210, 32


def shown_on_map(report: DisputesReport) -> str:
    """Let a person choose what the map shows; one of `SHOWN`. With nothing that may be drawn there is no choice."""
    if not report.n_incidents.value:
        return SHOWN[1]
    chosen: str = st.segmented_control(
        t("hotspots.shown"),
        SHOWN,
        default=SHOWN[0],
        required=True,
        format_func=lambda name: t(f"hotspots.{name}"),
        key="disputes_shown",
    )
    return chosen


def months(report: DisputesReport, kind: str | None) -> None:
    """Draw the incidents of each month; or say why there are none to draw."""
    if report.is_withheld:
        st.caption(t("disputes.withheld", least=settings().public_hidden_below))
    if report.n_incidents.value:
        st.echarts_chart(
            charts.monthly_option(named(report.monthly, kind), others=t("disputes.others")),
            height=_CHART_PX,
            theme=None,
            renderer="svg",
            key="disputes_months",
        )


def month_slider(report: DisputesReport) -> str:
    """Let a person go through the months; the empty text is the whole span."""
    months = [_WHOLE, *report.months]
    chosen: str = st.select_slider(
        t("disputes.month"),
        months,
        value=_WHOLE,
        format_func=lambda month: month or t("disputes.whole"),
        key=f"month_{months[1] if len(months) > 1 else ''}_{len(months)}",
    )
    return chosen


def highest_per_km2(report: DisputesReport, month: str) -> float:
    """Return the density that gets the strongest colour: all months share one, the whole span has its own."""
    shown = [report.whole] if month == _WHOLE else list(report.months.values())
    return max((float(one.per_km2.max()) for one in shown), default=0.0)


def _density(report: DisputesReport, month: str) -> Density:
    return report.whole if month == _WHOLE else report.months[month]


@lru_cache(maxsize=_KEPT)
def _deck(report: DisputesReport, month: str, ground: MapGround) -> CachedDeck:
    density = _density(report, month)
    image = heat_image(density.per_km2, highest=highest_per_km2(report, month))
    return heat_deck(ground, image=image, corners=corners_of(density.bounds, density.crs))


def draw_map(report: DisputesReport, township: Township, month: str, room: Room) -> None:
    """Draw the heat map; its picture is made once for a report and a month."""
    height = room.tall(_MAP_PX)
    ground = panels.map_ground(township, width_px=room.half_px, height_px=height)
    st.pydeck_chart(_deck(report, month, ground), height=height, key="disputes_map")


def legend(report: DisputesReport, month: str) -> None:
    """Draw the legend: what one colour means, in incidents per square kilometre."""
    highest = highest_per_km2(report, month)
    steps = len(HEAT_RAMP)
    keys = [("step", colour, _digits(highest * (at + 1) / steps)) for at, colour in enumerate(HEAT_RAMP)]
    panels.legend(keys, title=t("disputes.density", bandwidth=f"{settings().heat_bandwidth_m:.0f}"))


def _digits(density: float) -> str:
    return f"{density:.0f}" if density >= 10 else f"{density:.1f}"  # noqa: PLR2004  digits that matter


def left_out(report: DisputesReport) -> None:
    """Say how many incidents are on no map."""
    if report.n_without_place:
        st.caption(t("disputes.without_place", count=report.n_without_place))


def named(monthly: pd.DataFrame, kind: str | None) -> pd.DataFrame:
    """Return the monthly counts with kinds in words where all kinds are shown."""
    if kind is not None:
        return monthly
    return monthly.rename(columns={name: t(f"controls.kind_{name}") for name in monthly.columns})


def table(rows: pd.DataFrame, label: str, room: Room, *, key: str) -> None:
    """Draw a table of settled and not settled, month on month."""
    rows = rows.assign(settled_share=panels.as_percent(rows["settled_share"]))
    shown = rows.reset_index()[["name", "n_incidents", "n_settled", "n_open", "settled_share", "n_last", "n_before"]]
    number = st.column_config.NumberColumn
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config={
            "name": st.column_config.TextColumn(label, pinned=True),
            "n_incidents": number(t("disputes.n_incidents")),
            "n_settled": number(t("disputes.n_settled")),
            "n_open": number(t("disputes.n_open")),
            "settled_share": panels.percent_column(t("disputes.settled"), formula=t("disputes.formula_settled")),
            "n_last": number(t("disputes.n_last")),
            "n_before": number(t("disputes.n_before")),
        },
        key=key,
    )
