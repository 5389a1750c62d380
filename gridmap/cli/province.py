"""`gridmap review-province`: the review of a month of many townships in one run, from file to file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gridmap.cli.output import answer_json, progress, say
from gridmap.cli.review import known_by
from gridmap.exports.province import require_form, write_province
from gridmap.reports.review.province import review_province
from gridmap.reports.review.report import parse_month, require_begun, rules_of
from gridmap.settings import settings
from gridmap.texts import t

_NO = 1


def province(
    folder: Annotated[Path, typer.Argument(help="Folder of GeoParquet, one file a township and layer.")],
    month: Annotated[str, typer.Option(help="Such as 2026-10.")],
    out: Annotated[Path, typer.Option(help="File to write: .csv or .parquet; the county's form beside it.")],
    as_known_on: Annotated[str | None, typer.Option(help="Day such as 2026-11-05.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure a month of many townships in one run, one row a township, as `gridmap review` does of one.

    The folder is made by `gridmap review MONTH --geoparquet FOLDER` of each township. Exit code 1: some township could not be
    measured; its row says why.
    """
    began = parse_month(month)
    require_form(out)
    known_at = known_by(as_known_on, now=datetime.now(UTC))
    require_begun(began, known_at=known_at, zone=settings().zone)
    figures, form = review_province(
        folder,
        month=began,
        known_at=known_at,
        zone=settings().zone,
        rules=rules_of(settings()),
        progress=lambda done, of: progress(t("review.province_done", done=done, of=of)),
    )
    files = write_province(figures, form, out)
    faults = figures["fault"].dropna()
    answer = {
        "month": f"{began:%Y-%m}",
        "n_townships": len(figures),
        "faults": {str(code): str(said) for code, said in faults.items()},
        "files": [str(file) for file in files],
    }
    if as_json:
        answer_json(answer)
    else:
        say(t("review.written", n=len(files), out=out))
        for code, said in faults.items():
            say(t("review.province_fault", township=code, said=said))
    if len(faults):
        raise typer.Exit(_NO)
