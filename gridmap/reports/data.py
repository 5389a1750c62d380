"""The state of the data: what is loaded, from which file, since when, and what was refused."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from gridmap.reports.figures import depends_on
from gridmap.store.imports import read_imports, read_layer_counts, read_quarantine
from gridmap.store.versions import read_known_at


@dataclass(frozen=True, kw_only=True, eq=False)
class DataReport:
    """The data page.

    Parameters
    ----------
    known_at
        When the newest fact was recorded; None without facts.
    layers
        Index the layer: `n_rows` (in the database now), `loaded_at`, `file_name`, `crs`, `datum`, `encoding`, `n_read`,
        `n_taken`, `n_changed`, `n_quarantined` of the last import (null where there was none).
    imports
        Every import, newest first, index `import_id`.
    """

    known_at: datetime | None
    layers: pd.DataFrame
    imports: pd.DataFrame


@depends_on(
    "places",
    "households",
    "base_map",
    "checkpoints",
    "checkins",
    "tracks",
    "home_visits",
    "incidents",
    "staff",
    "imports",
)
def data_report(connection: Connection, *, township_code: str) -> DataReport:
    """Say what the database holds of a township and where it came from.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    """
    imports = read_imports(connection, township_code=township_code)
    last = imports.drop_duplicates("layer").set_index("layer")
    layers = read_layer_counts(connection, township_code=township_code)
    columns = ["file_name", "crs", "datum", "encoding", "n_read", "n_taken", "n_changed", "n_quarantined"]
    return DataReport(
        known_at=read_known_at(connection, township_code=township_code),
        layers=layers.join(last[["imported_at", *columns]].rename(columns={"imported_at": "loaded_at"})),
        imports=imports,
    )


@depends_on("imports")
def quarantine_report(connection: Connection, *, import_id: int) -> pd.DataFrame:
    """Return the rows that one import refused, in the shape of their file with the reason behind them.

    Parameters
    ----------
    connection
        Where to read.
    import_id
        The import.

    Returns
    -------
    DataFrame
        The columns of the file as they were read, then `row_number`, `sheet`, `reason`.
    """
    rows = read_quarantine(connection, import_id=import_id)
    cells = pd.DataFrame(rows["row"].tolist(), index=rows.index)
    return cells.join(rows[["row_number", "sheet", "reason"]])
