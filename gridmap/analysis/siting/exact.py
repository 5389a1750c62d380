"""The proof: what the prices leave open is given to HiGHS."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_array, csr_array, eye_array

from gridmap.analysis.siting.bound import Prices
from gridmap.analysis.siting.cover import Cover, Ints, cover_of, reduce_cover

_INFEASIBLE, _LEAST_SECONDS = 2, 0.05
_ROUNDING = 1e-6
# HiGHS looks at its clock between steps, and its first steps grow with the entries: it is not asked what it cannot end.
_PAIRS_A_SECOND, _MOST_PAIRS = 3_000, 60_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Proof:
    """What is known after the solver.

    Parameters
    ----------
    sites
        Better sites than the best known, or None.
    bound
        No sites cover more.
    """

    sites: Ints | None
    bound: float


def prove(cover: Cover, n_sites: int, *, prices: Prices, best_weight: float, wanted: float, seconds: float) -> Proof:
    """Look for sites that cover more than the best known, among those that the prices do not rule out.

    Parameters
    ----------
    cover, n_sites
        The question.
    prices
        Of this question.
    best_weight
        Weight that the best sites known cover.
    wanted
        The least weight that counts as more.
    seconds
        Time of the solver.
    """
    bound = prices.bound(n_sites)
    fixed = np.flatnonzero(prices.must_be_in(n_sites, best=wanted))
    out = prices.cannot_be_in(n_sites, best=wanted)
    out[fixed] = True
    free, n_free = np.flatnonzero(~out), n_sites - len(fixed)
    if bound < wanted or n_free < 0:
        return Proof(sites=None, bound=best_weight)
    is_open = cover.times_covered(fixed) == 0
    base = float(cover.weights[~is_open].sum())
    rest = reduce_cover(cover_of(cover.by_demand[np.flatnonzero(is_open)][:, free], cover.weights[is_open]))
    if n_free == 0 or rest.cover.n_sites <= n_free:
        reached = base + (float(rest.cover.weights.sum()) if n_free else 0.0)
        all_left = np.concatenate([fixed, free[rest.sites]]) if n_free else fixed
        return Proof(sites=all_left if reached >= wanted else None, bound=max(reached, best_weight))
    if not can_be_solved(rest.cover, seconds=seconds):
        return Proof(sites=None, bound=bound)
    solved = solve(rest.cover, n_free, least=wanted - base, seconds=seconds)
    if solved.is_impossible:
        return Proof(sites=None, bound=best_weight)
    sites = None if solved.sites is None else np.concatenate([fixed, free[rest.sites[solved.sites]]])
    return Proof(sites=sites, bound=min(bound, max(base + solved.bound, best_weight)))


def can_be_solved(cover: Cover, *, seconds: float) -> bool:
    """Tell whether HiGHS keeps within some seconds."""
    return seconds >= _LEAST_SECONDS and cover.n_pairs <= min(_PAIRS_A_SECOND * seconds, _MOST_PAIRS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Solved:
    """What HiGHS found: sites or None, what no sites exceed, and whether nothing reaches the least weight."""

    sites: Ints | None
    bound: float
    is_impossible: bool


def solve(cover: Cover, n_sites: int, *, least: float, seconds: float) -> Solved:
    """Choose sites that cover the most, and no less than a weight, by mixed-integer programming (HiGHS)."""
    lengths = np.diff(cover.by_demand.indptr)
    shared, single = np.flatnonzero(lengths > 1), np.flatnonzero(lengths == 1)
    # Demand of one site needs no variable of its own.
    own = np.bincount(cover.by_demand[single].indices, weights=cover.weights[single], minlength=cover.n_sites)
    # What is missed, not what is covered: all costs are of one sign, and the simplex begins where it may.
    cost = np.concatenate([-own, cover.weights[shared]])
    most = float(cover.weights.sum())
    at_best = float(cover.weights[shared].sum())
    chosen = np.concatenate([np.ones(cover.n_sites), np.zeros(len(shared))])
    rules = [LinearConstraint(csr_array(chosen[None, :]), 0, n_sites)]
    if len(shared):
        held = block_array([[cover.by_demand[shared], eye_array(len(shared))]], format="csr")
        rules.append(LinearConstraint(held, 1, np.inf))
    if least > 0:
        rules.append(LinearConstraint(csr_array(cost[None, :]), -np.inf, at_best - least))
    found = milp(
        cost,
        constraints=rules,
        integrality=chosen,
        bounds=Bounds(0, 1),
        # The cover is reduced already; presolve finds nothing and takes its time.
        options={"time_limit": seconds, "mip_rel_gap": 0, "presolve": False},
    )
    return Solved(
        sites=None if found.x is None else np.flatnonzero(found.x[: cover.n_sites] > 1 / 2),
        bound=most if found.mip_dual_bound is None else min(at_best - float(found.mip_dual_bound), most),
        is_impossible=found.status == _INFEASIBLE,
    )
