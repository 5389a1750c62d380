"""The planning page's files: a plan taken away, and a drawing from QGIS taken in."""

import tempfile
from pathlib import Path, PurePosixPath

import geopandas as gpd
import pandas as pd
import streamlit as st

from gridmap.codes import VILLAGE_DIGITS
from gridmap.errors import GridmapError, InputError
from gridmap.exports.plan_book import PlanBook, geopackage, grid_pages, plan_workbook
from gridmap.ingest.features import read_any_layer
from gridmap.ingest.layers.grids import PART as GRID_PART
from gridmap.ingest.limits import Limits
from gridmap.reports.desk import Desk
from gridmap.reports.plans import water_shapes
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import loaders, planning_desk, planning_map

_ENDINGS = ("gpkg", "geojson", "json", "zip")
_DIFFERENCES = "planning_differences"


def book(desk: Desk, village: str | None) -> PlanBook:
    """Return the plan as it stands, to be written out."""
    units, plan = desk.standing()
    frame = gpd.GeoDataFrame(
        {"grid_code": plan.to_numpy(), "n_households": units.weights.astype(int)},
        index=pd.Index(list(units.names), name="unit_code"),
        geometry=units.shapes.to_numpy(),
        crs=units.shapes.crs,
    )
    if village is not None:
        frame = frame[[str(code).startswith(village) for code in frame.index]]
    grids = frame.dropna(subset=["grid_code"]).dissolve("grid_code")[["geometry"]]
    table = planning_map.grid_table(desk, None).reindex(grids.index)
    return PlanBook(
        title=f"{desk.board.township.name} · {desk.board.name} · {t(f'planning.state_{desk.board.state}')} · {loaders.today()}",
        grids=grids.assign(
            name=[desk.grid_name(str(code)) for code in grids.index],
            village_name=[desk.board.village_names.get(str(code)[:VILLAGE_DIGITS], "") for code in grids.index],
            n_households=table["now"],
            n_units=table["n_units"],
            state=[t(f"planning.grid_{state}") for state in table["state"]],
        ),
        units=frame,
        homes=desk.board.homes.geometry,
        water=loaders.load(water_shapes),
    )


def take_away(desk: Desk, village: str | None) -> None:
    """Offer the plan as GeoPackage, workbook and pages to print; each file is made when it is asked for."""
    name = f"{desk.board.township.name}-{desk.board.name}".replace("/", "-")
    about = {
        t("planning.plan"): desk.board.name,
        t("planning.state"): t(f"planning.state_{desk.board.state}"),
        t("planning.owner"): desk.board.owner,
        t("planning.revision"): str(desk.board.revision),
    }
    left, middle, right = st.columns(3)
    left.download_button(
        t("planning.as_geopackage"),
        lambda: geopackage(book(desk, village)),
        f"{name}.gpkg",
        key="planning_gpkg",
        on_click="ignore",
    )
    middle.download_button(
        t("controls.excel"),
        lambda: plan_workbook(book(desk, village), about),
        f"{name}.xlsx",
        key="planning_xlsx",
        on_click="ignore",
    )
    right.download_button(
        t("planning.as_pages"),
        lambda: grid_pages(book(desk, village)),
        f"{name}.pdf",
        key="planning_pdf",
        on_click="ignore",
    )
    st.caption(t("planning.take_away_help"))


def take_in(desk: Desk) -> None:
    """Let polygons edited elsewhere become edits of this draft; shown with how far they were off, refused above the tolerance."""
    if desk.board.state != "draft":
        return
    file = st.file_uploader(
        t("planning.drawing", tolerance=f"{settings().drawn_tolerance_m:g}"),
        type=list(_ENDINGS),
        key="planning_drawing",
    )
    if file is not None and st.button(t("planning.take_in"), key="planning_take_in"):
        planning_desk.attempt(lambda: _read_in(desk, file.name, file.getvalue()), done=t("planning.taken_in"))
        st.rerun()
    differences = st.session_state.get(_DIFFERENCES)
    if differences is not None:
        number = st.column_config.NumberColumn
        st.dataframe(
            differences,
            hide_index=True,
            column_config={
                "grid": t("planning.grid_code"),
                "n_units": number(t("planning.n_units")),
                "moved_m2": number(t("planning.moved_m2"), format="%.1f"),
                "offset_m": number(t("planning.offset_m"), format="%.2f"),
            },
            key="planning_differences_table",
        )


def _read_in(desk: Desk, name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PurePosixPath(name.replace("\\", "/")).name
        path.write_bytes(content)
        layer = read_any_layer(path, limits=Limits(max_bytes=settings().max_file_mb * 2**20), crs=None)
    known = next(column for column in GRID_PART.columns if column.target == "grid_code")
    column = next((header for header in ("grid_code", *known.headers) if header in layer), None)
    if column is None:
        raise InputError(t("planning.no_code_column", columns=", ".join(map(str, layer.columns.drop("geometry")))))
    drawn = layer.set_index(layer[column].astype(str))[["geometry"]]
    try:
        found = desk.take_drawing(drawn, tolerance_m=settings().drawn_tolerance_m)
    except ValueError as error:
        raise InputError(str(error)) from error
    except GridmapError:
        st.session_state.pop(_DIFFERENCES, None)
        raise
    shown = found.reset_index(names="grid")[["grid", "n_units", "moved_m2", "offset_m"]]
    st.session_state[_DIFFERENCES] = shown
