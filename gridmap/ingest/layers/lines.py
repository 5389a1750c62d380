"""Layers `paths` and `water`: the network people walk on, and the water of the base map."""

import datetime as dt
from collections.abc import Mapping

from gridmap.ingest.columns import Column, Part
from gridmap.ingest.layers import words
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given
from gridmap.ingest.shapes import place_shapes

_LINES = ("LineString", "MultiLineString")
_POLYGONS = ("Polygon", "MultiPolygon")

PATHS = Part(
    name="paths",
    columns=(
        Column(target="path_code", headers=("编号", "道路编号", "路段编号", "代码", "code", "id")),
        Column(target="name", headers=("名称", "路名", "道路名称", "name"), is_required=False),
        Column(target="kind", headers=("类型", "道路类型", "类别", "等级", "type")),
        Column(target="is_bridge", headers=("桥", "是否桥梁", "桥梁", "bridge"), is_required=False),
    ),
    place="shape",
)
WATER = Part(
    name="water",
    columns=(
        Column(target="water_code", headers=("编号", "水系编号", "代码", "code", "id")),
        Column(target="name", headers=("名称", "水系名称", "name"), is_required=False),
        Column(target="kind", headers=("类型", "水系类型", "类别", "type")),
    ),
    place="shape",
)


def read_paths(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:  # noqa: ARG001
    """Read the paths; a blank `桥` is no bridge."""
    ledger = ledgers["paths"]
    ledger.refuse_duplicates()
    code = ledger.code("path_code")
    columns = {
        "path_code": code,
        "name": ledger.text("name"),
        "kind": ledger.word("kind", words.PATH_KINDS),
        "is_bridge": ledger.flag("is_bridge", blank=False),
    }
    placed = place_shapes(ledger, given, allowed=_LINES)
    ledger.refuse_repeated(code, target="path_code")
    return (Taken(part="paths", frame=frame_of("paths", columns, ledger, placed), ledger=ledger, placed=placed),)


def read_water(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:  # noqa: ARG001
    """Read rivers, ponds, reservoirs and canals: lines or polygons."""
    ledger = ledgers["water"]
    ledger.refuse_duplicates()
    code = ledger.code("water_code")
    columns = {"water_code": code, "name": ledger.text("name"), "kind": ledger.word("kind", words.WATER_KINDS)}
    placed = place_shapes(ledger, given, allowed=_LINES + _POLYGONS)
    ledger.refuse_repeated(code, target="water_code")
    return (Taken(part="water", frame=frame_of("water", columns, ledger, placed), ledger=ledger, placed=placed),)


PATHS_LAYER = Layer(name="paths", parts=(PATHS,), read=read_paths)
WATER_LAYER = Layer(name="water", parts=(WATER,), read=read_water)
