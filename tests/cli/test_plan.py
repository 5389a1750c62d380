"""`gridmap plan …` from file to file: what it answers, with which exit code, and what it makes of bad files."""

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from gridmap.cli import output
from gridmap.cli.main import app
from gridmap.errors import GridmapError
from gridmap.texts import use_language
from tests.planning.conftest import METRIC, make_board

OPTIONS = ["--grid", "grid", "--weight", "n_households"]
KEYS = {"ok", "n_grids", "n_units", "total_weight", "max_weight", "lower_bound", "violations"}


@pytest.fixture(autouse=True)
def _english() -> None:
    use_language("en")


def _file(tmp_path: Path, frame: gpd.GeoDataFrame, name: str = "units.gpkg") -> str:
    path = tmp_path / name
    frame.reset_index(names="unit_code").to_file(path)
    return str(path)


def _check(*arguments: str) -> tuple[int, dict]:
    done = CliRunner().invoke(app, ["plan", "check", *arguments, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, json.loads(done.stdout)


@pytest.mark.parametrize("name", ["units.gpkg", "units.geojson", "units.shp"])
def test_a_good_plan_answers_0(tmp_path: Path, name: str):
    frame = make_board([[40, 60], [50, 50]]).assign(grid=["a", "a", "b", "b"])
    file = _file(tmp_path, frame.rename(columns={"n_households": "homes"}), name)
    code, answer = _check(file, "--grid", "grid", "--weight", "homes")
    assert (code, set(answer), answer["ok"], answer["n_grids"], answer["violations"]) == (0, KEYS, True, 2, [])


def test_a_breach_answers_1_with_its_units_and_a_sentence(tmp_path: Path):
    frame = make_board([[40, 61], [50, 50]]).assign(grid=["a", "a", "b", "b"])
    code, answer = _check(_file(tmp_path, frame), *OPTIONS)
    (breach,) = answer["violations"]
    assert (code, breach["kind"], breach["grid"], breach["value"]) == (1, "over_cap", "a", 101)
    assert breach["units"] == ["r0c0", "r0c1"]
    assert breach["detail"] == "grid a has 101 households, 1 above the cap of 100"


def test_a_river_file_parts_a_grid_and_a_bridge_in_it_joins(tmp_path: Path):
    frame = make_board([[1, 1], [1, 1]]).assign(grid="a")
    river = {"is_bridge": [0], "geometry": [shapely.LineString([(-10, 100), (210, 100)])]}
    gpd.GeoDataFrame(river, crs=METRIC).to_file(tmp_path / "river.gpkg")
    bridge = {"is_bridge": [0, 1], "geometry": [*river["geometry"], shapely.LineString([(50, 120), (50, 80)])]}
    gpd.GeoDataFrame(bridge, crs=METRIC).to_file(tmp_path / "bridged.gpkg")
    file = _file(tmp_path, frame)
    code, answer = _check(file, *OPTIONS, "--barriers", str(tmp_path / "river.gpkg"))
    assert (code, [breach["kind"] for breach in answer["violations"]]) == (1, ["not_contiguous"])
    assert _check(file, *OPTIONS, "--barriers", str(tmp_path / "bridged.gpkg"))[0] == 0


def test_single_households_are_units_too(tmp_path: Path):
    rows = pd.DataFrame({"x": [0, 10, 20, 30], "y": [0, 5, 0, 5], "n_households": 1, "grid": ["a", "a", "b", "b"]})
    rows.to_csv(tmp_path / "homes.csv", index=False)
    code, answer = _check(str(tmp_path / "homes.csv"), *OPTIONS, "--crs", METRIC, "--cap", "2")
    assert (code, answer["n_units"], answer["lower_bound"]) == (0, 4, 2)


def test_a_division_is_written_with_all_columns_and_passes_the_check(tmp_path: Path):
    file, out = _file(tmp_path, make_board([[40, 61, 39], [50, 150, 60]])), tmp_path / "out.gpkg"
    done = CliRunner().invoke(
        app,
        ["plan", "partition", file, "--weight", "n_households", "--out", str(out), "--json"],
        catch_exceptions=False,
    )
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["oversized_units"], answer["optimal"]) == (0, ["r1c1"], True)
    assert {"n_grids", "lower_bound", "max_weight", "compactness", "seconds"} < set(answer)
    written = gpd.read_file(out)
    assert {"unit_code", "n_households", "village", "grid_code"} < set(written.columns)
    code, judged = _check(str(out), "--grid", "grid_code", "--weight", "n_households")
    assert (code, [breach["kind"] for breach in judged["violations"]]) == (1, ["unit_over_cap"])
    assert judged["n_grids"] == answer["n_grids"]


@pytest.mark.parametrize("name", ["out.gpkg", "out.geojson", "out.shp", "out.csv"])
def test_homes_are_divided_and_written_as_what_the_name_says(tmp_path: Path, name: str):
    rows = pd.DataFrame({"x": [0, 10, 20, 30], "y": [0, 5, 0, 5], "n": 1})
    rows.to_csv(tmp_path / "homes.csv", index=False)
    options = ["--weight", "n", "--crs", METRIC, "--cap", "2", "--out", str(tmp_path / name)]
    done = CliRunner().invoke(app, ["plan", "partition", str(tmp_path / "homes.csv"), *options], catch_exceptions=False)
    assert done.exit_code == 0
    assert sorted(gpd.read_file(tmp_path / name)["grid_code"]) == ["001", "001", "002", "002"]


@pytest.mark.parametrize(("name", "said"), [("out.pdf", "out.pdf"), ("nowhere/out.gpkg", "nowhere")])
def test_a_file_that_cannot_be_written_is_said_before_the_work(tmp_path: Path, name: str, said: str):
    options = ["--weight", "n", "--out", str(tmp_path / name)]
    done = CliRunner().invoke(app, ["plan", "partition", str(tmp_path / "homes.csv"), *options])
    assert isinstance(done.exception, GridmapError)
    assert said in str(done.exception)


def _with(frame: gpd.GeoDataFrame, unit: str, column: str, value: object) -> gpd.GeoDataFrame:
    changed = frame.astype({column: object}) if column != "geometry" else frame.copy()
    changed.loc[unit, column] = value
    return changed


_BOW_TIE = shapely.Polygon([(100, 100), (200, 200), (200, 100), (100, 200)])
_IN_DEGREES = [1e-6, 0, 0, 1e-6, 114, 28]
_FAULTS = {
    "degrees": lambda frame: frame.set_geometry(frame.affine_transform(_IN_DEGREES).set_crs(4490, allow_override=True)),
    "text weight": lambda frame: frame.assign(n_households=["1", "2", "many", "4"]),
    "negative weight": lambda frame: frame.assign(n_households=[1, -3, 1, 1]),
    "bow-tie": lambda frame: _with(frame, "r0c1", "geometry", _BOW_TIE),
    "mixed": lambda frame: _with(frame, "r0c1", "geometry", shapely.Point(150, 150)),
    "empty": lambda frame: frame.iloc[:0],
}
_OPTIONS = {
    "no column": ["--grid", "grid", "--weight", "homes"],
    "cap": [*OPTIONS, "--cap", "0"],
    "endless cap": [*OPTIONS, "--cap", "inf"],
}


def _broken(tmp_path: Path, case: str) -> list[str]:
    options = _OPTIONS.get(case, OPTIONS)
    if case == "not there":
        return [str(tmp_path / "nowhere.gpkg"), *options]
    if case == "text file":
        (tmp_path / "units.gpkg").write_text("no layer")
        return [str(tmp_path / "units.gpkg"), *options]
    sound = make_board([[1, 1], [1, 1]]).assign(grid="a")
    return [_file(tmp_path, _FAULTS.get(case, lambda frame: frame)(sound)), *options]


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("degrees", "degrees"),
        ("no column", "`homes`"),
        ("text weight", "r1c0"),
        ("negative weight", "r0c1"),
        ("cap", "cap"),
        ("endless cap", "finite"),
        ("bow-tie", "crosses itself"),
        ("mixed", "all polygons or all points"),
        ("not there", "nowhere.gpkg"),
        ("empty", "units.gpkg"),
        ("text file", "units.gpkg"),
    ],
)
@pytest.mark.parametrize("command", ["check", "partition", "repair"])
def test_a_bad_file_is_one_sentence_and_nothing_is_written(tmp_path: Path, command: str, case: str, said: str):
    arguments = _broken(tmp_path, case)
    if command == "partition":
        at = arguments.index("--grid")
        del arguments[at : at + 2]
    out = tmp_path / "out" / "made.gpkg"
    out.parent.mkdir()
    if command != "check":
        arguments += ["--out", str(out)]
    done = CliRunner().invoke(app, ["plan", command, *arguments, "--json"])
    assert list(out.parent.iterdir()) == []
    assert isinstance(done.exception, GridmapError)
    assert said in str(done.exception)
    assert done.stdout == ""


def test_the_program_exits_with_2_on_bad_input(tmp_path: Path):
    command = [str(Path(sys.executable).parent / "gridmap"), "plan", "check", str(tmp_path / "x.gpkg"), *OPTIONS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)


def _repair(*arguments: str) -> tuple[int, dict]:
    done = CliRunner().invoke(app, ["plan", "repair", *arguments, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, json.loads(done.stdout)


REPAIR_KEYS = {"moved_weight", "moved_units", "bound", "gap", "optimal", "n_grids", "seconds"}


@pytest.mark.parametrize("grids", [["a", "a", "a", "b"], [7, 7, 7, 9]])
def test_a_repair_moves_the_fewest_and_keeps_the_codes_there_were(tmp_path: Path, grids: list):
    frame = make_board([[40, 61, 30, 20]]).assign(grid=grids)
    out = tmp_path / "mended.gpkg"
    code, answer = _repair(_file(tmp_path, frame), *OPTIONS, "--out", str(out))
    assert code == 0
    assert set(answer) >= REPAIR_KEYS
    assert (answer["moved_weight"], answer["bound"], answer["gap"], answer["optimal"]) == (40, 40, 0, True)
    written = gpd.read_file(out)
    assert "grid_code" in written
    assert set(written["n_households"]) == {40, 61, 30, 20}
    assert _check(str(out), "--grid", "grid_code", "--weight", "n_households")[0] == 0
    stays = written["grid"].astype(str) == written["grid_code"].astype(str)
    assert written.loc[~stays, "n_households"].sum() == 40


def test_a_repair_that_is_impossible_answers_1_and_says_why(tmp_path: Path):
    frame = make_board([[60, 60, 60, 60]]).assign(grid=["a", "a", "b", "b"])
    arguments = [_file(tmp_path, frame), *OPTIONS, "--out", str(tmp_path / "mended.gpkg"), "--no-open"]
    code, answer = _repair(*arguments)
    assert (code, answer["ok"], answer["moved_weight"]) == (1, False, 0)
    done = CliRunner().invoke(app, ["plan", "repair", *arguments])
    assert "--open" in done.stdout
    assert "at least 4 grids are needed and there are 2" in done.stdout
    code, answer = _repair(*arguments[:-1])
    assert (code, answer["n_grids"], answer["opened_grids"]) == (0, 4, ["1", "2"])


def test_a_repair_names_what_moves(tmp_path: Path):
    frame = make_board([[40, 61], [50, 30]]).assign(grid=["001", "001", "002", None])
    done = CliRunner().invoke(
        app, ["plan", "repair", _file(tmp_path, frame), *OPTIONS, "--out", str(tmp_path / "mended.csv")]
    )
    assert done.exit_code == 0
    assert "001 → 002: 40 households, units r0c0" in done.stdout
    assert "— → 001: 30 households, units r1c1" in done.stdout


def _odd(case: str) -> gpd.GeoDataFrame:
    """Units that look odd and are sound, or nearly."""
    board = make_board([[30, 30, 30, 30]]).assign(grid=["a", "a", "b", "b"])
    if case == "one unit":
        return board.iloc[:1]
    if case == "no households":
        return board.assign(n_households=0)
    if case == "a hole with an island in it":
        hole = board.geometry.iloc[1].centroid.buffer(10)
        board.loc["r0c1", "geometry"] = board.geometry.iloc[1].difference(hole)
        island = gpd.GeoDataFrame({"n_households": [1], "grid": ["b"]}, index=["island"], geometry=[hole], crs=METRIC)
        return gpd.GeoDataFrame(pd.concat([board, island]))
    if case == "a unit in two pieces":
        board.loc["r0c3", "geometry"] = board.geometry.iloc[3].union(shapely.box(900, 900, 950, 950))
        return board
    if case == "T-junctions":
        halves = [shapely.box(0, 100, 50, 150), shapely.box(50, 100, 400, 150)]
        upper = gpd.GeoDataFrame(
            {"n_households": [5, 5], "grid": ["a", "b"]}, index=["u", "v"], geometry=halves, crs=METRIC
        )
        return gpd.GeoDataFrame(pd.concat([board, upper]))
    overlap = board.geometry.iloc[1].union(shapely.box(99.99, 0, 100, 100))
    board.loc["r0c1", "geometry"] = overlap
    return board


@pytest.mark.parametrize(
    ("case", "kinds"),
    [
        ("one unit", set()),
        ("no households", set()),
        ("a hole with an island in it", {"not_contiguous"}),
        ("a unit in two pieces", set()),
        ("T-junctions", set()),
        ("an overlap of 1 cm", {"overlap"}),
    ],
)
def test_odd_units_are_judged_divided_and_repaired(tmp_path: Path, case: str, kinds: set[str]):
    file, out = _file(tmp_path, _odd(case)), str(tmp_path / "made.gpkg")
    code, answer = _check(file, *OPTIONS)
    assert ({breach["kind"] for breach in answer["violations"]}, code) == (kinds, 1 if kinds else 0)
    code, answer = _repair(file, *OPTIONS, "--out", out)
    left = {"overlap"} & kinds
    assert code == (1 if left else 0)
    assert len(answer["remaining"]) == len(left)
    done = CliRunner().invoke(app, ["plan", "partition", file, "--weight", "n_households", "--out", out, "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["optimal"]


def test_what_a_solver_prints_stays_off_the_answer():
    program = (
        "import ctypes, sys; from gridmap.cli.output import solvers_kept_off_stdout\n"
        "with solvers_kept_off_stdout(): ctypes.CDLL(None).puts(b'noise')\n"
        "print('answer')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("answer\n", "noise\n")


def test_long_work_says_on_stderr_that_it_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(output, "_TOLD_EVERY_S", 0.0)
    clock = output.Clock(60)
    assert clock.has_time()
    said = capsys.readouterr()
    assert said.out == ""
    assert "60" in said.err
    assert not output.Clock(0).has_time()
