"""The page of cases: empty, on a busy day, a step by one click, a refusal, search; nothing as markup."""

import io
from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from PIL import Image
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import DateInput

from gridmap.store.photos import append_photo
from tests.busy import EVIL, NOW

Open = Callable[..., AppTest]


def _look_for(page: AppTest, words: str) -> AppTest:
    page.text_input(key="handling_search").set_value(words).run()
    assert not page.exception
    return page


def _due(page: AppTest) -> DateInput:
    """The day that an extension asks for."""
    return next(one for one in page.date_input if str(one.key).startswith("due_"))


def test_without_facts_it_is_unknown_and_not_zero(open_page: Open, tiny_engine: Engine):
    page = open_page("handling")
    assert {figure.value for figure in page.metric} == {"—"}
    assert "情况不明" in page.info[0].value


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_busy_day_draws_in_both_languages(open_page: Open, busy_engine: Engine, lang: str):
    page = open_page("handling", lang=lang)
    assert len(page.get("deck_gl_json_chart")) == 1
    assert sorted(page.dataframe[0].value["number"]) == ["I1", "I2", "I4", "I5"]
    assert page.dataframe[0].value["mark"].str.startswith("▲").any()


def test_one_click_appends_a_step_and_the_page_goes_on(open_page: Open, busy_engine: Engine):
    page = _look_for(open_page("handling"), "I1")
    page.text_input(key="handling_who").set_value("u2").run()
    page.text_input(key="note_0").set_value(EVIL).run()
    page.button(key="step_handled").click().run()
    assert not page.exception
    assert "已记录" in page.toast[-1].value
    page.button(key="step_closed").click().run()
    assert "step_reopened" in {button.key for button in page.button}
    with busy_engine.connect() as connection:
        written = connection.execute(
            text("SELECT kind, level, staff_id, note FROM incident_step WHERE incident_code = 'I1' ORDER BY step_id")
        ).all()
    assert written[2:] == [("handled", "grid", "u2", EVIL), ("closed", "grid", "u2", None)]


def test_after_a_step_the_same_case_is_shown_though_the_queue_has_another_order(open_page: Open, busy_engine: Engine):
    page = open_page("handling")
    first = page.dataframe[0].value["number"].iloc[0]
    page.button(key="step_accepted").click().run()
    assert any(one.value.startswith(first) for one in page.text)
    page.run()
    assert any(one.value.startswith(first) for one in page.text)
    page.selectbox(key="handling_level").set_value("grid").run()
    assert any(one.value.startswith("I1") for one in page.text)


def test_who_clicks_second_is_told(open_page: Open, busy_engine: Engine):
    page = _look_for(open_page("handling"), "I1")
    with busy_engine.begin() as connection:
        connection.execute(
            text("INSERT INTO incident_step (incident_code, kind, level, happened_at) VALUES"
                 " ('I1', 'closed', 'village', now())")
        )  # fmt: skip
    page.button(key="step_handled").click().run()
    assert "已经办结" in page.error[0].value


def test_a_pause_without_a_reason_is_refused(open_page: Open, busy_engine: Engine):
    page = _look_for(open_page("handling"), "I1")
    page.button(key="step_paused").click().run()
    assert "原因" in page.error[0].value


def test_who_grants_more_time_begins_with_the_day_that_was_asked_for(open_page: Open, busy_engine: Engine):
    page = _look_for(open_page("handling"), "I1")
    asked = _due(page).value + timedelta(days=9)
    page.text_input(key="note_0").set_value("材料未齐").run()
    _due(page).set_value(asked).run()
    page.button(key="step_extension_asked").click().run()
    page.selectbox(key="act_I1_grid").set_value("village").run()
    assert _due(page).value == asked
    page.button(key="step_extended").click().run()
    assert "已记录" in page.toast[-1].value
    with busy_engine.connect() as connection:
        granted = connection.execute(
            text("SELECT kind, level, due_at AT TIME ZONE 'Asia/Shanghai' FROM incident_step WHERE due_at IS NOT NULL"
                 " ORDER BY step_id")
        ).all()  # fmt: skip
    midnight = datetime.combine(asked + timedelta(days=1), time())
    assert granted == [("extension_asked", "grid", midnight), ("extended", "village", midnight)]


def test_a_closed_case_is_found_by_its_number_and_followed_up(open_page: Open, busy_engine: Engine):
    page = _look_for(open_page("handling"), "I1")
    page.button(key="step_handled").click().run()
    page.button(key="step_closed").click().run()
    page.button(key="step_followed_up").click().run()
    assert "满意度" in page.error[0].value
    page.get("button_group")[0].set_value(5).run()
    page.button(key="step_followed_up").click().run()
    assert "已记录" in page.toast[-1].value
    with busy_engine.connect() as connection:
        rated = connection.execute(text("SELECT satisfaction FROM incident_step WHERE kind = 'followed_up'")).scalars()
        assert rated.all() == [5]


def test_a_level_narrows_the_queue_and_nothing_found_is_said(open_page: Open, busy_engine: Engine):
    page = open_page("handling")
    page.selectbox(key="handling_level").set_value("grid").run()
    assert page.dataframe[0].value["number"].tolist() == ["I1"]
    assert "没有事件" in _look_for(page, "no such words").info[0].value


def test_what_somebody_wrote_never_becomes_markup(open_page: Open, busy_engine: Engine):
    page = open_page("handling")
    kinds = ("markdown", "info", "caption", "html")
    words = [
        str(getattr(one, "value", "")) + str(getattr(one.proto, "body", "")) for kind in kinds for one in page.get(kind)
    ]
    assert "<img" not in "\n".join(words)
    assert EVIL in "\n".join(one.value for one in page.text)


def test_a_viewer_does_not_get_in(open_page: Open, busy_engine: Engine, monkeypatch: pytest.MonkeyPatch):
    from gridmap import settings as settings_module

    monkeypatch.setenv("GRIDMAP_OPEN_ROLE", "viewer")
    settings_module.settings.cache_clear()
    page = open_page("handling")
    assert not page.dataframe
    assert page.warning


def test_the_photos_of_a_case_stand_beside_its_history(open_page: Open, busy_engine: Engine):
    red = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(red, "JPEG")
    with busy_engine.begin() as connection:
        append_photo(
            connection, incident_code="I1", content=red.getvalue(), sha256="0" * 64, width_px=4, height_px=3, now=NOW
        )
    page = _look_for(open_page("handling"), "I1")
    (images,) = page.get("image")
    assert len(images.proto.imgs) == 1
    assert not _look_for(page, "I2").get("image")
