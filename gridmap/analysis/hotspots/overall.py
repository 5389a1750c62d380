"""The map as a whole: how much more grids differ than by chance, and how far neighbours resemble each other."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridmap.analysis.hotspots.near import Near
from gridmap.analysis.hotspots.rates import standardised_rates

Floats = npt.NDArray[np.float64]
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Overall:
    """Figures of a whole map; NaN where nothing can be said.

    Parameters
    ----------
    dispersion
        Σ (count - expected)² / expected ÷ (grids - 1): 1 where every household is as likely as any other.
    dispersion_p
        How often chance alone gives as much or more.
    moran_i
        Global Moran's I of the standardised rates, row-standardised neighbours.
    moran_p
        How often chance alone gives an I as far out, two-sided.
    """

    dispersion: float
    dispersion_p: float
    moran_i: float
    moran_p: float


def moran(values: Floats, near: Near) -> Floats:
    """Global Moran's I: how far neighbours resemble each other.

    Parameters
    ----------
    values
        One a grid, or a row a map.
    near
        Neighbours; each grid's weigh the same, 1 together.

    Returns
    -------
    array
        I of each map; NaN where there is no spread or there are no neighbours. Moran (1950), Notes on continuous stochastic
        phenomena, Biometrika 37, 17-23. Equal to `esda.Moran`.
    """
    apart = values - values.mean(axis=-1, keepdims=True)
    weight = np.divide(1.0, near.n_near, out=np.zeros(len(near)), where=near.n_near > 0)
    around = near.around(apart.T).T * weight
    squares, weights = (apart**2).sum(axis=-1), np.count_nonzero(near.n_near)
    together = (apart * around).sum(axis=-1)
    has_spread = (squares > _ROUNDING * (values**2).sum(axis=-1)) & (weights > 0)
    found: Floats = np.divide(
        len(near) * together, weights * squares, out=np.full(np.shape(squares), np.nan), where=has_spread
    )
    return found


def overall(counts: Floats, households: Floats, near: Near, *, simulations: int, rng: np.random.Generator) -> Overall:
    """Judge a whole map against maps on which every household is as likely as any other.

    Parameters
    ----------
    counts
        Incidents of each grid.
    households
        Households of each, all above 0.
    near
        Neighbours.
    simulations
        Maps that are made by chance; at least 1.
    rng
        Where chance comes from.
    """
    n, total = len(counts), int(counts.sum())
    if n < 2 or total == 0:  # noqa: PLR2004  one grid differs from nobody
        return Overall(dispersion=np.nan, dispersion_p=np.nan, moran_i=np.nan, moran_p=np.nan)
    shares = households / households.sum()
    maps = np.vstack([counts, rng.multinomial(total, shares, size=simulations)])
    dispersion = ((maps - total * shares) ** 2 / (total * shares)).sum(axis=1) / (n - 1)
    likeness = moran(standardised_rates(maps, households), near)
    as_like = _share_from(likeness[1:], likeness[0])
    as_unlike = _share_from(-likeness[1:], -likeness[0])
    return Overall(
        dispersion=float(dispersion[0]),
        dispersion_p=_share_from(dispersion[1:], dispersion[0]),
        moran_i=float(likeness[0]),
        moran_p=min(1.0, 2 * min(as_like, as_unlike)) if np.isfinite(likeness[0]) else np.nan,
    )


def _share_from(simulated: Floats, observed: float) -> float:
    """Share of maps with at least the observed figure, the observed one counted in."""
    slip = _ROUNDING * max(abs(float(observed)), 1.0)
    return float((1 + np.count_nonzero(simulated >= observed - slip)) / (1 + len(simulated)))
