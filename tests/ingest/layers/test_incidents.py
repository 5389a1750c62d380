import datetime as dt

import pandas as pd
import pytest

from gridmap.errors import InputError
from tests.ingest.town import WEST, ZONE, context, degrees, read, workbook

(LON, LAT), *_ = degrees([500], [500])
INCIDENT_HEADERS = [
    "事件编号",
    "类别代码",
    "清单年度",
    "紧急程度",
    "发生时间",
    "登记时间",
    "来源",
    "地点",
    "村",
    "经度",
    "纬度",
    "内容",
    "办理期限",
]
STEP_HEADERS = ["事件编号", "环节", "层级", "经办人", "队伍", "时间", "说明", "满意度"]
CATEGORY_HEADERS = ["清单年度", "类别代码", "类别名称", "大类", "是否隐私", "启用日期", "停用日期", "对应新代码"]
CATEGORIES = [
    (2025, "D02", "邻里", "矛盾纠纷", "否", "2025-01-01", "2026-01-01", "M02"),
    (2026, "M01", "婚姻", "矛盾纠纷", "是", "2026-01-01", None, None),
    (2026, "M02", "邻里", "矛盾纠纷", "否", "2026-01-01", None, None),
]


def _incident(number=1, **changes):
    row = {
        "事件编号": f"S{number:04d}",
        "类别代码": "M02",
        "清单年度": 2026,
        "紧急程度": "一般",
        "发生时间": dt.datetime.fromisoformat("2026-03-05T08:00:00"),
        "登记时间": "2026-03-05 09:00",
        "来源": "网格员上报",
        "地点": "石桥村一组",
        "村": "石桥村",
        "经度": LON,
        "纬度": LAT,
        "内容": "排水沟纠纷",
        "办理期限": "2026-03-12 09:00",
    } | changes
    return [row[header] for header in INCIDENT_HEADERS]


def _step(**changes):
    row = dict.fromkeys(STEP_HEADERS) | {
        "事件编号": "S0001",
        "环节": "上报",
        "层级": "网格员",
        "经办人": "qs001",
        "时间": "2026-03-05 09:00",
    }
    return [(row | changes)[header] for header in STEP_HEADERS]


def _read(tmp_path, incidents, steps=(), categories=CATEGORIES, **options):
    sheets = {
        "事件": [INCIDENT_HEADERS, *incidents],
        "处理过程": [STEP_HEADERS, *steps],
        "类别": [CATEGORY_HEADERS, *categories],
    }
    options.setdefault("datum", "cgcs2000")
    return read("incidents", workbook(tmp_path / "incidents.xlsx", sheets), **options)


def _refused(reading):
    return list(reading.quarantined[["sheet", "row_number", "reason_code"]].itertuples(index=False, name=None))


def test_three_sheets_become_three_frames(tmp_path):
    steps = [
        _step(),
        _step(环节="派遣", 队伍="矛调处理", 层级="乡", 时间="2026-03-05 10:00"),
        _step(环节="回访", 时间="2026-03-09 10:00", 满意度=5),
    ]
    reading = _read(tmp_path, [_incident(), _incident(2, 经度=None, 纬度=None, 类别代码="M01")], steps)
    assert reading.n_read == reading.n_taken == 8
    incidents = reading.frames["incidents"]
    assert incidents["village_code"].tolist() == [WEST, WEST]
    assert incidents.geometry.isna().tolist() == [False, True]
    assert incidents["happened_at"].iloc[0] == pd.Timestamp("2026-03-05 08:00", tz=ZONE)
    assert incidents["due_at"].iloc[0] == pd.Timestamp("2026-03-12 09:00", tz=ZONE)
    found = reading.frames["incident_steps"]
    assert found["kind"].tolist() == ["reported", "dispatched", "followed_up"]
    assert found["team_code"].tolist() == [None, "mediation", None]
    assert found["satisfaction"].tolist() == [pd.NA, pd.NA, 5]
    categories = reading.frames["categories"]
    assert categories["is_private"].tolist() == [False, True, False]
    assert categories["successor_code"].tolist() == ["M02", None, None]
    assert categories["valid_until"].tolist() == [dt.date(2026, 1, 1), None, None]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"类别代码": "X99"}, "unknown_category"),
        ({"清单年度": 2025}, "unknown_category"),
        ({"清单年度": "今年"}, "not_a_number"),
        ({"紧急程度": "特别"}, "unknown_word"),
        ({"登记时间": "2026-03-04 09:00"}, "recorded_early"),
        ({"发生时间": "昨天"}, "not_a_time"),
        ({"村": "荷叶塘村"}, "unknown_village_name"),
        ({"事件编号": "S0001", "内容": "另一件"}, "repeated_key"),
        ({"经度": 116.4, "纬度": 39.9}, "outside_township"),
        ({"经度": 0, "纬度": 0}, "zero_coordinates"),
        ({"纬度": None}, "half_coordinates"),
        ({"内容": "长" * 5000}, "too_long"),
    ],
)
def test_a_faulty_incident_is_refused_and_its_steps_with_it(tmp_path, changes, code):
    rows = [_incident(number) for number in range(1, 21)]
    steps = [_step(), _step(事件编号="S0099")]
    reading = _read(tmp_path, [*rows, _incident(99, **changes)], steps)
    assert _refused(reading) == [("事件", 22, code), ("处理过程", 3, "unknown_incident")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"环节": "喝茶"}, "unknown_word"),
        ({"层级": "省"}, "unknown_word"),
        ({"满意度": 6}, "out_of_range"),
        ({"时间": None}, "missing_value"),
        ({"经办人": "nobody", "时间": "2026-03-06 09:00"}, "unknown_staff"),
        ({"说明": "又一次"}, "repeated_key"),
        ({}, "duplicate"),
    ],
)
def test_a_faulty_step_is_refused(tmp_path, changes, code):
    known = context(staff_ids=frozenset({"qs001"}))
    reading = _read(tmp_path, [_incident()], [_step(), _step(**changes)], context=known)
    assert _refused(reading) == [("处理过程", 3, code)]


def test_telephone_numbers_in_free_text_are_masked(tmp_path):
    reading = _read(
        tmp_path, [_incident(内容="当事人电话13912345678", 地点="13912345678家")], [_step(说明="已联系139 1234 5678")]
    )
    frames = reading.frames
    assert frames["incidents"]["text"].tolist() == ["当事人电话〔电话〕"]
    assert frames["incidents"]["place"].tolist() == ["〔电话〕家"]
    assert frames["incident_steps"]["note"].tolist() == ["已联系〔电话〕"]
    assert len(reading.changed) == 3


def test_a_later_file_may_hold_incidents_alone(tmp_path):
    file = workbook(tmp_path / "a.xlsx", {"事件": [INCIDENT_HEADERS, _incident()]})
    known = context(category_keys=frozenset({("M02", 2026)}))
    reading = read("incidents", file, datum="cgcs2000", context=known)
    assert {name: len(frame) for name, frame in reading.frames.items()} == {
        "incidents": 1,
        "incident_steps": 0,
        "categories": 0,
    }


def test_steps_of_incidents_recorded_earlier_are_taken(tmp_path):
    known = context(incident_codes=frozenset({"S0500"}))
    assert _read(tmp_path, [_incident()], [_step(事件编号="S0500")], context=known).n_quarantined == 0


def test_three_csv_files_are_read_like_three_sheets(tmp_path):
    files = []
    for name, headers, row in (
        ("e", INCIDENT_HEADERS, _incident()),
        ("s", STEP_HEADERS, _step()),
        ("c", CATEGORY_HEADERS, CATEGORIES[2]),
    ):
        files.append(tmp_path / f"{name}.csv")
        files[-1].write_text(
            "\n".join(",".join("" if cell is None else str(cell) for cell in line) for line in (headers, row)), "utf-8"
        )
    assert read("incidents", *files, datum="cgcs2000").n_taken == 3


def test_a_sheet_that_nearly_fits_refuses_the_file(tmp_path):
    """Half of a layer is not taken silently."""
    sheets = {
        "事件": [INCIDENT_HEADERS, _incident()],
        "类别": [CATEGORY_HEADERS, *CATEGORIES],
        "处理过程": [STEP_HEADERS[:5], _step()[:5]],
    }
    with pytest.raises(InputError, match=r"`incidents\.xlsx \[处理过程\]` lacks the columns `时间`"):
        read("incidents", workbook(tmp_path / "incidents.xlsx", sheets), datum="cgcs2000")
