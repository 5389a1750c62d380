"""`gridmap heat` from file to file: the sum is the number of points, in every format; bad files are said."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from gridmap.cli.main import app
from gridmap.errors import GridmapError
from gridmap.texts import use_language
from tests.analysis.hotspots.boards import METRIC, board

LENGTHS = ["--cell-m", "20", "--bandwidth-m", "60"]


@pytest.fixture(autouse=True)
def _english() -> None:
    use_language("en")


def _points(tmp_path: Path, xy: object) -> str:
    pd.DataFrame(np.asarray(xy, dtype=float).reshape(-1, 2), columns=["x", "y"]).to_csv(
        tmp_path / "points.csv", index=False
    )
    return str(tmp_path / "points.csv")


def _run(file: str, out: Path, *more: str) -> dict:
    lengths = [] if "--cell-m" in more else LENGTHS
    done = CliRunner().invoke(app, ["heat", file, *lengths, "--out", str(out), "--crs", METRIC, *more, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["heat.png", "heat.tif", "heat.asc", "heat.csv"])
def test_the_sum_is_the_number_of_points(tmp_path: Path, name: str):
    file = _points(tmp_path, [(100, 100), (110, 100), (400, 300), (np.nan, 5), (np.inf, 5)])
    answer = _run(file, tmp_path / name)
    assert (answer["n_points"], answer["n_outside"]) == (3, 2)
    assert answer["sum"] == pytest.approx(3, rel=1e-9)
    assert (answer["cell_m"], answer["bandwidth_m"]) == (20, 60)
    assert answer["files"][0] == name
    assert all((tmp_path / file).exists() for file in answer["files"])
    x, y = answer["maximum_at"]
    assert np.hypot(x - 105, y - 100) < 20
    if name == "heat.csv":
        table = pd.read_csv(tmp_path / name, encoding="utf-8-sig")
        assert len(table) == answer["columns"] * answer["rows"]
        assert table["n_incidents"].sum() == pytest.approx(3)
        assert table["n_incidents"].max() == pytest.approx(answer["maximum"])


def test_bounds_and_an_area_say_what_is_inside(tmp_path: Path):
    file = _points(tmp_path, [(100, 100), (400, 300), (5000, 100)])
    bounded = _run(file, tmp_path / "heat.png", "--bounds", "0,0,600,500")
    assert (bounded["n_points"], bounded["n_outside"], bounded["columns"], bounded["rows"]) == (2, 1, 30, 25)
    board(5, 6).to_file(tmp_path / "area.gpkg")
    assert _run(file, tmp_path / "heat.png", "--area", str(tmp_path / "area.gpkg"))["bounds"] == bounded["bounds"]


def test_an_empty_picture_needs_bounds(tmp_path: Path):
    file = _points(tmp_path, [(np.nan, 1)])
    with pytest.raises(GridmapError, match="no point has a place"):
        _run(file, tmp_path / "heat.png")
    answer = _run(file, tmp_path / "heat.png", "--bounds", "0,0,100,100")
    assert (answer["n_points"], answer["sum"], answer["maximum"]) == (0, 0, 0)


def test_what_a_person_reads_says_it_all(tmp_path: Path):
    file = _points(tmp_path, [(100, 100), (np.nan, 1)])
    arguments = ["heat", file, *LENGTHS, "--out", str(tmp_path / "heat.png"), "--crs", METRIC]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    for part in ("1 incidents", "cells of 20.0 m", "without a place: 1", "heat.pgw"):
        assert part in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cell-m", "0", "--bandwidth-m", "5"], "--cell-m"),
        (["--cell-m", "nan", "--bandwidth-m", "5"], "--cell-m"),
        (["--cell-m", "5", "--bandwidth-m", "-5"], "--bandwidth-m"),
        (["--cell-m", "5", "--bandwidth-m", "inf"], "--bandwidth-m"),
        (["--cell-m", "0.001", "--bandwidth-m", "5"], "cells"),
        (["--bounds", "0,0,100"], "`0,0,100`"),
        (["--bounds", "0,0,a,100"], "`0,0,a,100`"),
        (["--bounds", "0,0,0,100"], "--bounds"),
        (["--bounds", "0,0,nan,100"], "--bounds"),
        (["--bounds", "0,0,9,9", "--area", "area.gpkg"], "not both"),
        (["--crs", "EPSG:4490"], "degrees"),
        (["--crs", "EPSG:0"], "EPSG:0"),
    ],
)
def test_options_that_do_not_fit_are_said(tmp_path: Path, options: list[str], said: str):
    with pytest.raises(GridmapError) as caught:
        _run(_points(tmp_path, [(100, 100), (200, 100)]), tmp_path / "heat.png", *options)
    assert said in str(caught.value)
    assert not list(tmp_path.glob("heat.*"))


def test_files_that_do_not_fit_are_said(tmp_path: Path):
    (tmp_path / "empty.csv").write_text("x,y\n")
    gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=METRIC).to_file(tmp_path / "land.gpkg")
    for name, said in (("empty.csv", "holds no rows"), ("nowhere.csv", "nowhere"), ("land.gpkg", "no points")):
        with pytest.raises(GridmapError, match=said):
            _run(str(tmp_path / name), tmp_path / "heat.png")
    with pytest.raises(GridmapError, match=r"heat\.jpg"):
        _run(_points(tmp_path, [(1, 1)]), tmp_path / "heat.jpg")


def test_an_empty_picture_has_no_highest_place(tmp_path: Path):
    file = _points(tmp_path, [(100, 100)])
    answer = _run(file, tmp_path / "heat.asc", "--bounds", "5000,5000,6000,6000")
    assert (answer["n_points"], answer["n_outside"], answer["maximum_at"]) == (0, 1, None)
    options = [*LENGTHS, "--bounds", "5000,5000,6000,6000", "--out", str(tmp_path / "heat.asc"), "--crs", METRIC]
    assert "Not one incident" in CliRunner().invoke(app, ["heat", file, *options]).stdout


def test_a_kernel_narrower_than_two_cells_is_said(tmp_path: Path):
    file = _points(tmp_path, [(100, 100), (400, 400)])
    for bandwidth, is_said in (("19", True), ("20", False)):
        options = ["--cell-m", "10", "--bandwidth-m", bandwidth, "--out", str(tmp_path / "heat.asc"), "--crs", METRIC]
        assert ("bandwidth is less than" in CliRunner().invoke(app, ["heat", file, *options]).stderr) == is_said
