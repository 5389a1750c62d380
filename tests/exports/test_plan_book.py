"""A plan taken away: a GeoPackage with two layers, a workbook, and one page a grid."""

import io
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
import shapely

from gridmap.exports.plan_book import PlanBook, geopackage, grid_pages, plan_workbook


@pytest.fixture
def book() -> PlanBook:
    """Two grids of one unit each."""
    lands = [shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)]
    grids = gpd.GeoDataFrame(
        {
            "name": ["东村第1网格", "=1+1"],
            "village_name": "东村",
            "n_households": [96, 104],
            "n_units": 1,
            "state": ["合规", "超上限"],
        },
        index=["439901999202001", "439901999202002"],
        geometry=lands,
        crs=4547,
    )
    units = gpd.GeoDataFrame(
        {"grid_code": grids.index, "n_households": [96, 104]}, index=["u1", "u2"], geometry=lands, crs=4547
    )
    homes = gpd.GeoSeries(shapely.points([(100, 100), (1500, 500)]), crs=4547)
    return PlanBook(title="小乡 · 方案", grids=grids, units=units, homes=homes, water=gpd.GeoSeries([], crs=4547))


def test_a_geopackage_holds_units_and_grids(book: PlanBook, tmp_path: Path):
    file = tmp_path / "plan.gpkg"
    file.write_bytes(geopackage(book))
    grids, units = gpd.read_file(file, layer="grids"), gpd.read_file(file, layer="units")
    assert grids["grid_code"].tolist() == ["439901999202001", "439901999202002"]
    assert units["grid_code"].tolist() == grids["grid_code"].tolist()
    assert units["n_households"].sum() == 200
    assert units.crs.to_epsg() == 4547


def test_a_workbook_holds_the_grids_and_no_formula(book: PlanBook):
    sheet = openpyxl.load_workbook(io.BytesIO(plan_workbook(book, {"方案": "方案"}))).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][:5] == ("439901999202001", "东村第1网格", "东村", 96, 1)
    assert sheet["B3"].data_type == "s"


def test_there_is_a_page_for_each_grid(book: PlanBook):
    pages = grid_pages(book)
    assert pages.startswith(b"%PDF")
    assert pages.count(b"/Type /Page\n") + pages.count(b"/Type /Page ") == 2
