"""Counts against households: expected counts, standardised rates, and how unlikely a count is."""

import numpy as np
import numpy.typing as npt

from gridmap.analysis.chances import binomial_at_least, binomial_at_most

Floats = npt.NDArray[np.float64]


def standardised_rates(counts: Floats, households: Floats) -> Floats:
    """Rates freed of the noise of small grids: the empirical Bayes standardisation.

    Parameters
    ----------
    counts
        Incidents of each grid, or a row of them a map.
    households
        Households of each grid, all above 0.

    Returns
    -------
    array
        (rate - mean rate) / its standard deviation under that mean; 0 everywhere without incidents.

    Notes
    -----
    With b = Σ counts / Σ households, s² = Σ households (rate - b)² / Σ households and a = s² - b / mean households, the
    variance of a rate is a + b / households, or b / households where that is negative. Assunção and Reis (1999), A new
    proposal to adjust Moran's I for population density, Statistics in Medicine 18, 2147-2162.
    """
    rates = counts / households
    mean = counts.sum(axis=-1, keepdims=True) / households.sum()
    between = (households * (rates - mean) ** 2).sum(
        axis=-1, keepdims=True
    ) / households.sum() - mean / households.mean()
    variance = between + mean / households
    variance = np.where(variance < 0, mean / households, variance)
    standardised: Floats = np.divide(rates - mean, np.sqrt(variance), out=np.zeros_like(rates), where=variance > 0)
    return standardised


def chance_of(counts: Floats, shares: Floats, *, total: int) -> Floats:
    """How often chance alone gives a count that is as far out: exact, two-sided.

    Parameters
    ----------
    counts
        Incidents observed in each place (a grid, a grid with its neighbours).
    shares
        Share of all households that live there, 0 to 1.
    total
        All incidents.

    Returns
    -------
    array
        Twice the smaller tail of the binomial distribution, at most 1.

    Notes
    -----
    If every household were as likely to be the place of an incident (constant risk), the count in a place is binomial
    given the total. No normal approximation, so small counts are judged as they are; since counts are discrete the true
    level lies below the stated one. Waller and Gotway (2004), Applied Spatial Statistics for Public Health Data, ch. 6-7.
    """
    # Shares that add up to all households may exceed 1 by a rounding.
    shares = np.clip(shares, 0, 1)
    few = binomial_at_most(counts, total, shares)
    many = binomial_at_least(counts, total, shares)
    twice: Floats = np.minimum(1.0, 2 * np.minimum(few, many))
    return twice


def false_discovery(chances: Floats) -> Floats:
    """p-values corrected for many tests: the smallest level at which each would be found.

    Parameters
    ----------
    chances
        p-values; NaN where nothing was tested, and so not counted.

    Returns
    -------
    array
        q-values, NaN where nothing was tested.

    Notes
    -----
    Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57, 289-300. When there is nothing to be
    found at all, the share of maps with any finding at `q <= alpha` is at most alpha.
    """
    corrected = np.full(len(chances), np.nan)
    tested = np.flatnonzero(~np.isnan(chances))
    order = tested[np.argsort(chances[tested], kind="stable")]
    scaled = chances[order] * len(order) / np.arange(1, len(order) + 1)
    corrected[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return corrected
