"""Disputes: heat map by month or hot and cold grids, monthly series, tables by category, village and grid."""

import streamlit as st

from gridmap.reports.disputes import disputes_report
from gridmap.reports.hotspots import hotspots_report
from gridmap.texts import t
from gridmap.ui import controls, disputes_view, hotspots_view, loaders, panels, shell
from gridmap.ui.roles import handles_matters, require_role
from gridmap.ui.room import page_room

require_role("viewer")
township = shell.office_page(t("shell.disputes"))
space = page_room()
villages = panels.village_names()
places, age_place = controls.line(f"{township.name} {t('shell.disputes')}", 4)
with places[0]:
    period = controls.period(initially="last_12_months")
with places[1]:
    kind = controls.kind()
with places[3]:
    village = controls.village(township, villages)
# Where private matters lie is for those who handle them.
span = {"first_on": period.first_on, "last_on": period.last_on, "kind": kind, "hides_private": not handles_matters()}
with places[2]:
    category = controls.category(loaders.load(disputes_report, category=None, village_code=None, **span).category_names)
report = loaders.load(disputes_report, category=category, village_code=village, **span)
with age_place:
    panels.data_age(report.known_at)
panels.figures(
    [
        ("disputes.incidents", report.n_incidents),
        ("disputes.settled", report.settled),
        ("disputes.in_grid", report.in_grid),
        ("disputes.on_time", report.on_time),
    ]
)
if not report.n_incidents.value and not report.is_withheld:
    st.info(t("disputes.none" if report.n_incidents.value == 0 else "disputes.unknown"))
    st.stop()
spots = loaders.load(hotspots_report, category=category, **span)
left, right = st.columns(2)
with left:
    switch_place, beside_switch = st.columns([2, 3])
with switch_place:
    shown = disputes_view.shown_on_map(report)
with right:
    disputes_view.months(report, kind)
    names = [t("disputes.by_category"), t("disputes.by_village"), t("hotspots.by_grid")]
    first = names[-1] if shown == "by_grid" else names[0]
    by_category, by_village, by_grid = st.tabs(names, default=first, key=f"disputes_tabs_{shown}")
    with by_category:
        disputes_view.table(report.categories, t("disputes.category"), space, key="disputes_categories")
    with by_village:
        disputes_view.table(report.villages, t("disputes.village"), space, key="disputes_villages")
    with by_grid:
        chosen = hotspots_view.table(spots, village, f"{period.last_on}", space)
if shown == "by_grid":
    with beside_switch:
        hotspots_view.sureness(spots, village)
    with left:
        hotspots_view.legend()
        hotspots_view.draw_map(spots, township, village, chosen, space)
        hotspots_view.beside_map(spots)
else:
    with beside_switch:
        month = disputes_view.month_slider(report)
    with left:
        disputes_view.legend(report, month)
        disputes_view.draw_map(report, township, month, space)
        disputes_view.left_out(report)
