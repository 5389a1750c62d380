"""Workload, coverage, disputes and the state of the data, of the day that was counted by hand (`tests/busy.py`)."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from gridmap.reports.coverage import CoverageReport, coverage_report
from gridmap.reports.data import data_report, quarantine_report
from gridmap.reports.disputes import DisputesReport, disputes_report
from gridmap.reports.figures import Figure
from gridmap.reports.workload import WorkloadReport, workload_report
from tests.busy import NOW
from tests.tiny import EAST_VILLAGE, GRIDS, TOWNSHIP, WEST_VILLAGE

COMMON = {"township_code": TOWNSHIP, "now": NOW, "zone": ZoneInfo("Asia/Shanghai")}
VISIT_RULE = {"checkpoint_reach_m": 60, "fix_accuracy_m": 20, "patrol_max_speed_kmh": 40, "far_checkin_m": 5000}
OCTOBER = {"first_on": date(2026, 10, 1), "last_on": date(2026, 10, 15)}


def _workload(engine: Engine, **changed: object) -> WorkloadReport:
    options = {"household_cap": 100, "near_cap_share": 0.9, **VISIT_RULE, "due_soon_hours": 24}
    with engine.connect() as connection:
        return workload_report(connection, **{**COMMON, **OCTOBER, **options, **changed})


def _coverage(engine: Engine, **changed: object) -> CoverageReport:
    options = {
        "duty": None,
        "village_code": None,
        **VISIT_RULE,
        "cover_reach_m": 300,
    }
    with engine.connect() as connection:
        return coverage_report(connection, **{**COMMON, **OCTOBER, **options, **changed})


def _disputes(engine: Engine, **changed: object) -> DisputesReport:
    options = {"kind": "dispute", "category": None, "village_code": None}
    measures = {"hides_private": False, "heat_cell_m": 50, "heat_bandwidth_m": 250, "due_soon_hours": 24}
    span = {"first_on": date(2025, 11, 1), "last_on": date(2026, 10, 15)}
    with engine.connect() as connection:
        return disputes_report(connection, **{**COMMON, **span, **options, **measures, **changed})


def _parts(figure: Figure) -> tuple[float | None, float | None]:
    return figure.numerator, figure.denominator


# ---- workload


def test_homes_and_residents_of_each_grid(busy_engine: Engine):
    grids = _workload(busy_engine).grids
    assert grids.index.tolist() == list(GRIDS)
    assert grids["n_households"].tolist() == [3, 4, 11]
    assert grids["n_residents"].tolist() == [1 + 2 + 3, 1 + 2 + 3 + 4, 15 + 21]


def test_incidents_are_counted_in_the_grid_where_they_happened(busy_engine: Engine):
    """I1 and I3 in the first grid, I2 in the third; I4 has no place, I5 to I7 happened before October."""
    grids = _workload(busy_engine).grids
    assert grids["n_new"].tolist() == [2, 0, 1]
    assert grids["n_closed"].tolist() == [1, 1, 0]
    assert grids["n_open"].tolist() == [1, 1, 1]
    assert grids["n_overdue"].tolist() == [0, 1, 0]


def test_visits_made_and_due_in_half_a_month(busy_engine: Engine):
    """Fifteen days: once a week is 2, twice 4, five times 11, once a month 0 (rounded); the closed point none."""
    report = _workload(busy_engine)
    assert report.grids["n_due"].tolist() == [2 + 4, 0, 11]
    assert report.grids["n_made"].tolist() == [1 + 1, 0, 0]
    assert _parts(report.made) == (2, 17)


def test_the_team_is_who_serves_today(busy_engine: Engine):
    report = _workload(busy_engine)
    assert report.grids["team_size"].tolist() == [2, 0, 0]
    assert report.grids["households_per_member"].fillna(-1).tolist() == [1.5, -1, -1]
    assert _parts(report.households_per_member) == (18, 2)


def test_villages_add_up_to_the_township(busy_engine: Engine):
    report = _workload(busy_engine)
    assert report.villages.index.tolist() == [WEST_VILLAGE, EAST_VILLAGE]
    assert report.villages["n_households"].tolist() == [7, 11]
    assert (report.n_households.value, report.n_residents.value) == (18, 52)
    assert report.villages["n_grids"].sum() == report.n_grids.value == 3


def test_a_grid_is_over_its_own_plan_s_cap_only(busy_engine: Engine):
    assert _workload(busy_engine).n_over_cap.value == 0
    with busy_engine.begin() as connection:
        connection.execute(text("ALTER TABLE plan DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE plan SET household_cap = 10"))
    report = _workload(busy_engine)
    assert (report.n_over_cap.value, report.household_cap) == (1, 10)


def test_without_facts_workload_is_unknown_and_not_zero(tiny_engine: Engine):
    report = _workload(tiny_engine)
    assert report.grids[["n_new", "n_open", "n_overdue", "n_made"]].isna().all(axis=None)
    assert [report.n_open.value, report.n_overdue.value, report.made.value] == [None] * 3
    assert report.n_households.value == 18
    assert report.grids[["team_size", "n_due"]].isna().all(axis=None)


def test_without_households_the_load_is_unknown_and_not_zero(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        connection.execute(text("DELETE FROM household"))
    report = _workload(tiny_engine)
    assert report.grids[["n_households", "n_residents", "cap_share"]].isna().all(axis=None)
    assert report.villages[["n_households", "n_over_cap"]].isna().all(axis=None)
    assert [report.n_households.value, report.n_residents.value, report.n_over_cap.value] == [None] * 3


def test_without_a_plan_there_are_no_grids(engine: Engine, tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        connection.execute(text("ALTER TABLE plan DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE plan SET valid_from = '2030-01-01'"))
    report = _workload(tiny_engine)
    assert report.grids.empty
    assert [report.n_grids.value, report.n_over_cap.value, report.n_households.value] == [None] * 3


# ---- coverage


def test_homes_within_300_m_of_a_checkpoint(busy_engine: Engine):
    """Only the four homes 2,200 to 2,500 m east lie within 300 m of C4 at 2,500 m; C1 to C3 stand 500 m north."""
    report = _coverage(busy_engine)
    assert _parts(report.covered) == (4, 18)
    assert report.n_uncovered.value == 14


def test_homes_within_600_m_of_a_checkpoint(busy_engine: Engine):
    """500 m north leaves 331 m to each side: three homes at C1, none at C2, three at C3; at C4 the group of five."""
    assert _parts(_coverage(busy_engine, cover_reach_m=600).covered) == (3 + 3 + 5 + 1, 18)


def test_visits_by_state_worst_first(busy_engine: Engine):
    report = _coverage(busy_engine)
    states = report.checkpoints["state"]
    assert list(states.items()) == [("C4", "never"), ("C2", "missed"), ("C1", "missed"), ("C3", "visited")]
    assert report.n_never.value == 1
    assert _parts(report.visited) == (2, 17)


def test_a_checkpoint_that_closed_meanwhile_still_owes_its_days_and_covers_no_home(busy_engine: Engine):
    """C5 was open in September only: 30 days once a week are 4 visits (nobody checked in); in October it is gone."""
    september = {"first_on": date(2026, 9, 1), "last_on": date(2026, 9, 30)}
    report = _coverage(busy_engine, **september)
    assert report.checkpoints.loc["C5", ["n_due", "n_made", "state"]].tolist() == [4, 0, "unknown"]
    assert _parts(report.covered) == (4, 18)
    assert _workload(busy_engine, **september).grids["n_due"].tolist() == [4 + 9, 1, 21 + 4]
    assert "C5" not in _coverage(busy_engine).checkpoints.index


def test_a_village_and_a_duty_narrow_the_page(busy_engine: Engine):
    west = _coverage(busy_engine, village_code=WEST_VILLAGE)
    assert (len(west.households), west.covered.denominator) == (7, 7)
    service = _coverage(busy_engine, duty="service")
    assert service.checkpoints.index.tolist() == ["C4"]
    assert service.covered.numerator == 4


def test_without_checkpoints_coverage_is_unknown(tiny_engine: Engine):
    report = _coverage(tiny_engine)
    figures = (report.covered, report.visited, report.n_never, report.n_uncovered)
    assert [figure.value for figure in figures] == [None] * 4


# ---- disputes


def test_disputes_of_a_year(busy_engine: Engine):
    report = _disputes(busy_engine)
    assert report.n_incidents.value == 5
    assert _parts(report.settled) == (2, 5)
    assert _parts(report.in_grid) == (1, 2)
    assert _parts(report.on_time) == (1, 2)


def test_the_surfaces_add_up_to_the_incidents(busy_engine: Engine):
    report = _disputes(busy_engine)
    assert np.sum(report.whole.per_km2) * 0.05**2 == pytest.approx(5)
    assert {month: round(np.sum(density.per_km2) * 0.05**2) for month, density in report.months.items()} == {
        "2026-09": 3,
        "2026-10": 2,
    }


def test_what_has_no_place_is_counted_beside_the_map(busy_engine: Engine):
    report = _disputes(busy_engine, kind=None)
    assert (report.n_incidents.value, report.n_without_place, report.whole.n_points) == (7, 1, 6)


def test_filters_narrow_and_the_list_of_categories_stays(busy_engine: Engine):
    report = _disputes(busy_engine, category="婚姻")
    assert (report.n_incidents.value, report.category_names) == (1, ("婚姻", "邻里"))
    assert _disputes(busy_engine, village_code=EAST_VILLAGE).n_incidents.value == 1


def test_tables_count_the_last_month_and_the_one_before(busy_engine: Engine):
    row = _disputes(busy_engine).categories.loc["邻里"]
    assert row[["n_incidents", "n_settled", "n_open", "n_last", "n_before"]].tolist() == [4, 2, 2, 1, 3]


def test_an_empty_month_is_zero_but_an_empty_record_is_unknown(busy_engine: Engine, tiny_engine: Engine):
    assert _disputes(busy_engine, category="没有").n_incidents.value == 0
    long_ago = {"first_on": date(2020, 1, 1), "last_on": date(2020, 2, 1)}
    assert _disputes(tiny_engine, **long_ago).n_incidents.value is None


def test_a_report_of_yesterday_does_not_know_of_today(busy_engine: Engine):
    assert _disputes(busy_engine, now=NOW - timedelta(days=1)).n_incidents.value == 3


# ---- data


def test_the_state_of_the_data_names_counts_and_files(busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO import_record (township_code, layer, file_name, file_sha256, n_read, n_taken, n_changed, n_new, file_bytes,"
                " n_quarantined, notes, imported_at, imported_by)"
                " VALUES (:t, 'households', 'h.xlsx', repeat('a', 64), 19, 18, 1, 18, 9999, 1, '[]', now(), 'tests')"
            ),
            {"t": TOWNSHIP},
        )
        connection.execute(
            text(
                "INSERT INTO import_quarantine (import_id, quarantine_number, row_number, sheet, reason_code, reason, row)"
                " SELECT import_id, 1, 7, '', 'not_a_number', '人口数不是数', '{\"人口数\": \"约100\"}' FROM import_record"
            )
        )
        report = data_report(connection, township_code=TOWNSHIP)
        (import_id,) = report.imports.index
        refused = quarantine_report(connection, import_id=import_id)
    row = report.layers.loc["households"]
    assert (row["n_rows"], row["file_name"], row["n_read"], row["n_quarantined"]) == (18, "h.xlsx", 19, 1)
    assert pd.isna(report.layers.loc["checkpoints", "file_name"])
    assert refused.to_dict("records") == [{"人口数": "约100", "row_number": 7, "sheet": "", "reason": "人口数不是数"}]


def test_everybody_sees_disputes_without_private_matters_and_where_they_lie(busy_engine: Engine):
    all_of_them, told = _disputes(busy_engine), _disputes(busy_engine, hides_private=True)
    assert (all_of_them.n_incidents.value, told.n_incidents.value) == (5, 4)
    assert told.is_withheld
    assert not all_of_them.is_withheld
    assert "婚姻" not in told.categories.index
    assert "婚姻" not in told.monthly.columns
    # The one in the east is private: neither its village nor its surface is left.
    assert told.villages.index.tolist() == ["西村"]
    assert told.whole.n_points == all_of_them.whole.n_points - 1
    private = _disputes(busy_engine, hides_private=True, category="婚姻")
    assert private.n_incidents.value is None
    assert private.whole.n_points == 0
    assert private.months == {}
    assert not _disputes(busy_engine, hides_private=True, category="邻里").is_withheld
