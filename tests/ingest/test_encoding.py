import codecs

import pytest

from gridmap.errors import InputError
from gridmap.ingest.encoding import decode_text, decode_values, is_utf16

TEXT = "编号,名称\n1,石桥村\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8-sig"),
        (TEXT.encode("gbk"), "gb18030"),
        (TEXT.encode("gb18030"), "gb18030"),
        (b"id,name\n", "utf-8"),
    ],
)
def test_the_encoding_of_a_text_is_found(data, encoding):
    text, found = decode_text(data, file="a.csv")
    assert found == encoding
    assert text in {TEXT, "id,name\n"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_is_refused_with_a_remedy(encoding):
    data = ("id,name,note\n" * 20).encode(encoding)
    assert is_utf16(data)
    with pytest.raises(InputError, match=r"`a\.csv` is UTF-16\. Save it as UTF-8"):
        decode_text(data, file="a.csv")


def test_bytes_of_no_encoding_are_refused():
    with pytest.raises(InputError, match="neither UTF-8 nor GB18030"):
        decode_text(b"\xff\xff\xff", file="a.csv")


def _values(encoding):
    return [text.encode(encoding) for text in ("石桥村", "二组", "望江组")]


@pytest.mark.parametrize(
    ("stored", "cpg", "expected"),
    [
        ("gbk", None, "gb18030"),
        ("gbk", "936", "gbk"),
        ("gbk", "UTF-8", "gb18030"),
        ("utf-8", None, "utf-8"),
        ("utf-8", "GBK", "utf-8"),
        ("utf-8", "nonsense", "utf-8"),
        ("gb18030", "GB18030", "gb18030"),
    ],
)
def test_a_dbf_is_decoded_and_its_cpg_believed_only_when_right(stored, cpg, expected):
    texts, encoding, cut = decode_values([*_values(stored), None], cpg=cpg, file="a.shp")
    assert texts == ["石桥村", "二组", "望江组", None]
    assert (encoding, cut) == (expected, [])


def test_gbk_that_happens_to_be_utf8_is_not_taken_for_it():
    texts, _, _ = decode_values(["联通".encode("gbk")], cpg=None, file="a.shp")
    assert texts == ["联通"]


def test_a_character_cut_by_the_field_width_is_dropped_and_told():
    texts, _, cut = decode_values(["石桥村".encode("gbk")[:5], b"ok"], cpg=None, file="a.shp")
    assert texts == ["石桥", "ok"]
    assert cut == [0]


def test_a_dbf_of_no_encoding_is_refused():
    with pytest.raises(InputError, match="neither"):
        decode_values([b"\xff\xff\xffabc"], cpg=None, file="a.shp")
