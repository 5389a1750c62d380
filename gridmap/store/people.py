"""Read the teams of the grids."""

from datetime import date

import pandas as pd
from sqlalchemy import Connection

from gridmap.store.reading import read_table


def read_postings(connection: Connection, *, township_code: str, on: date) -> pd.DataFrame:
    """Return who serves where on a day.

    Columns `staff_id`, `name`, `grid_code`, `team_code` (exactly one of the two is given), `role`, `valid_from`,
    `valid_until`.
    """
    return read_table(
        connection,
        "SELECT staff_id, name, grid_code, team_code, role, valid_from, valid_until"
        " FROM posting JOIN staff USING (staff_id)"
        " WHERE township_code = :township_code AND daterange(valid_from, valid_until) @> CAST(:on AS date)"
        " ORDER BY grid_code, team_code, role, staff_id",
        township_code=township_code,
        on=on,
    )


def read_all_postings(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return every posting there is or was; columns as of `read_postings`, `valid_until` null while it lasts."""
    return read_table(
        connection,
        "SELECT staff_id, name, grid_code, team_code, role, valid_from, valid_until"
        " FROM posting JOIN staff USING (staff_id)"
        " WHERE township_code = :township_code ORDER BY staff_id, valid_from, grid_code, team_code",
        township_code=township_code,
    )


def read_teams(connection: Connection) -> pd.DataFrame:
    """Return the five teams of a township, index `team_code`: `name`."""
    return read_table(connection, "SELECT team_code, name FROM township_team ORDER BY team_code", index="team_code")
