"""The only program that opens files from outside with GDAL, calamine or Pillow; run as a process of its own.

It imports nothing of gridmap, limits itself before it loads a library, cuts itself off the network where the
system lets it, reads `job.json` in its working folder and answers with `out.json` (and `out_<n>.arrow` or `out_<n>.jpg`).
"""

import contextlib
import ctypes
import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

SAFE_DRIVERS = frozenset({"MEM", "GeoJSON", "ESRI Shapefile", "GPKG", "KML", "LIBKML", "GPX"})
_MAX_LAYERS = 20
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_DBF_AS_BYTES = "ISO-8859-1"


class _Refused(Exception):  # noqa: N818  a finding, not a fault of this program
    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.answer = {"error": code, "values": values}


def _limit(job: dict[str, Any]) -> None:
    with contextlib.suppress(ImportError):
        import resource  # noqa: PLC0415  absent on Windows

        for name, value in (
            (resource.RLIMIT_AS, job["memory_mb"] << 20),
            (resource.RLIMIT_CPU, job["cpu_s"]),
            (resource.RLIMIT_FSIZE, job["max_out_bytes"]),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 64),
        ):
            resource.setrlimit(name, (value, value))
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_NET) != 0:
            libc.unshare(_NEW_USER | _NEW_NET)


def _load_pyogrio() -> Any:
    for unneeded in ("pandas", "geopandas", "pyproj", "shapely"):
        sys.modules[unneeded] = None  # type: ignore[assignment]  # a third of the start-up time
    import pyogrio  # noqa: PLC0415  only after the limits are set

    return pyogrio


def _read_vectors(job: dict[str, Any]) -> dict[str, Any]:
    pyogrio = _load_pyogrio()
    strange = set(pyogrio.list_drivers()) - SAFE_DRIVERS
    if strange:
        raise _Refused("unsafe_drivers", drivers=sorted(strange))
    encoding = _DBF_AS_BYTES if job["file"].endswith(".shp") else None
    try:
        names = [str(name) for name in pyogrio.list_layers(job["file"])[:, 0]]
    except Exception as error:  # every fault of the library becomes one answer
        raise _Refused("not_recognised", **_json_fault(job["file"])) from error
    if len(names) > _MAX_LAYERS:
        raise _Refused("too_many_layers", n=len(names), limit=_MAX_LAYERS)
    return {"tables": [_read_layer(pyogrio, job, name, number, encoding) for number, name in enumerate(names)]}


def _read_layer(pyogrio: Any, job: dict[str, Any], name: str, number: int, encoding: str | None) -> dict[str, Any]:
    import pyarrow as pa  # noqa: PLC0415

    try:
        info = pyogrio.read_info(job["file"], layer=name, encoding=encoding)
        _require_narrow(len(info["fields"]), job)
        meta, table = pyogrio.raw.read_arrow(
            job["file"], layer=name, encoding=encoding, max_features=job["max_rows"] + 1
        )
    except _Refused:
        raise
    except Exception as error:
        raise _Refused("not_recognised", **_json_fault(job["file"])) from error
    if table.num_rows > job["max_rows"]:
        raise _Refused("too_many_rows", limit=job["max_rows"])
    with pa.OSFile(f"out_{number}.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    geometry_column = (meta["geometry_name"] or "wkb_geometry") if meta["geometry_type"] else None
    return {"name": name, "crs": meta["crs"], "geometry_column": geometry_column}


def _require_narrow(n_columns: int, job: dict[str, Any]) -> None:
    if n_columns > job["max_columns"]:
        raise _Refused("too_many_columns", n=n_columns, limit=job["max_columns"])


def _json_fault(file: str) -> dict[str, object]:
    """Say where a JSON text breaks off; empty for other files and for sound JSON."""
    if not file.endswith(".geojson"):
        return {}
    try:
        json.loads(Path(file).read_bytes())
    except json.JSONDecodeError as error:
        return {"line": error.lineno, "column": error.colno}
    except (ValueError, RecursionError):
        return {"line": 1, "column": 1}
    return {}


def _cell(value: Any) -> Any:
    """Turn one cell into JSON; dates and times carry a tag."""
    if isinstance(value, dt.datetime):
        return {"t": value.isoformat()}
    if isinstance(value, dt.date):
        return {"d": value.isoformat()}
    if isinstance(value, dt.time | dt.timedelta):
        return str(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124
        return str(value)
    return None if value == "" else value


def _read_workbook(job: dict[str, Any]) -> dict[str, Any]:
    import python_calamine as calamine  # noqa: PLC0415

    try:
        book = calamine.CalamineWorkbook.from_path(job["file"])
        sheets = []
        for meta in book.sheets_metadata:
            if meta.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(meta.name)
            if sheet.total_height > job["max_rows"]:
                raise _Refused("too_many_rows", limit=job["max_rows"])
            rows = [[_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
            merged = [[*start, *end] for start, end in sheet.merged_cell_ranges or []]
            is_visible = meta.visible == calamine.SheetVisibleEnum.Visible
            sheets.append({"name": meta.name, "rows": rows, "merged": merged, "is_visible": is_visible})
    except calamine.PasswordError as error:
        raise _Refused("password") from error
    except (calamine.CalamineError, ValueError, OSError) as error:
        raise _Refused("not_recognised") from error
    return {"sheets": sheets}


def _read_photos(job: dict[str, Any]) -> dict[str, Any]:
    """Decode pictures and write them anew, upright, on white, not larger than asked for, with nothing but their pixels."""
    from PIL import Image  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = None  # counted here, from the header, before a pixel is decoded
    return {"photos": [_read_photo(job, number, name) for number, name in enumerate(job["names"])]}


def _read_photo(job: dict[str, Any], number: int, name: str) -> dict[str, Any]:
    from PIL import Image  # noqa: PLC0415

    longest = job["max_px"]
    try:
        with Image.open(f"input_{number}.picture", formats=("JPEG", "PNG", "WEBP")) as picture:
            _require_few_pixels(picture, job, name)
            picture.draft("RGB", (longest, longest))
            picture.load()
            picture.thumbnail((longest, longest))
            upright = _upright(picture).convert("RGBA")
            clean = Image.new("RGB", upright.size, "white")
            clean.paste(upright, mask=upright.getchannel("A"))
    except (_Refused, MemoryError):
        raise
    except Exception as error:  # every fault of the library becomes one answer
        raise _Refused("not_picture", file=name) from error
    clean.save(f"out_{number}.jpg", "JPEG", quality=85)
    return {"width_px": clean.width, "height_px": clean.height}


def _upright(picture: Any) -> Any:
    from PIL import ImageOps  # noqa: PLC0415

    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # noqa: BLE001  broken tags do not make a photo worthless
        return picture


def _require_few_pixels(picture: Any, job: dict[str, Any], name: str) -> None:
    if picture.width * picture.height > job["max_pixels"]:
        raise _Refused("too_many_pixels", file=name, width=picture.width, height=picture.height)


_READERS = {"workbook": _read_workbook, "photos": _read_photos, "vectors": _read_vectors}


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    if job["kind"] == "drivers":
        return {"drivers": sorted(_load_pyogrio().list_drivers())}
    try:
        return _READERS[job["kind"]](job)
    except _Refused as refusal:
        return refusal.answer
    except MemoryError:
        return {"error": "memory", "values": {}}


def main() -> int:
    """Read the job, limit this process, answer."""
    job = json.loads(Path("job.json").read_text("utf-8"))
    _limit(job)
    answer = json.dumps(_answer(job), ensure_ascii=False)
    Path("out.json").write_text(answer, "utf-8")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
