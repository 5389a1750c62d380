"""Ledgers (台账): people, fixed-point patrols with practical things, points, and the lists of the grids."""

import streamlit as st

from gridmap.reports.data import data_report
from gridmap.texts import t
from gridmap.ui import controls, loaders, panels, shell
from gridmap.ui.ledgers import files, frame, lists, patrols, people, points
from gridmap.ui.roles import require_role
from gridmap.ui.room import page_room

require_role("viewer")
township = shell.office_page(t("shell.ledgers"))
space = page_room()
places, age_place = controls.line(f"{township.name} {t('shell.ledgers')}", 3)
with places[0]:
    month = frame.month()
with places[1]:
    village = controls.village(township, panels.village_names())
with places[2]:
    where = frame.Where(village=village, grid=frame.grid(month, village))
with age_place:
    panels.data_age(loaders.load(data_report).known_at)
switch_place, book_place = st.columns([4, 1])
with switch_place:
    chosen = frame.which()
with book_place, st.container(horizontal=True, horizontal_alignment="right"):
    files.book(township, month)
frame.tell()
if chosen == "people":
    people.draw(township.code, month, where, space)
elif chosen == "patrols":
    patrols.draw(township.code, month, where, space)
elif chosen == "points":
    points.draw(township, month, where, space)
else:
    lists.draw(township.code, month, where, space)
