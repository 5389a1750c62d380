"""`gridmap coverage site` from file to file: what it answers, with which exit code, and what it makes of bad files."""

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gridmap.cli.main import app
from gridmap.errors import InputError
from gridmap.texts import use_language

METRIC = "EPSG:4547"
KEYS = {"covered", "total", "share", "optimal", "bound", "gap", "sites", "curve", "seconds", "curve_seconds"}
HOMES = pd.DataFrame({"x": [0, 300, 600, 5000, 5000], "y": [0, 0, 0, 0, 0], "n": [1, 2, 3, 2, 2]})


@pytest.fixture(autouse=True)
def _english() -> None:
    use_language("en")


def _csv(tmp_path: Path, rows: pd.DataFrame = HOMES, name: str = "homes.csv", **options: object) -> str:
    rows.to_csv(tmp_path / name, index=False, **options)
    return str(tmp_path / name)


def _gpkg(tmp_path: Path, rows: pd.DataFrame = HOMES, name: str = "homes.gpkg", crs: str = METRIC) -> str:
    points = gpd.points_from_xy(rows["x"] + 500_000, rows["y"] + 3_100_000)
    gpd.GeoDataFrame(rows.drop(columns=["x", "y"]), geometry=points, crs=METRIC).to_crs(crs).to_file(tmp_path / name)
    return str(tmp_path / name)


def _site(*arguments: str) -> dict:
    done = CliRunner().invoke(app, ["coverage", "site", *arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    return json.loads(done.stdout)


def test_a_table_of_metres_needs_no_coordinate_system(tmp_path: Path):
    answer = _site(_csv(tmp_path), "--weight", "n", "--radius-m", "300", "--count", "2")
    assert set(answer) == KEYS
    assert {key: answer[key] for key in ("covered", "total", "share", "optimal", "bound", "gap")} == {
        "covered": 10, "total": 10, "share": 1, "optimal": True, "bound": 10, "gap": 0,
    }  # fmt: skip
    assert answer["sites"][0] == {"name": "2", "index": 1, "x": 300, "y": 0, "gain": 6}
    assert (answer["sites"][1]["x"], answer["sites"][1]["gain"]) == (5000, 4)
    assert [step["covered"] for step in answer["curve"]] == [0, 6, 10]


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_other_separators_and_headers_are_found(tmp_path: Path, separator: str):
    rows = HOMES.rename(columns={"x": "横坐标", "y": "纵坐标", "n": "户数"})
    file = _csv(tmp_path, rows, "homes.txt", sep=separator)
    assert _site(file, "--weight", "户数", "--radius-m", "300", "--count", "1")["covered"] == 6


def test_a_layer_answers_as_the_table_does_in_its_own_coordinates(tmp_path: Path):
    options = ["--weight", "n", "--radius-m", "300", "--count", "2"]
    answer, of_table = _site(_gpkg(tmp_path), *options), _site(_csv(tmp_path), *options)
    assert (answer["covered"], answer["curve"]) == (of_table["covered"], of_table["curve"])
    assert answer["sites"][0]["x"] == 500_300


def test_candidates_are_named_and_what_exists_stays(tmp_path: Path):
    rows = pd.DataFrame({"x": [300, 5000, 5000], "y": [0, 0, 10], "name": ["礼堂", "渡口", "桥头"]})
    candidates = _csv(tmp_path, rows, "candidates.csv")
    existing = _csv(tmp_path, pd.DataFrame({"x": [150], "y": [0]}), "existing.csv")
    options = ["--weight", "n", "--radius-m", "300", "--candidates", candidates, "--existing", existing]
    answer = _site(_csv(tmp_path), *options, "--count", "2")
    assert [step["covered"] for step in answer["curve"]] == [3, 7, 10]
    assert [(one["name"], one["gain"]) for one in answer["sites"]] == [("渡口", 4), ("礼堂", 3)]


def test_layers_in_two_coordinate_systems_come_together(tmp_path: Path):
    other = _gpkg(tmp_path, HOMES.iloc[[1]], "candidates.gpkg", "EPSG:4546")
    answer = _site(_gpkg(tmp_path), "--weight", "n", "--radius-m", "300.01", "--count", "1", "--candidates", other)
    assert answer["covered"] == 6
    assert answer["sites"][0]["x"] == pytest.approx(500_300, abs=1e-3)


def test_without_a_weight_each_row_counts_one(tmp_path: Path):
    assert _site(_csv(tmp_path), "--radius-m", "300", "--count", "1")["covered"] == 3


@pytest.mark.parametrize("name", ["sites.gpkg", "sites.csv", "sites.geojson"])
def test_the_chosen_points_are_written(tmp_path: Path, name: str):
    out = tmp_path / name
    _site(_gpkg(tmp_path), "--weight", "n", "--radius-m", "300", "--count", "2", "--out", str(out))
    written = gpd.read_file(out)
    assert [float(gain) for gain in written["gain"]] == [6, 4]
    assert [int(rank) for rank in written["rank"]] == [1, 2]


@pytest.mark.parametrize(("language", "said"), [("en", "Proven"), ("zh", "已证明最优")])
def test_the_text_says_the_same(tmp_path: Path, language: str, said: str):
    use_language(language)
    options = ["--weight", "n", "--radius-m", "300", "--count", "2", "--out", str(tmp_path / "sites.csv")]
    done = CliRunner().invoke(app, ["coverage", "site", _csv(tmp_path), *options], catch_exceptions=False)
    assert said in done.stdout
    assert "0 → 6 → 10" in done.stdout
    assert "(300.0, 0.0): +6" in done.stdout or "（300.0, 0.0）：新增覆盖 6" in done.stdout
    assert "sites.csv" in done.stdout


def test_nobody_in_reach_is_covered_0_and_no_weight_at_all_has_no_share(tmp_path: Path):
    far = _csv(tmp_path, pd.DataFrame({"x": [90_000], "y": [0]}), "far.csv")
    answer = _site(_csv(tmp_path), "--weight", "n", "--radius-m", "5", "--count", "1", "--candidates", far)
    assert (answer["covered"], answer["bound"], answer["optimal"], answer["gap"]) == (0, 0, True, 0)
    empty = _site(_csv(tmp_path, HOMES.assign(n=0)), "--weight", "n", "--radius-m", "5", "--count", "5")
    assert (empty["total"], empty["share"], empty["optimal"]) == (0, None, True)


def test_small_whole_numbers_are_metres(tmp_path: Path):
    file = _csv(tmp_path, pd.DataFrame({"x": [110, 111, 112], "y": [30, 31, 32]}))
    assert _site(file, "--radius-m", "500", "--count", "1")["covered"] == 3


SOUND = ["--weight", "n", "--radius-m", "300", "--count", "2"]
DEGREES = pd.DataFrame({"x": [113.91, 113.92], "y": [28.11, 28.12], "n": [1, 1]})
CROWD = pd.DataFrame({"x": np.arange(8000) % 100, "y": np.arange(8000) // 100})


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (HOMES, ["--weight", "n", "--radius-m", "300", "--count", "0"], "from 1 to the 5"),
        (HOMES, ["--weight", "n", "--radius-m", "300", "--count", "6"], "got 6"),
        (HOMES, ["--weight", "n", "--radius-m", "0", "--count", "1"], "radius-m"),
        (HOMES, ["--weight", "n", "--radius-m", "-1", "--count", "1"], "radius-m"),
        (HOMES, ["--weight", "n", "--radius-m", "nan", "--count", "1"], "radius-m"),
        (HOMES, [*SOUND, "--time-limit", "0"], "time-limit"),
        (HOMES, [*SOUND, "--time-limit", "nan"], "time-limit"),
        (HOMES, ["--weight", "homes", "--radius-m", "300", "--count", "1"], "`homes`"),
        (HOMES.assign(n=[1, 2, -3, 1, 1]), SOUND, "row 3: `-3`"),
        (HOMES.assign(n=[1, np.nan, 3, 1, 1]), SOUND, "row 2"),
        (HOMES.assign(n=[1, "many", 3, 1, 1]), SOUND, "`many`"),
        (HOMES.assign(x=[1, 2, 3, 4, None]), SOUND, "row 5"),
        (HOMES.rename(columns={"x": "lon", "y": "lat"}), SOUND, "x and y"),
        (HOMES.iloc[:0], SOUND, "homes.csv"),
        (DEGREES, SOUND, "degrees"),
        (DEGREES.rename(columns={"x": "y", "y": "x"}), SOUND, "degrees"),
        (DEGREES.assign(x=[6.11, 6.12], y=[49.5, 49.6]), SOUND, "degrees"),
        (DEGREES, [*SOUND, "--crs", "EPSG:4490"], "degrees"),
        (HOMES, [*SOUND, "--crs", "EPSG:0"], "EPSG:0"),
        (HOMES, [*SOUND, "--out", "sites.pdf"], "sites.pdf"),
        (HOMES, [*SOUND, "--candidates", "nowhere.csv"], "nowhere.csv"),
        (CROWD, ["--radius-m", "500", "--count", "1"], "64,000,000 pairs"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_answered(
    tmp_path: Path, rows: pd.DataFrame, options: list[str], said: str
):
    done = CliRunner().invoke(app, ["coverage", "site", _csv(tmp_path, rows), *options, "--json"])
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)
    assert done.stdout == ""


def test_a_layer_in_degrees_and_polygons_are_refused(tmp_path: Path):
    done = CliRunner().invoke(app, ["coverage", "site", _gpkg(tmp_path, crs="EPSG:4490"), *SOUND])
    assert "degrees" in str(done.exception)
    gpd.read_file(_gpkg(tmp_path)).buffer(5).to_frame("geometry").assign(n=1).to_file(tmp_path / "areas.gpkg")
    done = CliRunner().invoke(app, ["coverage", "site", str(tmp_path / "areas.gpkg"), *SOUND])
    assert isinstance(done.exception, InputError)
    assert "5 rows have no point" in str(done.exception)


def test_metres_of_an_unknown_place_do_not_meet_a_coordinate_system(tmp_path: Path):
    named, plain = _gpkg(tmp_path), _csv(tmp_path)
    for demand, candidates in ((named, plain), (plain, named)):
        done = CliRunner().invoke(app, ["coverage", "site", demand, *SOUND, "--candidates", candidates])
        assert isinstance(done.exception, InputError)
        assert "--crs" in str(done.exception)


def test_the_program_exits_with_2_on_bad_input(tmp_path: Path):
    command = [str(Path(sys.executable).parent / "gridmap"), "coverage", "site", str(tmp_path / "x.csv"), *SOUND]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)
    assert len(done.stderr.splitlines()) == 1


def _refused(*arguments: str) -> str:
    with pytest.raises(InputError) as refusal:
        CliRunner().invoke(app, ["coverage", "site", *arguments], catch_exceptions=False)
    return str(refusal.value)


def test_the_fewest_points_for_a_share(tmp_path: Path):
    answer = _site(_csv(tmp_path), "--weight", "n", "--radius-m", "300", "--share", "1")
    assert (answer["question"], len(answer["sites"]), answer["covered"]) == ("fewest", 2, 10)
    assert (answer["bound"], answer["optimal"], answer["possible"]) == (2, True, True)
    assert len(_site(_csv(tmp_path), "--weight", "n", "--radius-m", "300", "--share", "0.6")["sites"]) == 1


def test_a_share_out_of_reach_is_said_with_exit_code_1(tmp_path: Path):
    homes, places = _csv(tmp_path), _csv(tmp_path, pd.DataFrame({"x": [0], "y": [0]}), "places.csv")
    options = ("--weight", "n", "--radius-m", "300", "--share", "0.9", "--candidates", places)
    done = CliRunner().invoke(app, ["coverage", "site", homes, *options, "--json"], catch_exceptions=False)
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert (answer["possible"], answer["bound"], answer["covered"]) == (False, None, 3)


def test_a_point_bears_only_so_much(tmp_path: Path):
    answer = _site(_csv(tmp_path), "--weight", "n", "--radius-m", "300", "--count", "1", "--capacity", "5")
    assert (answer["question"], answer["covered"], answer["optimal"]) == ("capacity", 5, True)
    assert answer["sites"][0]["gain"] == 5


def test_a_backup_counts_what_two_points_cover(tmp_path: Path):
    existing = _csv(tmp_path, pd.DataFrame({"x": [5000], "y": [100]}), "existing.csv")
    options = ("--weight", "n", "--radius-m", "300", "--count", "1", "--times", "2", "--existing", existing)
    answer = _site(_csv(tmp_path), *options)
    assert (answer["question"], answer["covered"], answer["optimal"]) == ("backup", 4, True)
    assert answer["sites"][0]["x"] == 5000


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((), "--share"),
        (("--count", "1", "--share", "0.5"), "--count"),
        (("--share", "0"), "--share"),
        (("--share", "nan"), "--share"),
        (("--count", "1", "--capacity", "-1"), "--capacity"),
        (("--count", "1", "--times", "0"), "--times"),
        (("--count", "1", "--times", "2", "--capacity", "3"), "--times"),
    ],
)
def test_questions_that_are_none_are_refused(tmp_path: Path, options: tuple[str, ...], named: str):
    assert named in _refused(_csv(tmp_path), "--radius-m", "300", *options)
