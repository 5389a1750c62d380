"""Writes: once is once, changes are counted, append-only rows stay as recorded first."""

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from gridmap.errors import CrsError
from gridmap.store.writing import Written, write_rows
from tests import tiny


def test_writing_twice_is_writing_once(engine: Engine):
    with engine.begin() as connection:
        first = write_rows(connection, "area", tiny.areas(), key=["area_code"])
        second = write_rows(connection, "area", tiny.areas(), key=["area_code"])
    assert (first.n_new, first.n_updated) == (7, 0)
    assert (second.n_new, second.n_updated) == (0, 0)


def test_a_changed_row_is_updated_and_counted(engine: Engine):
    changed = tiny.areas()
    changed.loc[1, "name"] = "新村"
    with engine.begin() as connection:
        write_rows(connection, "area", tiny.areas(), key=["area_code"])
        written = write_rows(connection, "area", changed, key=["area_code"])
        name = connection.execute(text("SELECT name FROM area WHERE area_code = :code"), {"code": tiny.WEST_VILLAGE})
        assert name.scalar() == "新村"
    assert written == Written(n_new=0, n_updated=1, n_differing=0)


def test_append_only_rows_stay_as_recorded_first(engine: Engine):
    row = {"township_code": tiny.TOWNSHIP, "staff_id": "m1", "kind": "k", "happened_at": tiny.at(5), "place": "桥头"}
    key = ["staff_id", "happened_at", "kind"]
    with engine.begin() as connection:
        write_rows(connection, "checkin", pd.DataFrame([row]), key=key, append_only=True)
        again = write_rows(connection, "checkin", pd.DataFrame([{**row, "place": "x"}]), key=key, append_only=True)
        assert connection.execute(text("SELECT place FROM checkin")).scalar() == "桥头"
    assert again == Written(n_new=0, n_updated=0, n_differing=1)


def test_text_that_looks_like_sql_or_copy_is_stored_as_it_is(engine: Engine):
    texts = ["'; DROP TABLE area; --", "\\N", "\\.", "a\tb\nc", "100%", ":name", "${7*7}"]
    rows = pd.DataFrame(
        {"township_code": tiny.TOWNSHIP, "staff_id": texts, "kind": "k", "happened_at": tiny.at(5), "place": texts}
    )
    with engine.begin() as connection:
        write_rows(connection, "checkin", rows, key=["staff_id", "happened_at", "kind"], append_only=True)
        stored = connection.execute(text("SELECT place FROM checkin ORDER BY checkin_id")).scalars().all()
    assert stored == texts


def test_another_coordinate_system_is_refused(engine: Engine):
    with engine.begin() as connection, pytest.raises(CrsError, match="Reproject"):
        write_rows(connection, "area", tiny.areas().to_crs(tiny.METRIC), key=["area_code"])
