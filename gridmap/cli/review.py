"""`gridmap review`: the review of a month as files, as known on a day; frozen, and compared with what is known now."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from gridmap.analysis.visits import span_instants
from gridmap.cli.output import answer_json, progress, say
from gridmap.errors import ConflictError, InputError
from gridmap.exports.review import read_form, write_pack
from gridmap.exports.review_template import template_keys
from gridmap.reports.review.canonical import CellDifference, digest_of, to_record
from gridmap.reports.review.frozen import frozen_review, late_differences, pack_of_month, reproduce
from gridmap.reports.review.ground import review_ground
from gridmap.reports.review.public import public_report
from gridmap.reports.review.report import parse_month, review_report, rules_of
from gridmap.reports.review.shape import ReviewReport
from gridmap.reports.review.township_files import write_township
from gridmap.settings import settings
from gridmap.store.database import prepared_engine, read_engine
from gridmap.store.places import Township, read_townships
from gridmap.texts import t

_NO = 1
_SHOWN = 20
_NOT_WITH = {"--frozen": ("--as-known-on", "--freeze", "--geoparquet"), "--freeze": ("--check",)}
_ONLY_WITH = {"--template": ("--out",), "--public": ("--out", "--keys"), "--frozen": ("--out", "--keys")}


def review(  # noqa: PLR0917  one branch an option; Typer takes the options by name
    month: Annotated[str, typer.Argument(help="Such as 2026-10.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the files.")] = None,
    as_known_on: Annotated[
        str | None, typer.Option(help="Day such as 2026-11-05: only what was recorded by its end. Without: all.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Only what may hang on a board: no single cases, small counts hidden.")
    ] = False,
    template: Annotated[Path | None, typer.Option(help="A county's form in Word (.docx) to be filled as well.")] = None,
    keys: Annotated[bool, typer.Option("--keys", help="List what may stand between {{ }} in a form.")] = False,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Write the newest frozen review of the month, not a new one.")
    ] = False,
    freeze: Annotated[bool, typer.Option("--freeze", help="Keep it for ever, with its digest.")] = False,
    by: Annotated[str, typer.Option(help="Who freezes it.")] = "gridmap review",
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Compute the frozen one again, and list what data known since (--as-known-on: by that day) would change.",
        ),
    ] = False,
    geoparquet: Annotated[
        Path | None, typer.Option(help="Folder for the data of this township, for `gridmap review-province`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write the review of a month: Word, Excel, PDF, a sheet for the board, maps and charts, and the rows behind them.

    Exit code 1: nothing was recorded in the month (the files are written, and say "unknown"), or, with --check, the frozen
    review does not come out again to the digit.
    """
    begin = parse_month(month)
    known_at = known_by(as_known_on, now=datetime.now(UTC))
    given = {
        "--out": out is not None,
        "--as-known-on": as_known_on is not None,
        "--public": public,
        "--template": template is not None,
        "--keys": keys,
        "--frozen": frozen,
        "--freeze": freeze,
        "--check": check,
        "--geoparquet": geoparquet is not None,
    }
    _require_sense({name for name, is_given in given.items() if is_given})
    prepared_engine()
    answer: dict[str, Any] = {"month": f"{begin:%Y-%m}"}
    is_yes = True
    with read_engine().connect() as connection:
        town = _township(connection)
        if out is not None or keys:
            report = _report(connection, town, begin, known_at, is_frozen=frozen)
            answer |= {"keys": _keys(report, is_public=public)} if keys else {}
            if out is not None:
                is_yes = _write(connection, report, out=out, is_public=public, template=template, answer=answer)
        if geoparquet is not None:
            answer["geoparquet"] = _export(connection, town, begin, known_at, folder=geoparquet)
        if check:
            is_yes = _check(connection, town, f"{begin:%Y-%m}", known_at, answer=answer) and is_yes
    if freeze:
        _freeze(town, f"{begin:%Y-%m}", known_at, by=by, answer=answer)
    if as_json:
        answer_json(answer)
    else:
        _tell(answer, out)
    if not is_yes:
        raise typer.Exit(_NO)


def _require_sense(given: set[str]) -> None:
    """Refuse options of which one would be passed over without a word."""
    if not given & {"--out", "--keys", "--freeze", "--check", "--geoparquet"}:
        raise InputError(t("review.error_nothing_asked"))
    for one, others in _NOT_WITH.items():
        if one in given and given & set(others):
            raise InputError(t("review.error_not_with", one=one, other=min(given & set(others))))
    for one, needed in _ONLY_WITH.items():
        if one in given and not given & set(needed):
            raise InputError(t("review.error_only_with", one=one, other=needed[0]))


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
    if day.isoformat() != written.strip():
        raise InputError(t("review.error_known_at", day=written[:40]))
    zone = settings().zone
    if day > now.astimezone(zone).date():
        raise InputError(t("review.error_known_later", day=f"{day:%Y-%m-%d}"))
    _, until = span_instants(day, day, zone=zone)
    return min(until.astimezone(UTC) - timedelta(microseconds=1), now)


def _township(connection: Connection) -> Township:
    towns = read_townships(connection)
    if not towns:
        raise InputError(t("review.error_no_township"))
    return towns[0]


def _report(
    connection: Connection, town: Township, begin: date, known_at: datetime, *, is_frozen: bool
) -> ReviewReport:
    if is_frozen:
        pack_id = pack_of_month(connection, township_code=town.code, month=f"{begin:%Y-%m}")
        found = frozen_review(connection, pack_id=pack_id)
        if not found.is_intact:
            raise ConflictError(t("review.error_not_intact", month=f"{begin:%Y-%m}", digest=found.digest))
        return found.report
    local = f"{known_at.astimezone(settings().zone):%Y-%m-%d %H:%M}"
    progress(t("review.reading", township=town.name, month=f"{begin:%Y-%m}", known_at=local))
    return review_report(
        connection,
        township_code=town.code,
        month=f"{begin:%Y-%m}",
        known_at=known_at,
        zone=settings().zone,
        rules=rules_of(settings()),
    )


def _write(
    connection: Connection,
    report: ReviewReport,
    *,
    out: Path,
    is_public: bool,
    template: Path | None,
    answer: dict[str, Any],
) -> bool:
    """Write the files; False where nothing was recorded in the month."""
    form = None if template is None else read_form(template)
    ground = review_ground(connection, report=report)
    files = write_pack(report, out, ground=ground, is_public=is_public, form=form, tell=progress)
    shown = public_report(report) if is_public else report
    is_known = report.figures["quality.n_facts"].value is not None
    answer |= {
        "township": report.township_code,
        "known_at": report.known_at.isoformat(),
        "is_known": is_known,
        "digest": digest_of(to_record(report)),
        "figures": {key: one.value for key, one in shown.figures.items()},
        "files": [str(file) for file in files],
    }
    if not is_known:
        progress(t("review.no_data", month=report.month.month))
    return is_known


def _keys(report: ReviewReport, *, is_public: bool) -> list[dict[str, str]]:
    found = template_keys(public_report(report) if is_public else report, digest=digest_of(to_record(report)))
    return [{"key": one.key, "title": one.title, "shown": one.shown} for one in found]


def _export(connection: Connection, town: Township, begin: date, known_at: datetime, *, folder: Path) -> list[str]:
    files = write_township(
        connection,
        folder,
        township_code=town.code,
        month=begin,
        known_at=known_at,
        zone=settings().zone,
        rules=rules_of(settings()),
    )
    return [str(file) for file in files]


def _freeze(town: Township, month: str, known_at: datetime, *, by: str, answer: dict[str, Any]) -> None:
    from gridmap.actions.plans import Actor  # noqa: PLC0415  who only reads holds nothing that writes: 10 MB
    from gridmap.actions.review import freeze_review  # noqa: PLC0415

    frozen = freeze_review(
        prepared_engine(),
        township_code=town.code,
        month=month,
        known_at=known_at,
        zone=settings().zone,
        rules=rules_of(settings()),
        actor=Actor(name=by, at=datetime.now(UTC)),
    )
    answer |= {"frozen": {"pack_id": frozen.pack_id, "digest": frozen.digest, "is_new": frozen.is_new}}


def _check(connection: Connection, town: Township, month: str, known_at: datetime, *, answer: dict[str, Any]) -> bool:
    """Compute the newest frozen review of the month again; False where a figure does not come out the same."""
    pack_id = pack_of_month(connection, township_code=town.code, month=month)
    again = reproduce(connection, pack_id=pack_id)
    late = late_differences(connection, pack_id=pack_id, known_at=known_at)
    answer["check"] = {
        "pack_id": pack_id,
        "digest": again.digest,
        "is_identical": again.is_identical,
        "has_same_figures": again.has_same_figures,
        "differences": [vars(one) for one in again.differences],
        "late": [vars(one) for one in late.differences],
        "imported_since": list(again.imported_since),
    }
    return again.has_same_figures


def _tell(answer: dict[str, Any], out: Path | None) -> None:
    for one in answer.get("keys", ()):
        say(f"{{{{{one['key']}}}}}  {one['title']}  {one['shown']}".rstrip())
    if "files" in answer:
        say(t("review.written", n=len(answer["files"]), out=out))
    if "geoparquet" in answer:
        say(t("review.written", n=len(answer["geoparquet"]), out=Path(answer["geoparquet"][0]).parent.parent))
    if "frozen" in answer:
        key = "frozen" if answer["frozen"]["is_new"] else "frozen_before"
        say(t(f"review.{key}", month=answer["month"], digest=answer["frozen"]["digest"]))
    if "check" in answer:
        found = answer["check"]
        late = [one for one in found["late"] if one["key"] != "code_version"]
        if found["is_identical"]:
            say(t("review.reproduced", digest=found["digest"]))
        elif found["has_same_figures"]:
            say(t("review.same_figures", digest=found["digest"]))
        else:
            say(t("review.not_reproduced", n=len(found["differences"])))
            _list([CellDifference(**one) for one in found["differences"]])
            for layer in found["imported_since"]:
                say(t("review.imported_since", layer=t(f"load.{layer}")))
        say(t("review.late_some", n=len(late)) if late else t("review.late_none"))
        _list([CellDifference(**one) for one in late])


def _list(found: Sequence[CellDifference]) -> None:
    for one in found[:_SHOWN]:
        row = " ".join(str(part) for part in one.row)
        said = ["—" if value is None else str(value) for value in (one.before, one.after)]
        say(t("review.late_one", key=one.key, row=row, column=one.column, before=said[0], after=said[1]))
    if len(found) > _SHOWN:
        say(t("review.late_more", n=len(found) - _SHOWN))
