"""Check-ins as WeCom gives them (`checkin/getcheckindata`): JSON, degrees times a million, GCJ-02 by its documentation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridmap.errors import InputError
from gridmap.ingest.encoding import decode_text
from gridmap.ingest.limits import Limits
from gridmap.ingest.tables import RawTable
from gridmap.texts import t

FIELDS = (
    "userid",
    "groupname",
    "checkin_type",
    "exception_type",
    "checkin_time",
    "location_title",
    "location_detail",
    "notes",
    "lat",
    "lng",
)
DEGREE = 1e6


def read_json(file: Path, *, name: str) -> tuple[Any, str]:
    """Read one JSON file; returns its content and its encoding.

    Raises
    ------
    InputError
        If the text breaks off, is nested without end, or is not JSON.
    """
    text, encoding = decode_text(file.read_bytes(), file=name)
    try:
        return json.loads(text), encoding
    except json.JSONDecodeError as error:
        raise InputError(t("ingest.error_broken_json", file=name, line=error.lineno, column=error.colno)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(t("ingest.error_broken_json", file=name, line=1, column=1)) from error


def is_geojson(content: Any) -> bool:
    """Tell whether JSON is GeoJSON by its `type`."""
    kinds = {"FeatureCollection", "Feature", "GeometryCollection"}
    return isinstance(content, dict) and (content.get("type") in kinds or "coordinates" in content)


def checkin_table(content: Any, *, name: str, encoding: str, limits: Limits) -> RawTable:
    """Turn a WeCom answer into a raw table; items are numbered from 1.

    Raises
    ------
    InputError
        If WeCom reported an error, or the content has another shape.
    """
    if not isinstance(content, dict) or not isinstance(content.get("checkindata"), list):
        if isinstance(content, dict):
            require_answered(content, name=name)
        raise InputError(t("ingest.error_not_wecom", file=name))
    require_answered(content, name=name)
    items = content["checkindata"]
    if len(items) > limits.max_rows:
        raise InputError(t("ingest.error_too_many_rows", file=name, limit=limits.max_rows))
    if not items:
        raise InputError(t("ingest.error_no_rows", file=name))
    if not all(isinstance(item, dict) for item in items):
        raise InputError(t("ingest.error_not_wecom", file=name))
    found = [field for field in FIELDS if any(field in item for item in items)]
    columns = {place: [plain_cell(item.get(field)) for item in items] for place, field in enumerate(found)}
    return RawTable(
        file=name,
        name=None,
        headers=tuple(found),
        cells=pd.DataFrame(columns, dtype=object),
        row_numbers=np.arange(1, len(items) + 1, dtype=np.int64),
        datum="gcj02",
        encoding=encoding,
        scale=DEGREE,
    )


def require_answered(content: Mapping[str, Any], *, name: str) -> None:
    """Refuse an answer in which WeCom reports an error: that comes with HTTP 200 and an `errcode` other than 0.

    Raises
    ------
    InputError
        With WeCom's own number and words.
    """
    if content.get("errcode", 0) != 0:
        message = str(content.get("errmsg", ""))[:200]
        raise InputError(t("ingest.error_wecom", file=name, errcode=content.get("errcode"), errmsg=message))


def plain_cell(cell: Any) -> Any:
    """Return a JSON value as a raw cell: blank texts are None, lists and objects are written as JSON."""
    if isinstance(cell, str):
        # JSON can write half a surrogate pair (`\ud800`), which is no text anywhere else.
        whole = cell.encode("utf-8", "replace").decode("utf-8")
        return whole if whole.strip() else None
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False, sort_keys=True)
    return cell
