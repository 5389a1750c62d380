"""`gridmap intake token …`: who may send reports, check-ins and steps over HTTP."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from gridmap.actions.tokens import add_token, revoke_token
from gridmap.cli.output import answer_json, say
from gridmap.settings import settings
from gridmap.store.database import prepared_engine
from gridmap.store.intake import read_sources
from gridmap.texts import t

app = typer.Typer(help="Intake over HTTP: who may send.", no_args_is_help=True)
token = typer.Typer(help="Tokens of sources: add, list, revoke.", no_args_is_help=True)
app.add_typer(token, name="token")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Name = Annotated[str, typer.Argument(help="Name of the source.")]


class Kind(StrEnum):
    """Kinds of sources that have a token."""

    member = "member"
    system = "system"


@token.command()
def add(
    name: Name,
    kind: Annotated[Kind, typer.Option(help="A member's device acts as that member; a system may name people.")],
    staff: Annotated[str | None, typer.Option(help="Account of the member, or whom a system stands for.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a source and print its token, once: only a hash is kept."""
    made = add_token(prepared_engine(), name=name, kind=kind.value, staff_id=staff, now=datetime.now(UTC))
    if as_json:
        answer_json({"name": name, "kind": kind.value, "staff_id": staff, "token": made})
    else:
        say(t("intake.token_made", token=made))


@token.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """Say who may send, and who no longer may."""
    with prepared_engine().connect() as connection:
        sources = read_sources(connection)
    rows = [
        {
            "name": row["name"],
            "kind": row["kind"],
            "staff_id": row["staff_id"],
            "created_at": row["created_at"].isoformat(),
            "revoked_at": None
            if row["revoked_at"] is None or row["revoked_at"] != row["revoked_at"]
            else row["revoked_at"].isoformat(),
        }
        for row in sources.to_dict("records")
    ]
    if as_json:
        answer_json({"sources": rows})
        return
    if not rows:
        say(t("intake.token_none"))
    for row in rows:
        state = (
            t("intake.token_in_force")
            if row["revoked_at"] is None
            else t("intake.token_revoked_at", at=_local(row["revoked_at"]))
        )
        words = {"kind": t(f"intake.kind_{row['kind']}"), "staff": row["staff_id"] or "—"}
        say(t("intake.token_listed", name=row["name"], since=_local(row["created_at"]), state=state, **words))


def _local(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(settings().zone):%Y-%m-%d %H:%M}"


@token.command()
def revoke(name: Name) -> None:
    """Take a token away, at once; what it sent stays."""
    revoke_token(prepared_engine(), name=name, now=datetime.now(UTC))
    say(t("intake.token_revoked", name=name))
