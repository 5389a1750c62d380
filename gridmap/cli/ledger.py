"""`gridmap ledger …`: points of a month, the sheet that is posted, a month settled, counts of people kept."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from sqlalchemy import Engine

from gridmap.actions.ledgers import keep_counts
from gridmap.actions.points import freeze_month
from gridmap.cli.output import answer_json, say
from gridmap.errors import InputError
from gridmap.exports.posting import posting_sheet
from gridmap.reports.ledgers.points import PointsReport, points_report
from gridmap.settings import settings
from gridmap.store.database import prepared_engine
from gridmap.store.places import Township, read_townships
from gridmap.texts import t

app = typer.Typer(
    help="Ledgers: points of the grid teams by month, the posting sheet, monthly counts.", no_args_is_help=True
)

Month = Annotated[str, typer.Argument(help="The month, such as 2026-10.", metavar="YYYY-MM")]
TownshipCode = Annotated[str | None, typer.Option("--township", help="Needed only where the database holds several.")]
KnownAt = Annotated[
    str | None, typer.Option(help="Only what was recorded by this instant, such as 2026-11-03T18:00+08:00.")
]
Live = Annotated[bool, typer.Option("--live", help="Compute anew, also where the month was settled.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
By = Annotated[str, typer.Option(help="Who does it.")]


@app.command()
def points(
    month: Month, known_at: KnownAt = None, live: Live = False, township: TownshipCode = None, as_json: AsJson = False
) -> None:
    """Print the points of a month: as it was settled, else as they stand."""
    engine = prepared_engine()
    town = _township(engine, township)
    report = _report(engine, town, month, known_at=known_at, live=live)
    if as_json:
        answer_json(_answer(report))
        return
    zone = settings().zone
    say(
        t(
            "ledgers.cli_points",
            month=f"{report.month:%Y-%m}",
            n_people=len(report.people),
            n_grids=len(report.grids),
            n_entries=len(report.entries),
            at=f"{report.known_at.astimezone(zone):%Y-%m-%d %H:%M}",
        )
    )
    for _, row in report.people.iterrows():
        is_told = not pd.isna(row["rank"])
        say(
            t(
                "ledgers.cli_row",
                rank=str(row["rank"]) if is_told else "—",
                name=row["name"],
                grid=row["grid_name"] if isinstance(row["grid_name"], str) else row["grid_code"],
                points=row["points"],
                share=f"{row['share_permille'] / 10:.1f}%" if is_told else "—",
                grade=t(f"ledgers.grade_{row['grade']}") if is_told else "—",
            )
        )


@app.command()
def posting(
    month: Month,
    *,
    out: Annotated[Path, typer.Option(help="The PDF to be written.")],
    village: Annotated[str | None, typer.Option(help="Only this village (12 digits), ranked in the township.")] = None,
    known_at: KnownAt = None,
    live: Live = False,
    township: TownshipCode = None,
) -> None:
    """Write the A3 sheet that is posted: ranking and points, rules beside them, small counts hidden."""
    engine = prepared_engine()
    town = _township(engine, township)
    report = _report(engine, town, month, known_at=known_at, live=live)
    sheet = posting_sheet(report, township=town.name, settings=settings(), village_code=village)
    try:
        out.write_bytes(sheet)
    except OSError as error:
        raise InputError(t("ledgers.error_out", file=out, fault=error.strerror)) from error
    say(t("ledgers.cli_written", file=out))


@app.command()
def settle(
    month: Month,
    by: By,
    reason: Annotated[str | None, typer.Option(help="Why it is settled again.")] = None,
    township: TownshipCode = None,
) -> None:
    """Settle a month that is over: keep its points as they are known now."""
    engine = prepared_engine()
    number = freeze_month(
        engine,
        township_code=_township(engine, township).code,
        month=_month(month),
        frozen_by=by,
        reason=reason,
        settings=settings(),
        now=datetime.now(UTC),
    )
    say(t("ledgers.cli_settled", month=month, number=number))


@app.command()
def counts(by: By, township: TownshipCode = None) -> None:
    """Keep this month's counts of people per group and grid, once a month."""
    engine = prepared_engine()
    code = _township(engine, township).code
    n_new = keep_counts(engine, township_code=code, taken_by=by, settings=settings(), now=datetime.now(UTC))
    say(t("ledgers.kept_counts", n=n_new) if n_new else t("ledgers.kept_before"))


def _township(engine: Engine, code: str | None) -> Township:
    with engine.connect() as connection:
        towns = read_townships(connection)
    chosen = [town for town in towns if code in (None, town.code)]
    if not chosen:
        raise InputError(t("load.error_unknown_township", township=code) if code else t("ledgers.error_no_township"))
    if len(chosen) > 1:
        raise InputError(t("load.error_which_township", codes=", ".join(town.code for town in chosen)))
    return chosen[0]


def _month(written: str) -> date:
    try:
        return datetime.strptime(f"{written}-01 +0000", "%Y-%m-%d %z").date()
    except ValueError as error:
        raise InputError(t("ledgers.error_month", month=written[:40])) from error


def _report(engine: Engine, town: Township, month: str, *, known_at: str | None, live: bool) -> PointsReport:
    at = None
    if known_at is not None:
        try:
            at = datetime.fromisoformat(known_at)
        except ValueError as error:
            raise InputError(t("ledgers.error_instant", written=known_at[:40])) from error
        at = at if at.tzinfo else at.replace(tzinfo=settings().zone)
    first_on = _month(month)
    chosen = settings()
    with engine.connect() as connection:
        return points_report(
            connection,
            township_code=town.code,
            month=first_on,
            now=datetime.now(UTC),
            zone=chosen.zone,
            checkpoint_reach_m=chosen.checkpoint_reach_m,
            fix_accuracy_m=chosen.fix_accuracy_m,
            patrol_max_speed_kmh=chosen.patrol_max_speed_kmh,
            far_checkin_m=chosen.far_checkin_m,
            point_prior=chosen.point_prior,
            point_grades=chosen.point_grades,
            known_at=at,
            is_live=live,
        )


def _answer(report: PointsReport) -> dict[str, Any]:
    """Return the whole month: people, grids, sums by rule, rules, and every entry with what it rests on."""
    return {
        "month": f"{report.month:%Y-%m}",
        "known_at": report.known_at.isoformat(),
        "is_over": report.is_over,
        "is_settled": report.is_frozen and report.is_reproduced is not None,
        "is_reproduced": report.is_reproduced,
        "digest": report.digest,
        "n_entries": len(report.entries),
        "n_others": report.n_others,
        "n_unassigned": report.n_unassigned,
        **{
            name: _records(table.reset_index() if table.index.name else table)
            for name, table in (
                ("people", report.people),
                ("grids", report.grids),
                ("by_rule", report.by_rule),
                ("rules", report.rules),
                ("entries", report.entries),
            )
        },
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            str(name): None if pd.isna(value) else value.item() if hasattr(value, "item") else value
            for name, value in row.items()
        }
        for row in table.astype(object).to_dict("records")
    ]
