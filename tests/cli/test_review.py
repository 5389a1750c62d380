"""`gridmap review` and `gridmap review-province` as a person calls them."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from gridmap.cli.review import known_by
from gridmap.errors import InputError
from gridmap.exports.province import write_province
from gridmap.exports.review import table_csv
from gridmap.reports.review.build import column, table
from gridmap.settings import PROJECT_DIR
from gridmap.store.writing import write_rows
from tests.busy import EVIL, NOW
from tests.reviewing import database
from tests.tiny import TOWNSHIP, WEST_VILLAGE, load_tiny_township, metric_point, stored, write_categories

GRIDMAP = str(Path(sys.executable).parent / "gridmap")


TENTH = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=10, hour=4)
MONTH = f"{TENTH:%Y-%m}"
"""Last month by the machine's clock: the command has no other."""


@pytest.fixture(scope="module")
def met(cluster_url: URL, template_database: str) -> Iterator[Engine]:
    """The tiny township with one dispute of the tenth of last month."""
    dispute = {
        "incident_code": ["I1"], "township_code": TOWNSHIP, "category_code": "D1", "list_year": 2026, "urgency": "normal",
        "source": EVIL, "village_code": WEST_VILLAGE, "place": EVIL, "text": EVIL, "happened_at": [TENTH],
        "recorded_at": [TENTH], "due_at": [TENTH + timedelta(days=7)],
    }  # fmt: skip
    with database(cluster_url, template_database) as engine:
        with engine.begin() as connection:
            load_tiny_township(connection)
            write_categories(connection)
            rows = gpd.GeoDataFrame(dispute, geometry=stored([metric_point(300, 900)]))
            write_rows(connection, "incident", rows, key=["incident_code"], append_only=True)
        yield engine


def _run(engine: Engine, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "GRIDMAP_LANGUAGE": "en"}
    own |= {"PYTHONPATH": str(PROJECT_DIR), "GRIDMAP_DATABASE_URL": engine.url.render_as_string(hide_password=False)}
    return subprocess.run(
        [GRIDMAP, *arguments], env=own, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )


def test_the_review_is_written_frozen_compared_and_run_as_a_province(met: Engine, tmp_path: Path):
    """One call after the other on one database, as on the day of a meeting."""
    out, data = tmp_path / "pack", tmp_path / "data"
    first = _run(met, "review", MONTH, "--out", str(out), "--geoparquet", str(data), "--freeze", "--json")
    assert first.returncode == 0, first.stderr
    answer = json.loads(first.stdout)
    assert answer["frozen"]["digest"] == answer["digest"]
    assert answer["figures"]["disputes.n_new"] == 1
    kept = json.loads((out / "figures.json").read_text("utf-8"))
    assert kept["digest"] == answer["digest"]
    assert {Path(file) for file in answer["files"]} == {file for file in out.rglob("*") if file.is_file()}
    with (out / "figures.csv").open(encoding="utf-8-sig") as lines:
        rows = {row["Figure"]: row for row in csv.DictReader(lines)}
    assert rows["New disputes"]["Month"] == "1 cases"
    assert rows["Doors visited"]["Month"] == "unknown"
    check = _run(met, "review", MONTH, "--check", "--json")
    assert check.returncode == 0, check.stderr
    assert json.loads(check.stdout)["check"]["is_identical"] is True
    told = _run(met, "review-province", str(data), "--month", MONTH, "--out", str(tmp_path / "p.csv"), "--json")
    assert told.returncode == 0, told.stderr
    assert "1 of 1" in told.stderr
    assert pd.read_csv(tmp_path / "p.csv")["disputes.n_new"].tolist() == [1]
    assert pd.read_csv(tmp_path / "p-disputes.csv")["n_new"].tolist() == [1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2099-01", "--out", "x"), "had not begun"),
        ((MONTH,), "--out"),
        (("2024-08", "--check"), "never frozen"),
        ((MONTH, "--out", "x", "--frozen", "--as-known-on", "2026-10-20"), "`--frozen` and `--as-known-on`"),
        ((MONTH, "--freeze", "--check"), "`--freeze` and `--check`"),
        ((MONTH, "--freeze", "--template", "county.docx"), "`--template` is of no use without `--out`"),
        ((MONTH, "--freeze", "--public"), "`--public` is of no use without `--out`"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_exit_code_2(met: Engine, arguments: tuple[str, ...], said: str):
    done = _run(met, "review", *arguments)
    assert done.returncode == 2
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("gridmap: ")]
    assert said in sentence
    assert not done.stdout


@pytest.fixture
def tampered(met: Engine) -> Iterator[Engine]:
    """The township with a frozen review whose figures say another name."""
    assert _run(met, "review", MONTH, "--freeze").returncode == 0
    kept = "UPDATE review_pack SET figures = jsonb_set(figures, '{township_name}', to_jsonb(CAST(:name AS text)))"
    with met.begin() as connection:
        name = connection.execute(text("SELECT figures ->> 'township_name' FROM review_pack")).scalars().first()
        connection.execute(text("ALTER TABLE review_pack DISABLE TRIGGER USER"))
        connection.execute(text(kept), {"name": "别处"})
    yield met
    with met.begin() as connection:
        connection.execute(text(kept), {"name": name})
        connection.execute(text("ALTER TABLE review_pack ENABLE TRIGGER USER"))


def test_a_frozen_review_that_was_tampered_with_is_not_written(tampered: Engine, tmp_path: Path):
    done = _run(tampered, "review", MONTH, "--frozen", "--out", str(tmp_path / "pack"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "somebody changed them" in done.stderr
    assert not (tmp_path / "pack").exists()
    assert _run(tampered, "review", MONTH, "--check").returncode == 1


def test_a_month_without_data_is_written_as_unknown_and_told(met: Engine, tmp_path: Path):
    done = _run(met, "review", "2024-02", "--public", "--out", str(tmp_path))
    assert done.returncode == 1
    assert "unknown" in done.stderr
    assert "unknown" in (tmp_path / "figures.csv").read_text("utf-8-sig")


def test_a_day_is_known_by_its_end_in_shanghai_and_today_by_now():
    assert known_by(None, now=NOW) == NOW
    assert known_by("2026-10-15", now=NOW) == NOW
    assert known_by("2026-10-14", now=NOW) == datetime(2026, 10, 14, 15, 59, 59, 999999, tzinfo=UTC)
    for written in ("20261014", "2026-W41-3", "2026-10-32"):
        with pytest.raises(InputError, match=written):
            known_by(written, now=NOW)
    with pytest.raises(InputError, match="2026-10-16"):
        known_by("2026-10-16", now=NOW)


def test_cells_of_a_csv_are_text_and_never_a_formula():
    rows = pd.DataFrame({"grid": ["=1+1", EVIL, None], "n_due": [1, 2.0, None]})
    written = table_csv(table("gaps.points", rows, [column("grid"), column("n_due", "count")], by=["grid"]))
    lines = list(csv.reader(written.decode("utf-8-sig").splitlines()))
    assert lines[1] == ["'=1+1", "1"]
    assert lines[3] == ["", ""]


def test_a_province_goes_to_csv_or_parquet_only(tmp_path: Path):
    rows = pd.DataFrame({"township": ["=甲"], "n": [1.0]}, index=pd.Index(["439901101"], name="township_code"))
    with pytest.raises(InputError, match="csv"):
        write_province(rows, rows, tmp_path / "p.xls")
    files = write_province(rows, rows, tmp_path / "p.csv")
    assert [file.name for file in files] == ["p.csv", "p-disputes.csv"]
    assert pd.read_csv(files[0])["township"].tolist() == ["'=甲"]
    assert pd.read_parquet(write_province(rows, rows, tmp_path / "p.parquet")[0])["township"].tolist() == ["=甲"]
    with pytest.raises(InputError, match="文件夹"):
        write_province(rows, rows, tmp_path / "none" / "p.csv")


def test_on_an_empty_database_it_is_one_sentence_what_to_load(engine: Engine, tmp_path: Path):
    done = _run(engine, "review", MONTH, "--out", str(tmp_path / "pack"))
    assert done.returncode == 2
    assert "gridmap load" in done.stderr or "township" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "pack").exists()
