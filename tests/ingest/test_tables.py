import datetime as dt

import openpyxl
import pytest

from gridmap.errors import InputError
from gridmap.ingest.columns import Column, Part
from gridmap.ingest.limits import Limits
from gridmap.ingest.tables import read_csv, read_sheets
from tests.ingest.town import workbook

PART = Part(name="staff", columns=(Column(target="code", headers=("编号",)), Column(target="name", headers=("名称",))))


def _csv(tmp_path, text, encoding="utf-8", **limits):
    file = tmp_path / "a.csv"
    file.write_bytes(text.encode(encoding))
    return read_csv(file, name="a.csv", parts=[PART], mapping=None, limits=Limits(**limits))


def _sheets(file, **limits):
    return read_sheets(file, name=file.name, parts=[PART], mapping=None, limits=Limits(**limits))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_encoding_and_separator_are_found(tmp_path, encoding, separator):
    table = _csv(tmp_path, f"编号{separator}名称\n1{separator}甲\n2{separator}\n", encoding)
    assert table.headers == ("编号", "名称")
    assert table.cells.to_numpy().tolist() == [["1", "甲"], ["2", None]]
    assert table.row_numbers.tolist() == [2, 3]


def test_titles_above_the_header_and_blank_rows_are_skipped(tmp_path):
    table = _csv(tmp_path, "青石乡一览表,\n\n编号,名称\n1,甲\n,\n2,乙\n")
    assert table.headers == ("编号", "名称")
    assert table.row_numbers.tolist() == [4, 6]


def test_cells_beyond_the_header_are_marked(tmp_path):
    assert _csv(tmp_path, "编号,名称\n1,甲\n2,乙,丙\n3,丁,,\n").overlong == (1,)


def test_quotes_hold_commas_and_newlines(tmp_path):
    table = _csv(tmp_path, '编号,名称\n1,"甲,乙\n丙"\n')
    assert table.column("名称").tolist() == ["甲,乙\n丙"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('编号,名称\n1,"甲\n', "broken near line"),
        ("编号,名称\n1,a\0b\n", "does not match its kind"),
        (",,\n,,\n", "is empty"),
        (",".join(f"c{n}" for n in range(101)) + "\n1\n", "has 101 columns, more than the limit of 100"),
    ],
)
def test_broken_tables_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        _csv(tmp_path, text)


def test_too_many_rows_are_refused(tmp_path):
    with pytest.raises(InputError, match="more than 5 rows"):
        _csv(tmp_path, "编号,名称\n" + "1,a\n" * 50, max_rows=5)


def test_one_hundred_columns_are_still_read(tmp_path):
    assert len(_csv(tmp_path, ",".join(f"c{n}" for n in range(100)) + "\n1\n").headers) == 100


def test_dates_and_numbers_of_a_sheet_keep_their_kinds(tmp_path):
    file = workbook(tmp_path / "a.xlsx", {"表": [["编号", "名称"], [1, dt.date(2026, 3, 5)], ["x", None]]})
    (table,) = _sheets(file)
    assert table.name == "表"
    assert table.cells.to_numpy().tolist() == [[1.0, dt.date(2026, 3, 5)], ["x", None]]


def test_a_merged_header_is_refused_with_its_cell(tmp_path):
    file = workbook(tmp_path / "a.xlsx", {"表": [["编号", "名称", None], [1, "甲", 2]]}, merge="B1:C1")
    with pytest.raises(InputError, match=r"Sheet `表` of `a\.xlsx` has merged cells in its header \(B1\)"):
        _sheets(file)


def test_a_merged_title_above_the_header_is_harmless(tmp_path):
    file = workbook(tmp_path / "a.xlsx", {"表": [["一览表", None], ["编号", "名称"], [1, "甲"]]}, merge="A1:B1")
    assert _sheets(file)[0].row_numbers.tolist() == [3]


def test_merged_data_cells_are_spread_and_told(tmp_path):
    file = workbook(tmp_path / "a.xlsx", {"表": [["编号", "名称"], [1, "甲"], [2, None], [3, "乙"]]}, merge="B2:B3")
    (table,) = _sheets(file)
    assert table.column("名称").tolist() == ["甲", "甲", "乙"]
    assert table.changes == ((3, "value `甲` of the merged cell B2"),)


def test_hidden_and_empty_sheets(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["编号", "名称"])
    book.create_sheet("空")
    hidden = book.create_sheet("藏")
    hidden.append(["编号"])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    assert [(table.name, table.is_visible) for table in _sheets(tmp_path / "a.xlsx")] == [
        ("Sheet", True),
        ("藏", False),
    ]


def test_a_workbook_without_cells_is_refused(tmp_path):
    with pytest.raises(InputError, match="is empty"):
        _sheets(workbook(tmp_path / "a.xlsx", {"空": []}))
