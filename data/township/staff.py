"""Grid teams, village chiefs, township leaders and the five township teams. All names are invented."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from township.place import TOWNSHIP_CODE, VILLAGES, stream
from township.town import Town

SURNAMES = "周罗彭欧阳易廖钟邹谭贺汤颜柳龚黎熊曾段文甘邱温赖涂饶喻"
GIVEN = tuple(
    word
    for line in (
        "启明 文彬 春生 桂英 建平 秋香 满华 水生 冬梅 国强 细妹 卫东 金莲 志刚 丽萍 福根 小兰 长庚 美玲 树林 海燕 新民 月娥 立新 运来 菊香 ",
        "云飞 素珍 德胜 雪梅 家旺 翠云 光辉 银花 山河 凤娇 学文 爱莲 贵生 玉兰 永红 晓芳 友良 艳红 正华 红霞 太平 秀娥 高明 润秋",
    )
    for word in line.split()
)
TEAMS = ("咨询服务", "民生通道", "矛调处理", "应急处突", "文明实践")


@dataclass(frozen=True)
class Posting:
    """One person in one place from a day on, perhaps until a day."""

    userid: str
    name: str
    grid_code: str
    team: str
    role: str
    since: date
    until: date | None = None


def make_staff(town: Town, *, overloaded: int) -> list[Posting]:
    """All postings; the team of the grid `overloaded` has lost two of its members."""
    rng = stream(50)
    names = _names(rng)
    people: list[Posting] = []

    def add(code: str, team: str, role: str, since: date | None = None, until: date | None = None) -> None:
        serial = len(people) + 1
        start = since or date(2025, 1, 1) if rng.random() < 0.8 else date(2025, int(rng.integers(3, 10)), 1)
        people.append(Posting(f"qs{serial:04d}", names[serial - 1], code, team, role, start, until))

    add(TOWNSHIP_CODE, "", "网格长")
    for _ in range(4):
        add(TOWNSHIP_CODE, "", "网格员")
    for team in TEAMS:
        add(TOWNSHIP_CODE, team, "队长")
        for _ in range(int(rng.integers(3, 5))):
            add(TOWNSHIP_CODE, team, "队员")
    for village in VILLAGES:
        add(village.code, "", "网格长")
        add(village.code, "", "网格员")
    for number, grid in enumerate(town.grids):
        add(grid.code, "", "网格长")
        for member in range(3):
            gone = date(2026, 3, 31) if number == overloaded and member > 0 else None
            add(grid.code, "", "网格员", until=gone)
        if number in {7, 15, 26}:
            add(grid.code, "", "网格员", until=date(2026, 1, 31))
        if number in {3, 20}:
            add(grid.code, "", "网格员", since=date(2026, 2, 1))
    return people


def _names(rng: np.random.Generator) -> list[str]:
    surnames = [*SURNAMES.replace("欧阳", ""), "欧阳"]
    every = [surname + given for surname in surnames for given in GIVEN]
    return [
        "周启明",
        "罗文彬",
        *(name for name in rng.permutation(sorted(set(every))) if name not in {"周启明", "罗文彬"}),
    ]
