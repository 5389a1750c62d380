"""`gridmap load LAYER FILE…`: import with a report of what was taken, changed, refused and why."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from gridmap.actions.load import LAYERS, LoadOptions, LoadOutcome, load_layer
from gridmap.cli.output import answer_json, progress, say
from gridmap.errors import InputError
from gridmap.settings import settings
from gridmap.store.database import prepared_engine
from gridmap.texts import t

_SHOWN = 20


def load(  # noqa: PLR0917  Typer takes the options by name
    layer: Annotated[str, typer.Argument(help=f"One of: {', '.join(LAYERS)}.")],
    files: Annotated[list[Path], typer.Argument(help="The layer's file, or all parts of a shapefile.")],
    datum: Annotated[str | None, typer.Option(help="cgcs2000, wgs84, gcj02 or bd09; default: found out.")] = None,
    crs: Annotated[str | None, typer.Option(help="Such as EPSG:4547, where the file does not say.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML or JSON file: our column = header in the file.")] = None,
    township: Annotated[str | None, typer.Option(help="Nine digits; needed with several townships.")] = None,
    valid_from: Annotated[
        str | None, typer.Option(help="First day of a plan (grids) or of what changed (areas), YYYY-MM-DD.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, then take it back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Load the file of a layer: every row is taken, mended or quarantined with its reason."""
    outcome = load_layer(
        prepared_engine(),
        layer=layer,
        files=files,
        options=LoadOptions(
            township_code=township,
            crs=crs,
            datum=datum,
            sheet=sheet,
            mapping_file=mapping,
            valid_from=_day(valid_from),
            imported_by="gridmap load",
        ),
        settings=settings(),
        now=datetime.now(UTC),
        dry_run=dry_run,
    )
    if as_json:
        answer_json(_as_json(outcome))
    else:
        _tell(outcome)


def _tell(outcome: LoadOutcome) -> None:
    say(outcome.sentence)
    for note in (*outcome.notes, *(column.why for column in outcome.reading.dropped_columns)):
        say(f"  · {note}")
    books = (("~", outcome.reading.changed, "change"), ("!", outcome.reading.quarantined, "reason"))
    for sign, rows, said in books:
        for row in rows.head(_SHOWN).to_dict("records"):
            say(f"  {sign} {row['sheet'] or ''} {row['row_number']}: {row[said]}")
    hidden = sum(max(0, len(rows) - _SHOWN) for _, rows, _ in books)
    if hidden:
        progress(t("load.more", count=hidden))
    if outcome.is_dry_run:
        say(t("load.dry_run"))
    elif outcome.is_known:
        say(t("load.known"))


def _as_json(outcome: LoadOutcome) -> dict[str, object]:
    reading = outcome.reading
    return {
        "layer": reading.layer,
        "import_id": outcome.import_id,
        "n_read": reading.n_read,
        "n_taken": reading.n_taken,
        "n_new": outcome.n_new,
        "n_updated": outcome.n_updated,
        "n_changed": reading.n_changed,
        "n_quarantined": reading.n_quarantined,
        "is_known": outcome.is_known,
        "is_dry_run": outcome.is_dry_run,
        "crs": reading.crs,
        "datum": reading.datum,
        "encoding": reading.encoding,
        "notes": list(outcome.notes),
        "dropped_columns": [column.header for column in reading.dropped_columns],
        "changed": json.loads(reading.changed.to_json(orient="records", force_ascii=False)),
        "quarantined": json.loads(reading.quarantined.to_json(orient="records", force_ascii=False)),
    }


def _day(given: str | None) -> date | None:
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise InputError(t("load.error_valid_from", given=given)) from error
