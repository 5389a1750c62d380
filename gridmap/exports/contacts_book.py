"""The contact book to be taken away: a row a post, vacancies among them."""

from collections.abc import Iterator, Mapping
from datetime import date

import pandas as pd

from gridmap.exports.tables import Column, Sheet, workbook
from gridmap.reports.contacts import ContactBook, Team
from gridmap.texts import t

_COLUMNS = ("village", "grid", "code", "role", "name", "since")


def contacts_workbook(book: ContactBook, about: Mapping[str, str]) -> bytes:
    """Return the contact book as a workbook: the grids on one sheet, the township teams on another.

    Parameters
    ----------
    book
        Who serves where.
    about
        Lines of the last sheet: what, of when.
    """
    columns = [Column(name=name, header=t(f"contacts.{name}")) for name in _COLUMNS]
    sheets = [
        Sheet(name=t("contacts.tab_grids"), rows=_rows(book, book.of_village(None)), columns=columns),
        Sheet(
            name=t("contacts.tab_teams"),
            rows=_rows(book, book.township_teams),
            columns=[column for column in columns if column.name not in ("village", "code")],
        ),
    ]
    return workbook(sheets, about_sheet=t("controls.about"), about=about)


def team_words(team: Team) -> str:
    """Return what a team is called: a grid by its name, a township team by the words of the catalogue."""
    return t(f"handling.team_{team.code}") if team.kind == "team" else team.name


def _rows(book: ContactBook, teams: tuple[Team, ...]) -> pd.DataFrame:
    rows = [
        {
            "village": team.village_name or book.township_name,
            "grid": team_words(team),
            "code": team.code,
            "role": role,
            "name": name,
            "since": since,
        }
        for team in teams
        for role, name, since in _posts(team)
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _posts(team: Team) -> Iterator[tuple[str, str, date | None]]:
    """Yield role, name and first day of every post; one that nobody holds is named vacant."""
    head_role = t("contacts.role_leader" if team.kind == "team" else "contacts.role_chief")
    if team.has_no_head:
        yield head_role, t("contacts.vacant"), None
    for one in team.heads:
        yield head_role, one.name, one.since
    for one in team.members:
        yield t(f"contacts.role_{one.role}"), one.name, one.since
    for _ in range(team.n_missing):
        yield t("contacts.role_member"), t("contacts.vacant"), None
