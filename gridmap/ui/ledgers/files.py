"""The files of the ledgers, made when they are asked for: the workbook, and the sheet that is posted."""

from datetime import date

import streamlit as st

from gridmap.exports.ledger_book import ledger_workbook
from gridmap.exports.posting import posting_sheet
from gridmap.reports.ledgers.lists import lists_report
from gridmap.reports.ledgers.patrols import patrol_ledger
from gridmap.reports.ledgers.people import people_ledger
from gridmap.reports.ledgers.points import PointsReport, points_report
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders, panels
from gridmap.ui.ledgers import frame


def book(township: Township, month: date) -> None:
    """Offer all ledgers of a month as a workbook; it is made when somebody asks for it."""
    st.download_button(
        t("ledgers.excel"),
        lambda: _book(township, month),
        f"{township.name}-{t('ledgers.book')}-{month:%Y-%m}.xlsx",
        key="ledgers_xlsx",
        on_click="ignore",
    )


def posting(report: PointsReport, township: Township, village: str | None) -> None:
    """Offer the posting sheet of the month as PDF."""
    month = f"{report.month:%Y-%m}"
    if report.rules.empty or report.people.empty:
        st.info(t("ledgers.error_posting_rules", month=month) if report.rules.empty else t("ledgers.no_people"))
        return
    where = township.name if village is None else f"{township.name}-{panels.village_names().get(village, village)}"
    st.download_button(
        t("ledgers.posting"),
        lambda: posting_sheet(report, township=township.name, settings=settings(), village_code=village),
        f"{where}-{t('ledgers.tab_points')}-{month}.pdf",
        key="ledgers_pdf",
        on_click="ignore",
        type="primary",
    )
    st.caption(t("ledgers.posting_help"))


def _book(township: Township, month: date) -> bytes:
    known = frame.as_known(month)
    points = loaders.load(points_report, month=month, **known)
    about = {
        t("controls.table"): f"{township.name} {t('ledgers.book')}",
        t("ledgers.month"): f"{month:%Y-%m}",
        t("controls.known_until"): str(frame.local(points.known_at, form="%Y-%m-%d %H:%M")),
    }
    return ledger_workbook(
        loaders.load(people_ledger),
        loaders.load(patrol_ledger, month=month, **known),
        points,
        loaders.load(lists_report, month=month),
        about,
    )
