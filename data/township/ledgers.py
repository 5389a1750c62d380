"""The ledgers of the sample: rules of points, entries by hand, lists, conventions, practical things, counts of earlier months."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from township.incidents import Incident
from township.place import stream
from township.staff import Posting
from township.town import Town

Row = dict[str, Any]

# Short name, name, what it counts, points, monthly ceiling, threshold.
RULES = (
    ("visit", "巡查点有效签到", "patrol_visit", 1, 40, None),
    ("home", "入户走访", "home_visit", 1, 30, None),
    ("homes_95", "走访覆盖率达到 95%", "home_visit_share", 10, None, 95),
    ("report", "上报线索被受理", "report_accepted", 2, 20, None),
    ("on_time", "按期办结", "closed_on_time", 3, 30, None),
    ("in_grid", "网格内化解矛盾", "dispute_in_grid", 3, 15, None),
    ("satisfied", "回访群众满意", "satisfied", 1, 10, None),
    ("late", "超期办结", "closed_late", -3, 15, None),
    ("missed", "应巡未巡", "missed_due", -1, 15, None),
    ("praise", "表扬嘉奖", "manual", 5, 10, None),
    ("discipline", "违反工作纪律", "manual", -5, 10, None),
)
THINGS = (
    "安装太阳能路灯", "清淤水渠", "修补机耕路", "硬化入户路", "更换破损井盖", "河边加装护栏", "设置垃圾分类亭", "维修村民活动室",
    "疏通排水沟", "安装应急广播", "塘坝除险加固", "增设消防水带箱", "修缮便民候车亭", "平整文化广场", "增设反光镜", "改造公厕",
)  # fmt: skip
DROPPED = ("与县级项目重复", "土地未能协商一致", "改列入明年计划")
PUBLICITY = ("防火宣传进组", "反诈宣传", "防汛避险明白卡发放", "医保缴费政策宣讲", "移风易俗倡议", "秸秆禁烧宣传")
VISITS = ("走访独居老人家庭", "走访留守儿童家庭", "走访低保户", "走访新返乡家庭", "走访农家乐和作坊")
PRAISE = (
    "暴雨夜及时转移低洼处住户",
    "主动化解积年地界矛盾",
    "协助寻回走失老人",
    "迎检资料整理规范",
    "发现并处置山火苗头",
)
N_MONTHS = 12


def write_ledgers(folder: Path, town: Town, people: list[Posting], items: list[Incident]) -> None:
    """`ledgers.json`: days as so many before the last one, months as so many before the last one's."""
    rng = stream(100)
    chiefs = {p.grid_code: p.name for p in people if p.role == "网格长"}
    content = {
        "rules": [
            dict(zip(("code", "name", "counts", "points", "ceiling", "threshold"), rule, strict=True)) for rule in RULES
        ],
        "entries": _entries(rng, town, people, chiefs),
        "things": _things(rng, town, chiefs),
        "conventions": _conventions(rng, town, chiefs),
        "tasks": _tasks(rng, town, chiefs),
        "updates": _updates(rng, town, chiefs),
        "opinions": _opinions(rng, town, items, chiefs),
        "counts": _counts(rng, town),
    }
    parts = [f'"{name}":[\n' + ",\n".join(_compact(row) for row in rows) + "\n]" for name, rows in content.items()]
    (folder / "ledgers.json").write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8", newline="\n")


def _compact(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _entries(rng: np.random.Generator, town: Town, people: list[Posting], chiefs: dict[str, str]) -> list[Row]:
    """Return some praise, and one lapse that was taken back after an appeal."""
    members = [p for p in people if len(p.grid_code) == len(town.grids[0].code) and p.until is None]
    leader = next(p.name for p in people)
    rows = []
    for k, number in enumerate(rng.choice(len(members), 10, replace=False)):
        who = members[int(number)]
        is_lapse = k == 9
        rows.append(
            {
                "staff": who.userid,
                "months_ago": 1 + k % 3,
                "rule": "discipline" if is_lapse else "praise",
                "points": -5 if is_lapse else 5,
                "reason": "无故缺席网格日集中巡查" if is_lapse else PRAISE[k % len(PRAISE)],
                "by": chiefs[who.grid_code[:12]],
                "approved_by": leader,
                **({"taken_back": "经核实，当日因公外出，已补假条"} if is_lapse else {}),
            }
        )
    return rows


def _things(rng: np.random.Generator, town: Town, chiefs: dict[str, str]) -> list[Row]:
    rows = []
    for grid in town.grids:
        for title in rng.choice(THINGS, int(rng.integers(2, 5)), replace=False):
            promised = int(rng.integers(30, 290))
            due = promised - int(rng.integers(60, 150))
            row: Row = {
                "grid": grid.code,
                "title": str(title),
                "promised": promised,
                "due": due,
                "by": chiefs[grid.code],
            }
            pick = rng.random()
            begun = promised - int(rng.integers(5, 25))
            if pick < 0.05 and begun > 0:
                row |= {"dropped": max(begun, 1), "reason": str(rng.choice(DROPPED))}
            elif due > 0 and pick < 0.9:
                row |= {"begun": begun, "done": max(due + int(rng.integers(-12, 30)), 1)}
                row["done"] = min(row["done"], begun)
            elif pick < 0.6 and begun > 0:
                row |= {"begun": begun}
            rows.append(row)
    return rows


def _conventions(rng: np.random.Generator, town: Town, chiefs: dict[str, str]) -> list[Row]:
    """Three grids have none yet; the others were counted when agreed, and once more."""
    without = set(rng.choice(len(town.grids), 3, replace=False).tolist())
    homes = np.bincount(town.homes.grid, minlength=len(town.grids))
    rows = []
    for k, grid in enumerate(town.grids):
        if k in without:
            continue
        agreed, n = int(rng.integers(200, 380)), int(homes[k])
        first = rng.uniform(0.5, 0.75)
        for share, ago in ((first, agreed - 3), (first + rng.uniform(0.12, 0.24), int(rng.integers(20, 90)))):
            signed = min(n, round(share * n))
            rows.append(
                {
                    "grid": grid.code,
                    "agreed": agreed,
                    "signed": signed,
                    "of": n,
                    "counted": ago,
                    "by": chiefs[grid.code],
                }
            )
    return rows


def _tasks(rng: np.random.Generator, town: Town, chiefs: dict[str, str]) -> list[Row]:
    """Two things of publicity and two of visits a grid and month; most of last month's are ticked off, some of this month's."""
    rows = []
    for months_ago, share in ((2, 0.97), (1, 0.93), (0, 0.45)):
        publicity = rng.choice(PUBLICITY, 2, replace=False)
        visits = rng.choice(VISITS, 2, replace=False)
        for grid in town.grids:
            for kind, titles in (("publicity", publicity), ("visit", visits)):
                for title in titles:
                    row: Row = {"grid": grid.code, "months_ago": months_ago, "kind": kind, "title": str(title)}
                    if rng.random() < share:
                        row |= {"ticked_day": int(rng.integers(5, 27)), "by": chiefs[grid.code]}
                    rows.append(row)
    return rows


def _updates(rng: np.random.Generator, town: Town, chiefs: dict[str, str]) -> list[Row]:
    chosen = rng.choice(len(town.grids), 9, replace=False)
    codes = [town.grids[int(k)].code for k in sorted(chosen)]
    return [{"grid": code, "ago": int(rng.integers(8, 150)), "by": chiefs[code]} for code in codes]


def _opinions(rng: np.random.Generator, town: Town, items: list[Incident], chiefs: dict[str, str]) -> list[Row]:
    """Return requests heard at the door, three in ten of them when opinions were collected."""
    heard = [item for item in items if item.kind == "R" and item.source == "入户走访"]
    kept = [item for item in heard if rng.random() < 0.3]
    return [
        {"incident": item.code, "grid": town.grids[item.grid].code, "by": chiefs[town.grids[item.grid].code]}
        for item in kept
    ]


def _counts(rng: np.random.Generator, town: Town) -> list[list[int | str]]:
    """Count the eleven months before the last by group and grid: a little fewer homes, people who come and go."""
    homes = town.homes
    rows: list[list[int | str]] = []
    for k in sorted(range(len(town.groups)), key=lambda k: town.group_codes[k]):
        mine = homes.group == k
        grid = town.grids[int(homes.grid[mine][0])].code
        n_homes, n_people, needs = int(mine.sum()), int(homes.residents[mine].sum()), homes.needs[mine].sum(axis=0)
        for months_ago in range(1, N_MONTHS):
            fewer = int(rng.binomial(2, months_ago / 40))
            moved = int(rng.integers(-2, 3)) + round(0.15 * months_ago * (1 if n_people > 90 else 0))
            then = [max(0, int(n) + int(rng.integers(-1, 2)) * int(rng.random() < 0.25)) for n in needs]
            rows.append(
                [months_ago, town.group_codes[k], grid, n_homes - fewer, max(0, n_people - 3 * fewer - moved), *then]
            )
    return rows
