"""`gridmap workload` from file to file: what it answers, what it writes, and what it makes of bad files."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from gridmap.cli.main import app
from gridmap.errors import GridmapError
from gridmap.texts import use_language
from tests.analysis.hotspots.boards import METRIC, board

FOUND = {
    "n_incidents",
    "expected",
    "ratio",
    "low_95",
    "high_998",
    "p",
    "q",
    "class",
    "shrunken",
    "shrunken_low",
    "rank",
}


@pytest.fixture(autouse=True)
def _english() -> None:
    use_language("en")


def _grids(tmp_path: Path, **columns: object) -> None:
    grids = board(5, 6).assign(
        grid_code=[f"g{at:02d}" for at in range(30)], homes=60, due=20, path=4000.0, people=4, before=40
    )
    grids.assign(**columns).to_file(tmp_path / "grids.gpkg")


def _points(tmp_path: Path, *, more: int = 30, each: int = 8) -> None:
    """The same number in every grid, and more in `g14`; one outside."""
    corners = np.array([(column * 100.0, row * 100.0) for row in range(5) for column in range(6)])
    xy = np.vstack([np.repeat(corners, each, axis=0), np.repeat(corners[[14]], more, axis=0), [[-900.0, 0.0]]]) + 10
    pd.DataFrame(xy, columns=["x", "y"]).to_csv(tmp_path / "points.csv", index=False)


def _run(tmp_path: Path, *more: str, incidents: bool = True, out: str = "out.gpkg") -> Result:
    arguments = [str(tmp_path / "grids.gpkg"), "--crs", METRIC, "--out", str(tmp_path / out), *more]
    if incidents:
        arguments += ["--incidents", str(tmp_path / "points.csv")]
    if "--households" not in more:
        arguments += ["--households", "homes"]
    done = CliRunner().invoke(app, ["workload", *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def _answer(tmp_path: Path, *more: str, **options: object) -> dict:
    done = _run(tmp_path, *more, "--json", **options)
    assert done.exit_code == 0
    return json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@pytest.mark.parametrize("out", ["out.gpkg", "out.geojson", "out.csv"])
def test_a_loaded_grid_is_found_and_every_column_kept(tmp_path: Path, out: str):
    _grids(tmp_path)
    _points(tmp_path)
    answer = _answer(
        tmp_path, "--visits-due", "due", "--path-m", "path", "--team", "people", "--before", "before", out=out
    )
    assert (answer["n_grids"], answer["n_incidents"], answer["n_outside"]) == (30, 270, 1)
    assert (answer["higher"], answer["lower"]) == (["g14"], [])
    assert answer["n_higher"] + answer["n_as_expected"] + answer["n_lower"] + answer["n_too_few"] == 30
    assert answer["one_more_member"] == "g14"
    assert list(answer["most_per_person"]) == ["g14"]
    written = pd.read_csv(tmp_path / out) if out.endswith("csv") else gpd.read_file(tmp_path / out)
    assert {"grid_code", "homes", "per_person", "one_more_gain", *FOUND} < set(written.columns)
    assert written["n_incidents"].tolist() == [38 if at == 14 else 8 for at in range(30)]


def test_a_grid_that_always_had_as_many_is_as_expected(tmp_path: Path):
    _grids(tmp_path, before=[190 if at == 14 else 40 for at in range(30)])
    _points(tmp_path)
    assert _answer(tmp_path)["higher"] == ["g14"]
    assert _answer(tmp_path, "--before", "before")["higher"] == []


def test_without_incidents_households_are_the_load(tmp_path: Path):
    _grids(tmp_path, people=[1 if at == 3 else 4 for at in range(30)])
    answer = _answer(tmp_path, "--team", "people", incidents=False)
    assert answer["most_per_person"] == {"g03": 60}
    assert answer["unevenness"] == pytest.approx(60**2 + 29 * 60**2 / 4)
    assert "n_higher" not in answer


def test_nobody_in_service_and_nobody_knows(tmp_path: Path):
    _grids(tmp_path, people=[np.nan, 0, *[4] * 28])
    _points(tmp_path)
    answer = _answer(tmp_path, "--team", "people")
    assert (answer["n_without_team"], answer["one_more_member"]) == (2, "g01")
    assert gpd.read_file(tmp_path / "out.gpkg")["per_person"].isna().sum() == 2


def test_it_says_in_sentences_what_it_found(tmp_path: Path):
    _grids(tmp_path)
    _points(tmp_path)
    said = _run(tmp_path, "--team", "people").stdout
    assert "1 higher than expected" in said
    assert "higher: g14, 38 incidents" in said
    assert "One more member evens out most in g14." in said


def test_when_not_one_grid_can_be_judged_the_answer_is_no(tmp_path: Path):
    _grids(tmp_path)
    board(1, 1).assign(homes=60).to_file(tmp_path / "grids.gpkg")
    _points(tmp_path)
    assert _run(tmp_path).exit_code == 1
    assert gpd.read_file(tmp_path / "out.gpkg")["class"].tolist() == ["too few to say"]


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"homes": 0}, (), "homes"),
        ({"homes": [-1, *[60] * 29]}, (), "`homes` has 1 rows.*first row 1"),
        ({"homes": [60, np.nan, *[60] * 28]}, (), "first row 2"),
        ({"homes": "many"}, (), "`homes` has 30 rows"),
        ({}, ("--households", "people_living"), "people_living"),
        ({"before": 2.5}, ("--before", "before"), "whole number"),
        ({"people": -1}, ("--team", "people"), "`people`"),
        ({"due": [np.nan, *[3] * 29]}, ("--visits-due", "due"), "`due` has 1 rows"),
        ({}, ("--path-m", "lane"), "`lane`"),
        ({}, ("--alpha", "1.5"), "--alpha"),
        ({}, ("--interval", "0"), "--interval"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(tmp_path: Path, columns: dict, options: tuple, said: str):
    _grids(tmp_path, **columns)
    _points(tmp_path)
    with pytest.raises(GridmapError, match=said):
        _run(tmp_path, *options)
    assert not (tmp_path / "out.gpkg").exists()


def test_without_incidents_and_team_there_is_nothing_to_compare(tmp_path: Path):
    _grids(tmp_path)
    arguments = [str(tmp_path / "grids.gpkg"), "--households", "homes", "--out", str(tmp_path / "out.gpkg")]
    done = CliRunner().invoke(app, ["workload", *arguments])
    assert isinstance(done.exception, GridmapError)
    assert "--team" in str(done.exception)
    assert not (tmp_path / "out.gpkg").exists()


def test_points_in_degrees_are_counted_in_grids_in_metres(tmp_path: Path):
    _grids(tmp_path)
    _points(tmp_path)
    rows = pd.read_csv(tmp_path / "points.csv")
    there = gpd.GeoDataFrame(geometry=gpd.points_from_xy(rows["x"], rows["y"]), crs=METRIC)
    there.to_crs("EPSG:4490").to_file(tmp_path / "points.gpkg")
    arguments = [str(tmp_path / "grids.gpkg"), "--households", "homes", "--incidents", str(tmp_path / "points.gpkg")]
    done = CliRunner().invoke(app, ["workload", *arguments, "--out", str(tmp_path / "out.gpkg"), "--json"])
    answer = json.loads(done.stdout)
    assert (answer["n_incidents"], answer["n_outside"]) == (30 * 8 + 30, 1)
