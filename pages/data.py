"""Data: what is loaded, from which file, since when; what was refused; loading files."""

import streamlit as st

from gridmap.reports.data import data_report
from gridmap.texts import t
from gridmap.ui import data_view, loaders, panels, shell
from gridmap.ui.roles import may, require_role

require_role("viewer")
shell.data_page(t("shell.data"))
loaded, refused, load = st.tabs([t("data.loaded"), t("data.refused"), t("data.load")])
report = loaders.load(data_report) if loaders.township() else None
with loaded:
    if report is None:
        st.info(t("data.nothing"))
    else:
        panels.data_age(report.known_at)
        data_view.layers(report)
with refused:
    if report is None or not (report.imports["n_quarantined"] > 0).any():
        st.info(t("data.nothing_refused"))
    elif may("editor"):
        data_view.quarantine(report)
    else:  # whole rows as they came, private matters with their place among them
        st.info(t("shell.no_role"))
with load:
    if may("editor"):
        data_view.load_form()
    else:
        st.info(t("shell.no_role"))
