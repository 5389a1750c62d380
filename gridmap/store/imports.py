"""Read the books of the imports: records, quarantined rows, changed values."""

import pandas as pd
from sqlalchemy import Connection

from gridmap.store.reading import read_table


def read_imports(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return the import records, newest first, index `import_id`.

    Columns `layer`, `file_name`, `file_sha256`, `encoding`, `crs`, `datum`, `n_read`, `n_taken`, `n_new`, `n_changed`,
    `n_quarantined`, `notes`, `imported_by`, `imported_at`.
    """
    return read_table(
        connection,
        "SELECT import_id, layer, file_name, file_sha256, encoding, crs, datum, n_read, n_taken, n_new, n_changed,"
        " n_quarantined, notes, imported_by, imported_at FROM import_record"
        " WHERE township_code = :township_code ORDER BY import_id DESC",
        index="import_id",
        township_code=township_code,
    )


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
