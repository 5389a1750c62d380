"""Read the lists of incident categories; they change from year to year."""

import pandas as pd
from sqlalchemy import Connection

from gridmap.store.reading import read_table


def read_categories(connection: Connection) -> pd.DataFrame:
    """Return every category of every list year.

    Columns `category_code`, `list_year`, `kind`, `name`, `is_private`, `valid_from`, `successor_code` (its code in the next
    list, or later in the same one; null where the code stays).
    """
    return read_table(
        connection,
        "SELECT category_code, list_year, kind, name, is_private, valid_from, successor_code FROM category"
        " ORDER BY list_year, category_code",
    )


def read_listed_categories(connection: Connection) -> pd.DataFrame:
    """Return when each category is in force: `category_code`, `list_year`, `name`, `valid_from`, `valid_until` (null: still)."""
    return read_table(
        connection,
        "SELECT category_code, list_year, name, valid_from, valid_until FROM category ORDER BY list_year, category_code",
    )
