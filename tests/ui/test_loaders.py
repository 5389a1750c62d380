"""Reports are read once per change of what they depend on."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from gridmap.errors import StoreUnavailable
from gridmap.reports.figures import depends_on
from gridmap.ui import loaders
from tests.busy import NOW
from tests.serving import serve_from
from tests.tiny import TOWNSHIP

_read: list[dict[str, object]] = []


@depends_on("households")
def household_report(
    connection: Connection, *, township_code: str, now: datetime, household_cap: int, n: int = 0
) -> int | None:
    _read.append({"township_code": township_code, "now": now, "household_cap": household_cap, "n": n})
    found: int | None = connection.execute(text("SELECT count(*) FROM household")).scalar()
    return found


@pytest.fixture(autouse=True)
def _watching(database_url: URL, tiny_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    _read.clear()
    with serve_from(database_url, monkeypatch, WALL_REFRESH_S="0"):
        yield


def _touch(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_what_a_report_needs_is_filled_in():
    assert loaders.load(household_report) == 18
    assert _read[0]["township_code"] == TOWNSHIP
    assert _read[0]["household_cap"] == 100
    assert isinstance(_read[0]["now"], datetime)


def test_a_change_of_its_topic_renews_it(tiny_engine: Engine):
    loaders.load(household_report)
    _touch(tiny_engine, "DELETE FROM household WHERE household_code = 'H-0-0'")
    assert loaders.load(household_report) == 17


def test_a_change_of_another_topic_does_not(tiny_engine: Engine):
    loaders.load(household_report, now=NOW)
    _touch(tiny_engine, "DELETE FROM posting")
    loaders.load(household_report, now=NOW)
    assert len(_read) == 1


def test_other_options_are_another_report():
    assert [loaders.load(household_report, now=NOW, n=n) for n in (1, 2, 1)] == [18, 18, 18]
    assert [read["n"] for read in _read] == [1, 2]


def test_a_database_that_refuses_is_unavailable(monkeypatch: pytest.MonkeyPatch):
    def refusing(_connection: Connection) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    with pytest.raises(StoreUnavailable, match="gridmap db status"):
        loaders.load(refusing)


def test_the_last_good_report_is_kept_with_its_age(monkeypatch: pytest.MonkeyPatch):
    good = loaders.load_or_last(household_report)

    def refuse(*_arguments: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(loaders, "_read", refuse)
    loaders._reports.clear()
    last = loaders.load_or_last(household_report)
    assert (good.is_fresh, last.is_fresh) == (True, False)
    assert (last.report, last.read_at) == (good.report, good.read_at)


def test_without_a_last_one_the_error_stays(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_arguments: object) -> None:
        raise StoreUnavailable("gone")

    loaders.township()
    monkeypatch.setattr(loaders, "_read", refuse)
    with pytest.raises(StoreUnavailable, match="gone"):
        loaders.load_or_last(household_report)


@loaders.renewed_daily
@depends_on("households")
def daily_report(connection: Connection, *, township_code: str, now: datetime) -> int:
    _read.append({"now": now})
    return len(_read)


def test_a_report_of_what_is_over_is_read_once_a_day_and_after_each_change(
    tiny_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    for moment in (NOW, NOW + timedelta(minutes=5), NOW + timedelta(days=1)):
        monkeypatch.setattr(loaders.known_on, "instant", lambda moment=moment: moment)
        loaders.load(daily_report)
    assert [one["now"] for one in _read] == [NOW, NOW + timedelta(days=1)]
    _touch(tiny_engine, "UPDATE household SET n_residents = n_residents + 1")
    assert loaders.load(daily_report) == 3
