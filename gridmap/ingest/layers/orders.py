"""Layer `incidents` from the work platform's orders (工单): patrol reports (巡查上报) and resident reports (居民上报).

| `process_type` of the platform | step | why |
|---|---|---|
| 1 创建 | reported | at `create_time`; resident reports have no such record and are reported all the same |
| 2 受理 | accepted | |
| 3 分配 | dispatched | the platform's grid centre assigns; without a level, since nobody took the matter on |
| 4 转交 | escalated | handing on is the platform's only way up; its level is that of who handed it on |
| 7 办理中 | handled | |
| 5 办结 | closed | |
| 6 拒绝 | closed | nobody will handle it; the note begins with 拒绝 |
| a record after 5 or 6 | reopened, then its own step | so that it does not pass as closed |

`urge_type` 1 一般 and 2 重要 are normal, 3 紧急 is urgent. `order_id` makes the number, so an order that comes again is the same incident.
"""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridmap.codes import VILLAGE_DIGITS, plain_name
from gridmap.ingest import personal
from gridmap.ingest.columns import Column, Part
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.layers.moments import happened_at
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given, place_points
from gridmap.ingest.values import Flags
from gridmap.texts import t

NUMBER_PREFIX = "QW"
PROCESS_KINDS = {
    "reported": ("1", "创建"),
    "accepted": ("2", "受理"),
    "dispatched": ("3", "分配"),
    "escalated": ("4", "转交"),
    "closed": ("5", "办结", "6", "拒绝"),
    "handled": ("7", "办理中"),
    "reopened": (),
}
URGENCIES = {"normal": ("1", "2"), "urgent": ("3",)}
FAMILIES = {"patrol": ("patrol",), "resident": ("resident",)}
SOURCES = {"patrol": "企业微信巡查上报", "resident": "企业微信居民上报"}
# Of an order only what an incident has no column for; stored beside it.
PLATFORM_COLUMNS = ("order_id", "family", "urge_type", "platform_grid_id", "platform_grid_name", "platform_grid_code")
_MAX_ORDER_ID = 100
_WITHOUT_LEVEL = "dispatched"
_SHOWN = 5

ORDERS = Part(
    name="incidents",
    columns=(
        Column(target="order_id", headers=("order_id",)),
        Column(target="case_name", headers=("case_name",)),
        Column(target="urge_type", headers=("urge_type",)),
        Column(target="happened_at", headers=("create_time",)),
        Column(target="grid_id", headers=("grid_id",)),
        Column(target="grid_name", headers=("grid_name",)),
        Column(target="place", headers=("location_name",)),
        Column(target="address", headers=("location_address",)),
        Column(target="text", headers=("desc",)),
        Column(target="family", headers=("family",)),
    ),
    place="point",
)
PROCESSES = Part(
    name="incident_steps",
    columns=(
        Column(target="order_id", headers=("order_id",)),
        Column(target="kind", headers=("process_type",)),
        Column(target="staff_id", headers=("solve_userid",)),
        Column(target="note", headers=("process_desc",)),
        Column(target="happened_at", headers=("solved_time",)),
    ),
)


def incident_code(order_id: str) -> str:
    """Return the number of the incident that an order is.

    Examples
    --------
    >>> incident_code("wr12_Ab")
    'QWwr12_Ab'
    """
    return NUMBER_PREFIX + order_id


def read_orders(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:
    """Read orders, then their steps; the steps of an order that was refused are refused with it."""
    orders = _read_orders(ledgers["incidents"], given, zone)
    known = frozenset(orders.frame["incident_code"])
    if given.context is not None:
        known |= given.context.incident_codes
    return orders, _read_steps(ledgers["incident_steps"], known, given, zone)


def _read_orders(ledger: Ledger, given: Given, zone: dt.tzinfo) -> Taken:
    ledger.refuse_duplicates()
    order_id = ledger.code("order_id")
    too_long = order_id.str.len().gt(_MAX_ORDER_ID).fillna(value=False).to_numpy(dtype=bool)
    ledger.refuse(too_long, "too_long", column="order_id", limit=_MAX_ORDER_ID)
    created_at = happened_at(ledger, zone, is_unix=True)
    category, year = _categories(ledger, created_at, given.context)
    urgency = ledger.word("urge_type", URGENCIES, is_required=False)
    family = ledger.word("family", FAMILIES)
    grid_id, grid_name = ledger.code("grid_id", is_required=False), ledger.text("grid_name")
    grid_code = pd.Series(
        [_grid_code(one, name, given.context) for one, name in zip(grid_id, grid_name, strict=True)], dtype=object
    )
    placed = place_points(ledger, given, is_required=False)
    is_placed = np.array([shape is not None for shape in placed.geometries], dtype=bool)
    village = grid_code.str[:VILLAGE_DIGITS].where(grid_code.str.len() >= VILLAGE_DIGITS, None).mask(is_placed, None)
    ledger.refuse_repeated(order_id, target="order_id")
    columns = {
        "incident_code": order_id.map(incident_code, na_action="ignore"),
        "category_code": category,
        "list_year": year,
        "urgency": urgency.where(urgency.notna(), "normal"),
        "happened_at": created_at,
        "recorded_at": created_at,
        "source": family.map(SOURCES),
        "village_code": village,
        "place": _place(ledger, grid_name),
        "text": ledger.text("text"),
        "due_at": pd.Series(pd.NaT, index=range(ledger.n_rows), dtype=created_at.dtype),
    }
    frame = frame_of("incidents", columns, ledger, placed)
    beside = (order_id, family, pd.to_numeric(ledger.raw("urge_type"), errors="coerce"), grid_id, grid_name, grid_code)
    for name, values in zip(PLATFORM_COLUMNS, beside, strict=True):
        frame[name] = values.reset_index(drop=True)[ledger.is_open].to_numpy(dtype=object)
    return Taken(part="incidents", frame=frame, ledger=ledger, placed=placed)


def _categories(ledger: Ledger, created_at: pd.Series, context: TownshipContext | None) -> tuple[pd.Series, pd.Series]:
    """Find the category of each order by its name in the list in force on the day it was created."""
    name = ledger.text("case_name", is_required=True)
    codes: list[str | None] = [None] * ledger.n_rows
    years: list[float] = [np.nan] * ledger.n_rows
    is_unknown, is_shared = (np.zeros(ledger.n_rows, dtype=bool) for _ in range(2))
    days = created_at.dt.date
    for row, (called, day) in enumerate(zip(name, days, strict=True)):
        if called is None or pd.isna(day) or context is None:
            continue
        found = context.categories_named(plain_name(called), on=day)
        is_unknown[row], is_shared[row] = not found, len(found) > 1
        if len(found) == 1:
            codes[row], years[row] = found[0]
    ledger.refuse(is_unknown, "unknown_case", target="case_name", day=days)
    ledger.refuse(is_shared, "shared_case", target="case_name", day=days)
    return pd.Series(codes, dtype=object), pd.Series(years, dtype=float)


def _grid_code(grid_id: str | None, name: str | None, context: TownshipContext | None) -> str | None:
    """Return which of our grids the platform means: by the table of its grids, else by a name that one grid bears."""
    if context is None:
        return None
    if grid_id is not None and grid_id in context.platform_grids:
        return context.platform_grids[grid_id]
    return None if name is None else context.grids_by_name.get(plain_name(name))


def _place(ledger: Ledger, grid_name: pd.Series) -> pd.Series:
    """Join name and address where they differ; without both, the grid's name tells where."""
    title, address = ledger.text("place"), ledger.text("address")
    joined = (title.fillna("") + " " + address.fillna("").where(address != title, "")).str.strip()
    told = joined.where(joined != "", grid_name)
    return told.where(told.notna(), None).astype(object)


def _read_steps(ledger: Ledger, incidents: frozenset[str], given: Given, zone: dt.tzinfo) -> Taken:
    ledger.refuse_duplicates()
    code = ledger.code("order_id").map(incident_code, na_action="ignore")
    ledger.refuse(~code.isin(incidents).to_numpy(), "unknown_incident", target="order_id")
    kind = ledger.word("kind", PROCESS_KINDS)
    done_at = happened_at(ledger, zone, is_unix=True)
    staff_id = _accounts(ledger)
    levels = [
        None if given.context is None or step == _WITHOUT_LEVEL or pd.isna(day) else given.context.level_of(who, on=day)
        for who, step, day in zip(staff_id, kind, done_at.dt.date, strict=True)
    ]
    ledger.refuse_repeated(code, kind, done_at, target="kind")
    nothing = pd.Series([None] * ledger.n_rows, dtype=object)
    columns = {
        "incident_code": code,
        "kind": kind,
        "level": pd.Series(levels, dtype=object),
        "staff_id": staff_id,
        "team_code": nothing,
        "happened_at": done_at,
        "note": ledger.text("note"),
        "satisfaction": nothing,
    }
    frame = frame_of("incident_steps", columns, ledger)
    return Taken(part="incident_steps", frame=frame, ledger=ledger, notes=_strangers(frame, given.context))


def _accounts(ledger: Ledger) -> pd.Series:
    """Return who took each step. An account that is a telephone number is left out: the step counts, the number stays out."""
    cells = ledger.raw("staff_id")
    is_number: Flags = personal.is_personal(cells)
    ledger.change(is_number, "masked", column=ledger.header("staff_id"))
    written = [
        None if hidden or cell is None else str(cell).strip() for cell, hidden in zip(cells, is_number, strict=True)
    ]
    return pd.Series([account or None for account in written], dtype=object)


def _strangers(frame: pd.DataFrame, context: TownshipContext | None) -> tuple[str, ...]:
    """Return a sentence that names accounts of steps that the staff list lacks; their steps count all the same."""
    if context is None or not context.staff_ids:
        return ()
    strangers = sorted(set(frame["staff_id"].dropna()) - context.staff_ids)
    if not strangers:
        return ()
    return (t("ingest.note_strangers", n=len(strangers), accounts=", ".join(strangers[:_SHOWN])),)


LAYER = Layer(name="incidents", parts=(ORDERS, PROCESSES), read=read_orders)
