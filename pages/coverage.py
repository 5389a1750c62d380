"""Coverage: homes near a checkpoint, checkpoints by state, the 15-minute circle, gaps worst first."""

import streamlit as st

from gridmap.reports.coverage import coverage_report
from gridmap.texts import t
from gridmap.ui import controls, coverage_view, loaders, panels, shell
from gridmap.ui.roles import require_role
from gridmap.ui.room import page_room

require_role("viewer")
township = shell.office_page(t("shell.coverage"))
space = page_room()
(period_place, duty_place, village_place), age_place = controls.line(f"{township.name} {t('shell.coverage')}", 3)
with period_place:
    period = controls.period()
with duty_place:
    duty = controls.duty()
with village_place:
    village = controls.village(township, panels.village_names())
report = loaders.load(
    coverage_report,
    first_on=period.first_on,
    last_on=period.last_on,
    duty=duty,
    village_code=village,
)
with age_place:
    panels.data_age(report.known_at)
panels.figures(
    [
        ("coverage.covered", report.covered),
        ("coverage.uncovered", report.n_uncovered),
        ("coverage.visited", report.visited),
        ("coverage.never", report.n_never),
        ("coverage.reached", report.reached),
        ("coverage.outside", report.n_outside),
    ]
)
if report.households.empty and report.checkpoints.empty:
    st.info(t("coverage.unknown"))
    st.stop()
left, right = st.columns(2)
with left:
    coverage_view.legend()
    coverage_view.draw_map(report, township, space)
with right:
    coverage_view.states(report)
    visits, homes, circle = st.tabs([t("coverage.gaps_visits"), t("coverage.gaps_homes"), t("coverage.gaps_circle")])
    with visits:
        coverage_view.checkpoint_table(report, space)
    with homes:
        coverage_view.grid_table(report, space)
    with circle:
        coverage_view.village_table(report, space)
