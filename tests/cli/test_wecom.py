"""`gridmap wecom …` as a person or cron calls it, against a platform on this machine."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from gridmap.cli.main import app
from gridmap.errors import InputError
from gridmap.settings import PROJECT_DIR, settings
from tests import tiny
from tests.ingest.wecom_orders import order, record
from tests.ingest.wecom_server import CORP, SECRET, Fault, served
from tests.serving import serve_from

GRIDMAP = str(Path(sys.executable).parent / "gridmap")


@pytest.fixture
def platform():
    with served() as platform:
        for key, name, parent in (("g0", "小乡", ""), ("g1", "西村", "g0"), ("g2", "别处网格", "g0")):
            platform.grids[key] = {"grid_id": key, "grid_name": name, "grid_parent_id": parent}
        yield platform


@pytest.fixture
def ready(tiny_engine: Engine) -> Engine:
    with tiny_engine.begin() as connection:
        tiny.write_categories(connection)
    return tiny_engine


def _environment(engine: Engine, **changes: str) -> dict[str, str]:
    return {
        "GRIDMAP_LANGUAGE": "en",
        "GRIDMAP_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "GRIDMAP_WECOM_CORP_ID": CORP,
        "GRIDMAP_WECOM_SECRET": SECRET,
        **changes,
    }


@pytest.fixture
def run(ready, database_url, monkeypatch):
    def run(*arguments: str, **changes: str) -> Result:
        with serve_from(database_url, monkeypatch):
            for name, value in _environment(ready, **changes).items():
                monkeypatch.setenv(name, value)
            settings.cache_clear()
            return CliRunner().invoke(app, ["wecom", *arguments])

    return run


def test_a_pull_stores_tells_in_numbers_and_shows_the_grids(run, ready, platform):
    platform.put(order(1, grid_id="g1", process_list=[record(1, 0), record(5, 3)]))
    platform.put(order(2, case_name="没有的类别"))
    done = run("pull", "--once", "--json", GRIDMAP_WECOM_ADDRESS=platform.url)
    assert done.exit_code == 0, done.output
    pulled = {one["family"]: one for one in json.loads(done.stdout)["pulled"]}
    assert (pulled["patrol"]["n_orders"], pulled["patrol"]["n_new"], pulled["patrol"]["n_quarantined"]) == (2, 3, 2)
    assert (pulled["resident"]["n_orders"], pulled["grids"]["n_orders"]) == (0, 3)
    assert SECRET not in done.stdout + done.stderr
    with ready.connect() as connection:
        assert connection.execute(text("SELECT grid_code FROM work_platform_order")).scalars().all() == [
            tiny.WEST_VILLAGE
        ]
    listed = run("grids")
    assert listed.exit_code == 1
    assert f"g1  西村 → {tiny.WEST_VILLAGE} 西村" in listed.stdout
    assert "g2  别处网格 → (none of ours)" in listed.stdout
    assert len(json.loads(run("grids", "--json").stdout)["grids"]) == 3


def test_a_list_that_failed_ends_with_one_and_says_why(run, platform):
    platform.fail("get_order_list", Fault(errcode=60020))
    done = run("pull", "--once", "--family", "patrol", GRIDMAP_WECOM_ADDRESS=platform.url)
    assert done.exit_code == 1
    assert "patrol reports: WeCom refused `report/patrol/get_order_list`: error 60020" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "changes", "said"),
    [
        (["pull", "--once"], {"GRIDMAP_WECOM_SECRET": ""}, "GRIDMAP_WECOM_SECRET"),
        (["pull", "--once", "--since", "yesterday"], {}, "`--since`"),
        (["pull", "--once"], {"GRIDMAP_WECOM_ADDRESS": "nowhere"}, "is no address"),
    ],
)
def test_wrong_use_is_one_sentence(run, arguments, changes, said):
    done = run(*arguments, **changes)
    assert done.output == ""
    assert isinstance(done.exception, InputError)  # `main` makes of it one line and exit code 2
    assert said in str(done.exception)


def test_it_goes_on_pulling_until_it_is_stopped(ready, platform):
    process = subprocess.Popen(
        [GRIDMAP, "wecom", "pull", "--family", "resident"],
        env=os.environ | _environment(ready, GRIDMAP_WECOM_ADDRESS=platform.url) | {"PYTHONPATH": str(PROJECT_DIR)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert next(line for line in lines if "resident reports: 1 pages" in line)
    # As a service is stopped; who was started in the background may be deaf to the keyboard.
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "stopped." in told
