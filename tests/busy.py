"""The tiny township on a busy day: every number on the wall can be counted here by hand.

The day is Thursday, 15 October 2026, noon in Shanghai, unless another `now` is given; everything stands relative to it.
"""

from datetime import date, datetime, timedelta

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from gridmap.store.writing import write_rows
from tests.tiny import (
    EAST_VILLAGE,
    GRIDS,
    METRIC,
    STORED,
    TOWNSHIP,
    WEST_VILLAGE,
    at,
    metric_point,
    stored,
    write_categories,
)

NOW = at(15, 12)
EVIL = "<img src=x onerror=alert(1)>${7*7}</script>"
_NOWHERE = None


def write_ground(connection: Connection) -> None:
    """One lane through all homes from west to east, a pond, the villages' names."""
    lane = shapely.MultiLineString([[metric_point(50, 1000).coords[0], metric_point(3950, 1000).coords[0]]])
    paths = {"path_code": ["P1"], "township_code": TOWNSHIP, "kind": "lane", "is_bridge": False}
    write_rows(connection, "path", gpd.GeoDataFrame(paths, geometry=stored([lane])), key=["path_code"])
    pond = metric_point(500, 500).buffer(50)
    water = {"water_code": ["W1"], "township_code": TOWNSHIP, "kind": "pond"}
    write_rows(connection, "water", gpd.GeoDataFrame(water, geometry=stored([pond])), key=["water_code"])
    labels = {"label_id": [1, 2], "township_code": TOWNSHIP, "kind": "village", "name": ["西村", EVIL], "rank": 2}
    centres = stored([metric_point(1000, 1000), metric_point(3000, 1000)])
    write_rows(connection, "label", gpd.GeoDataFrame(labels, geometry=centres), key=["label_id"])


def write_checkpoints(connection: Connection) -> None:
    """Three open ones in the west, a service point in the east, one that was closed."""
    rows = [
        ("C1", "塘坝", "flood", 1, "week", None, metric_point(200, 1500)),
        ("C2", "林区路口", "fire", 2, "week", None, metric_point(700, 1500)),
        ("C3", "作坊", "safety", 1, "month", None, metric_point(1500, 1500)),
        ("C4", "便民服务点", "service", 5, "week", None, metric_point(2500, 1000)),
        ("C5", "旧桥", "road", 1, "week", date(2026, 10, 1), metric_point(3500, 1500)),
    ]
    codes, names, duties, due, per, closed, shapes = zip(*rows, strict=True)
    frame = {
        "checkpoint_code": codes,
        "township_code": TOWNSHIP,
        "name": names,
        "kind": "点",
        "duty": duties,
        "n_visits_due": due,
        "per": per,
        "opened_on": date(2026, 1, 1),
        "closed_on": closed,
    }
    write_rows(
        connection, "checkpoint", gpd.GeoDataFrame(frame, geometry=stored(list(shapes))), key=["checkpoint_code"]
    )


def write_checkins(connection: Connection) -> None:
    """C1 visited today, C2 on Monday (once of twice), C3 earlier this month; at C4 somebody without a position."""
    rows = [
        (at(15, 9), None, metric_point(215, 1500), None),
        (at(12, 9), None, metric_point(700, 1512), None),
        (at(2, 9), None, metric_point(1500, 1500), None),
        (at(15, 10), None, _NOWHERE, "便民服务点"),
    ]
    instants, exceptions, shapes, places = zip(*rows, strict=True)
    frame = {
        "township_code": TOWNSHIP,
        "staff_id": "u1",
        "kind": "外出打卡",
        "exception": exceptions,
        "happened_at": instants,
        "recorded_at": instants,
        "place": places,
    }
    points = gpd.GeoSeries(list(shapes), crs=METRIC).to_crs(STORED)
    key = ["staff_id", "happened_at", "kind"]
    write_rows(connection, "checkin", gpd.GeoDataFrame(frame, geometry=points), key=key, append_only=True)


def write_incidents(connection: Connection, *, now: datetime = NOW) -> None:
    """Seven incidents; their steps in `_STEPS`. I2 is a private matter with a point, I6 is long over."""
    days, hours = (lambda n: timedelta(days=n)), (lambda n: timedelta(hours=n))
    rows = [
        ("I1", "D1", now - hours(3), now + hours(21), metric_point(300, 900)),
        ("I2", "D2", now - hours(2), now + days(7), metric_point(2300, 900)),
        ("I3", "Z1", now - hours(28), now + days(3), metric_point(900, 900)),
        ("I4", "R1", now - hours(21), now - hours(4), _NOWHERE),
        ("I5", "D1", now - days(40), now - days(33), metric_point(1200, 900)),
        ("I6", "D1", now - days(35), now - days(28), metric_point(1300, 900)),
        ("I7", "D1", now - days(32), now - days(30), metric_point(1400, 900)),
    ]
    codes, categories, happened, due, shapes = zip(*rows, strict=True)
    frame = {
        "incident_code": codes,
        "township_code": TOWNSHIP,
        "category_code": categories,
        "list_year": 2026,
        "urgency": "normal",
        "source": EVIL,
        "village_code": [WEST_VILLAGE, EAST_VILLAGE, *[WEST_VILLAGE] * 5],
        "place": EVIL,
        "text": EVIL,
        "happened_at": happened,
        "recorded_at": [instant + timedelta(minutes=5) for instant in happened],
        "due_at": due,
    }
    points = gpd.GeoSeries(list(shapes), crs=METRIC).to_crs(STORED)
    write_rows(
        connection, "incident", gpd.GeoDataFrame(frame, geometry=points), key=["incident_code"], append_only=True
    )
    steps = [
        ("I1", "reported", "member", now - hours(2.9), None),
        ("I1", "accepted", "grid", now - hours(2), None),
        ("I2", "reported", "member", now - hours(1.9), None),
        ("I3", "reported", "member", now - hours(27), None),
        ("I3", "closed", "grid", now - hours(1), 5),
        ("I4", "reported", "member", now - hours(20), None),
        ("I4", "escalated", "grid", now - hours(5), None),
        ("I6", "closed", "grid", now - days(34), 5),
        ("I7", "handled", "village", now - days(4), None),
        ("I7", "closed", "grid", now - days(3), 2),
    ]
    incident, kinds, levels, instants, ratings = zip(*steps, strict=True)
    frame = {
        "incident_code": incident,
        "kind": kinds,
        "level": levels,
        "happened_at": instants,
        "recorded_at": instants,
        "satisfaction": pd.array(ratings, dtype="Int64"),
    }
    key = ["incident_code", "kind", "happened_at"]
    write_rows(connection, "incident_step", pd.DataFrame(frame), key=key, append_only=True)


def write_team(connection: Connection) -> None:
    """A chief and a member in the first grid, a former member of the second; the other grids have nobody."""
    staff = {"staff_id": ["u1", "u2", "u3"], "township_code": TOWNSHIP, "name": ["甲", EVIL, "丙"]}
    write_rows(connection, "staff", pd.DataFrame(staff), key=["staff_id"])
    postings = pd.DataFrame(
        {
            "staff_id": ["u1", "u2", "u3"],
            "grid_code": [GRIDS[0], GRIDS[0], GRIDS[1]],
            "team_code": None,
            "role": ["member", "chief", "member"],
            "valid_from": date(2026, 1, 1),
            "valid_until": [None, None, date(2026, 10, 1)],
        }
    )
    write_rows(connection, "posting", postings, key=["staff_id", "grid_code", "team_code", "role", "valid_from"])


def write_busy_day(connection: Connection, *, now: datetime = NOW) -> None:
    """Everything above, on top of the tiny township."""
    write_ground(connection)
    write_team(connection)
    write_checkpoints(connection)
    write_checkins(connection)
    write_categories(connection)
    write_incidents(connection, now=now)
