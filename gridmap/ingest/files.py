"""The given files: are they there, how big, what are they really, and which belong together."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridmap.errors import InputError
from gridmap.ingest.archives import require_sound_workbook, unpack
from gridmap.ingest.encoding import is_utf16
from gridmap.ingest.limits import Limits
from gridmap.ingest.markup import refuse_doctype
from gridmap.texts import t

VECTOR_ENDINGS = frozenset({".shp", ".geojson", ".gpkg", ".kml", ".gpx"})
TABLE_ENDINGS = frozenset({".csv", ".txt", ".tsv"})
WORKBOOK_ENDINGS = frozenset({".xlsx", ".xlsm"})
ARCHIVE_ENDINGS = frozenset({".zip", ".kmz"})
MAIN_ENDINGS = VECTOR_ENDINGS | TABLE_ENDINGS | WORKBOOK_ENDINGS | {".json"}
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_SHAPEFILE_EXTRAS = frozenset({".sbn", ".sbx", ".qpj", ".qmd", ".qix", ".xml", ".atx"})
_COMPANIONS = frozenset(_SHAPEFILE_PARTS[1:]) | _SHAPEFILE_EXTRAS
_OLE_MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_SHP_MAGIC = bytes.fromhex("0000270A")
_HEAD_BYTES = 1 << 16
_MAGIC = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!", "RAR"),
    (b"7z", "7z"),
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file ready to be read: where it lies, what it was called, what kind it is (its ending)."""

    path: Path
    name: str
    ending: str


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What the import record keeps of the given files: names, SHA-256 of the contents, bytes."""

    name: str
    sha256: str
    n_bytes: int


def open_files(files: Sequence[Path], *, limits: Limits, work: Path) -> tuple[list[Source], FileFacts]:
    """Check the given files, unpack zips into `work`, and return what is to be read.

    Parameters
    ----------
    files
        As the person gave them: a file, a shapefile with or without its siblings, a zip.
    limits
        Sizes that are allowed.
    work
        An empty folder for unpacked files.

    Raises
    ------
    InputError
        If a file is missing, a folder, empty, too big, not what its ending says, or incomplete.
    """
    for file in files:
        _require_file(file)
    members = _with_siblings(files)
    n_bytes = sum(member.stat().st_size for member in members)
    if not members:
        raise InputError(t("ingest.error_no_file"))
    if n_bytes > limits.max_bytes:
        megabytes, limit = f"{n_bytes / 1e6:.0f}", f"{limits.max_bytes / 1e6:g}"
        raise InputError(t("ingest.error_too_big", file=files[0].name, size=megabytes, limit=limit))
    sources = [source for file in _mains(members) for source in _sources(file, limits=limits, work=work)]
    for source in sources:
        _require_kind(source, limits=limits)
    names = ", ".join(file.name for file in _mains(members))
    return sources, FileFacts(name=names, sha256=_digest(members), n_bytes=n_bytes)


def find_part(shapefile: Path, ending: str) -> Path | None:
    """Return the part of a shapefile with this ending, whatever its case; None when it is not there."""
    for other in (shapefile.with_suffix(ending), shapefile.with_suffix(ending.upper())):
        if other.exists():
            return other
    return None


def _require_file(file: Path) -> None:
    if file.is_dir():
        raise InputError(t("ingest.error_folder", file=file.name))
    if not file.is_file():
        raise InputError(t("ingest.error_missing_file", file=file.name))
    is_mark = file.suffix.lower() in _COMPANIONS
    if file.stat().st_size == 0 and not is_mark:
        raise InputError(t("ingest.error_empty_file", file=file.name))


def _with_siblings(files: Sequence[Path]) -> list[Path]:
    members = dict.fromkeys(files)
    for file in files:
        if file.suffix.lower() == ".shp":
            members.update(dict.fromkeys(part for ending in _SHAPEFILE_PARTS[1:] if (part := find_part(file, ending))))
    return list(members)


def _mains(members: Sequence[Path]) -> list[Path]:
    mains = [file for file in members if file.suffix.lower() not in _COMPANIONS]
    if not mains:
        raise InputError(t("ingest.error_no_shp", file=members[0].name))
    return mains


def _sources(file: Path, *, limits: Limits, work: Path) -> list[Source]:
    ending = file.suffix.lower()
    if ending in MAIN_ENDINGS:
        return [Source(path=file, name=file.name, ending=ending)]
    if ending not in ARCHIVE_ENDINGS:
        if ending == ".xls":
            raise InputError(t("ingest.error_old_workbook", file=file.name))
        known = " ".join(sorted(MAIN_ENDINGS | ARCHIVE_ENDINGS))
        raise InputError(t("ingest.error_unknown_ending", file=file.name, known=known))
    folder = work / f"archive_{len(list(work.iterdir()))}"
    folder.mkdir()
    unpacked = unpack(file, folder, limits=limits, endings=MAIN_ENDINGS | frozenset(_SHAPEFILE_PARTS))
    sources = [
        Source(path=member.path, name=f"{file.name}/{member.name}", ending=member.path.suffix)
        for member in unpacked
        if member.path.suffix in MAIN_ENDINGS
    ]
    if not sources:
        raise InputError(t("ingest.error_zip_nothing", file=file.name))
    return sources


def _require_kind(source: Source, *, limits: Limits) -> None:
    """Look at the first bytes: a file is what it is, not what it is called."""
    with source.path.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
    if not head.strip():
        raise InputError(t("ingest.error_empty_file", file=source.name))
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            raise InputError(t("ingest.error_disguise", file=source.name, kind=kind, ending=source.ending))
    if source.ending in WORKBOOK_ENDINGS:
        _require_workbook(source, head, limits)
    elif source.ending in {".kml", ".gpx"}:
        _require_text(source, head)
        refuse_doctype(head, file=source.name)
    elif source.ending in {".json", ".geojson"}:
        _require_text(source, head)
        if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
            raise InputError(t("ingest.error_not_json", file=source.name))
    elif source.ending == ".gpkg" and not head.startswith(b"SQLite format 3\0"):
        raise InputError(t("ingest.error_not_recognised", file=source.name))
    elif source.ending == ".shp":
        _require_shapefile(source)


def _require_text(source: Source, head: bytes) -> None:
    if is_utf16(head):
        raise InputError(t("ingest.error_utf16", file=source.name))


def _require_workbook(source: Source, head: bytes, limits: Limits) -> None:
    if head.startswith(_OLE_MAGIC):
        is_protected = _ENCRYPTED_STREAM in source.path.read_bytes()
        raise InputError(t("ingest.error_password" if is_protected else "ingest.error_old_workbook", file=source.name))
    if not head.startswith(b"PK"):
        raise InputError(t("ingest.error_not_a_workbook", file=source.name))
    require_sound_workbook(source.path, limits=limits)


def _require_shapefile(source: Source) -> None:
    missing = [ending for ending in (".shx", ".dbf") if find_part(source.path, ending) is None]
    if missing:
        raise InputError(t("ingest.error_shapefile_parts", file=source.name, missing=" ".join(missing)))
    # The header tells the length in words of two bytes; GDAL reads what is missing as empty shapes.
    with source.path.open("rb") as opened:
        head = opened.read(28)
    told = int.from_bytes(head[24:28], "big") * 2
    if head.startswith(_SHP_MAGIC) and source.path.stat().st_size < told:
        raise InputError(t("ingest.error_cut_shapefile", file=source.name))


def _digest(members: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for member in sorted(members, key=lambda file: file.suffix.lower()):
        with member.open("rb") as opened:
            while chunk := opened.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
