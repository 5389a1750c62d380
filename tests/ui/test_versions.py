"""Looking at the data versions: shared, honest about its age, brought by notifications."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from gridmap.errors import StoreUnavailable
from gridmap.ui import versions
from gridmap.ui.versions import VersionWatch
from tests.serving import serve_from
from tests.tiny import write_places

_PATIENCE_S = 20


def _gone() -> Engine:
    raise OperationalError("SELECT", {}, Exception("gone"))


def test_a_look_is_shared_until_it_is_old(database_url: URL, monkeypatch: pytest.MonkeyPatch):
    with serve_from(database_url, monkeypatch):
        watch = VersionWatch(interval_s=60)
        assert watch.current() is watch.current()


def test_an_old_look_is_renewed(database_url: URL, engine: Engine, monkeypatch: pytest.MonkeyPatch):
    with serve_from(database_url, monkeypatch):
        watch = VersionWatch(interval_s=0)
        before = watch.current()
        with engine.begin() as connection:
            write_places(connection)
        after = watch.current()
    assert before.versions["places"] == 0
    assert after.versions["places"] > 0


def test_a_database_that_stops_leaves_the_last_look_and_its_age(database_url: URL, monkeypatch: pytest.MonkeyPatch):
    with serve_from(database_url, monkeypatch):
        watch = VersionWatch(interval_s=0)
        last = watch.current()
        monkeypatch.setattr(versions, "read_engine", _gone)
        assert watch.current() is last


def test_a_database_that_never_answered_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(versions, "read_engine", _gone)
    with pytest.raises(StoreUnavailable, match="gridmap db status"):
        VersionWatch(interval_s=1).current()


def test_a_slow_database_holds_up_one_session_only(database_url: URL, monkeypatch: pytest.MonkeyPatch):
    asked, answer = threading.Event(), threading.Event()
    with serve_from(database_url, monkeypatch):
        watch = VersionWatch(interval_s=0)
        last = watch.current()

        def slow() -> Engine:
            asked.set()
            answer.wait(_PATIENCE_S)
            return _gone()

        monkeypatch.setattr(versions, "read_engine", slow)
        waiting = threading.Thread(target=watch.current)
        waiting.start()
        assert asked.wait(_PATIENCE_S)
        assert watch.current() is last
        answer.set()
        waiting.join()


def test_a_change_is_heard_before_the_interval_ends(database_url: URL, engine: Engine, monkeypatch: pytest.MonkeyPatch):
    stop = threading.Event()
    with serve_from(database_url, monkeypatch):
        watch = VersionWatch(interval_s=5)
        listener = threading.Thread(target=watch.listen, args=(stop,))
        listener.start()
        _until(lambda: watch._is_listening)
        began = time.monotonic()
        with engine.begin() as connection:
            write_places(connection)
        _until(lambda: watch._look is not None and watch._look.versions["places"] > 0)
        assert time.monotonic() - began < 4
        stop.set()
        with engine.begin() as connection:
            connection.execute(text("NOTIFY gridmap"))
        listener.join(_PATIENCE_S)
    assert not listener.is_alive()


def test_a_look_says_when_it_was_made(database_url: URL, monkeypatch: pytest.MonkeyPatch):
    with serve_from(database_url, monkeypatch):
        look = VersionWatch(interval_s=1).current()
    assert datetime.now(UTC) - look.checked_at < timedelta(seconds=_PATIENCE_S)


def _until(holds) -> None:
    """Wait until something holds, without sleeping blindly."""
    waiting = threading.Event()
    end = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        waiting.wait(0.01)
