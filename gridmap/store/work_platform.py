"""Read and write what links us to the work platform: its grids, known orders, how far each list was pulled."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, text

from gridmap.store.reading import read_table, with_instants


@dataclass(frozen=True, kw_only=True)
class PullState:
    """How far one list of the platform has been pulled.

    Parameters
    ----------
    begun_at
        When the run under way began, by the platform's clock; None between runs.
    modified_since
        What the run under way asks for; None: everything.
    cursor
        Where it goes on; None at its first page.
    next_since
        What the next run asks for; None before a first run has ended.
    """

    begun_at: datetime | None = None
    modified_since: datetime | None = None
    cursor: str | None = None
    next_since: datetime | None = None


def read_platform_grids(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return the platform's grids, index `grid_id`: `name`, `parent_id`, `grid_code` (null: not one of ours), `grid_name` (ours)."""
    return read_table(
        connection,
        "SELECT grid_id, work_platform_grid.name, parent_id, work_platform_grid.grid_code, grid.name AS grid_name"
        " FROM work_platform_grid LEFT JOIN grid USING (grid_code)"
        " WHERE work_platform_grid.township_code = :township_code ORDER BY grid_id",
        index="grid_id",
        township_code=township_code,
    )


def read_open_grids(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return our grids of every level that are not closed, index `grid_code`: `level`, `name`, `parent_code`."""
    return read_table(
        connection,
        "SELECT grid_code, level, name, parent_code FROM grid"
        " WHERE township_code = :township_code AND closed_on IS NULL ORDER BY grid_code",
        index="grid_code",
        township_code=township_code,
    )


def read_known_incidents(connection: Connection, *, incident_codes: list[str]) -> pd.DataFrame:
    """Return those of the incidents that are recorded already, index `incident_code`: `village_code`, `grid_code`, `due_at`."""
    known = read_table(
        connection,
        "SELECT incident_code, village_code, grid_code, due_at FROM incident WHERE incident_code = ANY (:codes)",
        index="incident_code",
        codes=incident_codes,
    )
    return with_instants(known, "due_at")


def read_pull(connection: Connection, *, township_code: str, family: str) -> PullState | None:
    """Return how far a list has been pulled; None before the first page."""
    row = connection.execute(
        text(
            "SELECT begun_at, modified_since, cursor, next_since FROM work_platform_pull"
            " WHERE township_code = :township_code AND family = :family"
        ),
        {"township_code": township_code, "family": family},
    ).one_or_none()
    if row is None:
        return None
    return PullState(begun_at=row[0], modified_since=row[1], cursor=row[2], next_since=row[3])


def write_pull(
    connection: Connection,
    *,
    township_code: str,
    family: str,
    before: PullState | None,
    after: PullState,
    n_orders: int,
    now: datetime,
) -> bool:
    """Move on from one state to the next; False where another pull moved on meanwhile, and nothing is written.

    Parameters
    ----------
    before
        The state that the caller read; None: there was none.
    n_orders
        Orders of the page, added to the count.
    """
    values = {"township_code": township_code, "family": family, "n_orders": n_orders, "now": now, **vars(after)}
    if before is None:
        written = connection.execute(
            text(
                "INSERT INTO work_platform_pull (township_code, family, begun_at, modified_since, cursor, next_since,"
                " n_orders, pulled_at) VALUES (:township_code, :family, :begun_at, :modified_since, :cursor,"
                " :next_since, :n_orders, :now) ON CONFLICT DO NOTHING"
            ),
            values,
        )
        return written.rowcount == 1
    values |= {f"old_{name}": value for name, value in vars(before).items()}
    written = connection.execute(
        text(
            "UPDATE work_platform_pull SET begun_at = :begun_at, modified_since = :modified_since, cursor = :cursor,"
            " next_since = :next_since, n_orders = n_orders + :n_orders, pulled_at = :now"
            " WHERE township_code = :township_code AND family = :family"
            " AND begun_at IS NOT DISTINCT FROM CAST(:old_begun_at AS timestamptz)"
            " AND modified_since IS NOT DISTINCT FROM CAST(:old_modified_since AS timestamptz)"
            " AND cursor IS NOT DISTINCT FROM CAST(:old_cursor AS text)"
            " AND next_since IS NOT DISTINCT FROM CAST(:old_next_since AS timestamptz)"
        ),
        values,
    )
    return written.rowcount == 1
