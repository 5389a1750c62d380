import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.ingest import personal

# A published example number of the standard; the mobile numbers are invented.
IDENTITY, MOBILE = "11010519491231002X", "13912345678"


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("户主姓名", "name"),
        ("户主", "name"),
        ("联系人", "name"),
        ("身份证号码", "identity"),
        ("公民身份号码", "identity"),
        ("联系电话", "phone"),
        ("手机号", "phone"),
        ("head_of_household", "name"),
        ("Mobile", "phone"),
        ("ID card", "identity"),
        ("出生日期", "private"),
        ("备注", None),
        ("人口数", None),
        ("village_name", None),
    ],
)
def test_personal_headers_are_known(header, kind):
    assert personal.personal_kind(header, pd.Series(["x"], dtype=object)) == kind


@pytest.mark.parametrize(
    ("cell", "kind"), [(IDENTITY, "identity"), (MOBILE, "phone"), (13912345678.0, "phone"), ("甲", None)]
)
def test_personal_content_is_known_under_any_header(cell, kind):
    assert personal.personal_kind("列1", pd.Series([cell, cell, None], dtype=object)) == kind


def test_an_identity_number_needs_its_check_digit():
    assert personal.is_identity_number(IDENTITY)
    wrong = [IDENTITY[:17] + digit for digit in "0123456789"]
    assert not any(personal.is_identity_number(number) for number in wrong)


def test_codes_of_places_are_no_personal_numbers():
    cells = pd.Series(
        ["439901101201", "439901101201001", "4399011012010100", 439901101201.0, "QS-01-0001"], dtype=object
    )
    assert not personal.is_personal(cells).any()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"请联系{MOBILE}。", "请联系〔电话〕。"),
        ("电话139-1234-5678", "电话〔电话〕"),
        ("电话+8613912345678", "电话〔电话〕"),
        ("座机0731-8234567", "座机〔电话〕"),
        (f"证件{IDENTITY}，{MOBILE}", "证件〔证件号〕，〔电话〕"),
        ("请回电１３９１２３４５６７８", "请回电〔电话〕"),
        ("青石乡３号", "青石乡３号"),
        ("事件20260305001", "事件20260305001"),
        ("单号123456789012345678901", "单号123456789012345678901"),
    ],
)
def test_numbers_inside_a_text_are_masked(text, expected):
    assert personal.mask_text(text) == expected


@given(st.text())
def test_masking_twice_is_masking_once(text):
    once = personal.mask_text(text)
    assert personal.mask_text(once) == once


@given(st.text(alphabet="一二三 ，。abc"), st.text(alphabet="一二三 ，。"))
def test_a_telephone_number_never_survives(before, after):
    assert MOBILE not in personal.mask_text(f"{before} {MOBILE}{after}")


def test_a_numeric_cell_is_masked_too():
    assert personal.mask_cell(13912345678.0) == "〔电话〕"
    assert personal.mask_cell(3.0) == 3.0


def test_a_column_says_which_texts_changed():
    texts, is_changed = personal.mask_column(pd.Series(["无", f"电话{MOBILE}", None], dtype=object))
    assert is_changed.tolist() == [False, True, False]
    assert texts[1] == "电话〔电话〕"
