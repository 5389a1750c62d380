"""Points counted in polygons: `analysis.counting.count_points` against `geopandas.sjoin`, checked to be equal.

    .venv/bin/python bench/counting.py [--points 10000 100000 1000000] [--grids 34 1000 10000] [--repeats 3] [--json]

The polygons are Voronoi cells of a square of 20 km with wavy borders: neighbours share every vertex, as grids do. Both
sides get the same frames and give points per polygon and the sum of a weight. The best of the repeats counts, for both.
The peer is what its documentation recommends: `sjoin(points, polygons, predicate="within")`, then a group-by.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.analysis.counting import count_points

SIDE_M, METRIC = 20_000.0, "EPSG:4547"


def cells(n: int, *, seed: int = 7) -> gpd.GeoDataFrame:
    """A seamless coverage of n polygons of about 60 vertices each."""
    seeds = shapely.points(np.random.default_rng(seed).uniform(0, SIDE_M, (n, 2)))
    frame = shapely.box(0, 0, SIDE_M, SIDE_M)
    diagram = shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=frame)
    parts = shapely.intersection(shapely.get_parts(diagram), frame)
    dense = shapely.segmentize(parts, SIDE_M / n**0.5 / 12)
    wave_m = SIDE_M / n**0.5 / 40

    def bend(xy: np.ndarray) -> np.ndarray:
        return xy + wave_m * np.sin(xy[:, ::-1] / (wave_m * 4))

    return gpd.GeoDataFrame(
        index=pd.RangeIndex(len(dense), name="grid"), geometry=shapely.transform(dense, bend), crs=METRIC
    )


def homes(n: int, *, seed: int = 8) -> gpd.GeoDataFrame:
    """Points in the square, each with a weight."""
    chance = np.random.default_rng(seed)
    xy = chance.uniform(0, SIDE_M, (n, 2))
    return gpd.GeoDataFrame(
        {"n_residents": chance.integers(1, 8, n)}, geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=METRIC
    )


def ours(points: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> pd.DataFrame:
    return count_points(points, grids, weights=["n_residents"])


def peer(points: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> pd.DataFrame:
    joined = gpd.sjoin(points, grids, predicate="within")
    counted = joined.groupby("grid")["n_residents"].agg(n_points="size", n_residents="sum")
    return counted.reindex(grids.index, fill_value=0)


def best_of(repeats: int, work: Callable[[], pd.DataFrame]) -> tuple[float, pd.DataFrame]:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - began)
    return min(times), found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--grids", type=int, nargs="+", default=[34, 1_000, 10_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = []
    for n_grids in given.grids:
        grids = cells(n_grids)
        for n_points in given.points:
            points = homes(n_points)
            ours_s, counted = best_of(given.repeats, lambda points=points, grids=grids: ours(points, grids))
            peer_s, expected = best_of(given.repeats, lambda points=points, grids=grids: peer(points, grids))
            if not (counted[["n_points", "n_residents"]].to_numpy() == expected.to_numpy()).all():
                print(f"{n_points} points in {n_grids} grids: the counts differ from sjoin's.", file=sys.stderr)
                return 1
            result = {
                "points": n_points, "grids": n_grids, "ours_s": ours_s, "sjoin_s": peer_s, "ratio": peer_s / ours_s,
            }  # fmt: skip
            results.append(result)
            if not given.json:
                print(
                    f"{n_points:>9,} points  {n_grids:>6,} grids  {ours_s:8.3f} s  sjoin {peer_s:8.3f} s"
                    f"  {peer_s / ours_s:5.1f} x"
                )
    if given.json:
        print(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
