"""Who lives beyond the circle, by how much, and in which grid."""

import numpy as np
import pandas as pd

from gridmap.analysis.network.travel import SLACK_S

OUTSIDE = ("unreachable", "beyond")
"""States of homes outside; the first have no way at all."""


def with_missing(ways: pd.DataFrame, *, limit_s: float) -> pd.DataFrame:
    """Say of each home how much its way is too long.

    Parameters
    ----------
    ways
        As `analysis.network.travel.travel` gives them, searched beyond the limit.
    limit_s
        The limit of that search, seconds.

    Returns
    -------
    DataFrame
        The same rows and columns, and `missing_s` (seconds beyond the limit; 0 inside, NaN without a way) and `missing_m`: what
        is left of the way when the time is up, at the mean speed of the way.
    """
    missing_s = (ways["seconds"] - limit_s).clip(lower=0.0)
    missing_s = missing_s.mask(missing_s <= SLACK_S, 0.0)
    share = np.divide(missing_s, ways["seconds"], out=np.zeros(len(ways)), where=ways["seconds"].to_numpy() > 0)
    return ways.assign(missing_s=missing_s, missing_m=np.where(missing_s.isna(), np.nan, share * ways["walk_m"]))


def gaps_by_grid(ways: pd.DataFrame, *, grid_codes: pd.Series, weights: pd.Series | None = None) -> pd.DataFrame:
    """Count the homes outside of each grid, the worst grid first.

    Parameters
    ----------
    ways
        As `with_missing` gives them.
    grid_codes
        The grid of each home, same index; null: in none, left out.
    weights
        Residents of each home, same index; None: every home counts 1.

    Returns
    -------
    DataFrame
        Index `grid`, most weight outside first: `n_homes`, `n_reached`, `n_outside`, `n_unreachable` (of those, without any
        way), `n_unmatched` (cannot be told; the first two and this add up to all), `weight`, `weight_outside`, `outside_share`
        (of the weight that can be told; NaN where none can), `median_missing_m`, `most_missing_m` (of those with a way).
    """
    weight = pd.Series(1.0, index=ways.index) if weights is None else weights
    status, is_outside = ways["status"], ways["status"].isin(OUTSIDE)
    missing_m = ways["missing_m"].where(status == "beyond")
    by_grid = pd.DataFrame(
        {
            "n_homes": 1,
            "n_reached": (status == "reached").astype(int),
            "n_outside": is_outside.astype(int),
            "n_unreachable": (status == "unreachable").astype(int),
            "n_unmatched": (status == "unmatched").astype(int),
            "weight": weight,
            "weight_outside": weight.where(is_outside, 0.0),
            "weight_told": weight.where(status != "unmatched", 0.0),
        }
    ).groupby(grid_codes.rename("grid"))
    table = by_grid.sum()
    told = table.pop("weight_told")
    of_beyond = missing_m.groupby(grid_codes.rename("grid"))
    table["outside_share"] = (table["weight_outside"] / told).where(told > 0)
    table["median_missing_m"], table["most_missing_m"] = of_beyond.median(), of_beyond.max()
    return table.sort_values(
        ["weight_outside", "n_outside", "most_missing_m"], ascending=False, kind="stable", na_position="last"
    )
