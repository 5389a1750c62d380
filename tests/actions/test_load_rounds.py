"""Loading GPS tracks and door-to-door visits: appended once, dry runs leave nothing, the first record stands."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gridmap.actions.load import LoadOptions, LoadOutcome, load_layer
from gridmap.settings import Settings
from gridmap.store.facts import read_fixes, read_home_visits
from gridmap.store.imports import read_layer_counts
from tests import tiny

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
SPAN = {"township_code": tiny.TOWNSHIP, "since": datetime(2026, 1, 1, tzinfo=UTC), "until": NOW}
TRACKS_HEADER, VISITS_HEADER = "轨迹编号,账号,时间,横坐标,纵坐标,定位精度", "户编号,走访日期,账号"


def load(engine: Engine, layer: str, file: Path, rows: list[str], *, dry_run: bool = False) -> LoadOutcome:
    header = TRACKS_HEADER if layer == "tracks" else VISITS_HEADER
    file.write_text("\n".join([header, *rows]), "utf-8")
    return load_layer(
        engine, layer=layer, files=[file], options=LoadOptions(), settings=Settings(), now=NOW, dry_run=dry_run
    )


def fix(minute: int, east_m: float, accuracy: int = 8) -> str:
    return f"t1,u1,2026-10-15 09:{minute:02d}:00,{tiny.EAST_M + east_m},{tiny.NORTH_M + 1000},{accuracy}"


@pytest.mark.parametrize(
    ("layer", "first", "later"),
    [
        ("tracks", [fix(0, 100), fix(1, 150)], [fix(1, 150, 30), fix(2, 200)]),
        ("home_visits", ["H-0-0,2026-10-09,u1", "H-0-1,2026-10-09,u1"], ["H-0-1,2026-10-09,u2", "H-0-1,2026-10-10,u1"]),
    ],
)
def test_facts_are_appended_once_and_the_first_record_stands(
    busy_engine: Engine, tmp_path: Path, layer: str, first: list[str], later: list[str]
):
    tried = load(busy_engine, layer, tmp_path / "a.csv", first, dry_run=True)
    assert (tried.n_new, tried.import_id) == (2, None)
    assert _rows(busy_engine, layer) == 0
    assert load(busy_engine, layer, tmp_path / "a.csv", first).n_new == 2
    assert load(busy_engine, layer, tmp_path / "a.csv", first).is_known
    again = load(busy_engine, layer, tmp_path / "b.csv", later)
    assert again.n_new == 1
    assert any(note.startswith("1 ") for note in again.notes)
    assert _rows(busy_engine, layer) == 3


def _rows(engine: Engine, layer: str) -> int:
    with engine.connect() as connection:
        return int(read_layer_counts(connection, township_code=tiny.TOWNSHIP).loc[layer, "n_rows"])


def test_what_was_loaded_is_read_back_as_known_at_an_instant(busy_engine: Engine, tmp_path: Path):
    load(busy_engine, "tracks", tmp_path / "t.csv", [fix(0, 100), fix(1, 150)])
    load(busy_engine, "home_visits", tmp_path / "v.csv", ["H-0-0,2026-10-09,u1"])
    with busy_engine.connect() as connection:
        fixes = read_fixes(connection, **SPAN)
        visits = read_home_visits(connection, **SPAN)
        before = read_fixes(connection, **SPAN, known_at=datetime(2026, 11, 1, tzinfo=UTC))
        east = fixes.to_crs(tiny.METRIC).geometry.x - tiny.EAST_M
    assert east.round(2).tolist() == [100, 150]
    assert visits[["household_code", "staff_id"]].to_numpy().tolist() == [["H-0-0", "u1"]]
    assert len(before) == 0


def test_a_visit_of_an_unknown_household_is_quarantined_and_the_rest_is_taken(busy_engine: Engine, tmp_path: Path):
    outcome = load(busy_engine, "home_visits", tmp_path / "v.csv", ["H-0-0,2026-10-09,u1", "H-9,2026-10-09,u1"])
    assert outcome.reading.quarantined["reason_code"].tolist() == ["unknown_household"]
    with busy_engine.connect() as connection:
        assert connection.execute(text("SELECT household_code FROM home_visit")).scalars().all() == ["H-0-0"]
