"""The contact book (通讯录): who serves which grid and which township team today, and where somebody is missing."""

from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Connection

from gridmap.codes import grid_level, township_of
from gridmap.errors import InputError
from gridmap.frames import TEAM_CODES
from gridmap.reports.figures import Figure, count, depends_on
from gridmap.store.people import read_postings
from gridmap.store.places import read_grid_tree, read_townships
from gridmap.texts import t

_AREA_LEVEL = 3


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """Somebody who serves: name, role (`chief`, `member` or `leader`), and since when here. No telephone number exists."""

    name: str
    role: str
    since: date


@dataclass(frozen=True, kw_only=True)
class Team:
    """Who serves one grid or one township team on a day.

    Parameters
    ----------
    code
        Grid code, or code of the township team.
    kind
        `township`, `village`, `area` or `team`.
    name
        As a person reads it; of a township team its code, whose words stand in the text catalogue.
    village_code, village_name
        Where it lies; None for the township and its teams.
    heads
        Chief of a grid, leader of a township team; more than one only where more are posted.
    members
        The others, longest here first.
    n_members_due
        So many members an area grid should have; 0 where no number is set.
    """

    code: str
    kind: str
    name: str
    village_code: str | None
    village_name: str | None
    heads: tuple[Colleague, ...]
    members: tuple[Colleague, ...]
    n_members_due: int

    @property
    def has_no_head(self) -> bool:
        """Return whether nobody leads it."""
        return not self.heads

    @property
    def n_missing(self) -> int:
        """Members that are missing."""
        return max(0, self.n_members_due - len(self.members))

    @property
    def n_vacancies(self) -> int:
        """Posts that nobody holds, the head's among them."""
        return self.n_missing + self.has_no_head


@dataclass(frozen=True, kw_only=True, eq=False)
class ContactBook:
    """Everybody who serves on a day.

    Parameters
    ----------
    on
        The day.
    township_name
        Whose book it is.
    teams
        The township, then each village with its area grids, then the township teams.
    n_people
        Persons posted anywhere, each counted once.
    n_without_head, n_missing
        Grids without a chief, and members missing in area grids; unknown while nobody is posted at all.
    """

    on: date
    township_name: str
    teams: tuple[Team, ...]
    n_people: Figure
    n_without_head: Figure
    n_missing: Figure

    def of_village(self, village_code: str | None) -> tuple[Team, ...]:
        """Return the teams of the grids of a village, of all villages and the township for None; no township teams."""
        grids = (team for team in self.teams if team.kind != "team")
        return tuple(team for team in grids if village_code is None or team.village_code == village_code)

    @property
    def township_teams(self) -> tuple[Team, ...]:
        """The township teams."""
        return tuple(team for team in self.teams if team.kind == "team")


@depends_on("places", "staff")
def contact_book(connection: Connection, *, township_code: str, on: date, grid_members: int) -> ContactBook:
    """Return who serves where on a day.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    on
        The day.
    grid_members
        Members that an area grid should have beside its chief.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    names = {town.code: town.name for town in read_townships(connection)}
    if township_code not in names:
        raise InputError(t("load.error_unknown_township", township=township_code))
    tree = read_grid_tree(connection, township_code=township_code, on=on)
    postings = read_postings(connection, township_code=township_code, on=on).sort_values(["valid_from", "staff_id"])
    by_grid = {str(code): rows for code, rows in postings.groupby("grid_code")}
    by_team = {str(code): rows for code, rows in postings.groupby("team_code")}
    nobody = postings.iloc[:0]
    grids = [
        _grid_team(code, tree, by_grid.get(code, nobody), n_members_due=grid_members if is_area_grid(code) else 0)
        for code in map(str, tree.index)
    ]
    teams = [
        Team(
            code=code,
            kind="team",
            name=code,
            village_code=None,
            village_name=None,
            **_by_role(by_team.get(code, nobody), heads=("leader", "chief")),
            n_members_due=0,
        )
        for code in TEAM_CODES
    ]
    is_known = len(postings) > 0
    return ContactBook(
        on=on,
        township_name=names[township_code],
        teams=(*grids, *teams),
        n_people=count(
            postings["staff_id"].nunique() if is_known else None,
            unit="unit.residents",
            formula_key="contacts.formula_people",
        ),
        n_without_head=count(
            sum(team.has_no_head for team in grids) if is_known else None,
            unit="unit.grids",
            formula_key="contacts.formula_without_chief",
        ),
        n_missing=count(
            sum(team.n_missing for team in grids) if is_known else None,
            unit="unit.residents",
            formula_key="contacts.formula_missing",
        ),
    )


@depends_on("places", "staff")
def grid_team(connection: Connection, *, grid_code: str, on: date, grid_members: int) -> Team | None:
    """Return the team of one area grid that is open on a day, None where there is no such grid.

    Parameters
    ----------
    connection
        Where to read.
    grid_code
        As it stands on the poster; anything may stand here.
    on
        The day.
    grid_members
        Members that an area grid should have beside its chief.
    """
    if not is_area_grid(grid_code):
        return None
    township_code = township_of(grid_code)
    tree = read_grid_tree(connection, township_code=township_code, on=on)
    if grid_code not in tree.index:
        return None
    postings = read_postings(connection, township_code=township_code, on=on).sort_values(["valid_from", "staff_id"])
    return _grid_team(grid_code, tree, postings[postings["grid_code"] == grid_code], n_members_due=grid_members)


def is_area_grid(code: str) -> bool:
    """Return whether a text has the form of an area grid's code.

    Examples
    --------
    >>> is_area_grid("439901101201003"), is_area_grid("439901101201"), is_area_grid("' OR 1=1")
    (True, False, False)
    """
    try:
        return grid_level(code) == _AREA_LEVEL
    except ValueError:
        return False


def _grid_team(code: str, tree: pd.DataFrame, postings: pd.DataFrame, *, n_members_due: int) -> Team:
    level, parent, name = (str(tree[column][code]) for column in ("level", "parent_code", "name"))
    village_code = {"1": None, "2": code}.get(level, parent)
    return Team(
        code=code,
        kind={"1": "township", "2": "village"}.get(level, "area"),
        name=name,
        village_code=village_code,
        village_name=str(tree["name"][village_code]) if village_code and village_code in tree.index else None,
        **_by_role(postings, heads=("chief",)),
        n_members_due=n_members_due,
    )


def _by_role(postings: pd.DataFrame, *, heads: tuple[str, ...]) -> dict[str, tuple[Colleague, ...]]:
    people = [
        Colleague(name=str(name), role=str(role), since=since)
        for name, role, since in zip(postings["name"], postings["role"], postings["valid_from"], strict=True)
    ]
    return {
        "heads": tuple(one for one in people if one.role in heads),
        "members": tuple(one for one in people if one.role not in heads),
    }
