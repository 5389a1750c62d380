"""Hot and cold grids: each with its neighbours against what their households let expect, corrected for many tests."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import xlogy

from gridmap.analysis.hotspots.local import getis_ord, local_moran, permuted_chances, quadrants
from gridmap.analysis.hotspots.near import Near
from gridmap.analysis.hotspots.overall import Overall, overall
from gridmap.analysis.hotspots.rates import chance_of, false_discovery, standardised_rates

HOT, COLD, NOTHING, TOO_FEW = "hot", "cold", "not significant", "too few to say"
_MOST_SIMULATIONS = 999

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class HotSpots:
    """Which grids are hot or cold.

    Parameters
    ----------
    table
        One row a grid, on its index; see `hot_spots`.
    overall
        The map as a whole.
    n_points, n_households
        Of the grids with households, which are the ones compared.
    """

    table: pd.DataFrame
    overall: Overall
    n_points: int
    n_households: float


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a grid is called hot, cold, or too small to be judged.

    Parameters
    ----------
    alpha
        Share of false findings among the findings that is accepted; of maps with nothing to find, at most this share has
        a finding. Above 0, below 1.
    min_households
        A grid with fewer is too few to say, whatever happened there. At least 1.
    min_expected
        A grid that is neither hot nor cold is too few to say if it and its neighbours together had fewer incidents to
        expect: then even none at all, or twice as many, would have proved nothing. At least 0.

    Raises
    ------
    ValueError
        If a number lies outside its range.
    """

    alpha: float
    min_households: float
    min_expected: float

    def __post_init__(self) -> None:
        """Refuse what makes no rule."""
        if not 0 < self.alpha < 1:
            raise ValueError(f"`alpha` must lie between 0 and 1, got {self.alpha}.")
        if not 1 <= self.min_households < np.inf:
            raise ValueError(f"`min_households` must be at least 1, got {self.min_households}.")
        if not 0 <= self.min_expected < np.inf:
            raise ValueError(f"`min_expected` must be at least 0, got {self.min_expected}.")


def hot_spots(
    counts: pd.Series, households: pd.Series, near: Near, *, rules: Rules, permutations: int, rng: np.random.Generator
) -> HotSpots:
    """Find the grids where more, or less, happens than their households let expect.

    Parameters
    ----------
    counts
        Incidents of each grid, whole numbers of at least 0.
    households
        Households of each, same index, finite, at least 0. Grids without any cannot be compared: they are too few to say and
        nobody's neighbours.
    near
        Neighbours, in the order of the index.
    rules
        When a grid is called what.
    permutations
        Draws for the permutation p-values; at least 1.
    rng
        Where chance comes from.

    Returns
    -------
    HotSpots
        `table` on the index of `counts`: `n_points`, `expected` (all incidents by the share of households), `rate` (per 100
        households), `gi_z` (Gi* of the standardised rates), `gi_p` (exact, of the count of the grid with its neighbours),
        `gi_q` (corrected), `own_p`, `own_q` (the same of the grid by itself; `gi_q` and `own_q` are corrected together), `moran_i`, `moran_z` (of the standardised rates), `moran_p` (conditional
        permutation, which is Gi*'s too), `moran_q`, `moran_type`, `class`. NaN or null where a grid has no households.

    Raises
    ------
    ValueError
        If the indexes differ, a number lies outside its range, no grid has households, or the neighbours are of other grids.

    Notes
    -----
    A grid is hot if it has more than its share and more than chance gives: by itself (`own_q` ≤ alpha); or together with its
    neighbours (`gi_q` ≤ alpha), where its own count is likelier at their common rate than at the township's. So a quiet or
    usual grid beside a loud one is not hot, and a loud one among quiet ones is not hidden by them. Cold likewise. Rule and
    origin: docs/kpi.md, "hot spots".
    """
    if not counts.index.equals(households.index) or len(near) != len(counts):
        raise ValueError("`counts`, `households` and `near` must be of the same grids, in the same order.")
    numbers, homes = counts.to_numpy(dtype=float), households.to_numpy(dtype=float)
    if not (np.isfinite(homes) & (homes >= 0)).all():
        raise ValueError("`households` must be finite and at least 0.")
    if not (homes > 0).any():
        raise ValueError("`households` must be above 0 in at least one grid.")
    if not (np.isfinite(numbers) & (numbers >= 0) & (numbers == np.floor(numbers))).all():
        raise ValueError("`counts` must be whole numbers of at least 0.")
    compared = homes > 0
    table = pd.DataFrame(index=counts.index)
    table["n_points"] = numbers.astype(np.int64)
    inside = _compared(
        numbers[compared], homes[compared], near.part(compared), rules=rules, permutations=permutations, rng=rng
    )
    for name, values in inside.items():
        whole = np.full(len(table), TOO_FEW if name == "class" else None if values.dtype == object else np.nan)
        whole = whole.astype(values.dtype)
        whole[compared] = values
        table[name] = whole
    return HotSpots(
        table=table,
        overall=overall(
            numbers[compared],
            homes[compared],
            near.part(compared),
            simulations=min(permutations, _MOST_SIMULATIONS),
            rng=rng,
        ),
        n_points=int(numbers[compared].sum()),
        n_households=float(homes.sum()),
    )


def _compared(
    counts: Floats, homes: Floats, near: Near, *, rules: Rules, permutations: int, rng: np.random.Generator
) -> dict[str, Floats | npt.NDArray[np.object_]]:
    """Return the columns of the grids that have households."""
    total, share = int(counts.sum()), homes / homes.sum()
    expected = total * share
    share_around = near.around(share) + share
    around, expected_around = near.around(counts) + counts, total * share_around
    values = standardised_rates(counts, homes)
    gi, like = getis_ord(values, near), local_moran(values, near)
    permuted = permuted_chances(values, near, permutations=permutations, rng=rng)
    chance = chance_of(around, share_around, total=total)
    alone = chance_of(counts, share, total=total)
    # Both questions are asked of every grid, so both are among the tests that are corrected for.
    q, alone_q = np.split(false_discovery(np.concatenate([chance, alone])), 2)
    more = around > expected_around
    found = (q <= rules.alpha) & _like_around(
        counts, expected, around / expected_around if total else np.ones_like(around)
    )
    found_alone = alone_q <= rules.alpha
    called = np.full(len(counts), NOTHING, dtype=object)
    called[expected_around < rules.min_expected] = TOO_FEW
    called[(found_alone | (found & more)) & (counts > expected)] = HOT
    called[(found_alone | (found & ~more)) & (counts < expected)] = COLD
    called[homes < rules.min_households] = TOO_FEW
    return {
        "expected": expected,
        "rate": 100 * counts / homes,
        "gi_z": gi.z,
        "gi_p": chance,
        "gi_q": q,
        "own_p": alone,
        "own_q": alone_q,
        "moran_i": like.value,
        "moran_z": like.z,
        "moran_p": permuted,
        "moran_q": false_discovery(permuted),
        "moran_type": quadrants(values, near),
        "class": called,
    }


def _like_around(counts: Floats, expected: Floats, ratio: Floats) -> npt.NDArray[np.bool_]:
    """Say where a count is likelier (Poisson) at the rate of the grid with its neighbours than at the township's."""
    gain: Floats = xlogy(counts, ratio) - expected * (ratio - 1)
    return gain > 0
