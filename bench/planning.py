"""Divisions, repairs and edits: how good, how fast, beside what others make of the same villages.

    .venv/bin/python bench/planning.py [--villages 100] [--first 0] [--repairs 40] [--edits 2000] [--json]

- *Division*: seeded villages (`bench/villages.py`), so many of single households and as many of indivisible blocks, 0-5 %
  slack, every second one with a river and bridges. Each result is judged by the certificate, its compactness measured on the
  same Voronoi land for everyone. Peers run on the same graph where they are installed (`pip install gerrychain pymetis`):
  GerryChain's `recursive_tree_part`, with the slack as its epsilon; METIS.
- *Repair*: villages of up to 60 units, some of them disturbed; against the exact optimum (the program proves it) and against a
  greedy repair that always makes the single move that helps most.
- *Edits*: one draft of 10,000 grids and a million households; a unit goes to a neighbouring grid, with counts and connection
  looked at: the whole call in process.
"""

import argparse
import importlib.util
import json
import signal
import sys
import time
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from villages import CAP, METRIC, Village, blocks, homes

from gridmap.planning.certificate import certify
from gridmap.planning.draft import Draft
from gridmap.planning.partition import Partition, partition
from gridmap.planning.repair import repair
from gridmap.planning.units import Units, make_units

# Of the processor. A peer that has found nothing by then counts as not solving the village.
_PEER_SECONDS, _REPAIRED_UP_TO = 8, 60


def roundness(cells: np.ndarray, grids: np.ndarray) -> float:
    """Mean Polsby-Popper of a division."""
    lands = [shapely.union_all(cells[grids == grid]) for grid in np.unique(grids)]
    return float(np.mean([4 * np.pi * land.area / land.length**2 for land in lands]))


def _judged(village: Village, grids: np.ndarray, *, least: int) -> dict[str, object]:
    certificate = certify(village.units, pd.Series(grids), cap=CAP)
    return {
        "is_legal": certificate.is_ok,
        "n_grids": certificate.n_grids,
        "roundness": roundness(village.cells, grids),
        "is_fewest": certificate.n_grids == least,
    }


def ours(village: Village) -> Partition:
    """Divide a village as `gridmap plan partition` does."""
    return partition(village.units, cap=CAP)


def gerrychain(village: Village) -> np.ndarray | None:
    """GerryChain's recursive_tree_part: as many parts as the bound, none above the cap."""
    import networkx as nx
    from gerrychain.graph import Graph
    from gerrychain.partition import recursive_tree_part

    units = village.units
    n_grids = certify(units, pd.Series(np.zeros(len(units))), cap=CAP).bound.n_grids
    graph = nx.Graph()
    graph.add_nodes_from((at, {"homes": float(weight)}) for at, weight in enumerate(units.weights))
    graph.add_edges_from(zip(units.neighbours.first.tolist(), units.neighbours.second.tolist(), strict=True))
    ideal = float(units.weights.sum()) / n_grids
    np.random.seed(0)  # noqa: NPY002  the peer's own chance
    try:
        slack = CAP / ideal - 1
        found = recursive_tree_part(Graph.from_networkx(graph), range(n_grids), ideal, "homes", slack, node_repeats=0)
    except TimeoutError:
        raise
    except Exception:  # noqa: BLE001  the peer gives up in many ways
        return None
    return np.array([found[at] for at in range(len(units))])


def metis(village: Village) -> np.ndarray | None:
    """METIS, recursive bisection, as many parts as the bound."""
    import pymetis

    units = village.units
    n_grids = certify(units, pd.Series(np.zeros(len(units))), cap=CAP).bound.n_grids
    near = [units.neighbours.of(at) for at in range(len(units))]
    _, parts = pymetis.part_graph(n_grids, adjacency=near, vweights=units.weights.astype(int).tolist())
    return np.array(parts)


def _in_time(divide: Callable[[Village], np.ndarray | None], village: Village) -> np.ndarray | None:
    """Ask a maker, and wait no longer than everyone may take."""

    def give_up(_signal: int, _frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, _PEER_SECONDS)
    try:
        return divide(village)
    except TimeoutError:
        return None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def divisions(n_each: int, *, first: int = 0) -> list[dict[str, object]]:
    """Divide all villages, ours and each peer that is there."""
    makers: dict[str, Callable[[Village], np.ndarray | None]] = {}
    if importlib.util.find_spec("gerrychain"):
        makers["gerrychain"] = gerrychain
    if importlib.util.find_spec("pymetis"):
        makers["metis"] = metis
    rows = []
    for kind, make in (("homes", homes), ("blocks", blocks)):
        for seed in range(first, first + n_each):
            village = make(seed, with_river=seed % 2 == 1)
            begin, cpu = time.perf_counter(), time.process_time()
            found = ours(village)
            spans = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}
            # A division is the smallest when it has as few grids as is proven for this village.
            judged = _judged(village, found.grids, least=found.lower_bound)
            rows.append({"kind": kind, "seed": seed, "maker": "gridmap", **spans, **judged})
            for maker, divide in makers.items():
                begin, cpu = time.perf_counter(), time.process_time()
                grids = _in_time(divide, village)
                spans = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}
                judged = {} if grids is None else _judged(village, grids, least=found.lower_bound)
                rows.append({"kind": kind, "seed": seed, "maker": maker, **spans, **judged})
            _progress(kind, seed + 1 - first, n_each)
    return rows


def greedy(units: Units, grids: np.ndarray) -> float | None:
    """Return the households that a greedy repair moves: the best single legal-making move again and again; None: stuck."""
    draft = Draft(units, grids.tolist())

    def fault() -> float:
        states = [draft.state(grid) for grid in draft.grids]
        return sum(max(0.0, one.weight - CAP) + CAP * max(0, one.n_parts - 1) for one in states)

    now = fault()
    while now > 0:
        best: tuple[float, float, int, object] | None = None
        for unit in units.names:
            for grid in {draft.plan_of(other) for other in draft.neighbours(unit)} - {draft.plan_of(unit)}:
                draft.move([unit], grid)
                gain, weight = now - fault(), draft.unit_weight(unit)
                draft.undo()
                if gain > 0 and (best is None or (gain / max(weight, 0.5), gain) > best[:2]):
                    best = (gain / max(weight, 0.5), gain, unit, grid)
        if best is None:
            return None
        draft.move([best[2]], best[3])
        now = fault()
    return float(
        sum(draft.unit_weight(unit) for unit, old in zip(units.names, grids, strict=True) if draft.plan_of(unit) != old)
    )


def repairs(n: int) -> list[dict[str, object]]:
    """Repair disturbed villages of at most 60 units."""
    rows, seed = [], 0
    while len(rows) < n:
        seed += 1
        village = blocks(seed, with_river=seed % 2 == 1)
        units, chance = village.units, np.random.default_rng(seed)
        if len(units) > _REPAIRED_UP_TO:
            continue
        grids = partition(units, cap=CAP).grids.copy()
        for unit in chance.integers(0, len(units), 8):
            near = units.neighbours.of(int(unit))
            grids[unit] = grids[chance.choice(near)] if len(near) else grids[unit]
        begin = time.perf_counter()
        found = repair(units, grids, cap=CAP, has_time=lambda begin=begin: time.perf_counter() - begin < 60)
        seconds = time.perf_counter() - begin
        rows.append(
            {
                "moved": found.moved_weight,
                "bound": found.bound,
                "gap": found.gap,
                "greedy": greedy(units, grids),
                "is_legal": certify(units, pd.Series(found.grids), cap=CAP).is_ok,
                "seconds": seconds,
            }
        )
        _progress("repairs", len(rows), n)
    return rows


def edits(n: int) -> dict[str, float]:
    """Move units of a draft of 10,000 grids of four units and a million households; milliseconds a call."""
    side = 200
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    cells = shapely.box(x.ravel() * 100.0, y.ravel() * 100.0, x.ravel() * 100.0 + 100, y.ravel() * 100.0 + 100)
    frame = gpd.GeoDataFrame({"homes": np.full(len(cells), 25.0)}, geometry=cells, crs=METRIC)
    units = make_units(frame, weight="homes")
    grids = (x.ravel() // 2) + (y.ravel() // 2) * (side // 2)
    draft = Draft(units, grids.tolist())
    chance, spans = np.random.default_rng(0), []
    for unit in chance.integers(0, len(units), n).tolist():
        target = draft.plan_of(int(chance.choice(units.neighbours.of(unit))))
        begin = time.perf_counter()
        draft.move([unit], target)
        spans.append((time.perf_counter() - begin) * 1000)
    return {
        "n_grids": len(draft.grids),
        "n_households": float(units.weights.sum()),
        "median_ms": float(np.median(spans)),
        "p99_ms": float(np.percentile(spans, 99)),
        "most_ms": float(np.max(spans)),
    }


def sizes() -> dict[str, float]:
    """Seconds to divide 1,000 and 20,000 single households, without any slack."""
    spans = {}
    for n in (1_000, 20_000):
        village = homes(1, n=n)
        begin = time.perf_counter()
        cpu = time.process_time()
        partition(village.units, cap=CAP)
        spans[f"homes_{n}"] = time.perf_counter() - begin
        spans[f"homes_{n}_cpu"] = time.process_time() - cpu
    return spans


def _progress(what: str, done: int, of: int) -> None:
    sys.stderr.write(f"\r{what} {done}/{of}   ")
    sys.stderr.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--villages", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="number of the first village, to measure in slices")
    parser.add_argument("--repairs", type=int, default=40)
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    made = pd.DataFrame(divisions(asked.villages, first=asked.first))
    mended = pd.DataFrame(repairs(asked.repairs))
    edited, spans = edits(asked.edits), sizes()
    if asked.json:
        print(
            json.dumps(
                {
                    "divisions": made.to_dict("records"),
                    "repairs": mended.to_dict("records"),
                    "edits": edited,
                    "sizes": spans,
                }
            )
        )
        return
    print(
        "\n\nDivision: of all villages the share that is legal and has the fewest grids; mean Polsby-Popper; seconds of the processor, and by the clock.\n"
    )
    solved = made.assign(is_solved=(made["is_legal"] == True) & (made["is_fewest"] == True))  # noqa: E712  null is no
    print(
        solved.groupby(["kind", "maker"]).agg(
            villages=("seed", "size"), legal=("is_legal", lambda one: (one == True).mean()),  # noqa: E712
            fewest=("is_solved", "mean"), roundness=("roundness", "mean"), cpu=("cpu", "mean"), most_cpu=("cpu", "max"), seconds=("seconds", "mean"),
        ).round(3).to_string()
    )  # fmt: skip
    if "gerrychain" in set(solved["maker"]):
        both = solved.pivot_table(index=["kind", "seed"], columns="maker", values="is_solved", aggfunc="first")
        of_theirs = both[both["gerrychain"].astype(bool)]
        print(
            "\nof the villages that GerryChain solves we solve:\n",
            of_theirs.groupby("kind")["gridmap"].mean().round(3).to_string(),
        )
    print("\nRepair, villages of up to 60 units:\n")
    gaps = mended["gap"].describe(percentiles=[0.5, 0.9, 0.99]).round(4).to_dict()
    worse = int((mended["moved"] > mended["greedy"]).sum())
    stuck = int(mended["greedy"].isna().sum())
    print(
        f"legal {int(mended['is_legal'].sum())} of {len(mended)}; proven optimal {(mended['gap'] == 0).mean():.1%}; gap {gaps}"
    )
    print(
        f"worse than greedy: {worse}; greedy stuck: {stuck}; greedy moves {(mended['greedy'] / mended['moved']).mean():.2f} x as many"
    )
    print(f"seconds: mean {mended['seconds'].mean():.2f}, most {mended['seconds'].max():.2f}")
    print("\nOne edit:", {name: round(value, 3) for name, value in edited.items()})
    print("Division of single households, s:", {name: round(value, 2) for name, value in spans.items()})


if __name__ == "__main__":
    main()
