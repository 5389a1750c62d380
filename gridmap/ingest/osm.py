"""OpenStreetMap's XML: the ways that people walk, cut where they share a node, bridges and tunnels flagged."""

import xml.parsers.expat
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from gridmap.errors import InputError
from gridmap.ingest.limits import Limits
from gridmap.ingest.markup import refuse_doctype
from gridmap.texts import t

ENDING = ".osm"
_NOT_WALKED = frozenset(
    {"motorway", "motorway_link", "proposed", "construction", "planned", "abandoned", "razed", "raceway", "platform"}
)
_NO = frozenset({"no", "private"})
_HEAD_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 20


class _Reading:
    """What has been read so far: places of nodes, ways as lists of nodes with their tags."""

    def __init__(self) -> None:
        self.nodes: dict[int, tuple[float, float]] = {}
        self.ways: list[tuple[int, list[int], dict[str, str]]] = []
        self._way: tuple[int, list[int], dict[str, str]] | None = None

    def on_start(self, name: str, said: dict[str, str]) -> None:
        if name == "node":
            self.nodes[int(said["id"])] = (float(said["lon"]), float(said["lat"]))
        elif name == "way":
            self._way = (int(said["id"]), [], {})
        elif name == "nd" and self._way:
            self._way[1].append(int(said["ref"]))
        elif name == "tag" and self._way:
            self._way[2][said["k"]] = said["v"]

    def on_end(self, name: str) -> None:
        if name == "way" and self._way:
            if "highway" in self._way[2]:
                self.ways.append(self._way)
            self._way = None


def read_osm_paths(file: Path, *, limits: Limits) -> gpd.GeoDataFrame:
    """Read the walkable ways of an OpenStreetMap XML file.

    Ways are cut at nodes that several share. A bridge or tunnel meets others at such nodes only; a way over a ford is of the
    kind `ford`. Motorways, ways under construction and those closed to walkers are left out.

    Parameters
    ----------
    file
        `.osm`, not packed.
    limits
        Sizes that are allowed.

    Returns
    -------
    GeoDataFrame
        EPSG:4326; index 1, 2, …; `osm_id`, `name` (may be null), `kind` (OSM's `highway`, or `ford`), `is_bridge`.

    Raises
    ------
    InputError
        If the file is missing, empty, too big, no OpenStreetMap XML, or holds no such way.
    """
    if not file.is_file():
        raise InputError(t("ingest.error_missing_file", file=file.name))
    size = file.stat().st_size
    if size == 0:
        raise InputError(t("ingest.error_empty_file", file=file.name))
    if size > limits.max_bytes:
        megabytes, limit = f"{size / 1e6:.0f}", f"{limits.max_bytes / 1e6:g}"
        raise InputError(t("ingest.error_too_big", file=file.name, size=megabytes, limit=limit))
    pieces = _pieces(_parse(file))
    if not pieces:
        raise InputError(t("ingest.error_no_rows", file=file.name))
    if len(pieces) > limits.max_rows:
        raise InputError(t("ingest.error_too_many_rows", file=file.name, limit=limits.max_rows))
    number, names, kinds, is_bridge, lines = zip(*pieces, strict=True)
    return gpd.GeoDataFrame(
        {"osm_id": number, "name": names, "kind": kinds, "is_bridge": is_bridge},
        geometry=gpd.GeoSeries(lines, crs="EPSG:4326").to_numpy(),
        index=np.arange(1, len(pieces) + 1),
        crs="EPSG:4326",
    )


def _parse(file: Path) -> _Reading:
    found = _Reading()

    def on_doctype(*_: object) -> None:
        raise InputError(t("ingest.error_doctype", file=file.name))

    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = found.on_start, found.on_end
    parser.StartDoctypeDeclHandler = on_doctype
    with file.open("rb") as opened:
        refuse_doctype(opened.read(_HEAD_BYTES), file=file.name)
        opened.seek(0)
        try:
            while chunk := opened.read(_CHUNK_BYTES):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except (xml.parsers.expat.ExpatError, KeyError, ValueError) as error:
            raise InputError(t("ingest.error_not_recognised", file=file.name)) from error
    return found


def _is_walked(tags: dict[str, str]) -> bool:
    closed = tags.get("foot", tags.get("access", "yes")) in _NO
    return tags["highway"] not in _NOT_WALKED and not closed and tags.get("area") != "yes"


def _pieces(found: _Reading) -> list[tuple[int, str | None, str, bool, shapely.LineString]]:
    walked = [
        (number, [node for node in nodes if node in found.nodes], tags)
        for number, nodes, tags in found.ways
        if _is_walked(tags)
    ]
    n_uses = Counter(node for _, nodes, _ in walked for node in nodes)
    pieces = []
    for number, nodes, tags in walked:
        kind = "ford" if tags.get("ford", "no") != "no" else tags["highway"]
        is_bridge = any(tags.get(key, "no") != "no" for key in ("bridge", "tunnel"))
        part: list[int] = []
        for at, node in enumerate(nodes):
            part.append(node)
            if len(part) > 1 and (n_uses[node] > 1 or at == len(nodes) - 1):
                line = shapely.LineString([found.nodes[one] for one in part])
                pieces.append((number, tags.get("name"), kind, is_bridge, line))
                part = [node]
    return pieces
