"""How new the data are: versions raised by triggers, and the newest recorded fact."""

from datetime import UTC, datetime

from sqlalchemy import Connection, text

CHANNEL = "gridmap"
_ANY_TIME = datetime(9999, 12, 31, tzinfo=UTC)
TOPICS = (
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
    "plans",
    "work_platform",
    "ledgers",
    "reviews",
)


def read_versions(connection: Connection) -> dict[str, int]:
    """Return the version of each topic; 0 where nothing was ever written."""
    known = {
        topic: int(version) for topic, version in connection.execute(text("SELECT topic, version FROM data_version"))
    }
    return {topic: known.get(topic, 0) for topic in TOPICS}


def read_last_change(connection: Connection) -> datetime | None:
    """Return when anything was last written; None while nothing ever was."""
    changed: datetime | None = connection.execute(text("SELECT max(changed_at) FROM data_version")).scalar()
    return changed


def read_known_at(
    connection: Connection, *, township_code: str, until: datetime | None = None, imported_by: datetime | None = None
) -> datetime | None:
    """Return when the newest fact (check-in, track, home visit, incident or step) was recorded, by an instant if one is given; else None.

    With `imported_by`, incidents of files that were imported later do not count.
    """
    newest: datetime | None = connection.execute(
        text(
            "SELECT greatest("
            "(SELECT max(recorded_at) FROM checkin WHERE township_code = :township_code AND recorded_at <= :until),"
            "(SELECT max(recorded_at) FROM track_fix WHERE township_code = :township_code AND recorded_at <= :until),"
            "(SELECT max(recorded_at) FROM home_visit WHERE township_code = :township_code AND recorded_at <= :until),"
            "(SELECT max(recorded_at) FROM incident WHERE township_code = :township_code AND recorded_at <= :until"
            " AND NOT EXISTS (SELECT FROM import_record AS book WHERE book.import_id = incident.import_id"
            " AND book.imported_at > :imported_by)),"
            "(SELECT max(step.recorded_at) FROM incident_step AS step JOIN incident USING (incident_code)"
            " WHERE incident.township_code = :township_code AND step.recorded_at <= :until))"
        ),
        {"township_code": township_code, "until": until or _ANY_TIME, "imported_by": imported_by or _ANY_TIME},
    ).scalar()
    return newest
