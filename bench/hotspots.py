"""Hot spots: false alarms on maps without any, power on maps with one, speed and equality, beside esda.

    .venv/bin/python bench/hotspots.py [--maps 1000] [--peer-maps 100] [--power-maps 200]
        [--parts speed false_alarms power] [--json]

The grids are the 34 of the sample township, drawn by hand, and Voronoi cells with wavy borders (`bench/counting.py`), of 15 to
100 households each; neighbours touch.

- *False alarms*: incidents fall on households by pure chance; the share of maps with any grid called hot or cold. Stated: 5 %.
  Beside it, on fewer maps, what the same maps give with `esda.G_Local(rates, star=True, permutations=999)`, as its p stands
  (doubled: two-sided), and corrected by Benjamini-Hochberg as we do.
- *Power*: households of one grid and its neighbours are so many times as likely to be the place; the share of maps in which
  that grid is called hot, and the mean share of the cluster's grids that are.
- *Speed*: statistic and 999 conditional permutations for every grid, one core, against `G_Local` and `Moran_Local` with
  `n_jobs=1`; the best of three, after a call that may compile. *Difference*: of the analytic z.

The peer runs where it is installed (`pip install esda`).
"""

import argparse
import importlib.util
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from counting import cells

from gridmap.analysis.hotspots.find import Rules, hot_spots
from gridmap.analysis.hotspots.local import Local, getis_ord, local_moran, permuted_chances
from gridmap.analysis.hotspots.near import Near, touching
from gridmap.analysis.hotspots.rates import false_discovery, standardised_rates

SAMPLE_GRIDS = Path(__file__).parents[1] / "data" / "sample" / "grids.shp"
ALPHA, PERMUTATIONS = 0.05, 999
RULES = Rules(alpha=ALPHA, min_households=10, min_expected=5)
HAS_PEER = importlib.util.find_spec("esda") is not None


def township(n: int) -> tuple[Near, np.ndarray]:
    """Neighbours and households of n grids; 34 are those of the sample township, drawn by hand."""
    grids = gpd.read_file(SAMPLE_GRIDS) if n == 34 else cells(n)
    return touching(grids, tolerance_m=2.5), np.random.default_rng(n).integers(15, 101, n).astype(float)


def called(counts: np.ndarray, homes: np.ndarray, near: Near, chance: np.random.Generator) -> pd.DataFrame:
    return hot_spots(
        pd.Series(counts, dtype=float), pd.Series(homes), near, rules=RULES, permutations=1, rng=chance
    ).table


def weights(near: Near):
    from libpysal.weights import W

    return W({at: near.of(at).tolist() for at in range(len(near))}, silence_warnings=True)


def peer_p(counts: np.ndarray, homes: np.ndarray, near: Near, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return esda's p of Gi* of the rates, two-sided, and whether the grid lies above the mean."""
    import esda

    found = esda.G_Local(
        counts / homes, weights(near), transform="B", star=True, permutations=PERMUTATIONS, n_jobs=1, seed=seed
    )
    return np.minimum(1, 2 * found.p_sim), found.Zs > 0


def false_alarms(n_maps: int, n_peer: int) -> list[dict[str, float]]:
    rows = []
    for n in (34, 200):
        near, homes = township(n)
        for per_grid in (1, 3, 10, 100):
            chance = np.random.default_rng(per_grid)
            maps = chance.multinomial(n * per_grid, homes / homes.sum(), size=n_maps)
            tables = [called(one, homes, near, chance) for one in maps]
            row = {
                "grids": n,
                "per_grid": per_grid,
                "ours": np.mean([table["class"].isin(["hot", "cold"]).any() for table in tables]),
                "too_few": np.mean([(table["class"] == "too few to say").mean() for table in tables]),
            }
            if HAS_PEER:
                chances = [peer_p(one, homes, near, seed)[0] for seed, one in enumerate(maps[:n_peer])]
                row["esda"] = np.mean([(p <= ALPHA).any() for p in chances])
                row["esda_corrected"] = np.mean([(false_discovery(p) <= ALPHA).any() for p in chances])
            rows.append({name: float(value) for name, value in row.items()})
            print(".", end="", file=sys.stderr, flush=True)
    return rows


def power(n_maps: int, n_peer: int) -> list[dict[str, float]]:
    rows = []
    for n in (34, 200):
        near, homes = township(n)
        middle = int(np.argsort(near.n_near)[n // 2])
        inside = np.isin(np.arange(n), [middle, *near.of(middle)])
        for per_grid in (3, 10):
            for times in (1.25, 1.5, 2.0, 3.0, 4.0):
                chance = np.random.default_rng(int(times * 100))
                risk = homes * np.where(inside, times, 1)
                maps = chance.multinomial(n * per_grid, risk / risk.sum(), size=n_maps)
                hot = np.array([called(one, homes, near, chance)["class"] == "hot" for one in maps])
                row = {
                    "grids": n, "per_grid": per_grid, "times": times, "in_cluster": int(inside.sum()),
                    "middle_hot": hot[:, middle].mean(), "cluster_hot": hot[:, inside].mean(),
                    "elsewhere_hot": hot[:, ~inside].mean(),
                }  # fmt: skip
                if HAS_PEER:
                    theirs = [peer_p(one, homes, near, seed) for seed, one in enumerate(maps[:n_peer])]
                    row["esda_corrected"] = np.mean(
                        [false_discovery(p)[middle] <= ALPHA and above[middle] for p, above in theirs]
                    )
                # The middle grid by itself, among neighbours like all others.
                risk = homes * np.where(np.arange(n) == middle, times, 1)
                alone = [
                    called(one, homes, near, chance).loc[middle]
                    for one in chance.multinomial(n * per_grid, risk / risk.sum(), size=n_maps)
                ]
                row["single_hot"] = np.mean([found["class"] == "hot" for found in alone])
                row["single_around"] = np.mean([found["gi_q"] <= ALPHA for found in alone])
                rows.append({name: float(value) for name, value in row.items()})
                print(".", end="", file=sys.stderr, flush=True)
    return rows


def _best(work: Callable[..., object], *arguments: object, **options: object) -> float:
    """Seconds of the best of three calls, after one that may compile."""
    work(*arguments, **options)
    spans = []
    for _ in range(3):
        began = time.perf_counter()
        work(*arguments, **options)
        spans.append(time.perf_counter() - began)
    return min(spans)


def _ours(statistic: Callable[[np.ndarray, Near], Local], values: np.ndarray, near: Near) -> None:
    statistic(values, near)
    permuted_chances(values, near, permutations=PERMUTATIONS, rng=np.random.default_rng(1))


def _beside_esda(values: np.ndarray, rates: np.ndarray, near: Near) -> dict[str, float]:
    import esda

    options = {"permutations": PERMUTATIONS, "n_jobs": 1, "seed": 1}
    theirs = esda.G_Local(rates, weights(near), transform="B", star=True, permutations=0)
    moran, ours = esda.Moran_Local(values, weights(near), permutations=0), local_moran(values, near)
    z = (moran.Is - moran.EIc) / np.sqrt(moran.VIc)
    return {
        "esda_gi_s": _best(esda.G_Local, rates, weights(near), transform="B", star=True, **options),
        "esda_moran_s": _best(esda.Moran_Local, values, weights(near), **options),
        "gi_difference": np.abs(theirs.Zs - getis_ord(rates, near).z).max(),
        "moran_difference": max(np.abs(moran.Is - ours.value).max(), np.abs(z - ours.z).max()),
    }


def speed() -> list[dict[str, float]]:
    rows = []
    for n in (34, 200, 1_000, 10_000):
        near, homes = township(n)
        counts = np.random.default_rng(1).poisson(homes * 0.1).astype(float)
        values = standardised_rates(counts, homes)
        row = {
            "grids": n,
            "gi_s": _best(_ours, getis_ord, values, near),
            "moran_s": _best(_ours, local_moran, values, near),
        }
        if HAS_PEER:
            row |= _beside_esda(values, counts / homes, near)
            row["gi_ratio"], row["moran_ratio"] = row["esda_gi_s"] / row["gi_s"], row["esda_moran_s"] / row["moran_s"]
        rows.append({name: float(value) for name, value in row.items()})
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", type=int, default=1000)
    parser.add_argument("--peer-maps", type=int, default=100)
    parser.add_argument("--power-maps", type=int, default=200)
    parser.add_argument("--parts", nargs="+", default=["speed", "false_alarms", "power"])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if not HAS_PEER:
        print("esda is not installed: no peer is measured.", file=sys.stderr)
    parts = {
        "speed": speed,
        "false_alarms": lambda: false_alarms(given.maps, given.peer_maps),
        "power": lambda: power(given.power_maps, min(given.peer_maps, given.power_maps)),
    }
    found = {name: parts[name]() for name in given.parts}
    if given.json:
        print(json.dumps(found))
        return 0
    for name, rows in found.items():
        print(f"\n{name}\n{pd.DataFrame(rows).to_string(index=False, float_format=lambda one: f'{one:.4g}')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
