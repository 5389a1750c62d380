import io
import stat
import zipfile

import pytest

from gridmap.errors import InputError
from gridmap.ingest.archives import require_sound_workbook, unpack
from gridmap.ingest.limits import Limits
from tests.ingest.town import workbook

ENDINGS = frozenset({".shp", ".csv", ".json"})


def _zip(file, members, **options):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data, **options)
    return file


def _unpack(file, tmp_path, **limits):
    into = tmp_path / "into"
    into.mkdir()
    return unpack(file, into, limits=Limits(**limits), endings=ENDINGS)


def test_useful_members_come_out_under_names_of_our_own(tmp_path):
    file = _zip(tmp_path / "a.zip", {"数据/村 界.csv": "a", "数据/说明.docx": "b", "数据/村 界.json": "{}"})
    members = _unpack(file, tmp_path)
    assert [member.name for member in members] == ["村 界.csv", "村 界.json"]
    assert [member.path.name for member in members] == ["member_0.csv", "member_0.json"]


def test_names_in_gbk_are_read(tmp_path):
    # zipfile itself writes UTF-8 names; other programs write GBK bytes, which read as cp437.
    info = zipfile.ZipInfo("xxxxxx.csv")
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(info, "a")
    file.write_bytes(file.read_bytes().replace(b"xxxxxx", "石桥村".encode("gbk")))
    assert [member.name for member in _unpack(file, tmp_path)] == ["石桥村.csv"]


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "C:/evil.csv", "..\\evil.csv"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="points outside"):
        _unpack(_zip(tmp_path / "a.zip", {name: "a"}), tmp_path)
    assert list((tmp_path / "into").iterdir()) == []


def test_links_are_refused(tmp_path):
    info = zipfile.ZipInfo("link.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="holds a link"):
        _unpack(file, tmp_path)


def test_a_bomb_by_ratio_is_refused(tmp_path):
    with pytest.raises(InputError, match="unpacks to too much"):
        _unpack(_zip(tmp_path / "a.zip", {"a.csv": b"\0" * 3_000_000}), tmp_path)


def test_a_bomb_by_declared_size_is_refused(tmp_path):
    file = _zip(tmp_path / "a.zip", {f"{n}.csv": b"0123456789" * 1000 for n in range(5)})
    with pytest.raises(InputError, match="unpacks to too much"):
        _unpack(file, tmp_path, max_unpacked_bytes=20_000)


def test_a_bomb_that_lies_about_its_size_is_counted_or_refused(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", b"\0" * 500_000)
    lie = data.getvalue().replace((500_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    file = tmp_path / "a.zip"
    file.write_bytes(lie)
    with pytest.raises(InputError, match="zip"):
        _unpack(file, tmp_path, max_unpacked_bytes=100_000)


def test_too_many_members_are_refused(tmp_path):
    with pytest.raises(InputError, match="has 6 files, more than the limit of 5"):
        _unpack(_zip(tmp_path / "a.zip", {f"{n}.csv": "a" for n in range(6)}), tmp_path, max_members=5)


def test_a_damaged_zip_is_refused(tmp_path):
    file = tmp_path / "a.zip"
    file.write_bytes(_zip(tmp_path / "b.zip", {"a.csv": b"abc" * 1000}).read_bytes()[:-30])
    with pytest.raises(InputError, match="damaged"):
        _unpack(file, tmp_path)


def test_damaged_content_is_refused(tmp_path):
    file = _zip(tmp_path / "a.zip", {"a.csv": bytes(range(256)) * 50})
    data = bytearray(file.read_bytes())
    data[60:90] = b"\xff" * 30
    file.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        _unpack(file, tmp_path)


def test_a_workbook_passes_and_one_with_entities_does_not(tmp_path):
    good = workbook(tmp_path / "a.xlsx", {"s": [["a"]]})
    require_sound_workbook(good, limits=Limits())
    laughs = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><worksheet>&lol2;</worksheet>'
    bad = tmp_path / "b.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for info in source.infolist():
            is_sheet = info.filename == "xl/worksheets/sheet1.xml"
            target.writestr(info.filename, laughs if is_sheet else source.read(info))
    with pytest.raises(InputError, match="document type"):
        require_sound_workbook(bad, limits=Limits())


def test_a_zip_that_is_no_workbook_is_refused(tmp_path):
    with pytest.raises(InputError, match="no Excel workbook"):
        require_sound_workbook(_zip(tmp_path / "a.xlsx", {"a.csv": "a"}), limits=Limits())
