"""The one entry of this package: files of a layer in, checked frames and the whole books out. No database."""

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gridmap.errors import InputError
from gridmap.frames import require_frame
from gridmap.ingest import personal
from gridmap.ingest.choosing import choose_tables
from gridmap.ingest.columns import Recognised, require_mapping
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.datum import DATUMS
from gridmap.ingest.files import TABLE_ENDINGS, WORKBOOK_ENDINGS, FileFacts, Source, open_files
from gridmap.ingest.gpx import fix_table
from gridmap.ingest.layers import (
    areas,
    checkins,
    checkpoints,
    grids,
    home_visits,
    households,
    incidents,
    lines,
    orders,
    platform_grids,
    staff,
    tracks,
)
from gridmap.ingest.layers.layer import Layer, Taken, empty_frame
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.limits import Limits
from gridmap.ingest.positions import Given
from gridmap.ingest.tables import RawTable, read_csv, read_sheets
from gridmap.ingest.vectors import read_features
from gridmap.ingest.wecom import checkin_table, is_geojson, read_json
from gridmap.ingest.wecom_orders import grid_tree_table, order_tables
from gridmap.texts import t

LAYERS: Mapping[str, Layer] = {
    layer.name: layer
    for layer in (
        areas.LAYER,
        grids.LAYER,
        households.LAYER,
        lines.PATHS_LAYER,
        lines.WATER_LAYER,
        staff.LAYER,
        platform_grids.LAYER,
        checkpoints.LAYER,
        checkins.LAYER,
        tracks.LAYER,
        home_visits.LAYER,
        incidents.LAYER,
    )
}
PREVIEW_ROWS = 20
_BOOK_COLUMNS = {
    "changed": ("row_number", "sheet", "change"),
    "quarantined": ("row_number", "sheet", "reason_code", "reason", "row"),
}


@dataclass(frozen=True, kw_only=True)
class DroppedColumn:
    """A personal column that was left out: its sheet, its header and why (`name`, `identity`, `phone`, `private`)."""

    sheet: str | None
    header: str
    kind: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What came out of the files of one layer. `n_taken + n_quarantined == n_read`, always.

    Parameters
    ----------
    layer
        As on the command line.
    frames
        By name in `gridmap.frames.FRAMES`; each has passed `require_frame`. `incidents` gives `categories`, `incidents`,
        `incident_steps` (empty where the files lack them).
    n_read
        Rows of all tables that were used.
    n_taken
        Rows in the frames together.
    changed
        `row_number, sheet, change`: one row a mended value of a taken row.
    quarantined
        `row_number, sheet, reason_code, reason, row`: one row a refused row; `row` holds the layer's own columns as they
        were read (header → cell), without personal columns and with personal numbers masked.
    dropped_columns
        Personal columns that were left out.
    raw_points
        `row_number, raw_x, raw_y` of taken rows with a point, before any change of datum or projection.
    file
        Name, SHA-256 and bytes of what was given.
    encoding, crs, datum
        As found, declared or decided; None where there is none.
    notes
        Sentences for the person: how columns, axes, zone and datum were understood.
    preview
        First rows as read, only columns of the layer, personal numbers masked.
    """

    layer: str
    frames: Mapping[str, pd.DataFrame]
    n_read: int
    n_taken: int
    changed: pd.DataFrame
    quarantined: pd.DataFrame
    dropped_columns: tuple[DroppedColumn, ...]
    raw_points: pd.DataFrame
    file: FileFacts
    encoding: str | None
    crs: str | None
    datum: str | None
    notes: tuple[str, ...]
    preview: pd.DataFrame = field(repr=False)

    @property
    def n_quarantined(self) -> int:
        """Rows that were refused."""
        return len(self.quarantined)

    @property
    def n_changed(self) -> int:
        """Rows that were taken with at least one change."""
        return len(self.changed[["row_number", "sheet"]].drop_duplicates())


def read_layer(
    layer: str,
    files: Sequence[Path],
    *,
    context: TownshipContext | None,
    zone: dt.tzinfo,
    datum: str | None = None,
    crs: str | None = None,
    mapping: Mapping[str, str] | None = None,
    sheet: str | None = None,
    limits: Limits | None = None,
) -> Reading:
    """Read the files of one layer into checked frames; nothing is stored, and a refused file leaves nothing behind.

    Parameters
    ----------
    layer
        A key of `LAYERS`.
    files
        One or more files, a shapefile with or without its siblings, or a zip.
    context
        What is known of the township; None only while its areas are loaded.
    zone
        The clock of times written without an offset.
    datum
        `cgcs2000`, `wgs84`, `gcj02` or `bd09`, where the person knows it; else it is declared by the file, decided by the
        fit to known things, or asked for.
    crs
        `EPSG:…` where the file does not say.
    mapping
        The person's own `{target: header}`; targets are the column names of the layer's parts.
    sheet
        The sheet or inner layer to read, where several fit.
    limits
        How much the file may ask of this machine.

    Raises
    ------
    InputError
        If a file cannot be used at all; one sentence names the file, what is wrong and what to do.
    CrsError
        If the coordinate system is missing or wrong.
    DatumUnknown
        If degrees come without a datum and their fit does not tell it.
    """
    chosen = _chosen(layer, datum=datum, mapping=mapping)
    if context is None and layer != areas.LAYER.name:
        raise InputError(t("ingest.error_no_township", layer=layer))
    bounds = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="gridmap-import-") as folder:
        sources, facts = open_files(files, limits=bounds, work=Path(folder))
        accounts = context.staff_ids if context else frozenset()
        tables = [
            table
            for source in sources
            for table in _tables(source, chosen, mapping=mapping, limits=bounds, accounts=accounts)
        ]
    if any("order_id" in table.headers for table in tables if chosen is LAYERS["incidents"]):
        chosen = orders.LAYER
    fits, unused = choose_tables(tables, chosen, mapping=mapping, sheet=sheet, file=facts.name)
    return _read(chosen, fits, Given(context=context, datum=datum, crs=crs), zone=zone, facts=facts, unused=unused)


def read_answers(
    answers: Sequence[Mapping[str, Any]],
    *,
    family: str,
    facts: FileFacts,
    context: TownshipContext,
    zone: dt.tzinfo,
    datum: str | None,
    limits: Limits,
) -> Reading:
    """Read the work platform's answers about orders of one family (`patrol`, `resident`), or about its grids (`grids`).

    Raises
    ------
    InputError
        As `read_layer`.
    """
    if datum is not None and datum not in DATUMS:
        raise InputError(t("ingest.error_datum", datum=datum, known=", ".join(DATUMS)))
    layer = platform_grids.LAYER if family == "grids" else orders.LAYER
    content, name = list(answers), facts.name
    if family == "grids":
        tables = [grid_tree_table(content, name=name, encoding=None, limits=limits)]
    else:
        tables = order_tables(content, name=name, encoding=None, limits=limits, family=family)
    fits, unused = choose_tables(tables, layer, mapping=None, sheet=None, file=name)
    return _read(layer, fits, Given(context=context, datum=datum, crs=None), zone=zone, facts=facts, unused=unused)


def _read(
    layer: Layer,
    fits: Mapping[str, tuple[RawTable, Recognised]],
    given: Given,
    *,
    zone: dt.tzinfo,
    facts: FileFacts,
    unused: Sequence[RawTable],
) -> Reading:
    ledgers = {part: Ledger(table, fit) for part, (table, fit) in fits.items()}
    if not any(ledger.n_rows for ledger in ledgers.values()):
        raise InputError(t("ingest.error_no_rows", file=facts.name))
    return _reading(layer, layer.read(ledgers, given, zone), facts=facts, unused=unused)


def _chosen(layer: str, *, datum: str | None, mapping: Mapping[str, str] | None) -> Layer:
    if layer not in LAYERS:
        raise InputError(t("ingest.error_layer", layer=layer, known=", ".join(LAYERS)))
    if datum is not None and datum not in DATUMS:
        raise InputError(t("ingest.error_datum", datum=datum, known=", ".join(DATUMS)))
    if mapping:
        require_mapping(mapping, LAYERS[layer].parts)
    return LAYERS[layer]


def _tables(
    source: Source, layer: Layer, *, mapping: Mapping[str, str] | None, limits: Limits, accounts: frozenset[str]
) -> list[RawTable]:
    if source.ending in TABLE_ENDINGS:
        return [read_csv(source.path, name=source.name, parts=layer.parts, mapping=mapping, limits=limits)]
    if source.ending in WORKBOOK_ENDINGS:
        return read_sheets(source.path, name=source.name, parts=layer.parts, mapping=mapping, limits=limits)
    if source.ending == ".json":
        content, encoding = read_json(source.path, name=source.name)
        if not is_geojson(content):
            return _answer_tables(content, source, layer, encoding=encoding, limits=limits)
        source = Source(path=source.path, name=source.name, ending=".geojson")
    features = read_features(source, limits=limits)
    if layer.name == tracks.LAYER.name and source.ending == ".gpx":
        return [fix_table(features, name=source.name, accounts=accounts)]
    return features


def _answer_tables(content: Any, source: Source, layer: Layer, *, encoding: str, limits: Limits) -> list[RawTable]:
    """Return the tables of an answer of the work platform, for the layers that it has something for."""
    if layer.name == incidents.LAYER.name:
        return order_tables(content, name=source.name, encoding=encoding, limits=limits)
    if layer.name == platform_grids.LAYER.name:
        return [grid_tree_table(content, name=source.name, encoding=encoding, limits=limits)]
    if layer.name == checkins.LAYER.name:
        return [checkin_table(content, name=source.name, encoding=encoding, limits=limits)]
    raise InputError(t("ingest.error_json_kind", file=source.name, layer=layer.name))


def _reading(layer: Layer, taken: Sequence[Taken], *, facts: FileFacts, unused: Sequence[RawTable]) -> Reading:
    frames = {part.name: empty_frame(part.name) for part in layer.parts} | {one.part: one.frame for one in taken}
    for name, frame in frames.items():
        require_frame(name, frame)
    dropped = [column for one in taken for column in _dropped(one.ledger)]
    notes = [note for one in taken for note in _notes(one, dropped)]
    notes += [t("ingest.note_sheet_unused", sheet=table.name or table.file) for table in unused]
    placed = [one.placed for one in taken if one.placed is not None]
    encodings = dict.fromkeys(one.ledger.table.encoding for one in taken if one.ledger.table.encoding)
    return Reading(
        layer=layer.name,
        frames=frames,
        n_read=sum(one.ledger.n_rows for one in taken),
        n_taken=sum(len(one.frame) for one in taken),
        changed=_book("changed", [one.ledger.changed() for one in taken]),
        quarantined=_book("quarantined", [one.ledger.quarantined() for one in taken]),
        dropped_columns=tuple(dropped),
        raw_points=_raw_points(taken),
        file=facts,
        encoding=", ".join(encodings) or None,
        crs=next((place.crs for place in placed if place.crs), None),
        datum=next((place.datum for place in placed if place.datum), None),
        notes=tuple(dict.fromkeys(notes)),
        preview=_preview(next(one.ledger for one in taken if one.part == layer.parts[0].name)),
    )


def _dropped(ledger: Ledger) -> list[DroppedColumn]:
    found = []
    for header in ledger.fit.unused:
        kind = personal.personal_kind(header, ledger.table.column(header))
        if kind:
            why = t(f"ingest.dropped_{kind}", column=header)
            found.append(DroppedColumn(sheet=ledger.table.name, header=header, kind=kind, why=why))
    return found


def _notes(one: Taken, dropped: Sequence[DroppedColumn]) -> list[str]:
    personal_headers = {column.header for column in dropped}
    ignored = [header for header in one.ledger.fit.unused if header not in personal_headers]
    notes = [*one.ledger.table.notes, *one.notes]
    if one.placed is not None:
        notes += one.placed.notes
    if ignored:
        notes.append(t("ingest.note_columns_unused", columns=", ".join(f"`{header}`" for header in ignored)))
    return notes


def _book(kind: str, books: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [book for book in books if len(book)]
    if not filled:
        return pd.DataFrame({column: pd.Series([], dtype=object) for column in _BOOK_COLUMNS[kind]})
    return pd.concat(filled, ignore_index=True)


def _raw_points(taken: Sequence[Taken]) -> pd.DataFrame:
    columns: dict[str, Any] = {"row_number": [], "raw_x": [], "raw_y": []}
    for one in taken:
        if one.placed is None:
            continue
        rows = one.ledger.is_open & pd.Series(one.placed.raw_x + one.placed.raw_y).notna().to_numpy()
        columns["row_number"] += one.ledger.table.row_numbers[rows].tolist()
        columns["raw_x"] += one.placed.raw_x[rows].tolist()
        columns["raw_y"] += one.placed.raw_y[rows].tolist()
    return pd.DataFrame(columns).astype({"row_number": "int64", "raw_x": "float64", "raw_y": "float64"})


def _preview(ledger: Ledger) -> pd.DataFrame:
    headers = [header for header in ledger.table.headers if header in ledger.fit.header_of.values()]
    shown = {header: ledger.table.column(header).iloc[:PREVIEW_ROWS].map(personal.mask_cell) for header in headers}
    return pd.DataFrame(shown).set_index(pd.Index(ledger.table.row_numbers[:PREVIEW_ROWS], name="row_number"))
