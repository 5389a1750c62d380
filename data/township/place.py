"""Names, codes, dates and the local frame of the invented township."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

SEED = 13331
FIRST_DAY = date(2025, 10, 1)
LAST_DAY = date(2026, 10, 31)
N_DAYS = (LAST_DAY - FIRST_DAY).days + 1

TOWNSHIP_CODE = "439901101"
TOWNSHIP_NAME = "青石乡"

ORIGIN_E_M = 513_700.0
"""Easting (EPSG:4547) of the local frame's corner; 114.2 E 27.9 N lies at its middle."""
ORIGIN_N_M = 3_082_400.0
CELL_M = 25.0
N_COLS = 480
N_ROWS = 400

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Village:
    """One village or community: code, name, where its middle lies (local metres), how many groups and grids."""

    code: str
    name: str
    kind: str
    centre: tuple[float, float]
    n_groups: int
    n_grids: int
    spacing_m: float
    group_names: tuple[str, ...]


VILLAGES: tuple[Village, ...] = (
    Village(
        "439901101001",
        "青石社区",
        "社区",
        (5350, 4950),
        16,
        5,
        215,
        (
            "老街",
            "新街",
            "河街",
            "供销社",
            "粮站",
            "上码头",
            "下码头",
            "学堂",
            "车站",
            "牛市",
            "铁匠铺",
            "油榨",
            "文昌阁",
            "菜园",
            "桥头",
            "水南",
        ),
    ),
    Village(
        "439901101201",
        "石桥村",
        "村",
        (7350, 5050),
        14,
        4,
        300,
        (
            "石桥头",
            "大屋场",
            "下湾",
            "杨家坪",
            "新屋里",
            "樟树下",
            "井边",
            "窑前",
            "塘背",
            "上坊",
            "下坊",
            "黄土岭",
            "柏树下",
            "油铺",
        ),
    ),
    Village(
        "439901101202",
        "塘湾村",
        "村",
        (3050, 6250),
        13,
        4,
        320,
        ("塘湾", "上塘", "下塘", "李家湾", "社山", "竹山下", "老屋", "坳背", "禾场", "枣树坪", "破塘", "水口", "茶亭"),
    ),
    Village(
        "439901101203",
        "龙口村",
        "村",
        (8150, 7000),
        13,
        4,
        320,
        ("龙口", "龙背", "庙前", "大坪", "双江", "石壁下", "瓦窑", "坪上", "古塘", "梨树坳", "刘家冲", "水车", "高坎"),
    ),
    Village(
        "439901101204",
        "枫树坪村",
        "村",
        (5600, 7300),
        12,
        3,
        310,
        ("枫树坪", "上冲", "下冲", "毛坪", "茶山", "坝下", "岭脚", "杉木冲", "石灰窑", "横垅", "栗山", "对门"),
    ),
    Village(
        "439901101205",
        "荷叶塘村",
        "村",
        (10400, 7250),
        11,
        3,
        330,
        ("荷叶塘", "岩前", "大冲", "小冲", "云盘", "鸡公岭", "黄泥坳", "长冲", "竹叶坪", "箬坑", "仙人坳"),
    ),
    Village(
        "439901101206",
        "桐木村",
        "村",
        (8550, 3050),
        13,
        4,
        320,
        (
            "桐木",
            "桐子坪",
            "牌楼",
            "花桥",
            "大塘",
            "张家垅",
            "白泥",
            "谷皮岭",
            "半边街",
            "沙坪",
            "水碓",
            "麻石",
            "园背",
        ),
    ),
    Village(
        "439901101207",
        "上洲村",
        "村",
        (5950, 2950),
        14,
        4,
        310,
        (
            "上洲",
            "中洲",
            "洲尾",
            "渠边",
            "沙子塘",
            "圳头",
            "圳尾",
            "柳树湾",
            "鱼塘",
            "田心",
            "长丘",
            "晒谷坪",
            "周家垅",
            "堰坝",
        ),
    ),
    Village(
        "439901101208",
        "白鹭村",
        "村",
        (3050, 3400),
        12,
        3,
        320,
        ("白鹭", "鹭鸶坪", "江背", "松山", "荷树下", "官塘", "铺前", "楼下", "石子岭", "桃花坪", "土桥", "罗垅"),
    ),
)

COMMUNITY_CODE = "439901101001"
REMOTE_CODE = "439901101205"
CANAL_VILLAGE_CODE = "439901101207"

NEIGHBOUR_SEEDS: tuple[tuple[float, float], ...] = (
    (250, 4300), (300, 7600), (2300, 9300), (5000, 9750), (8200, 9650), (10500, 9100), (11500, 8300),
    (11500, 6900), (11400, 5600), (11400, 4200), (11000, 2200), (9900, 500), (7300, 300), (4500, 400), (1900, 800), (300, 2200),
)  # fmt: skip
"""Middles of the villages around the township: its border lies where their land begins."""


def to_projected(local: FloatArray) -> FloatArray:
    """Local metres to EPSG:4547."""
    projected: FloatArray = np.asarray(local, dtype=float) + np.array([ORIGIN_E_M, ORIGIN_N_M])
    return projected


def stream(part: int) -> np.random.Generator:
    """Random numbers of one part of the generator: a change in one part leaves the others as they are."""
    return np.random.default_rng([SEED, part])
