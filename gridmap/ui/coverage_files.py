"""The files of the coverage page, made when they are asked for."""

import streamlit as st

from gridmap.exports.coverage_book import coverage_geopackage, coverage_workbook
from gridmap.reports.coverage import CoverageReport
from gridmap.reports.patrolled import PatrolledReport
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui.controls import Period


def take_away(report: CoverageReport, passed: PatrolledReport, township: Township, period: Period) -> None:
    """Offer the tables as a workbook, points and lanes as a GeoPackage."""
    name = f"{township.name}-{t('shell.coverage')}-{period.last_on}"
    about = {
        t("controls.table"): f"{township.name} {t('shell.coverage')}",
        t("controls.period"): f"{period.first_on} – {period.last_on}",
        t("controls.known_until"): str(report.known_at.astimezone(settings().zone)) if report.known_at else "—",
    }
    left, right, _ = st.columns([2, 2, 2])
    left.download_button(
        t("controls.excel"),
        lambda: coverage_workbook(report, passed, about),
        f"{name}.xlsx",
        key="coverage_xlsx",
        on_click="ignore",
    )
    right.download_button(
        t("coverage.as_geopackage"),
        lambda: coverage_geopackage(report, passed),
        f"{name}.gpkg",
        key="coverage_gpkg",
        on_click="ignore",
    )
    st.caption(t("coverage.files_help"))
