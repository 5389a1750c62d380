"""The page of ledgers: empty and filled, in both languages, every ledger, and what is written through its forms."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from gridmap.settings import settings
from tests.ledger_town import write_ledger_town, write_rules
from tests.tiny import GRIDS, write_categories

Open = Callable[..., AppTest]
LEDGERS = ("people", "patrols", "points", "lists")


def _turn_to(page: AppTest, ledger: str, month: str | None = None) -> AppTest:
    if month is not None:
        months = {
            f"{day:%Y-%m}" if not isinstance(day, str) else day: day
            for day in page.selectbox(key="ledgers_month").options
        }
        page.selectbox(key="ledgers_month").select(months[month])
    page.segmented_control(key="ledgers_which").set_value(ledger).run()
    assert not page.exception
    return page


def _this_month() -> str:
    return f"{datetime.now(UTC).astimezone(settings().zone):%Y-%m}"


def _words(page: AppTest) -> str:
    parts = [*page.text, *page.caption, *page.info, *page.markdown]
    return " ".join(str(part.value) for part in parts)


def test_without_a_township_it_says_how_to_load_one(open_page: Open, engine: Engine):
    assert "还没有数据" in open_page("ledgers").subheader[0].value


@pytest.mark.parametrize("ledger", LEDGERS)
def test_without_facts_it_is_unknown_and_not_zero(open_page: Open, tiny_engine: Engine, ledger: str):
    page = _turn_to(open_page("ledgers"), ledger)
    values = [figure.value for figure in page.metric]
    assert "0%" not in values[:1]
    if ledger == "points":
        assert "没有网格队伍" in _words(page)
        assert "还没有积分规则" in _words(page)
    elif ledger == "patrols":
        assert set(values) == {"—"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_ledger_draws_in_both_languages(open_page: Open, busy_engine: Engine, lang: str):
    with busy_engine.begin() as connection:
        write_ledger_town(connection)
    page = open_page("ledgers", lang=lang)
    assert len(page.dataframe) >= 1
    for ledger in LEDGERS[1:]:
        _turn_to(page, ledger)
    _turn_to(page, "points", "2026-10")
    people = page.dataframe[0].value
    assert people["name"].tolist()[0] == "甲"
    assert people["points"].tolist()[0] >= 19
    assert "网格长" in people["role"].tolist() or "chief" in people["role"].tolist()


def test_a_grid_can_be_chosen(open_page: Open, busy_engine: Engine):
    with busy_engine.begin() as connection:
        write_ledger_town(connection)
    page = open_page("ledgers")
    page.selectbox(key="ledgers_grid").select_index(2).run()
    assert page.dataframe[0].value["n_households"].tolist() == [4]
    page.toggle(key="ledgers_public").set_value(True).run()
    assert not page.exception
    assert page.dataframe[0].value["n_living_alone"].tolist() == ["0"]


def test_counts_are_kept_and_an_update_logged_by_a_form(open_page: Open, tiny_engine: Engine):
    page = open_page("ledgers")
    page.text_input(key="keep_by_0").set_value("丁")
    page.button(key="keep_send_0").click().run()
    assert "已留存 4 行" in page.toast[-1].value
    page.text_input(key="roster_by_1").set_value("")
    page.button(key="roster_send_1").click().run()
    assert "请填写“经办人”" in page.error[0].value
    page.text_input(key="roster_by_1").set_value("丁")
    page.button(key="roster_send_1").click().run()
    assert "已记录" in page.toast[-1].value
    with tiny_engine.connect() as connection:
        assert connection.execute(text("SELECT grid_code, updated_by FROM roster_update")).all() == [(GRIDS[0], "丁")]


def test_a_promise_a_task_and_an_opinion_are_written_by_forms(open_page: Open, tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        write_categories(connection)
    page = _turn_to(open_page("ledgers"), "patrols")
    page.text_input(key="thing_title_0").set_value("安装路灯")
    page.text_input(key="thing_by_0").set_value("丁")
    page.button(key="thing_send_0").click().run()
    assert page.dataframe[-3].value["title"].tolist() == ["安装路灯"]
    _turn_to(page, "lists", _this_month())
    page.text_input(key="task_title_1").set_value("防火宣传")
    page.text_input(key="task_by_1").set_value("丁")
    page.button(key="task_send_1").click().run()
    assert "3 个网格" in page.toast[-1].value
    page.text_area(key="opinion_text_2").set_value("路灯太暗")
    page.text_input(key="opinion_by_2").set_value("丁")
    page.button(key="opinion_send_2").click().run()
    assert "事件办理" in page.toast[-1].value
    with tiny_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM task_list WHERE kind = 'publicity'")).scalar() == 3
        assert connection.execute(text("SELECT text FROM incident")).scalar() == "路灯太暗"


def test_points_by_hand_need_two_people(open_page: Open, busy_engine: Engine):
    with busy_engine.begin() as connection:
        write_rules(connection)
    page = _turn_to(open_page("ledgers"), "points", "2026-10")
    page.text_input(key="entry_why_0").set_value("好人好事")
    page.text_input(key="entry_by_0").set_value("丁")
    page.text_input(key="entry_approver_0").set_value("丁")
    page.button(key="entry_send_0").click().run()
    assert "不能是同一人" in page.error[0].value
    page.text_input(key="entry_approver_0").set_value("戊")
    page.button(key="entry_send_0").click().run()
    assert "已记录" in page.toast[-1].value
    with busy_engine.connect() as connection:
        assert connection.execute(text("SELECT points, approved_by FROM point_entry")).all() == [(5, "戊")]


def test_a_month_is_settled_by_a_form_and_says_what_came_later(open_page: Open, busy_engine: Engine):
    with busy_engine.begin() as connection:
        write_rules(connection)
    page = _turn_to(open_page("ledgers"), "points")  # the month before this one
    page.text_input(key="freeze_by_0").set_value("李主任")
    page.button(key="freeze_send_0").click().run()
    assert not page.exception
    assert "已定稿：第 1 版，李主任" in _words(page)
    assert "逐条一致" in _words(page)
    page.text_input(key="entry_why_1").set_value("好人好事")
    page.text_input(key="entry_by_1").set_value("丁")
    page.text_input(key="entry_approver_1").set_value("戊")
    page.button(key="entry_send_1").click().run()
    assert not page.exception
    assert "1 条记录不同" in _words(page)
    page.text_input(key="freeze_by_2").set_value("李主任")
    page.button(key="freeze_send_2").click().run()
    assert "重新定稿须写明原因" in page.error[0].value


def test_a_viewer_sees_the_ledgers_and_no_form(open_page: Open, busy_engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRIDMAP_OPEN_ROLE", "viewer")
    settings.cache_clear()
    page = open_page("ledgers")
    for ledger in LEDGERS:
        _turn_to(page, ledger)
        assert not [field for field in page.text_input if field.key]
        assert "只能查看" in _words(page)
