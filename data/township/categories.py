"""Two yearly lists of incident categories and how the older maps to the newer."""

from datetime import date

from township.writers import Row

DISPUTES = tuple(
    word
    for line in (
        "婚姻 邻里 环境生态 建筑工程 物业管理 企业改制 司法活动 干部作风 劳资 征地拆迁 军人安置 房屋和宅基地 农村三资 农民负担 院校 民族宗教 ",
        "经济活动 山林土地 医疗 村务管理 行政执法 海事渔事 交通及生产安全 计划生育 合同履行 库区移民 其他",
    )
    for word in line.split()
)
HAZARDS = (
    "消防隐患",
    "道路损坏",
    "山塘水库隐患",
    "用电隐患",
    "危房隐患",
    "地质灾害隐患",
    "河道渠道堵塞",
    "公共设施损坏",
)
REQUESTS = ("政策咨询", "证件代办", "困难救助", "用水用电", "医保社保", "环境卫生")
CLUES = ("非法捕捞", "乱砍滥伐", "诈骗线索", "违规建房", "烟花爆竹")
KINDS = {"D": "矛盾纠纷", "H": "隐患", "R": "诉求", "C": "线索"}
PRIVATE = frozenset({"婚姻", "婚姻家庭", "计划生育"})

SUCCESSORS = {"D01": "D28", "D06": "D09", "D14": "D13", "D24": "D27", "H02": "H09", "H08": "H09"}
"""2025 codes that are gone in 2026, and where their cases went: one renamed, the others merged."""
NEW_NAMES = {"D28": "婚姻家庭", "H09": "道路及公共设施"}
RENAMED = {"D09": "劳动关系", "D13": "农村集体三资"}
"""Codes that stay but are called differently in 2026."""


def names(year: int) -> dict[str, str]:
    """Code and name of every category on the list of a year."""
    lists = {"D": DISPUTES, "H": HAZARDS, "R": REQUESTS, "C": CLUES}
    found = {f"{letter}{k:02d}": name for letter, items in lists.items() for k, name in enumerate(items, start=1)}
    if year == 2025:
        return found
    kept = {code: RENAMED.get(code, name) for code, name in found.items() if code not in SUCCESSORS}
    return dict(sorted({**kept, **NEW_NAMES}.items()))


def code_in(year: int, name_2025: str) -> str:
    """Code under which a category of the 2025 list is filed in `year`."""
    code = next(code for code, name in names(2025).items() if name == name_2025)
    return code if year == 2025 else SUCCESSORS.get(code, code)


def rows() -> list[Row]:
    """List the rows of the sheet of categories."""
    result: list[Row] = []
    for year in (2025, 2026):
        until = date(2025, 12, 31) if year == 2025 else None
        for code, name in names(year).items():
            private = "是" if name in PRIVATE else "否"
            successor = SUCCESSORS.get(code, "") if year == 2025 else ""
            result.append((year, code, name, KINDS[code[0]], private, date(year, 1, 1), until, successor))
    return result
