"""The township as it stands, counted by hand."""

from datetime import date

import pytest
from sqlalchemy import Engine, text

from gridmap.errors import InputError
from gridmap.reports.township import township_report
from tests.tiny import GRIDS, TOWNSHIP

DAY = date(2026, 10, 15)


def _township(engine: Engine):
    with engine.connect() as connection:
        return township_report(connection, township_code=TOWNSHIP, on=DAY, household_cap=100, near_cap_share=0.9)


def test_counts_are_of_the_plan_in_force(tiny_engine: Engine):
    report = _township(tiny_engine)
    assert [figure.value for figure in (report.n_grids, report.n_households, report.n_residents)] == [3, 18, 52]


def test_loads_run_fullest_first(tiny_engine: Engine):
    loads = _township(tiny_engine).loads
    assert [(load.grid_code, load.n_households) for load in loads] == [(GRIDS[2], 11), (GRIDS[1], 4), (GRIDS[0], 3)]
    assert loads[0].cap_share == pytest.approx(0.11)


def test_without_homes_the_load_is_unknown(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        connection.execute(text("DELETE FROM household"))
    report = _township(tiny_engine)
    assert (report.n_households.value, report.loads) == (None, ())


def test_an_unknown_township_is_named(engine: Engine):
    with pytest.raises(InputError, match=TOWNSHIP):
        _township(engine)
