"""Workload per grid: figures, map by a measure, sortable table, fair comparison, forecast, advice, download."""

import streamlit as st

from gridmap.reports.fair import fair_report
from gridmap.reports.workload import workload_report
from gridmap.texts import t
from gridmap.ui import controls, fair_view, loaders, panels, shell, workload_view
from gridmap.ui.roles import require_role
from gridmap.ui.room import page_room

require_role("viewer")
township = shell.office_page(t("shell.workload"))
space = page_room()
(period_place, measure_place, village_place), age_place = controls.line(f"{township.name} {t('shell.workload')}", 3)
with period_place:
    period = controls.period()
with measure_place:
    measure = controls.measure(workload_view.MEASURES)
by_today = bool(st.session_state.get(workload_view.BY_TODAY))
report = loaders.load(workload_report, first_on=period.first_on, last_on=period.last_on, by_todays_plan=by_today)
with village_place:
    village = controls.village(township, report.villages["village_name"].to_dict())
with age_place:
    panels.data_age(report.known_at)
if report.grids.empty:
    st.info(t("workload.no_grids"))
    st.stop()
fair = loaders.load(
    fair_report,
    first_on=period.first_on,
    last_on=period.last_on,
    by_todays_plan=by_today,
    with_past=not st.session_state.get(fair_view.WITHOUT_PAST),
)
workload_view.plan_in_use(report)
panels.figures(
    [
        ("workload.over_cap", report.n_over_cap),
        ("workload.households", report.n_households),
        ("workload.per_member", report.households_per_member),
        ("workload.open", report.n_open),
        ("workload.overdue", report.n_overdue),
        ("workload.made_of_due", report.made),
    ]
)
left, right = st.columns(2)
with right:
    by_grid, funnel, ranking, advice, cap, by_village = st.tabs(
        [
            t("workload.by_grid"),
            t("fair.tab_funnel"),
            t("fair.tab_ranking"),
            t("fair.tab_suggestions"),
            t("workload.by_cap"),
            t("workload.by_village"),
        ]
    )
    with by_grid:
        chosen = workload_view.grid_table(report, village, space)
        workload_view.downloads(report, fair, township, village)
    with funnel:
        fair_view.funnel(fair, village, space)
    with ranking:
        ranked = fair_view.ranking(fair, village, space, key=f"fair_ranking_{village}", touched=workload_view.TOUCHED)
    with advice:
        fair_view.suggestions(fair, space)
    with cap:
        workload_view.cap_chart(report, village, space)
    with by_village:
        workload_view.village_table(report, space)
with left:
    workload_view.legend(report, measure)
    workload_view.draw_map(report, township, measure, workload_view.touched_last(chosen, ranked), space)
