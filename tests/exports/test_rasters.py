"""Surfaces as files: what lies where, in every format, and names that cannot be written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
from PIL import Image

from gridmap.analysis.density import Density, density_of_places
from gridmap.errors import InputError
from gridmap.exports.rasters import picture, require_raster_name, write_raster

METRIC = pyproj.CRS("EPSG:4547")


def _surface(crs: pyproj.CRS = METRIC) -> Density:
    xy = np.array([[500_120.0, 3_100_290.0], [500_130.0, 3_100_280.0]])
    bounds = (500_000.0, 3_100_000.0, 500_400.0, 3_100_300.0)
    return density_of_places(xy, bounds=bounds, cell_m=20, bandwidth_m=40, crs=crs)


def test_a_picture_lies_where_its_world_file_says(tmp_path: Path):
    written = write_raster(_surface(), tmp_path / "heat.png")
    assert [file.name for file in written] == ["heat.png", "heat.pgw", "heat.prj"]
    x_step, _, _, y_step, x, y = (float(line) for line in (tmp_path / "heat.pgw").read_text().split())
    assert (x_step, y_step, x, y) == (20, -20, 500_010, 3_100_290)
    assert pyproj.CRS((tmp_path / "heat.prj").read_text()).to_epsg(min_confidence=20) == 4547
    with Image.open(tmp_path / "heat.png") as image:
        assert image.size == (20, 15)
        pixels = np.asarray(image.convert("RGBA")).astype(int)
    values = _surface().values  # noqa: PD011  an array already
    row, column = np.unravel_index(values.argmax(), (15, 20))
    assert pixels[row, column, 3] == pixels[..., 3].max()
    assert pixels[-1, -1, 3] == 0


def test_a_stronger_value_is_never_clearer_or_brighter():
    pixels = np.asarray(picture(np.linspace(0, 5, 200)[None]).convert("RGBA")).astype(int)[0]
    assert (np.diff(pixels[:, 3]) >= 0).all()
    assert (np.diff(pixels[:, :3].sum(axis=1)) <= 0).all()
    assert not np.asarray(picture(np.zeros((2, 2))).convert("RGBA"))[..., 3].any()


@pytest.mark.parametrize("name", ["heat.tif", "heat.TIFF"])
def test_a_geotiff_holds_the_numbers_and_where_they_lie(tmp_path: Path, name: str):
    surface = _surface()
    write_raster(surface, tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert np.asarray(image) == pytest.approx(surface.values, rel=1e-6)
        assert image.tag_v2[33550] == (20, 20, 0)
        assert image.tag_v2[33922] == (0, 0, 0, 500_000, 3_100_300, 0)
        keys = np.array(image.tag_v2[34735]).reshape(-1, 4)
    assert keys.tolist() == [[1, 1, 0, 4], [1024, 0, 1, 1], [1025, 0, 1, 1], [3072, 0, 1, 4547], [3076, 0, 1, 9001]]


def test_an_ascii_grid_holds_the_numbers_and_where_they_lie(tmp_path: Path):
    surface = _surface()
    write_raster(surface, tmp_path / "heat.asc")
    lines = (tmp_path / "heat.asc").read_text().splitlines()
    head = {name: float(value) for name, value in (line.split() for line in lines[:6])}
    assert head == {
        "ncols": 20, "nrows": 15, "xllcorner": 500_000, "yllcorner": 3_100_000, "cellsize": 20, "NODATA_value": -9999,
    }  # fmt: skip
    assert np.array([line.split() for line in lines[6:]], dtype=float) == pytest.approx(surface.values, rel=1e-6)
    assert (tmp_path / "heat.prj").exists()


def test_a_table_names_the_middle_of_each_cell(tmp_path: Path):
    surface = _surface()
    write_raster(surface, tmp_path / "heat.csv")
    table = pd.read_csv(tmp_path / "heat.csv", encoding="utf-8-sig")
    assert table["n_incidents"].sum() == pytest.approx(2)
    first = table.loc[table["n_incidents"].idxmax()]
    assert np.hypot(first["x"] - 500_125, first["y"] - 3_100_285) < 20
    assert table["per_km2"].to_numpy() == pytest.approx(table["n_incidents"].to_numpy() * 2500)


def test_names_that_cannot_be_written_are_said(tmp_path: Path):
    for name in ("heat.jpg", "missing/heat.png"):
        with pytest.raises(InputError):
            require_raster_name(tmp_path / name)
    (tmp_path / "heat.csv").mkdir()
    with pytest.raises(InputError, match=r"heat\.csv"):
        write_raster(_surface(), tmp_path / "heat.csv")


def test_a_geotiff_needs_a_numbered_coordinate_system(tmp_path: Path):
    own = pyproj.CRS("+proj=tmerc +lat_0=0 +lon_0=113.37 +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m")
    with pytest.raises(InputError, match="EPSG"):
        write_raster(_surface(own), tmp_path / "heat.tif")
    assert write_raster(_surface(own), tmp_path / "heat.asc")
