"""Pages as known on a past day: what came later does not count, nothing can be changed, and the page says so."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from tests.busy import NOW

Open = Callable[..., AppTest]
THE_DAY = date(2026, 10, 15)
_OPEN = """
SELECT count(*) FROM incident WHERE recorded_at <= :at AND happened_at <= :at AND NOT EXISTS (
  SELECT FROM incident_step AS step WHERE step.incident_code = incident.incident_code AND kind = 'closed'
  AND step.recorded_at <= :at AND step.happened_at <= :at)
"""


@pytest.mark.parametrize("day", [THE_DAY, THE_DAY - timedelta(days=1), THE_DAY - timedelta(days=3)])
def test_only_what_was_recorded_by_the_end_of_the_day_counts(open_page: Open, busy_engine: Engine, day: date):
    with busy_engine.begin() as connection:
        connection.execute(text("ALTER TABLE incident DISABLE TRIGGER USER"))
        connection.execute(text("ALTER TABLE incident_step DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE incident SET recorded_at = happened_at"))
        connection.execute(text("UPDATE incident_step SET recorded_at = happened_at"))
        end = f"{day + timedelta(days=1)} 00:00+08"
        n_open = connection.execute(text(_OPEN), {"at": end}).scalar()
    page = open_page("handling", known_on=day)
    told = {figure.label: figure.value for figure in page.metric}
    assert told["未办结"] == f"{n_open} 件"


def test_the_page_says_so_and_offers_no_step_and_the_way_back(open_page: Open, busy_engine: Engine):
    page = open_page("handling", known_on=THE_DAY)
    assert any(str(THE_DAY) in one.value for one in page.markdown)
    assert not [button for button in page.button if str(button.key).startswith("step_")]
    page.button(key="back_to_now").click().run()
    assert not page.exception
    assert [button for button in page.button if str(button.key).startswith("step_")]
    assert "known_on" not in page.query_params


@pytest.mark.parametrize(
    "name", ["handling", "disputes", "coverage", "circle", "workload", "ledgers", "review", "contacts"]
)
def test_every_page_with_facts_opens_as_known_before_there_were_any(open_page: Open, busy_engine: Engine, name: str):
    page = open_page(name, known_on=date(2020, 1, 1))
    assert any("2020-01-01" in one.value for one in page.markdown)


@pytest.mark.parametrize("written", ["2999-01-01", "yesterday", "2026-02-30", "<script>"])
def test_a_day_that_is_not_past_is_the_present(open_page: Open, busy_engine: Engine, written: str):
    page = open_page("workload")
    page.query_params["known_on"] = written
    page.run()
    assert not page.exception
    assert not [button for button in page.button if button.key == "back_to_now"]


@pytest.mark.parametrize(("name", "looks_back"), [("workload", True), ("planning", False)])
def test_a_link_leads_to_the_day_where_the_page_can_look_back(
    open_page: Open, busy_engine: Engine, name: str, looks_back: bool
):
    page = open_page(name)
    page.query_params["known_on"] = str(NOW.date())
    page.run()
    assert not page.exception
    assert bool([button for button in page.button if button.key == "back_to_now"]) == looks_back
