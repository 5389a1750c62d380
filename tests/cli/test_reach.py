"""`gridmap coverage area|gaps` from file to file: what they answer, what they write, what they make of bad files."""

import json
import math
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from gridmap.cli.coverage import app
from gridmap.errors import GridmapError
from gridmap.texts import use_language
from tests.analysis.network.maps import METRIC, Place, lines_at, points_at

KEYS = {"n_reached", "n_unreached", "n_unmatched", "reached_length_m", "area_m2", "seconds"}
EAST, NORTH = 500_000.0, 3_000_000.0
FLAT = ["--speed-kmh", "3.6", "--minutes", "5"]
"""300 m at 1 m/s."""


@pytest.fixture(autouse=True)
def _english() -> None:
    use_language("en")


def _moved(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The small maps, moved to where the coordinate system is at home."""
    return frame.set_geometry(frame.translate(EAST, NORTH))


def _file(folder: Path, name: str, frame: gpd.GeoDataFrame) -> str:
    """Write a layer; points as a table go without the child process that reads the others."""
    moved = _moved(frame)
    if name.endswith(".csv"):
        moved.assign(x=moved.geometry.x, y=moved.geometry.y).drop(columns="geometry").to_csv(folder / name, index=False)
    else:
        moved.to_file(folder / name)
    return str(folder / name)


@pytest.fixture
def town(tmp_path: Path) -> list[str]:
    """A lane of 1 km with a point at its west end and four homes; a lane by itself with one."""
    paths = _file(tmp_path, "paths.gpkg", lines_at([(0, 0), (1000, 0)], [(0, 500), (200, 500)]))
    points = _file(tmp_path, "points.csv", points_at((0, 0)).assign(name="office"))
    homes = points_at((100, 10), (280, 10), (300, 10), (900, 0), (100, 500), (500, 2000))
    homes = homes.assign(code=list("abcdef"), grid=["x", "x", "y", "y", "z", "z"], n=[1, 2, 3, 4, 5, 6])
    return [paths, "--crs", METRIC, "--from", points, "--households", _file(tmp_path, "homes.csv", homes)]


def _ask(*arguments: str) -> dict:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0
    return json.loads(done.stdout)


def test_area_counts_homes_and_measures_paths_and_ground(town: list[str], tmp_path: Path):
    answer = _ask("area", *town, *FLAT, "--out", str(tmp_path / "area.gpkg"))
    assert set(answer) >= KEYS
    assert [answer[key] for key in ("n_reached", "n_unreached", "n_unmatched")] == [2, 3, 1]
    assert answer["reached_length_m"] == pytest.approx(300, abs=1e-3)
    assert answer["area_m2"] == pytest.approx(300 * 50 + math.pi * 25**2, rel=0.03)
    (ground,) = gpd.read_file(tmp_path / "area.gpkg").geometry
    assert ground.area == pytest.approx(answer["area_m2"], abs=0.1)
    assert [problem["kind"] for problem in answer["problems"]] == ["island"]


def test_area_writes_lines_and_one_area_a_point(town: list[str], tmp_path: Path):
    points = _file(tmp_path, "two.csv", points_at((0, 0), (400, 0)).assign(name=["west", "east"]))
    asked = [*town[:4], points, *FLAT]
    lines = _ask("area", *asked, "--lines", "--out", str(tmp_path / "lines.geojson"))
    assert gpd.read_file(tmp_path / "lines.geojson").length.sum() == pytest.approx(700, abs=1e-2)
    each = _ask("area", *asked, "--each", "--out", str(tmp_path / "each.gpkg"))
    assert sorted(gpd.read_file(tmp_path / "each.gpkg")["point"]) == ["east", "west"]
    assert each["reached_length_m"] == lines["reached_length_m"]
    assert each["area_m2"] == pytest.approx(lines["area_m2"], rel=0.02)
    assert [each[key] for key in ("n_reached", "n_unreached", "n_unmatched")] == [None, None, None]


def test_gaps_lists_who_lacks_what_and_the_worst_grid_first(town: list[str], tmp_path: Path):
    out = tmp_path / "gaps.gpkg"
    answer = _ask("gaps", *town, *FLAT, "--grid", "grid", "--weight", "n", "--out", str(out))
    assert [answer[key] for key in ("n_reached", "n_unreached", "n_unmatched")] == [2, 3, 1]
    assert (answer["weight"], answer["weight_outside"], answer["weight_unmatched"]) == (21, 12, 6)
    assert [(row["grid"], row["weight_outside"], row["n_unmatched"]) for row in answer["grids"]] == [
        ("y", 7, 0),
        ("z", 5, 1),
        ("x", 0, 0),
    ]
    assert answer["unmatched"] == ["f"]
    written = gpd.read_file(out)
    assert written["code"].tolist() == ["e", "d", "c", "f"]
    assert written["status"].tolist() == ["unreachable", "beyond", "beyond", "unmatched"]
    assert written["lacks_m"].tolist()[1:3] == [600, 10]
    assert written["lacks_min"].tolist()[1:3] == [10, 0.17]
    assert answer["grids"][0]["most_missing_m"] == 600


def test_in_words_both_commands_say_the_same(town: list[str], tmp_path: Path):
    said = CliRunner().invoke(app, ["gaps", *town, *FLAT, "--grid", "grid", "--out", str(tmp_path / "gaps.csv")]).stdout
    assert "households inside 2, outside 3, cannot be told 1" in said
    assert "y: 2 of 2 households outside" in said
    assert "too far from every path: f" in said
    said = CliRunner().invoke(app, ["area", *town, *FLAT, "--out", str(tmp_path / "area.csv")]).stdout
    assert "From 0.30 km of path" in said


def test_paths_in_degrees_and_a_river_in_degrees_are_projected_to_the_points(town: list[str], tmp_path: Path):
    paths = _moved(lines_at([(0, 0), (1000, 0)])).to_crs("EPSG:4326")
    paths.to_file(tmp_path / "paths.geojson")
    river = gpd.GeoDataFrame(geometry=[shapely.box(50, 4, 1000, 6)], crs=METRIC)
    _moved(river).to_crs("EPSG:4326").to_file(tmp_path / "river.geojson")
    asked = [str(tmp_path / "paths.geojson"), *town[1:], *FLAT, "--out", str(tmp_path / "out.gpkg")]
    answer = _ask("area", *asked)
    assert (answer["n_reached"], answer["n_unreached"]) == (2, 2)
    answer = _ask("area", *asked, "--barriers", str(tmp_path / "river.geojson"))
    assert (answer["n_reached"], answer["n_unreached"], answer["n_unmatched"]) == (0, 1, 5)


def test_heights_and_speeds_of_kinds_change_the_area(town: list[str], tmp_path: Path):
    shapes = [[(0.0, 0.0, 0.0), (500.0, 0.0, 100.0)], [(0.0, 0.0, 0.0), (0.0, 500.0, 0.0)]]
    hill = lines_at(*shapes, 类型=["lane", "ford"])
    paths, out = _file(tmp_path, "hill.gpkg", hill), str(tmp_path / "out.gpkg")
    down = 300 * math.exp(-3.5 * 0.15) / math.exp(-3.5 * 0.05)
    both = _ask("area", paths, *town[1:5], *FLAT, "--out", out)
    assert both["reached_length_m"] == pytest.approx(down + 300, abs=0.01)
    dry = _ask("area", paths, *town[1:5], *FLAT, "--speed-of", "ford=0", "--out", out)
    assert dry["reached_length_m"] == pytest.approx(down, abs=0.01)
    assert [problem["kind"] for problem in dry["problems"]] == ["not_walked"]


def _osm(folder: Path, head: str = "") -> Path:
    """A street with a lane that crosses it, once at a shared node and once on a bridge; a motorway; a private way."""
    places = {1: (0, 0), 2: (200, 0), 3: (400, 0), 4: (200, 200), 5: (300, -50), 6: (300, 50)}
    xy = _moved(points_at(*places.values())).to_crs("EPSG:4326").geometry
    nodes = "".join(
        f'<node id="{number}" lat="{place.y:.9f}" lon="{place.x:.9f}"/>'
        for number, place in zip(places, xy, strict=True)
    )
    ways = [
        ([1, 2, 3], {"highway": "residential", "name": "正街"}),
        ([2, 4], {"highway": "path"}),
        ([5, 6], {"highway": "path", "bridge": "yes"}),
        ([1, 4], {"highway": "motorway"}),
        ([3, 4], {"highway": "service", "access": "private"}),
        ([3, 4], {"building": "yes"}),
        ([99, 98], {"highway": "path"}),
    ]
    texts = [
        f'<way id="{at}">'
        + "".join(f'<nd ref="{node}"/>' for node in nodes_of)
        + "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        + "</way>"
        for at, (nodes_of, tags) in enumerate(ways)
    ]
    file = folder / "map.osm"
    file.write_text(f'<?xml version="1.0"?>{head}<osm version="0.6">{nodes}{"".join(texts)}</osm>', "utf-8")
    return file


def test_openstreetmap_ways_meet_at_shared_nodes_and_bridges_pass_over(town: list[str], tmp_path: Path):
    answer = _ask("area", str(_osm(tmp_path)), *town[1:5], *FLAT, "--out", str(tmp_path / "out.gpkg"))
    # 300 m along the street, and from its node at 200 m another 100 m up the lane.
    assert answer["reached_length_m"] == pytest.approx(400, abs=0.01)
    assert answer["n_components"] == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<osm/>", "has no rows"),
        ("", "empty"),
        ("<osm><way id='1'><nd ref='1'/>", "does not match"),
        ("<osm><node id='x' lat='1' lon='2'/></osm>", "does not match"),
        ("<!DOCTYPE osm [<!ENTITY a 'b'>]><osm/>", "document type"),
    ],
)
def test_bad_openstreetmap_files_are_one_sentence(town: list[str], tmp_path: Path, content: str, said: str):
    (tmp_path / "bad.osm").write_text(content, "utf-8")
    with pytest.raises(GridmapError, match=said):
        _ask("area", str(tmp_path / "bad.osm"), *town[1:5], *FLAT, "--out", str(tmp_path / "out.gpkg"))


def test_files_that_do_not_say_their_system_get_the_one_that_is_given(town: list[str], tmp_path: Path):
    table = pd.DataFrame({"x": [EAST + 100, EAST + 900, None], "y": [NORTH, NORTH, NORTH]})
    table.to_csv(tmp_path / "homes.csv", index=False)
    asked = ["area", town[0], *town[3:6], str(tmp_path / "homes.csv"), *FLAT, "--out", str(tmp_path / "out.gpkg")]
    with pytest.raises(GridmapError, match="--crs"):
        _ask(*asked)
    answer = _ask(*asked, "--crs", METRIC)
    assert [answer[key] for key in ("n_reached", "n_unreached", "n_unmatched")] == [1, 1, 1]


_FAULTS = {
    "minutes 0": (["--minutes", "0"], "`--minutes` must be above 0"),
    "minutes nan": (["--minutes", "nan"], "`--minutes` must be above 0"),
    "no speed": (["--speed-kmh", "0"], "`--speed-kmh` must be above 0"),
    "no snap": (["--snap-m", "-1"], "`--snap-m` must be above 0"),
    "no attaching": (["--attach-m", "0"], "`--attach-m` must be above 0"),
    "speed of nothing": (["--speed-of", "boat=3"], "names the kind `boat`"),
    "speed unreadable": (["--speed-of", "lane"], "must read KIND=KMH"),
    "no such grid": (["--grid", "ward"], "no column `ward`"),
    "negative weight": (["--weight", "bad"], "row 1 does not"),
    "no folder": (["--out", "nowhere/out.gpkg"], "no folder `nowhere`"),
    "bad ending": (["--out", "out.pdf"], "out.pdf"),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_wrong_options_are_one_sentence_and_nothing_is_written(town: list[str], tmp_path: Path, fault: str):
    options, said = _FAULTS[fault]
    pd.read_csv(town[-1]).assign(bad=-1).to_csv(town[-1], index=False)
    with pytest.raises(GridmapError, match=said):
        _ask("gaps", *town, *FLAT, "--out", str(tmp_path / "out.gpkg"), *options)
    assert not (tmp_path / "out.gpkg").exists()


def _bad_paths(kind: str) -> gpd.GeoDataFrame:
    if kind == "polygons":
        return gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 9, 9)], crs=METRIC)
    if kind == "zero length":
        return lines_at([(5, 5), (5, 5)])
    return points_at((0, 0))


@pytest.mark.parametrize(
    ("kind", "said"), [("polygons", "Polygon"), ("zero length", "of zero length 1"), ("points", "Point")]
)
def test_paths_that_are_none_are_refused(town: list[str], tmp_path: Path, kind: str, said: str):
    file = _file(tmp_path, "bad.gpkg", _bad_paths(kind))
    with pytest.raises(GridmapError, match=said):
        _ask("area", file, *town[1:], *FLAT, "--out", str(tmp_path / "out.gpkg"))


@pytest.mark.parametrize(
    ("which", "fault", "said"),
    [
        ("--from", "degrees", "in degrees"),
        ("--households", "degrees", "in degrees"),
        ("--from", "lines", "points are needed"),
        ("--households", "osm", "paths only"),
        ("--from", "missing", "bad"),
        ("--households", "empty", "has no rows"),
    ],
)
def test_points_in_degrees_and_other_things_are_refused(
    town: list[str], tmp_path: Path, which: str, fault: str, said: str
):
    bad = tmp_path / ("bad.osm" if fault == "osm" else "bad.gpkg")
    if fault == "degrees":
        _moved(points_at((0, 0))).to_crs("EPSG:4326").to_file(bad)
    elif fault == "lines":
        _moved(lines_at([(0, 0), (1, 1)])).to_file(bad)
    elif fault == "empty":
        bad = tmp_path / "bad.csv"
        bad.write_text("x,y\n", "utf-8")
    asked = [str(bad) if before == which else value for before, value in zip(["", *town], town, strict=False)]
    with pytest.raises(GridmapError, match=said):
        _ask("area", *asked, *FLAT, "--out", str(tmp_path / "out.gpkg"))
    assert not (tmp_path / "out.gpkg").exists()


def _duplicated(places: list[Place]) -> gpd.GeoDataFrame:
    return points_at(*places, *places)


def test_duplicate_points_and_homes_count_as_often_as_they_are_there(town: list[str], tmp_path: Path):
    points = _file(tmp_path, "twice.csv", _duplicated([(0, 0)]))
    homes = _file(tmp_path, "homes_twice.csv", _duplicated([(100, 0), (900, 0)]))
    asked = [*town[:4], points, "--households", homes, *FLAT, "--out", str(tmp_path / "out.gpkg")]
    answer = _ask("area", *asked)
    assert (answer["n_reached"], answer["n_unreached"]) == (2, 2)
    assert answer["reached_length_m"] == pytest.approx(300, abs=1e-3)
