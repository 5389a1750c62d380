"""The files of what people do: checkpoints, staff, check-ins, incidents."""

from pathlib import Path

import numpy as np

from township import categories, writers
from township.cases import Step
from township.checkpoints import Checkpoint
from township.incidents import Incident
from township.place import VILLAGES
from township.staff import Posting
from township.town import Town

CHECKPOINT_HEADER = (
    "巡查点编号",
    "名称",
    "类型",
    "职责",
    "频次",
    "经度",
    "纬度",
    "启用日期",
    "时段",
    "季节",
    "最短停留",
)
STAFF_HEADER = ("账号", "姓名", "所属代码", "队伍", "职务", "任职日期", "离任日期")
INCIDENT_HEADER = (
    "事件编号", "类别代码", "清单年度", "紧急程度", "发生时间", "登记时间", "来源", "地点", "村", "经度", "纬度", "内容", "办理期限",
)  # fmt: skip
STEP_HEADER = ("事件编号", "环节", "层级", "经办人", "队伍", "时间", "说明", "满意度")
CATEGORY_HEADER = ("清单年度", "类别代码", "类别名称", "大类", "是否隐私", "启用日期", "停用日期", "对应新代码")


def write_checkpoints(folder: Path, points: list[Checkpoint]) -> None:
    """`checkpoints.csv` in GB18030, degrees with six decimals."""
    degrees = writers.to_degrees(np.array([point.xy for point in points]))
    rows: list[writers.Row] = [
        (
            p.code,
            p.name,
            p.kind,
            p.duty,
            p.rhythm,
            f"{lon:.6f}",
            f"{lat:.6f}",
            p.opened_on.isoformat(),
            p.hours,
            p.season,
            p.least_stay_minutes,
        )
        for p, (lon, lat) in zip(points, degrees, strict=True)
    ]
    writers.write_csv(folder / "checkpoints.csv", CHECKPOINT_HEADER, rows)


def write_staff(folder: Path, people: list[Posting]) -> None:
    """`staff.xlsx`: one row a posting."""
    rows: list[writers.Row] = [(p.userid, p.name, p.grid_code, p.team, p.role, p.since, p.until) for p in people]
    writers.write_workbook(folder / "staff.xlsx", {"人员": (STAFF_HEADER, rows)})


def write_incidents(folder: Path, town: Town, items: list[Incident], steps: list[Step]) -> None:
    """`incidents.xlsx`: incidents, their steps, and the lists of categories."""
    names = {village.code: village.name for village in VILLAGES}
    rows = [_incident_row(town, item, names) for item in items]
    step_rows: list[writers.Row] = [
        (s.incident, s.kind, s.level, s.userid, s.team, s.at, s.note, s.satisfaction) for s in steps
    ]
    writers.write_workbook(
        folder / "incidents.xlsx",
        {
            "事件": (INCIDENT_HEADER, rows),
            "处理过程": (STEP_HEADER, step_rows),
            "类别": (CATEGORY_HEADER, categories.rows()),
        },
    )


def _incident_row(town: Town, item: Incident, names: dict[str, str]) -> writers.Row:
    year = item.recorded_at.year
    lon, lat = (None, None) if item.xy is None else (round(float(v), 6) for v in writers.to_degrees(item.xy[None])[0])
    urgency = "紧急" if item.urgent else "一般"
    village = names[town.grids[item.grid].village_code]
    head = (
        item.code,
        categories.code_in(year, item.name),
        year,
        urgency,
        item.happened_at,
        item.recorded_at,
        item.source,
    )
    return (*head, item.place, village, lon, lat, item.text, item.due_at)
