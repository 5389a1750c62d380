"""Read and append frozen reviews, what was decided beside a figure, and signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from gridmap.store.reading import read_table, with_instants


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredPack:
    """A frozen review: `figures` is the record of `reports.review.canonical.to_record`."""

    pack_id: int
    township_code: str
    month: str
    known_at: datetime
    digest: str
    figures: Mapping[str, Any]
    frozen_by: str
    frozen_at: datetime


_PACK = "SELECT pack_id, township_code, month, known_at, digest, {figures} frozen_by, frozen_at FROM review_pack"


def read_packs(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return the frozen reviews, newest first, index `pack_id`: `month`, `known_at`, `digest`, `frozen_by`, `frozen_at`."""
    packs = read_table(
        connection,
        _PACK.format(figures="") + " WHERE township_code = :township_code ORDER BY pack_id DESC",
        index="pack_id",
        township_code=township_code,
    )
    return with_instants(packs.drop(columns="township_code"), "known_at", "frozen_at")


def read_imported_after(connection: Connection, *, township_code: str, at: datetime) -> set[str]:
    """Return the codes of incidents that came in by a file after an instant, whatever time of recording the file gives them."""
    found = connection.execute(
        text(
            "SELECT incident_code FROM incident JOIN import_record AS book USING (import_id)"
            " WHERE incident.township_code = :township_code AND book.imported_at > :at"
        ),
        {"township_code": township_code, "at": at},
    )
    return {str(code) for (code,) in found}


def read_pack(connection: Connection, *, pack_id: int) -> StoredPack | None:
    """Return one frozen review; None where there is none."""
    row = connection.execute(
        text(_PACK.format(figures="figures,") + " WHERE pack_id = :pack_id"), {"pack_id": pack_id}
    ).one_or_none()
    if row is None:
        return None
    return StoredPack(
        pack_id=row.pack_id,
        township_code=row.township_code,
        month=row.month,
        known_at=row.known_at,
        digest=row.digest,
        figures=row.figures,
        frozen_by=row.frozen_by,
        frozen_at=row.frozen_at,
    )


def find_pack(connection: Connection, *, township_code: str, month: str) -> int | None:
    """Return the newest frozen review of a month; None where it was never frozen."""
    found: int | None = connection.execute(
        text("SELECT max(pack_id) FROM review_pack WHERE township_code = :township_code AND month = :month"),
        {"township_code": township_code, "month": month},
    ).scalar()
    return found


def wait_for_facts(connection: Connection) -> None:
    """Wait until everybody who writes facts has finished, and keep others from it until this transaction ends.

    Whoever records something names the instant first and commits later: what is not yet to be seen may be older than what is. To be
    called before anything is read.
    """
    connection.execute(text("LOCK TABLE incident, incident_step, checkin, track_fix, home_visit IN SHARE MODE"))


def append_pack(
    connection: Connection,
    *,
    township_code: str,
    month: str,
    known_at: datetime,
    digest: str,
    figures: Mapping[str, Any],
    frozen_by: str,
    frozen_at: datetime,
) -> int | None:
    """Append a frozen review and return its id; None where the same one (by its digest) was frozen before.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    pack_id: int | None = connection.execute(
        text(
            "INSERT INTO review_pack (township_code, month, known_at, digest, figures, frozen_by, frozen_at) VALUES"
            " (:township_code, :month, :known_at, :digest, :figures, :frozen_by, :frozen_at)"
            " ON CONFLICT (township_code, month, digest) DO NOTHING RETURNING pack_id"
        ),
        {
            "township_code": township_code,
            "month": month,
            "known_at": known_at,
            "digest": digest,
            "figures": Jsonb(dict(figures)),
            "frozen_by": frozen_by,
            "frozen_at": frozen_at,
        },
    ).scalar()
    return pack_id


def read_tasks(connection: Connection, *, township_code: str, known_at: datetime) -> pd.DataFrame:
    """Return decisions and tasks as they stood at an instant, oldest first, index `task_id`.

    Columns `month`, `figure_key`, `kind`, `text`, `who`, `until` (as last moved), `first_until`, `state` (`open`, `done`, `dropped`),
    `note` (of the last step), `n_moved`, `changed_at`, `entered_by`, `entered_at`.
    """
    tasks = read_table(
        connection,
        """
        SELECT task.task_id, task.month, task.figure_key, task.kind, task.text, task.who,
               coalesce(moved.until, task.until) AS until, task.until AS first_until,
               CASE WHEN last.kind IN ('done', 'dropped') THEN last.kind ELSE 'open' END AS state,
               last.note, coalesce(moved.n_moved, 0) AS n_moved, coalesce(last.done_at, task.entered_at) AS changed_at,
               task.entered_by, task.entered_at
        FROM review_task AS task
        LEFT JOIN LATERAL (SELECT kind, note, done_at FROM review_task_step AS step WHERE step.task_id = task.task_id
                           AND done_at <= :known_at ORDER BY step_id DESC LIMIT 1) AS last ON true
        LEFT JOIN LATERAL (SELECT (array_agg(until ORDER BY step_id DESC))[1] AS until, count(*) AS n_moved
                           FROM review_task_step AS step WHERE step.task_id = task.task_id AND kind = 'moved'
                           AND done_at <= :known_at) AS moved ON true
        WHERE task.township_code = :township_code AND task.entered_at <= :known_at
        ORDER BY task.task_id
        """,
        index="task_id",
        township_code=township_code,
        known_at=known_at,
    )
    return with_instants(tasks, "changed_at", "entered_at")


def append_task(
    connection: Connection,
    *,
    township_code: str,
    month: str,
    figure_key: str,
    kind: str,
    what: str,
    who: str | None,
    until: date | None,
    entered_by: str,
    entered_at: datetime,
) -> int:
    """Append a decision or task and return its id.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    task_id: int = connection.execute(
        text(
            "INSERT INTO review_task (township_code, month, figure_key, kind, text, who, until, entered_by, entered_at)"
            " VALUES (:township_code, :month, :figure_key, :kind, :what, :who, :until, :entered_by, :entered_at)"
            " RETURNING task_id"
        ),
        {
            "township_code": township_code,
            "month": month,
            "figure_key": figure_key,
            "kind": kind,
            "what": what,
            "who": who,
            "until": until,
            "entered_by": entered_by,
            "entered_at": entered_at,
        },
    ).scalar_one()
    return task_id


def append_task_step(
    connection: Connection, *, task_id: int, kind: str, until: date | None, note: str, done_by: str, done_at: datetime
) -> None:
    """Append what became of a task.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it, such as an unknown task.
    """
    connection.execute(
        text(
            "INSERT INTO review_task_step (task_id, kind, until, note, done_by, done_at)"
            " VALUES (:task_id, :kind, :until, :note, :done_by, :done_at)"
        ),
        {"task_id": task_id, "kind": kind, "until": until, "note": note, "done_by": done_by, "done_at": done_at},
    )


def read_signatures(connection: Connection, *, pack_id: int) -> pd.DataFrame:
    """Return who signed a pack, in the order of signing: `role`, `name`, `signed_at`."""
    signatures = read_table(
        connection,
        "SELECT role, name, signed_at FROM review_signature WHERE pack_id = :pack_id ORDER BY signed_at, role",
        pack_id=pack_id,
    )
    return with_instants(signatures, "signed_at")


def append_signature(connection: Connection, *, pack_id: int, role: str, name: str, signed_at: datetime) -> bool:
    """Append a signature; False where the role has signed.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it, such as an unknown pack or role.
    """
    result = connection.execute(
        text(
            "INSERT INTO review_signature (pack_id, role, name, signed_at) VALUES (:pack_id, :role, :name, :signed_at)"
            " ON CONFLICT (pack_id, role) DO NOTHING"
        ),
        {"pack_id": pack_id, "role": role, "name": name, "signed_at": signed_at},
    )
    return result.rowcount == 1
