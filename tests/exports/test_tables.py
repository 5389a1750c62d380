"""Exported tables open again with the same content, and nothing typed by a person becomes a formula."""

import csv
import io
from datetime import UTC, datetime

import openpyxl
import pandas as pd
import pytest

from gridmap.exports.tables import Column, Sheet, comma_separated, workbook

COLUMNS = [
    Column(name="name", header="网格"),
    Column(name="n", header="户数", kind="count", formula="界线上的住户只计一次"),
    Column(name="share", header="完成率", kind="share"),
    Column(name="mean", header="人均", kind="decimal"),
    Column(name="at", header="最近", kind="instant"),
]
ROWS = pd.DataFrame(
    {
        "name": ["石桥村第1网格", "=1+1", None],
        "n": [12, 0, None],
        "share": [0.5, float("nan"), 1.0],
        "mean": [2.25, 0.0, None],
        "at": [datetime(2026, 11, 23, 9, 30, tzinfo=UTC), pd.NaT, pd.NaT],
    }
)
NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\u200b=cmd|' /C calc'!A0", "＝1+1", "http://x", "{=1}"]


def test_a_workbook_opens_again_with_numbers_as_numbers_and_nothing_for_unknown():
    content = workbook(
        [Sheet(name="网格负荷", rows=ROWS, columns=COLUMNS)], about_sheet="说明", about={"数据截至": "2026-11-23"}
    )
    book = openpyxl.load_workbook(io.BytesIO(content))
    rows = list(book["网格负荷"].iter_rows(values_only=True))
    assert rows[0] == ("网格", "户数", "完成率", "人均", "最近")
    assert rows[1] == ("石桥村第1网格", 12, 0.5, 2.25, datetime(2026, 11, 23, 9, 30))  # noqa: DTZ001  a workbook knows no zone
    assert rows[2][2] is None
    assert rows[3] == (None, None, 1, None, None)
    assert [tuple(row) for row in book["说明"].iter_rows(values_only=True)] == [
        ("数据截至", "2026-11-23"),
        ("户数", "界线上的住户只计一次"),
    ]


@pytest.mark.parametrize("text", NASTY)
def test_typed_text_stays_text_in_excel(text: str):
    content = workbook(
        [Sheet(name="s", rows=pd.DataFrame({"name": [text]}), columns=COLUMNS[:1])], about_sheet="a", about={}
    )
    cell = openpyxl.load_workbook(io.BytesIO(content))["s"]["A2"]
    assert cell.data_type == "s"
    assert cell.hyperlink is None
    # A carriage return is written as XML allows it, and reads back as its escape.
    assert cell.value.replace("_x000D_", "\r") == text


@pytest.mark.parametrize("text", [text for text in NASTY if text not in ("http://x", "{=1}")])
def test_typed_text_is_no_formula_in_csv(text: str):
    content = comma_separated(pd.DataFrame({"name": [text]}), COLUMNS[:1])
    _, (cell,) = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert cell == f"'{text}"


def test_csv_carries_its_mark_and_plain_numbers():
    content = comma_separated(ROWS, COLUMNS)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[1] == ["石桥村第1网格", "12", "0.5", "2.25", "2026-11-23 09:30"]
    assert rows[3] == ["", "", "1.0", "", ""]
