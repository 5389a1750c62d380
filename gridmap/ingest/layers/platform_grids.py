"""Layer `platform_grids`: the grid tree of the work platform (网格结构), from `report/grid/list`."""

import datetime as dt
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridmap.ingest import personal
from gridmap.ingest.columns import Column, Part
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given

PART = Part(
    name="platform_grids",
    columns=(
        Column(target="grid_id", headers=("grid_id",)),
        Column(target="name", headers=("grid_name",)),
        Column(target="parent_id", headers=("grid_parent_id",), is_required=False),
        Column(target="admins", headers=("grid_admin",), is_required=False),
        Column(target="members", headers=("grid_member",), is_required=False),
    ),
)


def read_platform_grids(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:  # noqa: ARG001  every layer is asked alike
    """Read the nodes; of two with one `grid_id` the first stands. Accounts that are telephone numbers are left out."""
    ledger = ledgers["platform_grids"]
    ledger.refuse_duplicates()
    grid_id = ledger.code("grid_id")
    columns = {
        "grid_id": grid_id,
        "name": ledger.text("name", is_required=True),
        "parent_id": ledger.code("parent_id", is_required=False),
        "admins": _accounts(ledger, "admins"),
        "members": _accounts(ledger, "members"),
    }
    ledger.refuse_repeated(grid_id, target="grid_id")
    return (Taken(part="platform_grids", frame=frame_of("platform_grids", columns, ledger), ledger=ledger),)


def _accounts(ledger: Ledger, target: str) -> pd.Series:
    accounts = [_listed(cell) for cell in ledger.raw(target)]
    is_bad = np.array([found is None for found in accounts], dtype=bool)
    ledger.refuse(is_bad, "not_accounts", target=target)
    kept = [[one for one in found or [] if personal.mask_text(one) == one] for found in accounts]
    is_hidden = [len(some) != len(found or []) for some, found in zip(kept, accounts, strict=True)]
    ledger.change(np.array(is_hidden, dtype=bool), "masked", column=ledger.header(target))
    return pd.Series(kept, dtype=object)


def _listed(cell: object) -> list[str] | None:
    if cell is None:
        return []
    try:
        found = json.loads(str(cell))
    except ValueError:
        return None
    return [str(one) for one in found] if isinstance(found, list) else None


LAYER = Layer(name="platform_grids", parts=(PART,), read=read_platform_grids)
