"""Codes of new grids: by place, above all that were ever used."""

import geopandas as gpd
import pytest
import shapely

from gridmap.errors import InfeasibleError
from gridmap.planning.numbering import next_grid_code, number_grids
from tests.planning.conftest import METRIC

VILLAGE = "439901101201"


def test_west_before_east_and_north_before_south():
    middles = {"east": (300, 50), "south": (100, 0), "north": (100.2, 90)}
    grids = gpd.GeoSeries({name: shapely.Point(xy) for name, xy in middles.items()}, crs=METRIC)
    assert number_grids(grids, village_code=VILLAGE) == {
        "north": VILLAGE + "001",
        "south": VILLAGE + "002",
        "east": VILLAGE + "003",
    }


def test_a_retired_number_is_never_used_again():
    assert next_grid_code(VILLAGE, used=[VILLAGE + "004", "439901101202009", VILLAGE]) == VILLAGE + "005"


def test_a_village_without_numbers_left_says_so():
    with pytest.raises(InfeasibleError, match=VILLAGE):
        next_grid_code(VILLAGE, used=[VILLAGE + "999"])
    with pytest.raises(ValueError, match="village_code"):
        next_grid_code("4399", used=[])
