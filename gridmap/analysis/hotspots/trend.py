"""Whether a place gets better or worse over months: Mann-Kendall, exact also with ties, and what a trend is called."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis.chances import normal_beyond
from gridmap.analysis.hotspots.find import HOT, TOO_FEW, Rules
from gridmap.analysis.hotspots.near import Near
from gridmap.analysis.hotspots.rates import false_discovery

EMERGING, FADING, PERSISTENT, SPORADIC, STEADY = "emerging", "fading", "persistent", "sporadic", "steady"
_EXACT_UP_TO = 40

Floats = npt.NDArray[np.float64]


def mann_kendall(series: Floats) -> tuple[int, float]:
    """Mann-Kendall: whether a series rises or falls, with its p, two-sided.

    Parameters
    ----------
    series
        One value a month, in order; NaN months are left out.

    Returns
    -------
    (S, p)
        S = pairs that rise - pairs that fall. p exact up to 40 values, ties included; by the normal distribution with the
        variance corrected for ties and the continuity correction beyond. p is 1 where all values are equal.

    Notes
    -----
    Mann (1945), Nonparametric tests against trend, Econometrica 13, 245-259; Kendall (1975), Rank Correlation Methods. With
    ties the exact distribution is that of the inversions of a multiset: MacMahon's q-multinomial coefficient.
    """
    known = series[~np.isnan(series)]
    s, n = _rising_less_falling(known), len(known)
    _, sizes = np.unique(known, return_counts=True)
    if len(sizes) <= 1:
        return 0, 1.0
    if n <= _EXACT_UP_TO:
        return s, _exact_p(abs(s), tuple(sorted(sizes.tolist())))
    return s, _normal_p(s, _variance(known))


def seasonal_mann_kendall(series: Floats, *, season: int) -> tuple[int, float]:
    """Mann-Kendall within each season, added up: a rise from January to July is no trend.

    Parameters
    ----------
    series
        One value a month, in order; NaN months are left out.
    season
        Length of a year: 12 for months.

    Returns
    -------
    (S, p)
        By the normal distribution; p is 1 where nothing can be compared.

    Raises
    ------
    ValueError
        If the season is shorter than 1.

    Notes
    -----
    Hirsch, Slack and Smith (1982), Techniques of trend analysis for monthly water quality data, Water Resources Research 18.
    """
    if season < 1:
        raise ValueError(f"`season` must be at least 1, got {season}.")
    parts = [series[month::season] for month in range(min(season, len(series)))]
    parts = [part[~np.isnan(part)] for part in parts]
    s = sum(_rising_less_falling(part) for part in parts)
    return s, _normal_p(s, sum(_variance(part) for part in parts))


def trends(
    monthly: pd.DataFrame,
    households: pd.Series,
    near: Near,
    classes: pd.Series,
    *,
    rules: Rules,
    min_months: int,
    persistent_share: float,
) -> pd.DataFrame:
    """Say of each grid whether it gets hotter, stays hot, is hot now and then, or cools down.

    Parameters
    ----------
    monthly
        Index the grid, one column a month in order, incidents.
    households
        Households of each grid, same index.
    near
        Neighbours, in the order of the index.
    classes
        `class` of `hot_spots` over the whole span, same index.
    rules
        As for `hot_spots`; `alpha` holds for the trends together.
    min_months
        With fewer months that have incidents, nothing is said.
    persistent_share
        A hot grid is persistent if it has more than its share in at least this share of the months, 0 to 1.

    Returns
    -------
    DataFrame
        On the index: `trend_s` (float), `trend_p`, `trend_q`, `trend`: `emerging` (rising, more than its share in the later
        half of the months), `fading` (falling, more than its share in the earlier half), `persistent`, `sporadic` (hot, but in
        few months), `steady` (nothing of it), `too few to say`.

    Raises
    ------
    ValueError
        If the indexes differ or a number lies outside its range.

    Notes
    -----
    A month counts as the excess of the grid and its neighbours over their share of the township's incidents in that month, in
    standard deviations. So what the whole township has in common, a season or a new way of reporting, is no trend.
    Rule: docs/kpi.md, "trend".
    """
    if not (monthly.index.equals(households.index) and monthly.index.equals(classes.index)):
        raise ValueError("`monthly`, `households` and `classes` must be of the same grids, in the same order.")
    if not 0 <= persistent_share <= 1 or min_months < 1:
        raise ValueError(
            "`persistent_share` must lie between 0 and 1 and `min_months` be at least 1, "
            f"got {persistent_share} and {min_months}."
        )
    excess = _excess(monthly.to_numpy(dtype=float), households.to_numpy(dtype=float), near)
    names = classes.to_numpy(dtype=object)
    table = pd.DataFrame({"trend_s": np.nan, "trend_p": np.nan}, index=monthly.index)
    is_told = (names != TOO_FEW) & (excess.shape[1] >= min_months) & ~np.isnan(excess).any(axis=1)
    tested = [mann_kendall(row) for row in excess[is_told]]
    table.loc[is_told, "trend_s"] = [float(s) for s, _ in tested]
    table.loc[is_told, "trend_p"] = [p for _, p in tested]
    table["trend_q"] = false_discovery(table["trend_p"].to_numpy())
    found = (table["trend_q"] <= rules.alpha).to_numpy()
    rising = (table["trend_s"] > 0).to_numpy()
    half = (excess.shape[1] + 1) // 2
    earlier, later = (
        part.mean(axis=1) if part.size else np.zeros(len(excess)) for part in (excess[:, :half], excess[:, -half:])
    )
    often = (excess > 0).mean(axis=1) >= persistent_share if excess.shape[1] else np.zeros(len(excess), dtype=bool)
    called = np.full(len(names), STEADY, dtype=object)
    called[names == HOT] = np.where(often[names == HOT], PERSISTENT, SPORADIC)
    called[found & rising & (later > 0)] = EMERGING
    called[found & ~rising & (earlier > 0)] = FADING
    called[~is_told] = TOO_FEW
    table["trend"] = called
    return table


def _excess(monthly: Floats, households: Floats, near: Near) -> Floats:
    """Return, by grid and month with incidents, how far a grid and its neighbours lie above their share."""
    compared = households > 0
    inside = near.part(compared)
    counts = monthly[compared]
    counts = counts[:, counts.sum(axis=0) > 0]
    share = households[compared] / households.sum()
    share = np.minimum(inside.around(share) + share, 1.0)[:, None]
    totals = counts.sum(axis=0)
    spread = np.sqrt(totals * share * (1 - share))
    above = inside.around(counts) + counts - totals * share
    excess = np.full((len(monthly), counts.shape[1]), np.nan)
    excess[compared] = np.divide(above, spread, out=np.zeros_like(above), where=spread > 0)
    return excess


def _rising_less_falling(values: Floats) -> int:
    return int(np.sign(np.subtract.outer(values, values))[np.tril_indices(len(values), -1)].sum())


def _variance(values: Floats) -> float:
    _, sizes = np.unique(values, return_counts=True)

    def term(n: npt.NDArray[np.int64] | int) -> npt.NDArray[np.int64] | int:
        return n * (n - 1) * (2 * n + 5)

    return float(term(len(values)) - np.sum(term(sizes))) / 18


def _normal_p(s: int, variance: float) -> float:
    if not variance > 0:
        return 1.0
    return float(2 * normal_beyond(max(abs(s) - 1, 0) / np.sqrt(variance)))


@cache
def _exact_p(s: int, sizes: tuple[int, ...]) -> float:
    """Return the chance of an S as far from 0, when groups of so many values are equal."""
    n = sum(sizes)
    # Ways to put the values in order, by inversions: [n]! / Π [size]! in q, in whole numbers.
    ways = [1]
    for k in range(2, n + 1):
        ways = _times(ways, k)
    for size in sizes:
        for k in range(2, size + 1):
            ways = _divided(ways, k)
    # S = pairs - 2 inversions, and the distribution is symmetric.
    n_pairs = len(ways) - 1
    tail = sum(ways[: (n_pairs - s) // 2 + 1])
    return min(1.0, 2 * tail / sum(ways))


def _times(ways: list[int], k: int) -> list[int]:
    """Multiply by 1 + q + … + q^(k-1)."""
    sums, running = [], 0
    for at in range(len(ways) + k - 1):
        running += ways[at] if at < len(ways) else 0
        running -= ways[at - k] if at >= k else 0
        sums.append(running)
    return sums


def _divided(ways: list[int], k: int) -> list[int]:
    """Divide by 1 + q + … + q^(k-1); goes without a rest."""
    quotient: list[int] = []
    for at in range(len(ways) - k + 1):
        quotient.append(ways[at] - sum(quotient[max(0, at - k + 1) : at]))
    return quotient
