"""Which column is which: headers in Chinese and English, synonyms, or a mapping of the user's own."""

import json
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gridmap.errors import InputError
from gridmap.texts import t

_BRACKETS = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]")
_NOISE = re.compile(r"[\s*:：_\-./、]")
_DATUM_WORDS = (
    ("gcj02", re.compile(r"gcj[-_ ]?0?2|火星|高德|腾讯|amap", re.IGNORECASE)),
    ("bd09", re.compile(r"bd[-_ ]?0?9(ll)?|百度|baidu", re.IGNORECASE)),
    ("wgs84", re.compile(r"wgs[-_ ]?84|gps", re.IGNORECASE)),
    ("cgcs2000", re.compile(r"cgcs[-_ ]?2000|国家2000|大地2000|2000", re.IGNORECASE)),
)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column that a layer looks for.

    Parameters
    ----------
    target
        Its name in code and in a mapping file.
    headers
        Ways in which files write it; the first is the official one, shown in messages.
    is_required
        Whether the file must have it.
    """

    target: str
    headers: tuple[str, ...]
    is_required: bool = True


@dataclass(frozen=True, kw_only=True)
class Part:
    """One table of a layer: its name in `FRAMES`, its columns, and whether a row has a point or a shape.

    Parameters
    ----------
    name
        A key of `FRAMES`.
    columns
        The columns looked for.
    place
        `none`, `point` (coordinate columns, or point geometries) or `shape` (geometries only).
    is_place_required
        Whether the table must have a place at all.
    """

    name: str
    columns: tuple[Column, ...]
    place: str = "none"
    is_place_required: bool = True


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """How a table's headers fit a part: target → header, required targets without one, headers left over."""

    part: Part
    header_of: Mapping[str, str]
    missing: tuple[Column, ...]
    unused: tuple[str, ...]
    datum: str | None = None
    ambiguous: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


PLACE_COLUMNS = (
    Column(
        target="lon",
        headers=("经度", "东经", "lon", "lng", "long", "longitude", "经度坐标", "中心经度"),
        is_required=False,
    ),
    Column(target="lat", headers=("纬度", "北纬", "lat", "latitude", "纬度坐标", "中心纬度"), is_required=False),
    Column(
        target="x",
        headers=("横坐标", "横坐标Y", "东坐标", "x", "x坐标", "坐标x", "easting", "coordx", "pointx", "东向坐标"),
        is_required=False,
    ),
    Column(
        target="y",
        headers=("纵坐标", "纵坐标X", "北坐标", "y", "y坐标", "坐标y", "northing", "coordy", "pointy", "北向坐标"),
        is_required=False,
    ),
)
_PAIRS = (("lon", "lat"), ("x", "y"))


def normal_header(header: str) -> str:
    """Return a header without blanks, marks, width and case, for comparing."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", header)).lower()


def recognise(
    part: Part, headers: Sequence[str], *, mapping: Mapping[str, str] | None = None, has_geometry: bool = False
) -> Recognised:
    """Fit a table's headers to a part of a layer.

    Parameters
    ----------
    part
        What is looked for.
    headers
        The table's headers; they may repeat.
    mapping
        The user's own `{target: header}`, before every synonym.
    has_geometry
        Whether the rows carry geometries, so that coordinate columns are not needed.
    """
    looked_for = part.columns + (PLACE_COLUMNS if part.place == "point" and not has_geometry else ())
    given = {target: header for target, header in (mapping or {}).items() if header in headers}
    header_of: dict[str, str] = {}
    ambiguous: dict[str, tuple[str, ...]] = {}
    free = Counter(header for header in headers if header not in given.values())
    for column in looked_for:
        if column.target in given:
            header_of[column.target] = given[column.target]
            continue
        found = _found(column, free)
        if sum(free[header] for header in found) > 1:
            ambiguous[column.target] = tuple(header for header in found for _ in range(free[header]))
        if found:
            header_of[column.target] = found[0]
    missing = tuple(column for column in part.columns if column.is_required and column.target not in header_of)
    if part.place == "point" and part.is_place_required and not has_geometry and not _has_pair(header_of):
        missing += (Column(target="lon, lat", headers=("经度 + 纬度",)),)
    datums = {
        datum for target in ("lon", "lat") if target in header_of and (datum := datum_of_header(header_of[target]))
    }
    return Recognised(
        part=part,
        header_of=header_of,
        missing=missing,
        unused=tuple(dict.fromkeys(header for header in headers if header not in header_of.values())),
        datum=datums.pop() if len(datums) == 1 else None,
        ambiguous=ambiguous,
    )


def require_recognised(fit: Recognised, *, file: str, headers: Sequence[str]) -> None:
    """Refuse a table that lacks columns or has one twice.

    Raises
    ------
    InputError
        Naming what is missing and what was found, or which headers compete.
    """
    if fit.missing:
        missing = ", ".join(f"`{column.headers[0]}`" for column in fit.missing)
        found = ", ".join(f"`{header}`" for header in headers) or "-"
        raise InputError(t("ingest.error_columns", file=file, missing=missing, found=found))
    for target, competing in fit.ambiguous.items():
        listed = ", ".join(f"`{header}`" for header in competing)
        raise InputError(t("ingest.error_ambiguous", file=file, headers=listed, target=target))


def require_mapping(mapping: Mapping[str, str], parts: Sequence[Part]) -> None:
    """Refuse a mapping that names targets which no part of the layer has.

    Raises
    ------
    InputError
        Naming the strange targets and the known ones.
    """
    known = [column.target for part in parts for column in part.columns]
    if any(part.place == "point" for part in parts):
        known += [column.target for column in PLACE_COLUMNS]
    strange = [target for target in mapping if target not in known]
    if strange:
        listed, all_known = ", ".join(f"`{target}`" for target in strange), ", ".join(dict.fromkeys(known))
        raise InputError(t("ingest.error_mapping_target", targets=listed, known=all_known))


def read_mapping(file: Path) -> dict[str, str]:
    """Read a mapping file, TOML or JSON: one `target = "header"` a line.

    Raises
    ------
    InputError
        If it cannot be read, or holds anything but texts.
    """
    try:
        text = file.read_text("utf-8-sig")
        given = json.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InputError(t("ingest.error_mapping_file", file=file.name)) from error
    if not isinstance(given, dict) or not all(isinstance(header, str) for header in given.values()):
        raise InputError(t("ingest.error_mapping_file", file=file.name))
    return {str(target): header for target, header in given.items()}


def datum_of_header(header: str) -> str | None:
    """Return the datum that a header names (`经度(GCJ02)`, `百度经度`), or None.

    Examples
    --------
    >>> datum_of_header("高德经度"), datum_of_header("经度")
    ('gcj02', None)
    """
    for datum, pattern in _DATUM_WORDS:
        if pattern.search(header):
            return datum
    return None


def _found(column: Column, headers: Mapping[str, int]) -> list[str]:
    ways = {normal_header(way) for way in (column.target, *column.headers)}
    exact = [header for header in headers if normal_header(header) in ways]
    if exact:
        return exact
    return [header for header in headers if _bare(header, column) in ways]


def _bare(header: str, column: Column) -> str:
    """Return a header without its brackets and, for coordinates, without the words that name a datum."""
    bare = _BRACKETS.sub("", unicodedata.normalize("NFKC", header))
    if column in PLACE_COLUMNS:
        for _, pattern in _DATUM_WORDS:
            bare = pattern.sub("", bare)
    return normal_header(bare)


def _has_pair(header_of: Mapping[str, str]) -> bool:
    return any(east in header_of and north in header_of for east, north in _PAIRS)
