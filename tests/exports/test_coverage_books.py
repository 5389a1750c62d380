"""Coverage and the circle taken away: files open again, with what the page shows."""

import io
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import openpyxl
import pytest
from sqlalchemy import Engine

from gridmap.exports.circle_book import circle_geopackage, circle_workbook
from gridmap.exports.coverage_book import coverage_geopackage, coverage_workbook
from gridmap.reports.circle import circle_report
from gridmap.reports.coverage import coverage_report
from gridmap.reports.patrolled import patrolled_report
from gridmap.settings import settings
from gridmap.ui import loaders
from tests.busy import NOW
from tests.tiny import TOWNSHIP

GIVEN = {"township_code": TOWNSHIP, "now": NOW, "zone": ZoneInfo("Asia/Shanghai")}


@pytest.fixture
def reports(busy_engine: Engine):
    asked = {
        circle_report: {"township_code": TOWNSHIP, "on": date(2026, 10, 15), "minutes": 15, "goal": "service"},
        coverage_report: {
            **GIVEN,
            "first_on": date(2026, 10, 1),
            "last_on": date(2026, 10, 15),
            "duty": None,
            "village_code": None,
        },
        patrolled_report: GIVEN,
    }
    with busy_engine.connect() as connection:
        return {report: report(connection, **loaders._filled_in(report, options)) for report, options in asked.items()}


def _layers(content: bytes, tmp_path: Path, *names: str) -> list[gpd.GeoDataFrame]:
    file = tmp_path / "taken.gpkg"
    file.write_bytes(content)
    return [gpd.read_file(file, layer=name) for name in names]


def test_the_circle_s_layers_open_again(reports, tmp_path: Path):
    homes, points, circle = _layers(
        circle_geopackage(reports[circle_report]), tmp_path, "households", "points", "circle"
    )
    assert homes["status"].value_counts().to_dict() == {"reached": 12, "beyond": 6}
    assert points["name"].tolist() == ["便民服务点"]
    assert circle.geometry.is_valid.all()


def test_the_circle_s_workbook_lists_the_homes_outside(reports):
    book = openpyxl.load_workbook(io.BytesIO(circle_workbook(reports[circle_report], {"a": "b"})))
    homes = list(book.worksheets[1].values)
    assert len(homes) == 1 + 6
    assert [row[0] for row in homes[1:3]] == ["H-0-0", "H-0-1"]
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_coverage_s_layers_and_sheets_open_again(reports, tmp_path: Path):
    coverage, passed = reports[coverage_report], reports[patrolled_report]
    (points,) = _layers(coverage_geopackage(coverage, passed), tmp_path, "checkpoints")
    assert set(points["state"]) <= {"never", "missed", "waiting", "unknown", "visited"}
    book = openpyxl.load_workbook(io.BytesIO(coverage_workbook(coverage, passed, {})))
    assert len(book.sheetnames) == 7
    rows = list(book.worksheets[0].values)
    assert len(rows) == 1 + len(coverage.checkpoints)


def test_settings_stand_in_the_formulas(reports):
    book = openpyxl.load_workbook(io.BytesIO(circle_workbook(reports[circle_report], {})))
    said = "\n".join(str(row[1]) for row in book.worksheets[-1].values)
    assert f"{settings().walking_kmh:g}" in said
    assert "{" not in said
