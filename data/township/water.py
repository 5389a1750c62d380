"""River, reservoir, ponds and canals."""

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import Geometry, LineString, Polygon

from township import noise
from township.place import VILLAGES, FloatArray, stream
from township.terrain import Terrain, cell_of

BROOK_NAMES = {
    "塘湾": "塘湾圳", "枫树坪": "枫溪圳", "龙口": "龙溪圳", "荷叶塘": "荷叶圳", "桐木": "桐溪圳", "上洲": "上洲圳", "白鹭": "白鹭圳",
}  # fmt: skip
POND_NAMES = (
    "门口塘", "荷花塘", "月塘", "官塘", "社塘", "鸭婆塘", "新塘", "长塘", "藕塘", "洗衣塘", "菱角塘", "沙塘", "青草塘", "牛氹塘", "樟树塘",
    "龙王塘", "三角塘", "碓下塘", "石子塘", "大塘", "小塘", "井塘", "柳塘", "秧塘", "里塘", "外塘", "高塘", "低塘",
)  # fmt: skip


@dataclass(frozen=True)
class Water:
    """One water with its kind (河流, 水库, 水塘, 渠道) in local metres."""

    name: str
    kind: str
    geometry: Geometry


def _blob(rng: np.random.Generator, x: float, y: float, *, radius_m: float, roughness: float) -> Polygon:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    bumps = sum(rng.normal(0, roughness / k) * np.cos(k * angle + rng.uniform(0, 7)) for k in (2, 3, 4, 5))
    radius = radius_m * (1 + np.clip(np.asarray(bumps), -0.55, 0.55))
    return Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))


def reservoir(terrain: Terrain) -> Polygon:
    """Fill the lake behind a dam across the valley of 枫树坪: the valley floor filled up, with arms."""
    rng = stream(3)
    brook = terrain.brooks["枫树坪"]
    bed = shapely.line_interpolate_point(brook, np.linspace(960, 1600, 30))
    xy = shapely.get_coordinates(bed)
    width = np.interp(np.linspace(0, 1, 30), [0, 0.25, 0.6, 0.92, 1], [25, 70, 120, 150, 120])
    parts = [shapely.Point(p).buffer(w * (1 + 0.2 * rng.standard_normal())) for p, w in zip(xy, width, strict=True)]
    for at, side, reach in ((11, 1, 200), (19, -1, 230), (25, 1, 150)):
        along = xy[min(at + 1, 29)] - xy[at - 1]
        across = side * np.array([-along[1], along[0]]) / np.hypot(*along)
        arm = noise.curve(
            rng, [tuple(xy[at]), tuple(xy[at] + across * reach - along / 2)], step_m=10, sway_m=12, wavelength_m=150
        )
        parts.append(
            shapely.union_all(
                [shapely.Point(p).buffer(w) for p, w in zip(arm, np.linspace(80, 30, len(arm)), strict=True)]
            )
        )
    lake = shapely.union_all(parts).buffer(18).buffer(-30).buffer(12)
    return Polygon(max(shapely.get_parts(lake), key=lambda part: part.area).simplify(1.5).exterior)


CANALS: dict[str, list[tuple[float, float]]] = {
    "北干渠": [
        (2350, 5700),
        (3000, 5860),
        (4000, 5930),
        (4900, 5720),
        (5800, 5760),
        (6700, 5600),
        (7500, 5780),
        (8300, 5640),
        (8800, 5900),
    ],
    "南干渠": [
        (6480, 1250),
        (6640, 2000),
        (6760, 2700),
        (6380, 3300),
        (6330, 3850),
        (6900, 4180),
        (7700, 4330),
        (8500, 4480),
        (9050, 4650),
    ],
}


def canals() -> list[Water]:
    """Draw the two main canals: they keep their height and so wind along the foot of the hills."""
    rng = stream(4)
    return [
        Water(name, "渠道", LineString(noise.curve(rng, points, step_m=20, sway_m=38, wavelength_m=520)).simplify(1.0))
        for name, points in CANALS.items()
    ]


def ponds(terrain: Terrain, hamlets: FloatArray, keep_clear: Geometry) -> list[Polygon]:
    """Small ponds near homes, away from lanes, river and each other."""
    rng = stream(5)
    taken = keep_clear
    found: list[Polygon] = []
    for number in rng.permutation(np.tile(np.arange(len(hamlets)), 6)):
        turn, far = rng.uniform(0, 2 * np.pi), rng.uniform(50, 170)
        x, y = hamlets[number] + far * np.array([np.cos(turn), np.sin(turn)])
        pond = _blob(rng, x, y, radius_m=rng.uniform(16, 42), roughness=0.2).simplify(0.6)
        row, col = cell_of(np.array([x, y]))
        if terrain.slope[row, col][0] > 0.12 or pond.buffer(9).intersects(taken):
            continue
        found.append(pond)
        taken = taken.union(pond.buffer(60))
        if len(found) == len(POND_NAMES):
            break
    return found


def brook_waters(terrain: Terrain, lake: Polygon, outline: Polygon) -> list[Water]:
    """List the brooks below the hills, as channels; the one with the dam starts below it and above the lake."""
    waters = []
    for village in VILLAGES:
        short = village.name.removesuffix("村")
        if short in terrain.brooks:
            brook = terrain.brooks[short]
            parts = shapely.get_parts(brook.difference(lake).intersection(outline))
            waters += [Water(BROOK_NAMES[short], "渠道", part.simplify(1.0)) for part in parts if part.length > 60]
    return waters
