"""Receipts: what a sender asks under one key is recorded once, and answered the same each time."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from gridmap.actions.arrivals import NotAccepted
from gridmap.errors import ConflictError
from gridmap.store.intake import Source, lock_key, read_receipt, write_receipt
from gridmap.texts import t

MIN_KEY, MAX_KEY = 8, 200
Recorded = tuple[dict[str, Any], str | None]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What is answered, and whether it had been answered to the same key before."""

    answer: dict[str, Any]
    is_replay: bool


def once(
    engine: Engine,
    source: Source,
    asked: Any,
    *,
    key: str,
    now: datetime,
    record: Callable[[Connection], Recorded],
) -> Answered:
    """Record what is asked and keep the receipt in one transaction, unless the key has one; who sends it at the same time waits.

    Parameters
    ----------
    engine
        The writing engine.
    source
        Who asks.
    asked
        A dataclass; asked again under the same key it must be equal, files by their content.
    key
        Chosen by the sender.
    now
        The instant, tz-aware.
    record
        Records it in the transaction it is given; returns the answer and the incident it concerns.

    Raises
    ------
    NotAccepted
        If the key is not one of 8 to 200 printable ASCII signs.
    ConflictError
        If the key was used for something else.
    sqlalchemy.exc.SQLAlchemyError
        If the database does not answer or refuses it; nothing is recorded then.
    """
    if not MIN_KEY <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise NotAccepted("bad_key", t("intake.error_key", least=MIN_KEY, most=MAX_KEY), field="Idempotency-Key")
    digest = _digest(asked)
    with engine.begin() as connection:
        lock_key(connection, source_id=source.source_id, key=key)
        known = read_receipt(connection, source_id=source.source_id, key=key)
        if known is not None:
            if known.body_sha256 != digest:
                raise ConflictError(t("intake.error_key_used"))
            return Answered(answer=known.answer, is_replay=True)
        answer, incident_code = record(connection)
        write_receipt(
            connection,
            source_id=source.source_id,
            key=key,
            body_sha256=digest,
            incident_code=incident_code,
            answer=answer,
            now=now,
        )
    return Answered(answer=answer, is_replay=False)


def _digest(asked: Any) -> str:
    said = {"what": type(asked).__name__} | asdict(asked)
    if "photos" in said:
        said["photos"] = [hashlib.sha256(photo).hexdigest() for photo in said["photos"]]
    written = json.dumps(said, default=str, sort_keys=True)
    return hashlib.sha256(written.encode("ascii")).hexdigest()
