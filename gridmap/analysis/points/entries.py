"""The ledger of points: events become entries by the rules of the month, entries become sums; whole numbers only."""

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from gridmap.analysis.points.events import rows_of

ENTRY_COLUMNS = (
    "key", "rule_code", "counts", "staff_id", "grid_code", "happened_on", "what", "reference", "points", "is_computed",
    "reason", "entered_by", "approved_by", "recorded_at", "counters_key", "state",
)  # fmt: skip
"""Columns of entries.

`key` (names the entry for ever), `rule_code`, `counts`, `staff_id` (null: nobody answers for it), `grid_code`, `happened_on`,
`what`, `reference` (see `analysis.points.events`; of entries by hand null), `points` (int), `is_computed`, `reason`, `entered_by`,
`approved_by`, `recorded_at`, `counters_key` (of a counter-entry: the key of what it takes back), `state`: `counts`, `countered`,
`counter`, or `void` (a counter-entry whose entry is not there (any more)).
"""


def computed_entries(events: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Return the entries that the rules of a month make of what happened.

    Parameters
    ----------
    events
        See `analysis.points.events.COLUMNS`.
    rules
        Index `rule_code`; `counts`, `points`, `threshold_percent` (null but for shares). Those of the month.

    Returns
    -------
    DataFrame
        `ENTRY_COLUMNS`, sorted by `key`: one entry an event and rule that counts its kind. A share earns points from the rule's
        threshold on.

    Raises
    ------
    ValueError
        If two events have one key.
    """
    rows: list[dict[str, Any]] = []
    for code, rule in rules.sort_index().iterrows():
        for event in rows_of(events[events["counts"] == rule["counts"]]):
            if rule["counts"] == "home_visit_share" and event["percent"] < rule["threshold_percent"]:
                continue
            who = event["staff_id"] if isinstance(event["staff_id"], str) else ""
            rows.append(
                {
                    "key": f"{code}|{who}|{event['reference']}",
                    "rule_code": code,
                    "counts": event["counts"],
                    "staff_id": event["staff_id"],
                    "grid_code": event["grid_code"],
                    "happened_on": event["happened_on"],
                    "what": event["what"],
                    "reference": event["reference"],
                    "points": int(rule["points"]),
                    "is_computed": True,
                }
            )
    table = pd.DataFrame(rows, columns=list(ENTRY_COLUMNS)).astype(object)
    if table["key"].duplicated().any():
        raise ValueError(f"`events` name one row twice: `{table.loc[table['key'].duplicated(), 'key'].iloc[0]}`.")
    return table.sort_values("key", kind="stable").reset_index(drop=True)


def hand_entries(entries: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Return entries by hand and counter-entries in the form of `ENTRY_COLUMNS`.

    Parameters
    ----------
    entries
        From `store.points.read_point_entries`.
    rules
        Index `rule_code`; `counts`. An entry of a rule that is not among them counts as `manual`.
    """
    rows = [
        {
            "key": f"entry|{row['entry_id']}",
            "rule_code": row["rule_code"],
            "counts": rules["counts"].get(row["rule_code"], "manual"),
            "staff_id": row["staff_id"],
            "grid_code": None,
            "happened_on": None,
            "what": None,
            "reference": None,
            "points": int(row["points"]),
            "is_computed": False,
            "reason": row["reason"],
            "entered_by": row["entered_by"],
            "approved_by": row["approved_by"],
            "recorded_at": row["recorded_at"],
            "counters_key": row["counters_key"]
            if isinstance(row["counters_key"], str)
            else None
            if pd.isna(row["counters_entry_id"])
            else f"entry|{int(row['counters_entry_id'])}",
        }
        for row in rows_of(entries)
    ]
    return pd.DataFrame(rows, columns=list(ENTRY_COLUMNS)).astype(object)


def settled_entries(computed: pd.DataFrame, by_hand: pd.DataFrame) -> pd.DataFrame:
    """Put all entries of a month together and say which count.

    A counter-entry takes back exactly what its entry is worth now, so both together are as if neither were there. One whose
    entry is not there counts nothing.

    Returns
    -------
    DataFrame
        `ENTRY_COLUMNS`, sorted by `key`.

    Raises
    ------
    ValueError
        If a key stands twice.
    """
    parts = [part for part in (computed, by_hand) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else computed.copy()
    if table["key"].duplicated().any():
        raise ValueError(f"`{table.loc[table['key'].duplicated(), 'key'].iloc[0]}` stands twice.")
    table = table.sort_values("key", kind="stable").reset_index(drop=True)
    is_counter = table["counters_key"].notna()
    worth = table[~is_counter].set_index("key")["points"]
    target = table["counters_key"].where(is_counter)
    has_entry = is_counter & target.isin(worth.index)
    table["points"] = [
        -int(worth[key]) if found else int(points)
        for key, found, points in zip(target, has_entry, table["points"], strict=True)
    ]
    taken_back = table["key"].isin(set(target[has_entry]))
    table["state"] = np.select(
        [has_entry, is_counter, taken_back], ["counter", "void", "countered"], default="counts"
    ).astype(object)
    return table


def points_by_rule(entries: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Sum what counts by person and rule, and keep it under the rule's monthly ceiling.

    Parameters
    ----------
    entries
        From `settled_entries`, in any order.
    rules
        Index `rule_code`; `monthly_ceiling` (null: none). It bounds what a rule can give, and what it can cost.

    Returns
    -------
    DataFrame
        `staff_id`, `rule_code`, sorted; `n_entries` (that count), `raw_points`, `points` (ints): the sum, and what it comes
        to under the ceiling. Entries for which nobody answers are left out.

    Notes
    -----
    The sum alone decides, so the order of the rows never matters.
    """
    counted = entries[(entries["state"] == "counts") & entries["staff_id"].notna()]
    groups = counted.groupby(["staff_id", "rule_code"])
    table = pd.DataFrame({"n_entries": groups.size(), "raw_points": groups["points"].sum()}).reset_index()
    table = table.astype({"n_entries": int, "raw_points": int}) if len(table) else table
    ceilings = rules["monthly_ceiling"] if len(rules) else pd.Series(dtype=object)
    table["points"] = [
        _under(int(raw), ceilings.get(code)) for raw, code in zip(table["raw_points"], table["rule_code"], strict=True)
    ]
    return table.astype({"points": int}).sort_values(["staff_id", "rule_code"], kind="stable").reset_index(drop=True)


def _under(points: int, ceiling: Any) -> int:
    if ceiling is None or pd.isna(ceiling):
        return points
    return max(-int(ceiling), min(int(ceiling), points))


def digest(entries: pd.DataFrame) -> str:
    """Return a fingerprint of what counts and for how much: two computations agree exactly if theirs are equal.

    Parameters
    ----------
    entries
        From `settled_entries`, in any order.
    """
    lines = sorted(
        f"{key}\t{points}\t{state}"
        for key, points, state in zip(entries["key"], entries["points"], entries["state"], strict=True)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
