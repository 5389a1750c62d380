"""The whole place, put together: land, water, lanes, homes and grids."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from township import coverage, grids, hamlet_lanes, households, lanes, terrain, water
from township.land import Hamlet, choose_hamlets, group_labels, village_labels
from township.place import VILLAGES, FloatArray, IntArray


@dataclass(frozen=True)
class Town:
    """Everything that lies still. Geometry in local metres."""

    groups: NDArray[np.object_]
    group_names: list[str]
    group_codes: list[str]
    village_of: IntArray
    hamlets: FloatArray
    grids: list[grids.Grid]
    drawn_grids: list[Polygon]
    waters: list[water.Water]
    edges: list[hamlet_lanes.Edge]
    homes: households.Homes
    land: terrain.Terrain

    def village_shape(self, number: int) -> Polygon:
        """Union of a village's groups, every shared vertex kept."""
        return shapely.coverage_union_all(self.groups[self.village_of == number])

    def outline(self) -> Polygon:
        """Unite all groups: the township."""
        return shapely.coverage_union_all(self.groups)


def build_town() -> Town:
    """Build the place from the seed."""
    land = terrain.build_terrain()
    lake = water.reservoir(land)
    villages = village_labels(land)
    hamlets = choose_hamlets(land, villages, lake)
    shapes = coverage.polygons_of(group_labels(land, villages, hamlets))
    groups = np.array([shapes[k + 1] for k in range(len(hamlets))])
    spots = np.array([(hamlet.x, hamlet.y) for hamlet in hamlets])
    village_of = np.array([VILLAGES.index(hamlet.village) for hamlet in hamlets])
    outline = shapely.coverage_union_all(groups)
    edges = _network(land, villages, hamlets, groups=groups, lake=lake, outline=outline)
    waters = _waters(land, lake, spots, edges, outline)
    split = grids.partition(groups, village_of, spots)
    market = shapely.Point(VILLAGES[0].centre).buffer(30)
    area_grids = grids.number_grids(split, groups, village_of, market=market)
    wet = shapely.union_all([item.geometry for item in waters])
    homes = households.place_homes(groups, spots, area_grids, edges, water=wet)
    names, codes = _group_names(hamlets)
    drawn = grids.hand_drawn(area_grids, groups)
    return Town(groups, names, codes, village_of, spots, area_grids, drawn, waters, edges, homes, land)


def _network(
    land: terrain.Terrain,
    villages: IntArray,
    hamlets: list[Hamlet],
    *,
    groups: NDArray[np.object_],
    lake: Polygon,
    outline: Polygon,
) -> list[hamlet_lanes.Edge]:
    bridges = lanes.find_bridges(land)
    net, _ = lanes.lay_routes(land, villages, hamlets, lake=lake, bridges=bridges)
    lines = lanes.smooth_routes(net, bridges)
    closed = shapely.union_all([land.river.buffer(14), lake.buffer(14), outline.exterior.buffer(15)])
    spots = np.array([(hamlet.x, hamlet.y) for hamlet in hamlets])
    n_lanes = np.array([5 if hamlet.village.kind == "社区" else 4 for hamlet in hamlets])
    lines = hamlet_lanes.add_side_lanes(lines, spots, groups, n_lanes=n_lanes, closed=closed)
    return hamlet_lanes.noded(lines, bridges)


def _waters(
    land: terrain.Terrain, lake: Polygon, spots: FloatArray, edges: list[hamlet_lanes.Edge], outline: Polygon
) -> list[water.Water]:
    result = [
        water.Water("清溪河", "河流", land.river.intersection(outline)),
        water.Water("枫树坪水库", "水库", lake.intersection(outline)),
    ]
    result += water.brook_waters(land, lake, outline)
    result += [water.Water(item.name, item.kind, item.geometry.intersection(outline)) for item in water.canals()]
    ways = shapely.union_all([edge.line for edge in edges]).buffer(8)
    clear = shapely.union_all([ways, *[item.geometry.buffer(15) for item in result], outline.exterior.buffer(20)])
    pools = water.ponds(land, spots, clear)
    return result + [water.Water(name, "水塘", pool) for name, pool in zip(water.POND_NAMES, pools, strict=False)]


def _group_names(hamlets: list[Hamlet]) -> tuple[list[str], list[str]]:
    """Names and codes, numbered from north to south inside each village."""
    names = [""] * len(hamlets)
    codes = [""] * len(hamlets)
    for village in VILLAGES:
        own = sorted(
            (k for k, h in enumerate(hamlets) if h.village is village), key=lambda k: (-hamlets[k].y, hamlets[k].x)
        )
        for place, k in enumerate(own, start=1):
            names[k] = f"{village.group_names[place - 1]}组"
            codes[k] = f"{village.code}{place:02d}"
    return names, codes
