from datetime import date

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


@pytest.mark.parametrize(
    "written",
    [
        "138 1234 5678", "138-1234-5678", "１３８－１２３４－５６７８", "138　1234　5678", "138—1234—5678", "1381 234 5678", "13812 345678",
        "+86 138 1234 5678", "0086-13812345678", "(+86)13812345678", "138.1234.5678", "0716-5123456", "07165123456",
        "（0716）512-3456", "027 8765 4321", "010-87654321",
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "电话：{}。", "（{}）", "1.{}，", "①{}；", "“{}”、"])
def test_telephone_numbers_are_masked_as_people_write_them(written: str, around: str):
    assert personal.mask_text(around.format(written)) == around.format("〔电话〕")


@pytest.mark.parametrize(
    "written",
    [
        IDENTITY, "11010519491231002x", "110105 19491231 002X", "1101 0519 4912 3100 2X", "110105-19491231-002X",
        "１１０１０５１９４９１２３１００２Ｘ", "110105491231002", "110105 491231 002", "１１０１０５４９１２３１００２",
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "身份证号：{}，", "（{}）"])
def test_identity_numbers_are_masked_as_people_write_them(written: str, around: str):
    assert personal.mask_text(around.format(written)) == around.format("〔证件号〕")


@pytest.mark.parametrize(
    "text",
    [
        "事件439901999-20261125-0001重复", "130102101-20261125-0001", "439901101201003网格", "130102101201003", "1301021012010100",
        "430602201230015", "2026-11-25 08:30-12:00,14:30-17:30", "0830-1200,1430-1730", "15 2026-11-25 8点", "113.13912345678",
        "110105 19491231 0021", "赔偿1350元，共12345678元", "H13912345678A", "110105531331002", "QS-01-0001",
    ],
)  # fmt: skip
def test_numbers_of_incidents_places_times_and_sums_stay(text: str):
    assert personal.mask_text(text) == text


_COUNTY = st.integers(110000, 659999).map(str)
_OURS = st.one_of(
    st.builds(
        "{}{:03d}-{}-{:04d}".format,
        _COUNTY,
        st.integers(1, 299),
        st.dates(min_value=date(2000, 1, 1)).map("{:%Y%m%d}".format),
        st.integers(1, 9999),
    ),
    st.builds("{}{:03d}{:03d}{:03d}".format, _COUNTY, st.integers(1, 299), st.integers(1, 399), st.integers(1, 999)),
    st.builds("{}{:03d}{:03d}{:02d}".format, _COUNTY, st.integers(1, 299), st.integers(1, 399), st.integers(1, 99)),
    st.builds("{}{:03d}{:03d}".format, _COUNTY, st.integers(1, 299), st.integers(1, 399)),
    st.dates(min_value=date(2000, 1, 1)).map("{:%Y-%m-%d 08:30}".format),
    st.integers(0, 999_999).map("{}元".format),
)


@given(st.lists(st.one_of(_OURS, st.text(alphabet="一二三、，。（）：abc "))))
def test_a_text_without_personal_numbers_is_not_changed(parts: list[str]):
    text = "，".join(parts)
    assert personal.mask_text(text) == text


@given(st.text(), st.text(alphabet="一二三 ，。"))
def test_what_is_no_number_stays_around_one(before: str, after: str):
    assert personal.mask_text(f"{before}，{IDENTITY}{after}").endswith(f"〔证件号〕{after}")


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
