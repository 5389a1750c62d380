"""The fixes of a GPX file as one raw table: GPX has no column for who walked, so names tell."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from gridmap.errors import InputError
from gridmap.ingest.tables import RawTable
from gridmap.texts import t

_SPEAKING = ("name", "cmt", "desc", "src")
_HEADERS = ("track_code", "staff_id", "happened_at")
_WORDS = re.compile(r"[0-9A-Za-z][0-9A-Za-z.@-]*")


def fix_table(layers: Sequence[RawTable], *, name: str, accounts: frozenset[str]) -> RawTable:
    """Return the track points of a GPX file with the columns that the layer `tracks` looks for.

    The account is the first word that is one, of the track's name, comment, description or source, then of the file's
    name. A new segment is a new track: between two segments the recorder was off. Times of GPX are UTC.

    Parameters
    ----------
    layers
        The file's layers as GDAL gives them.
    name
        The file, for messages and as the track's code.
    accounts
        Known accounts; empty: the first word is taken for one.

    Raises
    ------
    InputError
        If the file holds no track points.
    """
    by_name = {layer.name or "track_points": layer for layer in layers}
    if "track_points" not in by_name:
        raise InputError(t("ingest.error_no_track_points", file=name))
    fixes = by_name["track_points"]
    numbers, segments = (_whole(fixes, header) for header in ("track_fid", "track_seg_id"))
    stem = PurePath(name).stem
    said = _said(by_name.get("tracks"))
    people = {number: _account([*said.get(number, []), stem], accounts) for number in set(numbers)}
    pairs = list(zip(numbers, segments, strict=True))
    columns = (
        [f"{stem}-{number + 1}-{segment + 1}" for number, segment in pairs],
        [people[number] for number in numbers],
        [_utc(moment) for moment in _cells(fixes, "time")],
    )
    return replace(
        fixes,
        name=None,
        headers=_HEADERS,
        cells=pd.DataFrame(dict(enumerate(columns)), index=fixes.cells.index, dtype=object),
    )


def _cells(table: RawTable, header: str) -> list[Any]:
    return table.column(header).tolist() if header in table.headers else [None] * len(table.row_numbers)


def _whole(table: RawTable, header: str) -> list[int]:
    return [int(number) for number in pd.Series(_cells(table, header), dtype=float).fillna(0).astype(np.int64)]


def _said(tracks: RawTable | None) -> dict[int, list[str]]:
    """Return what each track says of itself, by its number in the file."""
    if tracks is None:
        return {}
    columns = [_cells(tracks, header) for header in _SPEAKING]
    return {
        number: [text for text in row if isinstance(text, str)] for number, row in enumerate(zip(*columns, strict=True))
    }


def _account(texts: Sequence[str], accounts: frozenset[str]) -> str | None:
    words = [word for text in texts for word in _WORDS.findall(text)]
    return next((word for word in words if word in accounts), words[0] if words else None)


def _utc(moment: Any) -> Any:
    is_bare = isinstance(moment, dt.datetime) and moment.tzinfo is None
    return moment.replace(tzinfo=dt.UTC) if is_bare else moment
