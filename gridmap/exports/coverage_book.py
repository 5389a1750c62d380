"""Patrol coverage to be taken away: a workbook of all its tables, a GeoPackage of points by verdict and lanes passed long ago."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import pandas as pd

from gridmap.analysis.visit_classes import CLASSES
from gridmap.exports.layers import write_layer
from gridmap.exports.tables import Column, Sheet, explained, workbook
from gridmap.reports.coverage import CoverageReport
from gridmap.reports.patrolled import PatrolledReport
from gridmap.texts import t

_APART = tuple(f"n_{name}" for name in CLASSES[1:])
_POINT_COLUMNS = ("name", "duty", "n_due", "n_made", "n_missing", "n_cannot_tell", "run_missed", "state")


def coverage_geopackage(report: CoverageReport, passed: PatrolledReport) -> bytes:
    """Return the checkpoints by verdict and the lanes passed long ago as the layers of one GeoPackage."""
    points = report.checkpoints[[*_POINT_COLUMNS, "geometry"]].reset_index(names="checkpoint_code")
    lanes = passed.lanes[["n_households", "days_since", "geometry"]]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "coverage.gpkg"
        write_layer(gpd.GeoDataFrame(points), file, name="checkpoints")
        write_layer(gpd.GeoDataFrame(lanes), file, name="lanes_passed_long_ago", adds=True)
        return file.read_bytes()


def coverage_workbook(report: CoverageReport, passed: PatrolledReport, about: Mapping[str, str]) -> bytes:
    """Return points, grids, people, door-to-door visits and groups passed long ago as sheets of one workbook."""
    points = pd.DataFrame(report.checkpoints.drop(columns="geometry")).reset_index(names="checkpoint_code")
    points["state"] = [t(f"coverage.state_{state}") for state in points["state"]]
    points["duty"] = [t(f"controls.duty_{duty}") for duty in points["duty"]]
    visits = report.visits
    sums = ("n_due", "n_made", "n_missing", "n_cannot_tell", "n_never", "n_checkpoints", *_APART)
    return workbook(
        [
            Sheet(
                name=t("coverage.tab_points"),
                rows=points,
                columns=[
                    Column(name="name", header=t("coverage.checkpoint")),
                    Column(name="grid_name", header=t("coverage.grid")),
                    Column(name="duty", header=t("controls.duty")),
                    Column(name="state", header=t("coverage.state")),
                    *_counts("n_due", "n_made", "n_missing", "n_cannot_tell", "run_missed", "longest_kept", *_APART),
                ],
            ),
            Sheet(
                name=t("coverage.by_grid"),
                rows=visits.by_grid,
                columns=[
                    Column(name="name", header=t("coverage.grid")),
                    explained("made_share", t("coverage.visited"), "share", formula="coverage.formula_visited"),
                    *_counts(*sums),
                ],
            ),
            Sheet(
                name=t("coverage.by_person"),
                rows=visits.people,
                columns=[
                    Column(name="name", header=t("coverage.by_person")),
                    Column(name="grid_name", header=t("coverage.grid_name")),
                    *_counts("n_made", "n_checkpoints", "n_days", *_APART),
                ],
            ),
            Sheet(
                name=t("coverage.tab_doors"),
                rows=visits.doors,
                columns=[
                    Column(name="name", header=t("coverage.grid")),
                    explained("visited_share", t("coverage.door"), "share", formula="coverage.formula_door"),
                    Column(name="n_visited", header=t("coverage.n_visited"), kind="count"),
                    Column(name="n_households", header=t("coverage.n_households"), kind="count"),
                ],
            ),
            Sheet(
                name=t("coverage.household_days"),
                rows=passed.grids,
                columns=[
                    Column(name="name", header=t("coverage.grid")),
                    explained(
                        "household_days",
                        t("coverage.household_days"),
                        "count",
                        formula="coverage.formula_household_days",
                    ),
                    explained("n_never", t("coverage.n_unpassed"), "count", formula="coverage.formula_n_unpassed"),
                    Column(name="n_households", header=t("coverage.n_households"), kind="count"),
                ],
            ),
            Sheet(
                name=t("coverage.tab_long"),
                rows=passed.groups,
                columns=[
                    Column(name="village_name", header=t("controls.village")),
                    Column(name="name", header=t("coverage.by_group")),
                    explained(
                        "n_long", t("coverage.n_long", days=passed.long_days), "count", formula="coverage.formula_long"
                    ),
                    Column(name="n_households", header=t("coverage.n_households"), kind="count"),
                    explained("days_since", t("coverage.days_since"), "count", formula="coverage.formula_days_since"),
                ],
            ),
        ],
        about_sheet=t("controls.about"),
        about=about,
    )


def _counts(*names: str) -> list[Column]:
    return [explained(name, t(f"coverage.{name}"), "count", formula=f"coverage.{name}_formula") for name in names]
