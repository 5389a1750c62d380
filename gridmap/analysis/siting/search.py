"""Good sites quickly: one after the other; then some that lie together are given up and filled again, over and over."""

from collections.abc import Callable

import numpy as np

from gridmap.analysis.siting.cover import Cover, Ints, spread

_ROUNDING = 1e-9
# Beyond so many entries all is added up anew, which needs no memory.
_MOST_AT_ONCE = 2_000_000
# How much worse than the best it may be on the way: a part of what one site covers.
_MOST_GIVEN_UP, _NOISE, _PATIENCE = 4, 0.1, 0.02


class Standing:
    """Chosen sites, what they cover, and what each other one would add; sites are put and taken one by one.

    Parameters
    ----------
    cover
        The question.
    chosen
        Sites to begin with.
    """

    def __init__(self, cover: Cover, chosen: Ints) -> None:
        self.cover = cover
        self.is_chosen = np.zeros(cover.n_sites, dtype=bool)
        self.is_chosen[chosen] = True
        self.times = cover.times_covered(chosen)
        self.owner = np.full(len(cover.weights), -1, dtype=np.intp)
        for site in chosen:
            self.owner[cover.demand_of(site)] = site
        is_open = self.times == 0
        self.weight = float(cover.weights[~is_open].sum())
        self.adds = cover.by_site @ np.where(is_open, cover.weights, 0.0)

    def put(self, site: int) -> None:
        """Choose a site."""
        held = self.cover.demand_of(site)
        new = held[self.times[held] == 0]
        self.times[held] += 1
        self.owner[held] = site
        self.is_chosen[site] = True
        self.weight += self._shift(new, -1.0)

    def take(self, site: int) -> None:
        """Give a site up."""
        held = self.cover.demand_of(site)
        self.times[held] -= 1
        self.is_chosen[site] = False
        self.weight -= self._shift(held[self.times[held] == 0], 1.0)

    def _shift(self, demand: Ints, sign: float) -> float:
        """Tell all sites that demand is open now (+1), or is no more (-1); returns its weight."""
        by_demand, weights = self.cover.by_demand, self.cover.weights[demand]
        starts, ends = by_demand.indptr[demand], by_demand.indptr[demand + 1]
        lengths = ends - starts
        if lengths.sum() > _MOST_AT_ONCE:
            self.adds = self.cover.by_site @ np.where(self.times == 0, self.cover.weights, 0.0)
        else:
            np.add.at(self.adds, by_demand.indices[spread(starts, ends)], np.repeat(sign * weights, lengths))
        return float(weights.sum())

    def best(self, *, worth: np.ndarray | None = None) -> int:
        """Return the site outside that adds most (or is worth most)."""
        return int(np.argmax(np.where(self.is_chosen, -1.0, self.adds if worth is None else worth)))


def greedy(cover: Cover, n_sites: int) -> Ints:
    """Return sites chosen one after the other, each the one that adds most, in that order."""
    standing = Standing(cover, np.empty(0, dtype=np.intp))
    chosen: Ints = np.empty(n_sites, dtype=np.intp)
    for at in range(n_sites):
        chosen[at] = standing.best()
        standing.put(int(chosen[at]))
    return chosen


def improved(
    cover: Cover, chosen: Ints, *, chance: np.random.Generator, rounds: int, is_over: Callable[[float], bool]
) -> Ints:
    """Give up sites that lie together, fill up with those that add most, and go on from there unless it is much worse.

    Parameters
    ----------
    cover, chosen
        The question and the sites to begin with.
    chance
        Decides what is given up.
    rounds
        At most so many.
    is_over
        Asked every round with the best weight.

    Notes
    -----
    Ruin and recreate (Schrimpf et al., 2000), accepted as in record-to-record travel (Dueck, 1993).
    """
    standing = Standing(cover, chosen)
    best, best_weight, patience = chosen, standing.weight, _PATIENCE / max(len(chosen), 1)
    for _ in range(rounds):
        if is_over(best_weight):
            break
        before = standing.weight
        given_up = _some_together(standing, chance)
        for site in given_up:
            standing.take(int(site))
        put = []
        for at in range(len(given_up)):
            worth = standing.adds * chance.uniform(1 - _NOISE, 1, cover.n_sites)
            if at == 0:
                worth[given_up[0]] = 0.0
            put.append(standing.best(worth=worth))
            standing.put(put[-1])
        if standing.weight < min(before, best_weight * (1 - patience * chance.exponential())):
            for site in put:
                standing.take(site)
            for site in given_up:
                standing.put(int(site))
        elif standing.weight > best_weight + _ROUNDING:
            best, best_weight = np.flatnonzero(standing.is_chosen), standing.weight
    return best


def _some_together(standing: Standing, chance: np.random.Generator) -> Ints:
    """Return a few chosen sites around a place."""
    cover = standing.cover
    near = np.unique(standing.owner[cover.demand_of(int(chance.integers(cover.n_sites)))])
    near = near[near >= 0]
    near = near[standing.is_chosen[near]]
    if not len(near):
        near = np.flatnonzero(standing.is_chosen)
    given_up: Ints = chance.permutation(near)[: int(chance.integers(1, _MOST_GIVEN_UP + 1))]
    return given_up
