import geopandas as gpd
import pytest

from tests.ingest.town import EAST, GRID, METRIC, WEST, box, read, reasons, write_vector

COLUMNS = ("网格代码", "网格名称", "村代码", "超限原因", "批准人")
SOUND = (GRID, "一片", WEST, None, None, box(0, 0, 1000.4, 1000))


def _file(tmp_path, *rows):
    frame = gpd.GeoDataFrame([row[:5] for row in rows], columns=COLUMNS, geometry=[row[5] for row in rows], crs=METRIC)
    return write_vector(frame.astype(dict.fromkeys(COLUMNS, object)), tmp_path / "grids.shp")


def test_hand_drawn_grids_are_kept_as_they_are(tmp_path):
    second = (WEST + "002", "二片", WEST, "地形所限", "李建国", box(0, 999, 1000, 2000))
    reading = read("grids", _file(tmp_path, SOUND, second))
    grids = reading.frames["grids"]
    assert grids["grid_code"].tolist() == [GRID, WEST + "002"]
    assert grids["exception_reason"].tolist() == [None, "地形所限"]
    assert grids["exception_approved_by"].tolist() == [None, "李建国"]
    assert grids.to_crs(METRIC).area.tolist() == pytest.approx([1000.4 * 1000, 1000 * 1001], rel=1e-6)
    assert (reading.encoding, len(reading.changed)) == ("gb18030", 0)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ((WEST + "02", "x", WEST, None, None, SOUND[5]), "grid_code_form"),
        ((GRID, "x", WEST, None, None, SOUND[5]), "repeated_key"),
        ((WEST + "002", "x", EAST, None, None, SOUND[5]), "village_of_grid"),
        (("439901999209001", "x", "439901999209", None, None, SOUND[5]), "unknown_village"),
        ((EAST + "001", "x", EAST, None, None, SOUND[5]), "grid_elsewhere"),
        ((WEST + "002", "x", WEST, "太散", None, SOUND[5]), "exception_not_approved"),
        ((WEST + "002", None, WEST, None, None, SOUND[5]), "missing_value"),
        (SOUND, "duplicate"),
    ],
)
def test_a_faulty_grid_is_refused(tmp_path, row, code):
    reading = read("grids", _file(tmp_path, SOUND, row))
    assert reasons(reading) == {2: code}
