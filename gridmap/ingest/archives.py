"""Zip files from outside: how many members, how big, where they want to go, and what hides in them."""

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gridmap.errors import InputError
from gridmap.ingest.limits import Limits
from gridmap.ingest.markup import refuse_doctype
from gridmap.texts import t

_CHUNK = 1 << 20
_SMALL_BYTES = 1 << 20
_ENCRYPTED_BIT = 0x1
_UTF8_BIT = 0x800
_MAX_PROLOG = 1 << 16
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One unpacked file: where it lies now and what it was called in the zip."""

    path: Path
    name: str


def unpack(archive: Path, into: Path, *, limits: Limits, endings: frozenset[str]) -> list[Member]:
    """Unpack the members with a known ending into numbered names, so that no name from outside reaches the disk.

    Parameters
    ----------
    archive
        The zip.
    into
        An empty folder.
    limits
        Members, sizes and ratio that are allowed.
    endings
        Lower-case endings (`.shp`) that are of use; the rest stays packed.

    Raises
    ------
    InputError
        If the zip is damaged, protected, too big in any way, or holds links or names that leave its folder.
    """
    members = []
    n_bytes = 0
    with _opened(archive) as packed:
        stems: dict[str, str] = {}
        for info in _checked(packed, archive.name, limits):
            name = _shown_name(info)
            inner = PurePosixPath(name)
            if inner.suffix.lower() not in endings or inner.name.startswith("."):
                continue
            stem = stems.setdefault(str(inner.with_suffix("")), f"member_{len(stems)}")
            target = into / f"{stem}{inner.suffix.lower()}"
            with target.open("xb") as sink:
                for chunk in _chunks(packed, info, archive.name):
                    n_bytes += len(chunk)
                    if n_bytes > limits.max_unpacked_bytes:
                        raise InputError(t("ingest.error_zip_bomb", file=archive.name))
                    sink.write(chunk)
            members.append(Member(path=target, name=inner.name))
    return members


def require_sound_workbook(workbook: Path, *, limits: Limits) -> None:
    """Check the zip that an `.xlsx` is: its limits, that it holds a workbook, and that no XML declares entities.

    Raises
    ------
    InputError
        If one of them does not hold.
    """
    with _opened(workbook) as packed:
        infos = _checked(packed, workbook.name, limits)
        if not any(info.filename == "xl/workbook.xml" for info in infos):
            raise InputError(t("ingest.error_not_a_workbook", file=workbook.name))
        for info in infos:
            if info.filename.lower().endswith((".xml", ".rels", ".vml")):
                head = next(_chunks(packed, info, workbook.name), b"")[:_MAX_PROLOG]
                refuse_doctype(head, file=workbook.name)


def _opened(archive: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(t("ingest.error_broken_zip", file=archive.name)) from error


def _checked(packed: zipfile.ZipFile, file: str, limits: Limits) -> list[zipfile.ZipInfo]:
    infos = packed.infolist()
    if len(infos) > limits.max_members:
        raise InputError(t("ingest.error_zip_members", file=file, n=len(infos), limit=limits.max_members))
    if sum(info.file_size for info in infos) > limits.max_unpacked_bytes:
        raise InputError(t("ingest.error_zip_bomb", file=file))
    for info in infos:
        _check_member(info, file, limits)
    return [info for info in infos if not info.is_dir()]


def _check_member(info: zipfile.ZipInfo, file: str, limits: Limits) -> None:
    name = _shown_name(info)
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\0" in info.orig_filename:
        raise InputError(t("ingest.error_zip_path", file=file, member=name))
    if stat.S_ISLNK(info.external_attr >> 16):
        raise InputError(t("ingest.error_zip_link", file=file, member=name))
    if info.flag_bits & _ENCRYPTED_BIT:
        raise InputError(t("ingest.error_password", file=file))
    if info.file_size > max(_SMALL_BYTES, limits.max_ratio * max(info.compress_size, 1)):
        raise InputError(t("ingest.error_zip_bomb", file=file))


def _shown_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name; without the UTF-8 flag Chinese zips hold GBK, which zipfile reads as cp437."""
    if info.flag_bits & _UTF8_BIT:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return info.filename


def _chunks(packed: zipfile.ZipFile, info: zipfile.ZipInfo, file: str) -> Iterator[bytes]:
    try:
        with packed.open(info) as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    except _DAMAGE as error:
        raise InputError(t("ingest.error_broken_zip", file=file)) from error
