"""What the contact book's page draws: a row a grid, the chosen team with its poster, the township teams."""

from datetime import date
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from gridmap.errors import InputError
from gridmap.exports.contacts_book import contacts_workbook, team_words
from gridmap.exports.poster import PAPERS, poster_picture, posters, resident_address
from gridmap.reports.contacts import Colleague, ContactBook, Team
from gridmap.reports.posters import PosterReport, poster_report
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import language, t
from gridmap.ui import loaders
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

TABS = ("chosen", "teams")
_TABLE_PX, _PICTURE_PX, _VACANCIES_PX = 430, 300, 130
_KEPT = 16
_SEPARATOR = "、"


def search() -> str:
    """Let a person look for somebody or a grid by a part of the name."""
    return str(st.text_input(t("contacts.search"), key="contacts_search", max_chars=40)).strip()


def found(book: ContactBook, village: str | None, wanted: str) -> tuple[Team, ...]:
    """Return the teams of a village whose name or people hold what is looked for."""
    teams = book.of_village(village)
    if not wanted:
        return teams
    return tuple(
        team for team in teams if any(wanted in name for name in (team.name, *(one.name for one in _people(team))))
    )


def _people(team: Team) -> tuple[Colleague, ...]:
    return (*team.heads, *team.members)


def grid_table(teams: tuple[Team, ...], room: Room) -> Team:
    """Draw a row a grid and return the chosen one, an area grid initially where there is one."""
    rows = pd.DataFrame(
        {
            "grid": [team.name for team in teams],
            "vacancies": [_vacancies(team) for team in teams],
            "chief": [_names(team.heads) for team in teams],
            "chief_since": [team.heads[0].since if team.heads else None for team in teams],
            "members": [_names(team.members) for team in teams],
        }
    )
    columns: dict[str, Any] = {name: st.column_config.TextColumn(t(f"contacts.{name}")) for name in map(str, rows)}
    columns["grid"] = st.column_config.TextColumn(t("contacts.grid"), pinned=True)
    columns["vacancies"] = st.column_config.TextColumn(
        t("contacts.vacancies"), help=t("contacts.vacancies_help"), width=_VACANCIES_PX
    )
    columns["chief_since"] = st.column_config.DateColumn(t("contacts.chief_since"), format="YYYY-MM-DD")
    told = st.dataframe(
        rows,
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config=columns,
        on_select="rerun",
        selection_mode="single-row",
        key="contacts_grids",
    )
    picked = next((at for at in told.selection.rows if at < len(teams)), None)
    first_area = next((at for at, team in enumerate(teams) if team.kind == "area"), 0)
    return teams[first_area if picked is None else picked]


def _vacancies(team: Team) -> str:
    """Return who is missing, with a sign beside the words; nothing where nobody is."""
    parts = [t("contacts.no_chief")] if team.has_no_head else []
    if team.n_missing:
        parts.append(t("contacts.n_missing", n=team.n_missing))
    return f"▲ {_SEPARATOR.join(parts)}" if parts else ""


def _names(people: tuple[Colleague, ...]) -> str | None:
    return _SEPARATOR.join(one.name for one in people) or None


def one_team(team: Team) -> None:
    """Draw one team: everybody with role and first day, and what is missing."""
    st.text(team.name)
    head = "role_leader" if team.kind == "team" else "role_chief"
    rows: list[tuple[str, str, date | None]] = [(t(f"contacts.{head}"), one.name, one.since) for one in team.heads]
    if team.has_no_head:
        rows.append((t(f"contacts.{head}"), f"▲ {t('contacts.vacant')}", None))
    rows += [(t(f"contacts.role_{one.role}"), one.name, one.since) for one in team.members]
    rows += [(t("contacts.role_member"), f"▲ {t('contacts.vacant')}", None)] * team.n_missing
    st.dataframe(
        pd.DataFrame(rows, columns=["role", "name", "since"]),
        hide_index=True,
        placeholder=UNKNOWN,
        column_config={
            "role": st.column_config.TextColumn(t("contacts.role")),
            "name": st.column_config.TextColumn(t("contacts.name")),
            "since": st.column_config.DateColumn(t("contacts.since"), format="YYYY-MM-DD"),
        },
        key=f"contacts_team_{team.code}",
    )


def township_teams(book: ContactBook, room: Room) -> None:
    """Draw the township teams: a row a person."""
    rows: list[tuple[str, str, str, date | None]] = [
        (team_words(team), t(f"contacts.role_{'leader' if one in team.heads else one.role}"), one.name, one.since)
        for team in book.township_teams
        for one in _people(team)
    ]
    rows += [
        (team_words(team), t("contacts.role_leader"), f"▲ {t('contacts.vacant')}", None)
        for team in book.township_teams
        if team.has_no_head
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["team", "role", "name", "since"]),
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config={
            "team": st.column_config.TextColumn(t("contacts.team"), pinned=True),
            "role": st.column_config.TextColumn(t("contacts.role")),
            "name": st.column_config.TextColumn(t("contacts.name")),
            "since": st.column_config.DateColumn(t("contacts.since"), format="YYYY-MM-DD"),
        },
        key="contacts_teams",
    )


def poster(team: Team, teams: tuple[Team, ...]) -> None:
    """Let a person look at the poster of a grid, and take it or those of all grids in the table away."""
    if team.kind != "area":
        st.caption(t("contacts.poster_areas_only"))
        return
    base_url = _base_url()
    report = loaders.load(poster_report)
    if team.code not in report.teams:
        st.caption(t("field.error_grid", grid=team.code))
        return
    try:
        address = resident_address(base_url, team.code)
        picture = _picture(report, team.code, base_url, language())
    except InputError as error:
        st.info(t("contacts.address_needed") if not base_url else str(error))
        return
    left, right = st.columns([1.1, 1])
    left.image(picture, width=_PICTURE_PX)
    with right:
        st.link_button(t("contacts.open_form"), address)
        for paper in PAPERS:
            st.download_button(
                t("contacts.poster_one", paper=paper.upper()),
                partial(posters, report, base_url=base_url, paper=paper, grid_codes=[team.code]),
                f"{t('contacts.poster')}-{team.code}-{paper.upper()}.pdf",
                key=f"poster_{paper}",
                on_click="ignore",
            )
        codes = [one.code for one in teams if one.code in report.teams]
        st.download_button(
            t("contacts.poster_all", n=len(codes)),
            lambda: posters(report, base_url=base_url, paper="a4", grid_codes=codes),
            f"{t('contacts.poster')}-{loaders.today()}-A4.pdf",
            key="poster_all",
            on_click="ignore",
        )


def _base_url() -> str:
    """Return the address that the codes lead to: the setting, or what a person types where there is none."""
    if settings().public_url:
        return settings().public_url
    return str(
        st.text_input(
            t("contacts.address"),
            key="contacts_address",
            placeholder="https://wg.example.gov.cn",
            help=t("contacts.address_help"),
        )
    ).strip()


@lru_cache(maxsize=_KEPT)
def _picture(report: PosterReport, code: str, base_url: str, spoken: str) -> bytes:
    del spoken  # part of the key: the words differ
    return poster_picture(report, code, base_url=base_url)


def take_away(book: ContactBook, township: Township) -> None:
    """Offer the contact book as a workbook."""
    name = f"{township.name}-{t('shell.contacts')}-{book.on}"
    about = {t("controls.table"): f"{township.name} {t('shell.contacts')}", t("controls.known_until"): str(book.on)}
    st.download_button(
        t("controls.excel"),
        lambda: contacts_workbook(book, about),
        f"{name}.xlsx",
        key="contacts_xlsx",
        on_click="ignore",
    )
