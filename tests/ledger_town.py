"""Ledgers of the tiny township on its busy day: every point can be counted here by hand.

October 2026, at noon of the 15th (`tests.busy.NOW`). In the first grid `u1` is member and `u2` chief. `u1` visited C1, C2 and C3; the week that
ended on the 4th was missed at C1 and C2 (and at C4, where nobody is in service), the one after it left no trace.
"""

from datetime import UTC, date, datetime, timedelta

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.settings import Settings
from gridmap.store.points import add_rule
from gridmap.store.writing import write_rows
from tests.tiny import TOWNSHIP, WEST_VILLAGE, at, metric_point, stored

MONTH = date(2026, 10, 1)
SETTINGS = Settings()
RULES = (
    ("visit", "patrol_visit", 1, 2, None),
    ("home", "home_visit", 1, None, None),
    ("share", "home_visit_share", 10, None, 60),
    ("report", "report_accepted", 2, None, None),
    ("on_time", "closed_on_time", 3, None, None),
    ("late", "closed_late", -3, None, None),
    ("in_grid", "dispute_in_grid", 3, None, None),
    ("satisfied", "satisfied", 1, None, None),
    ("missed", "missed_due", -1, None, None),
    ("praise", "manual", 5, 10, None),
)
# u1: 2 visits (three under the ceiling), 1 home, the share, 3 reports. u2: 1 home, the share, a closing in time, in the grid, with
# which people were satisfied, one late, two periods missed.
POINTS = {"u1": 2 + 1 + 10 + 6, "u2": 1 + 10 + 3 + 3 + 1 - 3 - 2}
# Six visits due until today and three homes, by two people; the share; what u2 closed.
ATTAINABLE_TENTHS = {"u1": 20 + 15 + 100, "u2": 20 + 15 + 100 + 60}


def write_rules(connection: Connection, *, recorded_at: datetime | None = None) -> None:
    """Write the rules, valid from January."""
    for code, counts, points, ceiling, threshold in RULES:
        rule = {
            "township_code": TOWNSHIP,
            "rule_code": code,
            "name": f"规则 {code}",
            "counts": counts,
            "points": points,
            "monthly_ceiling": ceiling,
            "threshold_percent": threshold,
            "valid_from": date(2026, 1, 1),
            "valid_until": None,
            "recorded_by": "乡网格办",
        }
        add_rule(connection, rule=rule, recorded_at=recorded_at or datetime(2026, 1, 1, tzinfo=UTC))


def write_case(
    connection: Connection, code: str, category: str, *, happened: datetime, due: datetime, place: tuple
) -> None:
    """Write an incident at a place by metres east and north."""
    frame = {
        "incident_code": [code],
        "township_code": TOWNSHIP,
        "category_code": category,
        "list_year": 2026,
        "urgency": "normal",
        "village_code": WEST_VILLAGE,
        "happened_at": happened,
        "recorded_at": happened + timedelta(minutes=1),
        "due_at": due,
    }
    points = stored([metric_point(*place)])
    write_rows(
        connection, "incident", gpd.GeoDataFrame(frame, geometry=points), key=["incident_code"], append_only=True
    )


def write_steps(connection: Connection, *rows: tuple) -> None:
    """Write steps: incident, kind, level, who, when, satisfaction, and when it was recorded (None: then)."""
    codes, kinds, levels, staff, instants, ratings, recorded = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {
            "incident_code": codes,
            "kind": kinds,
            "level": levels,
            "staff_id": staff,
            "happened_at": instants,
            "recorded_at": [late or at_ for at_, late in zip(instants, recorded, strict=True)],
            "satisfaction": pd.array(ratings, dtype="Int64"),
        }
    )
    write_rows(connection, "incident_step", frame, key=["incident_code", "kind", "happened_at"], append_only=True)


def write_home_visits(connection: Connection, *rows: tuple) -> None:
    """Write door-to-door visits: household, who, when."""
    homes, staff, instants = zip(*rows, strict=True)
    frame = {
        "township_code": TOWNSHIP,
        "household_code": homes,
        "staff_id": staff,
        "happened_at": instants,
        "recorded_at": instants,
    }
    write_rows(connection, "home_visit", pd.DataFrame(frame), key=["household_code", "happened_at"], append_only=True)


def write_ledger_town(connection: Connection) -> None:
    """Write what the points above come from, on top of the busy day."""
    write_rules(connection)
    write_home_visits(connection, ("H-0-0", "u1", at(3)), ("H-0-1", "u2", at(4)), ("H-0-0", "u2", at(9)))
    write_case(connection, "J1", "D1", happened=at(5), due=at(10), place=(300, 900))
    write_case(connection, "J2", "Z1", happened=at(15, 9, 10), due=at(15, 10, 30), place=(205, 1500))
    write_case(connection, "J3", "R1", happened=at(7), due=at(14), place=(350, 900))
    write_steps(
        connection,
        ("J1", "reported", "member", "u1", at(5, 9, 1), None, None),
        ("J1", "accepted", "grid", "u2", at(5, 10), None, None),
        ("J1", "closed", "grid", "u2", at(6), 4, None),
        ("J1", "followed_up", "member", "u1", at(8), 5, None),
        ("J2", "reported", "member", "u1", at(15, 9, 11), None, None),
        ("J2", "accepted", "grid", "u2", at(15, 10), None, None),
        ("J2", "closed", "grid", "u2", at(15, 11), 3, None),
        ("J3", "reported", "member", "u1", at(7, 9, 1), None, None),
        ("J3", "accepted", "grid", "u2", at(8), None, at(14)),
    )
