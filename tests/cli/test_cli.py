"""The command line as a person calls it: exit codes, one JSON object, one sentence for bad input."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from gridmap.settings import PROJECT_DIR
from tests import tiny
from tests.cli.conftest import Run

GRIDMAP = str(Path(sys.executable).parent / "gridmap")


def _program(url: URL | None, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "GRIDMAP_LANGUAGE": "en"}
    own |= {"PYTHONPATH": str(PROJECT_DIR), **environment}  # this checkout, wherever the command was installed from
    if url is not None:
        own["GRIDMAP_DATABASE_URL"] = url.render_as_string(hide_password=False)
    return subprocess.run(
        [GRIDMAP, *arguments], env=own, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )


def _households(folder: Path, residents: object) -> str:
    book = openpyxl.Workbook()
    book.active.append(["户编号", "村", "村民小组", "横坐标Y", "纵坐标X", "人口数"])
    book.active.append(["H-9", "西村", "一组", 38_000_000 + tiny.EAST_M + 100, tiny.NORTH_M + 900, residents])
    book.save(folder / "households.xlsx")
    return str(folder / "households.xlsx")


def test_load_prints_one_json_object_and_the_file_is_taken(tiny_engine: Engine, tmp_path: Path):
    done = _program(tiny_engine.url, "load", "households", _households(tmp_path, 4), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["n_read"], answer["n_taken"], answer["n_new"], answer["n_quarantined"]) == (1, 1, 1, 0)
    assert (answer["crs"], answer["is_dry_run"]) == ("EPSG:4526", False)


def test_personal_columns_are_told_and_not_read(run: Run, tiny_engine: Engine, tmp_path: Path):
    file = _households(tmp_path, 4)
    book = openpyxl.load_workbook(file)
    book.active["G1"], book.active["G2"] = "户主姓名", "甲某"
    book.save(file)
    done = run(tiny_engine.url, "load", "households", file, "--dry-run")
    assert "`户主姓名`" in done.stdout
    assert "甲某" not in done.stdout
    answer = json.loads(run(tiny_engine.url, "load", "households", file, "--json").stdout)
    assert answer["dropped_columns"] == ["户主姓名"]


def test_a_dry_run_says_so_and_a_refused_row_is_told_with_its_reason(run: Run, tiny_engine: Engine, tmp_path: Path):
    done = run(tiny_engine.url, "load", "households", _households(tmp_path, "约100"), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "1 quarantined" in done.stdout
    assert "约100" in done.stdout
    assert "Dry run" in done.stdout
    with tiny_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM import_record")).scalar() == 0


def test_a_refusal_speaks_the_language_that_was_set(run: Run, tiny_engine: Engine):
    done = run(tiny_engine.url, "load", "houses", "x.csv", language="zh")
    assert "没有图层 `houses`" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["load", "houses", "x.csv"], "is no layer"),
        (["load", "households", "/nowhere.xlsx"], "nowhere.xlsx"),
        (["load", "households", "x.csv", "--valid-from", "soon"], "--valid-from"),
        (["load", "households", "x.csv", "--mapping", "/nowhere.toml"], "mapping"),
        (["load", "households", "x.csv", "--township", "123"], "123"),
        (["db", "restore", "/nowhere.backup"], "/nowhere.backup"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(run: Run, tiny_engine: Engine, arguments: list[str], said: str):
    done = run(tiny_engine.url, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_database_that_does_not_answer_is_one_sentence_without_its_password():
    done = _program(URL.create("postgresql", "me", "geheim", "127.0.0.1", 1, "x"), "db", "status")
    assert done.returncode == 2
    assert "does not answer" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "geheim" not in done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "no.such.host.invalid"])
def test_an_address_that_cannot_be_served_is_one_sentence_and_nothing_is_said_to_have_started(host: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = _program(None, "serve", "--host", host, "--port", port)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert port in done.stderr


def test_a_wrong_setting_is_one_sentence():
    done = _program(None, "db", "status", GRIDMAP_LANGUAGE="fr")
    assert done.returncode == 2
    assert "GRIDMAP_LANGUAGE" in done.stderr


def test_an_old_schema_is_never_upgraded_by_the_way(run: Run, cluster_url: URL, tmp_path: Path):
    admin = create_engine(cluster_url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS plain"))
        connection.execute(text("CREATE DATABASE plain"))
    url = cluster_url.set(database="plain")
    assert run(url, "db", "status").returncode == 1
    refused = run(url, "load", "areas", str(tmp_path))
    assert refused.returncode == 2
    assert "db upgrade" in refused.stderr
    assert run(url, "db", "upgrade").returncode == 0
    assert json.loads(run(url, "db", "status", "--json").stdout)["townships"] == []


def test_backup_and_restore_from_the_command_line(run: Run, tiny_engine: Engine, cluster_url: URL, tmp_path: Path):
    admin = create_engine(cluster_url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS restored"))
        connection.execute(text("CREATE DATABASE restored"))
    file = str(tmp_path / "t.backup")
    assert run(tiny_engine.url, "db", "backup", file).returncode == 0
    assert run(tiny_engine.url, "db", "backup", file).returncode == 2
    url = cluster_url.set(database="restored")
    assert run(url, "db", "restore", file).returncode == 0
    (township,) = json.loads(run(url, "db", "status", "--json").stdout)["townships"]
    assert (township["code"], township["name"]) == (tiny.TOWNSHIP, "小乡")


def test_every_command_is_documented():
    pages = "\n".join(page.read_text("utf-8") for page in [PROJECT_DIR / "README.md", *PROJECT_DIR.glob("docs/*.md")])
    from gridmap.cli.main import app

    commands = [command.name or command.callback.__name__ for command in app.registered_commands]
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    commands += [
        f"{name} {command.name or command.callback.__name__}"
        for name, group in groups.items()
        for command in group.registered_commands
    ]
    assert [command for command in commands if f"gridmap {command}" not in pages] == []
