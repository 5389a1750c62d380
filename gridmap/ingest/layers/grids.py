"""Layer `grids`: area grids drawn by hand, kept as drawn; which units they hold is decided later, by the plan."""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely

from gridmap.ingest.columns import Column, Part
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given
from gridmap.ingest.shapes import Shapes, place_shapes, to_metres

_INSIDE_SHARE = 0.5

PART = Part(
    name="grids",
    columns=(
        Column(target="grid_code", headers=("网格代码", "网格编码", "网格编号", "grid")),
        Column(target="name", headers=("网格名称", "名称", "name")),
        Column(target="village_code", headers=("村代码", "所属村代码", "村编码", "village"), is_required=False),
        Column(target="exception_reason", headers=("超限原因", "超限说明", "例外原因"), is_required=False),
        Column(target="exception_approved_by", headers=("批准人", "审批人", "approved_by"), is_required=False),
    ),
    place="shape",
)


def read_grids(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:  # noqa: ARG001
    """Read the grids: codes, the village they lie in, reasons for more households than the cap."""
    ledger = ledgers["grids"]
    ledger.refuse_duplicates()
    code = ledger.code("grid_code")
    fits = code.str.fullmatch(r"[0-9]{15}").fillna(value=False).to_numpy(dtype=bool)
    ledger.refuse(~fits, "grid_code_form", target="grid_code")
    name = ledger.text("name", is_required=True)
    village = _villages(ledger, code)
    reason, approved_by = ledger.text("exception_reason"), ledger.text("exception_approved_by")
    ledger.refuse(reason.notna().to_numpy() & approved_by.isna().to_numpy(), "exception_not_approved")
    approved_by = approved_by.where(reason.notna(), None)
    placed = place_shapes(ledger, given, allowed=("Polygon", "MultiPolygon"))
    if given.context is not None:
        known = set(given.context.areas.loc[given.context.areas["level"] == "village", "area_code"])
        known -= given.context.ended_codes
        ledger.refuse(~village.isin(known).to_numpy(), "unknown_village", target="grid_code", village=village)
        _refuse_elsewhere(ledger, village, placed.geometries, given.context)
    ledger.refuse_repeated(code, target="grid_code")
    columns = {
        "grid_code": code,
        "name": name,
        "village_code": village,
        "exception_reason": reason,
        "exception_approved_by": approved_by,
    }
    return (Taken(part="grids", frame=frame_of("grids", columns, ledger, placed), ledger=ledger, placed=placed),)


def _villages(ledger: Ledger, code: pd.Series) -> pd.Series:
    """Return the village that a grid's code starts with; a written one must agree."""
    written = ledger.code("village_code", is_required=False)
    expected = code.str[:12]
    wrong = written.notna().to_numpy() & (written != expected).to_numpy()
    ledger.refuse(wrong, "village_of_grid", target="village_code", expected=expected)
    return expected.astype(object)


def _refuse_elsewhere(ledger: Ledger, village: pd.Series, shapes: Shapes, context: TownshipContext) -> None:
    """Refuse grids of which less than half lies in the village that their code names."""
    rows = np.flatnonzero(ledger.is_open)
    if not len(rows):
        return
    polygons = context.areas.set_index("area_code").geometry
    grids = to_metres(shapes[rows], epsg=context.metric_epsg)
    villages = to_metres(polygons.loc[village.iloc[rows]].to_numpy(), epsg=context.metric_epsg)
    share = np.ones(ledger.n_rows)
    share[rows] = shapely.area(shapely.intersection(grids, villages)) / shapely.area(grids)
    percent = np.array([f"{part:.0%}" for part in share], dtype=object)
    ledger.refuse(share < _INSIDE_SHARE, "grid_elsewhere", village=village, share=percent)


LAYER = Layer(name="grids", parts=(PART,), read=read_grids)
