import datetime as dt

import numpy as np
import pandas as pd
import pytest

from gridmap.ingest.columns import Column, Part, recognise
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.tables import RawTable

PART = Part(
    name="staff",
    columns=(
        Column(target="code", headers=("编号",)),
        Column(target="n", headers=("人数",), is_required=False),
        Column(target="note", headers=("备注",), is_required=False),
        Column(target="day", headers=("日期",), is_required=False),
    ),
)


def _ledger(rows, headers=("编号", "人数", "备注", "日期"), **more):
    table = RawTable(
        file="a.xlsx",
        name="表",
        headers=headers,
        cells=pd.DataFrame(rows, columns=range(len(headers)), dtype=object),
        row_numbers=np.arange(2, 2 + len(rows)),
        **more,
    )
    return Ledger(table, recognise(PART, headers))


def _refused(ledger):
    book = ledger.quarantined()
    return list(zip(book["row_number"], book["reason_code"], strict=True))


def test_a_row_is_refused_once_for_its_first_fault():
    ledger = _ledger([["a", 1, None, None], [None, "约100", None, None]])
    ledger.code("code")
    ledger.whole("n", low=0, high=50)
    assert _refused(ledger) == [(3, "missing_value")]
    assert ledger.n_open == 1


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("约100", "not_a_number"),
        (-3, "out_of_range"),
        (900, "out_of_range"),
        (2.5, "not_whole"),
        ("NaN", "not_finite"),
        ("Infinity", "not_finite"),
        (1e308, "out_of_range"),
        (None, "missing_value"),
        ("无", "missing_value"),
        (True, "not_a_number"),
    ],
)
def test_a_count_that_is_no_count_is_refused(cell, code):
    ledger = _ledger([["a", cell, None, None]])
    ledger.whole("n", low=0, high=50)
    assert _refused(ledger) == [(2, code)]


def test_a_blank_count_can_have_a_meaning():
    assert _ledger([["a", None, None, None]]).whole("n", low=0, high=50, blank=0).tolist() == [0.0]


def test_a_refused_row_keeps_its_raw_cells_without_personal_columns():
    headers = ("编号", "人数", "户主姓名", "备注")
    ledger = _ledger([["a", "约100", "张三", "电话13912345678"]], headers)
    ledger.whole("n", low=0, high=50)
    (row,) = ledger.quarantined()["row"]
    assert row == {"编号": "a", "人数": "约100", "备注": "电话〔电话〕"}
    assert ledger.quarantined()["reason"].tolist() == ["`约100` in `人数` is no definite number"]


def test_the_reason_itself_shows_no_telephone_number():
    ledger = _ledger([["a", "13912345678转2", None, None]])
    ledger.whole("n", low=0, high=50)
    assert "13912345678" not in ledger.quarantined()["reason"][0]


def test_dates_in_the_row_are_json():
    ledger = _ledger([[None, 1.0, None, dt.date(2026, 3, 5)]])
    ledger.code("code")
    assert ledger.quarantined()["row"][0] == {"编号": None, "人数": 1.0, "备注": None, "日期": "2026-03-05"}


def test_changes_are_booked_for_taken_rows_only():
    ledger = _ledger([["a", "４", None, None], [None, "５", None, None]])
    ledger.whole("n", low=0, high=50)
    ledger.code("code")
    assert ledger.changed().to_dict("records") == [{"row_number": 2, "sheet": "表", "change": "`人数`: `４` → `4`"}]


def test_rows_that_repeat_in_every_column_are_duplicates():
    ledger = _ledger(
        [
            ["a", 1, None, None],
            ["b", 1, None, None],
            ["a", 1, None, None],
            ["a", "1", None, None],
            ["a", True, None, None],
        ]
    )
    ledger.refuse_duplicates()
    assert _refused(ledger) == [(4, "duplicate")]
    assert ledger.quarantined()["reason"][0] == "the same as row 2 in every column"


def test_the_first_row_of_a_key_stands_and_refused_rows_do_not_count():
    ledger = _ledger([["a", "约1", None, None], ["a", 2, None, None], ["a", 3, None, None]])
    ledger.whole("n", low=0, high=50)
    ledger.refuse_repeated(ledger.code("code"), target="code")
    assert _refused(ledger) == [(2, "not_a_number"), (4, "repeated_key")]


def test_texts_are_masked_and_codes_that_are_personal_are_refused():
    ledger = _ledger([["a", 1, "请打13912345678", None], ["11010519491231002X", 1, None, None]])
    assert ledger.text("note")[0] == "请打〔电话〕"
    ledger.code("code")
    assert _refused(ledger) == [(3, "personal_value")]
    assert ledger.quarantined()["row"][0]["编号"] == "〔证件号〕"
    assert ledger.changed()["change"].tolist() == ["`备注`: an identity or telephone number in it was masked"]


def test_rows_with_cells_beyond_the_header_are_refused():
    assert _refused(_ledger([["a", 1, None, None]], overlong=(0,))) == [(2, "too_many_cells")]


def test_a_column_that_is_not_there_is_blank():
    ledger = _ledger([["a"]], ("编号",))
    assert ledger.text("note").tolist() == [None]
    assert ledger.day("day", is_required=False).tolist() == [None]
    assert ledger.n_open == 1
