"""`gridmap ledger …` as a person calls it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from typer.testing import CliRunner, Result

from gridmap.cli.main import app
from gridmap.errors import InputError
from gridmap.texts import use_language
from tests.cli.conftest import Run
from tests.ledger_town import POINTS, write_ledger_town
from tests.serving import serve_from

Call = Callable[..., Result]


@pytest.fixture
def call(database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Call a command in this process: a new one for each takes seconds. Its errors are raised here."""
    with serve_from(database_url, monkeypatch, LANGUAGE="en"):
        use_language("en")
        yield lambda *arguments: CliRunner().invoke(app, ["ledger", *arguments], catch_exceptions=False)


@pytest.fixture
def town(busy_engine: Engine) -> Engine:
    with busy_engine.begin() as connection:
        write_ledger_town(connection)
    return busy_engine


def test_points_of_a_month_as_it_was_known_are_one_json_object(run: Run, town: Engine):
    done = run(town.url, "ledger", "points", "2026-10", "--known-at", "2026-10-15T12:00+08:00", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {row["staff_id"]: row["points"] for row in answer["people"]} == POINTS
    assert (answer["month"], answer["is_settled"], answer["n_unassigned"]) == ("2026-10", False, 1)
    assert len(answer["entries"]) == answer["n_entries"]
    assert sum(entry["points"] for entry in answer["entries"] if entry["rule_code"] == "visit") == 3


def test_a_month_is_settled_once_and_its_sheet_written(call: Call, town: Engine, tmp_path: Path):
    # The busy day's month may not be over on the day of the test; the one before it is.
    assert "version 1" in call("settle", "2026-09", "--by", "李主任").stdout
    with pytest.raises(InputError, match="settled before"):
        call("settle", "2026-09", "--by", "李主任")
    sheet = tmp_path / "sheet.pdf"
    assert "sheet.pdf" in call("posting", "2026-09", "--out", str(sheet)).stdout
    assert sheet.read_bytes().startswith(b"%PDF")
    told = call("points", "2026-09").stdout.splitlines()
    assert told[0].startswith("2026-09: 3 people, 3 grids")
    assert len(told) == 4
    with town.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM point_freeze")).scalar() == 1


WRONG_USES = [
    (["points", "2026-13"], "2026-13"),
    (["points", "2026-10", "--known-at", "soon"], "soon"),
    (["points", "2026-10", "--township", "123456789"], "123456789"),
    (["posting", "2025-01", "--out", "/nowhere/x.pdf"], "nothing to post"),
    (["posting", "2026-09", "--out", "/nowhere/x.pdf"], "/nowhere/x.pdf"),
    (["settle", "2026-09", "--by", " "], "Recorded by"),
]


def test_wrong_use_is_one_sentence(call: Call, town: Engine):
    for arguments, said in WRONG_USES:
        with pytest.raises(InputError, match=said) as refused:
            call(*arguments)
        assert "\n" not in str(refused.value)


def test_counts_are_kept_once_a_month(call: Call, tiny_engine: Engine):
    assert "4 rows" in call("counts", "--by", "丁").stdout
    assert "nothing was added" in call("counts", "--by", "丁").stdout


def test_without_a_township_it_says_so(call: Call, engine: Engine):
    with pytest.raises(InputError, match="no township"):
        call("points", "2026-10")
