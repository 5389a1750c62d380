"""How many incidents each grid must expect next month, with an interval that was tried on the months before."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from gridmap.analysis.chances import negative_binomial_quantile
from gridmap.analysis.fair.expected import require_amounts

Floats = npt.NDArray[np.float64]

# What is tried: how much of a month's weight the month before it keeps; how far months of one grid spread beyond chance
# (variance as a share of the square); how far grids differ (likewise).
_KEPT = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
_MONTHLY = (0.0, 0.03, 0.08, 0.15, 0.3)
_BETWEEN = (0.02, 0.1, 0.3, 0.8)
_USUAL = (0.9, 0.08, 0.1)
_LEAST_HISTORY, _LEAST_TRIED = 2, 2
_NO_SPREAD = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """Next month's incidents of each grid.

    Parameters
    ----------
    table
        On the grids' index: `forecast` (mean), `forecast_low`, `forecast_high` (whole numbers, both inside); NaN without
        households, or without any month.
    share
        Of the interval, as asked.
    n_tried, n_inside
        Forecasts of past months, each made from the months before it alone, and how many counts lay inside their interval.
    error, error_of_last_month
        Mean distance between those forecasts and the counts, and that of the count of the month before it as a forecast;
        NaN when none could be tried.
    """

    table: pd.DataFrame
    share: float
    n_tried: int
    n_inside: int
    error: float
    error_of_last_month: float

    @property
    def coverage(self) -> float:
        """Return the share of past counts that lay inside their interval; NaN when none could be tried."""
        return self.n_inside / self.n_tried if self.n_tried else float("nan")


def forecast_load(
    monthly: pd.DataFrame,
    households: pd.Series,
    *,
    days: Sequence[float],
    next_days: float,
    share: float,
    most_tried: int,
) -> Forecast:
    """Forecast the incidents of each grid for the month that comes next.

    Parameters
    ----------
    monthly
        One row a grid, one column a month, oldest first: whole numbers of at least 0. The last month may still go on.
    households
        Same index; at least 0.
    days
        Days of each month of which the incidents are known; above 0.
    next_days
        Days of the month that is forecast; above 0.
    share
        Of the interval: at least so large a share of the counts should lie in it. Above 0, below 1.
    most_tried
        So many of the newest months are forecast from those before them, to see how often the interval is right; at least 0.

    Raises
    ------
    ValueError
        If the indexes differ or a number lies outside its range.

    Notes
    -----
    Gamma-Poisson with discounting (Harvey and Fernandes 1989): a grid's rate is drawn from the township's rate per household,
    what it saw in older months counts less and less, and a month spreads around its rate. How fast months fade, how far months
    spread and how far grids differ are those of 120 combinations that would have forecast the months before best (likelihood);
    a past month is tried with the combination chosen without it. Formula: docs/kpi.md, "fair workload".
    """
    counts, homes, spans = _checked(monthly, households, days)
    if not (next_days > 0 and 0 < share < 1 and most_tried >= 0):
        raise ValueError(
            f"`next_days` must be above 0, `share` between 0 and 1 and `most_tried` at least 0, got {next_days}, {share}"
            f" and {most_tried}."
        )
    known = homes > 0
    table = pd.DataFrame(np.nan, index=monthly.index, columns=["forecast", "forecast_low", "forecast_high"])
    if not known.any() or not len(spans):
        return _untried(table, share)
    counts, homes = counts[known], homes[known]
    tried = _tried(counts, homes, spans)
    n_months = counts.shape[1]
    mean, size = _ahead(counts, homes, spans, next_days, _best(tried, n_months))
    table.loc[known, "forecast"] = mean
    table.loc[known, "forecast_low"], table.loc[known, "forecast_high"] = _interval(mean, size, share)
    first = max(n_months - most_tried, _LEAST_HISTORY + _LEAST_TRIED)
    n_inside, errors, naive = 0, [], []
    for at in range(first, n_months):
        mean, size = _ahead(counts[:, :at], homes, spans[:at], spans[at], _best(tried, at))
        low, high = _interval(mean, size, share)
        n_inside += int(((counts[:, at] >= low) & (counts[:, at] <= high)).sum())
        errors.append(np.abs(counts[:, at] - mean))
        naive.append(np.abs(counts[:, at] - counts[:, at - 1] * spans[at] / spans[at - 1]))
    if not errors:
        return _untried(table, share)
    return Forecast(
        table=table,
        share=share,
        n_tried=len(errors) * len(homes),
        n_inside=n_inside,
        error=float(np.mean(errors)),
        error_of_last_month=float(np.mean(naive)),
    )


def _untried(table: pd.DataFrame, share: float) -> Forecast:
    return Forecast(
        table=table, share=share, n_tried=0, n_inside=0, error=float("nan"), error_of_last_month=float("nan")
    )


def _checked(monthly: pd.DataFrame, households: pd.Series, days: Sequence[float]) -> tuple[Floats, Floats, Floats]:
    if not monthly.index.equals(households.index):
        raise ValueError("`monthly` and `households` must be of the same grids, in the same order.")
    spans = np.asarray(days, dtype=float)
    if len(spans) != monthly.shape[1] or not (np.isfinite(spans) & (spans > 0)).all():
        raise ValueError(f"`days` must be a number above 0 for each of {monthly.shape[1]} months.")
    counts, homes = monthly.to_numpy(dtype=float), households.to_numpy(dtype=float)
    require_amounts("monthly", counts.ravel(), whole=True)
    require_amounts("households", homes)
    return counts, homes, spans


def _ahead(
    counts: Floats, homes: Floats, spans: Floats, next_days: float, rule: tuple[float, float, float]
) -> tuple[Floats, Floats]:
    """Return mean and negative binomial size of the month after the last one."""
    kept, monthly, between = rule
    weight = kept ** np.arange(len(spans) - 1, -1, -1.0)
    seen, exposure = counts @ weight, homes * (spans @ weight)
    # Half an incident in the whole township: a rate of exactly nothing would forbid the first one.
    rate = (seen.sum() + 0.5) / exposure.sum()
    shape = seen + 1 / between
    mean = shape / (exposure + 1 / (between * rate)) * homes * next_days
    return mean, 1 / (1 / shape + monthly + _NO_SPREAD)


def _interval(mean: Floats, size: Floats, share: float) -> tuple[Floats, Floats]:
    chance = size / (size + mean)
    return (
        negative_binomial_quantile((1 - share) / 2, size, chance),
        negative_binomial_quantile((1 + share) / 2, size, chance),
    )


def _tried(counts: Floats, homes: Floats, spans: Floats) -> dict[tuple[float, float, float], Floats]:
    """Return, for each combination, the log likelihood of each month as forecast from those before it; 0 for the first ones."""
    tried: dict[tuple[float, float, float], Floats] = {}
    for rule in product(_KEPT, _MONTHLY, _BETWEEN):
        found = np.zeros(len(spans))
        for at in range(_LEAST_HISTORY, len(spans)):
            mean, size = _ahead(counts[:, :at], homes, spans[:at], spans[at], rule)
            count = counts[:, at]
            found[at] = (
                special.gammaln(count + size)
                - special.gammaln(size)
                - special.gammaln(count + 1)
                + size * np.log(size / (size + mean))
                + count * np.log(mean / (size + mean))
            ).sum()
        tried[rule] = found
    return tried


def _best(tried: dict[tuple[float, float, float], Floats], before: int) -> tuple[float, float, float]:
    """Return the combination under which the months before one are likeliest; the usual one while there are too few."""
    if before < _LEAST_HISTORY + _LEAST_TRIED:
        return _USUAL
    return max(tried, key=lambda rule: float(tried[rule][:before].sum()))
