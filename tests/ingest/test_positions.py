import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.errors import CrsError, InputError
from gridmap.ingest.columns import Column, Part, recognise
from gridmap.ingest.datum import DatumUnknown
from gridmap.ingest.gcj02 import to_bd09, to_gcj02
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given, accepted_crs, place_points
from gridmap.ingest.tables import RawTable
from tests.ingest.town import EAST_M, NORTH_M, context, degrees, to_stored

PART = Part(name="checkpoints", columns=(Column(target="code", headers=("编号",), is_required=False),), place="point")
RNG = np.random.default_rng(8)
HOMES = RNG.uniform(100, 1900, (60, 2))
LON, LAT = degrees(HOMES[:, 0], HOMES[:, 1]).T


def _known():
    homes = gpd.GeoSeries(to_stored([shapely.Point(EAST_M + x, NORTH_M + y) for x, y in HOMES]))
    return context(landmarks={"households": homes})


def _table(first, second, headers=("经度", "纬度"), **more):
    cells = pd.DataFrame({0: list(first), 1: list(second)}, dtype=object)
    table = RawTable(
        file="a.csv", name=None, headers=headers, cells=cells, row_numbers=np.arange(2, 2 + len(cells)), **more
    )
    return Ledger(table, recognise(PART, headers))


def _shapes(geometries, crs="EPSG:4490"):
    table = RawTable(
        file="a.gpkg",
        name=None,
        headers=(),
        cells=pd.DataFrame(index=range(len(geometries))),
        row_numbers=np.arange(1, 1 + len(geometries)),
        geometries=np.array(geometries, dtype=object),
        crs=crs,
    )
    return Ledger(table, recognise(PART, (), has_geometry=True))


def _place(ledger, *, known=None, datum=None, crs=None, **options):
    return place_points(ledger, Given(context=known or context(), datum=datum, crs=crs), **options)


def _refused(ledger):
    book = ledger.quarantined()
    return dict(zip(book["row_number"], book["reason_code"], strict=True))


def _is_home(placed):
    points = shapely.get_coordinates(placed.geometries)
    return np.abs(points - np.column_stack([LON, LAT])).max() < 1e-8


@pytest.mark.parametrize(
    ("datum", "shift"), [("cgcs2000", lambda x, y: (x, y)), ("gcj02", to_gcj02), ("bd09", to_bd09)]
)
def test_the_datum_is_found_and_undone(datum, shift):
    ledger = _table(*shift(LON, LAT))
    placed = _place(ledger, known=_known())
    assert placed.datum == datum
    assert _is_home(placed)
    assert "decided by the fit of" in placed.notes[0]
    assert placed.raw_x.tolist() == shift(LON, LAT)[0].tolist()


def test_an_unknown_datum_is_asked_for():
    with pytest.raises(DatumUnknown, match=r"`a\.csv` does not say the datum .* `--datum`"):
        _place(_table(LON, LAT))


def test_the_person_is_believed():
    placed = _place(_table(*to_gcj02(LON, LAT)), datum="gcj02")
    assert placed.datum == "gcj02"
    assert _is_home(placed)


def test_a_datum_in_the_header_is_believed_but_checked():
    headers = ("高德经度", "高德纬度")
    assert _is_home(_place(_table(*to_gcj02(LON, LAT), headers)))
    with pytest.raises(
        InputError, match="declares the datum `gcj02`, but its points lie on known things as `cgcs2000`"
    ):
        _place(_table(LON, LAT, headers), known=_known())


def test_a_file_that_says_wgs84_and_is_gcj02_is_refused():
    points = list(shapely.points(*to_gcj02(LON, LAT)))
    with pytest.raises(InputError, match="declares the datum `wgs84`"):
        _place(_shapes(points, "EPSG:4326"), known=_known())


def test_a_whole_file_of_swapped_degrees_is_turned_back_and_told():
    ledger = _table(LAT, LON)
    placed = _place(ledger, datum="cgcs2000")
    assert _is_home(placed)
    assert len(ledger.changed()) == len(LON)
    assert placed.raw_x.tolist() == LAT.tolist()


def test_single_rows_of_swapped_degrees_are_refused():
    lon, lat = LON.copy(), LAT.copy()
    lon[3], lat[3] = LAT[3], LON[3]
    ledger = _table(lon, lat)
    _place(ledger, datum="cgcs2000")
    assert _refused(ledger) == {5: "swapped_axes"}


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (None, None, "missing_coordinates"),
        (114.0, None, "half_coordinates"),
        (0, 0, "zero_coordinates"),
        ("NaN", 27.9, "not_finite"),
        ("Infinity", 27.9, "not_finite"),
        (1e308, 27.9, "outside_china"),
        (2.35, 48.86, "outside_china"),
        ("约114", 27.9, "not_a_number"),
        (116.4, 39.9, "outside_township"),
        (27.9, 113.8, "swapped_axes"),
    ],
)
def test_a_place_that_is_none_is_refused(lon, lat, code):
    ledger = _table([*LON, lon], [*LAT, lat])
    placed = _place(ledger, datum="cgcs2000")
    assert _refused(ledger) == {62: code}
    assert shapely.is_valid(placed.geometries[:-1]).all()


@pytest.mark.parametrize(("east", "is_taken"), [(-150, True), (-250, False), (2150, True), (2250, False)])
def test_two_hundred_metres_outside_are_tolerated(east, is_taken):
    (lon, lat), *_ = degrees([east], [1000])
    ledger = _table([lon], [lat])
    _place(ledger, datum="cgcs2000")
    assert (ledger.n_open == 1) is is_taken


def test_nearly_all_rows_outside_are_a_wrong_coordinate_system():
    with pytest.raises(CrsError, match=r"60 of the 60 places in `a\.csv` lie outside the township"):
        _place(_table(LON + 3, LAT), datum="cgcs2000")


def test_zero_can_mean_no_location():
    ledger = _table([0, 0, LON[0]], [0, 0, LAT[0]], datum="gcj02")
    may_be_zero = np.array([True, False, False])
    placed = _place(ledger, datum="cgcs2000", is_required=False, may_be_zero=may_be_zero)
    assert placed.geometries[0] is None
    assert np.isnan(placed.raw_x[0])
    assert _refused(ledger) == {3: "zero_coordinates"}


def test_metres_with_and_without_zone_and_either_way_round():
    east, north = EAST_M + HOMES[:, 0], NORTH_M + HOMES[:, 1]
    for first, second, headers in (
        (east + 38e6, north, ("横坐标Y", "纵坐标X")),
        (east, north, ("x", "y")),
        (north, east + 38e6, ("X坐标", "Y坐标")),
    ):
        placed = _place(_table(first, second, headers))
        assert _is_home(placed)
        assert placed.crs in {"EPSG:4526", "EPSG:4547"}
        assert placed.datum == "cgcs2000"


def test_a_single_row_of_swapped_metres_is_refused():
    east, north = EAST_M + 38e6 + HOMES[:, 0], NORTH_M + HOMES[:, 1]
    east[7], north[7] = north[7], east[7]
    ledger = _table(east, north, ("横坐标Y", "纵坐标X"))
    _place(ledger)
    assert _refused(ledger) == {9: "swapped_axes"}


def test_point_geometries_are_places_and_others_are_not():
    shapes = [
        *shapely.points(LON, LAT),
        shapely.MultiPoint([(LON[0], LAT[0])]),
        shapely.LineString([(114, 28), (114, 28.1)]),
        None,
    ]
    ledger = _shapes([*shapes, shapely.Point(), shapely.Point(np.nan, 28)])
    placed = _place(ledger)
    assert _refused(ledger) == {
        62: "wrong_geometry_type",
        63: "missing_coordinates",
        64: "missing_coordinates",
        65: "not_finite_geometry",
    }
    assert placed.geometries[60].equals(shapely.Point(LON[0], LAT[0]))


def test_geometries_without_a_crs_are_refused():
    with pytest.raises(CrsError, match="has no coordinate system"):
        _place(_shapes(list(shapely.points(LON, LAT)), None))
    assert _is_home(_place(_shapes(list(shapely.points(LON, LAT)), None), crs="EPSG:4490"))


def test_metres_that_claim_to_be_degrees_are_refused():
    shapes = [shapely.Point(EAST_M + x, NORTH_M + y) for x, y in HOMES]
    with pytest.raises(CrsError, match="do not fit its coordinate system `EPSG:4326`"):
        _place(_shapes(shapes, "EPSG:4326"))
    assert _is_home(_place(_shapes(shapes, "EPSG:4547")))


@pytest.mark.parametrize(
    "crs", ["EPSG:4490", "EPSG:4326", "EPSG:4526", "EPSG:4547", "EPSG:3857", "EPSG:32650", "OGC:CRS84"]
)
def test_cgcs2000_and_wgs84_are_accepted(crs):
    assert accepted_crs(crs, file="a") is not None


def test_the_crs_of_a_chinese_prj_is_accepted():
    prj = (
        'PROJCS["CGCS2000_3_Degree_GK_CM_114E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",'
        'SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
        'PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],'
        'PARAMETER["Central_Meridian",114.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],'
        'UNIT["Meter",1.0]]'
    )
    assert accepted_crs(prj, file="a") is not None


@pytest.mark.parametrize("crs", ["EPSG:4610", "EPSG:4214", "EPSG:2362", "EPSG:2433", "EPSG:4555"])
def test_older_datums_are_refused(crs):
    with pytest.raises(CrsError, match="whose shift is not public"):
        accepted_crs(crs, file="a")


def test_nonsense_is_no_crs():
    with pytest.raises(CrsError, match="cannot be understood"):
        accepted_crs("EPSG:999999", file="a")
