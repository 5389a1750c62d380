import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from gridmap.errors import CrsError, InputError
from gridmap.ingest.columns import Part, recognise
from gridmap.ingest.gcj02 import to_gcj02
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given
from gridmap.ingest.shapes import place_shapes, to_metres, to_stored
from gridmap.ingest.tables import RawTable
from tests.ingest.town import EAST_M, METRIC, NORTH_M, box, context

PART = Part(name="grids", columns=(), place="shape")
POLYGONS = ("Polygon", "MultiPolygon")
SQUARE = box(100, 100, 300, 300)


def _ledger(shapes, crs="EPSG:4547"):
    table = RawTable(
        file="a.gpkg",
        name=None,
        headers=(),
        cells=pd.DataFrame(index=range(len(shapes))),
        row_numbers=np.arange(1, 1 + len(shapes)),
        geometries=None if crs == "table" else np.array(shapes, dtype=object),
        crs=crs,
    )
    return Ledger(table, recognise(PART, (), has_geometry=True))


def _place(ledger, *, allowed=POLYGONS, datum=None, crs=None):
    return place_shapes(ledger, Given(context=context(), datum=datum, crs=crs), allowed=allowed)


def _refused(ledger):
    book = ledger.quarantined()
    return dict(zip(book["row_number"], book["reason_code"], strict=True))


def _endless(number):
    with np.errstate(invalid="ignore"):
        return shapely.from_wkt(
            f"POLYGON (({EAST_M} {NORTH_M}, {number} {NORTH_M}, {EAST_M} {NORTH_M + 9}, {EAST_M} {NORTH_M}))"
        )


def _moved(points):
    return [(EAST_M + x, NORTH_M + y) for x, y in points]


def test_a_sound_polygon_arrives_where_it_is():
    ledger = _ledger([SQUARE])
    placed = _place(ledger)
    back = to_metres(placed.geometries, epsg=METRIC)[0]
    assert back.hausdorff_distance(SQUARE) < 1e-6
    assert (placed.crs, placed.datum, ledger.n_open) == ("EPSG:4547", "cgcs2000", 1)


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (None, "missing_geometry"),
        (shapely.Polygon(), "empty_geometry"),
        (shapely.Point(EAST_M, NORTH_M), "wrong_geometry_type"),
        (shapely.GeometryCollection([SQUARE]), "wrong_geometry_type"),
        (shapely.Polygon(_moved([(0, 0), (100, 100), (100, 0), (0, 100)])), "invalid_geometry"),
        (_endless("nan"), "not_finite_geometry"),
        (_endless("1e308"), "not_finite_geometry"),
        (_endless("inf"), "not_finite_geometry"),
        (box(5000, 5000, 5100, 5100), "outside_township"),
        (shapely.transform(SQUARE, lambda points: points + np.array([0, 5e6])), "outside_china"),
    ],
)
def test_a_shape_that_is_none_is_refused(shape, code):
    ledger = _ledger([SQUARE] * 5 + [shape])
    placed = _place(ledger)
    assert _refused(ledger) == {6: code}
    assert shapely.is_valid(placed.geometries[:5]).all()


def test_a_bow_tie_at_the_rim_is_repaired_and_told():
    tie = shapely.Polygon(
        _moved([(0, 0), (300, 0), (300, 300), (150.1, 300), (150, 300.1), (150, 299.9), (150.1, 300.05), (0, 300)])
    )
    assert not tie.is_valid
    ledger = _ledger([tie])
    placed = _place(ledger)
    assert placed.geometries[0].is_valid
    assert to_metres(placed.geometries, epsg=METRIC)[0].area == pytest.approx(tie.area, rel=1e-3)
    assert "repaired, area changed by" in ledger.changed()["change"][0]


def test_what_is_wrong_with_a_shape_is_told_in_words():
    ledger = _ledger([shapely.Point(EAST_M, NORTH_M), shapely.Polygon(_moved([(0, 0), (9, 9), (9, 0), (0, 9)]))])
    _place(ledger)
    first, second = ledger.quarantined()["reason"]
    assert "point" in first
    assert "polygon" in first
    assert "self-intersection" in second


def test_lines_need_a_length():
    lines = [shapely.LineString(_moved([(0, 0), (50, 50)])), shapely.LineString(_moved([(10, 10), (10, 10)]))]
    ledger = _ledger(lines)
    _place(ledger, allowed=("LineString", "MultiLineString"))
    assert _refused(ledger) == {2: "empty_geometry"}


def test_a_whole_layer_with_swapped_axes_is_turned_back():
    degrees = to_stored(np.array([SQUARE, box(400, 400, 500, 500)], dtype=object), epsg=METRIC)
    ledger = _ledger([shapely.transform(shape, lambda points: points[:, ::-1]) for shape in degrees], "EPSG:4490")
    placed = _place(ledger)
    assert shapely.equals_exact(placed.geometries, degrees, 1e-12).all()
    assert len(ledger.changed()) == 2


def test_one_swapped_shape_among_sound_ones_is_refused():
    degrees = to_stored(np.array([SQUARE, SQUARE, SQUARE], dtype=object), epsg=METRIC)
    degrees[1] = shapely.transform(degrees[1], lambda points: points[:, ::-1])
    ledger = _ledger(list(degrees), "EPSG:4490")
    _place(ledger)
    assert _refused(ledger) == {2: "swapped_axes"}


def test_gcj02_is_undone_where_the_person_says_so():
    degrees = to_stored(np.array([SQUARE], dtype=object), epsg=METRIC)
    shifted = shapely.transform(degrees, lambda points: np.column_stack(to_gcj02(*points.T)))
    placed = _place(_ledger(list(shifted), "EPSG:4326"), datum="gcj02")
    assert to_metres(placed.geometries, epsg=METRIC)[0].hausdorff_distance(SQUARE) < 1e-3


@pytest.mark.parametrize(
    ("shapes", "crs", "message"),
    [
        ([SQUARE], None, "has no coordinate system"),
        ([SQUARE], "EPSG:4326", "do not fit its coordinate system `EPSG:4326`"),
        (
            list(to_stored(np.array([SQUARE], dtype=object), epsg=METRIC)),
            "EPSG:4547",
            "do not fit its coordinate system",
        ),
        ([shapely.box(2, 48, 3, 49)], "EPSG:4326", "do not fit its coordinate system"),
        ([SQUARE], "EPSG:2362", "whose shift is not public"),
        ([SQUARE] * 6, "EPSG:4549", "lie outside the township"),
    ],
)
def test_a_wrong_coordinate_system_refuses_the_file(shapes, crs, message):
    with pytest.raises(CrsError, match=message):
        _place(_ledger(shapes, crs))


def test_a_table_without_shapes_is_refused():
    with pytest.raises(InputError, match="has no shapes"):
        _place(_ledger([None], "table"))


def test_axes_are_east_then_north_everywhere():
    assert pyproj.Transformer.from_crs(4490, METRIC, always_xy=True).transform(114, 28)[0] == pytest.approx(
        500_000, abs=1e-6
    )
