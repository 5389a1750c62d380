"""The planner's desk: what a click, a lasso, a line and a suggestion do, and what is refused in words."""

from collections.abc import Callable

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Engine

from gridmap.crs import STORED_CRS
from gridmap.errors import InfeasibleError, InputError
from gridmap.reports.desk import Desk
from gridmap.reports.plans import plan_board
from tests.tiny import EAST_M, EAST_VILLAGE, GRIDS, GROUPS, METRIC, NORTH_M, TOWNSHIP, WEST_VILLAGE

UNITS = tuple(group + "00" for group in GROUPS)


@pytest.fixture
def desk(tiny_engine: Engine) -> Desk:
    """The tiny township's plan, laid out; three grids of 3, 4 and 11 households."""
    with tiny_engine.connect() as connection:
        return Desk.at(plan_board(connection, township_code=TOWNSHIP, plan_id=1, barrier_slip_m=0.5))


def _degrees(*places: tuple[float, float]) -> gpd.GeoSeries:
    points = [shapely.Point(EAST_M + x, NORTH_M + y) for x, y in places]
    return gpd.GeoSeries(points, crs=METRIC).to_crs(STORED_CRS)


def _line(*places: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(list(_degrees(*places)))


def _click(desk: Desk, x: float, y: float) -> None:
    place = _degrees((x, y)).iloc[0]
    desk.click(place.x, place.y)


def test_a_click_chooses_and_chooses_no_more(desk: Desk):
    _click(desk, 500, 500)
    _click(desk, 1500, 500)
    assert desk.chosen == {UNITS[0], UNITS[1]}
    _click(desk, 500, 900)
    _click(desk, 9000, 9000)
    assert desk.chosen == {UNITS[1]}


def test_a_lasso_chooses_the_units_whose_middle_it_holds(desk: Desk):
    ring = shapely.Polygon(list(_degrees((1900, -100), (4100, -100), (4100, 2100), (1900, 2100))))
    assert desk.choose_inside(ring) == 2
    assert desk.chosen == {UNITS[2], UNITS[3]}


def test_what_is_chosen_goes_to_a_grid_and_the_counts_are_there_before_saving(desk: Desk):
    desk.chosen = {UNITS[0]}
    desk.give(GRIDS[1])
    assert desk.draft.state(GRIDS[1]).weight == 7
    assert desk.is_changed
    assert desk.chosen == set()
    assert desk.difference(desk.board.draft()).moved_households == 3
    desk.undo()
    assert not desk.is_changed
    desk.redo()
    assert desk.draft.plan_of(UNITS[0]) == GRIDS[1]


@pytest.mark.parametrize("locked", [GRIDS[0], GRIDS[1]])
def test_a_locked_grid_neither_gives_nor_takes(desk: Desk, locked: str):
    desk.chosen, desk.locked = {UNITS[0]}, {locked}
    with pytest.raises(InputError, match=locked):
        desk.give(GRIDS[1])
    assert not desk.is_changed


def test_nothing_chosen_is_said(desk: Desk):
    with pytest.raises(InputError):
        desk.give(GRIDS[1])


def test_a_line_cuts_the_unit_it_crosses_and_splits_its_households(desk: Desk):
    unit, weights = desk.cut(_line((350, -10), (350, 2010)))
    assert (unit, weights) == (UNITS[0], (3.0, 0.0))
    assert sorted(str(name) for name in desk.draft.plan if str(name).startswith(GROUPS[0])) == [
        GROUPS[0] + "01",
        GROUPS[0] + "02",
    ]
    desk.undo()
    _, weights = desk.cut(_line((250, -10), (250, 2010)))
    assert weights == (2.0, 1.0)
    # The piece is cut again: its numbers go on, its households are those that live in it.
    unit, weights = desk.cut(_line((150, -10), (150, 2010)))
    assert (unit, weights) == (GROUPS[0] + "01", (1.0, 1.0))
    assert GROUPS[0] + "04" in desk.draft.plan


def test_a_line_over_two_units_cuts_the_chosen_one(desk: Desk):
    line = _line((-10, 700), (2010, 700))
    with pytest.raises(InputError, match="2"):
        desk.cut(line)
    desk.chosen = {UNITS[1]}
    unit, weights = desk.cut(line)
    assert (unit, sum(weights)) == (UNITS[1], 4)


def test_a_line_that_crosses_nothing_is_refused(desk: Desk):
    with pytest.raises(InputError, match="0"):
        desk.cut(_line((-500, 100), (-400, 200)))


def test_a_grid_is_opened_with_the_next_number_and_retired_when_empty(desk: Desk):
    code = desk.open_grid(EAST_VILLAGE)
    assert code == EAST_VILLAGE + "002"
    assert desk.open_grid(EAST_VILLAGE) == EAST_VILLAGE + "003"
    desk.retire(code)
    with pytest.raises(InputError):
        desk.retire(GRIDS[0])


def test_a_new_code_must_be_of_the_village_and_never_used(desk: Desk):
    for code in (GRIDS[1], EAST_VILLAGE + "009", "12", WEST_VILLAGE + "00x"):
        with pytest.raises(InputError):
            desk.rename(GRIDS[0], code)
    desk.rename(GRIDS[0], WEST_VILLAGE + "009")
    assert desk.draft.plan_of(UNITS[0]) == WEST_VILLAGE + "009"


def test_a_grid_is_called_something_else_once_in_its_village(desk: Desk):
    desk.relabel(GRIDS[0], "河东网格")
    assert (desk.grid_name(GRIDS[0]), desk.grid_name(GRIDS[1])) == ("河东网格", desk.board.grid_name(GRIDS[1]))
    for name in ("", "长" * 21, "河东网格"):
        with pytest.raises(InputError):
            desk.relabel(GRIDS[1], name)
    desk.relabel(GRIDS[2], "河东网格")
    desk.undo()
    desk.undo()
    assert desk.grid_name(GRIDS[0]) == desk.board.grid_name(GRIDS[0])


def _always() -> bool:
    return True


@pytest.mark.parametrize(
    "suggest",
    [
        lambda desk: desk.suggest_partition(WEST_VILLAGE, seed=0, has_time=_always),
        lambda desk: desk.suggest_repair(WEST_VILLAGE, has_time=_always),
    ],
)
def test_a_suggestion_is_taken_over_whole(desk: Desk, suggest: Callable):
    desk.chosen = {UNITS[0]}
    desk.give(GRIDS[2])  # the west unit in a grid of the east village: two breaches
    found = suggest(desk)
    assert found.is_proven
    desk.take_over(found)
    assert {one.kind for one in desk.certificate().violations} == set()


def test_one_grid_of_a_suggestion_is_taken_over(desk: Desk):
    found = desk.suggest_partition(WEST_VILLAGE, seed=0, has_time=_always)
    assert (found.n_grids, found.bound) == (1, 1)
    (grid,) = set(found.grid_of.values())
    desk.take_over(found, {grid})
    assert {desk.draft.plan_of(unit) for unit in UNITS[:2]} == {grid}
    other = ({GRIDS[0], GRIDS[1]} - {grid}).pop()
    assert other in desk.draft.grids  # empty, but only the whole suggestion retires it


def test_suggestions_leave_locked_grids_alone(desk: Desk):
    desk.locked = {GRIDS[0], GRIDS[1]}
    with pytest.raises(InputError):
        desk.suggest_partition(WEST_VILLAGE, seed=0, has_time=_always)
    desk.locked = {GRIDS[0]}
    found = desk.suggest_partition(WEST_VILLAGE, seed=0, has_time=_always)
    assert dict(found.grid_of) == {UNITS[1]: GRIDS[1]}


def _drawn(desk: Desk, plan: dict[str, str]) -> gpd.GeoDataFrame:
    shapes = gpd.GeoSeries({unit: desk.draft.shape(unit) for unit in plan}, crs=METRIC)
    return gpd.GeoDataFrame(geometry=shapes).dissolve(by=[plan[unit] for unit in shapes.index])


def test_a_drawing_from_qgis_becomes_edits_and_says_how_far_it_was_off(desk: Desk):
    plan = dict(zip(UNITS, (GRIDS[0], GRIDS[0], GRIDS[2], EAST_VILLAGE + "005"), strict=True))
    drawn = _drawn(desk, plan)
    drawn.geometry = drawn.buffer(0.4)
    differences = desk.take_drawing(drawn, tolerance_m=2.5)
    assert {str(unit): grid for unit, grid in desk.draft.plan.items()} == plan
    assert differences["offset_m"].max() == pytest.approx(0.4, abs=0.1)


def test_a_drawing_above_the_tolerance_changes_nothing(desk: Desk):
    drawn = _drawn(desk, dict(zip(UNITS, (GRIDS[0], GRIDS[1], GRIDS[2], GRIDS[2]), strict=True)))
    drawn.geometry = drawn.translate(30, 0)
    with pytest.raises(InfeasibleError):
        desk.take_drawing(drawn, tolerance_m=2.5)
    assert not desk.is_changed


def test_what_lies_in_another_village_is_neither_chosen_nor_cut(desk: Desk):
    village = UNITS[0][:12]
    everywhere = shapely.box(*_line((-5000, -5000), (9000, 9000)).bounds)
    n_all, n_here = desk.choose_inside(everywhere), sum(str(unit).startswith(village) for unit in desk.draft.plan)
    desk.look_at(village)
    assert len(desk.chosen) == n_here < n_all
    desk.chosen.clear()
    assert desk.choose_inside(everywhere) == n_here
    desk.look_at("no village")
    assert desk.chosen == set()
    with pytest.raises(InputError, match="0"):
        desk.cut(_line((350, -10), (350, 2010)))
