"""Reading untrusted files in a child process with limits; the parent never opens them with GDAL or calamine."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from gridmap.errors import InputError
from gridmap.ingest import sandbox_child
from gridmap.ingest.limits import Limits
from gridmap.texts import t

_CHILD = Path(sandbox_child.__file__)
_SIBLINGS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_MAX_OUT_FACTOR = 20
_MIN_OUT_BYTES = 64_000_000


@dataclass(frozen=True, kw_only=True)
class VectorTable:
    """One layer of a vector file as GDAL gives it: attributes as Arrow, geometries as WKB."""

    name: str
    crs: str | None
    attributes: pa.Table
    wkb: pa.ChunkedArray | None


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet of a workbook: raw cells (dates as `{"d": …}` / `{"t": …}`) and merged ranges, counted from 0."""

    name: str
    rows: list[list[Any]]
    merged: list[tuple[int, int, int, int]]
    is_visible: bool


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A picture as it may be kept: JPEG bytes that hold nothing but pixels."""

    content: bytes
    width_px: int
    height_px: int


def read_vectors(file: Path, *, limits: Limits, shown_name: str | None = None) -> list[VectorTable]:
    """Read every layer of a vector file in a child process that knows only the safe drivers.

    Parameters
    ----------
    file
        `.geojson`, `.shp` (with its siblings beside it), `.gpkg`, `.kml` or `.gpx`.
    limits
        What the child may use.
    shown_name
        The name in messages, where `file` is a working copy.

    Raises
    ------
    InputError
        If the file cannot be read within the limits; one sentence says why.
    """
    name = shown_name or file.name
    with tempfile.TemporaryDirectory(prefix="gridmap-read-") as folder:
        work = Path(folder)
        ending = file.suffix.lower()
        for sibling in _SIBLINGS if ending == ".shp" else (ending,):
            found = [
                other for other in (file.with_suffix(sibling), file.with_suffix(sibling.upper())) if other.exists()
            ]
            if found:
                shutil.copyfile(found[0], work / f"input{sibling}")
        answer = _run(work, {"kind": "vectors", "file": f"input{ending}"}, limits=limits, name=name)
        try:
            return [_vector_table(work, number, table) for number, table in enumerate(answer["tables"])]
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise InputError(t("ingest.error_encoding", file=name)) from error


def read_workbook(file: Path, *, limits: Limits) -> list[Sheet]:
    """Read every sheet of an Excel workbook in a child process.

    Raises
    ------
    InputError
        If the file cannot be read within the limits, is no workbook, or is protected by a password.
    """
    with tempfile.TemporaryDirectory(prefix="gridmap-read-") as folder:
        work = Path(folder)
        shutil.copyfile(file, work / "input.xlsx")
        answer = _run(work, {"kind": "workbook", "file": "input.xlsx"}, limits=limits, name=file.name)
    return [
        Sheet(
            name=str(sheet["name"]),
            rows=sheet["rows"],
            merged=[(row, column, last_row, last_column) for row, column, last_row, last_column in sheet["merged"]],
            is_visible=bool(sheet["is_visible"]),
        )
        for sheet in answer["sheets"]
    ]


def read_photos(
    contents: Sequence[bytes], *, names: Sequence[str], limits: Limits, max_px: int, max_pixels: int
) -> list[Photo]:
    """Decode JPEG, PNG or WebP pictures in a child process and write them anew as JPEG: upright, without any metadata.

    Parameters
    ----------
    contents
        The files.
    names
        How messages call each.
    limits
        What the child may use for all of them.
    max_px
        Longer side of a result; smaller pictures stay as large as they are.
    max_pixels
        A picture with more is refused by its header, before it is decoded.

    Raises
    ------
    InputError
        If one is no such picture, is broken, has too many pixels, or they need more than the limits.
    """
    if not contents:
        return []
    with tempfile.TemporaryDirectory(prefix="gridmap-read-") as folder:
        work = Path(folder)
        for number, content in enumerate(contents):
            (work / f"input_{number}.picture").write_bytes(content)
        job = {"kind": "photos", "names": list(names), "max_px": max_px, "max_pixels": max_pixels}
        answer = _run(work, job, limits=limits, name="、".join(names))
        return [
            Photo(content=(work / f"out_{number}.jpg").read_bytes(), **size)
            for number, size in enumerate(answer["photos"])
        ]


@cache
def unsafe_drivers() -> tuple[str, ...]:
    """Return every driver of this GDAL that is not on the safe list, asked of a child process once."""
    with tempfile.TemporaryDirectory(prefix="gridmap-read-") as folder:
        answer = _run(Path(folder), {"kind": "drivers"}, limits=Limits(), name="GDAL")
    return tuple(sorted(set(answer["drivers"]) - sandbox_child.SAFE_DRIVERS))


def _environment(kind: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    options = {
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "GDAL_HTTP_MAX_RETRY": "0",
        "GDAL_NUM_THREADS": "1",
        "OGR_GEOJSON_MAX_OBJ_SIZE": "0",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONUTF8": "1",
    }
    if kind == "vectors":
        # A trailing comma makes GDAL split at commas, not at the blanks inside driver names.
        options["OGR_SKIP"] = ",".join(unsafe_drivers()) + ","
    return {**kept, **options}


def _run(work: Path, job: Mapping[str, Any], *, limits: Limits, name: str) -> dict[str, Any]:
    size = sum(file.stat().st_size for file in work.iterdir())
    full_job = {
        **job,
        "memory_mb": limits.memory_mb,
        "cpu_s": limits.cpu_s,
        "max_rows": limits.max_rows,
        "max_columns": limits.max_columns,
        "max_out_bytes": max(_MIN_OUT_BYTES, _MAX_OUT_FACTOR * size),
    }
    (work / "job.json").write_text(json.dumps(full_job), "utf-8")
    try:
        ended = subprocess.run(  # noqa: S603  our own program, no shell, fixed arguments
            [sys.executable, "-I", str(_CHILD)],
            cwd=work,
            env=_environment(str(job["kind"])),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=limits.wall_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(t("ingest.error_too_slow", file=name, seconds=f"{limits.wall_s:g}")) from error
    answer = work / "out.json"
    if ended.returncode != 0 or not answer.exists():
        raise InputError(t("ingest.error_too_heavy", file=name, memory=limits.memory_mb, seconds=limits.cpu_s))
    given: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    if "error" in given:
        raise InputError(_sentence(name, str(given["error"]), given["values"], limits))
    return given


def _sentence(name: str, code: str, values: Mapping[str, Any], limits: Limits) -> str:
    if code == "memory":
        return t("ingest.error_too_heavy", file=name, memory=limits.memory_mb, seconds=limits.cpu_s)
    if code == "not_recognised" and "line" in values:
        return t("ingest.error_broken_json", file=name, line=values["line"], column=values["column"])
    return t(f"ingest.error_{code}", **{"file": name, **values})


def _vector_table(work: Path, number: int, described: Mapping[str, Any]) -> VectorTable:
    table = pa.ipc.open_file(pa.py_buffer((work / f"out_{number}.arrow").read_bytes())).read_all()
    table.validate(full=True)
    geometry_column = described["geometry_column"]
    has_geometry = geometry_column in table.column_names
    return VectorTable(
        name=str(described["name"]),
        crs=described["crs"],
        attributes=table.drop_columns([geometry_column]) if has_geometry else table,
        wkb=table.column(geometry_column) if has_geometry else None,
    )
