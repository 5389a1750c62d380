import zipfile

import pytest

from gridmap.errors import InputError
from gridmap.ingest.files import open_files
from gridmap.ingest.limits import Limits
from tests.ingest.town import areas_file, workbook

OLE = bytes.fromhex("D0CF11E0A1B11AE1")


def _open(tmp_path, *files, **limits):
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    return open_files(files, limits=Limits(**limits), work=work)


def _write(tmp_path, name, data):
    file = tmp_path / name
    file.write_bytes(data)
    return file


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b" \n ", "is empty"),
        ("a.xlsx", b"%PDF-1.7 ...", "really a PDF file, not .xlsx"),
        ("a.csv", b"\x89PNG\r\n", "really a PNG file"),
        ("a.xlsx", OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        ("a.xlsx", OLE + b"\0" * 600, "an old Excel file"),
        ("a.xlsx", b"<html><table>", "no Excel workbook"),
        ("a.geojson", b"<OGRVRTDataSource/>", "does not hold JSON"),
        ("a.geojson", '{"type": "FeatureCollection"}'.encode("utf-16"), "is UTF-16"),
        ("a.json", b"name,x\n", "does not hold JSON"),
        ("a.gpkg", b"not a database", "does not match its kind"),
        ("a.kml", b"<!DOCTYPE kml [<!ENTITY a 'b'>]><kml/>", "document type"),
        ("a.gpx", "<gpx/>".encode("utf-16"), "is UTF-16"),
        ("a.shp", b"\0\0\x27\x0a", r"lacks \.shx \.dbf"),
        ("a.dbf", b"\x03", "only a part of a shapefile"),
        ("a.xls", OLE + b"\0" * 600, "an old Excel file"),
        ("a.docx", b"PK\x03\x04", "kind that cannot be read"),
        ("a.zip", b"PK\x05\x06" + b"\0" * 18, "holds no file that can be loaded"),
        ("a.zip", b"nonsense", "damaged"),
    ],
)
def test_files_that_are_not_what_they_seem_are_refused(tmp_path, name, data, message):
    with pytest.raises(InputError, match=message):
        _open(tmp_path, _write(tmp_path, name, data))


def test_a_folder_a_missing_file_and_no_file_are_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        _open(tmp_path, tmp_path)
    with pytest.raises(InputError, match="There is no file"):
        _open(tmp_path, tmp_path / "none.csv")
    with pytest.raises(InputError, match="No file was given"):
        _open(tmp_path)


def test_files_above_the_limit_are_refused_together(tmp_path):
    files = [_write(tmp_path, f"{n}.csv", b"a" * 600_000) for n in range(2)]
    with pytest.raises(InputError, match="has 1 MB, more than the limit of 1 MB"):
        _open(tmp_path, *files, max_bytes=1_000_000)


def test_a_shapefile_brings_its_siblings_and_they_count(tmp_path):
    shapefile = areas_file(tmp_path / "areas.shp")
    sources, facts = _open(tmp_path, shapefile)
    assert [source.ending for source in sources] == [".shp"]
    assert facts.n_bytes == sum(shapefile.with_suffix(part).stat().st_size for part in (".shp", ".shx", ".dbf", ".prj"))
    given_all = _open(tmp_path, *sorted(tmp_path.glob("areas.*")))[1]
    assert given_all.sha256 == facts.sha256
    shapefile.with_suffix(".dbf").write_bytes(shapefile.with_suffix(".dbf").read_bytes() + b" ")
    assert _open(tmp_path, shapefile)[1].sha256 != facts.sha256


def test_upper_case_siblings_are_found(tmp_path):
    shapefile = areas_file(tmp_path / "areas.shp")
    shapefile.with_suffix(".dbf").rename(tmp_path / "areas.DBF")
    assert _open(tmp_path, shapefile)[0]


@pytest.mark.parametrize("missing", [".shx", ".dbf"])
def test_a_shapefile_without_a_part_is_refused_also_inside_a_zip(tmp_path, missing):
    shapefile = areas_file(tmp_path / "areas.shp")
    shapefile.with_suffix(missing).unlink()
    with pytest.raises(InputError, match=f"lacks {missing}"):
        _open(tmp_path, shapefile)
    with zipfile.ZipFile(tmp_path / "areas.zip", "w") as packed:
        for part in tmp_path.glob("areas.s*"):
            packed.write(part, part.name)
    with pytest.raises(InputError, match="lacks"):
        _open(tmp_path, tmp_path / "areas.zip")


def test_a_shapefile_that_breaks_off_is_refused(tmp_path):
    shapefile = areas_file(tmp_path / "areas.shp")
    shapefile.write_bytes(shapefile.read_bytes()[:-2])
    with pytest.raises(InputError, match="is cut off"):
        _open(tmp_path, shapefile)


def test_the_name_and_digest_of_one_file_are_its_own(tmp_path):
    import hashlib

    file = workbook(tmp_path / "户.xlsx", {"s": [["a"]]})
    _, facts = _open(tmp_path, file)
    assert (facts.name, facts.sha256) == ("户.xlsx", hashlib.sha256(file.read_bytes()).hexdigest())


def test_a_disguised_vrt_inside_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("a.geojson", "<OGRVRTDataSource/>")
    with pytest.raises(InputError, match=r"`a\.zip/a\.geojson` does not hold JSON"):
        _open(tmp_path, tmp_path / "a.zip")
