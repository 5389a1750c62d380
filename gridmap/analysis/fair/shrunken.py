"""Ratios that small grids cannot top by chance: actual over expected, drawn towards 1 as far as the grids are alike."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from gridmap.analysis.fair.expected import require_amounts

Floats = npt.NDArray[np.float64]

# Spread of the grids' true ratios around 1: from none that matters to 1.5, all as likely beforehand.
_SPREADS = np.linspace(0.01, 1.5, 60)
_HALVINGS = 48


def shrunken_ratios(actual: pd.Series, expected: pd.Series, *, share: float) -> pd.DataFrame:
    """Estimate the true ratio of each grid's load to the expected one, with its interval.

    Parameters
    ----------
    actual
        Whole numbers of at least 0.
    expected
        Same index; above 0, NaN: the grid cannot be compared.
    share
        Of the interval: 0.95 holds the true ratio with a chance of 95 %. Above 0, below 1.

    Returns
    -------
    DataFrame
        On the same index: `shrunken` (mean), `shrunken_low`, `shrunken_high`, `rank` (1: the largest; equal ones share the
        first), NaN where the grid cannot be compared.

    Raises
    ------
    ValueError
        If the indexes differ or a number lies outside its range.

    Notes
    -----
    Gamma-Poisson (Clayton and Kaldor 1987): the count is Poisson around expected × ratio, the ratios are gamma around 1 with a
    spread (standard deviation) that the grids themselves tell. Every spread from 0.01 to 1.5 is weighed by how well it explains
    all grids (uniform prior: Gelman 2006), so few and equal grids do not pretend that nobody differs.
    """
    if not actual.index.equals(expected.index):
        raise ValueError("`actual` and `expected` must be of the same grids, in the same order.")
    if not 0 < share < 1:
        raise ValueError(f"`share` must lie between 0 and 1, got {share}.")
    counts, means = actual.to_numpy(dtype=float), expected.to_numpy(dtype=float)
    require_amounts("actual", counts, whole=True)
    known = ~np.isnan(means)
    if not (np.isfinite(means[known]) & (means[known] > 0)).all():
        raise ValueError("`expected` must be above 0, or NaN where a grid cannot be compared.")
    table = pd.DataFrame(np.nan, index=actual.index, columns=["shrunken", "shrunken_low", "shrunken_high", "rank"])
    if not known.any():
        return table
    size = _SPREADS**-2
    weights = _weights(counts[known], means[known], size)
    shape, rate = counts[known, None] + size, means[known, None] + size
    table.loc[known, "shrunken"] = (shape / rate) @ weights
    for name, chance in (("shrunken_low", (1 - share) / 2), ("shrunken_high", (1 + share) / 2)):
        table.loc[known, name] = _quantile(shape, rate, weights, chance)
    table["rank"] = table["shrunken"].rank(ascending=False, method="min")
    return table


def _weights(counts: Floats, means: Floats, size: Floats) -> Floats:
    """Return how likely each spread is, given all grids; the counts are negative binomial under each."""
    count, mean = counts[:, None], means[:, None]
    log_likelihood = (
        special.gammaln(count + size)
        - special.gammaln(size)
        + size * np.log(size / (size + mean))
        + count * np.log(mean / (size + mean))
    ).sum(axis=0)
    likelihood = np.exp(log_likelihood - log_likelihood.max())
    weights: Floats = likelihood / likelihood.sum()
    return weights


def _quantile(shape: Floats, rate: Floats, weights: Floats, chance: float) -> Floats:
    """Return the quantile of each mixture of gamma distributions, by halving."""
    each = special.gammaincinv(shape, chance) / rate
    low, high = each.min(axis=1), each.max(axis=1)
    # Spreads that nothing speaks for need not be asked.
    kept = weights > weights.max() * 1e-9
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reached = special.gammainc(shape[:, kept], rate[:, kept] * middle[:, None]) @ weights[kept]
        under = reached < chance * weights[kept].sum()
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    middle = (low + high) / 2
    return np.asarray(middle, dtype=np.float64)


def past_ratio(before: pd.Series, households: pd.Series) -> pd.Series:
    """Return how many times the township's rate per household each grid had before, shrunken.

    Parameters
    ----------
    before
        Incidents of earlier months, whole numbers of at least 0.
    households
        Same index; at least 0.

    Returns
    -------
    Series
        On the same index, above 0; 1 everywhere when nothing happened before, NaN without households.

    Raises
    ------
    ValueError
        If a number lies outside its range or the indexes differ.
    """
    homes = households.astype(float).where(households > 0)
    require_amounts("before", before.to_numpy(dtype=float), whole=True)
    total = float(before[homes.notna()].sum())
    if total == 0:
        return homes * 0.0 + 1.0
    return pd.Series(shrunken_ratios(before, homes * (total / homes.sum()), share=0.5)["shrunken"])
