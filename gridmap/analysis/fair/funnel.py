"""Actual over expected with its limits: how far a grid may be off by chance alone, and which are off by more."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis.chances import (
    negative_binomial_at_most,
    negative_binomial_quantile,
    poisson_at_most,
    poisson_quantile,
)
from gridmap.analysis.fair.expected import require_amounts
from gridmap.analysis.hotspots.rates import false_discovery

Floats = npt.NDArray[np.float64]

HIGHER, AS_EXPECTED, LOWER, TOO_FEW = "higher", "as expected", "lower", "too few to say"
CLASSES = (HIGHER, AS_EXPECTED, LOWER, TOO_FEW)
INNER, OUTER = 0.95, 0.998
"""The two pairs of limits that a funnel shows: two and three standard deviations."""
# Below this a negative binomial distribution is a Poisson distribution, and its size too large to compute with.
_NO_SPREAD = 1e-9


def funnel(actual: pd.Series, expected: pd.Series, variance: pd.Series, *, alpha: float) -> pd.DataFrame:
    """Compare each grid with what was expected, corrected for as many comparisons as there are grids.

    Parameters
    ----------
    actual
        Whole numbers of at least 0.
    expected
        Same index; above 0, NaN: the grid cannot be compared.
    variance
        Same index: of the true load around the expected one, as a share of its square (dispersion of the grids + what is
        not known of the expected one). At least 0.
    alpha
        Share of false findings among the findings that is accepted; where all grids are equal, at most this share of
        townships has any finding. Above 0, below 1.

    Returns
    -------
    DataFrame
        On the same index: `ratio` (actual ÷ expected), `low_95`, `high_95`, `low_998`, `high_998` (limits of the ratio, see
        `limits`), `p` (exact, two-sided), `q` (Benjamini and Hochberg over the grids), `class` (one of `CLASSES`).

    Raises
    ------
    ValueError
        If the indexes differ or a number lies outside its range.

    Notes
    -----
    The count is negative binomial (Poisson where the variance is 0); p = twice the smaller tail that holds the count itself,
    at most 1, so it errs on the side of no finding. Higher or lower: q ≤ alpha. Too few to say: neither, and even no incident at
    all would lie inside the limits of 95 %, so that the grid could not have been found low.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"`alpha` must lie between 0 and 1, got {alpha}.")
    if not (actual.index.equals(expected.index) and actual.index.equals(variance.index)):
        raise ValueError("`actual`, `expected` and `variance` must be of the same grids, in the same order.")
    counts, means, spread = (one.to_numpy(dtype=float) for one in (actual, expected, variance))
    require_amounts("actual", counts, whole=True)
    known = ~np.isnan(means)
    if not (np.isfinite(means[known]) & (means[known] > 0)).all():
        raise ValueError("`expected` must be above 0, or NaN where a grid cannot be compared.")
    require_amounts("variance", spread[known])
    p = np.full(len(counts), np.nan)
    below = cumulative(counts[known], means[known], spread[known])
    above = 1 - cumulative(counts[known] - 1, means[known], spread[known])
    p[known] = np.minimum(1.0, 2 * np.minimum(below, above))
    q = false_discovery(p)
    table = pd.DataFrame({"ratio": counts / means}, index=actual.index)
    for name, share in (("95", INNER), ("998", OUTER)):
        table[f"low_{name}"], table[f"high_{name}"] = limits(means, spread, share=share)
    table["p"], table["q"] = p, q
    found = q <= alpha
    none_is_no_wonder = cumulative(np.zeros_like(means), np.nan_to_num(means), np.nan_to_num(spread)) > (1 - INNER) / 2
    table["class"] = np.select(
        [found & (counts > means), found & (counts < means), ~known | none_is_no_wonder],
        [HIGHER, LOWER, TOO_FEW],
        default=AS_EXPECTED,
    )
    return table


def cumulative(counts: Floats, means: Floats, variance: Floats) -> Floats:
    """Return the chance of at most so many: negative binomial, Poisson where the variance is 0."""
    even = variance <= _NO_SPREAD
    size = 1 / np.where(even, 1.0, variance)
    spread: Floats = negative_binomial_at_most(counts, size, size / (size + means))
    return np.where(even, poisson_at_most(counts, means), spread)


def limits(expected: Floats, variance: Floats, *, share: float) -> tuple[Floats, Floats]:
    """Return between which ratios of actual to expected a share of equal grids lies by chance.

    Parameters
    ----------
    expected
        Above 0, or NaN.
    variance
        Of the true load, as a share of its square.
    share
        Above 0, below 1: 0.95 or 0.998.

    Returns
    -------
    tuple of arrays
        Low and high limit. Counts are whole: the limits are interpolated between the counts on either side, as in
        Spiegelhalter (2005, appendix A.1), so that their curve does not jump.
    """
    tail = (1 - share) / 2
    return _limit(expected, variance, tail), _limit(expected, variance, 1 - tail)


def _limit(means: Floats, variance: Floats, chance: float) -> Floats:
    known = ~np.isnan(means)
    found = np.full(means.shape, np.nan)
    mean, spread = means[known], np.broadcast_to(variance, means.shape)[known]
    even = spread <= _NO_SPREAD
    size = 1 / np.where(even, 1.0, spread)
    count = np.where(
        even, poisson_quantile(chance, mean), negative_binomial_quantile(chance, size, size / (size + mean))
    )
    at, before = cumulative(count, mean, spread), cumulative(count - 1, mean, spread)
    step = np.clip((at - chance) / np.maximum(at - before, np.finfo(float).tiny), 0, 1)
    found[known] = np.maximum(count - step, 0) / mean
    return found
