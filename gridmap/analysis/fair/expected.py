"""What each grid may be expected to carry, as the other grids let expect of one like it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize

Floats = npt.NDArray[np.float64]

# One standard deviation of a factor seldom changes the load by more than a factor e (two of these).
_SLOPE_SPREAD = 0.5
# Holds the level only where there is nothing that could.
_LEVEL_SPREAD = 3.0
# Four of the sample township's 34 grids are hot spots: tenths, as usual, would let them excuse each other.
_WINSORISED = 0.2
# Variance of a standard normal variable whose outer fifths are drawn in to its first and last quintile.
_WINSORISED_VARIANCE = 0.4120867
_ROUNDS, _MOST_DISPERSION, _STEP_ENOUGH = 60, 20.0, 1e-9
_MOST_STEP = 2.0
_MOST_CELLS = 2_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Expected:
    """What each grid may be expected to carry.

    Parameters
    ----------
    table
        On the grids' index: `expected` (what the other grids let expect), `variance` (of its logarithm: the other grids do
        not know it exactly). NaN without households, and where there is no other grid.
    effects
        By factor: how many times the load is with one standard deviation more of it, shrunk towards 1.
    dispersion
        Variance of the grids' true rates around the model, as a share of their square; 0: pure chance explains all.
    """

    table: pd.DataFrame
    effects: pd.Series
    dispersion: float


def expected_load(
    actual: pd.Series, households: pd.Series, factors: Mapping[str, pd.Series], *, past: pd.Series | None = None
) -> Expected:
    """Say what each grid may be expected to carry for its households and other factors.

    A negative binomial model, log expected = log (households × past ratio) + level + Σ effect × factor. Each grid is measured by a
    model of the *other* grids: none sets its own standard.

    Parameters
    ----------
    actual
        Incidents of each grid: whole numbers of at least 0.
    households
        Same index; finite, at least 0. Without any a grid is left out.
    factors
        What else explains a load, per household and on a scale on which effects multiply (`per_household`); same index,
        finite where there are households. Standardised here; a factor that is the same everywhere says nothing.
    past
        How many times the usual rate each grid had before (`past_ratio`), same index, above 0; None: not asked. It counts in
        full: it is shrunken already, and an effect learned from ordinary grids would be stretched too far for the extreme.

    Returns
    -------
    Expected
        The expected load does not add up to the actual one: it is the other grids' judgement of each.

    Raises
    ------
    ValueError
        If the indexes differ, a number lies outside its range, or no grid has households.

    Notes
    -----
    Effects have a normal prior around none with a standard deviation of 0.5, so that 34 grids suffice; the dispersion solves Pearson's
    equation over residuals winsorised at their outer fifths, so that a few exceptional grids do not excuse themselves
    (Spiegelhalter 2005, Statistics in Medicine 24, 1185-1202). Formula: docs/kpi.md, "fair workload".
    """
    counts, homes, design = _checked(actual, households, factors)
    exposure = homes * _past(past, homes, actual.index)
    compared = homes > 0
    table = pd.DataFrame({"expected": np.nan, "variance": np.nan}, index=actual.index)
    model = _Model(counts[compared], exposure[compared], design[compared])
    level, dispersion = model.fitted()
    if compared.sum() > 1:
        table.loc[compared, ["expected", "variance"]] = np.column_stack(model.by_the_others(level, dispersion))
    return Expected(
        table=table, effects=pd.Series(np.exp(level[1:]), index=list(factors), dtype=float), dispersion=dispersion
    )


def per_household(amounts: pd.Series, households: pd.Series) -> pd.Series:
    """Return log(1 + amount ÷ households) as a factor: path metres, visits due. NaN without households.

    Raises
    ------
    ValueError
        If an amount is not a finite number of at least 0.
    """
    require_amounts("amounts", amounts.to_numpy(dtype=float))
    return (amounts.astype(float) / households.where(households > 0)).map(np.log1p)


def require_amounts(name: str, numbers: npt.NDArray[np.floating], *, whole: bool = False) -> None:
    """Refuse what is no amount: not finite, below 0, or, where `whole`, broken.

    Raises
    ------
    ValueError
        Names the first one at fault.
    """
    sound = np.isfinite(numbers) & (numbers >= 0)
    if whole:
        sound &= np.floor(numbers) == numbers
    if not sound.all():
        kind = "whole numbers" if whole else "finite numbers"
        raise ValueError(f"`{name}` must be {kind} of at least 0, got {numbers[int(np.argmin(sound))]:g}.")


def _checked(
    actual: pd.Series, households: pd.Series, factors: Mapping[str, pd.Series]
) -> tuple[Floats, Floats, Floats]:
    if not all(one.index.equals(actual.index) for one in (households, *factors.values())):
        raise ValueError("`actual`, `households` and `factors` must be of the same grids, in the same order.")
    counts, homes = actual.to_numpy(dtype=float), households.to_numpy(dtype=float)
    require_amounts("actual", counts, whole=True)
    require_amounts("households", homes)
    if not (homes > 0).any():
        raise ValueError("`households` must be above 0 in at least one grid.")
    columns = [np.ones(len(counts))]
    for name, factor in factors.items():
        values = factor.to_numpy(dtype=float)
        inside = values[homes > 0]
        if not np.isfinite(inside).all():
            raise ValueError(f"`{name}` must be finite wherever there are households.")
        spread = inside.std()
        known = np.where(homes > 0, values, inside.mean())
        # A spread of rounding errors is none.
        is_same = spread <= 1e-9 * max(1.0, float(np.abs(inside).max()))
        columns.append(np.zeros(len(counts)) if is_same else (known - inside.mean()) / spread)
    return counts, homes, np.column_stack(columns)


def _past(past: pd.Series | None, homes: Floats, grids: pd.Index) -> Floats:
    if past is None:
        return np.ones(len(homes))
    if not past.index.equals(grids):
        raise ValueError("`past` must be of the same grids, in the same order.")
    ratios = past.to_numpy(dtype=float)
    if not (np.isfinite(ratios[homes > 0]) & (ratios[homes > 0] > 0)).all():
        raise ValueError("`past` must be above 0 wherever there are households.")
    return np.where(homes > 0, ratios, 1.0)


class _Model:
    """The grids that are compared, and the penalised likelihood of a model of them."""

    def __init__(self, counts: Floats, exposure: Floats, design: Floats) -> None:
        self.counts, self.exposure, self.design = counts, exposure, design
        n_factors = design.shape[1]
        self.centre = np.zeros(n_factors)
        self.centre[0] = np.log((counts.sum() + 0.5) / exposure.sum())
        self.penalty = np.full(n_factors, _SLOPE_SPREAD**-2)
        self.penalty[0] = _LEVEL_SPREAD**-2

    def fitted(self) -> tuple[Floats, float]:
        """Return level and effects, and the dispersion: each given the other, until neither moves."""
        everybody = np.ones((1, len(self.counts)))
        dispersion, effects = 0.0, self.centre[None, :]
        for _ in range(_ROUNDS):
            effects, _ = self._solved(everybody, effects, dispersion)
            found = self._dispersion(self._means(effects)[0])
            moved, dispersion = abs(found - dispersion), found
            if moved < _STEP_ENOUGH:
                break
        effects, _ = self._solved(everybody, effects, dispersion)
        return effects[0], dispersion

    def by_the_others(self, effects: Floats, dispersion: float) -> tuple[Floats, Floats]:
        """Return what the other grids let expect of each, and the variance of its logarithm."""
        n = len(self.counts)
        mean, variance = np.empty(n), np.empty(n)
        for some in np.array_split(np.arange(n), -(-n * n // _MOST_CELLS)):
            others = np.ones((len(some), n))
            others[np.arange(len(some)), some] = 0.0
            start = np.repeat(effects[None, :], len(some), axis=0)
            found, information = self._solved(others, start, dispersion)
            own = self.design[some]
            mean[some] = self.exposure[some] * np.exp((own * found).sum(axis=1))
            variance[some] = (own * np.linalg.solve(information, own[:, :, None])[:, :, 0]).sum(axis=1)
        return mean, variance

    def _means(self, effects: Floats) -> Floats:
        means: Floats = self.exposure * np.exp(effects @ self.design.T)
        return means

    def _solved(self, included: Floats, effects: Floats, dispersion: float) -> tuple[Floats, Floats]:
        """Solve many fits at once by Fisher scoring: one row a fit, 1 for each grid that takes part in it."""
        information = np.empty((len(included), len(self.penalty), len(self.penalty)))
        for _ in range(_ROUNDS):
            means = self._means(effects)
            weight = included / (1 + dispersion * means)
            gradient = (weight * (self.counts - means)) @ self.design - self.penalty * (effects - self.centre)
            weighted = (weight * means)[:, None, :] * self.design.T
            information = weighted @ self.design + np.diag(self.penalty)
            step = np.linalg.solve(information, gradient[:, :, None])[:, :, 0]
            effects = effects + np.clip(step, -_MOST_STEP, _MOST_STEP)
            if np.abs(step).max() < _STEP_ENOUGH:
                break
        return effects, information

    def _dispersion(self, means: Floats) -> float:
        """Return the dispersion at which the winsorised Pearson residuals are as large as chance makes them."""
        n, n_telling = len(means), int(self.design.any(axis=0).sum())
        free = n - min(n_telling, n - 1)

        def excess(dispersion: float) -> float:
            residuals = (self.counts - means) / np.sqrt(means + dispersion * means**2)
            low, high = np.quantile(residuals, [_WINSORISED, 1 - _WINSORISED])
            drawn_in = (np.clip(residuals, low, high) ** 2).sum() / _WINSORISED_VARIANCE
            return float(drawn_in - free)

        if excess(0.0) <= 0:
            return 0.0
        if excess(_MOST_DISPERSION) >= 0:
            return _MOST_DISPERSION
        return float(optimize.brentq(excess, 0.0, _MOST_DISPERSION, xtol=_STEP_ENOUGH))
