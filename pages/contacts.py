"""Contact book (通讯录): who serves which grid since when, who is missing; posters to print; Excel."""

import streamlit as st

from gridmap.reports.contacts import contact_book
from gridmap.texts import t
from gridmap.ui import contacts_view, controls, loaders, panels, shell
from gridmap.ui.roles import require_role
from gridmap.ui.room import page_room

require_role("viewer")
township = shell.office_page(t("shell.contacts"))
space = page_room()
(village_place, search_place), age_place = controls.line(f"{township.name} {t('shell.contacts')}", 2)
with village_place:
    village = controls.village(township, panels.village_names())
with search_place:
    wanted = contacts_view.search()
book = loaders.load(contact_book)
with age_place:
    panels.known_on(book.on)
panels.figures(
    [
        ("contacts.people", book.n_people),
        ("contacts.without_chief", book.n_without_head),
        ("contacts.missing", book.n_missing),
    ]
)
if book.n_people.value is None:
    st.info(t("contacts.unknown"))
    st.stop()
teams = contacts_view.found(book, village, wanted)
if not teams:
    st.info(t("contacts.nothing"))
    st.stop()
left, right = st.columns([1.25, 1])
with left:
    chosen = contacts_view.grid_table(teams, space)
    contacts_view.take_away(book, township)
with right:
    one, every = st.tabs([t(f"contacts.tab_{name}") for name in contacts_view.TABS])
    with one:
        contacts_view.one_team(chosen)
        contacts_view.poster(chosen, teams)
    with every:
        contacts_view.township_teams(book, space)
