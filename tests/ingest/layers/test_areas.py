import pytest
import shapely

from gridmap.errors import CrsError, InputError
from tests.ingest.town import AREAS, EAST, TOWNSHIP, WEST, areas_file, box, read, reasons


@pytest.mark.parametrize("ending", [".shp", ".gpkg", ".geojson"])
def test_areas_are_read_from_every_vector_format(tmp_path, ending):
    reading = read("areas", areas_file(tmp_path / f"areas{ending}"))
    areas = reading.frames["areas"].set_index("area_code")
    assert areas.index.tolist() == [row[0] for row in AREAS]
    assert areas["level"].tolist() == [row[1] for row in AREAS]
    assert areas["kind"].tolist() == [row[2] for row in AREAS]
    assert areas["parent_code"].tolist() == [row[3] for row in AREAS]
    assert areas.crs.to_epsg() == 4490
    metric = areas.to_crs(4547).area
    assert metric[TOWNSHIP] == pytest.approx(4e6, rel=1e-6)
    assert metric[[WEST, EAST]].sum() == pytest.approx(4e6, rel=1e-6)
    assert shapely.coverage_is_valid(areas.geometry[areas["level"] == "group"].to_numpy())


def test_a_small_gap_is_cleaned_and_told(tmp_path):
    reading = read("areas", areas_file(tmp_path / "a.gpkg", changes={WEST + "02": box(0, 1000.4, 1000, 2000)}))
    assert reading.n_quarantined == 0
    groups = reading.frames["areas"].query("level == 'group'").to_crs(4547)
    assert shapely.coverage_is_valid(groups.geometry.to_numpy(), gap_width=1.0)
    assert groups.area.sum() == pytest.approx(4e6, rel=1e-6)
    assert "border aligned with the neighbours" in reading.changed["change"].iloc[0]


def test_a_small_overlap_is_cleaned_and_told(tmp_path):
    reading = read("areas", areas_file(tmp_path / "a.gpkg", changes={WEST + "02": box(0, 999.2, 1000, 2000)}))
    groups = reading.frames["areas"].query("level == 'group'").to_crs(4547)
    assert groups.area.sum() == pytest.approx(4e6, rel=1e-6)
    assert shapely.coverage_is_valid(groups.geometry.to_numpy())
    assert len(reading.changed) >= 1


@pytest.mark.parametrize(
    "change",
    [
        {WEST + "02": box(0, 1005, 1000, 2000)},
        {WEST + "02": box(0, 990, 1000, 2000)},
        {WEST: box(0, 0, 990, 2000)},
        {WEST + "01": box(0, 0, 1000, 1000).difference(box(400, 400, 500, 500))},
        {WEST + "01": box(-50, 0, 1000, 1000)},
    ],
    ids=["gap", "overlap", "village gap", "hole", "beyond the village"],
)
def test_a_big_fault_refuses_the_file(tmp_path, change):
    with pytest.raises(InputError, match=r"by more than 2 m|of more than 2 m"):
        read("areas", areas_file(tmp_path / "a.gpkg", changes=change))


def test_a_blank_parent_is_filled_in_from_the_code(tmp_path):
    row = list(AREAS[3])
    row[3] = None
    reading = read("areas", areas_file(tmp_path / "a.gpkg", changes={row[0]: row}))
    assert reading.frames["areas"].set_index("area_code").loc[row[0], "parent_code"] == WEST
    assert reading.changed["change"].tolist() == [f"parent filled in from its own code: `{WEST}`"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("43990199920", "village", "village", TOWNSHIP, "x", box(0, 0, 9, 9)), "area_code_form"),
        ((WEST + "01", "group", "group", WEST, "x", box(0, 0, 9, 9)), "repeated_key"),
        ((EAST + "03", "group", "group", WEST, "x", box(0, 0, 9, 9)), "parent_code"),
        ((TOWNSHIP + "20901", "group", "group", TOWNSHIP + "209", "x", box(0, 0, 9, 9)), "unknown_parent"),
        ((EAST + "03", "group", "group", EAST, None, box(0, 0, 9, 9)), "missing_value"),
    ],
)
def test_a_faulty_row_is_refused_and_the_rest_taken(tmp_path, row, code):
    reading = read("areas", areas_file(tmp_path / "a.gpkg", changes={"extra": row}))
    assert reasons(reading) == {8: code}
    assert reading.n_taken == 7


def test_there_is_exactly_one_township(tmp_path):
    second = ("439901998", "township", "township", None, "乙乡", box(5000, 0, 6000, 1000))
    with pytest.raises(InputError, match="exactly one township, 2 can be used"):
        read("areas", areas_file(tmp_path / "a.gpkg", changes={"x": second}))


def test_a_shapefile_without_prj_is_refused_and_read_when_told(tmp_path):
    file = areas_file(tmp_path / "areas.shp")
    file.with_suffix(".prj").unlink()
    with pytest.raises(CrsError, match=r"no \.prj, for example"):
        read("areas", file)
    assert read("areas", file, crs="EPSG:4547").n_taken == 7
