"""Better sites for a large question: a few that lie together are given up and chosen anew, as well as can be, over and over."""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array

from gridmap.analysis.siting.bound import by_program
from gridmap.analysis.siting.cover import Cover, Ints, cover_of, reduce_cover, spread
from gridmap.analysis.siting.sweep import sweep

# What is given up is small enough to be chosen anew in some hundredths of a second.
_FEWEST, _MOST, _MOST_STEPS, _MOST_SECONDS = 5, 12, 4_000, 1.0
_BEST_ELSEWHERE = 20
_PATIENCE = 400


def improved_by_regions(
    cover: Cover, chosen: Ints, *, chance: np.random.Generator, grain: float, is_over: Callable[[float], bool]
) -> Ints:
    """Choose the sites of one region after the other anew, the others standing, until time is over or nothing more is won.

    Parameters
    ----------
    cover, chosen
        The question and the sites to begin with.
    chance
        Decides which regions.
    grain
        Differences below count as none; 1 where all weights are whole numbers.
    is_over
        Asked every round with the best weight.

    Notes
    -----
    A large neighbourhood (Shaw, 1998) that is searched to its end: the relaxation of a region bounds what it can win, and the
    sweep finds it.
    """
    near = csr_array(cover.by_site @ cover.by_demand)
    best, weight, n_idle = np.sort(chosen), cover.covered(chosen), 0
    while n_idle < _PATIENCE and not is_over(weight):
        given_up = _region(near, best, int(chance.integers(_FEWEST, _MOST + 1)), chance)
        again = _chosen_anew(cover, best, given_up, near, grain)
        n_idle += 1
        if again is not None and cover.covered(again) > weight:
            best, weight, n_idle = again, cover.covered(again), 0
    return best


def _neighbours(near: csr_array, sites: Ints) -> Ints:
    found: Ints = np.unique(near.indices[spread(near.indptr[sites], near.indptr[sites + 1])]).astype(np.intp)
    return found


def _region(near: csr_array, chosen: Ints, n_sites: int, chance: np.random.Generator) -> Ints:
    """Return a chosen site, or two anywhere, and the next ones around: between two, sites can go from one to the other."""
    is_chosen = np.zeros(near.shape[0], dtype=bool)
    is_chosen[chosen] = True
    ring = chance.choice(chosen, min(len(chosen), int(chance.integers(1, 3))), replace=False)
    is_seen, region = np.zeros(near.shape[0], dtype=bool), ring
    is_seen[ring] = True
    while len(region) < n_sites and len(ring):
        ring = _neighbours(near, ring)
        ring = ring[~is_seen[ring]]
        is_seen[ring] = True
        region = np.concatenate([region, chance.permutation(ring[is_chosen[ring]])])
    return region[:n_sites]


def _chosen_anew(cover: Cover, chosen: Ints, given_up: Ints, near: csr_array, grain: float) -> Ints | None:
    """Return better sites with others in place of those given up; None where there are none, or where it is not told soon."""
    n_sites, kept = len(given_up), np.setdiff1d(chosen, given_up)
    is_open = cover.times_covered(kept) == 0
    now = float(cover.weights[(cover.times_covered(given_up) > 0) & is_open].sum())
    adds_of = cover.by_site @ np.where(is_open, cover.weights, 0.0)
    elsewhere = np.argsort(-adds_of, kind="stable")[:_BEST_ELSEWHERE]
    around = np.setdiff1d(np.union1d(_neighbours(near, _neighbours(near, given_up)), elsewhere), kept)
    adds = adds_of[around]
    # The best others cannot make up for a site that adds too little.
    others = float(np.sort(adds)[::-1][: n_sites - 1].sum())
    around = around[adds >= now + grain - others]
    if len(around) <= n_sites:
        return None
    demand, rows = np.unique(
        cover.by_site.indices[spread(cover.by_site.indptr[around], cover.by_site.indptr[around + 1])],
        return_inverse=True,
    )
    columns = np.repeat(np.arange(len(around)), np.diff(cover.by_site.indptr)[around])
    held = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(demand), len(around)))
    small = reduce_cover(cover_of(held, np.where(is_open, cover.weights, 0.0)[demand]))
    if small.cover.n_sites <= n_sites:
        return None
    relaxed = by_program(small.cover, n_sites, seconds=_MOST_SECONDS)
    most_lost = -1.0 if relaxed is None else relaxed.prices.bound(n_sites) - now - grain * (1 - 1e-6)
    if relaxed is None or most_lost < 0:
        return None
    found = sweep(
        small.cover, n_sites, prices=relaxed.prices, most_lost=most_lost, grain=grain,
        n_steps=_MOST_STEPS, is_over=lambda: False,
    )  # fmt: skip
    return None if found.sites is None else np.sort(np.concatenate([kept, around[small.sites[found.sites]]]))
