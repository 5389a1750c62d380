"""Layer `households`: points with counts of residents and service needs; nobody's name, number or telephone."""

import datetime as dt
from collections.abc import Mapping

import pandas as pd

from gridmap.frames import MAX_RESIDENTS, SERVICE_NEEDS
from gridmap.ingest.columns import Column, Part
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.layers.places import group_codes, polygons_of, village_codes
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given, place_points

_NEED_HEADERS = {
    "living_alone": ("独居老人", "独居老人数", "独居"),
    "left_behind": ("留守儿童", "留守儿童数", "留守"),
    "disabled": ("残疾人", "残疾人数", "残疾"),
    "low_income": ("低保", "低保人数", "低保人口", "低保户"),
}

PART = Part(
    name="households",
    columns=(
        Column(
            target="household_code", headers=("户编号", "户号", "住户编号", "门牌编号", "household", "household_id")
        ),
        Column(
            target="village",
            headers=("村", "村名", "所属村", "行政村", "村(社区)", "村/社区", "village_code"),
            is_required=False,
        ),
        Column(target="group", headers=("村民小组", "组", "小组", "组名", "所属小组", "组代码", "group_code")),
        Column(target="n_residents", headers=("人口数", "人口", "家庭人口", "常住人口", "人数", "residents")),
        *(Column(target=f"n_{need}", headers=_NEED_HEADERS[need], is_required=False) for need in SERVICE_NEEDS),
        Column(target="updated_on", headers=("更新日期", "登记日期", "采集日期", "更新时间"), is_required=False),
    ),
    place="point",
)


def read_households(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:  # noqa: ARG001
    """Read the households; a blank count of a service need is 0, for files leave it out where nobody has it."""
    ledger = ledgers["households"]
    ledger.refuse_duplicates()
    code = ledger.code("household_code")
    village = village_codes(ledger, "village", given.context, is_required=False)
    group = group_codes(ledger, "group", village, given.context)
    residents = ledger.whole("n_residents", low=0, high=MAX_RESIDENTS)
    needs = {f"n_{need}": _need(ledger, f"n_{need}", residents) for need in SERVICE_NEEDS}
    updated_on = ledger.day("updated_on", is_required=False)
    placed = place_points(ledger, given, stated=polygons_of(group.where(ledger.is_open, None), given.context))
    ledger.refuse_repeated(code, target="household_code")
    columns = {
        "household_code": code,
        "group_code": group,
        "n_residents": residents,
        "updated_on": updated_on,
        **needs,
    }
    return (
        Taken(part="households", frame=frame_of("households", columns, ledger, placed), ledger=ledger, placed=placed),
    )


def _need(ledger: Ledger, target: str, residents: pd.Series) -> pd.Series:
    numbers = ledger.whole(target, low=0, high=MAX_RESIDENTS, blank=0)
    ledger.refuse((numbers > residents).to_numpy(), "more_than_residents", target=target, residents=residents)
    return numbers


LAYER = Layer(name="households", parts=(PART,), read=read_households)
