"""Posters: the printed code leads to the grid's form, names stay text, the same input gives the same bytes."""

import io
import re
import zlib
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import segno
from PIL import Image
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from gridmap.errors import InputError
from gridmap.exports.poster import poster_picture, posters, resident_address
from gridmap.reports.posters import PosterReport, poster_report
from tests.busy import EVIL, write_busy_day
from tests.tiny import GRIDS, TOWNSHIP, load_tiny_township

BASE = "https://grid.example.gov.cn:8443"
DAY = date(2026, 10, 15)
# The frame around the code on A4, in mm.
_CODE_MM = (12, 57, 94, 139)
_PPI = 220


def report_of(engine: Engine) -> PosterReport:
    with engine.connect() as connection:
        return poster_report(connection, township_code=TOWNSHIP, on=DAY, grid_members=3)


@pytest.fixture(scope="module")
def report(cluster_url: URL, template_database: str) -> PosterReport:
    """The tiny township's posters on the busy day, read once: most tests only print."""
    admin = create_engine(cluster_url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE posters TEMPLATE {template_database}"))
    engine = create_engine(cluster_url.set(database="posters"), poolclass=NullPool)
    with engine.begin() as connection:
        load_tiny_township(connection)
        write_busy_day(connection)
    return report_of(engine)


def streams(pdf: bytes) -> list[bytes]:
    """Every compressed stream of a PDF, opened."""
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    opened = []
    for raw in found:
        try:
            opened.append(zlib.decompress(raw))
        except zlib.error:
            opened.append(raw)
    return opened


def written(pdf: bytes) -> str:
    """The signs that a PDF's fonts were cut down to: what their maps to Unicode name."""
    maps = [stream for stream in streams(pdf) if b"beginbfchar" in stream]
    codes = re.findall(rb"<[0-9A-Fa-f]+> <([0-9A-Fa-f]+)>", b"\n".join(maps))
    return "".join(bytes.fromhex(code.decode()).decode("utf-16-be") for code in codes)


def modules(picture: bytes) -> np.ndarray:
    """Read the code off a printed page as a camera would: find its three corners, then look at the middle of each module."""
    page = Image.open(io.BytesIO(picture)).convert("L")
    box = tuple(round(mm / 25.4 * _PPI) for mm in _CODE_MM)
    dark = np.asarray(page.crop(box)) < 128
    inner = np.zeros_like(dark)
    frame = round(4.5 / 25.4 * _PPI)  # the green frame around the code
    inner[frame:-frame, frame:-frame] = dark[frame:-frame, frame:-frame]
    rows, columns = np.flatnonzero(inner.any(axis=1)), np.flatnonzero(inner.any(axis=0))
    top, left, size = rows[0], columns[0], columns[-1] - columns[0] + 1
    edge = inner[top + 1, left:]  # the upper edge of the corner is seven modules long
    module = np.argmin(edge) / 7
    n = round(size / module)
    at = ((np.arange(n) + 0.5) * size / n).astype(int)
    return inner[np.ix_(top + at, left + at)]


@pytest.mark.parametrize("grid", GRIDS)
def test_the_printed_code_is_the_one_of_the_grid_s_address(report: PosterReport, grid: str):
    seen = modules(poster_picture(report, grid, base_url=BASE, ppi=_PPI))
    wanted = segno.make(f"{BASE}/r/{grid}", error="q", micro=False, boost_error=False).matrix
    assert np.array_equal(seen, np.array([list(row) for row in wanted], dtype=bool))


def test_the_codes_of_two_grids_differ(report: PosterReport):
    first, second = (modules(poster_picture(report, grid, base_url=BASE, ppi=_PPI)) for grid in GRIDS[:2])
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("a3", (842, 1191))])
def test_a_page_a_grid_on_the_paper_that_was_asked_for(report: PosterReport, paper: str, size: tuple[int, int]):
    pdf = posters(report, base_url=BASE, paper=paper)
    assert pdf.startswith(b"%PDF-")
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", b"\n".join([pdf, *streams(pdf)]))
    assert [tuple(round(float(one)) for one in box) for box in boxes] == [size] * len(GRIDS)


def test_the_same_input_gives_the_same_bytes(busy_engine: Engine):
    first, second = (posters(report_of(busy_engine), base_url=BASE, paper="a4") for _ in range(2))
    assert first == second


def test_chinese_signs_are_embedded(report: PosterReport):
    pdf = posters(report, base_url=BASE, paper="a4", grid_codes=[GRIDS[0]])
    assert set("扫码报事西村第网格长员甲") <= set(written(pdf))
    assert any(b"/FontFile3" in part or b"/FontFile2" in part for part in [pdf, *streams(pdf)])


def test_who_left_is_not_named_and_an_empty_team_is_said(report: PosterReport):
    signs = set(written(posters(report, base_url=BASE, paper="a4", grid_codes=[GRIDS[1]])))
    assert set("待补") <= signs
    assert "丙" not in signs


def test_markup_in_a_name_is_printed_as_it_stands(busy_engine: Engine):
    nasty = "#panic(1) $x$ *b* \\ ] " + EVIL
    with busy_engine.begin() as connection:
        connection.execute(text("UPDATE staff SET name = :name WHERE staff_id = 'u2'"), {"name": nasty})
        connection.execute(
            text("UPDATE grid SET name = :name WHERE grid_code = :grid"), {"name": nasty, "grid": GRIDS[0]}
        )
    signs = set(written(posters(report_of(busy_engine), base_url=BASE, paper="a4", grid_codes=[GRIDS[0]])))
    assert set("#$*\\]<>{}") <= signs


def test_a_team_of_many_stays_on_one_page(busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO staff (staff_id, township_code, name) SELECT 'm' || n, :township, '欧阳某某' || n"
                " FROM generate_series(1, 14) AS n"
            ),
            {"township": TOWNSHIP},
        )
        connection.execute(
            text(
                "INSERT INTO posting (staff_id, grid_code, role, valid_from) SELECT 'm' || n, :grid, 'member', DATE '2026-01-01'"
                " FROM generate_series(1, 14) AS n"
            ),
            {"grid": GRIDS[0]},
        )
    pdf = posters(report_of(busy_engine), base_url=BASE, paper="a4", grid_codes=[GRIDS[0]])
    assert len(re.findall(rb"/MediaBox", b"\n".join([pdf, *streams(pdf)]))) == 1


@pytest.mark.parametrize(
    "address",
    ["", "grid.example", "ftp://x", "javascript:alert(1)", "https://x/?a=1", "https://x/#f", "https://用户", "https://a b",
     "https://user:pass@x", "https://" + "x" * 200],
)  # fmt: skip
def test_what_no_phone_can_open_is_refused(address: str):
    with pytest.raises(InputError, match="GRIDMAP_PUBLIC_URL"):
        resident_address(address, GRIDS[0])


def test_an_address_may_have_a_path_and_end_with_a_slash():
    assert resident_address("http://10.0.0.8:8501/grid/", GRIDS[0]) == f"http://10.0.0.8:8501/grid/r/{GRIDS[0]}"


def test_a_grid_that_is_not_in_force_is_refused(report: PosterReport):
    with pytest.raises(InputError, match="439901999201009"):
        posters(report, base_url=BASE, paper="a4", grid_codes=["439901999201009"])


def test_a_paper_that_we_do_not_know_is_refused(report: PosterReport):
    with pytest.raises(InputError, match="a4, a3"):
        posters(report, base_url=BASE, paper="a5")


def test_without_a_plan_there_is_nothing_to_print(report: PosterReport):
    with pytest.raises(InputError, match="发布方案"):
        posters(replace(report, teams={}), base_url=BASE, paper="a4")
