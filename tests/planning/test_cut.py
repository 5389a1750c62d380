"""Cutting units: nothing lost, borders still match, and lines that do not cut are refused."""

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from gridmap.errors import InputError
from gridmap.planning.cut import cut_polygon, with_corners
from gridmap.texts import use_language

SQUARE = shapely.box(0, 0, 100, 100)
RIGHT = shapely.box(100, 0, 200, 100)
U_SHAPE = shapely.Polygon([(0, 0), (100, 0), (100, 100), (70, 100), (70, 30), (30, 30), (30, 100), (0, 100)])


@pytest.fixture(autouse=True)
def _english():
    use_language("en")


def test_a_line_from_side_to_side_cuts_in_two_west_first():
    cut = cut_polygon(SQUARE, shapely.LineString([(30, -10), (30, 110)]))
    assert [piece.area for piece in cut.pieces] == [3000, 7000]
    assert cut.corners.tolist() == [[30, 0], [30, 100]]


def test_a_neighbour_gets_the_new_corners_and_the_coverage_stays_valid():
    cut = cut_polygon(SQUARE, shapely.LineString([(-10, 33), (110, 67)]))
    neighbour = with_corners(RIGHT, cut.corners)
    assert shapely.coverage_is_valid([*cut.pieces, neighbour])
    assert not shapely.coverage_is_valid([*cut.pieces, RIGHT])
    assert with_corners(neighbour, cut.corners).equals_exact(neighbour)
    assert with_corners(shapely.box(500, 0, 600, 100), cut.corners).equals_exact(shapely.box(500, 0, 600, 100))


@pytest.mark.parametrize(
    ("shape", "line", "said"),
    [
        (SQUARE, [(200, 0), (200, 100)], "does not cross"),
        (SQUARE, [(-1, 1.5), (1.5, -1)], "square metre"),
        (SQUARE, [(-50, 50), (50, -50)], "does not cross"),
        (SQUARE, [(0, -10), (0, 110)], "does not cross"),
        (SQUARE, [(50, -10), (50, 50)], "does not cross"),
        (SQUARE, [(-10, 0), (110, 100), (110, 0), (-10, 100)], "crosses itself"),
        (SQUARE, [(50, 50), (50, 50)], "crosses itself"),
        (U_SHAPE, [(-10, 60), (110, 60)], "3 pieces"),
        (SQUARE, [(0.001, -10), (0.001, 110)], "square metre"),
    ],
)
def test_a_line_that_makes_no_two_pieces_is_refused(shape, line, said: str):
    with pytest.raises(InputError, match=said):
        cut_polygon(shape, shapely.LineString(line))


def test_a_hole_stays_a_hole_of_its_piece_or_opens():
    ring = SQUARE.difference(shapely.box(60, 40, 80, 60))
    beside = cut_polygon(ring, shapely.LineString([(30, -10), (30, 110)]))
    assert [len(piece.interiors) for piece in beside.pieces] == [0, 1]
    with pytest.raises(InputError):
        cut_polygon(ring, shapely.LineString([(70, -10), (70, 50)]))


@given(seed=st.integers(0, 100_000))
def test_pieces_add_up_whatever_the_line(seed: int):
    chance = np.random.default_rng(seed)
    angles = np.sort(chance.uniform(0, 2 * np.pi, 9))
    radii = chance.uniform(30, 100, 9)
    shape = shapely.Polygon(np.column_stack([np.cos(angles) * radii, np.sin(angles) * radii]))
    assume(shape.is_valid and shape.area > 100)
    turn = chance.uniform(0, np.pi)
    way = np.array([np.cos(turn), np.sin(turn)]) * 500
    offset = np.array([-way[1], way[0]]) / 500 * chance.uniform(-20, 20)
    try:
        cut = cut_polygon(shape, shapely.LineString([offset - way, offset + way]))
    except InputError:
        return
    assert sum(piece.area for piece in cut.pieces) == pytest.approx(shape.area, rel=1e-9)
    assert shapely.area(shapely.intersection(*cut.pieces)) < 1e-6
    assert shapely.coverage_is_valid(list(cut.pieces))
