"""Planning: redraw grids on a map, with the counts before saving; check, suggest, compare, submit, publish."""

import streamlit as st

from gridmap.reports.plans import plans_report
from gridmap.texts import t
from gridmap.ui import (
    controls,
    loaders,
    panels,
    planning_desk,
    planning_files,
    planning_map,
    planning_process,
    planning_view,
    shell,
)
from gridmap.ui.roles import require_role
from gridmap.ui.room import page_room

require_role("editor")
township = shell.office_page(t("shell.planning"), looks_back=False)
space = page_room()
(plan_place, village_place), who_place = controls.line(f"{township.name} {t('shell.planning')}", 2)
report = loaders.load(plans_report)
if report.plans.empty:
    st.info(t("planning.no_plans"))
    st.stop()
with plan_place:
    desk = planning_desk.open_desk(planning_view.pick_plan(report))
with village_place:
    village = controls.village(township, panels.village_names())
with who_place:
    planning_desk.ask_who()
desk.look_at(village)
if desk.board.state == "draft":
    planning_desk.hear(desk, st.session_state.get(planning_map.map_key(desk, village)))
with st.container(key="planning_said"):  # always there, so that a message does not move the map to another place
    planning_desk.tell()
    planning_process.conflicts(desk)
left, right = st.columns([1.5, 1])
with right:
    grids, check, suggest, process, files = st.tabs([t(f"planning.tab_{name}") for name in planning_view.TABS])
    with grids:
        planning_view.grids(desk, village, space)
    with check:
        place = planning_view.violations(desk, village, space)
    with suggest:
        planning_view.suggestions(desk, village)
    with process:
        planning_process.steps(desk)
        planning_process.branch_form(desk)
        planning_process.history(report)
    with files:
        planning_files.take_away(desk, village)
        planning_files.take_in(desk)
with left:
    planning_view.tools(desk, village)
    planning_view.legend(desk)
    planning_map.draw(desk, village=village, height_px=space.tall(430), turn=planning_desk.turn(), look_at=place)
if st.toggle(t("planning.tab_compare"), key="planning_compare"):
    planning_process.side_by_side(desk, report, village, space)
