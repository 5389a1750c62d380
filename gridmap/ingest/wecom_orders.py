"""Orders (工单) and the grid tree as WeCom gives them (政民沟通), as raw tables.

Sources, all below https://developer.work.weixin.qq.com/document/path/: patrol reports (巡查上报) 93536 `report/patrol/get_order_list`
and 93535 `get_order_info`; resident reports (居民上报) 93518 `report/resident/get_order_list` and 93519 `get_order_info`; the
grid tree 94481 `report/grid/list`. An item of a list and the answer about one order have the same fields. Coordinates are degrees in the
published clients; no document names their datum. The platform's own maps and its position chooser speak GCJ-02 (98523), so
that is declared, and the fit to known places may contradict it. Its check-ins count degrees times a million: a pair that can be
nothing else is read so, and told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from gridmap.crs import CHINA_BOX
from gridmap.errors import InputError
from gridmap.ingest.limits import Limits
from gridmap.ingest.tables import RawTable
from gridmap.ingest.wecom import DEGREE, plain_cell, require_answered
from gridmap.texts import t

PATROL, RESIDENT = "patrol", "resident"
LONGITUDE, LATITUDE = "longitude (GCJ-02)", "latitude (GCJ-02)"
REOPENED = "reopened"
CREATED, CLOSED, REFUSED = 1, 5, 6
_FINAL = (CLOSED, REFUSED)
_DONE = 1
_REFUSED_NOTE = "拒绝"
_PERSONAL = ("reporter_name", "reporter_mobile", "unionid")
_ORDER_FIELDS = ("order_id", "desc", "urge_type", "case_name", "grid_id", "grid_name", "create_time")
_ORDER_HEADERS = (*_ORDER_FIELDS, "location_name", "location_address", LONGITUDE, LATITUDE, "family", *_PERSONAL)
_STEP_HEADERS = ("order_id", "process_type", "solve_userid", "process_desc", "solved_time")
_GRID_HEADERS = ("grid_id", "grid_name", "grid_parent_id", "grid_admin", "grid_member")


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One row of the table of steps."""

    order_id: Any
    process_type: Any
    at: Any
    staff_id: Any = None
    note: Any = None

    def cells(self) -> tuple[Any, ...]:
        return self.order_id, self.process_type, self.staff_id, self.note, self.at


def order_tables(
    content: Any, *, name: str, encoding: str | None, limits: Limits, family: str | None = None
) -> list[RawTable]:
    """Turn answers about orders into two raw tables: the orders, and what happened to them.

    Parameters
    ----------
    content
        An answer with `order_list` or `order_info`, or a list of such answers.
    name, encoding
        Of the file, for messages and the record.
    limits
        How many rows are allowed.
    family
        `patrol` or `resident` where it is known; else an order that names its reporter is a resident's.

    Returns
    -------
    list of RawTable
        Orders, numbered from 1 as they stand in the file; and their steps: a first one from `create_time`, one for each record of
        `process_list` that is done (`status` 1), and a reopening where a record follows a final one. Records under way
        (`status` 0) have no time yet and come again when they are done.

    Raises
    ------
    InputError
        If WeCom reported an error, the content has another shape, or there are too many rows.
    """
    orders = list(_orders(content, name))
    if len(orders) > limits.max_rows:
        raise InputError(t("ingest.error_too_many_rows", file=name, limit=limits.max_rows))
    if not orders:
        raise InputError(t("ingest.error_no_rows", file=name))
    rows, changes = [], []
    for number, order in enumerate(orders, start=1):
        cells, is_scaled = _order_cells(order, family=family)
        rows.append(cells)
        if is_scaled:
            changes.append((number, t("ingest.change_micro_degrees")))
    steps = [step for order in orders for step in _steps(order)]
    n_pending = sum(_is_pending(record) for order in orders for record in _records(order))
    notes = (t("ingest.note_steps_pending", n=n_pending),) if n_pending else ()
    return [
        _table(rows, _ORDER_HEADERS, name=name, sheet="order", encoding=encoding, changes=changes),
        _table(
            [step.cells() for step in steps], _STEP_HEADERS, name=name, sheet="process", encoding=encoding, notes=notes
        ),
    ]


def grid_tree_table(content: Any, *, name: str, encoding: str | None, limits: Limits) -> RawTable:
    """Turn answers of `report/grid/list` into a raw table; a node that comes twice, as parent and as child, is one row.

    Raises
    ------
    InputError
        If WeCom reported an error, the content has another shape, or there are too many rows.
    """
    nodes: list[Mapping[str, Any]] = []
    for answer in _answers(content):
        if not isinstance(answer, dict):
            raise InputError(t("ingest.error_not_grid_tree", file=name))
        require_answered(answer, name=name)
        nodes += _items(answer.get("grid_list"), name, "ingest.error_not_grid_tree")
    if len(nodes) > limits.max_rows:
        raise InputError(t("ingest.error_too_many_rows", file=name, limit=limits.max_rows))
    rows = list(dict.fromkeys(tuple(plain_cell(node.get(field)) for field in _GRID_HEADERS) for node in nodes))
    if not rows:
        raise InputError(t("ingest.error_no_rows", file=name))
    return _table(rows, _GRID_HEADERS, name=name, sheet=None, encoding=encoding)


def _answers(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [content]


def _orders(content: Any, name: str) -> Iterable[Mapping[str, Any]]:
    for answer in _answers(content):
        if not isinstance(answer, dict):
            raise InputError(t("ingest.error_not_orders", file=name))
        require_answered(answer, name=name)
        found = answer.get("order_list", [answer.get("order_info")])
        yield from _items(found, name, "ingest.error_not_orders")


def _items(found: Any, name: str, key: str) -> list[Mapping[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InputError(t(key, file=name))
    return found


def _order_cells(order: Mapping[str, Any], *, family: str | None) -> tuple[list[Any], bool]:
    location = order.get("location")
    located: Mapping[str, Any] = location if isinstance(location, dict) else {}
    longitude, latitude, is_scaled = _degrees(located.get("longitude"), located.get("latitude"))
    plain = [plain_cell(order.get(field)) for field in _ORDER_FIELDS]
    # The protocol writes 0 where a number was not given.
    plain[_ORDER_FIELDS.index("urge_type")] = plain[_ORDER_FIELDS.index("urge_type")] or None
    is_resident = any(order.get(field) for field in _PERSONAL)
    cells = [
        *plain,
        plain_cell(located.get("name")),
        plain_cell(located.get("address")),
        longitude,
        latitude,
        family or (RESIDENT if is_resident else PATROL),
        *(plain_cell(order.get(field)) for field in _PERSONAL),
    ]
    return cells, is_scaled


def _degrees(longitude: Any, latitude: Any) -> tuple[Any, Any, bool]:
    """Return degrees; 0,0 is no place, and a pair of whole numbers inside China when divided by a million is that."""
    if longitude == 0 and latitude == 0:
        return None, None, False
    if type(longitude) is int and type(latitude) is int:
        west, south, east, north = CHINA_BOX
        if west * DEGREE <= longitude <= east * DEGREE and south * DEGREE <= latitude <= north * DEGREE:
            return longitude / DEGREE, latitude / DEGREE, True
    return plain_cell(longitude), plain_cell(latitude), False


def _records(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    records = order.get("process_list")
    return [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []


def _is_pending(record: Mapping[str, Any]) -> bool:
    return record.get("status") != _DONE and record.get("process_type") != CREATED


def _steps(order: Mapping[str, Any]) -> list[_Step]:
    """Return the steps of an order; they depend on each record and those before it only, so a longer history has them all."""
    order_id = plain_cell(order.get("order_id"))
    records = _records(order)
    created = next((record for record in records if record.get("process_type") == CREATED), {})
    first = _Step(
        order_id=order_id,
        process_type=CREATED,
        at=plain_cell(order.get("create_time")),
        staff_id=plain_cell(created.get("solve_userid")),
    )
    done = [record for record in records if record.get("process_type") != CREATED and not _is_pending(record)]
    steps = [_step(order_id, record) for record in done]
    timed = sorted((step for step in steps if type(step.at) is int), key=lambda step: step.at)
    reopened = [
        _Step(order_id=order_id, process_type=REOPENED, at=later.at)
        for before, later in pairwise(timed)
        if before.process_type in _FINAL and later.process_type not in _FINAL and later.at > before.at
    ]
    return [first, *steps, *reopened]


def _step(order_id: Any, record: Mapping[str, Any]) -> _Step:
    kind, note = plain_cell(record.get("process_type")), plain_cell(record.get("process_desc"))
    if kind == REFUSED:
        note = _REFUSED_NOTE if note is None else f"{_REFUSED_NOTE}：{note}"
    return _Step(
        order_id=order_id,
        process_type=kind,
        at=plain_cell(record.get("solved_time") or None),
        staff_id=plain_cell(record.get("solve_userid")),
        note=note,
    )


def _table(
    rows: Sequence[Sequence[Any]],
    headers: tuple[str, ...],
    *,
    name: str,
    sheet: str | None,
    encoding: str | None,
    changes: Sequence[tuple[int, str]] = (),
    notes: tuple[str, ...] = (),
) -> RawTable:
    """Return a raw table without the columns that no row fills and nobody needs (who reported it)."""
    cells = pd.DataFrame(list(rows), columns=range(len(headers)), dtype=object)
    cells = cells.astype(object).where(cells.notna(), None)
    kept = [place for place, header in enumerate(headers) if header not in _PERSONAL or cells[place].notna().any()]
    return RawTable(
        file=name,
        name=sheet,
        headers=tuple(headers[place] for place in kept),
        cells=cells[kept].set_axis(range(len(kept)), axis="columns"),
        row_numbers=np.arange(1, len(rows) + 1, dtype=np.int64),
        encoding=encoding,
        changes=tuple(changes),
        notes=notes,
    )
