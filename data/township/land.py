"""Villages, hamlets and village groups: who owns which ground."""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage
from shapely import Polygon

from township.place import CELL_M, NEIGHBOUR_SEEDS, VILLAGES, FloatArray, IntArray, Village, stream
from township.raster import CostGraph, cell_ids, one_piece_each
from township.terrain import Terrain, cell_centres, cell_of


@dataclass(frozen=True)
class Hamlet:
    """The homes of one village group lie around here (local metres)."""

    village: Village
    x: float
    y: float


def _growth_cost(terrain: Terrain, *, river: float) -> FloatArray:
    ridge = np.clip(terrain.ridge / 14, 0, 3)
    cost = 1 + 2.6 * ridge + 3 * terrain.slope + 1.5 * np.clip(terrain.roughness + 1, 0, 3)
    return np.where(terrain.river_cells, river, cost)


def village_labels(terrain: Terrain) -> IntArray:
    """Raster of villages: 1, 2, … in the order of `VILLAGES`, 0 outside the township."""
    graph = CostGraph.build(_growth_cost(terrain, river=9.0))
    ids = cell_ids()
    seeds = np.array([village.centre for village in VILLAGES] + list(NEIGHBOUR_SEEDS), dtype=float)
    sources = ids[cell_of(seeds)]
    _, _, source = graph.reach(sources)
    number = {int(cell): k + 1 if k < len(VILLAGES) else 0 for k, cell in enumerate(sources)}
    labels = np.array([number[int(cell)] for cell in source]).reshape(ids.shape)
    labels = _majority(labels)
    labels[:2], labels[-2:], labels[:, :2], labels[:, -2:] = 0, 0, 0, 0
    return one_piece_each(labels)


def _majority(labels: IntArray) -> IntArray:
    """Each cell takes the commonest label around it: no spikes of one cell's width."""
    kinds = np.unique(labels)
    votes = np.stack([ndimage.uniform_filter((labels == kind).astype(float), 5) for kind in kinds])
    return np.asarray(kinds[np.argmax(np.round(votes, 6), axis=0)])


def choose_hamlets(terrain: Terrain, villages: IntArray, lake: Polygon) -> list[Hamlet]:
    """Places for homes: flat, dry, near a valley, near the village's middle, and apart from each other."""
    rng = stream(2)
    x, y = cell_centres()
    land = ~shapely.contains_xy(lake.buffer(110), x, y)
    hamlets: list[Hamlet] = []
    for number, village in enumerate(VILLAGES, start=1):
        inner = ndimage.distance_transform_edt(villages == number) * CELL_M
        flat = np.exp(-((terrain.slope / 0.10) ** 2))
        far = np.hypot(x - village.centre[0], y - village.centre[1])
        dry = np.clip((terrain.river_distance_m - 70) / 60, 0, 1)
        wish = flat * np.exp(-((far / 900) ** 2)) * dry * (inner > 170) * land
        hamlets += _spread(rng, village, wish, x, y)
    return hamlets


def _spread(rng: np.random.Generator, village: Village, wish: FloatArray, x: FloatArray, y: FloatArray) -> list[Hamlet]:
    spacing = village.spacing_m
    while True:
        left = np.round(wish, 9).copy()
        chosen: list[Hamlet] = []
        for _ in range(village.n_groups):
            total = left.sum()
            if total < 1e-3:
                break
            cell = int(np.searchsorted(np.cumsum(left.ravel()) / total, rng.random()))
            spot = Hamlet(village, float(x.ravel()[cell]), float(y.ravel()[cell]))
            chosen.append(spot)
            left[np.hypot(x - spot.x, y - spot.y) < spacing] = 0
        if len(chosen) == village.n_groups:
            return chosen
        spacing *= 0.97


def group_labels(terrain: Terrain, villages: IntArray, hamlets: list[Hamlet]) -> IntArray:
    """Raster of groups: 1, 2, … in the order of `hamlets`, grown inside each village from its hamlets."""
    graph = CostGraph.build(_growth_cost(terrain, river=14.0), same=villages, open_cells=villages > 0)
    ids = cell_ids()
    sources = ids[cell_of(np.array([(hamlet.x, hamlet.y) for hamlet in hamlets]))]
    _, _, source = graph.reach(sources)
    number = {int(cell): k + 1 for k, cell in enumerate(sources)}
    labels = np.array([number.get(int(cell), 0) for cell in source]).reshape(ids.shape)
    smooth = np.zeros_like(labels)
    for village in range(1, len(VILLAGES) + 1):
        inside = villages == village
        smooth[inside] = _nearest_majority(labels, inside)[inside]
    return one_piece_each(smooth)


def _nearest_majority(labels: IntArray, inside: np.ndarray) -> IntArray:
    kinds = np.unique(labels[inside])
    kinds = kinds[kinds > 0]
    votes = np.stack([ndimage.uniform_filter((labels == kind).astype(float), 5) for kind in kinds])
    return np.asarray(kinds[np.argmax(np.round(votes, 6), axis=0)])
