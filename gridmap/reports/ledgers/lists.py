"""The lists of the grids: monthly publicity and visits ticked off, conventions with their signatures, opinions collected."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

import pandas as pd
from sqlalchemy import Connection

from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ledgers.month import month_of
from gridmap.reports.township import find_township
from gridmap.store.categories import read_categories
from gridmap.store.ledgers import read_conventions, read_opinions, read_tasks
from gridmap.store.places import read_grids


@dataclass(frozen=True, kw_only=True, eq=False)
class ListsReport:
    """Lists of a month.

    Parameters
    ----------
    first_on, last_on
        The month, both days inside.
    n_ticked, n_agreed, n_signed, n_opinions
        Figures: things ticked off of those listed; grids with a convention; households signed of those of these grids; opinions
        collected in the month.
    tasks
        Index `task_id`: `store.ledgers.read_tasks`, `grid_name`, `village_code`, `village_name`; open ones first.
    progress
        Index `grid_code`: `name`, `village_code`, `village_name`, and for publicity and visits `n_publicity`, `n_publicity_done`,
        `n_visit`, `n_visit_done`.
    conventions
        Every grid, index `grid_code`: `name`, `village_code`, `village_name`, `agreed_on`, `n_signed`, `n_households`, `counted_on` (null
        without one), `signed_share` (NaN without one); the least signed first.
    signatures
        Every count until the end of the month, oldest first: `store.ledgers.read_conventions`.
    opinions
        Those of the month, index `incident_code`: `store.ledgers.read_opinions`, `grid_name`, `village_code`.
    """

    first_on: date
    last_on: date
    n_ticked: Figure
    n_agreed: Figure
    n_signed: Figure
    n_opinions: Figure
    tasks: pd.DataFrame
    progress: pd.DataFrame
    conventions: pd.DataFrame
    signatures: pd.DataFrame
    opinions: pd.DataFrame


@depends_on("places", "incidents", "ledgers")
def lists_report(
    connection: Connection, *, township_code: str, month: date, now: datetime, zone: tzinfo
) -> ListsReport:
    """Return the lists of a month, conventions and opinions.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    month
        A day of it.
    now
        Only what was recorded by then counts.
    zone
        The township's clock.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    find_township(connection, township_code=township_code)
    first_on, last_on = month_of(month)
    on = max(first_on, min(last_on, now.astimezone(zone).date()))
    grids = pd.DataFrame(
        read_grids(connection, township_code=township_code, on=on)[["name", "village_code", "village_name"]]
    )
    tasks = read_tasks(connection, township_code=township_code, since=first_on, until=first_on, known_at=now)
    tasks = _named(tasks, grids).sort_values(["is_done", "grid_code", "kind"], kind="stable")
    signatures = read_conventions(connection, township_code=township_code, known_at=now)
    signatures = _counted_by(signatures, on=on, zone=zone)
    conventions = _conventions(grids, signatures, zone=zone)
    opinions = _named(read_opinions(connection, township_code=township_code, known_at=now), grids)
    on_day = opinions["happened_at"].dt.tz_convert(zone).dt.date
    opinions = opinions[(on_day >= first_on) & (on_day <= last_on)]
    agreed = conventions.dropna(subset="agreed_on")
    return ListsReport(
        first_on=first_on,
        last_on=last_on,
        n_ticked=share(int(tasks["is_done"].sum()), len(tasks), formula_key="ledgers.formula_ticked"),
        n_agreed=share(len(agreed), len(conventions), formula_key="ledgers.formula_agreed"),
        n_signed=share(
            float(agreed["n_signed"].sum()), float(agreed["n_households"].sum()), formula_key="ledgers.formula_signed"
        ),
        n_opinions=count(len(opinions), unit="unit.incidents", formula_key="ledgers.formula_opinions"),
        tasks=tasks,
        progress=_progress(grids, tasks),
        conventions=conventions,
        signatures=signatures,
        opinions=opinions,
    )


@depends_on("incidents")
def categories_report(connection: Connection) -> dict[tuple[str, int], str]:
    """Return the names of the requests (诉求) of the newest list, by code and list year: what an opinion can be."""
    categories = read_categories(connection)
    newest = categories[(categories["kind"] == "request") & (categories["list_year"] == categories["list_year"].max())]
    return {
        (str(code), int(year)): str(name)
        for code, year, name in zip(newest["category_code"], newest["list_year"], newest["name"], strict=True)
    }


def _named(rows: pd.DataFrame, grids: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(
        grid_name=rows["grid_code"].map(grids["name"]),
        village_code=rows["grid_code"].str[:12],
        village_name=rows["grid_code"].map(grids["village_name"]),
    )


def _progress(grids: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    table = grids.copy()
    for kind in ("publicity", "visit"):
        groups = tasks[tasks["kind"] == kind].groupby("grid_code")["is_done"]
        table[f"n_{kind}"] = groups.size().reindex(table.index).fillna(0).astype(int)
        table[f"n_{kind}_done"] = groups.sum().reindex(table.index).fillna(0).astype(int)
    return table


def _counted_by(signatures: pd.DataFrame, *, on: date, zone: tzinfo) -> pd.DataFrame:
    """Return the counts as they stood on a day: of a convention that was entered after it, the first one."""
    agreed = signatures[signatures["agreed_on"].map(lambda day: day <= on).astype(bool)]
    is_by_then = agreed["recorded_at"].dt.tz_convert(zone).dt.date <= on
    is_entered_late = ~agreed["grid_code"].isin(agreed.loc[is_by_then, "grid_code"]) & ~agreed["grid_code"].duplicated()
    return pd.DataFrame(agreed[is_by_then | is_entered_late])


def _conventions(grids: pd.DataFrame, signatures: pd.DataFrame, *, zone: tzinfo) -> pd.DataFrame:
    counted_on = signatures["recorded_at"].dt.tz_convert(zone).dt.date
    last = signatures.assign(counted_on=counted_on).drop_duplicates("grid_code", keep="last").set_index("grid_code")
    table = grids.join(last[["agreed_on", "n_signed", "n_households", "counted_on"]])
    table = table.astype({"n_signed": "Int64", "n_households": "Int64"})
    table["signed_share"] = table["n_signed"].astype(float) / table["n_households"].astype(float)
    return table.sort_values(["signed_share", "name"], kind="stable", na_position="first")
