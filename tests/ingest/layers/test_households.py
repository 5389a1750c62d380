import datetime as dt
import time

import geopandas as gpd
import pytest
import shapely

from tests.ingest.town import (
    EAST_M,
    HOUSEHOLD_HEADERS,
    NORTH_M,
    WEST,
    household,
    households_file,
    read,
    reasons,
    workbook,
)


def _read(tmp_path, *rows, **options):
    return read("households", households_file(tmp_path / "households.xlsx", rows), **options)


def test_a_list_becomes_points_and_counts(tmp_path):
    reading = _read(tmp_path, *(household(number) for number in range(1, 31)))
    homes = reading.frames["households"]
    assert homes["group_code"].unique().tolist() == [WEST + "01"]
    assert homes["n_residents"].tolist() == [3] * 30
    assert homes["n_left_behind"].tolist() == [0] * 30
    assert homes["n_low_income"].tolist() == [1] * 30
    assert homes["updated_on"].tolist() == [dt.date(2026, 3, 5)] * 30
    first = homes.to_crs(4547).geometry.iloc[0]
    assert first.distance(shapely.Point(EAST_M + 107, NORTH_M + 113)) < 1e-3
    assert (reading.crs, reading.datum) == ("EPSG:4526", "cgcs2000")
    assert reading.raw_points["raw_x"].iloc[0] == 38_000_000 + EAST_M + 107
    assert reading.raw_points["row_number"].iloc[0] == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"横坐标Y": None, "纵坐标X": None}, "missing_coordinates"),
        ({"纵坐标X": None}, "half_coordinates"),
        ({"横坐标Y": NORTH_M + 100, "纵坐标X": 38e6 + EAST_M + 100}, "swapped_axes"),
        ({"横坐标Y": 38e6 + EAST_M + 9000}, "outside_township"),
        ({"人口数": "约100"}, "not_a_number"),
        ({"人口数": -3}, "out_of_range"),
        ({"人口数": 900}, "out_of_range"),
        ({"人口数": None}, "missing_value"),
        ({"人口数": 2.5}, "not_whole"),
        ({"独居老人": 4}, "more_than_residents"),
        ({"更新日期": "去年"}, "not_a_date"),
        ({"村民小组": "九组"}, "unknown_group"),
        ({"村": "荷叶塘村"}, "unknown_village_name"),
        ({"户编号": "QS-01-0001"}, "repeated_key"),
        ({"户编号": "11010519491231002X"}, "personal_value"),
        ({"户编号": None}, "missing_value"),
    ],
)
def test_a_faulty_row_is_refused(tmp_path, changes, code):
    rows = [household(number) for number in range(1, 21)]
    reading = _read(tmp_path, *rows, household(99, **changes))
    assert reasons(reading) == {22: code}
    assert reading.quarantined["row"].iloc[0]["村民小组"] in {"一组", "九组"}


@pytest.mark.parametrize(
    ("changes", "column", "value", "told"),
    [
        ({"更新日期": "2026年3月5日"}, "updated_on", dt.date(2026, 3, 5), "`更新日期`: `2026年3月5日` → `2026-03-05`"),
        ({"更新日期": 46086}, "updated_on", dt.date(2026, 3, 5), "`更新日期`: `46086` → `2026-03-05`"),
        ({"人口数": "４"}, "n_residents", 4, "`人口数`: `４` → `4`"),
        ({"人口数": "4人"}, "n_residents", 4, "`人口数`: `4人` → `4`"),
    ],
)
def test_a_value_that_is_sure_is_mended_and_told(tmp_path, changes, column, value, told):
    reading = _read(tmp_path, household(1), household(2, **changes))
    assert reading.frames["households"][column].iloc[1] == value
    assert reading.changed.to_dict("records") == [{"row_number": 3, "sheet": "住户", "change": told}]


@pytest.mark.parametrize(
    ("village", "group", "code"),
    [
        ("石桥村", "1组", WEST + "01"),
        ("石桥", "第一村民小组", WEST + "01"),
        ("石桥村委会", "二组", WEST + "02"),
        (WEST, WEST + "02", WEST + "02"),
        (None, "望江组", "43990199920202"),
    ],
)
def test_places_are_known_by_name_spelling_and_code(tmp_path, village, group, code):
    reading = _read(tmp_path, household(1, 村=village, 村民小组=group))
    assert reading.frames["households"]["group_code"].tolist() == [code]


def test_a_name_that_two_groups_have_needs_its_village(tmp_path):
    """Both villages have a first group."""
    assert reasons(_read(tmp_path, household(1, 村=None))) == {2: "unknown_group"}


def test_personal_columns_are_stripped_and_told(tmp_path):
    headers = [*HOUSEHOLD_HEADERS, "户主姓名", "联系电话", "列X"]
    rows = [[*household(number), "张三", "13912345678", "11010519491231002X"] for number in range(1, 4)]
    rows.append([*household(4, 人口数="约3"), "李四", 13912345678, "11010519491231002X"])
    reading = read("households", workbook(tmp_path / "a.xlsx", {"住户": [headers, *rows]}))
    assert {(column.header, column.kind) for column in reading.dropped_columns} == {
        ("户主姓名", "name"),
        ("联系电话", "phone"),
        ("列X", "identity"),
    }
    everything = (
        reading.quarantined.to_json()
        + reading.frames["households"].to_json(default=str)
        + reading.preview.to_json()
        + str(reading.notes)
    )
    for secret in ("张三", "李四", "13912345678", "11010519491231002X"):
        assert secret not in everything
    assert list(reading.quarantined["row"].iloc[0]) == list(HOUSEHOLD_HEADERS)


@pytest.mark.parametrize("ending", [".csv", ".gpkg", ".geojson"])
def test_other_formats_of_the_same_list(tmp_path, ending):
    rows = [household(number) for number in range(1, 31)]
    file = tmp_path / f"households{ending}"
    if ending == ".csv":
        lines = [HOUSEHOLD_HEADERS, *rows]
        file.write_bytes(
            "\n".join(",".join("" if cell is None else str(cell) for cell in line) for line in lines).encode("gb18030")
        )
    else:
        columns = {header: [row[place] for row in rows] for place, header in enumerate(HOUSEHOLD_HEADERS)}
        points = shapely.points([x - 38e6 for x in columns.pop("横坐标Y")], columns.pop("纵坐标X"))
        gpd.GeoDataFrame(columns, geometry=points, crs=4547).to_file(file)
    expected = _read(tmp_path, *rows).frames["households"]
    found = read("households", file).frames["households"]
    assert found.drop(columns="geometry").equals(expected.drop(columns="geometry"))
    assert shapely.distance(found.geometry, expected.geometry).max() < 1e-8


def test_three_thousand_rows_take_seconds(tmp_path):
    file = households_file(tmp_path / "a.xlsx", [household(number) for number in range(3000)])
    started = time.perf_counter()
    reading = read("households", file)
    assert reading.n_taken == 3000
    assert time.perf_counter() - started < 20, "measured 0.6 s; a wide margin for slow machines"


def test_quarantined_rows_can_be_mended_and_loaded_again(tmp_path):
    reading = _read(tmp_path, *(household(number) for number in range(1, 11)), household(11, 人口数="约4"))
    (row,) = reading.quarantined["row"]
    row["人口数"] = 4
    again = read("households", workbook(tmp_path / "again.xlsx", {"s": [list(row), list(row.values())]}))
    assert again.frames["households"]["household_code"].tolist() == ["QS-01-0011"]
