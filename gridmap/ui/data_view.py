"""What the data page draws: layers and their last import, refused rows, the form that loads files."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from gridmap.actions.load import LAYERS, LoadOptions, LoadOutcome, load_layer
from gridmap.errors import GridmapError
from gridmap.exports.tables import Column, Sheet, workbook
from gridmap.reports.data import DataReport, quarantine_report
from gridmap.settings import settings
from gridmap.store.database import write_engine
from gridmap.texts import t
from gridmap.ui import loaders
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.theme import Markup

_DATUMS = ("cgcs2000", "wgs84", "gcj02", "bd09")
_DATED = ("grids", "areas")
_ENDINGS = ("zip", "shp", "shx", "dbf", "prj", "cpg", "gpkg", "geojson", "json", "csv", "xlsx", "kml", "gpx")
_SHOWN_ROWS = 200


def layers(report: DataReport) -> None:
    """Draw one row a layer: what the database holds, and where it came from."""
    rows = report.layers.reset_index()
    rows["layer"] = [t(f"load.{layer}") for layer in rows["layer"]]
    rows["loaded_at"] = rows["loaded_at"].dt.tz_convert(settings().zone).dt.strftime("%Y-%m-%d %H:%M")
    words = ["loaded_at", "file_name", "crs", "datum", "encoding"]
    rows[words] = rows[words].astype(object).fillna(UNKNOWN)
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    numbers = ("n_rows", "n_read", "n_taken", "n_changed", "n_quarantined")
    texts = ("layer", "loaded_at", "file_name", "crs", "datum", "encoding")
    st.dataframe(
        rows[["layer", "n_rows", "loaded_at", "file_name", "n_read", "n_taken", "n_changed", "n_quarantined", "crs",
              "datum", "encoding"]],
        hide_index=True,
        placeholder=UNKNOWN,
        column_config={
            **{name: text(t(f"data.{name}")) for name in texts},
            **{name: number(t(f"data.{name}"), help=t(f"data.{name}_help"), format="localized") for name in numbers},
        },
        key="data_layers",
    )  # fmt: skip
    st.caption(t("data.balance"))


def quarantine(report: DataReport) -> None:
    """Let a person look at the refused rows of one import and take them away to mend them."""
    refused = report.imports[report.imports["n_quarantined"] > 0]
    records = {int(number): record for number, record in zip(refused.index, refused.to_dict("records"), strict=True)}
    import_id = st.selectbox(
        t("data.which_import"),
        list(records),
        format_func=lambda number: _import_words(records[number]),
        key="refused_import",
    )
    rows = loaders.load(quarantine_report, import_id=import_id)
    shown = rows.rename(columns={name: t(f"data.{name}") for name in ("row_number", "sheet", "reason")})
    st.dataframe(shown.map(_as_read).where(shown.notna(), UNKNOWN), hide_index=True, height=380, key="refused_rows")
    st.download_button(
        t("data.download_refused"),
        lambda: _refused_workbook(rows, records[import_id]),
        f"{t('data.refused')}-{import_id}.xlsx",
        key="refused_excel",
        on_click="ignore",
    )
    st.caption(t("data.mend"))


def _import_words(record: Mapping[Any, Any]) -> str:
    at = pd.Timestamp(record["imported_at"]).tz_convert(settings().zone)
    return t(
        "data.import_words",
        layer=t(f"load.{record['layer']}"),
        file=record["file_name"],
        count=record["n_quarantined"],
        at=f"{at:%Y-%m-%d %H:%M}",
    )


def _refused_workbook(rows: pd.DataFrame, record: Mapping[Any, Any]) -> bytes:
    reasons = {name: t(f"data.{name}") for name in ("row_number", "sheet", "reason")}
    columns = [Column(name=str(name), header=reasons.get(str(name), str(name))) for name in rows.columns]
    about = {t("controls.table"): _import_words(record), t("data.how"): t("data.mend")}
    return workbook(
        [Sheet(name=t("data.refused"), rows=rows, columns=columns)], about_sheet=t("controls.about"), about=about
    )


def load_form() -> None:
    """Let a person give files, look at what they would do, and load them."""
    layer_place, datum_place, crs_place, sheet_place = st.columns([3, 2, 2, 2])
    layer = layer_place.selectbox(t("data.layer"), LAYERS, format_func=lambda name: t(f"load.{name}"), key="load_layer")
    datum = datum_place.selectbox(
        t("data.datum"), ["", *_DATUMS], format_func=lambda name: name or t("data.found_out"), key="load_datum"
    )
    crs = crs_place.text_input(t("data.crs"), placeholder="EPSG:4547", key="load_crs").strip() or None
    sheet = sheet_place.text_input(t("data.sheet"), placeholder=t("data.found_out"), key="load_sheet").strip() or None
    # Streamlit's own words on its uploader are English only; the style sheet puts these in their place.
    st.html(Markup(f"<style>:root{{--choose:{json.dumps(t('data.choose'), ensure_ascii=False)}}}</style>"))
    uploads = st.file_uploader(t("data.files"), type=_ENDINGS, accept_multiple_files=True, key="load_files")
    with st.expander(t("data.more")):
        mapping_place, day_place = st.columns([7, 2])
        mapping = mapping_place.file_uploader(t("data.mapping"), type=["toml", "json"], key="load_mapping")
        valid_from = day_place.date_input(t("data.valid_from"), value=None, format="YYYY-MM-DD", key="load_valid_from")
    options = LoadOptions(
        crs=crs,
        datum=datum or None,
        sheet=sheet,
        valid_from=valid_from if layer in _DATED else None,
        imported_by=t("shell.data"),
    )
    row = st.container(horizontal=True)
    is_looking = row.button(t("data.look"), disabled=not uploads, key="load_look")
    is_loading = row.button(t("data.take"), disabled=not uploads, type="primary", key="load_take")
    if uploads and (is_looking or is_loading):
        _run(layer, uploads, options, mapping, dry_run=not is_loading)


def _run(
    layer: str, uploads: Sequence[UploadedFile], options: LoadOptions, mapping: UploadedFile | None, *, dry_run: bool
) -> None:
    """Load in one go, and say what happened; a refusal is one sentence and leaves nothing."""
    with st.spinner(t("data.working")), tempfile.TemporaryDirectory(prefix="gridmap-upload-") as folder:
        files = [_written(upload, Path(folder)) for upload in uploads]
        mapping_file = _written(mapping, Path(tempfile.mkdtemp(dir=folder))) if mapping else None
        try:
            outcome = load_layer(
                write_engine(),
                layer=layer,
                files=files,
                options=replace(options, mapping_file=mapping_file),
                settings=settings(),
                now=datetime.now(UTC),
                dry_run=dry_run,
            )
        except GridmapError as error:
            st.error(str(error))
            return
    _tell(outcome)


def _written(upload: UploadedFile, folder: Path) -> Path:
    """Write an upload under its bare name: whatever path its name claims, it stays in the folder."""
    name = PurePosixPath(PureWindowsPath(upload.name).name).name.lstrip(".") or "upload"
    file = folder / name
    file.write_bytes(upload.getbuffer())
    return file


def _tell(outcome: LoadOutcome) -> None:
    reading = outcome.reading
    if outcome.is_dry_run:
        st.info(f"{outcome.sentence}{t('load.dry_run')}")
    else:
        st.success(f"{outcome.sentence}{t('load.known') if outcome.is_known else ''}")
    for note in [*outcome.notes, *(column.why for column in reading.dropped_columns)]:
        st.text(f"· {note}")
    _rows(t("data.preview"), reading.preview)
    _rows(t("data.changed_rows"), reading.changed)
    _rows(t("data.refused"), reading.quarantined[["row_number", "sheet", "reason"]])


def _rows(title: str, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    words = {name: t(f"data.{name}") for name in ("row_number", "sheet", "reason", "change") if name in rows}
    shown = rows.head(_SHOWN_ROWS).rename(columns=words)
    with st.expander(f"{title} ({len(rows)})", expanded=True):
        st.dataframe(shown.map(_as_read).where(shown.notna(), UNKNOWN), hide_index=True)


def _as_read(cell: object) -> str:
    """Return a cell as a person sees it in the file: workbooks store whole numbers as floats."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
