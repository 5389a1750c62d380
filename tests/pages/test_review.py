"""The page of the review: empty, on a busy month, decided, frozen, signed, followed up in the next month, late data listed."""

import json
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from gridmap.settings import settings
from gridmap.ui.versions import watch
from tests.busy import EVIL

Open = Callable[..., AppTest]
MONTH = "2026-10"


def _at(page: AppTest, key: str) -> AppTest:
    page.radio(key="review_at").set_value(key).run()
    assert not page.exception
    return page


@pytest.fixture
def october(open_page: Open, busy_engine: Engine) -> AppTest:
    """The page at the month of the busy day."""
    page = open_page("review")
    page.selectbox(key="review_month").set_value(MONTH).run()
    assert not page.exception
    return page


def _press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def _fill(page: AppTest, label: str, value: object) -> None:
    kinds = (*page.text_input, *page.selectbox, *page.date_input)
    next(one for one in kinds if one.label == label).set_value(value)


def test_a_month_without_data_is_unknown_and_not_zero(open_page: Open, tiny_engine: Engine):
    page = open_page("review")
    assert any("未知" in one.value for one in page.info)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_point_of_the_agenda_is_drawn_in_both_languages(open_page: Open, busy_engine: Engine, lang: str):
    page = open_page("review", lang=lang)
    page.selectbox(key="review_month").set_value(MONTH).run()
    for _ in page.radio(key="review_at").options:
        assert not page.exception
        button = page.button(key="review_next")
        if not button.disabled:
            button.click().run()
    assert page.button(key="review_next").disabled


def test_the_county_form_adds_up_on_the_page(october: AppTest):
    page = _at(october, "disputes")
    form = page.dataframe[0].value
    numbers = form.select_dtypes("number")
    assert (numbers.iloc[:-1].sum() == numbers.iloc[-1])[lambda same: ~same].index.str.endswith("share").all()


def test_what_is_unknown_is_hatched_on_the_map_and_in_its_legend(october: AppTest):
    page = _at(october, "workload")
    layers = {one["id"]: one for one in json.loads(page.get("deck_gl_json_chart")[0].proto.json)["layers"]}
    assert layers["hatch"]["data"]
    assert any('class="step hatched"' in one.proto.body for one in page.get("html"))
    page = _at(page, "cap")
    assert "hatch" not in [one["id"] for one in json.loads(page.get("deck_gl_json_chart")[0].proto.json)["layers"]]


def test_a_projected_table_is_as_high_as_its_larger_rows(october: AppTest):
    page = _at(october, "satisfaction")
    desk = page.dataframe[0]
    page.toggle(key="review_presenting").set_value(True).run()
    wall = page.dataframe[0]
    assert wall.proto.row_height > desk.proto.row_height
    assert wall.value.equals(desk.value)


def test_a_cell_that_cannot_be_told_says_so_in_no_foreign_word(october: AppTest):
    page = _at(october, "coverage")
    assert page.dataframe[0].proto.placeholder == "—"


def test_who_wrote_down_the_last_decision_need_not_write_his_name_again(october: AppTest):
    page = _at(october, "cases")
    _fill(page, "决定什么 / 要做什么", "通报")
    _fill(page, "记录人", "张三")
    page = _press(page, "记下")
    assert [one.value for one in page.text_input if one.label == "记录人"] == ["张三"]


def test_what_is_decided_is_followed_up_next_month(october: AppTest, open_page: Open, busy_engine: Engine):
    page = _at(october, "disputes")
    _fill(page, "决定什么 / 要做什么", EVIL)
    _fill(page, "谁负责", "西村")
    _fill(page, "期限", date(2026, 11, 10))
    _fill(page, "记录人", "张三")
    page = _press(page, "记下")
    assert any(EVIL in one.value for one in page.text)
    page.selectbox(key="review_month").set_value("2026-11").run()
    page = _at(page, "actions")
    assert page.dataframe[0].value["text"].tolist() == [EVIL]
    _fill(page, "记录人", "李四")
    page = _press(page, "记下")
    assert page.dataframe[0].value["state"].tolist() == ["● 已完成"]
    with busy_engine.connect() as connection:
        steps = connection.execute(text("SELECT kind, done_by FROM review_task_step")).all()
    assert steps == [("done", "李四")]


def test_a_task_without_a_day_is_refused_and_nothing_is_written(october: AppTest, busy_engine: Engine):
    page = _at(october, "cases")
    _fill(page, "决定什么 / 要做什么", "修路")
    _fill(page, "谁负责", "西村")
    _fill(page, "记录人", "张三")
    page = _press(page, "记下")
    assert page.error
    with busy_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM review_task")).scalar() == 0


def test_the_month_is_frozen_signed_and_late_data_are_listed(october: AppTest, busy_engine: Engine):
    page = _at(october, "signing")
    _fill(page, "记录人", "张三")
    page = _press(page, "封存本月材料")
    page = _at(page, "signing")
    assert any("逐位一致" in one.value for one in page.markdown)
    _fill(page, "姓名", "王主任")
    page = _press(page, "签字")
    assert any(one.value == "王主任" for one in page.text)
    with busy_engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, village_code,"
                " happened_at, recorded_at) SELECT 'LATE', township_code, category_code, list_year, urgency, village_code,"
                " happened_at, now() FROM incident WHERE incident_code = 'I1'"
            )
        )
    watch().look_now()
    page = _at(page, "signing")
    assert any("封存后补录" in one.value for one in page.markdown)
    assert len(page.dataframe[0].value) > 0


def test_who_only_looks_is_offered_nothing_to_write(open_page: Open, busy_engine: Engine):
    page = open_page("review", known_on=date(2026, 11, 20))
    page.selectbox(key="review_month").set_value(MONTH).run()
    for key in ("disputes", "signing"):
        page = _at(page, key)
        assert not {"记下", "封存本月材料", "签字"} & {button.label for button in page.button}


def test_who_looks_back_sees_no_pack_that_was_frozen_later(october: AppTest, open_page: Open):
    page = _at(october, "signing")
    _fill(page, "记录人", "张三")
    page = _press(page, "封存本月材料")
    versions = next(one for one in page.selectbox if one.label == "版本").options
    assert [name[:2] for name in versions] == ["封存", "目前"]
    back = open_page("review", known_on=date(2026, 11, 5))
    back.selectbox(key="review_month").set_value(MONTH).run()
    assert next(one for one in back.selectbox if one.label == "版本").options == ["当天所知"]


def test_who_handles_nothing_sees_what_may_hang_on_a_board(
    open_page: Open, busy_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRIDMAP_OPEN_ROLE", "viewer")
    settings.cache_clear()
    page = open_page("review")
    page.selectbox(key="review_month").set_value(MONTH).run()
    page = _at(page, "disputes")
    assert "review_table_disputes" not in [one.key for one in page.selectbox]  # one table alone is no choice
    assert any("按类型" in one.proto.body for one in page.get("html"))
    assert "I1" not in str([frame.value.to_dict() for frame in page.dataframe])
