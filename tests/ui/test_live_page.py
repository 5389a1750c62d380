"""The wall page: empty, filled, stale, in both languages, and never running what somebody wrote into a field."""

import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from gridmap import settings as settings_module
from gridmap.errors import StoreUnavailable
from gridmap.ui import loaders
from gridmap.ui.wall_markup import category_words
from tests.busy import EVIL, write_incidents
from tests.tiny import TOWNSHIP, write_categories


def _markup(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def _deck(page: AppTest) -> dict:
    return json.loads(page.get("deck_gl_json_chart")[0].proto.json)


def _drawn(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def test_an_empty_database_says_how_to_load(live_page: AppTest):
    page = _drawn(live_page)
    assert [heading.value for heading in page.subheader] == ["还没有数据"]
    assert "gridmap demo" in page.code[0].value
    assert not page.get("deck_gl_json_chart")


def test_a_township_without_facts_shows_dashes_and_no_zero(live_page: AppTest, tiny_engine: Engine):
    markup = _markup(_drawn(live_page))
    values = re.findall(r'<b class="value [a-z]*">(.*?)</b>', markup)
    assert values == ["—"] * 6
    assert "尚无任何事件登记" in markup
    assert "近 30 日没有事件" not in markup


def test_the_wall_draws_every_panel(busy_page: AppTest):
    markup = _markup(_drawn(busy_page))
    for words in ("今日", "今日巡查", "15 分钟服务圈", "近 30 日矛盾纠纷", "最新事件", "网格负荷", "两周巡查日历"):
        assert f"<h2>{words}</h2>" in markup
    assert len(busy_page.get("echarts_chart")) == 2


def test_every_figure_has_its_formula_and_its_unit(busy_page: AppTest):
    markup = _markup(_drawn(busy_page))
    figures = re.findall(
        r'<div (?:class="tile" )?tabindex="0" data-formula="([^"]+)"><b class="value[^"]*">(.*?)</b>', markup
    )
    assert len(figures) == 6
    assert all(formula and (value == "—" or "%" in value or "<i>" in value) for formula, value in figures)


def test_the_map_takes_its_geometry_by_address(busy_page: AppTest):
    layers = _deck(_drawn(busy_page))["layers"]
    addresses = {layer["data"] for layer in layers if isinstance(layer["data"], str)}
    assert {re.sub(r"-[0-9a-f]{16}\.json$", "", address) for address in addresses} == {
        f"/map/{TOWNSHIP}/{name}" for name in ("areas", "grids", "paths", "water")
    }


def test_a_second_run_sends_the_very_same_map(busy_page: AppTest):
    before = _drawn(busy_page).get("deck_gl_json_chart")[0].proto.json
    assert _drawn(busy_page).get("deck_gl_json_chart")[0].proto.json == before


def test_a_new_incident_appears_and_pulses(busy_page: AppTest, tiny_engine: Engine):
    _drawn(busy_page)
    with tiny_engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, village_code,"
                " geom, happened_at, recorded_at)"
                " SELECT 'NEW', township_code, 'C1', 2026, 'urgent', village_code, geom, now(), now()"
                " FROM incident WHERE incident_code = 'I1'"
            )
        )
    loaders.watch.cache_clear()
    markup = _markup(_drawn(busy_page))
    assert '<li class="newest">' in markup
    assert '<span class="pulse"' in markup


def test_a_private_matter_pulses_nowhere(live_page: AppTest, tiny_engine: Engine):
    now = datetime.now(UTC)
    with tiny_engine.begin() as connection:
        write_categories(connection)
        write_incidents(connection, now=now)
        connection.execute(text("ALTER TABLE incident DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE incident SET recorded_at = now() WHERE incident_code = 'I2'"))
    markup = _markup(_drawn(live_page))
    assert '<li class="newest">' in markup
    assert "婚姻" not in markup
    rows = re.findall(r'<li class="newest">.*?</li>', markup)
    assert len(rows) == 1
    assert '<span class="what">矛盾纠纷</span><span class="where">不公开</span>' in rows[0]
    assert 'class="pulse"' not in markup


def test_what_somebody_wrote_comes_out_as_text(busy_page: AppTest):
    markup = _markup(_drawn(busy_page))
    assert "<img" not in markup
    assert "&lt;img src=x onerror=alert(1)&gt;" in markup
    assert EVIL not in busy_page.get("deck_gl_json_chart")[0].proto.json


def test_no_private_point_reaches_the_browser(busy_page: AppTest, tiny_engine: Engine):
    deck = busy_page.run().get("deck_gl_json_chart")[0].proto.json
    with tiny_engine.connect() as connection:
        x = connection.execute(text("SELECT round(ST_X(geom)::numeric, 4) FROM incident WHERE incident_code = 'I2'"))
        assert str(x.scalar_one()) not in deck


def test_the_wall_speaks_english_when_asked(busy_page: AppTest):
    busy_page.query_params["lang"] = "en"
    markup = _markup(_drawn(busy_page))
    assert "<h2>Patrol today</h2>" in markup
    assert "今日" not in markup


@pytest.mark.parametrize("asked", ["fr", "<script>", ""])
def test_an_unknown_language_changes_nothing(busy_page: AppTest, asked: str):
    busy_page.query_params["lang"] = asked
    assert "<h2>今日</h2>" in _markup(_drawn(busy_page))


def test_a_database_that_stops_leaves_the_last_picture(busy_page: AppTest, monkeypatch: pytest.MonkeyPatch):
    before = _markup(_drawn(busy_page))

    def refuse(*_arguments: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(loaders, "_read", refuse)
    loaders._reports.clear()
    assert _markup(_drawn(busy_page)) == before


def test_a_database_that_never_answered_is_said_calmly(live_page: AppTest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRIDMAP_DATABASE_URL", "postgresql://nobody@/nowhere?host=/nonexistent")
    settings_module.settings.cache_clear()
    page = _drawn(live_page)
    assert [heading.value for heading in page.subheader] == ["数据库暂时没有应答"]


@pytest.mark.parametrize(
    ("category", "kind", "words"),
    [
        ("环境生态", "dispute", "环境生态纠纷"),
        ("房屋和宅基地", "dispute", "房屋和宅基地"),
        ("交通及生产安全", "dispute", "交通及生产安全"),
        ("消防隐患", "hazard", "消防隐患"),
    ],
)
def test_a_category_is_named_as_people_say_it_and_fits_its_line(category: str, kind: str, words: str):
    assert category_words(SimpleNamespace(category=category, kind=kind)) == words
