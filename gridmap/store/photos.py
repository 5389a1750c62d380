"""Photos of incidents, as bytes beside their incident."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, text

from gridmap.store.reading import read_table


def append_photo(
    connection: Connection,
    *,
    incident_code: str,
    content: bytes,
    sha256: str,
    width_px: int,
    height_px: int,
    now: datetime,
) -> int | None:
    """Append a photo and return its number; None where the incident has the same one already.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it, such as an unknown incident.
    """
    photo_id: int | None = connection.execute(
        text(
            "INSERT INTO incident_photo (incident_code, width_px, height_px, sha256, content, recorded_at)"
            " VALUES (:incident_code, :width_px, :height_px, :sha256, :content, :now)"
            " ON CONFLICT (incident_code, sha256) DO NOTHING RETURNING photo_id"
        ),
        {
            "incident_code": incident_code,
            "width_px": width_px,
            "height_px": height_px,
            "sha256": sha256,
            "content": content,
            "now": now,
        },
    ).scalar()
    return photo_id


def read_photos(connection: Connection, *, incident_code: str) -> pd.DataFrame:
    """Return the photos of an incident in the order they came, index `photo_id`: `width_px`, `height_px`, `sha256`."""
    return read_table(
        connection,
        "SELECT photo_id, width_px, height_px, sha256 FROM incident_photo WHERE incident_code = :code ORDER BY photo_id",
        index="photo_id",
        code=incident_code,
    )


def read_contents(connection: Connection, *, incident_code: str) -> list[bytes]:
    """Return the photos of an incident (JPEG) in the order they came."""
    found = connection.execute(
        text("SELECT content FROM incident_photo WHERE incident_code = :code ORDER BY photo_id"),
        {"code": incident_code},
    )
    return [bytes(content) for content in found.scalars()]


def read_photo(connection: Connection, *, photo_id: int) -> tuple[str, bytes] | None:
    """Return the incident of a photo and its bytes (JPEG); None: there is no such photo."""
    row = connection.execute(
        text("SELECT incident_code, content FROM incident_photo WHERE photo_id = :photo_id"), {"photo_id": photo_id}
    ).one_or_none()
    return None if row is None else (row.incident_code, bytes(row.content))
