"""A density surface of a million points on 512 x 512 cells: how fast and how exact, beside KDEpy; and how small to send.

    .venv/bin/python bench/heat.py [--points 1000000] [--bandwidths 120 250 500] [--repeats 9] [--json]

The points: two thirds in a broad cloud, a third in forty tight clusters, on a square of 20 km. Both sides get the same array
of coordinates and give 512 x 512 numbers; the best of the repeats counts, for both, in turns. *Error*: against the sum of all
kernels, point by point, at the 64 densest cells and 64 others, as a share of the maximum. KDEpy (`pip install KDEpy`, its
FFTKDE with a Gaussian kernel) chooses its own grid around the points, so its error is taken on that grid.
*Size*: the picture as `gridmap heat` writes it, and the points as the JSON of a pydeck scatterplot.
"""

import argparse
import importlib.util
import io
import json
import sys
import time

import numpy as np
import pandas as pd
import pydeck
import pyproj

from gridmap.analysis.density import density_of_places
from gridmap.exports.rasters import picture

SIDE_M, CELLS, SAMPLED = 20_000.0, 512, 64
METRIC = pyproj.CRS(4547)


def places(n: int, *, seed: int = 3) -> np.ndarray:
    chance = np.random.default_rng(seed)
    middles = chance.uniform(4_000, 16_000, (40, 2))
    tight = middles[chance.integers(0, 40, n // 3)] + chance.normal(0, 150, (n // 3, 2))
    xy = np.vstack([tight, chance.normal(SIDE_M / 2, 2_200, (n - len(tight), 2))])
    return np.clip(xy, 1, SIDE_M - 1)


def ours(xy: np.ndarray, bandwidth_m: float) -> np.ndarray:
    bounds = (0.0, 0.0, SIDE_M, SIDE_M)
    surface = density_of_places(xy, bounds=bounds, cell_m=SIDE_M / CELLS, bandwidth_m=bandwidth_m, crs=METRIC)
    return surface.values / (SIDE_M / CELLS) ** 2  # noqa: PD011  an array already


def peer(scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """KDEpy's surface of places in units of the bandwidth: where it cuts its kernel off is made for values around 1."""
    from KDEpy import FFTKDE

    return FFTKDE(bw=1, kernel="gaussian").fit(scaled).evaluate((CELLS, CELLS))


def error(xy: np.ndarray, bandwidth_m: float, at: np.ndarray, values: np.ndarray) -> float:
    """Largest difference to the sum of all kernels at sampled places, as a share of the maximum."""
    order = np.argsort(values)
    chosen = np.concatenate([order[-SAMPLED:], np.random.default_rng(1).choice(order[:-SAMPLED], SAMPLED)])
    differences = [
        abs(np.exp(-((xy[:, 0] - x) ** 2 + (xy[:, 1] - y) ** 2) / (2 * bandwidth_m**2)).sum()
            / (2 * np.pi * bandwidth_m**2) - value)
        for (x, y), value in zip(at[chosen], values[chosen], strict=True)
    ]  # fmt: skip
    return float(max(differences) / values.max())


def middles() -> np.ndarray:
    along = (np.arange(CELLS) + 0.5) * SIDE_M / CELLS
    return np.column_stack([np.tile(along, CELLS), np.repeat(SIDE_M - along, CELLS)])


def measure(xy: np.ndarray, bandwidth_m: float, *, repeats: int, has_peer: bool) -> dict[str, float]:
    ours_s, peer_s, scaled = [], [], xy / bandwidth_m
    for _ in range(repeats):
        began = time.perf_counter()
        surface = ours(xy, bandwidth_m)
        ours_s.append(time.perf_counter() - began)
        if has_peer:
            began = time.perf_counter()
            at, values = peer(scaled)
            peer_s.append(time.perf_counter() - began)
    found = {
        "bandwidth_m": bandwidth_m,
        "ours_ms": 1000 * min(ours_s),
        "ours_error": error(xy, bandwidth_m, middles(), surface.ravel()),
    }
    if has_peer:
        found |= {
            "kdepy_ms": 1000 * min(peer_s),
            "ratio": min(peer_s) / min(ours_s),
            "kdepy_error": error(xy, bandwidth_m, at * bandwidth_m, values * len(xy) / bandwidth_m**2),
        }
    return found


def sizes(xy: np.ndarray, bandwidth_m: float) -> dict[str, float]:
    file = io.BytesIO()
    picture(ours(xy, bandwidth_m)).save(file, "PNG", optimize=True)
    rows = pd.DataFrame({"lng": 114 + xy[:, 0] / 98_000, "lat": 28 + xy[:, 1] / 110_800})
    deck = pydeck.Deck(layers=[pydeck.Layer("ScatterplotLayer", rows, get_position="[lng, lat]")], map_provider=None)
    points = len(deck.to_json())
    return {
        "picture_kb": len(file.getvalue()) / 1000,
        "points_mb": points / 1e6,
        "ratio": points / len(file.getvalue()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--bandwidths", type=float, nargs="+", default=[120, 250, 500])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    has_peer = importlib.util.find_spec("KDEpy") is not None
    if not has_peer:
        print("KDEpy is not installed: no peer is measured.", file=sys.stderr)
    xy = places(given.points)
    rows = [measure(xy, one, repeats=given.repeats, has_peer=has_peer) for one in given.bandwidths]
    size = sizes(xy, given.bandwidths[0])
    if given.json:
        print(json.dumps({"surfaces": rows, "sizes": size}))
        return 0
    for row in rows:
        theirs = (
            f"  KDEpy {row['kdepy_ms']:6.1f} ms, error {row['kdepy_error']:.3%}  {row['ratio']:5.1f} x"
            if has_peer
            else ""
        )
        print(f"{row['bandwidth_m']:6.0f} m  ours {row['ours_ms']:6.1f} ms, error {row['ours_error']:.3%}{theirs}")
    print(f"picture {size['picture_kb']:.0f} kB, points as JSON {size['points_mb']:.0f} MB: 1/{size['ratio']:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
