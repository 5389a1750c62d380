"""The posting sheet and the workbook of the ledgers: one page, the same bytes, no markup, no small count."""

import io
import json
from datetime import datetime

import openpyxl
import pandas as pd
import pytest
import typst
from sqlalchemy import Engine

from gridmap.errors import InputError
from gridmap.exports import typesetting
from gridmap.exports.ledger_book import ledger_workbook
from gridmap.exports.posting import _TEMPLATE, _given, posting_sheet
from gridmap.exports.typesetting import typeset
from gridmap.texts import use_language
from tests.busy import EVIL
from tests.ledger_town import SETTINGS, write_ledger_town, write_rules
from tests.reports.ledgers.test_other_ledgers import lists_of, patrols_of, people_of
from tests.reports.ledgers.test_points import report_of
from tests.tiny import EAST_VILLAGE, WEST_VILLAGE


@pytest.fixture
def town(busy_engine: Engine) -> Engine:
    with busy_engine.begin() as connection:
        write_ledger_town(connection)
    return busy_engine


def _sheet(report, **options) -> bytes:
    return posting_sheet(report, township="小乡", settings=SETTINGS, **options)


def _pages(given: dict) -> int:
    told = json.dumps({**given, "faces": ["Noto Sans CJK SC"]}, ensure_ascii=False)
    made = typst.compile(_TEMPLATE.read_bytes(), format="svg", sys_inputs={"given": told})
    return len(made) if isinstance(made, list) else 1


def test_the_same_month_gives_the_same_bytes_and_names_go_in_as_data(town: Engine):
    report = report_of(town)
    first = _sheet(report)
    assert first.startswith(b"%PDF")
    assert first == _sheet(report_of(town))
    given = _given(report, township="小乡 #panic()", settings=SETTINGS, village_code=None)
    assert [row["cells"][1] for row in given["people"]] == ["甲", EVIL]
    assert typeset(_TEMPLATE, given, form="png", ppi=20).startswith(b"\x89PNG")
    assert given["state"].startswith("阶段数据")
    assert _pages(given) == 1


def test_counts_of_matters_below_the_limit_are_never_written(town: Engine):
    given = _given(report_of(town), township="小乡", settings=SETTINGS, village_code=None)
    assert given["grids"][0] == ["1", "西村第1网格", "45%", "2/6", "2/3", "<3", "<3"]
    assert [row[5:] for row in given["grids"][1:]] == [["0", "0"], ["0", "0"]]
    assert "“<3”" in given["about"][-1]


def test_a_village_has_its_own_sheet_ranked_in_the_township(town: Engine):
    report = report_of(town)
    given = _given(report, township="小乡", settings=SETTINGS, village_code=WEST_VILLAGE)
    assert given["title"] == "小乡 西村网格员积分公示"
    assert len(given["grids"]) == 2
    with pytest.raises(InputError, match="没有网格队伍"):
        _sheet(report, village_code=EAST_VILLAGE)


SIZES = [(1, 1), (44, 8), (45, 12), (150, 40), (400, 90)]


def test_a_sheet_is_one_page_however_many_people(town: Engine):
    given = _given(report_of(town), township="小乡", settings=SETTINGS, village_code=None)
    for n_people, n_grids in SIZES:
        in_full = n_people <= 44
        cells = [
            "100",
            "欧阳永红",
            "枫树坪村第1网格",
            "101",
            *["-10"] * (5 if in_full else 0),
            "100%",
            "100%",
            "待改进",
        ]
        head = [*given["head"][:4], *(given["head"][4:9] if in_full else []), *given["head"][-3:]]
        sheet = given | {
            "in_full": in_full,
            "head": head,
            "people": [{"cells": cells, "grade": "poor"}] * n_people,
            "grids": [["10", "枫树坪村第1网格", "100%", "100/100", "100/120", "<3", "<3"]] * n_grids,
            "rules": [["走访覆盖率达到 95%", "每次 +1 分", "每月至多 30 分"]] * 12,
        }
        assert _pages(sheet) == 1, (n_people, n_grids)


def test_english_is_one_page_too(town: Engine):
    use_language("en")
    given = _given(report_of(town), township="Xiaoxiang", settings=SETTINGS, village_code=None)
    assert given["title"] == "Xiaoxiang: points of the grid teams"
    assert _pages(given) == 1


def test_without_rules_or_people_there_is_nothing_to_post(tiny_engine: Engine):
    with pytest.raises(InputError, match="没有积分规则"):
        _sheet(report_of(tiny_engine))
    with tiny_engine.begin() as connection:
        write_rules(connection)
    with pytest.raises(InputError, match="没有网格队伍"):
        _sheet(report_of(tiny_engine))


def test_without_a_chinese_font_nothing_is_typeset(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(typesetting, "FACES", ("No Such Face",))
    with pytest.raises(InputError, match="没有安装中文字体"):
        typeset(_TEMPLATE, {})


def test_the_workbook_holds_every_ledger_and_no_formula(town: Engine):
    points = report_of(town)
    made = ledger_workbook(people_of(town), patrols_of(town), points, lists_of(town), {"表": "小乡 台账"})
    book = openpyxl.load_workbook(io.BytesIO(made))
    assert book.sheetnames == [
        "人员分布-网格", "人员分布-小组", "定点巡查", "巡查发现", "实事", "两项指标", "积分-个人", "积分-网格", "积分-明细", "积分规则",
        "月度清单", "网格公约", "征集意见", "说明",
    ]  # fmt: skip
    people = pd.DataFrame(book["积分-个人"].values)
    assert people.iloc[1:, 6].tolist() == points.people["points"].tolist()
    assert book["积分-明细"].max_row == len(points.entries) + 1
    assert not [cell for sheet in book for row in sheet for cell in row if cell.data_type == "f"]
    assert EVIL in people.iloc[:, 1].tolist()


def test_a_settled_month_says_so_on_its_sheet(town: Engine):
    from gridmap.actions.points import freeze_month
    from tests.ledger_town import MONTH
    from tests.tiny import TOWNSHIP

    later = datetime.fromisoformat("2026-11-02T09:00+08:00")
    freeze_month(town, township_code=TOWNSHIP, month=MONTH, frozen_by="甲", reason=None, settings=SETTINGS, now=later)
    given = _given(report_of(town, now=later), township="小乡", settings=SETTINGS, village_code=None)
    assert given["state"] == "第 1 版定稿 · 数据截至 2026-11-02 09:00"
    assert given["is_settled"]
