"""Who serves where: by day, by role, with what is missing."""

from datetime import date

import pytest
from sqlalchemy import Engine, text

from gridmap.errors import InputError
from gridmap.reports.contacts import ContactBook, contact_book, grid_team
from tests.busy import EVIL
from tests.tiny import EAST_VILLAGE, GRIDS, TOWNSHIP, WEST_VILLAGE

DAY = date(2026, 10, 15)


def book(engine: Engine, *, on: date = DAY) -> ContactBook:
    with engine.connect() as connection:
        return contact_book(connection, township_code=TOWNSHIP, on=on, grid_members=3)


def test_a_team_has_its_chief_first_and_says_who_is_missing(busy_engine: Engine):
    first = next(team for team in book(busy_engine).teams if team.code == GRIDS[0])
    assert [one.name for one in first.heads] == [EVIL]
    assert [(one.name, one.role, one.since) for one in first.members] == [("甲", "member", date(2026, 1, 1))]
    assert (first.kind, first.village_code, first.village_name) == ("area", WEST_VILLAGE, "西村")
    assert (first.has_no_head, first.n_missing, first.n_vacancies) == (False, 2, 2)


def test_who_left_is_in_the_book_until_the_day_before(busy_engine: Engine):
    for on, names in ((date(2026, 9, 30), ["丙"]), (date(2026, 10, 1), [])):
        second = next(team for team in book(busy_engine, on=on).teams if team.code == GRIDS[1])
        assert [one.name for one in second.members] == names
        assert second.has_no_head


def test_figures_count_persons_once_and_every_grid_without_a_chief(busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO posting (staff_id, team_code, role, valid_from) VALUES ('u1', 'mediation', 'leader', '2026-03-01')"
            )
        )
    found = book(busy_engine)
    # Township, two villages and two of three area grids have no chief; 2 + 3 + 3 members are missing.
    assert (found.n_people.value, found.n_without_head.value, found.n_missing.value) == (2, 5, 8)
    mediation = next(team for team in found.township_teams if team.code == "mediation")
    assert [(one.name, one.role) for one in mediation.heads] == [("甲", "leader")]


def test_without_postings_nothing_is_zero(tiny_engine: Engine):
    found = book(tiny_engine)
    assert {figure.value for figure in (found.n_people, found.n_without_head, found.n_missing)} == {None}


def test_a_village_has_its_own_grid_and_its_area_grids(busy_engine: Engine):
    found = book(busy_engine)
    assert [team.code for team in found.of_village(EAST_VILLAGE)] == [EAST_VILLAGE, GRIDS[2]]
    assert len(found.of_village(None)) == 6
    assert {team.kind for team in found.of_village(None)} == {"township", "village", "area"}


def test_an_unknown_township_is_refused(tiny_engine: Engine):
    with tiny_engine.connect() as connection, pytest.raises(InputError, match="439909999"):
        contact_book(connection, township_code="439909999", on=DAY, grid_members=3)


def test_one_team_is_the_same_as_in_the_book(busy_engine: Engine):
    with busy_engine.connect() as connection:
        alone = grid_team(connection, grid_code=GRIDS[0], on=DAY, grid_members=3)
    assert alone == next(team for team in book(busy_engine).teams if team.code == GRIDS[0])


@pytest.mark.parametrize(
    "code", [TOWNSHIP, WEST_VILLAGE, "439901999201009", "", "x" * 15, "' OR 1=1 --", "４３９９０１９９９２０１００１"]
)
def test_what_is_no_area_grid_has_no_team(busy_engine: Engine, code: str):
    with busy_engine.connect() as connection:
        assert grid_team(connection, grid_code=code, on=DAY, grid_members=3) is None


def test_a_grid_that_was_closed_has_no_team(busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(text("UPDATE grid SET closed_on = '2026-10-15' WHERE grid_code = :grid"), {"grid": GRIDS[0]})
    with busy_engine.connect() as connection:
        assert grid_team(connection, grid_code=GRIDS[0], on=DAY, grid_members=3) is None
        assert grid_team(connection, grid_code=GRIDS[0], on=date(2026, 10, 14), grid_members=3) is not None
