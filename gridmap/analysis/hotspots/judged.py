"""The verdict on each grid as people read it: its class, and which of the two comparisons it rests on."""

import numpy as np
import pandas as pd

from gridmap.analysis.hotspots.find import COLD, HOT, NOTHING, Rules, hot_spots
from gridmap.analysis.hotspots.near import Near


def judged(
    counts: pd.Series, homes: pd.Series, *, near: Near, rules: Rules, permutations: int, chance: np.random.Generator
) -> pd.DataFrame:
    """Judge every grid, and say what it was judged by: itself or its surroundings.

    Parameters
    ----------
    counts, homes
        Incidents and households of each grid, on one index.
    near
        Which grids are neighbours, in the same order.
    rules, permutations, chance
        See `hot_spots`.

    Returns
    -------
    DataFrame
        On that index: `expected`, `rate` (per 100 households), `n_near` (neighbours that were compared), `n_around` and `expected_around` (with
        those), `p`, `q` (of the grid by itself where `is_alone`, else with its neighbours: the less likely of the two),
        `class`, `beside` (`hot` or `cold`: only with its neighbours, not by itself; else null). NaN where it cannot be told.

    Raises
    ------
    ValueError
        If counts or households are no whole numbers of at least 0.
    """
    found = hot_spots(counts, homes, near, rules=rules, permutations=permutations, rng=chance).table
    told = found["expected"].notna().to_numpy()
    compared = near.part(told)
    n_around, expected_around = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    for column, values in ((n_around, counts), (expected_around, found["expected"])):
        inside = values.to_numpy(dtype=float)[told]
        column[told] = compared.around(inside) + inside
    n_near = np.zeros(len(counts), dtype=int)
    n_near[told] = compared.n_near
    is_alone = found["own_p"] < found["gi_p"]
    only_beside = (found["class"] == NOTHING) & (found["gi_q"] <= rules.alpha)
    return pd.DataFrame(
        {
            "expected": found["expected"],
            "rate": found["rate"],
            "n_near": n_near,
            "n_around": n_around,
            "expected_around": expected_around,
            "p": found["gi_p"].where(~is_alone, found["own_p"]),
            "q": found["gi_q"].where(~is_alone, found["own_q"]),
            "is_alone": is_alone,
            "class": found["class"],
            "beside": pd.Series(np.where(n_around > expected_around, HOT, COLD), index=counts.index).where(
                only_beside, None
            ),
        },
        index=counts.index,
    )
