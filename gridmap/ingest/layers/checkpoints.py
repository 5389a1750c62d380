"""Layer `checkpoints`: places that must be visited so many times a week or month."""

import datetime as dt
from collections.abc import Mapping

import pandas as pd

from gridmap.frames import MAX_STAY_MINUTES
from gridmap.ingest.columns import Column, Part
from gridmap.ingest.layers import words
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given, place_points
from gridmap.ingest.spans import hours_of, season_of
from gridmap.ingest.values import One, parse, rhythm_of, without_nothing

_MAX_VISITS = 200

PART = Part(
    name="checkpoints",
    columns=(
        Column(target="checkpoint_code", headers=("巡查点编号", "巡查点编码", "编号", "点位编号", "code", "id")),
        Column(target="name", headers=("名称", "巡查点名称", "点位名称", "name")),
        Column(target="kind", headers=("类型", "巡查点类型", "点位类型", "type")),
        Column(target="duty", headers=("职责", "巡查职责", "任务")),
        Column(target="rhythm", headers=("频次", "巡查频次", "巡查频率", "频率", "frequency")),
        Column(target="opened_on", headers=("启用日期", "设立日期", "开始日期")),
        Column(target="hours", headers=("时段", "巡查时段", "允许时段", "巡查时间", "hours"), is_required=False),
        Column(target="season", headers=("季节", "巡查季节", "时节", "巡查期", "season"), is_required=False),
        Column(
            target="least_stay_minutes",
            headers=("最短停留", "最短停留分钟", "停留分钟", "最少停留", "least_stay", "min_stay_minutes"),
            is_required=False,
        ),
    ),
    place="point",
)


def read_checkpoints(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:  # noqa: ARG001
    """Read the checkpoints; how often is a phrase like `每周2次`, hours like `08:00-18:00`, a season like `04-15至10-15`."""
    ledger = ledgers["checkpoints"]
    ledger.refuse_duplicates()
    code = ledger.code("checkpoint_code")
    name = ledger.text("name", is_required=True)
    kind = ledger.text("kind", is_required=True)
    duty = ledger.word("duty", words.DUTIES)
    rhythm = ledger.book("rhythm", parse(ledger.raw("rhythm"), rhythm_of), "not_a_rhythm")
    n_visits = pd.Series([None if how is None else how[0] for how in rhythm], dtype=float)
    ledger.refuse((n_visits > _MAX_VISITS).to_numpy(), "out_of_range", target="rhythm", low=0, high=_MAX_VISITS)
    columns = {
        "checkpoint_code": code,
        "name": name,
        "kind": kind,
        "duty": duty,
        "n_visits_due": n_visits,
        "per": pd.Series([None if how is None else how[1] for how in rhythm], dtype=object),
        "opened_on": ledger.day("opened_on"),
        **_pair(ledger, "hours", hours_of, "not_hours"),
        **_pair(ledger, "season", season_of, "not_a_season"),
        "least_stay_minutes": ledger.whole("least_stay_minutes", low=1, high=MAX_STAY_MINUTES, is_required=False),
    }
    placed = place_points(ledger, given)
    ledger.refuse_repeated(code, target="checkpoint_code")
    frame = frame_of("checkpoints", columns, ledger, placed)
    return (Taken(part="checkpoints", frame=frame, ledger=ledger, placed=placed),)


def _pair(ledger: Ledger, target: str, one: One, reason: str) -> dict[str, pd.Series]:
    """Read a column that names a beginning and an end; nothing there means no restriction."""
    pairs = ledger.book(target, parse(without_nothing(ledger.raw(target)), one), reason, is_required=False)
    return {
        f"{target}_{end}": pd.Series([None if pair is None else pair[at] for pair in pairs], dtype=object)
        for at, end in enumerate(("from", "until"))
    }


LAYER = Layer(name="checkpoints", parts=(PART,), read=read_checkpoints)
