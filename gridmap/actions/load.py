"""Load a file into the database: every row taken, changed or quarantined, in one transaction, once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from gridmap.actions.layers import STORE
from gridmap.actions.stamp import Stamp, Stored
from gridmap.actions.township import chosen_township, township_context
from gridmap.errors import InputError
from gridmap.ingest.columns import read_mapping
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.limits import Limits
from gridmap.ingest.reading import Reading, read_layer
from gridmap.settings import Settings
from gridmap.store.writing import write_rows
from gridmap.texts import t

LAYERS = tuple(STORE)


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """Checked frames as they are to be stored, how many of their rows were held back, and sentences that say so."""

    frames: Mapping[str, pd.DataFrame]
    n_held: int = 0
    notes: tuple[str, ...] = ()


Adjust = Callable[[Mapping[str, pd.DataFrame]], Adjusted]


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """What a person decides about one load; None: found out from the file.

    Parameters
    ----------
    township_code
        Needed only when the database holds several townships.
    crs, datum, sheet
        See `gridmap.ingest.reading.read_layer`.
    mapping_file
        See `gridmap.ingest.columns.read_mapping`.
    valid_from
        First day of the plan that a grids file brings, and of grids opened by it. None: the day of the load.
    imported_by
        Who loads, for the record.
    trusts_source_clock
        See `Stamp`.
    """

    township_code: str | None = None
    crs: str | None = None
    datum: str | None = None
    sheet: str | None = None
    mapping_file: Path | None = None
    valid_from: date | None = None
    imported_by: str = "gridmap"
    trusts_source_clock: bool = False


@dataclass(frozen=True, kw_only=True)
class LoadOutcome:
    """What one load did, or would do.

    Parameters
    ----------
    reading
        What was read: counts, changed and quarantined rows, preview.
    import_id
        The import record; None after a dry run.
    n_new, n_updated
        Rows added and changed in the database.
    is_known
        Whether the database held all of it already, so that nothing was written.
    is_dry_run
        Whether all was done and taken back.
    notes
        Sentences for the person who loads.
    """

    reading: Reading
    import_id: int | None
    n_new: int
    n_updated: int
    is_known: bool
    is_dry_run: bool
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def sentence(self) -> str:
        """The one line that sums up the load."""
        reading = self.reading
        return t(
            "load.taken",
            layer=t(f"load.{reading.layer}"),
            n_read=reading.n_read,
            n_taken=reading.n_taken,
            n_new=self.n_new,
            n_updated=self.n_updated,
            n_changed=reading.n_changed,
            n_quarantined=reading.n_quarantined,
        )


def load_layer(
    engine: Engine,
    *,
    layer: str,
    files: Sequence[Path],
    options: LoadOptions,
    settings: Settings,
    now: datetime,
    dry_run: bool = False,
    adjust: Adjust | None = None,
) -> LoadOutcome:
    """Read files of one layer and store them.

    Parameters
    ----------
    engine
        The writing engine.
    layer
        One of `LAYERS`.
    files
        The files of the layer (a shapefile's parts may be named all or by the `.shp`).
    options
        What the person decides.
    settings
        The cap, tolerances and the township's clock.
    now
        When the load begins, tz-aware.
    dry_run
        Do all of it, the checks of the database included, and take it back.
    adjust
        Changes the checked frames before they are stored (the sample township is shifted to today) and says so.

    Raises
    ------
    InputError
        If the file cannot be read as this layer, or the database refuses it; nothing is stored then.
    """
    if layer not in STORE:
        raise InputError(t("load.error_layer", layer=layer, known=", ".join(LAYERS)))
    with engine.connect() as connection:
        context = None if layer == "areas" else _context(connection, options.township_code)
    reading = read_layer(
        layer,
        files,
        context=context,
        datum=options.datum,
        crs=options.crs,
        mapping=read_mapping(options.mapping_file) if options.mapping_file else None,
        sheet=options.sheet,
        zone=settings.zone,
        limits=Limits(max_bytes=settings.max_file_mb * 2**20),
    )
    adjusted = adjust(reading.frames) if adjust else Adjusted(frames=reading.frames)
    reading = replace(reading, n_read=reading.n_read - adjusted.n_held, n_taken=reading.n_taken - adjusted.n_held)
    township_code = context.township_code if context else _township_in(reading.frames["areas"])
    with engine.connect() as connection, connection.begin() as transaction:
        kept = store_reading(
            connection,
            reading,
            frames=adjusted.frames,
            notes=adjusted.notes,
            township_code=township_code,
            options=options,
            settings=settings,
            now=now,
        )
        if dry_run or kept.is_known:
            transaction.rollback()
    n_new, n_updated, is_known = kept.stored.written.n_new, kept.stored.written.n_updated, kept.is_known
    return LoadOutcome(
        reading=reading,
        import_id=kept.import_id if is_known or not dry_run else None,
        n_new=n_new,
        n_updated=n_updated,
        is_known=is_known,
        is_dry_run=dry_run,
        notes=(*reading.notes, *adjusted.notes, *kept.stored.notes, *_differing(kept.stored)),
    )


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What storing one reading did; where all of it was known, `import_id` is of the record before, and the caller takes it back."""

    stored: Stored
    import_id: int
    is_known: bool


def store_reading(
    connection: Connection,
    reading: Reading,
    *,
    frames: Mapping[str, pd.DataFrame],
    notes: Sequence[str],
    township_code: str,
    options: LoadOptions,
    settings: Settings,
    now: datetime,
) -> Kept:
    """Store what was read with its record and books, inside the caller's transaction.

    Parameters
    ----------
    frames
        The checked frames, as they are to be stored.
    notes
        Sentences for the record besides those of the reading.

    Raises
    ------
    InputError
        If the database refuses it; the transaction is no good then.
    """
    try:
        known_id = _same_file(connection, township_code, reading)
        import_id = _write_record(connection, township_code, reading, options, now)
        stamp = Stamp(
            township_code=township_code,
            import_id=import_id,
            loaded_at=now,
            valid_from=options.valid_from or now.astimezone(settings.zone).date(),
            trusts_source_clock=options.trusts_source_clock,
            household_cap=settings.household_cap,
            drawn_tolerance_m=settings.drawn_tolerance_m,
            deadlines=settings.deadlines,
        )
        stored = STORE[reading.layer](connection, frames, stamp)
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    except DBAPIError as error:
        raise InputError(_refusal(reading.layer, error)) from error
    if known_id is not None and stored.written.n_new == stored.written.n_updated == 0:
        return Kept(stored=stored, import_id=known_id, is_known=True)
    _finish_record(connection, import_id, reading, stored, notes)
    return Kept(stored=stored, import_id=import_id, is_known=False)


def _differing(stored: Stored) -> list[str]:
    count = stored.written.n_differing
    return [t("load.facts_differ", count=count)] if count else []


def _township_in(areas: pd.DataFrame) -> str:
    codes = areas.loc[areas["level"] == "township", "area_code"].tolist()
    if len(codes) != 1:
        raise InputError(t("load.error_one_township", n=len(codes), codes=", ".join(codes[:3])))
    return str(codes[0])


def _context(connection: Connection, township_code: str | None) -> TownshipContext:
    return township_context(connection, chosen_township(connection, township_code).code)


def _same_file(connection: Connection, township_code: str, reading: Reading) -> int | None:
    known_id: int | None = connection.execute(
        text(
            "SELECT max(import_id) FROM import_record WHERE township_code = :township AND layer = :layer"
            " AND file_sha256 = :sha256 AND n_taken = :n_taken AND n_quarantined = :n_quarantined"
        ),
        {
            "township": township_code,
            "layer": reading.layer,
            "sha256": reading.file.sha256,
            "n_taken": reading.n_taken,
            "n_quarantined": reading.n_quarantined,
        },
    ).scalar()
    return known_id


def _write_record(
    connection: Connection, township_code: str, reading: Reading, options: LoadOptions, now: datetime
) -> int:
    import_id: int = connection.execute(
        text(
            "INSERT INTO import_record (township_code, layer, file_name, file_sha256, file_bytes, encoding, crs, datum,"
            " n_read, n_taken, n_new, n_changed, n_quarantined, notes, imported_by, imported_at)"
            " VALUES (:township, :layer, :name, :sha256, :size, :encoding, :crs, :datum, :n_read, :n_taken, 0,"
            " :n_changed, :n_quarantined, '[]', :imported_by, :now) RETURNING import_id"
        ),
        {
            "township": township_code,
            "layer": reading.layer,
            "name": reading.file.name,
            "sha256": reading.file.sha256,
            "size": reading.file.n_bytes,
            "encoding": reading.encoding,
            "crs": reading.crs,
            "datum": reading.datum,
            "n_read": reading.n_read,
            "n_taken": reading.n_taken,
            "n_changed": reading.n_changed,
            "n_quarantined": reading.n_quarantined,
            "imported_by": options.imported_by,
            "now": now,
        },
    ).scalar_one()
    return import_id


def _finish_record(
    connection: Connection, import_id: int, reading: Reading, stored: Stored, notes: Sequence[str]
) -> None:
    """Write the rows of the books: changes, quarantine, raw points, notes and the count of new rows."""
    books = {
        "import_change": (reading.changed, "change_number"),
        "import_quarantine": (reading.quarantined, "quarantine_number"),
        "import_raw_point": (reading.raw_points, "row_number"),
    }
    for table, (rows, number) in books.items():
        numbered = rows.assign(import_id=import_id)
        if number not in numbered:
            numbered[number] = range(1, len(rows) + 1)
        write_rows(connection, table, numbered, key=["import_id", number])
    connection.execute(
        text(
            "UPDATE import_record SET n_new = :n_new, notes = to_jsonb(CAST(:notes AS text[]))"
            " WHERE import_id = :import_id"
        ),
        {
            "import_id": import_id,
            "n_new": min(stored.written.n_new, reading.n_taken),
            "notes": [*reading.notes, *notes, *stored.notes, *_differing(stored)],
        },
    )


def _refusal(layer: str, error: DBAPIError) -> str:
    """Return the database's own sentence without its statement and parameters."""
    diagnosis = getattr(error.orig, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or str(error.orig)
    detail = getattr(diagnosis, "message_detail", None)
    return t("load.error_database", layer=t(f"load.{layer}"), said=f"{said}{f' ({detail})' if detail else ''}")
