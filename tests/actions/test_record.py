"""Single facts: recorded once, numbered by day, refused whole."""

from datetime import timedelta

import pytest
import shapely
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from gridmap.actions.record import NewCheckin, NewIncident, record_checkin, record_incident
from gridmap.errors import InputError
from tests import tiny

PLACE = tiny.stored([tiny.metric_point(500, 500)]).iloc[0]


def _checkin(**changed) -> NewCheckin:
    given = {
        "township_code": tiny.TOWNSHIP,
        "staff_id": "m1",
        "kind": "外出打卡",
        "happened_at": tiny.at(5),
        "point": PLACE,
    }
    return NewCheckin(**{**given, **changed})


def _incident(**changed) -> NewIncident:
    given = {
        "township_code": tiny.TOWNSHIP, "category_code": "D1", "list_year": 2026, "urgency": "normal",
        "happened_at": tiny.at(5), "due_at": tiny.at(12), "point": PLACE, "text": "'; DROP TABLE area; --",
    }  # fmt: skip
    return NewIncident(**{**given, **changed})


@pytest.fixture
def ready(tiny_engine: Engine) -> Engine:
    with tiny_engine.begin() as connection:
        tiny.write_categories(connection)
    return tiny_engine


def test_a_check_in_is_recorded_once(ready: Engine):
    assert record_checkin(ready, _checkin(), now=tiny.at(5))
    assert not record_checkin(ready, _checkin(), now=tiny.at(6))
    assert record_checkin(ready, _checkin(point=None, happened_at=tiny.at(5, 10)), now=tiny.at(5, 10))


def test_incidents_are_numbered_by_the_day_in_shanghai_and_begin_with_a_report(ready: Engine):
    late = tiny.at(5, 23, 59)
    numbers = [
        record_incident(ready, _incident(), staff_id="m1", now=late + timedelta(minutes=minute)) for minute in (0, 0, 1)
    ]
    assert numbers == [
        f"{tiny.TOWNSHIP}-20261005-0001",
        f"{tiny.TOWNSHIP}-20261005-0002",
        f"{tiny.TOWNSHIP}-20261006-0001",
    ]
    with ready.connect() as connection:
        steps = connection.execute(
            text("SELECT kind FROM incident_step WHERE incident_code = :number ORDER BY happened_at"),
            {"number": numbers[0]},
        ).scalars()
        assert steps.all() == ["reported"]


def test_what_the_database_refuses_leaves_nothing(ready: Engine):
    with pytest.raises(InputError, match="gridmap load areas"):
        record_incident(ready, _incident(township_code="439901000"), staff_id=None, now=tiny.at(5))
    with pytest.raises(DBAPIError):
        record_incident(ready, _incident(category_code="?"), staff_id=None, now=tiny.at(5))
    with pytest.raises(DBAPIError):
        record_checkin(ready, _checkin(point=shapely.Point(200, 30)), now=tiny.at(5))
    with ready.connect() as connection:
        assert (
            connection.execute(text("SELECT (SELECT count(*) FROM incident) + (SELECT count(*) FROM checkin)")).scalar()
            == 0
        )
