"""What rules of points count: visits, homes, reports, closings, duties missed; one row a thing done or left undone."""

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from typing import Any

import pandas as pd

COLUMNS = ("counts", "staff_id", "grid_code", "happened_on", "what", "reference", "percent")
"""Columns of events.

`counts` (what kind), `staff_id` (who answers for it; null: nobody), `grid_code` (where; may be null), `happened_on`
(`datetime.date`), `what` (code of the checkpoint, household, incident or grid), `reference` (names the row that it rests on;
unique among events of one kind and person), `percent` (of a share, whole; else null).
"""
_SATISFIED_FROM = 4


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame, one after the other."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False, name=None)]


def no_events() -> pd.DataFrame:
    """Return a frame of no events."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})


def _events(rows: Iterable[dict[str, object]], *, counts: str) -> pd.DataFrame:
    table = pd.DataFrame(
        [{"counts": counts, "percent": None, **row} for row in rows], columns=list(COLUMNS), dtype=object
    )
    return table if len(table) else no_events()


def together(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return several frames of events as one, in an order that does not depend on theirs."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return no_events()
    table = pd.concat(filled, ignore_index=True)
    order = table.assign(staff_id=table["staff_id"].fillna(""))
    kept = order.sort_values(["counts", "staff_id", "reference"], kind="stable").index
    return table.loc[kept].reset_index(drop=True)


def _stamp(at: pd.Timestamp) -> str:
    return f"{at.tz_convert('UTC'):%Y-%m-%dT%H:%M:%SZ}"


def visit_events(visits: pd.DataFrame, grid_of: pd.Series, *, first_on: date, last_on: date) -> pd.DataFrame:
    """Return one event a checkpoint, day and person with a visit that counts.

    Parameters
    ----------
    visits
        From `analysis.visit_classes.judge_visits`: `place_code`, `staff_id`, `day`, `happened_at`, `source`, `reason`.
    grid_of
        Index the checkpoint, value its grid (may be null).
    first_on, last_on
        First and last day, both inside.

    Returns
    -------
    DataFrame
        `patrol_visit`, `COLUMNS`. The earliest row of the day is the reference: source, person, instant.
    """
    made = visits[(visits["reason"] == "visit") & (visits["day"] >= first_on) & (visits["day"] <= last_on)]
    made = made.dropna(subset="staff_id").sort_values(["happened_at", "source"], kind="stable")
    made = made.drop_duplicates(["staff_id", "place_code", "day"])
    return _events(
        (
            {
                "staff_id": row["staff_id"],
                "grid_code": grid_of.get(row["place_code"]),
                "happened_on": row["day"],
                "what": row["place_code"],
                "reference": f"{row['place_code']}/{row['source']}/{row['staff_id']}/{_stamp(row['happened_at'])}",
            }
            for row in rows_of(made)
        ),
        counts="patrol_visit",
    )


def home_events(
    home_visits: pd.DataFrame, grid_of: pd.Series, *, since: datetime, until: datetime, zone: tzinfo
) -> pd.DataFrame:
    """Return one event a household visited door to door: its first visit of the span.

    Parameters
    ----------
    home_visits
        `household_code`, `staff_id`, `happened_at`.
    grid_of
        Index the household, value its grid (may be null); visits of other households are left out.
    since, until
        The span, its end outside.
    zone
        The township's clock.
    """
    inside = home_visits[home_visits["happened_at"].between(since, until, inclusive="left")]
    first = inside[inside["household_code"].isin(grid_of.index)]
    first = first.sort_values(["happened_at", "staff_id"], kind="stable").drop_duplicates("household_code")
    return _events(
        (
            {
                "staff_id": row["staff_id"],
                "grid_code": grid_of[row["household_code"]],
                "happened_on": row["happened_at"].tz_convert(zone).date(),
                "what": row["household_code"],
                "reference": f"{row['household_code']}/{_stamp(row['happened_at'])}",
            }
            for row in rows_of(first)
        ),
        counts="home_visit",
    )


def share_events(doors: pd.DataFrame, team: pd.DataFrame, *, month: date, last_on: date) -> pd.DataFrame:
    """Return one event a member of each grid whose share of households visited in the month is known.

    Parameters
    ----------
    doors
        Of the month: `grid_code`, `n_households`, `n_visited` (NaN: unknown).
    team
        `staff_id`, `grid_code` of those in service on the last day.
    month
        Its first day.
    last_on
        Its last day.

    Returns
    -------
    DataFrame
        `home_visit_share`, with `percent` rounded down: 95 means at least 95.
    """
    known = doors.dropna(subset="n_visited").drop_duplicates("grid_code").set_index("grid_code")
    counted = {str(code): (int(row["n_visited"]), int(row["n_households"])) for code, row in known.iterrows()}
    pairs = team[team["grid_code"].isin(list(counted))].drop_duplicates(["staff_id", "grid_code"])
    rows = []
    for person in rows_of(pairs):
        n_visited, n_households = counted[person["grid_code"]]
        rows.append(
            {
                "staff_id": person["staff_id"],
                "grid_code": person["grid_code"],
                "happened_on": last_on,
                "what": person["grid_code"],
                "reference": f"{person['grid_code']}/{month:%Y-%m}/{n_visited}/{n_households}",
                "percent": 100 * n_visited // n_households,
            }
        )
    return _events(rows, counts="home_visit_share")


def missed_events(
    verdicts: pd.DataFrame, chiefs: pd.DataFrame, grid_of: pd.Series, *, first_on: date, last_on: date
) -> pd.DataFrame:
    """Return one event a period not visited that ended in the span, for the chief of the grid on its last day.

    Parameters
    ----------
    verdicts
        From `analysis.verdicts.period_verdicts`; what cannot be told or goes on is no event.
    chiefs
        Postings of chiefs: `staff_id`, `grid_code`, `valid_from`, `valid_until` (may be null: outside).
    grid_of
        Index the checkpoint, value its grid (may be null).
    first_on, last_on
        First and last day, both inside.
    """
    missed = verdicts[
        (verdicts["verdict"] == "not_visited") & (verdicts["last_on"] >= first_on) & (verdicts["last_on"] <= last_on)
    ]
    serving: dict[str, list[dict[str, Any]]] = {}
    for row in rows_of(chiefs.sort_values(["grid_code", "valid_from", "staff_id"], kind="stable")):
        serving.setdefault(row["grid_code"], []).append(row)

    def chief(grid_code: object, day: date) -> str | None:
        for row in serving.get(str(grid_code), []):
            if row["valid_from"] <= day and (pd.isna(row["valid_until"]) or day < row["valid_until"]):
                return str(row["staff_id"])
        return None

    return _events(
        (
            {
                "staff_id": chief(grid_of.get(row["checkpoint_code"]), row["last_on"]),
                "grid_code": grid_of.get(row["checkpoint_code"]),
                "happened_on": row["last_on"],
                "what": row["checkpoint_code"],
                "reference": f"{row['checkpoint_code']}/{row['first_on']}/{row['last_on']}",
            }
            for row in rows_of(missed)
        ),
        counts="missed_due",
    )


def case_events(
    cases: pd.DataFrame, steps: pd.DataFrame, *, since: datetime, until: datetime, zone: tzinfo
) -> pd.DataFrame:
    """Return what people did about incidents in a span: reports accepted, closings, disputes settled, people satisfied.

    Parameters
    ----------
    cases
        Index the incident; `kind`, `grid_code` (may be null) and the columns of `analysis.incidents.incident_states` as of the
        end of the span.
    steps
        `incident_code`, `kind`, `staff_id`, `satisfaction`, `happened_at`; later ones than the span are left out.
    since, until
        The span, its end outside.
    zone
        The township's clock.

    Returns
    -------
    DataFrame
        `report_accepted` for who reported what was accepted for the first time; `closed_on_time` or `closed_late` for who
        closed what stayed closed until the end of the span; `dispute_in_grid` for who closed a dispute inside its grid;
        `satisfied` for who closed what was rated 4 or 5 at a follow-up.
    """
    known = steps[(steps["happened_at"] < until) & steps["incident_code"].isin(cases.index)]
    known = known.sort_values(["happened_at", "kind"], kind="stable")

    grids = cases["grid_code"].to_dict()

    def event(counts: str, code: str, staff_id: object, at: pd.Timestamp) -> dict[str, object]:
        return {
            "counts": counts,
            "staff_id": staff_id,
            "grid_code": grids[code],
            "happened_on": at.tz_convert(zone).date(),
            "what": code,
            "reference": f"{code}/{counts}/{_stamp(at)}",
        }

    first = known.drop_duplicates(["incident_code", "kind"]).set_index("incident_code")
    reporters = first.loc[first["kind"] == "reported", "staff_id"].dropna().to_dict()
    accepted = first.loc[first["kind"] == "accepted", "happened_at"]
    accepted = accepted[accepted >= since]
    rows = [
        event("report_accepted", str(code), reporters[code], at) for code, at in accepted.items() if code in reporters
    ]
    closings = known[known["kind"] == "closed"].drop_duplicates("incident_code", keep="last").set_index("incident_code")
    closers = closings["staff_id"].dropna()
    closed = cases[~cases["is_open"] & cases["closed_at"].between(since, until, inclusive="left")]
    for code in closed.index.intersection(closers.index):
        row, who = closed.loc[code], closers[code]
        if not pd.isna(row["is_on_time"]):
            rows.append(event("closed_on_time" if row["is_on_time"] else "closed_late", code, who, row["closed_at"]))
        if row["kind"] == "dispute" and row["is_in_grid"] is not pd.NA and row["is_in_grid"]:
            rows.append(event("dispute_in_grid", code, who, row["closed_at"]))
    praised = known[
        (known["kind"] == "followed_up") & (known["satisfaction"] >= _SATISFIED_FROM) & (known["happened_at"] >= since)
    ].drop_duplicates("incident_code")
    rows += [
        event("satisfied", row["incident_code"], closers[row["incident_code"]], row["happened_at"])
        for row in rows_of(praised)
        if row["incident_code"] in closers
    ]
    tables = [_events((row for row in rows if row["counts"] == counts), counts=counts) for counts in _CASE_COUNTS]
    return together(tables)


_CASE_COUNTS = ("report_accepted", "closed_on_time", "closed_late", "dispute_in_grid", "satisfied")
