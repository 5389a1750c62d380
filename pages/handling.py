"""Cases (事件办理): what is to be done next, by whom, until when; one click a step; the whole history; search."""

import streamlit as st

from gridmap.reports.handling import handling_report
from gridmap.texts import t
from gridmap.ui import controls, handling_view, loaders, panels, shell
from gridmap.ui.roles import require_role
from gridmap.ui.room import page_room

require_role("editor")
township = shell.office_page(t("shell.handling"))
space = page_room()
places, age_place = controls.line(f"{township.name} {t('shell.handling')}", 4)
with places[0]:
    level = handling_view.level()
with places[1]:
    team = handling_view.team()
with places[2]:
    village = controls.village(township, panels.village_names())
with places[3]:
    wanted = handling_view.search()
report = loaders.load(handling_report)
with age_place:
    panels.data_age(report.known_at)
panels.figures(
    [
        ("handling.open", report.n_open),
        ("handling.overdue", report.n_overdue),
        ("handling.late", report.n_late),
        ("handling.due_soon", report.n_due_soon),
        ("handling.closing", report.closing),
        ("handling.on_time", report.on_time),
        ("handling.in_grid", report.in_grid),
        ("handling.satisfied", report.satisfied),
    ]
)
handling_view.tell()
if report.unlisted_year is not None:
    st.warning(t("handling.no_calendar", year=report.unlisted_year))
if report.cases.empty:
    st.info(t("handling.unknown"))
    st.stop()
rows = report.queue(level=level, team=team, village_code=village, wanted=wanted)
if rows.empty:
    st.info(t("handling.nothing"))
    st.stop()
left, right = st.columns([1.15, 1])
with left:
    chosen = handling_view.queue(report, rows, space)
    handling_view.draw_map(report, rows, chosen, township, space)
with right:
    one, times, settled = st.tabs([t(f"handling.tab_{name}") for name in handling_view.TABS])
    with one:
        handling_view.case(report, chosen)
    with times:
        handling_view.times(report, space)
    with settled:
        handling_view.settled(report, space)
