"""Give a source a token, and take it away. The token is shown once; only its hash is kept."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import Engine

from gridmap.errors import InputError
from gridmap.store.intake import RESIDENT, read_person, revoke_source, write_source
from gridmap.texts import t

TOKEN_KINDS = ("member", "system")
_PREFIX, _TOKEN_BYTES, _MAX_NAME = "gm_", 32, 60


def token_hash(token: str) -> str:
    """Return what is kept of a token. It is random and long, so a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def add_token(engine: Engine, *, name: str, kind: str, staff_id: str | None, now: datetime) -> str:
    """Make a source with a token, or give a revoked one of the same kind and person a new token; returns the token.

    A source that comes back keeps its receipts: what it sent before is not recorded again.

    Raises
    ------
    InputError
        If the name is empty, too long or taken, the kind is unknown, or the person is missing or unknown.
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    name = name.strip()
    if not 0 < len(name) <= _MAX_NAME or name == RESIDENT or not name.isprintable():
        raise InputError(t("intake.error_token_name"))
    if kind not in TOKEN_KINDS:
        raise InputError(f"`kind` must be one of {TOKEN_KINDS}, got `{kind}`.")
    if kind == "member" and staff_id is None:
        raise InputError(t("intake.error_token_staff"))
    token = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    with engine.begin() as connection:
        if staff_id is not None and read_person(connection, staff_id=staff_id) is None:
            raise InputError(t("intake.error_staff", staff=staff_id[:40]))
        is_new = write_source(
            connection, name=name, kind=kind, staff_id=staff_id, token_sha256=token_hash(token), now=now
        )
    if not is_new:
        raise InputError(t("intake.error_token_exists", name=name))
    return token


def revoke_token(engine: Engine, *, name: str, now: datetime) -> None:
    """Take the token of a source away, at once.

    Raises
    ------
    InputError
        If no source of that name has one.
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    with engine.begin() as connection:
        if not revoke_source(connection, name=name.strip(), now=now):
            raise InputError(t("intake.error_token_unknown", name=name[:40]))
