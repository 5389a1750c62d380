"""`gridmap posters`: the posters of the area grids with their QR codes; `gridmap member-card`: a member's personal link."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from gridmap.actions.tokens import add_token, revoke_token
from gridmap.cli.output import answer_json, progress, say
from gridmap.errors import InputError
from gridmap.exports.member_card import member_card, require_writable
from gridmap.exports.poster import PAPERS, posters, require_address
from gridmap.reports.posters import poster_report
from gridmap.settings import settings
from gridmap.store.database import prepared_engine
from gridmap.store.intake import read_person
from gridmap.store.places import read_townships
from gridmap.texts import t

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def write_posters(
    out: Annotated[Path, typer.Option(help="Folder for the files; made when it is not there.")],
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Address that phones reach; default: GRIDMAP_PUBLIC_URL.")
    ] = None,
    grid: Annotated[list[str] | None, typer.Option("--grid", help="Only this grid; may be given again.")] = None,
    paper: Annotated[
        list[str] | None, typer.Option("--paper", help="a4 or a3; may be given again. Default: both.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write a poster a grid: who serves there, and the QR code by which residents report."""
    address = base_url or settings().public_url
    with prepared_engine().connect() as connection:
        townships = read_townships(connection)
        if not townships:
            raise InputError(t("field.error_no_grids"))
        report = poster_report(
            connection,
            township_code=townships[0].code,
            on=datetime.now(UTC).astimezone(settings().zone).date(),
            grid_members=settings().grid_members,
        )
    codes = list(report.teams) if not grid else list(dict.fromkeys(grid))
    made = {
        f"poster-{code}-{size}.pdf": posters(report, base_url=address, paper=size, grid_codes=[code])
        for size in dict.fromkeys(paper or PAPERS)
        for code in codes
    }
    if not made:
        raise InputError(t("field.error_no_grids"))
    _write(made, out)
    if urlsplit(address).hostname in _THIS_MACHINE:
        progress(t("field.posters_local", address=address))
    if as_json:
        answer_json({"n_posters": len(made), "files": sorted(str(out / name) for name in made)})
    else:
        say(t("field.posters_written", n=len(made), folder=out))


def write_member_card(
    staff: Annotated[str, typer.Argument(help="Account of the member.")],
    out: Annotated[Path, typer.Option(help="PDF file.")],
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Address that phones reach; default: GRIDMAP_PUBLIC_URL.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make a new card; the one before is no longer valid, at once.")
    ] = False,
) -> None:
    """Write the card by which a member signs in once on his phone: a new token, in a QR code and nowhere else."""
    address = require_address(base_url or settings().public_url)
    require_writable(out)
    engine, now = prepared_engine(), datetime.now(UTC)
    with engine.connect() as connection:
        person = read_person(connection, staff_id=staff)
    if person is None:
        raise InputError(t("intake.error_staff", staff=staff[:40]))
    source = f"phone/{staff}"
    if again:
        with suppress(InputError):  # there was no card before
            revoke_token(engine, name=source, now=now)
    try:
        token = add_token(engine, name=source, kind="member", staff_id=staff, now=now)
    except InputError as error:
        raise InputError(t("field.error_card_exists", name=person[0])) from error
    try:
        made_on = now.astimezone(settings().zone).date()
        out.write_bytes(member_card(name=person[0], base_url=address, token=token, made_on=made_on))
    except (OSError, InputError) as error:
        revoke_token(engine, name=source, now=datetime.now(UTC))  # a key that nobody holds opens nothing
        reason = getattr(error, "strerror", None) or error
        raise InputError(t("plan.not_written", file=out, reason=reason)) from error
    say(t("field.card_written", name=person[0], file=out))


def _write(made: dict[str, bytes], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in made.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise InputError(t("plan.not_written", file=folder, reason=error.strerror or error)) from error
