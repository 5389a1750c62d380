"""Local statistics of neighbourhoods: Getis-Ord Gi* and local Moran, analytic and by conditional permutation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridmap.analysis.chances import normal_beyond
from gridmap.analysis.hotspots.near import Near

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
_MOST_AT_ONCE = 4_000_000
_ROUNDING, _NO_SPREAD = 1e-12, 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Local:
    """A local statistic.

    Parameters
    ----------
    value
        Of each grid.
    z
        Its distance from what is expected, in standard deviations; NaN where there is no spread.
    p
        Of `z`, two-sided, by the normal distribution.
    """

    value: Floats
    z: Floats
    p: Floats


def getis_ord(values: Floats, near: Near) -> Local:
    """Getis-Ord Gi*: how far the sum over a grid and its neighbours is from what chance gives.

    Parameters
    ----------
    values
        One a grid, finite.
    near
        Neighbours.

    Returns
    -------
    Local
        `value` = sum over the grid and its neighbours.

    Notes
    -----
    z = (Σ wx - W x̄) / (s √((n W - W²) / (n - 1))), w = 1 for the grid and its neighbours, W = their number, s² with n below.
    Ord and Getis (1995), Local spatial autocorrelation statistics, Geographical Analysis 27, 286-306, eq. 6. Other weights that
    are equal inside each neighbourhood give the same z. Equal to `esda.G_Local(star=True)`.
    """
    n, size = len(values), near.n_near + 1.0
    summed = near.around(values) + values
    spread = np.sqrt(values.var() * size * (n - size) / max(n - 1, 1))
    return _local(summed, summed - size * values.mean(), spread)


def local_moran(values: Floats, near: Near) -> Local:
    """Local Moran: how far a grid is like its neighbours, or unlike them.

    Parameters
    ----------
    values
        One a grid, finite.
    near
        Neighbours; a grid without any has the value 0 and no z.

    Returns
    -------
    Local
        `value` = z_i × mean of the neighbours' z, times (n - 1) / n.

    Notes
    -----
    Moments under conditional randomisation: Sokal, Oden and Thomson (1998), Local spatial autocorrelation in a biological
    model, Geographical Analysis 30, 331-354, eq. A7 and A8. Anselin (1995), Local indicators of spatial association. Equal to
    `esda.Moran_Local` (`Is`, `EIc`, `VIc`) with row-standardised weights.
    """
    n = len(values)
    z = _standardised(values)
    has_near = near.n_near > 0
    mean_around = np.divide(near.around(z), near.n_near, out=np.zeros(n), where=has_near)
    value = (n - 1) / n * z * mean_around
    expected = -(z**2) * has_near / max(n - 1, 1)
    weights_squared = np.divide(1.0, near.n_near, out=np.zeros(n), where=has_near)
    # What spread the others have without this grid; where they are all equal only a rounding is left.
    others = 1 - z**2 / max(n - 1, 1)
    others[others < _NO_SPREAD] = 0.0
    inner = (weights_squared - has_near / max(n - 1, 1)) * others
    variance = z**2 * n / max(n - 2, 1) * inner
    return _local(value, value - expected, np.sqrt(np.maximum(variance, 0)))


def quadrants(values: Floats, near: Near) -> npt.NDArray[np.object_]:
    """Return what each grid is like and what its neighbours are like: `high-high`, `low-high`, `low-low`, `high-low`."""
    z = _standardised(values)
    own, around = z > 0, near.around(z) > 0
    names = np.array(["low-low", "low-high", "high-low", "high-high"], dtype=object)
    found: npt.NDArray[np.object_] = names[2 * own + around]
    return found


def permuted_chances(values: Floats, near: Near, *, permutations: int, rng: np.random.Generator) -> Floats:
    """How often other grids, put around each grid at random, add up to as much or as little: two-sided.

    Parameters
    ----------
    values
        One a grid, finite.
    near
        Neighbours.
    permutations
        Draws; the smallest p is 2 / (permutations + 1).
    rng
        Where chance comes from.

    Returns
    -------
    array
        p of the neighbours' sum given the grid's own value; for Gi and for local Moran alike, since both grow or fall with
        that sum. NaN where a grid has no neighbours.

    Raises
    ------
    ValueError
        If there is not at least one permutation.

    Notes
    -----
    Conditional permutation (Anselin 1995): the grid keeps its value, its neighbours are drawn from all others without
    replacement. Twice the smaller of the two shares, each with the map itself counted in.
    """
    if permutations < 1:
        raise ValueError(f"`permutations` must be at least 1, got {permutations}.")
    n, most = len(values), int(near.n_near.max(initial=0))
    summed = near.around(values)
    more, less = np.zeros(n), np.zeros(n)
    # Sums of the same values in another order differ by a rounding, which must not decide.
    slip = _ROUNDING * max(float(np.abs(values).sum()), 1e-300)
    batch = max(1, _MOST_AT_ONCE // max(most, 1))
    for begun in range(0, permutations if most else 0, batch):
        drawn = _distinct(n - 1, most, min(batch, permutations - begun), rng)
        for grid in np.flatnonzero(near.n_near):
            others = np.delete(values, grid)
            sums = others[drawn[: near.n_near[grid]]].sum(axis=0)
            more[grid] += np.count_nonzero(sums >= summed[grid] - slip)
            less[grid] += np.count_nonzero(sums <= summed[grid] + slip)
    chances = np.minimum(1.0, 2 * (np.minimum(more, less) + 1) / (permutations + 1))
    chances[near.n_near == 0] = np.nan
    return chances


def _distinct(n: int, k: int, times: int, rng: np.random.Generator) -> Ints:
    """Draw k different numbers below n, `times` over; shape (k, times), any order equally likely."""
    drawn = np.empty((k, times), dtype=np.intp)
    taken = np.empty((0, times), dtype=np.intp)
    for at in range(k):
        # The rank of the new number among those not taken; stepping over the taken ones in order makes it a number.
        number = rng.integers(0, n - at, times)
        for below in taken:
            number += number >= below
        drawn[at] = number
        taken = np.sort(np.vstack([taken, number[None]]), axis=0)
    return drawn


def _standardised(values: Floats) -> Floats:
    spread = values.std()
    if not spread > _ROUNDING * np.abs(values).max(initial=0.0):
        return np.zeros_like(values)
    standardised: Floats = (values - values.mean()) / spread
    return standardised


def _local(value: Floats, distance: Floats, spread: Floats) -> Local:
    has_spread = spread > _ROUNDING * np.abs(value).max(initial=0.0)
    z = np.divide(distance, spread, out=np.full(len(value), np.nan), where=has_spread)
    return Local(value=value, z=z, p=2 * normal_beyond(np.abs(z)))
