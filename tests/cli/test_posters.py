"""`gridmap posters` and `gridmap member-card`: the files, the one JSON object, one sentence for bad input, no key without a card."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from typer.testing import CliRunner, Result

from gridmap.actions.tokens import token_hash
from gridmap.cli.main import app
from gridmap.errors import InputError
from gridmap.exports import member_card
from tests.busy import write_team
from tests.serving import serve_from
from tests.tiny import GRIDS

BASE = "https://grid.example"
Run = Callable[..., Result]


@pytest.fixture
def town(tiny_engine: Engine) -> Engine:
    with tiny_engine.begin() as connection:
        write_team(connection)
    return tiny_engine


@pytest.fixture
def run(database_url: URL, town: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs the command line in this process on the test's database; a refusal must be an `InputError`, which `main` makes exit code 2."""

    def call(*arguments: str) -> Result:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exception is None or isinstance(done.exception, InputError | SystemExit)
        return done

    with serve_from(database_url, monkeypatch, LANGUAGE="en"):
        yield call


def refusal(done: Result) -> str:
    assert isinstance(done.exception, InputError)
    assert done.stdout == ""
    return str(done.exception)


def sources(engine: Engine) -> list[tuple]:
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT name, staff_id, token_sha256, revoked_at IS NULL FROM intake_source WHERE kind = 'member'")
        )
        return [tuple(row) for row in found]


def test_a_file_a_grid_and_paper_the_same_each_time(run: Run, town: Engine, tmp_path: Path):
    out = tmp_path / "posters"
    first = run("posters", "--base-url", BASE, "--out", str(out), "--json")
    assert first.exit_code == 0
    answer = json.loads(first.stdout)
    names = sorted(f"poster-{grid}-{paper}.pdf" for grid in GRIDS for paper in ("a4", "a3"))
    assert (answer["n_posters"], [Path(file).name for file in answer["files"]]) == (6, names)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    assert run("posters", "--base-url", BASE, "--out", str(out)).exit_code == 0
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_what_cannot_be_printed_is_one_sentence_and_no_file(run: Run, town: Engine, tmp_path: Path):
    for arguments, words in (
        ((), "GRIDMAP_PUBLIC_URL"),
        (("--base-url", "grid.example"), "GRIDMAP_PUBLIC_URL"),
        (("--base-url", BASE, "--grid", "439901999201009"), "439901999201009"),
        (("--base-url", BASE, "--paper", "a5"), "a4, a3"),
    ):
        done = run("posters", "--out", str(tmp_path / "out"), *arguments)
        assert words in refusal(done)
    assert not (tmp_path / "out").exists()


def test_an_address_of_this_machine_is_told(run: Run, town: Engine, tmp_path: Path):
    done = run("posters", "--base-url", "http://localhost:8501", "--out", str(tmp_path), "--grid", GRIDS[0])
    assert done.exit_code == 0
    assert "this machine only" in done.stderr


def test_a_member_gets_one_card_and_a_new_one_ends_the_old(run: Run, town: Engine, tmp_path: Path):
    card = str(tmp_path / "card.pdf")
    done = run("member-card", "u1", "--out", card, "--base-url", BASE)
    assert done.exit_code == 0
    assert Path(card).read_bytes().startswith(b"%PDF-")
    assert "gm_" not in done.stdout + done.stderr
    ((name, staff_id, first, is_valid),) = sources(town)
    assert (name, staff_id, is_valid) == ("phone/u1", "u1", True)
    refused = run("member-card", "u1", "--out", card, "--base-url", BASE)
    assert "--again" in refusal(refused)
    assert run("member-card", "u1", "--again", "--out", card, "--base-url", BASE).exit_code == 0
    ((_, _, second, is_valid),) = sources(town)
    assert (first != second, is_valid) == (True, True)


def test_no_key_is_made_where_no_card_can_be(run: Run, town: Engine, tmp_path: Path):
    for arguments in (
        ("nobody", "--out", str(tmp_path / "card.pdf"), "--base-url", BASE),
        ("u1", "--out", str(tmp_path / "card.txt"), "--base-url", BASE),
        ("u1", "--out", str(tmp_path / "none" / "card.pdf"), "--base-url", BASE),
        ("u1", "--out", str(tmp_path / "card.pdf")),
    ):
        assert refusal(run("member-card", *arguments))
    assert sources(town) == []
    (tmp_path / "folder.pdf").mkdir()
    assert refusal(run("member-card", "u1", "--out", str(tmp_path / "folder.pdf"), "--base-url", BASE))
    assert [row[3] for row in sources(town)] == [False]


def test_the_link_on_the_card_carries_the_key_behind_the_hash(monkeypatch: pytest.MonkeyPatch):
    link = member_card.member_link(f"{BASE}/", "gm_abc-_1")
    assert link == f"{BASE}/m#token=gm_abc-_1"
    assert token_hash("gm_abc-_1") not in link
