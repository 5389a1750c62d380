import json
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gridmap.errors import InputError
from gridmap.ingest import sandbox, sandbox_child
from gridmap.ingest.limits import Limits
from gridmap.ingest.sandbox import read_vectors, read_workbook, unsafe_drivers
from tests.ingest.town import workbook, write_vector

VRT = """<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource>
<SrcLayer>passwd</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"""


@pytest.fixture
def points():
    return gpd.GeoDataFrame(
        {"name": ["甲", "乙"]}, geometry=[shapely.Point(114, 28), shapely.Point(114.1, 28)], crs=4490
    )


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".shp", ".kml"])
def test_the_safe_formats_are_read(tmp_path, points, ending):
    file = write_vector(points if ending != ".geojson" else points.to_crs(4326), tmp_path / f"a{ending}")
    (table,) = read_vectors(file, limits=Limits())
    assert table.attributes.num_rows == 2
    assert shapely.from_wkb(table.wkb.to_pylist())[1].x == pytest.approx(114.1)
    assert table.crs


@pytest.mark.parametrize("name", ["a.geojson", "a.kml", "a.gpx"])
def test_a_vrt_in_disguise_opens_nothing(tmp_path, name):
    file = tmp_path / name
    file.write_text(VRT)
    with pytest.raises(InputError, match=r"does not match its kind|is wrong"):
        read_vectors(file, limits=Limits())


def test_unsafe_drivers_are_known_and_skipped():
    assert {"OGR_VRT", "CSV", "WFS", "SQLite", "PGDUMP", "HTTP"} <= set(unsafe_drivers())
    assert not set(unsafe_drivers()) & sandbox_child.SAFE_DRIVERS


def test_the_child_refuses_to_work_with_other_drivers(tmp_path, points, monkeypatch):
    monkeypatch.setattr(sandbox, "unsafe_drivers", lambda: ("CSV",))
    with pytest.raises(InputError, match="drivers that are not allowed"):
        read_vectors(write_vector(points, tmp_path / "a.gpkg"), limits=Limits())


def test_truncated_geojson_says_where_it_breaks_off(tmp_path, points):
    file = write_vector(points.to_crs(4326), tmp_path / "a.geojson")
    file.write_text(file.read_text("utf-8")[:-40], "utf-8")
    with pytest.raises(InputError, match=r"breaks off or is wrong .line \d+, column \d+"):
        read_vectors(file, limits=Limits())


def test_text_that_is_no_text_is_refused(tmp_path, points):
    import sqlite3

    file = write_vector(points, tmp_path / "a.gpkg")
    with sqlite3.connect(file) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for trigger in tables:
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("UPDATE a SET name = CAST(X'FFFEFF' AS TEXT)")
    database.close()
    with pytest.raises(InputError, match="neither UTF-8 nor GB18030"):
        read_vectors(file, limits=Limits())


def test_too_many_columns_and_rows_are_refused(tmp_path, points):
    file = write_vector(points.assign(a=1, b=2), tmp_path / "a.gpkg")
    with pytest.raises(InputError, match="has 3 columns, more than the limit of 2"):
        read_vectors(file, limits=Limits(max_columns=2))
    with pytest.raises(InputError, match="more than 1 rows"):
        read_vectors(file, limits=Limits(max_rows=1))


def test_memory_is_limited(tmp_path, points):
    with pytest.raises(InputError, match="beyond the limits"):
        read_vectors(write_vector(points, tmp_path / "a.gpkg"), limits=Limits(memory_mb=120))


def test_waiting_is_limited(tmp_path, points):
    with pytest.raises(InputError, match="took more than"):
        read_vectors(write_vector(points, tmp_path / "a.gpkg"), limits=Limits(wall_s=0.001))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process so")
def test_a_sheet_with_a_cell_in_the_last_corner_does_not_eat_the_machine(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active["A1"] = "a"
    book.active["XFD1048576"] = "end"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match=r"beyond the limits|more than"):
        read_workbook(tmp_path / "a.xlsx", limits=Limits(memory_mb=600))


def test_cells_keep_their_kinds(tmp_path):
    import datetime as dt

    file = workbook(
        tmp_path / "a.xlsx",
        {"一": [[1, 1.5, True, "x", dt.date(2026, 3, 5), dt.datetime.fromisoformat("2026-03-05T08:30:00"), None]]},
    )
    (sheet,) = read_workbook(file, limits=Limits())
    assert sheet.rows == [[1.0, 1.5, True, "x", {"d": "2026-03-05"}, {"t": "2026-03-05T08:30:00"}]]
    assert (sheet.name, sheet.is_visible) == ("一", True)


def test_what_is_no_workbook_is_refused(tmp_path):
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(InputError, match="does not match its kind"):
        read_workbook(file, limits=Limits())


def test_the_child_has_no_network(tmp_path, monkeypatch):
    """The child itself tries to reach the machine's own loopback address."""
    if sys.platform != "linux":
        pytest.skip("only Linux has network namespaces")
    probe = tmp_path / "probe.py"
    source = Path(sandbox_child.__file__).read_text("utf-8").split('if __name__ == "__main__"')[0]
    probe.write_text(
        source
        + """
import socket, errno
_limit(json.loads(Path("job.json").read_text("utf-8")))
server = socket.socket()
try:
    socket.create_connection(("127.0.0.1", 9), 1)
    reached = "yes"
except OSError as error:
    reached = errno.errorcode[error.errno]
Path("out.json").write_text(json.dumps({"reached": reached}), "utf-8")
""",
        "utf-8",
    )
    monkeypatch.setattr(sandbox, "_CHILD", probe)
    work = tmp_path / "work"
    work.mkdir()
    answer = sandbox._run(work, {"kind": "drivers"}, limits=Limits(), name="probe")
    if answer["reached"] == "ECONNREFUSED":
        pytest.skip("this system does not let a process leave its network")
    assert answer["reached"] == "ENETUNREACH"
    assert json.loads((work / "job.json").read_text("utf-8"))["kind"] == "drivers"
