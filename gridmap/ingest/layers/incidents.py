"""Layer `incidents`: what was reported, the steps that followed, and the category lists of the years."""

import datetime as dt
from collections.abc import Mapping

import numpy as np

from gridmap.ingest.columns import Column, Part
from gridmap.ingest.layers import words
from gridmap.ingest.layers.layer import Layer, Taken, frame_of, refuse_backwards
from gridmap.ingest.layers.places import polygons_of, village_codes
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given, place_points

_YEARS = (2000, 2100)

INCIDENTS = Part(
    name="incidents",
    columns=(
        Column(target="incident_code", headers=("事件编号", "工单编号", "编号", "事件编码", "id")),
        Column(target="category_code", headers=("类别代码", "事件类别代码", "类别编码", "category")),
        Column(target="list_year", headers=("清单年度", "清单年份", "年度")),
        Column(target="urgency", headers=("紧急程度", "紧急", "缓急"), is_required=False),
        Column(target="happened_at", headers=("发生时间", "事发时间")),
        Column(target="recorded_at", headers=("登记时间", "上报时间", "录入时间")),
        Column(target="source", headers=("来源", "事件来源"), is_required=False),
        Column(target="place", headers=("地点", "事发地点", "地址"), is_required=False),
        Column(target="village", headers=("村", "所属村", "村名", "村(社区)", "village_code"), is_required=False),
        Column(target="text", headers=("内容", "事件描述", "描述", "事件内容"), is_required=False),
        Column(target="due_at", headers=("办理期限", "截止时间", "时限"), is_required=False),
    ),
    place="point",
    is_place_required=False,
)
STEPS = Part(
    name="incident_steps",
    columns=(
        Column(target="incident_code", headers=("事件编号", "工单编号", "事件编码", "incident")),
        Column(target="kind", headers=("环节", "处理环节", "步骤")),
        Column(target="level", headers=("层级", "办理层级"), is_required=False),
        Column(target="staff_id", headers=("经办人", "经办人账号", "处理人", "userid"), is_required=False),
        Column(target="team", headers=("队伍", "承办队伍", "team_code"), is_required=False),
        Column(target="happened_at", headers=("时间", "办理时间", "处理时间")),
        Column(target="note", headers=("说明", "备注", "处理说明"), is_required=False),
        Column(target="satisfaction", headers=("满意度", "满意度评分"), is_required=False),
    ),
)
CATEGORIES = Part(
    name="categories",
    columns=(
        Column(target="list_year", headers=("清单年度", "清单年份", "年度")),
        Column(target="category_code", headers=("类别代码", "类别编码", "code")),
        Column(target="name", headers=("类别名称", "名称", "name")),
        Column(target="kind", headers=("大类", "事件大类")),
        Column(target="is_private", headers=("是否隐私", "隐私", "private"), is_required=False),
        Column(target="valid_from", headers=("启用日期", "生效日期")),
        Column(target="valid_until", headers=("停用日期", "失效日期"), is_required=False),
        Column(target="successor_code", headers=("对应新代码", "新代码", "successor"), is_required=False),
    ),
)


def read_incidents(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:
    """Read categories, then incidents (whose category must be known), then steps (whose incident must be known)."""
    taken = []
    categories: frozenset[tuple[str, int]] = frozenset() if given.context is None else given.context.category_keys
    if "categories" in ledgers:
        listed = _read_categories(ledgers["categories"])
        taken.append(listed)
        pairs = zip(listed.frame["category_code"], listed.frame["list_year"], strict=True)
        categories |= {(str(code), int(year)) for code, year in pairs}
    events = _read_events(ledgers["incidents"], given, zone, categories)
    taken.append(events)
    if "incident_steps" in ledgers:
        known = frozenset() if given.context is None else given.context.incident_codes
        known |= frozenset(events.frame["incident_code"])
        taken.append(_read_steps(ledgers["incident_steps"], known, given, zone))
    return tuple(taken)


def _read_categories(ledger: Ledger) -> Taken:
    ledger.refuse_duplicates()
    code = ledger.code("category_code")
    year = ledger.whole("list_year", low=_YEARS[0], high=_YEARS[1])
    valid_from, valid_until = ledger.day("valid_from"), ledger.day("valid_until", is_required=False)
    refuse_backwards(ledger, valid_from, valid_until, target="valid_until")
    columns = {
        "category_code": code,
        "list_year": year,
        "kind": ledger.word("kind", words.INCIDENT_KINDS),
        "name": ledger.text("name", is_required=True),
        "is_private": ledger.flag("is_private", blank=False),
        "valid_from": valid_from,
        "valid_until": valid_until,
        "successor_code": ledger.code("successor_code", is_required=False),
    }
    ledger.refuse_repeated(code, year, target="category_code")
    return Taken(part="categories", frame=frame_of("categories", columns, ledger), ledger=ledger)


def _read_events(ledger: Ledger, given: Given, zone: dt.tzinfo, categories: frozenset[tuple[str, int]]) -> Taken:
    ledger.refuse_duplicates()
    code = ledger.code("incident_code")
    category = ledger.code("category_code")
    year = ledger.whole("list_year", low=_YEARS[0], high=_YEARS[1])
    strange = [(one, listed) not in categories for one, listed in zip(category, year, strict=True)]
    ledger.refuse(np.array(strange, dtype=bool), "unknown_category", target="category_code", year=year)
    urgency = ledger.word("urgency", words.URGENCIES, is_required=False)
    happened_at, recorded_at = ledger.instant("happened_at", zone=zone), ledger.instant("recorded_at", zone=zone)
    due_at = ledger.instant("due_at", zone=zone, is_required=False)
    early = (recorded_at < happened_at).to_numpy(dtype=bool)
    ledger.refuse(early, "recorded_early", target="recorded_at", happened=happened_at)
    village = village_codes(ledger, "village", given.context, is_required=False)
    placed = place_points(ledger, given, is_required=False, stated=polygons_of(village, given.context))
    columns = {
        "incident_code": code,
        "category_code": category,
        "list_year": year,
        "urgency": urgency.where(urgency.notna(), "normal"),
        "happened_at": happened_at,
        "recorded_at": recorded_at,
        "source": ledger.text("source"),
        "village_code": village,
        "place": ledger.text("place"),
        "text": ledger.text("text"),
        "due_at": due_at,
    }
    ledger.refuse_repeated(code, target="incident_code")
    frame = frame_of("incidents", columns, ledger, placed)
    return Taken(part="incidents", frame=frame, ledger=ledger, placed=placed)


def _read_steps(ledger: Ledger, incidents: frozenset[str], given: Given, zone: dt.tzinfo) -> Taken:
    ledger.refuse_duplicates()
    code = ledger.code("incident_code")
    ledger.refuse(~code.isin(incidents).to_numpy(), "unknown_incident", target="incident_code")
    kind = ledger.word("kind", words.STEP_KINDS)
    happened_at = ledger.instant("happened_at", zone=zone)
    staff_id = ledger.code("staff_id", is_required=False)
    if given.context is not None and given.context.staff_ids:
        unknown = staff_id.notna().to_numpy() & ~staff_id.isin(given.context.staff_ids).to_numpy()
        ledger.refuse(unknown, "unknown_staff", target="staff_id")
    columns = {
        "incident_code": code,
        "kind": kind,
        "level": ledger.word("level", words.STEP_LEVELS, is_required=False),
        "staff_id": staff_id,
        "team_code": ledger.word("team", words.TEAMS, is_required=False),
        "happened_at": happened_at,
        "note": ledger.text("note"),
        "satisfaction": ledger.whole("satisfaction", low=1, high=5, is_required=False),
    }
    ledger.refuse_repeated(code, kind, happened_at, target="incident_code")
    return Taken(part="incident_steps", frame=frame_of("incident_steps", columns, ledger), ledger=ledger)


LAYER = Layer(name="incidents", parts=(INCIDENTS, STEPS, CATEGORIES), read=read_incidents)
