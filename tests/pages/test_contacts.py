"""The contact book's page: empty, filled, narrowed; posters only where an address is known; nothing as markup."""

import io
from collections.abc import Callable

import openpyxl
import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from gridmap.exports.contacts_book import contacts_workbook
from gridmap.reports.contacts import contact_book
from gridmap.ui import loaders
from tests.busy import EVIL

Open = Callable[..., AppTest]


def _buttons(page: AppTest) -> set[str]:
    return {one.proto.label for one in page.get("download_button")}


def test_without_postings_it_is_unknown_and_not_zero(open_page: Open, tiny_engine: Engine):
    page = open_page("contacts")
    assert {figure.value for figure in page.metric} == {"—"}
    assert "不知道谁在岗" in page.info[0].value


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_row_a_grid_and_the_vacancies_marked(open_page: Open, busy_engine: Engine, lang: str):
    rows = open_page("contacts", lang=lang).dataframe[0].value
    assert rows["grid"].tolist() == ["小乡", "西村", "西村第1网格", "西村第2网格", "东村", "东村第1网格"]
    assert rows["vacancies"].str.startswith("▲").all()


def test_somebody_is_found_by_a_part_of_the_name(open_page: Open, busy_engine: Engine):
    page = open_page("contacts")
    page.text_input(key="contacts_search").set_value("甲").run()
    assert page.dataframe[0].value["grid"].tolist() == ["西村第1网格"]
    page.text_input(key="contacts_search").set_value("nobody").run()
    assert "没有找到" in page.info[0].value


def test_posters_are_offered_once_the_address_is_known(open_page: Open, busy_engine: Engine):
    page = open_page("contacts")
    assert "手机访问" in page.info[0].value
    page.text_input(key="contacts_address").set_value("not an address").run()
    assert not page.exception
    assert not {label for label in _buttons(page) if "海报" in label}
    page.text_input(key="contacts_address").set_value("https://grid.example").run()
    assert not page.exception
    assert {"海报 PDF（A4）", "海报 PDF（A3）", "表中 3 个网格，一个 PDF（A4）"} <= _buttons(page)


def test_a_name_never_becomes_markup(open_page: Open, busy_engine: Engine):
    page = open_page("contacts")
    kinds = ("markdown", "info", "caption", "html")
    words = [
        str(getattr(one, "value", "")) + str(getattr(one.proto, "body", "")) for kind in kinds for one in page.get(kind)
    ]
    assert "<img" not in "\n".join(words)
    assert EVIL in "\n".join(frame.value.to_csv() for frame in page.dataframe)


def test_the_workbook_has_a_row_a_post(open_page: Open, busy_engine: Engine):
    open_page("contacts")
    content = contacts_workbook(loaders.load(contact_book), {})
    book = openpyxl.load_workbook(io.BytesIO(content))
    grids = list(book["网格"].iter_rows(values_only=True))
    assert grids[0] == ("村（社区）", "网格", "编码", "职务", "姓名", "任职起")
    assert ("西村", "西村第1网格", "439901999201001", "网格员", "甲", "2026-01-01") in grids
    assert sum(row[4] == "空缺" for row in grids) == 13  # five chiefs, eight members
    assert {row[0] for row in book["乡镇队伍"].iter_rows(values_only=True, min_row=2)} == {
        "咨询服务队", "民生通道队", "矛调处理队", "应急处突队", "文明实践队",
    }  # fmt: skip
