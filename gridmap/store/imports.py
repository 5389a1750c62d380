"""Read the books of the imports: records, quarantined rows, changed values."""

import pandas as pd
from sqlalchemy import Connection

from gridmap.store.reading import read_table, with_instants


def read_imports(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return the import records, newest first, index `import_id`.

    Columns `layer`, `file_name`, `file_sha256`, `encoding`, `crs`, `datum`, `n_read`, `n_taken`, `n_new`, `n_changed`,
    `n_quarantined`, `notes`, `imported_by`, `imported_at`.
    """
    records = read_table(
        connection,
        "SELECT import_id, layer, file_name, file_sha256, encoding, crs, datum, n_read, n_taken, n_new, n_changed,"
        " n_quarantined, notes, imported_by, imported_at FROM import_record"
        " WHERE township_code = :township_code ORDER BY import_id DESC",
        index="import_id",
        township_code=township_code,
    )
    return with_instants(records, "imported_at")


def read_quarantine(connection: Connection, *, import_id: int) -> pd.DataFrame:
    """Return the rows that one import did not take: `sheet`, `row_number`, `reason_code`, `reason`, `row`."""
    return read_table(
        connection,
        "SELECT sheet, row_number, reason_code, reason, row FROM import_quarantine"
        " WHERE import_id = :import_id ORDER BY quarantine_number",
        import_id=import_id,
    )


def read_changes(connection: Connection, *, import_id: int) -> pd.DataFrame:
    """Return the values that one import mended: `sheet`, `row_number`, `change`."""
    return read_table(
        connection,
        "SELECT sheet, row_number, change FROM import_change WHERE import_id = :import_id ORDER BY change_number",
        import_id=import_id,
    )


def read_layer_counts(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return how many rows of each layer the database holds now, index `layer`: `n_rows`."""
    return read_table(
        connection,
        """
        SELECT 'areas' AS layer, count(*) AS n_rows FROM area WHERE township_code = :township_code
        UNION ALL SELECT 'grids', count(*) FROM grid WHERE level = 3 AND township_code = :township_code
        UNION ALL SELECT 'households', count(*) FROM household WHERE township_code = :township_code
        UNION ALL SELECT 'paths', count(*) FROM path WHERE township_code = :township_code
        UNION ALL SELECT 'water', count(*) FROM water WHERE township_code = :township_code
        UNION ALL SELECT 'staff', count(*) FROM staff WHERE township_code = :township_code
        UNION ALL SELECT 'checkpoints', count(*) FROM checkpoint WHERE township_code = :township_code
        UNION ALL SELECT 'checkins', count(*) FROM checkin WHERE township_code = :township_code
        UNION ALL SELECT 'tracks', count(*) FROM track_fix WHERE township_code = :township_code
        UNION ALL SELECT 'home_visits', count(*) FROM home_visit WHERE township_code = :township_code
        UNION ALL SELECT 'incidents', count(*) FROM incident WHERE township_code = :township_code
        """,
        index="layer",
        township_code=township_code,
    )
