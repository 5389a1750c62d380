"""Fill the ledgers of the sample township from its file: days and months are counted back from today."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine

from gridmap.reports.ledgers.people import COUNTS
from gridmap.store.ledgers import append_row, read_tasks
from gridmap.store.points import add_point_entry, add_rule, read_rules
from gridmap.store.reading import read_table
from gridmap.store.writing import write_rows

_N_MONTHS = 14
_EVENING = time(18, 0)
_KEEPER = "乡网格办"


@dataclass(frozen=True)
class _Calendar:
    """Days and months before today, by the township's clock; nothing lies later than now."""

    today: date
    now: datetime
    zone: tzinfo

    def day(self, ago: int) -> date:
        return self.today - timedelta(days=ago)

    def evening(self, day: date) -> datetime:
        return min(datetime.combine(day, _EVENING, tzinfo=self.zone), self.now)

    def month(self, ago: int) -> date:
        first = self.today.replace(day=1)
        for _ in range(ago):
            first = (first - timedelta(days=1)).replace(day=1)
        return first


def fill_sample_ledgers(engine: Engine, *, file: Path, township_code: str, now: datetime, zone: tzinfo) -> bool:
    """Fill the ledgers once, in one transaction; False where they were filled before.

    Parameters
    ----------
    engine
        The writing engine of a database that holds the sample.
    file
        The sample's `ledgers.json`.
    township_code
        The sample's.
    now
        Nothing is recorded later.
    zone
        The township's clock.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    content: Mapping[str, Sequence[Any]] = json.loads(file.read_text("utf-8"))
    calendar = _Calendar(today=now.astimezone(zone).date(), now=now, zone=zone)
    with engine.begin() as connection:
        if len(read_rules(connection, township_code=township_code)):
            return False
        _rules(connection, content["rules"], calendar, township_code)
        _entries(connection, content["entries"], calendar, township_code)
        _things(connection, content["things"], calendar, township_code)
        _conventions(connection, content["conventions"], calendar, township_code)
        _tasks(connection, content["tasks"], calendar, township_code)
        _opinions(connection, content["opinions"], township_code)
        _counts(connection, content["counts"], calendar, township_code)
        for row in content["updates"]:
            day = calendar.day(row["ago"])
            update = {
                "township_code": township_code,
                "grid_code": row["grid"],
                "updated_on": day,
                "updated_by": row["by"],
            }
            append_row(connection, "roster_update", row={**update, "note": None}, recorded_at=calendar.evening(day))
    return True


def _rules(connection: Connection, rows: Sequence[Any], calendar: _Calendar, township_code: str) -> None:
    begun = calendar.month(_N_MONTHS)
    for row in rows:
        rule = {
            "township_code": township_code,
            "rule_code": row["code"],
            "name": row["name"],
            "counts": row["counts"],
            "points": row["points"],
            "monthly_ceiling": row["ceiling"],
            "threshold_percent": row["threshold"],
            "valid_from": begun,
            "valid_until": None,
            "recorded_by": _KEEPER,
        }
        add_rule(connection, rule=rule, recorded_at=calendar.evening(begun))


def _entries(connection: Connection, rows: Sequence[Any], calendar: _Calendar, township_code: str) -> None:
    for row in rows:
        month = calendar.month(row["months_ago"])
        entry = {
            "township_code": township_code,
            "staff_id": row["staff"],
            "month": month,
            "rule_code": row["rule"],
            "points": row["points"],
            "reason": row["reason"],
            "entered_by": row["by"],
            "approved_by": row["approved_by"],
        }
        at = calendar.evening(month + timedelta(days=24))
        entry_id = add_point_entry(connection, entry=entry, recorded_at=at)
        if "taken_back" in row:
            counter = {**entry, "points": -row["points"], "reason": row["taken_back"], "counters_entry_id": entry_id}
            add_point_entry(connection, entry=counter, recorded_at=calendar.evening(month + timedelta(days=27)))


def _things(connection: Connection, rows: Sequence[Any], calendar: _Calendar, township_code: str) -> None:
    for row in rows:
        promised = calendar.day(row["promised"])
        thing = {
            "township_code": township_code,
            "grid_code": row["grid"],
            "title": row["title"],
            "promised_on": promised,
            "due_on": calendar.day(row["due"]),
            "recorded_by": row["by"],
        }
        thing_id = append_row(connection, "practical_thing", row=thing, recorded_at=calendar.evening(promised))
        for kind in ("begun", "done", "dropped"):
            if kind in row:
                day = calendar.day(row[kind])
                step = {
                    "thing_id": thing_id,
                    "kind": kind,
                    "happened_on": day,
                    "reason": row.get("reason") if kind == "dropped" else None,
                    "recorded_by": row["by"],
                }
                append_row(connection, "practical_step", row=step, recorded_at=calendar.evening(day))


def _conventions(connection: Connection, rows: Sequence[Any], calendar: _Calendar, township_code: str) -> None:
    for row in rows:
        convention = {
            "township_code": township_code,
            "grid_code": row["grid"],
            "agreed_on": calendar.day(row["agreed"]),
            "n_signed": row["signed"],
            "n_households": row["of"],
            "recorded_by": row["by"],
        }
        at = calendar.evening(calendar.day(row["counted"]))
        append_row(connection, "convention", row=convention, recorded_at=at)


def _tasks(connection: Connection, rows: Sequence[Any], calendar: _Calendar, township_code: str) -> None:
    key = ["grid_code", "month", "kind", "title"]
    tasks = pd.DataFrame(
        {
            "township_code": township_code,
            "grid_code": [row["grid"] for row in rows],
            "month": [calendar.month(row["months_ago"]) for row in rows],
            "kind": [row["kind"] for row in rows],
            "title": [row["title"] for row in rows],
            "entered_by": _KEEPER,
        }
    )
    tasks["recorded_at"] = pd.to_datetime([calendar.evening(month) for month in tasks["month"]], utc=True)
    write_rows(connection, "task_list", tasks, key=key, append_only=True)
    months = list(tasks["month"])
    known = read_tasks(
        connection, township_code=township_code, since=min(months), until=max(months), known_at=calendar.now
    )
    ids = dict(zip(zip(*(known[name] for name in key), strict=True), known.index, strict=True))
    for row, month in zip(rows, months, strict=True):
        at = datetime.combine(month + timedelta(days=row.get("ticked_day", 0)), _EVENING, tzinfo=calendar.zone)
        if "ticked_day" in row and at <= calendar.now:
            task_id = ids[(row["grid"], month, row["kind"], row["title"])]
            tick = {"task_id": int(task_id), "is_done": True, "ticked_by": row["by"], "note": None}
            append_row(connection, "task_tick", row=tick, recorded_at=at)


def _opinions(connection: Connection, rows: Sequence[Any], township_code: str) -> None:
    """Append the opinions whose incident is there: those of later than now are not."""
    recorded = read_table(
        connection,
        "SELECT incident_code, recorded_at FROM incident WHERE township_code = :township",
        index="incident_code",
        township=township_code,
    )["recorded_at"].to_dict()
    for row in rows:
        if row["incident"] in recorded:
            opinion = {
                "incident_code": row["incident"],
                "township_code": township_code,
                "grid_code": row["grid"],
                "collected_by": row["by"],
            }
            append_row(connection, "opinion", row=opinion, recorded_at=recorded[row["incident"]])


def _counts(connection: Connection, rows: Sequence[Any], calendar: _Calendar, township_code: str) -> None:
    counts = pd.DataFrame(list(rows), columns=["months_ago", "group_code", "grid_code", *COUNTS])
    months = [calendar.month(ago) for ago in counts.pop("months_ago")]
    kept = counts.assign(township_code=township_code, month=months, taken_by=_KEEPER)
    kept["recorded_at"] = pd.to_datetime([calendar.evening(month + timedelta(days=27)) for month in months], utc=True)
    key = ["township_code", "month", "group_code", "grid_code"]
    write_rows(connection, "people_snapshot", kept, key=key, append_only=True)
