"""Backup and restore: the same rows and extents, whole or not at all."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from gridmap.errors import ConflictError, InputError
from gridmap.store.archive import backup, restore
from gridmap.store.places import read_grids, read_households
from gridmap.store.schema import schema_differences
from gridmap.store.writing import write_rows
from gridmap.texts import use_language
from tests import tiny


@pytest.fixture
def empty_url(cluster_url: URL) -> URL:
    admin = create_engine(cluster_url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS empty_again"))
        connection.execute(text("CREATE DATABASE empty_again"))
    return cluster_url.set(database="empty_again")


def _everything(engine: Engine) -> dict[str, object]:
    with engine.connect() as connection:
        return {
            "grids": read_grids(connection, township_code=tiny.TOWNSHIP, on=tiny.PLAN_FROM).to_wkt().to_dict(),
            "households": read_households(connection, township_code=tiny.TOWNSHIP).to_wkt().to_dict(),
            "fixes": connection.execute(text("SELECT track_code, ST_AsText(geom) FROM track_fix")).fetchall(),
            "home_visits": connection.execute(text("SELECT * FROM home_visit")).fetchall(),
            "checkins": connection.execute(text("SELECT staff_id, place FROM checkin")).fetchall(),
        }


def test_a_restored_database_holds_the_same_and_keeps_its_promises(tiny_engine: Engine, empty_url: URL, tmp_path: Path):
    checkins = pd.DataFrame(
        [
            {
                "township_code": tiny.TOWNSHIP,
                "staff_id": "m1",
                "kind": "k",
                "happened_at": tiny.at(5),
                "place": "桥头'\\n%",
            }
        ]
    )
    with tiny_engine.begin() as connection:
        write_rows(connection, "checkin", checkins, key=["staff_id", "happened_at", "kind"], append_only=True)
        who = {"township_code": tiny.TOWNSHIP, "staff_id": "m1", "happened_at": tiny.at(5)}
        fix = gpd.GeoDataFrame([{"track_code": "t1", **who}], geometry=tiny.stored([tiny.metric_point(9, 9)]))
        write_rows(connection, "track_fix", fix, key=["track_code", "happened_at"], append_only=True)
        visit = pd.DataFrame([{"household_code": "H-0-0", **who}])
        write_rows(connection, "home_visit", visit, key=["household_code", "happened_at"], append_only=True)
    file = tmp_path / "township.backup"
    backup(tiny_engine.url, file)
    restore(empty_url, file)
    restored = create_engine(empty_url, poolclass=NullPool)
    assert _everything(restored) == _everything(tiny_engine)
    assert schema_differences(restored) == []
    with pytest.raises(Exception, match="never changed or deleted"), restored.begin() as connection:
        connection.execute(text("DELETE FROM checkin"))


def test_a_backup_never_overwrites(tiny_engine: Engine, tmp_path: Path):
    file = tmp_path / "kept"
    file.write_text("precious")
    use_language("en")
    with pytest.raises(ConflictError, match="never overwrites"):
        backup(tiny_engine.url, file)
    assert file.read_text() == "precious"


def test_a_backup_that_cannot_be_written_leaves_nothing(tiny_engine: Engine, tmp_path: Path):
    use_language("en")
    with pytest.raises(InputError, match="cannot be written"):
        backup(tiny_engine.url, tmp_path / "no" / "such" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_only_an_empty_database_is_restored_into(tiny_engine: Engine, tmp_path: Path):
    file = tmp_path / "township.backup"
    backup(tiny_engine.url, file)
    before = _everything(tiny_engine)
    use_language("en")
    with pytest.raises(ConflictError, match="empty database"):
        restore(tiny_engine.url, file)
    assert _everything(tiny_engine) == before


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)], ids=["empty", "text", "empty zip"])
def test_what_is_no_backup_is_refused(empty_url: URL, tmp_path: Path, content: bytes):
    file = tmp_path / "x"
    file.write_bytes(content)
    use_language("en")
    with pytest.raises(InputError, match="no gridmap backup"):
        restore(empty_url, file)


def test_a_missing_file_is_refused(empty_url: URL, tmp_path: Path):
    with pytest.raises(InputError, match="nowhere"):
        restore(empty_url, tmp_path / "nowhere")
