"""The sample's files, read with plain pandas and geopandas: nothing of gridmap, nothing of the generator."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
METRIC = "EPSG:4547"


@pytest.fixture(scope="session")
def sample():
    return SAMPLE


@pytest.fixture(scope="session")
def areas():
    return gpd.read_file(SAMPLE / "areas.shp", encoding="GBK")


@pytest.fixture(scope="session")
def groups(areas):
    return areas[areas["级别"] == "组"].reset_index(drop=True)


@pytest.fixture(scope="session")
def villages(areas):
    return areas[areas["级别"].isin(["村", "社区"])].reset_index(drop=True)


@pytest.fixture(scope="session")
def township(areas):
    return areas[areas["级别"] == "乡"].geometry.iloc[0]


@pytest.fixture(scope="session")
def grids():
    return gpd.read_file(SAMPLE / "grids.shp", encoding="GBK").fillna("")


@pytest.fixture(scope="session")
def paths():
    return gpd.read_file(SAMPLE / "paths.geojson")


@pytest.fixture(scope="session")
def metric_paths(paths):
    return paths.to_crs(METRIC)


@pytest.fixture(scope="session")
def water():
    return gpd.read_file(SAMPLE / "water.geojson").to_crs(METRIC)


@pytest.fixture(scope="session")
def river(water):
    return water[water["类型"] == "河流"].geometry.union_all()


@pytest.fixture(scope="session")
def household_rows():
    return pd.read_excel(SAMPLE / "households.xlsx", sheet_name="住户", engine="openpyxl", dtype={"户编号": str})


@pytest.fixture(scope="session")
def households(household_rows, groups, villages):
    """The rows that are right, as points in metres with the code of the group they name."""
    east, north = (pd.to_numeric(household_rows[c], errors="coerce") for c in ("横坐标Y", "纵坐标X"))
    east = east - 38_000_000
    people = pd.to_numeric(household_rows["人口数"], errors="coerce")
    right = east.between(513_000, 527_000) & north.between(3_080_000, 3_094_000) & people.between(1, 50)
    right &= ~household_rows["户编号"].duplicated()
    names = villages.set_index("代码")["名称"]
    by_name = {(names[row["上级代码"]], row["名称"]): row["代码"] for _, row in groups.iterrows()}
    code = [by_name.get(key) for key in zip(household_rows["村"], household_rows["村民小组"], strict=True)]
    table = household_rows.assign(group_code=code, 人口数=people)
    points = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(east.fillna(0), north.fillna(0)), crs=METRIC)
    return points[right & points["group_code"].notna()].reset_index(drop=True)


@pytest.fixture(scope="session")
def checkpoints():
    table = pd.read_csv(SAMPLE / "checkpoints.csv", encoding="gb18030", dtype={"巡查点编号": str})
    points = gpd.points_from_xy(table["经度"], table["纬度"])
    return gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4490").to_crs(METRIC)


@pytest.fixture(scope="session")
def staff():
    return pd.read_excel(
        SAMPLE / "staff.xlsx", sheet_name="人员", engine="openpyxl", dtype={"账号": str, "所属代码": str}
    )


@pytest.fixture(scope="session")
def checkin_rows():
    answer = json.loads((SAMPLE / "checkins.json").read_text(encoding="utf-8"))
    assert (answer["errcode"], answer["errmsg"]) == (0, "ok")
    return answer["checkindata"]


@pytest.fixture(scope="session")
def checkins(checkin_rows):
    """Check-ins with a place, as points in metres; GCJ-02 undone by one fixed-point step (right to a metre)."""
    table = pd.DataFrame(checkin_rows)
    table["at"] = pd.to_datetime(table["checkin_time"], unit="s", utc=True).dt.tz_convert("Asia/Shanghai")
    placed = table[(table["lat"] != 0) & (table["lng"] != 0)].copy()
    lon, lat = placed["lng"] / 1e6, placed["lat"] / 1e6
    east, north = shift_of_shifted(lon.to_numpy(), lat.to_numpy())
    points = gpd.points_from_xy(lon - east, lat - north)
    return gpd.GeoDataFrame(placed, geometry=points, crs="EPSG:4490").to_crs(METRIC)


@pytest.fixture(scope="session")
def gcj_shift():
    return shift_of_shifted


def shift_of_shifted(lon, lat):
    """Degrees by which GCJ-02 lies east and north of CGCS2000, one fixed-point step from the shifted place (error below 1 m)."""
    from math import pi

    def forward(x, y):
        wave = (20 * np.sin(6 * pi * x) + 20 * np.sin(2 * pi * x)) / 1.5
        north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(abs(x)) + wave
        north = (
            north
            + (20 * np.sin(pi * y) + 40 * np.sin(pi * y / 3) + 160 * np.sin(pi * y / 12) + 320 * np.sin(pi * y / 30))
            / 1.5
        )
        east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(abs(x)) + wave
        east = (
            east
            + (20 * np.sin(pi * x) + 40 * np.sin(pi * x / 3) + 150 * np.sin(pi * x / 12) + 300 * np.sin(pi * x / 30))
            / 1.5
        )
        phi = (y + 35) * pi / 180
        root = 1 - 0.00669342162296594323 * np.sin(phi) ** 2
        m = 6378245 * (1 - 0.00669342162296594323) / root**1.5
        return np.degrees(east / (6378245 / np.sqrt(root) * np.cos(phi))), np.degrees(north / m)

    east, north = forward(lon - 105, lat - 35)
    return forward(lon - east - 105, lat - north - 35)


@pytest.fixture(scope="session")
def incidents():
    return pd.read_excel(SAMPLE / "incidents.xlsx", sheet_name="事件", engine="openpyxl", dtype={"类别代码": str})


@pytest.fixture(scope="session")
def steps():
    return pd.read_excel(SAMPLE / "incidents.xlsx", sheet_name="处理过程", engine="openpyxl").fillna({"队伍": ""})


@pytest.fixture(scope="session")
def categories():
    return pd.read_excel(
        SAMPLE / "incidents.xlsx", sheet_name="类别", engine="openpyxl", dtype={"类别代码": str, "对应新代码": str}
    )


@pytest.fixture(scope="session")
def disputes(incidents, categories):
    """Disputes with a place, as points in metres, with the name of their category."""
    named = incidents.merge(categories[["清单年度", "类别代码", "类别名称", "大类"]], on=["清单年度", "类别代码"])
    named = named[(named["大类"] == "矛盾纠纷") & named["经度"].notna()]
    return gpd.GeoDataFrame(named, geometry=gpd.points_from_xy(named["经度"], named["纬度"]), crs="EPSG:4490").to_crs(
        METRIC
    )
