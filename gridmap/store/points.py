"""Read and append what the ledger of points is made of: rules, entries by hand, frozen months."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from gridmap.store.reading import read_table, with_instants

# A rule that was ended later than `known_at` went on as far as was known then.
_RULES = """
SELECT rule_code, name, counts, points, monthly_ceiling, threshold_percent, valid_from, valid_until
FROM point_rule
WHERE township_code = :township_code AND recorded_at <= :known_at AND valid_from <= :month
  AND (valid_until IS NULL OR valid_until > :month OR (ended_at IS NOT NULL AND ended_at > :known_at))
ORDER BY rule_code
"""


def read_rules_in_force(connection: Connection, *, township_code: str, month: date, known_at: datetime) -> pd.DataFrame:
    """Return the rules of a month as they were known at an instant, index `rule_code`.

    Columns `name`, `counts`, `points`, `monthly_ceiling`, `threshold_percent` (may be null), `valid_from`, `valid_until`.
    """
    rules = read_table(
        connection, _RULES, index="rule_code", township_code=township_code, month=month, known_at=known_at
    )
    return rules.astype({"points": int, "monthly_ceiling": "Int64", "threshold_percent": "Int64"})


def read_rules(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return every rule there is or was, index `rule_id`; columns as `read_rules_in_force` with `rule_code`, `recorded_by`."""
    rules = read_table(
        connection,
        "SELECT rule_id, rule_code, name, counts, points, monthly_ceiling, threshold_percent, valid_from, valid_until,"
        " recorded_by, ended_by FROM point_rule WHERE township_code = :township_code ORDER BY rule_code, valid_from",
        index="rule_id",
        township_code=township_code,
    )
    return rules.astype({"points": int, "monthly_ceiling": "Int64", "threshold_percent": "Int64"})


def read_point_entries(connection: Connection, *, township_code: str, month: date, known_at: datetime) -> pd.DataFrame:
    """Return the entries by hand and the counter-entries of a month that were recorded by an instant.

    Columns `entry_id`, `staff_id`, `rule_code`, `points`, `reason`, `entered_by`, `approved_by`, `counters_entry_id`
    (Int64), `counters_key`, `recorded_at`.
    """
    entries = read_table(
        connection,
        "SELECT entry_id, staff_id, rule_code, points, reason, entered_by, approved_by, counters_entry_id, counters_key,"
        " recorded_at FROM point_entry WHERE township_code = :township_code AND month = :month"
        " AND recorded_at <= :known_at ORDER BY entry_id",
        township_code=township_code,
        month=month,
        known_at=known_at,
    )
    return with_instants(entries, "recorded_at").astype({"points": int, "counters_entry_id": "Int64"})


def read_freezes(connection: Connection, *, township_code: str, month: date) -> list[dict[str, Any]]:
    """Return how a month was frozen, oldest first: `number`, `known_at`, `reason`, `frozen_by`, `digest`, `result`."""
    rows = connection.execute(
        text(
            "SELECT number, known_at, reason, frozen_by, digest, result FROM point_freeze"
            " WHERE township_code = :township_code AND month = :month ORDER BY number"
        ),
        {"township_code": township_code, "month": month},
    )
    return [dict(row) for row in rows.mappings()]


def add_rule(connection: Connection, *, rule: Mapping[str, Any], recorded_at: datetime) -> int:
    """Append a rule (its columns by name); returns its id.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it, such as one that overlaps another version of the same rule.
    """
    rule_id: int = connection.execute(
        text(
            "INSERT INTO point_rule (township_code, rule_code, name, counts, points, monthly_ceiling, threshold_percent,"
            " valid_from, valid_until, recorded_by, recorded_at) VALUES (:township_code, :rule_code, :name, :counts,"
            " :points, :monthly_ceiling, :threshold_percent, :valid_from, :valid_until, :recorded_by, :recorded_at)"
            " RETURNING rule_id"
        ),
        {**rule, "recorded_at": recorded_at},
    ).scalar_one()
    return rule_id


def end_rule(connection: Connection, *, rule_id: int, valid_until: date, ended_by: str, ended_at: datetime) -> None:
    """Let a rule count no more from the first day of a month on.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the rule was ended before, or the month lies before its first.
    """
    connection.execute(
        text(
            "UPDATE point_rule SET valid_until = :valid_until, ended_by = :ended_by, ended_at = :ended_at"
            " WHERE rule_id = :rule_id"
        ),
        {"rule_id": rule_id, "valid_until": valid_until, "ended_by": ended_by, "ended_at": ended_at},
    )


def add_point_entry(connection: Connection, *, entry: Mapping[str, Any], recorded_at: datetime) -> int:
    """Append an entry by hand or a counter-entry (its columns by name); returns its id.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it, such as a second counter-entry.
    """
    entry_id: int = connection.execute(
        text(
            "INSERT INTO point_entry (township_code, staff_id, month, rule_code, points, reason, entered_by, approved_by,"
            " counters_entry_id, counters_key, recorded_at) VALUES (:township_code, :staff_id, :month, :rule_code, :points,"
            " :reason, :entered_by, :approved_by, :counters_entry_id, :counters_key, :recorded_at) RETURNING entry_id"
        ),
        {"counters_entry_id": None, "counters_key": None, **entry, "recorded_at": recorded_at},
    ).scalar_one()
    return entry_id


def add_freeze(connection: Connection, *, freeze: Mapping[str, Any], recorded_at: datetime) -> int:
    """Append the evaluation of a month (its columns by name but the number); returns its number.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it, such as a second one without a reason.
    """
    number: int = connection.execute(
        text(
            "INSERT INTO point_freeze (township_code, month, number, known_at, reason, frozen_by, digest, result, recorded_at)"
            " SELECT :township_code, :month, 1 + count(*), :known_at, :reason, :frozen_by, :digest, :result, :recorded_at"
            " FROM point_freeze WHERE township_code = :township_code AND month = :month RETURNING number"
        ),
        {**freeze, "result": Jsonb(freeze["result"]), "recorded_at": recorded_at},
    ).scalar_one()
    return number
