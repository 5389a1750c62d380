"""The 15-minute circle to be taken away: a GeoPackage for GIS staff, a workbook of the gaps."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd

from gridmap.exports.layers import write_layer
from gridmap.exports.tables import Column, Sheet, explained, workbook
from gridmap.reports.circle import CircleReport
from gridmap.texts import t

_HOME_COLUMNS = ("grid_code", "n_residents", "status", "minutes", "missing_m")


def circle_geopackage(report: CircleReport) -> bytes:
    """Return circle, homes, points and problems of the paths as the layers of one GeoPackage."""
    homes = report.households[[*_HOME_COLUMNS, "geometry"]].reset_index(names="household_code")
    layers: Mapping[str, gpd.GeoDataFrame] = {
        "circle": gpd.GeoDataFrame({"minutes": report.minutes}, index=report.area.index, geometry=report.area),
        "households": homes,
        "points": report.points.reset_index(names="checkpoint_code")[["checkpoint_code", "name", "duty", "geometry"]],
        "path_problems": report.problems,
    }
    with TemporaryDirectory() as folder:
        file = Path(folder) / "circle.gpkg"
        for number, (name, layer) in enumerate(layers.items()):
            write_layer(layer, file, name=name, adds=number > 0)
        return file.read_bytes()


def circle_workbook(report: CircleReport, about: Mapping[str, str]) -> bytes:
    """Return the grids by homes outside, and the homes outside, the farthest first."""
    grids = [
        Column(name="name", header=t("circle.grid")),
        Column(name="village_name", header=t("controls.village")),
        Column(name="n_households", header=t("circle.n_households"), kind="count"),
        explained("n_outside", t("circle.n_outside"), "count", formula="circle.formula_outside"),
        Column(name="n_residents_outside", header=t("circle.n_residents_outside"), kind="count"),
        explained("missing_m", t("circle.missing_m"), "decimal", formula="circle.formula_missing"),
        explained("n_unmatched", t("circle.n_unmatched"), "count", formula="circle.formula_unmatched"),
        explained("reached_share", t("circle.reached"), "share", formula="circle.formula_reached"),
    ]
    homes = [
        Column(name="household_code", header=t("circle.household")),
        Column(name="grid_name", header=t("circle.grid")),
        Column(name="state", header=t("circle.state")),
        Column(name="minutes", header=t("circle.minutes_needed"), kind="decimal"),
        Column(name="missing_m", header=t("circle.missing_m"), kind="decimal"),
    ]
    gaps = report.households[report.households["status"] != "reached"].sort_values("missing_m", ascending=False)
    rows = gaps.drop(columns="geometry").reset_index(names="household_code")
    rows["state"] = [t(f"circle.status_{status}") for status in rows["status"]]
    return workbook(
        [
            Sheet(name=t("circle.sheet_grids"), rows=report.grids, columns=grids),
            Sheet(name=t("circle.sheet_homes"), rows=rows, columns=homes),
        ],
        about_sheet=t("controls.about"),
        about=about,
    )
