"""The files of the 15-minute circle's page, made when they are asked for."""

import streamlit as st

from gridmap.exports.circle_book import circle_geopackage, circle_workbook
from gridmap.reports.circle import CircleReport
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders


def take_away(report: CircleReport, township: Township) -> None:
    """Offer the circle as GeoPackage and as a workbook."""
    name = f"{township.name}-{t('shell.circle')}-{report.minutes}-{loaders.today()}"
    about = {
        t("controls.table"): f"{township.name} {t('shell.circle')}",
        t("circle.minutes"): t("circle.n_minutes", n=report.minutes),
        t("circle.goal"): t(f"circle.goal_{report.goal}"),
        t("controls.known_until"): str(report.known_at.astimezone(settings().zone)) if report.known_at else "—",
    }
    left, right, _ = st.columns([2, 2, 2])
    left.download_button(
        t("controls.excel"),
        lambda: circle_workbook(report, about),
        f"{name}.xlsx",
        key="circle_xlsx",
        on_click="ignore",
    )
    right.download_button(
        t("circle.as_geopackage"),
        lambda: circle_geopackage(report),
        f"{name}.gpkg",
        key="circle_gpkg",
        on_click="ignore",
    )
    st.caption(t("circle.files_help"))
