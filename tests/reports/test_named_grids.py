"""An incident without a place counts in every report for the grid that was named, and once only."""

import inspect
from datetime import date
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from gridmap.reports.fair import fair_report
from gridmap.reports.handling import handling_report
from gridmap.reports.hotspots import hotspots_report
from gridmap.reports.workload import workload_report
from gridmap.settings import Settings
from tests.busy import NOW
from tests.tiny import GRIDS, TOWNSHIP

GIVEN = {
    "township_code": TOWNSHIP, "now": NOW, "zone": ZoneInfo("Asia/Shanghai"), "first_on": date(2026, 10, 1), "last_on": date(2026, 10, 15),
    "kind": None, "category": None, "by_todays_plan": False, "with_past": True, "wanted": "", "hides_private": False,
}  # fmt: skip


def _counts(engine: Engine, report) -> pd.Series:
    """Incidents of each grid in a report."""
    wanted = {name for name in inspect.signature(report).parameters if name != "connection"}
    settings = {name: getattr(Settings(), name) for name in wanted if hasattr(Settings(), name)}
    with engine.connect() as connection:
        made = report(connection, **settings | {name: GIVEN[name] for name in wanted if name in GIVEN})
    if report is handling_report:
        return made.cases["grid_code"].value_counts().reindex(list(GRIDS), fill_value=0)
    return (made.grids["n_incidents"] if report is hotspots_report else made.grids["n_new"]).reindex(list(GRIDS))


@pytest.mark.parametrize("report", [handling_report, workload_report, fair_report, hotspots_report])
def test_a_named_grid_counts_where_there_is_no_place_and_only_there(busy_engine: Engine, report):
    before = _counts(busy_engine, report)
    with busy_engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, grid_code, geom, happened_at,"
                " recorded_at) SELECT 'new ' || n, township_code, category_code, list_year, urgency, :grid,"
                " CASE WHEN n > 1 THEN geom END, happened_at, recorded_at FROM incident, generate_series(1, 2) AS n"
                " WHERE incident_code = 'I1'"
            ),
            {"grid": GRIDS[2]},
        )
    # One without a place, one that lies in the first grid though the third was named.
    assert (_counts(busy_engine, report) - before).tolist() == [1, 0, 1]
