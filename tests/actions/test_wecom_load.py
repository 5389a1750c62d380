"""Orders and grids of the work platform from files: each once, only new steps, nothing of ours renamed."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from gridmap.actions.load import LoadOptions, load_layer
from gridmap.analysis.incidents import incident_states
from gridmap.errors import InputError
from gridmap.ingest.gcj02 import to_gcj02
from gridmap.settings import Settings, settings
from gridmap.store.facts import read_incident_steps, read_incidents
from gridmap.store.imports import read_quarantine
from gridmap.store.work_platform import read_platform_grids
from gridmap.store.writing import write_rows
from gridmap.texts import use_language
from tests import tiny
from tests.ingest.wecom_orders import CREATED_AT, answer, order, record, write

NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)
SPAN = {
    "township_code": tiny.TOWNSHIP,
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "until": datetime(2027, 1, 1, tzinfo=UTC),
}
HISTORY = [record(1, 0), record(2, 1), record(7, 20), record(5, 30)]
TREE = {
    "errcode": 0,
    "grid_list": [
        {"grid_id": "g0", "grid_name": "小乡", "grid_parent_id": "", "grid_admin": ["boss"], "grid_member": []},
        {"grid_id": "g-w", "grid_name": "西村", "grid_parent_id": "g0", "grid_admin": [], "grid_member": []},
        {
            "grid_id": "g-w1",
            "grid_name": "第1网格",
            "grid_parent_id": "g-w",
            "grid_admin": ["ma"],
            "grid_member": ["li"],
        },
        {"grid_id": "g-x", "grid_name": "新区网格", "grid_parent_id": "g0", "grid_admin": [], "grid_member": []},
    ],
}


@pytest.fixture
def platform_engine(tiny_engine: Engine) -> Engine:
    use_language("en")
    with tiny_engine.begin() as connection:
        tiny.write_categories(connection)
        people = pd.DataFrame({"staff_id": ["ma", "hu"], "township_code": tiny.TOWNSHIP, "name": ["马", "胡"]})
        write_rows(connection, "staff", people, key=["staff_id"])
        postings = pd.DataFrame(
            {
                "staff_id": ["ma", "hu"],
                "grid_code": tiny.GRIDS[0],
                "role": ["chief", "member"],
                "valid_from": date(2026, 1, 1),
            }
        ).assign(team_code=None)
        write_rows(connection, "posting", postings, key=["staff_id", "grid_code", "team_code", "role", "valid_from"])
    return tiny_engine


def _gcj(east_m: float, north_m: float) -> tuple[float, float]:
    point = tiny.stored([tiny.metric_point(east_m, north_m)]).iloc[0]
    lon, lat = to_gcj02(np.array([point.x]), np.array([point.y]))
    return float(lon[0]), float(lat[0])


def _load(engine, folder, content, layer="incidents", *, now=NOW):
    file = write(folder / "wecom.json", content)
    return load_layer(engine, layer=layer, files=[file], options=LoadOptions(), settings=Settings(), now=now)


def _held(engine):
    with engine.connect() as connection:
        return read_incidents(connection, **SPAN), read_incident_steps(connection, **SPAN)


def test_an_order_that_comes_again_is_one_incident_with_the_new_steps(platform_engine, tmp_path):
    first = _load(platform_engine, tmp_path, answer([order(place=_gcj(100, 1000), process_list=HISTORY[:2])]))
    later = _load(
        platform_engine,
        tmp_path,
        answer([order(place=_gcj(100, 1000), process_list=HISTORY)]),
        now=NOW + timedelta(days=1),
    )
    assert (first.n_new, later.n_new, later.is_known) == (3, 2, False)
    incidents, steps = _held(platform_engine)
    assert incidents.index.tolist() == ["QWwr-001_Ab"]
    assert steps["kind"].tolist() == ["reported", "accepted", "handled", "closed"]
    assert incidents.iloc[0][["category_code", "category_name", "urgency"]].tolist() == ["D1", "邻里", "normal"]
    assert incidents["recorded_at"].iloc[0] == NOW
    assert steps["recorded_at"].tolist() == [NOW, NOW, NOW + timedelta(days=1), NOW + timedelta(days=1)]
    assert _load(platform_engine, tmp_path, answer([order(place=_gcj(100, 1000), process_list=HISTORY)])).is_known


def test_seven_working_days_are_the_due_time_and_stay_when_deadlines_change(platform_engine, tmp_path, monkeypatch):
    _load(platform_engine, tmp_path, answer([order()]))
    monkeypatch.setenv("GRIDMAP_DEADLINES", "accept=1wd member=1wd grid=1wd village=1wd close=1wd")
    settings.cache_clear()
    again = _load(platform_engine, tmp_path, answer([order(desc="排水沟堵了", process_list=HISTORY)]))
    assert not [note for note in again.notes if "differ" in note]
    # Thursday 5 March 08:00 + 7 working days of 24 hours: Monday 16 March 08:00.
    assert _held(platform_engine)[0]["due_at"].tolist() == [pd.Timestamp("2026-03-16 08:00", tz="Asia/Shanghai")]


def test_what_the_platform_changed_meanwhile_is_told_and_the_first_stands(platform_engine, tmp_path):
    _load(platform_engine, tmp_path, answer([order()]))
    outcome = _load(platform_engine, tmp_path, answer([order(desc="改过的描述", process_list=HISTORY)]))
    assert _held(platform_engine)[0]["text"].tolist() == ["排水沟堵了"]
    assert any("1 rows differ" in note or "1 row" in note for note in outcome.notes)


def test_histories_in_whatever_order_they_come_end_in_the_same_state(platform_engine, tmp_path):
    states = []
    for number, cuts in enumerate([(1, 2, 4), (4, 2, 1), (2, 4, 1)]):
        for cut in cuts:
            _load(platform_engine, tmp_path, answer([order(number, process_list=HISTORY[:cut])]))
        incidents, steps = _held(platform_engine)
        state = incident_states(incidents.iloc[[-1]], steps, now=NOW, due_soon=timedelta(0)).iloc[0]
        states.append(state[["state", "level", "holder", "closed_at", "is_on_time", "last_step_at"]].tolist())
    assert len(states) == 3
    assert all(state == states[0] for state in states)
    assert states[0][0] == "closed"


def test_the_grid_is_that_of_the_place_else_the_platforms(platform_engine, tmp_path):
    told = [
        ({"place": _gcj(1500, 1000)}, tiny.GRIDS[1], None),
        ({}, tiny.GRIDS[0], tiny.WEST_VILLAGE),
        ({"grid_id": "g-w"}, tiny.WEST_VILLAGE, tiny.WEST_VILLAGE),
        ({"grid_id": "unknown", "grid_name": "东村第1网格"}, tiny.GRIDS[2], tiny.EAST_VILLAGE),
        ({"grid_id": "unknown", "grid_name": "新区网格"}, None, None),
    ]
    _load(platform_engine, tmp_path, TREE, "platform_grids")
    _load(platform_engine, tmp_path, answer([order(number, **changes) for number, (changes, _, _) in enumerate(told)]))
    with platform_engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT o.grid_code, village_code FROM work_platform_order AS o JOIN incident USING (incident_code)"
                " ORDER BY order_id"
            )
        ).all()
    assert [tuple(row) for row in rows] == [(grid, village) for _, grid, village in told]


def test_the_tree_finds_our_grids_by_name_and_tells_the_rest(platform_engine, tmp_path):
    outcome = _load(platform_engine, tmp_path, TREE, "platform_grids")
    with platform_engine.connect() as connection:
        grids = read_platform_grids(connection, township_code=tiny.TOWNSHIP)
        names = connection.execute(
            text("SELECT name FROM grid WHERE grid_code = :code"), {"code": tiny.GRIDS[0]}
        ).scalar()
        postings = connection.execute(text("SELECT count(*) FROM posting")).scalar()
    assert grids["grid_code"].dropna().to_dict() == {
        "g0": tiny.TOWNSHIP,
        "g-w": tiny.WEST_VILLAGE,
        "g-w1": tiny.GRIDS[0],
    }
    assert (names, postings) == ("西村第1网格", 2)
    told = "\n".join(outcome.notes)
    assert "3 of the 4" in told
    assert "新区网格" in told
    assert "东村" in told
    assert "only in WeCom li; only here hu" in told
    assert _load(platform_engine, tmp_path, TREE, "platform_grids").is_known


def test_a_renamed_node_changes_its_row_only(platform_engine, tmp_path):
    _load(platform_engine, tmp_path, TREE, "platform_grids")
    renamed = {"errcode": 0, "grid_list": [*TREE["grid_list"][:3], TREE["grid_list"][3] | {"grid_name": "东村"}]}
    outcome = _load(platform_engine, tmp_path, renamed, "platform_grids")
    assert (outcome.n_new, outcome.n_updated) == (0, 1)
    with platform_engine.connect() as connection:
        assert read_platform_grids(connection, township_code=tiny.TOWNSHIP)["grid_code"]["g-x"] == tiny.EAST_VILLAGE


def test_an_unknown_category_waits_in_quarantine_and_is_taken_once_the_list_has_it(platform_engine, tmp_path):
    outcome = _load(platform_engine, tmp_path, answer([order(case_name="新类别", process_list=HISTORY)]))
    assert outcome.n_new == 0
    with platform_engine.connect() as connection:
        refused = read_quarantine(connection, import_id=outcome.import_id)
    assert refused["reason_code"].tolist() == ["unknown_case", *["unknown_incident"] * 4]
    with platform_engine.begin() as connection:
        row = {"category_code": ["N1"], "list_year": 2026, "kind": "clue", "name": "新类别", "is_private": False}
        write_rows(
            connection,
            "category",
            pd.DataFrame(row).assign(valid_from=date(2026, 1, 1)),
            key=["category_code", "list_year"],
        )
    assert _load(platform_engine, tmp_path, answer([order(case_name="新类别", process_list=HISTORY)])).n_new == 5


def test_names_of_the_platforms_own_come_from_a_file(platform_engine, tmp_path, monkeypatch):
    cases = tmp_path / "cases.toml"
    cases.write_text('"用电问题" = "Z1"', "utf-8")
    monkeypatch.setenv("GRIDMAP_WECOM_CASES_FILE", str(cases))
    settings.cache_clear()
    _load(platform_engine, tmp_path, answer([order(case_name="用电问题")]))
    assert _held(platform_engine)[0]["category_code"].tolist() == ["Z1"]
    cases.write_text("用电", "utf-8")
    with pytest.raises(InputError, match=r"cases\.toml"):
        _load(platform_engine, tmp_path, answer([order(2)]))


def test_an_order_from_before_the_calendar_has_no_due_time(platform_engine, tmp_path):
    with platform_engine.begin() as connection:
        connection.execute(text("UPDATE category SET valid_from = '1990-01-01'"))
    _load(platform_engine, tmp_path, answer([order(create_time=CREATED_AT - 35 * 366 * 86400)]))
    with platform_engine.connect() as connection:
        assert connection.execute(text("SELECT due_at FROM incident")).scalars().all() == [None]
