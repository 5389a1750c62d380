"""The 15-minute circle: who reaches a service point on foot, who does not, and where one more point helps most."""

import streamlit as st

from gridmap.reports.circle import circle_report
from gridmap.texts import t
from gridmap.ui import circle_files, circle_view, controls, loaders, panels, shell
from gridmap.ui.roles import require_role
from gridmap.ui.room import page_room

require_role("viewer")
township = shell.office_page(t("shell.circle"))
space = page_room()
(minutes_place, goal_place, village_place), age_place = controls.line(f"{township.name} {t('shell.circle')}", 3)
with minutes_place:
    minutes = circle_view.minutes()
with goal_place:
    goal = circle_view.goal()
with village_place:
    village = controls.village(township, panels.village_names())
report = loaders.load(circle_report, minutes=minutes, goal=goal)
with age_place:
    panels.data_age(report.known_at)
shown = report.of_village(village)
panels.figures(
    [
        ("circle.reached", shown.reached),
        ("circle.outside", shown.n_outside),
        ("circle.residents_outside", shown.n_residents_outside),
        ("circle.unmatched", shown.n_unmatched),
        ("circle.points", report.n_points),
    ]
)
if not report.is_known:
    st.info(t("circle.unknown"))
    st.stop()
circle_view.hear(report, village, space)
left, right = st.columns([1.2, 1])
with right:
    circle_view.tried_words(report)
    grids, suggest, problems, files = st.tabs([t(f"circle.tab_{name}") for name in circle_view.TABS])
    with grids:
        circle_view.gaps(report, village, space)
    with suggest:
        circle_view.suggestion(report)
    with problems:
        circle_view.problems(report, space)
    with files:
        circle_files.take_away(report, township)
with left:
    circle_view.legend(report)
    circle_view.draw_map(report, township, village, space)
