"""Layers as files: what is written is read back, and text stays text in a spreadsheet."""

import csv
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gridmap.errors import InputError
from gridmap.exports.layers import write_layer
from tests.exports.test_tables import NASTY

POINTS = gpd.GeoSeries([shapely.Point(1.5, 2), shapely.Point(3, 4.25)], crs="EPSG:4547")


@pytest.mark.parametrize("text", [text for text in NASTY if text not in ("http://x", "{=1}")])
def test_typed_text_is_no_formula_in_csv(tmp_path: Path, text: str):
    layer = gpd.GeoDataFrame({"name": [text, "plain"], text: [-1, 2]}, geometry=POINTS)
    write_layer(layer, tmp_path / "layer.csv")
    with (tmp_path / "layer.csv").open(encoding="utf-8-sig", newline="") as file:
        head, first, second = csv.reader(file)
    assert head == ["name", f"'{text}", "x", "y"]
    assert first == [f"'{text}", "-1", "1.5", "2.0"]
    assert second == ["plain", "2", "3.0", "4.25"]


def test_a_folder_that_is_not_there_and_an_unknown_ending_are_said(tmp_path: Path):
    layer = gpd.GeoDataFrame(geometry=POINTS)
    for name in ("missing/layer.gpkg", "layer.txt"):
        with pytest.raises(InputError):
            write_layer(layer, tmp_path / name)
