"""`gridmap hotspots` from file to file: what it answers, what it writes, and what it makes of bad files."""

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from gridmap.cli.main import app
from gridmap.errors import GridmapError
from gridmap.texts import use_language
from tests.analysis.hotspots.boards import METRIC, board

COLUMNS = {
    "n_points", "expected", "rate", "gi_z", "gi_p", "gi_q", "moran_i", "moran_z", "moran_p", "moran_q", "moran_type", "class",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _english() -> None:
    use_language("en")


def _grids(tmp_path: Path, **columns: object) -> gpd.GeoDataFrame:
    grids = board(5, 6).assign(grid_code=[f"g{at:02d}" for at in range(30)], homes=60)
    grids = grids.assign(**columns)
    grids.to_file(tmp_path / "grids.gpkg")
    return grids


def _points(tmp_path: Path, *, hot: int = 30, each: int = 4) -> pd.DataFrame:
    """The same number in every grid, and more in the one in the middle (`g14`)."""
    chance = np.random.default_rng(3)
    corners = np.array([(column * 100.0, row * 100.0) for row in range(5) for column in range(6)])
    xy = np.repeat(corners, each, axis=0)
    xy = np.vstack([xy, np.repeat(corners[[14]], hot, axis=0)]) + 10
    rows = pd.DataFrame(xy + chance.uniform(0, 80, xy.shape), columns=["x", "y"])
    rows["happened"] = [f"2025-{1 + at % 12:02d}-15" for at in range(len(rows))]
    rows.to_csv(tmp_path / "points.csv", index=False)
    return rows


def _run(tmp_path: Path, *more: str, grids: str = "grids.gpkg", points: str = "points.csv") -> dict:
    arguments = [str(tmp_path / grids), str(tmp_path / points), "--crs", METRIC, *more]
    if "--population" not in more:
        arguments += ["--population", "homes"]
    if "--out" not in more:
        arguments += ["--out", str(tmp_path / "out.gpkg")]
    done = CliRunner().invoke(app, ["hotspots", *arguments, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0
    return json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@pytest.mark.parametrize("name", ["out.gpkg", "out.geojson", "out.shp", "out.csv"])
def test_a_hot_grid_is_found_and_every_column_kept(tmp_path: Path, name: str):
    _grids(tmp_path)
    _points(tmp_path)
    answer = _run(tmp_path, "--out", str(tmp_path / name))
    assert {"n_grids", "n_points", "n_outside", "n_hot", "n_cold", "n_too_few", "alpha", "global", "seconds"} < set(
        answer
    )
    assert (answer["n_grids"], answer["n_points"], answer["n_outside"]) == (30, 150, 0)
    assert answer["n_hot"] + answer["n_cold"] + answer["n_not_significant"] + answer["n_too_few"] == 30
    assert answer["hot"] == ["g14"]
    assert answer["global"]["rate"] == pytest.approx(100 * 150 / 1800)
    written = pd.read_csv(tmp_path / name) if name.endswith("csv") else gpd.read_file(tmp_path / name)
    assert {"grid_code", "homes", *COLUMNS} < set(written.columns)
    assert written["n_points"].tolist() == [34 if at == 14 else 4 for at in range(30)]


def test_points_outside_every_grid_and_without_a_place_are_counted(tmp_path: Path):
    _grids(tmp_path)
    rows = _points(tmp_path)
    far = pd.DataFrame({"x": [-500, np.nan, np.inf], "y": [10, 10, 10]})
    pd.concat([rows, far]).to_csv(tmp_path / "points.csv", index=False)
    answer = _run(tmp_path)
    assert (answer["n_points"], answer["n_outside"]) == (150, 3)


def test_points_in_another_metric_system_are_brought_over(tmp_path: Path):
    _grids(tmp_path)
    rows = _points(tmp_path)
    there = gpd.GeoDataFrame(geometry=gpd.points_from_xy(rows["x"], rows["y"]), crs=METRIC).to_crs("EPSG:4546")
    there.to_file(tmp_path / "points.gpkg")
    grids, points = str(tmp_path / "grids.gpkg"), str(tmp_path / "points.gpkg")
    arguments = [grids, points, "--population", "homes", "--out", str(tmp_path / "out.gpkg"), "--json"]
    done = CliRunner().invoke(app, ["hotspots", *arguments], catch_exceptions=False)
    assert json.loads(done.stdout)["n_points"] == 150


def test_the_same_seed_gives_the_same_file_and_answer(tmp_path: Path):
    _grids(tmp_path)
    _points(tmp_path)
    first, again, other = (_run(tmp_path, "--seed", seed, "--permutations", "99") for seed in ("4", "4", "5"))
    for answer in (first, again, other):
        del answer["seconds"]
    assert first == again
    assert first != other


def test_dates_add_trends_and_near_repeats(tmp_path: Path):
    _grids(tmp_path)
    rows = _points(tmp_path)
    rows.loc[0, "happened"] = "some time"
    rows.to_csv(tmp_path / "points.csv", index=False)
    answer = _run(tmp_path, "--when", "happened", "--repeats")
    assert (answer["n_months"], answer["n_undated"]) == (12, 1)
    assert sum(answer["trends"].values()) == 30
    assert {"n_pairs", "expected", "ratio", "p"} < set(answer["near_repeats"][0])
    assert {"trend_s", "trend_p", "trend_q", "trend"} < set(gpd.read_file(tmp_path / "out.gpkg").columns)


@pytest.mark.parametrize(
    ("written", "month"),
    [("2025-03-31T23:30:00", "2025-03"), ("2025-03-31T23:30:00Z", "2025-04"), ("2025-04-01 00:30:00+08:00", "2025-04")],
)
def test_a_month_ends_at_midnight_of_the_township(written: str, month: str):
    from gridmap.cli.hotspots import _dates

    read = _dates(pd.Series([written, None], name="when"), file="f")
    assert read.dt.strftime("%Y-%m").tolist()[0] == month
    assert read.isna().tolist() == [False, True]


def test_what_a_person_reads_says_it_all(tmp_path: Path):
    _grids(tmp_path, n_points=7)
    rows = _points(tmp_path)
    pd.concat([rows, pd.DataFrame({"x": [-500], "y": [0]})]).to_csv(tmp_path / "points.csv", index=False)
    options = ["--population", "homes", "--crs", METRIC, "--when", "happened", "--repeats"]
    files = [str(tmp_path / "grids.gpkg"), str(tmp_path / "points.csv"), "--out", str(tmp_path / "out.gpkg")]
    done = CliRunner().invoke(app, ["hotspots", *files, *options], catch_exceptions=False)
    for part in (
        "1 hot",
        "of 30 grids",
        "● hot: grid g14: 34 incidents, 5.0 expected",
        "without a place: 1",
        "steady:",
    ):
        assert part in done.stdout
    assert "`n_points`" in done.stderr
    assert done.exit_code == 0


def test_islands_one_grid_and_grids_without_households_go_through(tmp_path: Path):
    grids = _grids(tmp_path)
    _points(tmp_path)
    grids.set_geometry(grids.scale(0.5, 0.5)).to_file(tmp_path / "grids.gpkg")
    assert _run(tmp_path)["n_without_neighbours"] == 30
    grids.iloc[[14]].to_file(tmp_path / "grids.gpkg")
    alone = _run(tmp_path)
    assert (alone["n_grids"], alone["n_points"], alone["n_outside"], alone["n_hot"]) == (1, 34, 116, 0)
    assert alone["global"]["moran_i"] is None
    grids.assign(homes=[0] * 15 + [60] * 15).to_file(tmp_path / "grids.gpkg")
    assert _run(tmp_path)["n_too_few"] >= 15


def test_all_points_in_one_grid(tmp_path: Path):
    _grids(tmp_path)
    _points(tmp_path, each=0)
    answer = _run(tmp_path)
    assert (answer["n_points"], answer["hot"]) == (30, ["g14"])


def test_neighbours_by_distance(tmp_path: Path):
    _grids(tmp_path)
    _points(tmp_path)
    assert _run(tmp_path, "--within-m", "50")["n_without_neighbours"] == 30
    assert _run(tmp_path, "--within-m", "110")["n_without_neighbours"] == 0


_BOW_TIE = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
_BAD_GRIDS = {
    "text": {"homes": ["many"] + ["60"] * 29},
    "negative": {"homes": [-1] + [60] * 29},
    "missing": {"homes": [np.nan] + [60.0] * 29},
    "infinite": {"homes": [np.inf] + [60.0] * 29},
    "nobody": {"homes": 0},
    "crossed": {"geometry": [_BOW_TIE, *board(5, 6).geometry[1:]]},
    "null shape": {"geometry": [None, *board(5, 6).geometry[1:]]},
    "points as grids": {"geometry": board(5, 6).centroid},
}


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("text", "`homes` of 1 grids is no number of at least 0 (the first: row 1, `many`)"),
        ("negative", "row 1, `-1`"),
        ("missing", "row 1, `nan`"),
        ("infinite", "row 1, `inf`"),
        ("nobody", "`homes` is 0 in every grid"),
        ("crossed", "row 1"),
        ("null shape", "row 1"),
        ("points as grids", "30 grids are no sound polygons"),
    ],
)
def test_grids_that_cannot_be_compared_are_said_in_one_sentence(tmp_path: Path, case: str, said: str):
    grids = _grids(tmp_path)
    changed = grids.assign(**_BAD_GRIDS[case])
    (tmp_path / "grids.gpkg").unlink()
    changed.to_file(tmp_path / "grids.gpkg")
    _points(tmp_path)
    with pytest.raises(GridmapError) as caught:
        _run(tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.gpkg").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--population", "people"], "`people`"),
        (["--alpha", "0"], "--alpha"),
        (["--alpha", "1"], "--alpha"),
        (["--alpha", "nan"], "--alpha"),
        (["--min-households", "0"], "--min-households"),
        (["--min-expected", "-1"], "--min-expected"),
        (["--when", "day"], "`day`"),
        (["--when", "x"], "no date"),
        (["--repeats"], "--when"),
        (["--within-m", "0"], "--within-m"),
        (["--within-m", "nan"], "--within-m"),
        (["--out", "out.pdf"], "out.pdf"),
        (["--out", "/nowhere/out.gpkg"], "/nowhere"),
    ],
)
def test_options_that_do_not_fit_are_said(tmp_path: Path, options: list[str], said: str):
    _grids(tmp_path)
    rows = _points(tmp_path)
    rows.assign(x=[f"{value:.1f}" for value in rows["x"]]).to_csv(tmp_path / "points.csv", index=False)
    with pytest.raises(GridmapError) as caught:
        _run(tmp_path, *options)
    assert said in str(caught.value)


def test_files_in_degrees_empty_files_and_other_shapes_are_said(tmp_path: Path):
    grids = _grids(tmp_path)
    _points(tmp_path)
    (tmp_path / "nothing.csv").write_text("x,y\n")
    (tmp_path / "degrees.geojson").write_text(
        json.dumps({
            "type": "FeatureCollection",
            "features": [{
                "type": "Feature", "properties": {"homes": 5},
                "geometry": shapely.geometry.mapping(shapely.box(114, 28, 114.1, 28.1)),
            }],
        })
    )  # fmt: skip
    grids.to_file(tmp_path / "shapes.gpkg")
    for files, said in (
        ({"points": "nothing.csv"}, "holds no rows"),
        ({"points": "nowhere.csv"}, "nowhere.csv"),
        ({"points": "shapes.gpkg"}, "no points"),
        ({"grids": "nothing.csv"}, "holds no rows|no column"),
    ):
        with pytest.raises(GridmapError, match=said):
            _run(tmp_path, **files)
    (tmp_path / "lonlat.csv").write_text("x,y\n114.05,28.05\n")
    arguments = [str(tmp_path / "degrees.geojson"), str(tmp_path / "lonlat.csv"), "--population", "homes"]
    done = CliRunner().invoke(app, ["hotspots", *arguments, "--crs", "EPSG:4490", "--out", str(tmp_path / "out.gpkg")])
    assert isinstance(done.exception, GridmapError)
    assert "degrees" in str(done.exception)


def _answered(tmp_path: Path, grids: str, points: str) -> tuple[dict, str]:
    arguments = [str(tmp_path / grids), str(tmp_path / points), "--population", "homes", "--crs", METRIC]
    done = CliRunner().invoke(
        app, ["hotspots", *arguments, "--out", str(tmp_path / "out.gpkg"), "--json"], catch_exceptions=False
    )
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize(
    ("grids", "points"),
    [("degrees.geojson", "points.csv"), ("grids.gpkg", "degrees_points.geojson"), ("metres.geojson", "points.csv")],
)
def test_one_of_two_files_may_be_in_degrees_or_in_metres_that_geojson_cannot_name(
    tmp_path: Path, grids: str, points: str
):
    """`--crs` is for the file that does not say: it used to turn degrees into metres, with every point outside, in silence."""
    land, rows = _grids(tmp_path), _points(tmp_path)
    land.to_crs("EPSG:4326").to_file(tmp_path / "degrees.geojson")
    there = gpd.GeoDataFrame(geometry=gpd.points_from_xy(rows["x"], rows["y"]), crs=METRIC)
    there.to_crs("EPSG:4326").to_file(tmp_path / "degrees_points.geojson")
    far = land.translate(500_000, 3_000_000) if grids == "metres.geojson" else land.geometry
    features = [
        {"type": "Feature", "properties": {"homes": 60}, "geometry": shapely.geometry.mapping(shape)} for shape in far
    ]
    (tmp_path / "metres.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    if grids == "metres.geojson":
        rows.assign(x=rows["x"] + 500_000, y=rows["y"] + 3_000_000).to_csv(tmp_path / "points.csv", index=False)
    answer, said = _answered(tmp_path, grids, points)
    assert (answer["n_points"], answer["n_outside"], answer["n_hot"]) == (150, 0, 1)
    assert ("projected" in said) == (grids == "degrees.geojson")


@pytest.mark.parametrize(
    ("east", "code", "said"), [(-5000.0, 1, "Not one incident lies in a grid"), (50.0, 0, "does not mean")]
)
def test_one_incident_proves_nothing_and_none_inside_is_a_no(tmp_path: Path, east: float, code: int, said: str):
    _grids(tmp_path)
    pd.DataFrame({"x": [east], "y": [50.0]}).to_csv(tmp_path / "points.csv", index=False)
    arguments = [str(tmp_path / "grids.gpkg"), str(tmp_path / "points.csv"), "--population", "homes", "--crs", METRIC]
    done = CliRunner().invoke(app, ["hotspots", *arguments, "--out", str(tmp_path / "out.gpkg")])
    assert done.exit_code == code
    assert said in done.stdout
    assert set(gpd.read_file(tmp_path / "out.gpkg")["class"]) == {"too few to say"}


@pytest.mark.parametrize("command", ["hotspots", "heat"])
def test_a_bad_file_is_one_sentence_on_stderr_and_exit_code_2(tmp_path: Path, command: str):
    files = {
        "hotspots": ["no.gpkg", "no.csv", "--population", "homes"],
        "heat": ["no.csv", "--cell-m", "9", "--bandwidth-m", "9"],
    }
    program = [sys.executable, "-c", "from gridmap.cli.main import main; main()", command, *files[command]]
    done = subprocess.run(
        [*program, "--out", "out.csv", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert not list(tmp_path.iterdir())
