"""The monthly review: the agenda at the left, one point of it at a time, what is decided beside it, and the signatures."""

import streamlit as st

from gridmap.texts import t
from gridmap.ui import controls, review_agenda, review_body, review_meeting, review_view, shell
from gridmap.ui.roles import require_role
from gridmap.ui.room import page_room

require_role("viewer")
township = shell.office_page(t("shell.review"))
review_agenda.dress()
space = page_room()
(month_place, version_place, shown_place), age_place = controls.line(f"{township.name} {t('shell.review')}", 3)
with month_place:
    month = review_view.month()
with version_place:
    shown = review_view.version(month)
with shown_place:
    review_agenda.presenting()
report = shown.report
with age_place:
    review_view.age(shown)
agenda_place, content = st.columns([review_agenda.AGENDA, review_agenda.CONTENT])
with agenda_place:
    key = review_agenda.agenda(report, last=review_meeting.SIGNING)
with content:
    review_view.about(shown)
    if key == review_meeting.SIGNING:
        review_meeting.sign_off(shown, township)
    else:
        section = report.section(key)
        figures_place, map_place = review_body.beside_map(section)
        with figures_place:
            review_view.figures(section, report)
            review_meeting.decisions(shown, section)
            if shown.pack is not None or section.key != review_meeting.FOLLOWED_UP:
                review_body.body(section, report, township, space, map_place)
