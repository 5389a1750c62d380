"""The three places where disputes pile up."""

from dataclasses import dataclass

import numpy as np
import shapely

from township.place import CANAL_VILLAGE_CODE, COMMUNITY_CODE, VILLAGES, FloatArray
from township.town import Town

LAND_BORDER = ("439901101201", "439901101206")
"""The villages on either side of the disputed land."""


@dataclass(frozen=True)
class HotSpot:
    """Where (local metres), how many disputes, in which months, of what kinds (names of 2025 with weights)."""

    name: str
    axis: shapely.LineString
    spread_m: float
    n_disputes: int
    months: tuple[int, ...]
    kinds: dict[str, float]
    irrigation_share: float = 0.0

    def draw(self, rng: np.random.Generator) -> FloatArray:
        """Draw a place in the hot spot."""
        along = shapely.get_coordinates(self.axis.interpolate(rng.beta(2, 2), normalized=True))[0]
        return np.asarray(along + rng.normal(0, self.spread_m, 2))


def overloaded_grid(town: Town) -> int:
    """Find the grid with the market: over the cap, short of people, full of disputes."""
    return next(k for k, grid in enumerate(town.grids) if grid.village_code == COMMUNITY_CODE and grid.reason)


def find(town: Town) -> list[HotSpot]:
    """Find the market town, the land border and the canal."""
    return [_market(town), _land_border(town), _canal(town)]


def _market(town: Town) -> HotSpot:
    homes = town.homes.xy[town.homes.grid == overloaded_grid(town)]
    middle = np.array(VILLAGES[0].centre)
    near = homes[np.argsort(np.hypot(*(homes - middle).T), kind="stable")[:60]]
    centre = near.mean(axis=0)
    axis = shapely.LineString(centre + np.array([[-60.0, -25.0], [60.0, 25.0]]))
    return HotSpot("market", axis, 110.0, 240, tuple(range(1, 13)), {"邻里": 0.45, "经济活动": 0.45, "物业管理": 0.1})


def _land_border(town: Town) -> HotSpot:
    a, b = (next(k for k, v in enumerate(VILLAGES) if v.code == code) for code in LAND_BORDER)
    shared = shapely.line_merge(shapely.intersection(town.village_shape(a), town.village_shape(b)))
    line = max(shapely.get_parts(shared), key=lambda part: part.length)
    village = town.village_of[town.homes.group]
    homes = shapely.multipoints(town.homes.xy[(village == a) | (village == b)])
    at = np.arange(200, line.length - 200, 20.0)
    spots = shapely.line_interpolate_point(line, at)
    best = at[int(np.argmin(np.round(shapely.distance(spots, homes), 1)))]
    axis = shapely.LineString([line.interpolate(best + step) for step in np.arange(-260, 261, 20)])
    return HotSpot("land", axis, 85.0, 145, tuple(range(1, 13)), {"山林土地": 0.62, "房屋和宅基地": 0.38})


def _canal(town: Town) -> HotSpot:
    number = next(k for k, v in enumerate(VILLAGES) if v.code == CANAL_VILLAGE_CODE)
    canal = next(item.geometry for item in town.waters if item.name == "南干渠")
    inside = shapely.line_merge(canal.intersection(town.village_shape(number).buffer(-120)))
    line = max(shapely.get_parts(inside), key=lambda part: part.length)
    homes = shapely.multipoints(town.homes.xy[town.village_of[town.homes.group] == number])
    at = np.arange(0, line.length, 20.0)
    middle = at[int(np.argmin(np.round(shapely.distance(shapely.line_interpolate_point(line, at), homes), 1)))]
    axis = shapely.LineString(
        [line.interpolate(max(0.0, min(line.length, middle + step))) for step in np.arange(-450, 451, 30)]
    )
    kinds = {"合同履行": 0.4, "环境生态": 0.25, "邻里": 0.2, "农村三资": 0.15}
    return HotSpot("canal", axis, 65.0, 140, (7, 8, 9), kinds, irrigation_share=0.45)
