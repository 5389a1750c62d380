"""The files of the ledgers, made when they are asked for: the workbook, and the sheet that is posted."""

import streamlit as st

from gridmap.exports.ledger_book import ledger_workbook
from gridmap.exports.posting import posting_sheet
from gridmap.reports.ledgers.lists import lists_report
from gridmap.reports.ledgers.patrols import patrol_ledger
from gridmap.reports.ledgers.people import people_ledger
from gridmap.reports.ledgers.points import PointsReport
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders, panels
from gridmap.ui.ledgers import frame


def take_away(report: PointsReport, township: Township, village: str | None) -> None:
    """Offer the ledgers of the month as a workbook and the posting sheet as PDF."""
    month = f"{report.month:%Y-%m}"
    st.download_button(
        t("ledgers.excel"),
        lambda: _book(report, township),
        f"{township.name}-{t('ledgers.book')}-{month}.xlsx",
        key="ledgers_xlsx",
        on_click="ignore",
    )
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


def _book(report: PointsReport, township: Township) -> bytes:
    about = {
        t("controls.table"): f"{township.name} {t('ledgers.book')}",
        t("ledgers.month"): f"{report.month:%Y-%m}",
        t("controls.known_until"): str(frame.local(report.known_at, form="%Y-%m-%d %H:%M")),
    }
    return ledger_workbook(
        loaders.load(people_ledger),
        loaders.load(patrol_ledger, month=report.month),
        report,
        loaders.load(lists_report, month=report.month),
        about,
    )
