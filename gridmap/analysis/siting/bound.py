"""How much n sites can cover at most: prices of demand, by subgradients of the Lagrangian or by the linear program."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csc_array

from gridmap.analysis.siting.cover import Cover, Flags, Floats, Ints

_PATIENCE, _LEAST_PACE = 25, 1e-4
# Share of the last direction in the next one, and of the last rounds in how often a site is chosen.
_MEMORY, _LONG_MEMORY = 0.6, 0.98
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Prices:
    """What each demand is worth to the site that covers it, and what follows from it.

    Parameters
    ----------
    of_demand
        Price of each demand, between 0 and its weight.
    of_sites
        Sum of the prices of what each site covers.
    rest
        Weight that is left over the prices.
    """

    of_demand: Floats
    of_sites: Floats
    rest: float

    def bound(self, n_sites: int) -> float:
        """Return what no `n_sites` sites can cover more than, for any number of them."""
        if n_sites >= len(self.of_sites):
            return self.rest + float(self.of_sites.sum())
        return self.rest + float(np.partition(self.of_sites, -n_sites)[-n_sites:].sum()) if n_sites else self.rest

    def cannot_be_in(self, n_sites: int, *, best: float) -> Flags:
        """Tell which sites no better answer than the best known holds."""
        ranked = np.sort(self.of_sites)[::-1]
        slack = self.bound(n_sites) - best
        out: Flags = self.of_sites < ranked[n_sites - 1] - slack - _ROUNDING
        return out

    def must_be_in(self, n_sites: int, *, best: float) -> Flags:
        """Tell which sites every better answer than the best known holds."""
        ranked = np.sort(self.of_sites)[::-1]
        following = ranked[n_sites] if n_sites < len(ranked) else 0.0
        slack = self.bound(n_sites) - best
        held: Flags = self.of_sites > following + slack + _ROUNDING
        return held


def prices_of(cover: Cover, demand_prices: Floats) -> Prices:
    """Return what follows from prices of demand."""
    return Prices(
        of_demand=demand_prices,
        of_sites=cover.by_site @ demand_prices,
        rest=float(np.maximum(cover.weights - demand_prices, 0).sum()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Relaxed:
    """The answer where sites may be chosen in part.

    Parameters
    ----------
    prices
        The best prices met; their bound is that of the linear relaxation, or a little higher.
    shares
        How much of each site is chosen, 0 to 1, about.
    """

    prices: Prices
    shares: Floats

    def ranked(self) -> Ints:
        """Return all sites, those chosen most first, and of those not chosen the ones that are worth most."""
        order: Ints = np.lexsort((-self.prices.of_sites, -self.shares))
        return order


def by_program(cover: Cover, n_sites: int, *, seconds: float) -> Relaxed | None:
    """Solve the linear relaxation (HiGHS, dual simplex): exact, quick while the cover is small; None if it is not solved.

    Its dual is what is solved: prices of the demand, one for a site, and what a site is worth over that. There the simplex begins with
    all demand at its full price, where only the best sites are worth too much: a fifth of the steps that the relaxation itself takes.
    """
    lengths, n_all = np.diff(cover.by_demand.indptr), cover.n_sites
    # Demand of one site is never worth less than its weight.
    is_shared = lengths > 1
    own = np.bincount(
        cover.by_demand.indices[np.repeat(lengths == 1, lengths)], weights=cover.weights[lengths == 1], minlength=n_all
    )
    n_shared, rows = int(is_shared.sum()), cover.by_demand.indices[np.repeat(is_shared, lengths)]
    of_sites = np.arange(n_all, dtype=rows.dtype)
    widths = np.concatenate([[0], lengths[is_shared], [n_all], np.ones(n_all, dtype=lengths.dtype)])
    values = np.full(len(rows) + 2 * n_all, -1.0)
    values[: len(rows)] = 1.0
    columns = (values, np.concatenate([rows, of_sites, of_sites]), np.cumsum(widths).astype(rows.dtype))
    solved = linprog(
        np.concatenate([np.full(n_shared, -1.0), [n_sites], np.ones(n_all)]),
        A_ub=csc_array(columns, shape=(n_all, n_shared + 1 + n_all)),
        b_ub=-own,
        bounds=np.column_stack(
            [np.zeros(n_shared + 1 + n_all), np.concatenate([cover.weights[is_shared], np.full(1 + n_all, np.inf)])]
        ),
        method="highs-ds",
        # The cover is reduced already; presolve finds nothing and takes its time.
        options={"time_limit": seconds, "presolve": False},
    )
    if solved.status != 0:
        return None
    demand_prices = cover.weights.copy()
    demand_prices[is_shared] = np.clip(solved.x[:n_shared], 0, cover.weights[is_shared])
    return Relaxed(prices=prices_of(cover, demand_prices), shares=-solved.ineqlin.marginals)


def by_subgradients(
    cover: Cover,
    n_sites: int,
    *,
    best_weight: float,
    rounds: int,
    begun: Floats | None = None,
    is_over: Callable[[float], bool],
) -> Relaxed:
    """Lower the bound step by step, from prices that stand already or from none.

    Parameters
    ----------
    cover
        The question.
    n_sites
        How many may be chosen, fewer than there are.
    best_weight
        The most that is known to be covered.
    rounds
        At most so many.
    begun
        Prices to begin from.
    is_over
        Asked every round with the lowest bound.

    Notes
    -----
    Demand may be covered without a site if a price is paid; its sum over a site's demand is the site's value, and the n most
    valuable are taken (Galvão & ReVelle, 1996). Valid at every step, whatever the prices.
    """
    weights = cover.weights
    demand_prices = begun if begun is not None else weights / np.maximum(np.diff(cover.by_demand.indptr), 1) * 2
    demand_prices = np.clip(demand_prices, 0, weights)
    found = prices_of(cover, demand_prices)
    lowest, pace, stalled = found.bound(n_sites), 1.0, 0
    direction, shares = np.zeros(len(weights)), np.zeros(cover.n_sites)
    for _ in range(rounds):
        now = prices_of(cover, demand_prices)
        chosen = np.argpartition(now.of_sites, -n_sites)[-n_sites:]
        bound = now.rest + float(now.of_sites[chosen].sum())
        shares *= _LONG_MEMORY
        shares[chosen] += 1 - _LONG_MEMORY
        if bound < lowest - _ROUNDING:
            found, lowest, stalled = now, bound, 0
        else:
            stalled += 1
            if stalled >= _PATIENCE:
                pace, stalled, demand_prices, direction = pace / 2, 0, found.of_demand, np.zeros(len(weights))
                if pace < _LEAST_PACE:
                    break
                continue
        if is_over(lowest):
            break
        direction = cover.times_covered(chosen) - (demand_prices < weights) + _MEMORY * direction
        length = float(direction @ direction)
        if length <= 0:
            break
        step = pace * max(bound - best_weight, _ROUNDING) / length
        demand_prices = np.clip(demand_prices - step * direction, 0, weights)
    return Relaxed(prices=found, shares=shares)
