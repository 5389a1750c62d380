"""Fair workload: how often equal grids are flagged, how often an unequal one is found, how often forecasts are right.

    PYTHONPATH=. .venv/bin/python bench/fair.py [--maps 500]

No peer does the whole; the usual ones are measured beside it: naming the grid with the highest rate, marking everything
outside the 95 % limits of a Poisson funnel around the township's rate, and, where statsmodels is installed, its negative
binomial regression of all grids with the same limits.
"""

import argparse
import importlib.util
import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from scipy import stats

from gridmap.analysis.fair.expected import expected_load, per_household
from gridmap.analysis.fair.forecast import forecast_load
from gridmap.analysis.fair.funnel import HIGHER, LOWER, funnel
from gridmap.analysis.fair.shrunken import past_ratio, shrunken_ratios

HAS_PEER = importlib.util.find_spec("statsmodels") is not None
N_GRIDS = 34


def township(rng: np.random.Generator, rate: float, ratios: np.ndarray) -> tuple[pd.Series, pd.Series, dict, pd.Series]:
    """15 to 100 households a grid; terrain is noise, a year of past at the common rate."""
    homes = pd.Series(rng.integers(15, 101, N_GRIDS).astype(float))
    counts = pd.Series(rng.poisson(homes * rate * ratios))
    factors = {"terrain": per_household(pd.Series(rng.uniform(500, 9000, N_GRIDS)), homes)}
    return counts, homes, factors, past_ratio(pd.Series(rng.poisson(homes * rate * 11)), homes)


def ours(counts: pd.Series, homes: pd.Series, factors: dict, past: pd.Series) -> np.ndarray:
    model = expected_load(counts, homes, factors, past=past)
    judged = funnel(counts, model.table["expected"], model.table["variance"] + model.dispersion, alpha=0.05)
    return judged["class"].isin([HIGHER, LOWER]).to_numpy()


def plain_funnel(counts: pd.Series, homes: pd.Series) -> np.ndarray:
    mean = homes * counts.sum() / homes.sum()
    return ((counts < stats.poisson.ppf(0.025, mean)) | (counts > stats.poisson.ppf(0.975, mean))).to_numpy()


def regression(counts: pd.Series, homes: pd.Series, factors: dict) -> np.ndarray:
    import statsmodels.api as sm

    design = sm.add_constant(pd.DataFrame(factors))
    fit = sm.NegativeBinomial(counts, design, exposure=homes).fit(disp=0, maxiter=200)
    mean = fit.predict(design, exposure=homes)
    size = 1 / max(float(fit.params.iloc[-1]), 1e-9)
    low, high = (stats.nbinom.ppf(tail, size, size / (size + mean)) for tail in (0.025, 0.975))
    return ((counts < low) | (counts > high)).to_numpy()


def flagged(n_maps: int) -> list[dict[str, float]]:
    """Equal grids, and one in which the fifth carries a multiple: how many are called, by whom."""
    rows = []
    for rate in (0.02, 0.08, 0.3):
        for times in (1.0, 2.0, 3.0):
            rng = np.random.default_rng(20261031)
            ratios = np.ones(N_GRIDS)
            ratios[4] = times
            called, funnels, peers = [], [], []
            for _ in range(n_maps):
                counts, homes, factors, past = township(rng, rate, ratios)
                called.append(ours(counts, homes, factors, past))
                funnels.append(plain_funnel(counts, homes))
                if HAS_PEER:
                    peers.append(regression(counts, homes, factors))
            others = np.arange(N_GRIDS) != 4
            row = {"incidents_a_grid": rate * 57.5, "times": times}
            for name, found in (("ours", called), ("funnel", funnels), ("statsmodels", peers)):
                if found:
                    table = np.array(found)
                    row |= {
                        f"{name}_any_equal": table[:, others].any(axis=1).mean(),
                        f"{name}_share_equal": table[:, others].mean(),
                        f"{name}_fifth": table[:, 4].mean(),
                    }
            rows.append({key: float(value) for key, value in row.items()})
            print(".", end="", file=sys.stderr, flush=True)
    return rows


def smallest_on_top(n_maps: int) -> list[dict[str, float]]:
    """Equal grids: how often the top of the table is one of the five smallest, by rate and by shrunken ratio (fair: 15 %)."""
    rng = np.random.default_rng(7)
    raw, shrunken, wide = 0, 0, 0
    for _ in range(n_maps):
        homes = pd.Series(np.r_[np.full(5, 20.0), np.full(N_GRIDS - 5, 90.0)])
        counts = pd.Series(rng.poisson(homes * 0.08))
        ratios = shrunken_ratios(counts, homes * counts.sum() / homes.sum(), share=0.9)
        raw += int((counts / homes).idxmax() < 5)
        shrunken += int(ratios["shrunken"].idxmax() < 5)
        wide += int((ratios["shrunken_low"] > 1).any())
    return [{"by_rate": raw / n_maps, "by_shrunken": shrunken / n_maps, "any_interval_above_1": wide / n_maps}]


def forecasts(n_maps: int) -> list[dict[str, float]]:
    """34 grids over 13 months whose rates differ and drift: coverage of the 80 % and 90 % intervals in the last six."""
    rows = []
    for drift in (0.0, 0.15):
        rng = np.random.default_rng(11)
        for share in (0.8, 0.9):
            n = inside = 0
            errors, naive = [], []
            for _ in range(n_maps):
                homes = pd.Series(rng.integers(40, 110, N_GRIDS).astype(float))
                walk = np.exp(np.cumsum(rng.normal(0, drift, (N_GRIDS, 13)), axis=1))
                rates = homes.to_numpy()[:, None] * 0.06 * rng.gamma(6, 1 / 6, N_GRIDS)[:, None] * walk
                found = forecast_load(
                    pd.DataFrame(rng.poisson(rates)), homes, days=[30.0] * 13, next_days=30, share=share, most_tried=6
                )
                n, inside = n + found.n_tried, inside + found.n_inside
                errors.append(found.error)
                naive.append(found.error_of_last_month)
            rows.append(
                {
                    "drift_a_month": drift, "stated": share, "covered": inside / n, "n": float(n),
                    "error": float(np.mean(errors)), "error_of_last_month": float(np.mean(naive)),
                }
            )  # fmt: skip
    return rows


def speed() -> list[dict[str, float]]:
    rows = []
    for n in (34, 200, 1500):
        rng = np.random.default_rng(1)
        homes = pd.Series(rng.integers(15, 101, n).astype(float))
        counts = pd.Series(rng.poisson(homes * 0.1))
        factors = {"terrain": per_household(pd.Series(rng.uniform(500, 9000, n)), homes)}
        spans = []
        for _ in range(3):
            began = time.perf_counter()
            model = expected_load(counts, homes, factors)
            funnel(counts, model.table["expected"], model.table["variance"] + model.dispersion, alpha=0.05)
            shrunken_ratios(counts, model.table["expected"], share=0.9)
            spans.append(time.perf_counter() - began)
        rows.append({"grids": float(n), "seconds": min(spans)})
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if not HAS_PEER:
        print("statsmodels is not installed: it is not measured.", file=sys.stderr)
    found = {
        "flagged": flagged(given.maps),
        "smallest_on_top": smallest_on_top(given.maps),
        "forecasts": forecasts(max(given.maps // 20, 5)),
        "speed": speed(),
    }
    if given.json:
        print(json.dumps(found))
        return 0
    for name, rows in found.items():
        print(f"\n{name}\n{pd.DataFrame(rows).to_string(index=False, float_format=lambda one: f'{one:.4g}')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
