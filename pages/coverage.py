"""Coverage: checkpoints visited, missed or not to be told, lanes nobody passed for long, door-to-door visits."""

import streamlit as st

from gridmap.reports.coverage import coverage_report
from gridmap.reports.patrolled import patrolled_report
from gridmap.texts import t
from gridmap.ui import controls, coverage_files, coverage_tables, coverage_view, loaders, panels, shell
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
passed = loaders.load(patrolled_report)
with age_place:
    panels.data_age(report.known_at)
panels.figures(
    [
        ("coverage.visited", report.visited),
        ("coverage.cannot_tell", report.visits.cannot_tell),
        ("coverage.never", report.n_never),
        ("coverage.door", report.visits.door_to_door),
        ("coverage.mean_days", passed.mean_days),
        ("coverage.covered", report.covered),
    ]
)
if report.households.empty and report.checkpoints.empty:
    st.info(t("coverage.unknown"))
    st.stop()
left, right = st.columns(2)
with left:
    coverage_view.legend(passed)
    coverage_view.draw_map(report, passed, township, space)
with right:
    coverage_view.states(report)
    points, sums, calendar, long, doors, homes, files = st.tabs(
        [t(f"coverage.tab_{name}") for name in coverage_view.TABS]
    )
    with points:
        coverage_tables.checkpoints(report, space)
    with sums:
        coverage_tables.sums(report, space)
    with calendar:
        coverage_view.calendar(report, village, space)
    with long:
        coverage_tables.passed_long_ago(passed, village, space)
    with doors:
        coverage_tables.doors(report, space)
    with homes:
        coverage_tables.uncovered(report, space)
    with files:
        coverage_files.take_away(report, passed, township, period)
