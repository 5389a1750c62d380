"""`gridmap review`: the review of a month as files, as known on a day."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from gridmap.cli.output import answer_json, progress, say
from gridmap.errors import InputError
from gridmap.exports.review import write_pack
from gridmap.reports.review.canonical import digest_of, to_record
from gridmap.reports.review.public import public_report
from gridmap.reports.review.report import parse_month, review_report, rules_of
from gridmap.settings import settings
from gridmap.store.database import read_engine
from gridmap.store.places import read_townships
from gridmap.texts import t

_CANNOT_SAY = 1


def review(
    month: Annotated[str, typer.Argument(help="Such as 2026-10.")],
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    as_known_on: Annotated[
        str | None, typer.Option(help="Day such as 2026-11-05: only what was recorded by its end. Without: all.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Only what may hang on a board: no single cases, small counts hidden.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write the review of a month: figures, tables and the rows behind them.

    Exit code 1: nothing was recorded in the month. The files are written, and say "unknown".
    """
    begin = parse_month(month)
    known_at = known_by(as_known_on, now=datetime.now(UTC))
    with read_engine().connect() as connection:
        towns = read_townships(connection)
        if not towns:
            raise InputError(t("review.error_no_township"))
        town = towns[0]
        local = f"{known_at.astimezone(settings().zone):%Y-%m-%d %H:%M}"
        progress(t("review.reading", township=town.name, month=f"{begin:%Y-%m}", known_at=local))
        report = review_report(
            connection,
            township_code=town.code,
            month=f"{begin:%Y-%m}",
            known_at=known_at,
            zone=settings().zone,
            rules=rules_of(settings()),
        )
    shown = public_report(report) if public else report
    files = write_pack(shown, out)
    is_known = report.figures["quality.n_facts"].value is not None
    if as_json:
        answer_json(
            {
                "township": report.township_code,
                "month": report.month.month,
                "known_at": known_at.isoformat(),
                "is_known": is_known,
                "digest": digest_of(to_record(report)),
                "figures": {key: one.value for key, one in shown.figures.items()},
                "files": [str(file) for file in files],
            }
        )
    else:
        say(t("review.written", n=len(files), out=out))
    if not is_known:
        progress(t("review.no_data", month=report.month.month))
        raise typer.Exit(_CANNOT_SAY)


def known_by(written: str | None, *, now: datetime) -> datetime:
    """Return the end of a day written as `YYYY-MM-DD` by the township's clock; of today, and without a day, now.

    Raises
    ------
    InputError
        If it is written otherwise or is still to come.
    """
    if written is None:
        return now
    try:
        day = date.fromisoformat(written.strip())
    except ValueError as error:
        raise InputError(t("review.error_known_at", day=written[:40])) from error
    zone = settings().zone
    if day > now.astimezone(zone).date():
        raise InputError(t("review.error_known_later", day=f"{day:%Y-%m-%d}"))
    end = datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(microseconds=1)
    return min(end.astimezone(UTC), now)
