"""Layer `checkins`: where a member checked in and when (签到打卡), from WeCom's JSON or a table."""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridmap.frames import NO_CHECKIN_KIND
from gridmap.ingest.columns import Column, Part
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.layers.moments import happened_at
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given, place_points
from gridmap.ingest.values import Flags

PART = Part(
    name="checkins",
    columns=(
        Column(target="staff_id", headers=("userid", "账号", "帐号", "打卡人账号", "user_id")),
        Column(target="group_name", headers=("groupname", "规则名称", "打卡规则", "考勤组"), is_required=False),
        Column(target="kind", headers=("checkin_type", "打卡类型", "签到类型")),
        Column(target="exception", headers=("exception_type", "异常类型", "异常"), is_required=False),
        Column(target="happened_at", headers=("checkin_time", "打卡时间", "签到时间", "时间")),
        Column(target="place", headers=("location_title", "打卡地点", "地点"), is_required=False),
        Column(target="place_detail", headers=("location_detail", "详细地址", "地址"), is_required=False),
        Column(target="note", headers=("notes", "备注", "说明"), is_required=False),
        Column(target="accuracy_m", headers=("定位精度", "精度", "accuracy"), is_required=False),
    ),
    place="point",
)
_MAX_ACCURACY_M = 100_000
_OLDEST_YEAR, _NEWEST_YEAR = 2000, 2100


def read_checkins(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:
    """Read the check-ins; a missed one (未打卡) at 0,0 is taken without a place.

    Rows that WeCom gave twice are quarantined as duplicates: the first of them is taken.
    """
    ledger = ledgers["checkins"]
    ledger.refuse_duplicates()
    staff_id = ledger.code("staff_id")
    if given.context is not None and given.context.staff_ids:
        unknown = ~staff_id.isin(given.context.staff_ids).to_numpy()
        ledger.refuse(unknown, "unknown_staff", target="staff_id")
    kind = ledger.text("kind", is_required=True)
    exception = ledger.text("exception")
    instants = happened_at(ledger, zone, is_unix=ledger.table.datum is not None)
    accuracy = ledger.number("accuracy_m")
    outside = accuracy.notna().to_numpy() & ~accuracy.between(0, _MAX_ACCURACY_M).to_numpy()
    ledger.refuse(outside, "out_of_range", target="accuracy_m", low=0, high=_MAX_ACCURACY_M)
    placed = place_points(ledger, given, is_required=False, may_be_zero=_is_missed(kind, exception))
    columns = {
        "staff_id": staff_id,
        "group_name": ledger.text("group_name"),
        "kind": kind,
        "exception": exception,
        "happened_at": instants,
        "accuracy_m": accuracy,
        "place": _place(ledger),
        "note": ledger.text("note"),
    }
    ledger.refuse_repeated(staff_id, instants, kind, target="staff_id")
    return (Taken(part="checkins", frame=frame_of("checkins", columns, ledger, placed), ledger=ledger, placed=placed),)


def _is_missed(kind: pd.Series, exception: pd.Series) -> Flags:
    missed = (kind == NO_CHECKIN_KIND) | exception.str.contains(NO_CHECKIN_KIND, regex=False, na=False)
    return np.asarray(missed, dtype=bool)


def _place(ledger: Ledger) -> pd.Series:
    """Join title and address where they differ."""
    title, detail = ledger.text("place"), ledger.text("place_detail")
    joined = (title.fillna("") + " " + detail.fillna("").where(detail != title, "")).str.strip()
    return joined.where(joined != "", None).astype(object)


LAYER = Layer(name="checkins", parts=(PART,), read=read_checkins)
