"""Programs of their own: fewest points for a share, points that bear only so much, and homes that need a second point.

Each is solved exactly by HiGHS for the sizes of a township (some thousand homes, some hundred candidates). Past the time, or
where HiGHS would not end in it, an answer made one point after the other comes with what no answer can beat.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_array, csr_array, eye_array

from gridmap.analysis.siting.choose import require_sound
from gridmap.analysis.siting.cover import Cover, Flags, Floats, Ints, cover_of, reduce_cover
from gridmap.analysis.siting.exact import can_be_solved
from gridmap.analysis.siting.search import greedy

_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Fewest:
    """The fewest points that reach a share.

    Parameters
    ----------
    sites
        Positions of the chosen candidates, ascending; all that help when no choice reaches the share.
    covered, total
        Weight covered with what was there before; weight of all demand.
    bound
        No fewer points reach the share; None where no number does.
    is_optimal
        Whether that is reached.
    """

    sites: Ints
    covered: float
    total: float
    bound: int | None
    is_optimal: bool

    @property
    def is_possible(self) -> bool:
        """Tell whether the share can be reached at all."""
        return self.bound is not None

    @property
    def gap(self) -> float:
        """Return by which share of the points the bound is lower."""
        return 0.0 if self.bound is None or not len(self.sites) else 1 - self.bound / len(self.sites)


@dataclass(frozen=True, kw_only=True, eq=False)
class Worth:
    """Chosen points of a program, with proof.

    Parameters
    ----------
    sites
        Positions of the chosen candidates, ascending.
    site_of
        Candidate that serves each demand, -1: none; None where points are not limited.
    value
        What the choice is worth.
    bound
        No choice is worth more.
    is_optimal
        Whether that is reached.
    """

    sites: Ints
    site_of: Ints | None = None
    value: float
    bound: float
    is_optimal: bool

    @property
    def gap(self) -> float:
        """Return by which share of the value the bound is higher."""
        return max(self.bound - self.value, 0.0) / self.value if self.value else float(self.bound > 0)


def fewest_sites(
    covers: csr_array,
    weights: Floats,
    *,
    share: float,
    is_covered: Flags | None = None,
    seconds_left: Callable[[], float],
) -> Fewest:
    """Choose the fewest candidates with which a share of all weight is covered.

    Parameters
    ----------
    covers
        Demand in rows, candidates in columns; not 0 where a candidate covers.
    weights
        Of each demand, 0 or more.
    share
        Of the weight of all demand, above 0 and at most 1.
    is_covered
        Demand that something covers already; None: none.
    seconds_left
        At 0 the best so far is returned with its bound.

    Raises
    ------
    ValueError
        If lengths differ, a weight is negative or not finite, or the share is not above 0 and at most 1.

    Notes
    -----
    Partial set covering; with share 1 that of Toregas et al. (1971).
    """
    weights = np.asarray(weights, dtype=float)
    require_sound(covers, weights, is_covered)
    if not 0 < share <= 1:
        raise ValueError(f"`share` must be above 0 and at most 1, got {share}.")
    known = np.zeros(len(weights), dtype=bool) if is_covered is None else np.asarray(is_covered, dtype=bool)
    begun, total = float(weights[known].sum()), float(weights.sum())
    needed = share * total - begun - _ROUNDING * max(share * total, 1.0)
    small = reduce_cover(cover_of(covers, np.where(known, 0.0, weights)))
    cover = small.cover
    if needed <= 0 or float(cover.weights.sum()) < needed:
        sites = np.sort(small.sites) if needed > 0 else np.empty(0, dtype=np.intp)
        return Fewest(
            sites=sites, covered=begun + (float(cover.weights.sum()) if needed > 0 else 0.0), total=total,
            bound=0 if needed <= 0 else None, is_optimal=True,
        )  # fmt: skip
    order = greedy(cover, cover.n_sites)
    n_enough = next(n for n in range(1, cover.n_sites + 1) if cover.covered(order[:n]) >= needed)
    best = order[:n_enough]
    ranked = np.cumsum(np.sort(cover.by_site @ cover.weights)[::-1])
    bound = int(np.argmax(ranked >= needed)) + 1
    if bound < n_enough and can_be_solved(cover, seconds=seconds_left()):
        n_demand, n_sites = len(cover.weights), cover.n_sites
        held = block_array([[-cover.by_demand, eye_array(n_demand)]], format="csr")
        worth = csr_array(np.concatenate([np.zeros(n_sites), cover.weights])[None, :])
        chosen = np.concatenate([np.ones(n_sites), np.zeros(n_demand)])
        found = milp(
            chosen,
            constraints=[
                LinearConstraint(held, -np.inf, 0),
                LinearConstraint(worth, needed, np.inf),
                LinearConstraint(csr_array(chosen[None, :]), bound, n_enough),
            ],
            integrality=chosen,
            bounds=Bounds(0, 1),
            options={"time_limit": seconds_left(), "mip_rel_gap": 0},
        )
        if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
            bound = max(bound, int(np.ceil(found.mip_dual_bound - _ROUNDING)))
        picked = best if found.x is None else np.flatnonzero(found.x[:n_sites] > 1 / 2)
        if len(picked) < len(best) and cover.covered(picked) >= needed:
            best = picked
    return Fewest(
        sites=np.sort(small.sites[best]), covered=begun + cover.covered(best), total=total,
        bound=min(bound, len(best)), is_optimal=bound >= len(best),
    )  # fmt: skip


def choose_with_capacity(
    covers: csr_array, weights: Floats, *, capacities: Floats, n_sites: int, seconds_left: Callable[[], float]
) -> Worth:
    """Choose candidates that serve the most weight, where each bears only so much.

    Parameters
    ----------
    covers
        Demand in rows, candidates in columns; not 0 where a candidate can serve.
    weights
        Of each demand, 0 or more; a demand is served whole, by one point.
    capacities
        Weight that each candidate bears, 0 or more.
    n_sites
        How many candidates are chosen at most, from 1 to all.
    seconds_left
        At 0 the best so far is returned with its bound.

    Raises
    ------
    ValueError
        If lengths differ, a weight or capacity is negative or not finite, or the number is not from 1 to that of the candidates.

    Notes
    -----
    Current & Storbeck (1988).
    """
    weights, capacities = np.asarray(weights, dtype=float), np.asarray(capacities, dtype=float)
    require_sound(covers, weights)
    if len(capacities) != covers.shape[1] or not (np.isfinite(capacities).all() and (capacities >= 0).all()):
        raise ValueError(f"`capacities` must be {covers.shape[1]} numbers of at least 0.")
    _require_number(n_sites, covers)
    cover = cover_of(covers, weights)
    pairs = cover.by_demand.tocoo()
    demand, site = (one.astype(np.intp) for one in pairs.coords)
    can = (weights[demand] > 0) & (weights[demand] <= capacities[site] + _ROUNDING)
    demand, site = demand[can], site[can]
    n_pairs, n_all = len(demand), covers.shape[1]
    begun = _served_greedily(weights, capacities, demand, site, n_sites)
    most = min(float(weights[np.unique(demand)].sum()), float(np.sort(capacities)[::-1][:n_sites].sum()))
    value = float(weights[begun >= 0].sum())
    if most > value + _ROUNDING and n_pairs and can_be_solved(cover, seconds=seconds_left()):
        ones, numbers = np.ones(n_pairs), np.arange(n_pairs)
        served = csr_array((ones, (demand, n_all + numbers)), shape=(len(weights), n_all + n_pairs))
        load = csr_array((weights[demand], (site, n_all + numbers)), shape=(n_all, n_all + n_pairs))
        limit = csr_array((capacities, (np.arange(n_all), np.arange(n_all))), shape=(n_all, n_all + n_pairs))
        tied = csr_array(
            (np.concatenate([ones, -ones]), (np.tile(numbers, 2), np.concatenate([n_all + numbers, site]))),
            shape=(n_pairs, n_all + n_pairs),
        )
        chosen = np.concatenate([np.ones(n_all), np.zeros(n_pairs)])
        found = milp(
            -np.concatenate([np.zeros(n_all), weights[demand]]),
            constraints=[
                LinearConstraint(served, -np.inf, 1),
                LinearConstraint(load - limit, -np.inf, 0),
                LinearConstraint(tied, -np.inf, 0),
                LinearConstraint(csr_array(chosen[None, :]), 0, n_sites),
            ],
            integrality=np.ones(n_all + n_pairs),
            bounds=Bounds(0, 1),
            options={"time_limit": seconds_left(), "mip_rel_gap": 0},
        )
        if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
            most = min(most, -float(found.mip_dual_bound))
        if found.x is not None:
            taken = np.flatnonzero(found.x[n_all:] > 1 / 2)
            site_of = np.full(len(weights), -1, dtype=np.intp)
            site_of[demand[taken]] = site[taken]
            if float(weights[site_of >= 0].sum()) > value:
                begun, value = site_of, float(weights[site_of >= 0].sum())
    _require_borne(covers, weights, capacities, begun, n_sites)
    is_optimal = most <= value + _ROUNDING * max(value, 1.0)
    return Worth(
        sites=np.unique(begun[begun >= 0]), site_of=begun, value=value,
        bound=value if is_optimal else most, is_optimal=is_optimal,
    )  # fmt: skip


def choose_with_backup(
    covers: csr_array,
    weights: Floats,
    *,
    shares: Floats,
    n_sites: int,
    times_covered: Ints | None = None,
    seconds_left: Callable[[], float],
) -> Worth:
    """Choose candidates where a second (third, …) point that covers the same demand is worth something too.

    Parameters
    ----------
    covers
        Demand in rows, candidates in columns; not 0 where a candidate covers.
    weights
        Of each demand, 0 or more.
    shares
        What the first, the second, … point that covers a demand is worth, as shares of its weight, 0 or more. `[1]` is maximal
        covering, `[0.7, 0.3]` gives a backup three tenths, `[0, 1]` counts only what two points cover.
    n_sites
        How many candidates are chosen at most, from 1 to all.
    times_covered
        By how many points each demand is covered already; None: by none.
    seconds_left
        At 0 the best so far is returned with its bound.

    Raises
    ------
    ValueError
        If lengths differ, a number is negative or not finite, no share is above 0, or the number is not from 1 to that of the
        candidates.

    Notes
    -----
    Hogan & ReVelle (1986), "backup coverage"; with `[0, …, 1]` k-fold covering.
    """
    weights, shares = np.asarray(weights, dtype=float), np.asarray(shares, dtype=float)
    require_sound(covers, weights)
    if not (len(shares) and np.isfinite(shares).all() and (shares >= 0).all() and shares.any()):
        raise ValueError("`shares` must be numbers of at least 0, and one of them above 0.")
    _require_number(n_sites, covers)
    before = np.zeros(len(weights), dtype=np.intp) if times_covered is None else np.asarray(times_covered)
    if len(before) != len(weights) or (before < 0).any():
        raise ValueError(f"`times_covered` must be {len(weights)} counts of at least 0.")
    cover = cover_of(covers, weights)

    def value_of(sites: Ints) -> float:
        times = np.minimum(before + cover.times_covered(sites), len(shares))
        return float((weights * np.concatenate([[0.0], np.cumsum(shares)])[times]).sum())

    best = greedy(cover, n_sites)
    most = value_of(np.arange(covers.shape[1]))
    value = value_of(best)
    if most > value + _ROUNDING and can_be_solved(cover, seconds=seconds_left()):
        found = _solved_with_backup(cover, before, shares, n_sites, seconds=seconds_left())
        if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
            most = min(most, -float(found.mip_dual_bound))
        picked = best if found.x is None else np.flatnonzero(found.x[: covers.shape[1]] > 1 / 2)
        if value_of(picked) > value:
            best, value = picked, value_of(picked)
    is_optimal = most <= value + _ROUNDING * max(value, 1.0)
    return Worth(sites=np.sort(best), value=value, bound=value if is_optimal else most, is_optimal=is_optimal)


def _solved_with_backup(cover: Cover, before: Ints, shares: Floats, n_sites: int, *, seconds: float) -> Any:
    n_demand, n_all, n_layers = len(cover.weights), cover.n_sites, len(shares)
    n_layered = n_demand * n_layers
    # Layer k of a demand is filled when more than k points cover it: the sum of its layers is at most their number.
    stacked = csr_array((np.ones(n_layered), (np.arange(n_layered) % n_demand, np.arange(n_layered))))
    counted = block_array([[-cover.by_demand, stacked]], format="csr")
    chosen = np.concatenate([np.ones(n_all), np.zeros(n_layered)])
    rules = [LinearConstraint(counted, -np.inf, before), LinearConstraint(csr_array(chosen[None, :]), 0, n_sites)]
    # While each is worth no less than the next, the layers fill in order by themselves, and wholly.
    is_falling = bool((np.diff(shares) <= 0).all())
    if not is_falling:
        n_rows = n_demand * (n_layers - 1)
        step = eye_array(n_rows, n_layered, k=n_demand) - eye_array(n_rows, n_layered)
        rules.append(LinearConstraint(block_array([[csr_array((n_rows, n_all)), step]], format="csr"), -np.inf, 0))
    return milp(
        -np.concatenate([np.zeros(n_all), np.outer(shares, cover.weights).ravel()]),
        constraints=rules,
        integrality=chosen if is_falling else np.ones(n_all + n_layered),
        bounds=Bounds(0, 1),
        options={"time_limit": seconds, "mip_rel_gap": 0},
    )


def _require_number(n_sites: int, covers: csr_array) -> None:
    if not 1 <= n_sites <= covers.shape[1]:
        raise ValueError(f"`n_sites` must be from 1 to {covers.shape[1]}, got {n_sites}.")


def _served_greedily(weights: Floats, capacities: Floats, demand: Ints, site: Ints, n_sites: int) -> Ints:
    """Fill one candidate after the other, each the one that takes most, the heavy demand first."""
    site_of = np.full(len(weights), -1, dtype=np.intp)
    order = np.argsort(-weights[demand], kind="stable")
    held = [demand[order][site[order] == at] for at in range(len(capacities))]
    left = set(range(len(capacities)))
    for _ in range(n_sites):
        taken = {at: _fitting(held[at][site_of[held[at]] < 0], weights, capacities[at]) for at in left}
        best = max(taken, key=lambda at: (float(weights[taken[at]].sum()), -at))
        site_of[taken[best]] = best
        left.remove(best)
    return site_of


def _fitting(demand: Ints, weights: Floats, capacity: float) -> list[int]:
    taken = []
    for one in demand.tolist():
        if weights[one] <= capacity + _ROUNDING:
            taken.append(one)
            capacity -= float(weights[one])
    return taken


def _require_borne(covers: csr_array, weights: Floats, capacities: Floats, site_of: Ints, n_sites: int) -> None:
    """Count again from what was given."""
    served = np.flatnonzero(site_of >= 0)
    load = np.bincount(site_of[served], weights=weights[served], minlength=len(capacities))
    reaches = all(covers[int(one), int(site_of[one])] != 0 for one in served)
    if not reaches or (load > capacities + _ROUNDING * np.maximum(capacities, 1)).any() or (load > 0).sum() > n_sites:
        raise RuntimeError("The assignment breaks its own rules. Report this as a fault.")
