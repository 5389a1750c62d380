import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.incidents import incident_states
from gridmap.errors import InputError
from gridmap.ingest.context import KnownPosting, ListedCategory
from gridmap.ingest.gcj02 import to_gcj02
from gridmap.ingest.limits import Limits
from gridmap.ingest.wecom_orders import order_tables
from tests.ingest.town import EAST, GRID, WEST, ZONE, context, degrees, read, reasons
from tests.ingest.wecom_orders import CREATED_AT, HOUR, answer, order, record, write

(LON, LAT), *_ = degrees([500], [500])
GCJ = tuple(float(value[0]) for value in to_gcj02(np.array([LON]), np.array([LAT])))
NEW_YEAR = dt.date(2026, 1, 1)
LISTED = ListedCategory(code="D1", list_year=2026, name="邻里", valid_from=NEW_YEAR, valid_until=None)


def _known(**more):
    since = dt.date(2025, 1, 1)
    settings = {
        "categories": (LISTED,),
        "category_keys": frozenset({("D1", 2026)}),
        "staff_ids": frozenset({"ma", "zhou"}),
        "postings": {
            "ma": (KnownPosting(level="member", valid_from=since, valid_until=None),),
            "zhou": (
                KnownPosting(level="grid", valid_from=since, valid_until=dt.date(2026, 3, 1)),
                KnownPosting(level="village", valid_from=dt.date(2026, 3, 1), valid_until=None),
            ),
        },
        "platform_grids": {"g-w1": GRID},
        "grids_by_name": {"青石社区": EAST},
    }
    return context(**settings | more)


def _read(tmp_path, *orders, **options):
    options.setdefault("context", _known())
    return read("incidents", write(tmp_path / "orders.json", answer(orders)), **options)


def _steps(reading):
    steps = reading.frames["incident_steps"].sort_values(["happened_at", "kind"])
    hours = (steps["happened_at"] - pd.Timestamp(CREATED_AT, unit="s", tz="UTC")).dt.total_seconds() / HOUR
    return list(zip(steps["kind"], hours, steps["level"], strict=True))


def test_a_patrol_report_becomes_an_incident_with_its_history(tmp_path):
    history = [
        record(1, 0),
        record(3, 1, who="centre"),
        record(7, 2),
        record(4, 3, desc="移交村里"),
        record(5, 30, who="zhou"),
    ]
    reading = _read(tmp_path, order(place=GCJ, urge_type=3, process_list=history))
    assert (reading.n_read, reading.n_taken, reading.datum) == (6, 6, "gcj02")
    (incident,) = reading.frames["incidents"].to_dict("records")
    assert incident["incident_code"] == "QWwr-001_Ab"
    assert (incident["category_code"], incident["list_year"], incident["urgency"]) == ("D1", 2026, "urgent")
    assert incident["happened_at"] == pd.Timestamp("2026-03-05 08:00", tz=ZONE)
    assert (incident["source"], incident["place"], incident["text"]) == (
        "企业微信巡查上报",
        "老桥头 西村一组",
        "排水沟堵了",
    )
    assert (incident["geometry"].x, incident["geometry"].y) == pytest.approx((LON, LAT), abs=1e-8)
    assert incident["village_code"] is None
    assert (incident["order_id"], incident["family"], incident["urge_type"]) == ("wr-001_Ab", "patrol", 3)
    assert _steps(reading) == [
        ("reported", 0, "member"),
        ("dispatched", 1, None),
        ("handled", 2, "member"),
        ("escalated", 3, "member"),
        ("closed", 30, "village"),
    ]
    assert any("centre" in note for note in reading.notes)


def test_who_reported_as_a_resident_stays_out(tmp_path):
    secret = {"reporter_name": "张三丰", "reporter_mobile": "13812345678", "unionid": "oU-77"}
    told = order(desc="我是张三，电话13812345678", process_list=[record(2, 1, desc="已回电13812345678")], **secret)
    reading = _read(tmp_path, told)
    assert {column.header for column in reading.dropped_columns} >= {"reporter_name", "reporter_mobile"}
    (incident,) = reading.frames["incidents"].to_dict("records")
    assert (incident["source"], incident["text"]) == ("企业微信居民上报", "我是张三，电话〔电话〕")
    kept = "".join(frame.astype(str).to_csv() for frame in (*reading.frames.values(), reading.preview))
    assert not [word for word in secret.values() if word in kept]
    assert reading.frames["incident_steps"]["note"].dropna().tolist() == ["已回电〔电话〕"]


def test_an_account_that_is_a_telephone_number_is_left_out_and_its_step_counts(tmp_path):
    reading = _read(tmp_path, order(process_list=[record(5, 1, who="13812345678")]))
    assert reading.n_quarantined == 0
    assert reading.frames["incident_steps"].set_index("kind")["staff_id"]["closed"] is None


@pytest.mark.parametrize(
    ("changes", "village", "grid"),
    [
        ({}, WEST, GRID),
        ({"grid_id": "g-77", "grid_name": "青石社区"}, EAST, EAST),
        ({"grid_id": "g-77", "grid_name": "他乡网格"}, None, None),
        ({"grid_id": None, "grid_name": None}, None, None),
        ({"location": None}, WEST, GRID),
    ],
)
def test_without_a_place_the_platforms_grid_tells_where(tmp_path, changes, village, grid):
    reading = _read(tmp_path, order(**changes))
    (incident,) = reading.frames["incidents"].to_dict("records")
    assert incident["geometry"] is None
    assert (incident["village_code"], incident["platform_grid_code"]) == (village, grid)


@pytest.mark.parametrize("pair", [(GCJ[0], GCJ[1]), (round(GCJ[0] * 1e6), round(GCJ[1] * 1e6))])
def test_degrees_and_whole_millionths_are_one_place_and_the_latter_is_told(tmp_path, pair):
    reading = _read(tmp_path, order(place=pair))
    point = reading.frames["incidents"].geometry.iloc[0]
    assert (point.x, point.y) == pytest.approx((LON, LAT), abs=1e-6)
    assert len(reading.changed) == isinstance(pair[0], int)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"case_name": "没有的类别"}, "unknown_case"),
        ({"case_name": ""}, "missing_value"),
        ({"create_time": CREATED_AT - 90 * 86400}, "unknown_case"),
        ({"create_time": CREATED_AT * 1000}, "not_a_time"),
        ({"create_time": "昨天"}, "not_a_time"),
        ({"urge_type": 4}, "unknown_word"),
        ({"order_id": None}, "missing_value"),
        ({"order_id": "13812345678"}, "personal_value"),
        ({"order_id": "x" * 101}, "too_long"),
        ({"order_id": "wr-001_Ab", "desc": "另一件"}, "repeated_key"),
        ({"location": {"longitude": GCJ[0], "latitude": 27_912_345}}, "outside_china"),
        ({"location": {"longitude": GCJ[0] * 1e6, "latitude": GCJ[1] * 1e6}}, "outside_china"),
        ({"location": {"longitude": GCJ[0], "latitude": None}}, "half_coordinates"),
        ({"location": {"longitude": 116.4, "latitude": 39.9}}, "outside_township"),
        ({"location": {"longitude": True, "latitude": 39.9}}, "not_a_number"),
        ({"desc": "长" * 5000}, "too_long"),
    ],
)
def test_a_faulty_order_is_refused_with_its_steps(tmp_path, changes, code):
    reading = _read(tmp_path, order(1, place=GCJ), order(2, place=GCJ, **changes))
    refused = reading.quarantined
    assert refused.loc[refused["sheet"] == "order", "reason_code"].tolist() == [code]
    assert len(reading.frames["incidents"]) == 1


def test_a_name_that_two_categories_bear_is_refused(tmp_path):
    twice = (LISTED, ListedCategory(code="D9", list_year=2026, name="邻里", valid_from=NEW_YEAR, valid_until=None))
    assert reasons(_read(tmp_path, order(), context=_known(categories=twice)))[1] in {"shared_case", "unknown_incident"}


@pytest.mark.parametrize(
    ("cases", "taken"), [({"排水问题": "D1"}, True), ({"排水问题": "D0"}, False), ({"邻里": "D1"}, False)]
)
def test_a_name_of_the_platforms_own_is_the_category_that_was_given_for_it(tmp_path, cases, taken):
    reading = _read(tmp_path, order(case_name="排水 问题"), context=_known(case_codes=cases))
    assert reading.frames["incidents"]["category_code"].tolist() == ["D1"] * taken


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"process_type": 9}, "unknown_word"),
        ({"process_type": None}, "missing_value"),
        ({"solved_time": 0}, "missing_value"),
        ({"solved_time": "x"}, "not_a_time"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_alone(tmp_path, changes, code):
    reading = _read(tmp_path, order(process_list=[record(1, 0), record(2, 1), record(7, 2) | changes]))
    assert reading.quarantined[["sheet", "reason_code"]].to_numpy().tolist() == [["process", code]]
    assert [kind for kind, _, _ in _steps(reading)] == ["reported", "accepted"]


def test_a_record_under_way_is_no_step_yet_and_is_told(tmp_path):
    reading = _read(tmp_path, order(process_list=[record(1, 0), record(7, 0, status=0)]))
    assert [kind for kind, _, _ in _steps(reading)] == ["reported"]
    assert any("under way" in note for note in reading.notes)


def test_a_refusal_closes_with_its_word_and_what_follows_reopens(tmp_path):
    history = [record(6, 1, desc="不属本乡"), record(7, 5), record(5, 9)]
    reading = _read(tmp_path, order(process_list=history))
    assert [(kind, hours) for kind, hours, _ in _steps(reading)] == [
        ("reported", 0),
        ("closed", 1),
        ("handled", 5),
        ("reopened", 5),
        ("closed", 9),
    ]
    assert reading.frames["incident_steps"].query("kind == 'closed'")["note"].tolist()[0] == "拒绝：不属本乡"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"errcode": 42001, "errmsg": "access_token expired", "order_list": []}, "error 42001 .access_token expired"),
        ({"errcode": 0, "order_list": []}, "no rows"),
        ({"errcode": 0, "order_list": [1]}, "no WeCom orders"),
        ({"errcode": 0, "order_list": {}}, "no WeCom orders"),
        ({"errcode": 0, "order_info": None}, "no WeCom orders"),
        (answer([order(number) for number in range(4)]), "more than 3 rows"),
    ],
)
def test_answers_without_orders_are_refused(content, message):
    with pytest.raises(InputError, match=message):
        order_tables(content, name="o.json", encoding="utf-8", limits=Limits(max_rows=3))


def test_an_order_comes_as_a_list_as_one_or_as_several_answers(tmp_path):
    one = {"errcode": 0, "errmsg": "ok", "order_info": order(2)}
    for content, n_orders in ((answer([order()]), 1), (one, 1), ([answer([order()]), one], 2)):
        reading = read("incidents", write(tmp_path / "orders.json", content), context=_known())
        assert len(reading.frames["incidents"]) == n_orders


@pytest.mark.parametrize("content", [{"checkindata": []}, {"grid_list": [1]}, {"grid_list": None}, [1], []])
def test_json_of_another_kind_is_told_apart(tmp_path, content):
    file = write(tmp_path / "x.json", content)
    with pytest.raises(InputError, match=r"no WeCom orders|no rows"):
        read("incidents", file)
    with pytest.raises(InputError, match=r"no grid tree of WeCom|no rows"):
        read("platform_grids", file)


def test_orders_are_no_other_layer(tmp_path):
    file = write(tmp_path / "orders.json", answer([order()]))
    with pytest.raises(InputError, match="takes GeoJSON only"):
        read("households", file)
    with pytest.raises(InputError, match="no WeCom check-in"):
        read("checkins", file)


KINDS = st.lists(st.tuples(st.sampled_from([2, 3, 4, 5, 6, 7]), st.integers(1, 40)), max_size=7)


def _rows(history):
    tables = order_tables(answer([order(process_list=history)]), name="o", encoding=None, limits=Limits())
    return {(row[1], row[4]) for row in tables[1].cells.itertuples(index=False)}


@given(history=KINDS, cut=st.integers(0, 7))
def test_a_history_that_grew_has_every_step_of_the_one_before(history, cut):
    records = sorted((record(kind, hours) for kind, hours in history), key=lambda one: one["solved_time"])
    assert _rows(records[:cut]) <= _rows(records)


@settings(max_examples=8)
@given(history=KINDS, seed=st.integers(0, 1000))
def test_the_state_is_the_same_in_whatever_order_the_records_stand(tmp_path_factory, history, seed):
    folder = tmp_path_factory.mktemp("orders")
    distinct = {hours: record(kind, hours) for kind, hours in history}
    records = list(distinct.values())
    shuffled = [records[place] for place in np.random.default_rng(seed).permutation(len(records))]
    now, states = pd.Timestamp("2026-06-01", tz=ZONE), []
    for some in (records, shuffled):
        frames = _read(folder, order(process_list=some)).frames
        incidents = frames["incidents"].set_index("incident_code")
        steps = frames["incident_steps"].assign(due_at=pd.Series(pd.NaT, dtype="datetime64[us, UTC]"))
        states.append(incident_states(incidents, steps, now=now, due_soon=dt.timedelta(0)))
    pd.testing.assert_frame_equal(*states)
    last = max(distinct, default=None)
    assert bool(states[0]["is_open"].iloc[0]) == (last is None or distinct[last]["process_type"] not in (5, 6))


def test_the_grid_tree_is_read_with_numbers_as_names_and_repeated_parents(tmp_path):
    root = {"grid_id": "g0", "grid_name": "青石乡", "grid_parent_id": "", "grid_admin": ["ma"], "grid_member": []}
    child = {
        "grid_id": "g1",
        "grid_name": 1,
        "grid_parent_id": "g0",
        "grid_admin": ["13812345678"],
        "grid_member": ["zhou"],
    }
    content = [{"errcode": 0, "grid_list": [root, child]}, {"errcode": 0, "grid_list": [child]}]
    reading = read("platform_grids", write(tmp_path / "grids.json", content), context=_known())
    assert reading.frames["platform_grids"].to_dict("records") == [
        {"grid_id": "g0", "name": "青石乡", "parent_id": None, "admins": ["ma"], "members": []},
        {"grid_id": "g1", "name": "1", "parent_id": "g0", "admins": [], "members": ["zhou"]},
    ]
    assert len(reading.changed) >= 1


@pytest.mark.parametrize(
    ("node", "code"),
    [
        ({"grid_id": None}, "missing_value"),
        ({"grid_name": ""}, "missing_value"),
        ({"grid_admin": "ma"}, "not_accounts"),
        ({"grid_id": "g0", "grid_name": "又一个"}, "repeated_key"),
    ],
)
def test_a_faulty_node_is_refused(tmp_path, node, code):
    sound = {"grid_id": "g0", "grid_name": "青石乡"}
    content = {"errcode": 0, "grid_list": [sound, {"grid_id": "g1", "grid_name": "x"} | node]}
    assert reasons(read("platform_grids", write(tmp_path / "g.json", content), context=_known())) == {2: code}


def test_half_a_surrogate_pair_and_a_nul_do_no_harm(tmp_path):
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(answer([order(desc="a\ud800\x00b")])), "utf-8")
    reading = read("incidents", file, context=_known())
    assert reading.frames["incidents"]["text"].tolist() == ["a?b"]
