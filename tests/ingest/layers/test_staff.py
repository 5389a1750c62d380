import datetime as dt

import pytest

from tests.ingest.town import GRID, TOWNSHIP, WEST, context, read, reasons, workbook

HEADERS = ("账号", "姓名", "所属代码", "队伍", "职务", "任职日期", "离任日期")
CHIEF = ("qs001", "王小明", GRID, None, "网格长", "2025-01-01", None)


def _read(tmp_path, *rows, headers=HEADERS, **options):
    options.setdefault("context", context(grid_codes=frozenset({GRID})))
    return read("staff", workbook(tmp_path / "staff.xlsx", {"人员": [headers, *rows]}), **options)


def test_postings_of_every_level(tmp_path):
    rows = [
        CHIEF,
        ("qs002", "李四", WEST, None, "网格员", dt.date(2025, 1, 1), dt.date(2026, 1, 1)),
        ("qs003", "赵五", TOWNSHIP, None, "网格长", "2025年1月1日", None),
        ("qs004", "钱六", TOWNSHIP, "矛调处理", "队长", "2025-01-01", None),
        ("qs005", "孙七", None, "应急处突", "队员", "2025-01-01", None),
    ]
    staff = _read(tmp_path, *rows).frames["staff"]
    assert staff["role"].tolist() == ["chief", "member", "chief", "leader", "member"]
    assert staff["grid_code"].tolist() == [GRID, WEST, TOWNSHIP, None, None]
    assert staff["team_code"].tolist() == [None, None, None, "mediation", "emergency"]
    assert staff["valid_until"].tolist() == [None, dt.date(2026, 1, 1), None, None, None]
    assert staff["name"].tolist()[0] == "王小明"


def test_telephones_of_staff_are_not_taken(tmp_path):
    reading = _read(tmp_path, (*CHIEF, "13912345678"), headers=(*HEADERS, "手机"))
    assert [column.kind for column in reading.dropped_columns] == ["phone"]
    assert "13912345678" not in reading.frames["staff"].to_json()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("13912345678", "甲", GRID, None, "网格员", "2025-01-01", None), "personal_value"),
        (("qs9", None, GRID, None, "网格员", "2025-01-01", None), "missing_value"),
        (("qs9", "甲", None, None, "网格员", "2025-01-01", None), "grid_or_team"),
        (("qs9", "甲", GRID, "应急处突", "队员", "2025-01-01", None), "grid_or_team"),
        (("qs9", "甲", WEST + "009", None, "网格员", "2025-01-01", None), "grid_code_unknown"),
        (("qs9", "甲", "12", None, "网格员", "2025-01-01", None), "grid_code_unknown"),
        (("qs9", "甲", GRID, None, "乡长", "2025-01-01", None), "unknown_word"),
        (("qs9", "甲", None, "足球队", "队员", "2025-01-01", None), "unknown_word"),
        (("qs9", "甲", GRID, None, "网格员", "2025-01-01", "2024-01-01"), "period_backwards"),
        (("qs9", "甲", GRID, None, "网格员", None, None), "missing_value"),
        (CHIEF, "duplicate"),
        ((*CHIEF[:6], "2026-01-01"), "repeated_key"),
        ((*CHIEF[:4], "网格员", "2025-06-01", None), "overlapping_posting"),
    ],
)
def test_a_faulty_posting_is_refused(tmp_path, row, code):
    assert reasons(_read(tmp_path, CHIEF, row)) == {3: code}


def test_two_postings_one_after_the_other_are_fine(tmp_path):
    rows = [(*CHIEF[:5], "2026-01-01", None), (*CHIEF[:6], "2026-01-01")]
    assert _read(tmp_path, *rows).n_taken == 2


def test_area_grids_are_checked_by_form_while_none_are_loaded(tmp_path):
    assert _read(tmp_path, CHIEF, context=context()).n_taken == 1
