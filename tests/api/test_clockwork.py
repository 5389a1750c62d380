"""The server lets incidents go up by itself, once, and goes on after a failure."""

import logging
import threading

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from gridmap.api.clockwork import escalate_by_the_clock
from tests.serving import serve_from


class Turns(threading.Event):
    """An event that lets a number of turns pass without waiting, and then is set."""

    def __init__(self, n_turns: int) -> None:
        super().__init__()
        self.spans: list[float | None] = []
        self._n_turns = n_turns

    def wait(self, timeout: float | None = None) -> bool:
        self.spans.append(timeout)
        return len(self.spans) > self._n_turns


def _n_escalated(engine: Engine) -> tuple[int, int]:
    with engine.connect() as connection:
        counted = connection.execute(
            text(
                "SELECT count(automatic_key), count(DISTINCT incident_code) FROM incident_step WHERE automatic_key <> ''"
            )
        ).one()
    return counted[0], counted[1]


def test_what_ran_out_goes_up_once_in_many_turns(
    busy_engine: Engine, database_url: URL, monkeypatch: pytest.MonkeyPatch
):
    turns = Turns(3)
    with serve_from(database_url, monkeypatch, ESCALATE_EVERY_S="5"):
        escalate_by_the_clock(turns)
    n_steps, n_incidents = _n_escalated(busy_engine)
    assert n_steps == n_incidents > 0
    assert turns.spans == [5.0] * 4


def test_nothing_goes_up_where_a_timer_does_it(busy_engine: Engine, database_url: URL, monkeypatch: pytest.MonkeyPatch):
    with serve_from(database_url, monkeypatch, ESCALATE_EVERY_S="0"):
        escalate_by_the_clock(Turns(3))
    assert _n_escalated(busy_engine) == (0, 0)


def test_a_failure_is_told_once_and_the_next_turn_comes(
    database_url: URL, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    nobody = database_url.set(database="nobody_made_this")
    turns = Turns(3)
    with serve_from(nobody, monkeypatch), caplog.at_level(logging.WARNING, logger="gridmap"):
        escalate_by_the_clock(turns)
    assert len(turns.spans) == 4
    assert len(caplog.records) == 1
