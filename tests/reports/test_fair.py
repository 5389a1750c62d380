"""The fair comparison of the day that was counted by hand (`tests/busy.py`), and moves against brute force."""

from datetime import date, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Engine, text

from gridmap.planning.units import make_units
from gridmap.reports.fair import FairReport, fair_report
from gridmap.reports.fair_moves import _Table, _unit_loads
from gridmap.reports.plans import Board
from gridmap.store.places import Township
from tests.busy import NOW
from tests.tiny import GRIDS, METRIC, TOWNSHIP

OCTOBER = {"first_on": date(2026, 10, 1), "last_on": date(2026, 10, 15)}


def _fair(engine: Engine, **changed: object) -> FairReport:
    options = {
        "township_code": TOWNSHIP,
        "now": NOW,
        "zone": ZoneInfo("Asia/Shanghai"),
        "fair_alpha": 0.05,
        "fair_interval_share": 0.9,
        "barrier_slip_m": 0.5,
    }
    with engine.connect() as connection:
        return fair_report(connection, **{**options, **OCTOBER, **changed})


# ---- the report


def test_what_the_comparison_rests_on_is_counted_in_each_grid(busy_engine: Engine):
    """The lane runs from 50 to 3,950 m; I1 and I3 in the first grid, I2 in the third; I5 to I7 before, in the second."""
    grids = _fair(busy_engine).grids
    assert grids.index.tolist() == list(GRIDS)
    assert grids["n_households"].tolist() == [3, 4, 11]
    assert grids["n_new"].tolist() == [2, 0, 1]
    assert grids["n_before"].tolist() == [0, 3, 0]
    assert grids["path_m"].tolist() == pytest.approx([950, 1000, 1950], rel=1e-3)
    assert grids["n_due"].tolist() == pytest.approx([15 / 7 + 30 / 7, 15 / 31, 75 / 7])


def test_three_small_grids_are_too_few_to_say(busy_engine: Engine):
    report = _fair(busy_engine)
    assert set(report.grids["class"]) == {"too few to say"}
    assert report.factors == ("terrain", "duties", "past")
    assert _fair(busy_engine, with_past=False).factors == ("terrain", "duties")
    assert report.grids["expected"].gt(0).all()


def test_per_person_is_unknown_without_a_team(busy_engine: Engine):
    grids = _fair(busy_engine).grids
    assert grids["team_size"].tolist() == [2, 0, 0]
    assert grids["new_per_person"].fillna(-1).tolist() == [1, -1, -1]
    assert grids["forecast_per_person"].notna().tolist() == [True, False, False]


def test_a_grid_without_anybody_is_the_first_to_need_a_member(busy_engine: Engine):
    first = _fair(busy_engine).one_more[0]
    assert (first.team_size, first.before, first.gain_share) == (0, None, None)


def test_the_forecast_is_of_the_month_after_now(busy_engine: Engine):
    report = _fair(busy_engine)
    assert report.forecast_month == date(2026, 11, 1)
    assert report.grids["forecast"].gt(0).all()
    assert (report.grids["forecast_low"] <= report.grids["forecast_high"]).all()
    assert _fair(busy_engine, first_on=date(2026, 9, 1), last_on=date(2026, 9, 30)).forecast_month == date(2026, 11, 1)


def test_what_was_not_recorded_yet_is_not_known(busy_engine: Engine):
    assert _fair(busy_engine, now=NOW - timedelta(days=1, hours=6)).grids["n_new"].tolist() == [0, 0, 0]


def test_without_incidents_or_households_nothing_is_compared(tiny_engine: Engine):
    report = _fair(tiny_engine)
    assert not report.is_known
    unknown = ["n_new", "expected", "ratio", "shrunken", "forecast", "new_per_person", "team_size"]
    assert report.grids[unknown].isna().all(axis=None)
    assert (report.one_more, report.moves, report.forecast) == ((), (), None)


def test_without_households_nothing_is_compared(busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(text("DELETE FROM household"))
    assert not _fair(busy_engine).is_known


def test_without_a_plan_there_are_no_grids(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        connection.execute(text("ALTER TABLE plan DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE plan SET valid_from = '2030-01-01'"))
    report = _fair(tiny_engine)
    assert report.grids.empty
    assert not report.is_known


def test_grids_of_another_plan_are_compared_but_not_forecast(busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(text("ALTER TABLE plan DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE plan SET valid_until = '2026-10-10', state = 'retired'"))
    report = _fair(busy_engine, last_on=date(2026, 10, 5))
    assert not report.has_todays_grids
    assert report.grids["expected"].notna().all()
    assert report.grids["forecast"].isna().all()
    assert (report.one_more, report.moves) == ((), ())


# ---- moves


def _board(grids: list[str], weights: list[float], *, cap: int) -> Board:
    """Squares in rows of four, all in one village, but for those of grids that begin with x."""
    squares = [
        shapely.box(at % 4 * 100, at // 4 * 100, at % 4 * 100 + 100, at // 4 * 100 + 100) for at in range(len(grids))
    ]
    frame = gpd.GeoDataFrame(
        {"n": weights, "village": [grid.startswith("x") for grid in grids]},
        geometry=squares,
        crs=METRIC,
        index=[f"u{at}" for at in range(len(grids))],
    )
    return Board(
        plan_id=1, name="", state="published", owner="", revision=0, household_cap=cap, based_on=1,
        township=Township(code="1", name="", metric_epsg=4547, bounds=(0, 0, 1, 1)),
        units=make_units(frame, weight="n", within="village"), begun=tuple(grids), records=(),
        homes=frame.iloc[:0], grid_names={}, used_units=frozenset(), village_names={}, exceptions=pd.DataFrame(),
    )  # fmt: skip


def _is_sound(board: Board, plan: list[str], grid: str, before: float) -> bool:
    """Judge one grid from its shapes alone."""
    members = [at for at, name in enumerate(plan) if name == grid]
    if not members:
        return False
    land = shapely.union_all(board.units.shapes.iloc[members].to_numpy())
    weight = board.units.weights[members].sum()
    is_one_village = len({int(board.units.areas[at]) for at in members}) == 1
    return land.geom_type == "Polygon" and is_one_village and weight <= max(board.household_cap, before)


@pytest.mark.parametrize("seed", range(4))
def test_the_legal_moves_and_exchanges_are_those_of_brute_force(seed: int):
    rng = np.random.default_rng(seed)
    grids = [*"aabb", *"aabb", *"ccdd", *"ccdd", "x1", "x1", "x2", "x2"]
    weights = rng.integers(10, 30, len(grids)).astype(float)
    board = _board(grids, weights.tolist(), cap=90)
    names = board.units.names
    total = {grid: weights[[at for at, one in enumerate(grids) if one == grid]].sum() for grid in set(grids)}

    def touches(unit: int, grid: str, plan: list[str]) -> bool:
        shapes = board.units.shapes.to_numpy()
        beside = [at for at, one in enumerate(plan) if one == grid and board.units.areas[at] == board.units.areas[unit]]
        return any(shapely.length(shapely.intersection(shapes[unit], shapes[at])) > 1 for at in beside)

    expected = set()
    for unit, back in product(range(len(grids)), [None, *range(len(grids))]):
        for grid in set(grids) - {grids[unit]}:
            moved = [grid if at == unit else one for at, one in enumerate(grids)]
            is_pair = back is None or (grids[back] == grid and touches(back, grids[unit], moved))
            if not is_pair or not touches(unit, grid, grids):
                continue
            plan = [grids[unit] if at == back else one for at, one in enumerate(moved)]
            if all(_is_sound(board, plan, one, total[one]) for one in (grid, grids[unit])):
                expected.add((names[unit], None if back is None else names[back], grid))
    found = [(move.unit, move.back, move.to_grid) for move in _Table(board).legal_moves()]
    assert len(found) == len(set(found)) > 5
    assert set(found) == expected


def test_a_full_grid_takes_a_unit_only_for_another():
    board = _board(list("aabbaabb"), [20, 20, 30, 20, 20, 20, 25, 20], cap=95)
    moves = list(_Table(board).legal_moves())
    assert [move for move in moves if move.back is None] == []
    swapped = {(move.unit, move.back): (move.n_households, move.to_households) for move in moves}
    assert swapped[("u1", "u6")] == (-5, 90)
    assert swapped[("u5", "u2")] == (-10, 85)


def test_a_forecast_is_dealt_out_by_incidents_and_households_and_nothing_is_lost():
    board = _board(list("aabb"), [30, 10, 20, 20], cap=100)
    places = [shapely.Point(50, 50)] * 6 + [shapely.Point(150, 50)] * 4
    incidents = gpd.GeoDataFrame(geometry=places, crs=METRIC)
    grids = pd.DataFrame({"forecast": [8.0, 4.0]}, index=["a", "b"])
    loads = _unit_loads(board, grids, incidents)
    assert loads["u0"] == pytest.approx(8 * (6 + 10 * 0.75) / (10 + 10))
    assert loads[["u0", "u1"]].sum() == pytest.approx(8)
    assert loads[["u2", "u3"]].tolist() == pytest.approx([2, 2])
