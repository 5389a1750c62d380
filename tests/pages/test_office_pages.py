"""The office pages: empty, with places only, on a busy day; filters; both languages; stored script."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from gridmap.reports.fair import fair_report
from gridmap.settings import settings
from gridmap.ui import fair_view, loaders
from tests.busy import EVIL, write_busy_day
from tests.tiny import TOWNSHIP

OFFICE = ("disputes", "coverage", "workload")
Open = Callable[..., AppTest]


def _words(page: AppTest) -> str:
    kinds = ("title", "subheader", "text", "markdown", "info", "caption", "code", "tabs")
    values = [
        str(getattr(element, "value", getattr(element, "label", ""))) for kind in kinds for element in page.get(kind)
    ]
    return "\n".join([*values, *(element.proto.body for element in page.get("html"))])


def _frames(page: AppTest) -> str:
    return "\n".join(frame.value.to_csv() for frame in page.dataframe)


@pytest.mark.parametrize("name", [*OFFICE, "handling", "circle", "planning", "data"])
def test_an_empty_database_says_how_to_load(open_page: Open, name: str):
    words = _words(open_page(name))
    assert "gridmap demo" in words or "还没有" in words


@pytest.mark.parametrize(
    ("name", "n_unknown"),
    [("disputes", 4), ("coverage", 6), ("workload", 4)],
)
def test_without_facts_nothing_is_zero(open_page: Open, tiny_engine: Engine, name: str, n_unknown: int):
    """Without checkpoints, check-ins, incidents and staff; the workload knows its grids and homes, and no team."""
    values = [figure.value for figure in open_page(name).metric]
    assert values.count("—") == n_unknown


@pytest.mark.parametrize("name", [*OFFICE, "data"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_busy_day_draws_in_both_languages(open_page: Open, busy_engine: Engine, name: str, lang: str):
    page = open_page(name, lang=lang)
    assert len(page.dataframe) or name == "data"
    assert len(page.get("deck_gl_json_chart")) == (name != "data")


@pytest.mark.parametrize("name", OFFICE)
def test_a_village_narrows_the_tables(open_page: Open, busy_engine: Engine, name: str):
    page = open_page(name)
    page.selectbox(key="period").set_value("last_12_months").run()
    whole = _frames(page)
    east = next(option for option in page.selectbox(key="village").options if option == "东村")
    page.selectbox(key="village").select(east).run()
    assert not page.exception
    assert len(_frames(page)) < len(whole)


def test_another_measure_colours_the_map_anew(open_page: Open, busy_engine: Engine):
    page = open_page("workload")
    before = page.get("deck_gl_json_chart")[0].proto.json
    page.selectbox(key="measure").set_value("n_residents").run()
    assert page.get("deck_gl_json_chart")[0].proto.json != before


def test_the_disputes_map_shows_density_or_hot_grids(open_page: Open, busy_engine: Engine):
    page = open_page("disputes")
    ids = [layer["id"] for layer in json.loads(page.get("deck_gl_json_chart")[0].proto.json)["layers"]]
    assert "heat" in ids
    page.segmented_control(key="disputes_shown").set_value("by_grid").run()
    assert not page.exception
    layers = {layer["id"]: layer for layer in json.loads(page.get("deck_gl_json_chart")[0].proto.json)["layers"]}
    assert "heat" not in layers
    # Three grids with 3, 4 and 11 households and five disputes: nothing can be said of any.
    assert [row["sign"] for row in layers["signs"]["data"]] == ["too few to say"] * 3
    assert "没有发现，不等于没有热点" in _words(page)
    rows = page.dataframe[-1].value
    assert rows["class"].tolist() == ["– 无法判断"] * 3
    assert rows["n_incidents"].sum() == 5


def test_a_viewer_sees_private_matters_only_as_counts_of_grids(
    open_page: Open, busy_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRIDMAP_OPEN_ROLE", "viewer")
    settings.cache_clear()
    page = open_page("disputes")
    assert page.metric[0].value == "4 件"
    assert "涉隐私事件只在“热点网格”按网格计数" in _words(page)
    assert not page.dataframe[0].value["name"].eq("婚姻").any()
    rows = page.dataframe[-1].value
    assert rows["n_private"].tolist() == ["0", "0", "<3"]
    assert not {"expected", "rate", "q"} & set(rows.columns)
    page.selectbox(key="category").set_value("婚姻").run()
    assert not page.exception
    layers = [layer["id"] for layer in json.loads(page.get("deck_gl_json_chart")[0].proto.json)["layers"]]
    assert "heat" not in layers
    assert page.dataframe[-1].value["n_private"].tolist() == ["0", "0", "<3"]


def test_hot_grids_without_households_are_unknown(open_page: Open, busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(text("DELETE FROM household"))
    page = open_page("disputes")
    page.segmented_control(key="disputes_shown").set_value("by_grid").run()
    assert not page.exception
    assert "没有住户数据，无法与户数相比：热点不明。" in [info.value for info in page.info]
    layers = {layer["id"]: layer for layer in json.loads(page.get("deck_gl_json_chart")[0].proto.json)["layers"]}
    assert layers["signs"]["data"] == []


def test_a_look_again_sends_the_very_same_map(open_page: Open, busy_engine: Engine):
    page = open_page("workload")
    before = page.get("deck_gl_json_chart")[0].proto.json
    assert page.run().get("deck_gl_json_chart")[0].proto.json == before


@pytest.mark.parametrize("name", [*OFFICE, "data"])
def test_what_somebody_wrote_never_becomes_markup(open_page: Open, busy_engine: Engine, name: str):
    page = open_page(name)
    assert "<img" not in _words(page)
    for deck in page.get("deck_gl_json_chart"):
        assert "<img" not in json.dumps(json.loads(deck.proto.json).get("tooltip", ""))


@pytest.mark.parametrize("name", OFFICE)
def test_every_page_says_how_old_its_data_is(open_page: Open, busy_engine: Engine, name: str):
    page = open_page(name)
    page.selectbox(key="period").set_value("last_12_months").run()
    assert 'class="age"' in _words(page)


def test_a_chief_s_name_stands_in_the_table_as_written(open_page: Open, busy_engine: Engine):
    assert EVIL in open_page("workload").dataframe[0].value["chief"].tolist()


def test_who_may_not_load_gets_no_form(open_page: Open, busy_engine: Engine, monkeypatch: pytest.MonkeyPatch):
    from gridmap import settings as settings_module

    monkeypatch.setenv("GRIDMAP_OPEN_ROLE", "viewer")
    settings_module.settings.cache_clear()
    page = open_page("data")
    assert not page.get("file_uploader")


@pytest.mark.parametrize(("role", "is_shown"), [("viewer", False), ("editor", True)])
def test_refused_rows_are_for_those_who_load(
    open_page: Open, busy_engine: Engine, monkeypatch: pytest.MonkeyPatch, role: str, is_shown: bool
):
    """They are whole rows as they came: a family matter, its words and its place."""
    with busy_engine.begin() as connection:
        number = connection.execute(
            text(
                "INSERT INTO import_record (township_code, layer, file_name, file_sha256, file_bytes, n_read, n_taken, n_new,"
                " n_changed, n_quarantined, notes, imported_by) VALUES (:town, 'incidents', 'a.xlsx', repeat('a', 64), 1, 1, 0,"
                " 0, 0, 1, '[]', 'tests') RETURNING import_id"
            ),
            {"town": TOWNSHIP},
        ).scalar_one()
        connection.execute(
            text(
                "INSERT INTO import_quarantine (import_id, quarantine_number, row_number, reason_code, reason, row)"
                " VALUES (:number, 1, 2, 'too_long', 'too_long', CAST(:row AS jsonb))"
            ),
            {"number": number, "row": json.dumps({"类别代码": "婚姻", "经度": "113.2"})},
        )
    monkeypatch.setenv("GRIDMAP_OPEN_ROLE", role)
    settings.cache_clear()
    assert ("113.2" in _frames(open_page("data"))) == is_shown


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_circle_draws_in_both_languages(open_page: Open, busy_engine: Engine, lang: str):
    page = open_page("circle", lang=lang)
    assert [figure.value.split()[0] for figure in page.metric] == ["66.7%", "6", "12", "0", "1"]
    assert "西村" in _frames(page)


def test_the_circle_is_unknown_without_paths(open_page: Open, tiny_engine: Engine):
    page = open_page("circle")
    assert [figure.value for figure in page.metric] == ["—"] * 5
    assert "不明" in _words(page)


def test_the_fair_comparison_ranks_the_grids_and_can_leave_the_past_out(open_page: Open, tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        write_busy_day(connection, now=datetime.now(UTC))
    page = open_page("workload", lang="en")
    ranking = page.dataframe[1].value
    assert ranking["class"].tolist() == ["○ too few"] * 3
    assert ranking["new_per_person"].dropna().tolist() == [1]
    assert "past incidents" in _words(page)
    page.toggle(key="fair_without_past").set_value(True).run()
    assert not page.exception
    assert "past incidents" not in _words(page)


def test_a_village_is_compared_with_the_whole_township(open_page: Open, tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        write_busy_day(connection, now=datetime.now(UTC))
    page = open_page("workload")
    page.selectbox(key="village").select("东村").run()
    assert "1 个网格中" in _words(page)
    assert "已按全乡 3 个网格一并校正" in _words(page)


def test_who_has_nobody_is_named_in_the_advice(open_page: Open, tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        write_busy_day(connection, now=datetime.now(UTC))
    assert "nobody in service: somebody is needed first" in _words(open_page("workload", lang="en"))


def test_the_exported_table_holds_the_fair_comparison(open_page: Open, busy_engine: Engine):
    page = open_page("workload", lang="en")
    assert not page.exception
    report = loaders.load(fair_report, first_on=date(2026, 10, 1), last_on=date(2026, 10, 15))
    rows, columns = fair_view.exported(report)
    assert [column.name for column in columns] == rows.columns.tolist()
    assert {"expected", "shrunken", "class", "forecast", "forecast_per_person"} < set(rows.columns)
    assert rows.index.tolist() == report.grids.index.tolist()
