"""Chances of counts, from `scipy.special`: the frames of `scipy.stats` cost each start of the program half a second and 50 MB."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]


def normal_beyond(z: Floats | float) -> Floats:
    """Return the chance of a standard normal number above `z`."""
    return np.asarray(special.ndtr(-np.asarray(z, dtype=float)))


def binomial_at_most(counts: Floats, total: int, shares: Floats) -> Floats:
    """Return the chance of at most so many of a total, each with a share from 0 to 1."""
    counts = np.asarray(counts, dtype=float)
    return np.where(counts < 0, 0.0, special.bdtr(np.clip(counts, 0, total), total, shares))


def binomial_at_least(counts: Floats, total: int, shares: Floats) -> Floats:
    """Return the chance of at least so many of a total, each with a share from 0 to 1."""
    counts = np.asarray(counts, dtype=float)
    beyond = special.bdtrc(np.clip(counts - 1, 0, total), total, shares)
    return np.where(counts <= 0, 1.0, np.where(counts > total, 0.0, beyond))


def poisson_at_most(counts: Floats, means: Floats) -> Floats:
    """Return the chance of at most so many where `means` are expected."""
    counts = np.asarray(counts, dtype=float)
    return np.where(counts < 0, 0.0, special.pdtr(np.maximum(counts, 0), means))


def negative_binomial_at_most(counts: Floats, size: Floats, chance: Floats) -> Floats:
    """Return the chance of at most so many failures before `size` successes of this chance; `size` need not be whole."""
    counts = np.floor(np.asarray(counts, dtype=float))
    return np.where(counts < 0, 0.0, special.betainc(size, np.maximum(counts, 0) + 1, chance))


def poisson_quantile(wanted: float, means: Floats) -> Floats:
    """Return the smallest count that at least a share `wanted` of counts does not exceed."""
    guess = np.ceil(special.pdtrik(wanted, np.maximum(means, np.finfo(float).tiny)))
    return _smallest(wanted, guess, lambda counts: poisson_at_most(counts, means))


def negative_binomial_quantile(wanted: float, size: Floats, chance: Floats) -> Floats:
    """Return the smallest count that at least a share `wanted` of counts does not exceed."""
    guess = np.ceil(special.nbdtrik(wanted, size, chance))
    return _smallest(wanted, guess, lambda counts: negative_binomial_at_most(counts, size, chance))


def _smallest(wanted: float, guess: Floats, at_most: Callable[[Floats], Floats]) -> Floats:
    """Return the smallest whole count that reaches a chance, from a guess that rounding may have put one beside."""
    count = np.maximum(np.nan_to_num(guess, nan=0.0), 0.0)
    while np.any(lower := (count > 0) & (at_most(count - 1) >= wanted)):
        count = np.where(lower, count - 1, count)
    while np.any(higher := at_most(count) < wanted):
        count = np.where(higher, count + 1, count)
    return count
