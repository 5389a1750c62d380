"""Where n more points help most: how fast and how good, beside spopt with the same solver.

    .venv/bin/python bench/siting.py [--instances FOLDER] [--long 60] [--only published|township|city]

- *Published*: Lorena's SJC instances (`SJC324.txt`, `SJC402.txt`: x, y, demand) where `--instances` has them; every point is
  demand and candidate. Ours from coordinates to the proven answer, one number of points, no curve; `spopt.locate.MCLP` from its
  distance matrix (not counted) with PuLP's HiGHS, in a process of its own. Seconds of the processor, which other work on the machine
  does not lengthen; the best of three for both; answers are compared.
- *Township*: 10,000 homes and 100 candidates, 20 points, with the whole curve.
- *City*: seeded clustered homes and candidates; 10 s of the processor (curve included) against the best known: the better of a long run of ours and,
  for the smaller ones, of the plain model (no reduction, no start) given to HiGHS for as long.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ASKED = {
    800: (1, 2, 3, 4, 5),
    200: (1, 3, 5, 10, 20, 25, 30, 35, 40),
    150: (5, 20, 40),
    100: (1, 5, 20, 40),
}
CITIES = (
    (5_000, 2_000, 400, 50, 1),
    (5_000, 2_000, 400, 50, 2),
    (10_000, 5_000, 500, 100, 1),
    (10_000, 10_000, 300, 100, 2),
)
_CITY_SECONDS, _TIMES, _MOST_PLAIN = 10.0, 3, 300_000


def until(seconds: float, *, clock: Callable[[], float] = time.perf_counter) -> Callable[[], float]:
    """Return a clock that counts down."""
    began = clock()
    return lambda: seconds - (clock() - began)


def city(seed: int, n_homes: int, n_sites: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Homes and candidates in 40 clusters of different size and density on 10 km; 1-59 households a home."""
    chance = np.random.default_rng(seed)
    middles, spreads, sizes = (
        chance.uniform(0, 1e4, (40, 2)),
        chance.uniform(100, 900, 40),
        chance.dirichlet(np.ones(40)),
    )

    def places(n: int) -> np.ndarray:
        at = chance.choice(40, n, p=sizes)
        return np.clip(middles[at] + chance.normal(size=(n, 2)) * spreads[at][:, None], 0, 1e4).round()

    return places(n_homes), places(n_sites), chance.integers(1, 60, n_homes).astype(float)


def ours(table: np.ndarray, radius_m: float, n_sites: int) -> tuple[float, float]:
    """Return what we cover and the seconds of the processor, the best of three."""
    from gridmap.analysis.siting.places import choose_places

    spans = []
    for _ in range(_TIMES):
        begin = time.process_time()
        found = choose_places(
            table[:, :2], table[:, 2], radius_m=radius_m, n_sites=n_sites, with_curve=False, seconds_left=until(60)
        )
        spans.append(time.process_time() - begin)
        if not found.is_optimal:
            raise RuntimeError(f"not proven: {radius_m} m, {n_sites} points")
    return found.covered, min(spans)


def theirs(file: Path) -> None:
    """Print, as JSON, what spopt covers and its seconds of the processor: run in a process of its own."""
    import pulp
    from scipy.spatial.distance import cdist
    from spopt.locate import MCLP

    table, rows = np.loadtxt(file, skiprows=1), []
    away = cdist(table[:, :2], table[:, :2])
    for radius_m, numbers in ASKED.items():
        for n_sites in numbers:
            spans = []
            for _ in range(_TIMES):
                begin = time.process_time()
                model = MCLP.from_cost_matrix(away, table[:, 2], radius_m, p_facilities=n_sites)
                model = model.solve(pulp.HiGHS(msg=False))
                spans.append(time.process_time() - begin)
            rows.append([radius_m, n_sites, float(model.problem.objective.value()), min(spans)])
    print("\n" + json.dumps(rows))


def published(folder: Path) -> None:
    """Measure the published instances."""
    has_peer = importlib.util.find_spec("spopt") is not None and importlib.util.find_spec("highspy") is not None
    print(
        "\nPublished instances, seconds of the processor for one proven answer\n\n| instance | radius | points | covered | ours | spopt | ratio |\n|---|---|---|---|---|---|---|"
    )
    for name in ("SJC324", "SJC402"):
        file = folder / f"{name}.txt"
        if not file.exists():
            print(f"{file} is not there: left out")
            continue
        peer: dict[tuple[float, int], tuple[float, float]] = {}
        if has_peer:
            said = subprocess.run(
                [sys.executable, __file__, "--peer", str(file)], capture_output=True, text=True, check=True
            )
            peer = {(r, p): (covered, span) for r, p, covered, span in json.loads(said.stdout.splitlines()[-1])}
        table = np.loadtxt(file, skiprows=1)
        for radius_m, numbers in ASKED.items():
            for n_sites in numbers:
                covered, span = ours(table, radius_m, n_sites)
                other = peer.get((radius_m, n_sites))
                if other is not None and abs(other[0] - covered) > 1e-3:
                    raise RuntimeError(f"{name}, {radius_m} m, {n_sites}: {covered} here, {other[0]} there")
                beside = "not installed | –" if other is None else f"{other[1]:.3f} s | {other[1] / span:.0f}"
                print(f"| {name} | {radius_m} m | {n_sites} | {covered:,.0f} | {span:.4f} s | {beside} |", flush=True)


def township() -> None:
    """Measure 10,000 homes and 100 candidates."""
    from gridmap.analysis.siting.places import choose_places

    print("\nTownship: 10,000 homes, 100 candidates, 20 points with the curve\n")
    for seed in range(3):
        homes, sites, weights = city(seed, 10_000, 100)
        begin = time.perf_counter()
        found = choose_places(homes, weights, candidates_xy=sites, radius_m=800, n_sites=20, seconds_left=until(60))
        n_proven = sum(step.is_optimal for step in found.curve)
        print(
            f"seed {seed}: {time.perf_counter() - begin:.2f} s, covered {found.covered:,.0f}, {n_proven} of 21 steps proven"
        )


def plain(covers: object, weights: np.ndarray, n_sites: int, seconds: float) -> float:
    """Return what HiGHS covers with the model as it stands in the book."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import block_array, csr_array, eye_array

    n_demand, n_all = covers.shape
    chosen = np.concatenate([np.ones(n_all), np.zeros(n_demand)])
    held = block_array([[-covers, eye_array(n_demand)]], format="csr")
    found = milp(
        -np.concatenate([np.zeros(n_all), weights]),
        constraints=[LinearConstraint(held, -np.inf, 0), LinearConstraint(csr_array(chosen[None, :]), 0, n_sites)],
        integrality=chosen, bounds=Bounds(0, 1), options={"time_limit": seconds},
    )  # fmt: skip
    return 0.0 if found.x is None else -float(found.fun)


def cities(long: float) -> None:
    """Measure city cases against the best known."""
    from gridmap.analysis.siting.cover import within
    from gridmap.analysis.siting.places import choose_places

    print(
        f"\nCities: 10 s against the best known ({long:g} s of ours, or of HiGHS with the plain model)\n\n"
        "| homes × candidates | radius | points | seed | in 10 s | bound | gap | seconds | long run | plain HiGHS | of the best |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for n_homes, n_sites, radius_m, n_points, seed in CITIES:
        homes, sites, weights = city(seed, n_homes, n_sites)
        options = {"candidates_xy": sites, "radius_m": radius_m, "n_sites": n_points}
        begin = time.process_time()
        limited = until(_CITY_SECONDS, clock=time.process_time)
        found = choose_places(homes, weights, **options, seconds_left=limited)
        span = time.process_time() - begin
        limited = until(long, clock=time.process_time)
        best = choose_places(homes, weights, **options, with_curve=False, seconds_left=limited)
        covers = within(homes, sites, radius_m=radius_m)
        other = plain(covers, weights, n_points, long) if covers.nnz <= _MOST_PLAIN else None
        share = found.covered / max(best.covered, found.covered, other or 0)
        print(
            f"| {n_homes:,} × {n_sites:,} | {radius_m} m | {n_points} | {seed} | {found.covered:,.0f} | {found.bound:,.0f} | {found.gap:.2%} | "
            f"{span:.1f} | {best.covered:,.0f} | {'–' if other is None else f'{other:,.0f}'} | {share:.3%} |",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=Path, default=Path(__file__).parents[2] / "shared" / "data" / "covering")
    parser.add_argument("--long", type=float, default=60)
    parser.add_argument("--only", choices=["published", "township", "city"])
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peer:
        theirs(asked.peer)
        return
    if asked.only in (None, "published"):
        published(asked.instances)
    if asked.only in (None, "township"):
        township()
    if asked.only in (None, "city"):
        cities(asked.long)


if __name__ == "__main__":
    main()
