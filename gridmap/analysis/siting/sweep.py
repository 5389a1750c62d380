"""The proof without a solver: sites one after the other, taken or left, as long as little is lost against the bound."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_array

from gridmap.analysis.siting.bound import Prices
from gridmap.analysis.siting.cover import Cover, Flags, Floats, Ints, spread

# How many sites are taken stands in the lowest bits of a state, the demand that is covered above them.
_BITS_OF_COUNT = 20
_COUNT = (1 << _BITS_OF_COUNT) - 1
_ROUNDING = 1e-7
_MOST_LEVELS = 1000
# The clock is asked, and the steps are counted, once in so many.
_STEPS_AT_ONCE = 1000
_HARD, _BEGUN_BETWEEN = 2.0**15, 5
_Chain: TypeAlias = "tuple[int, _Chain] | None"
_Way: TypeAlias = tuple[float, int, int, _Chain]


@dataclass(frozen=True, kw_only=True, eq=False)
class Swept:
    """What is known after a sweep.

    Parameters
    ----------
    sites
        The best sites, or, where the sweep was broken off, the best it met; None where there are none.
    bound
        No sites cover more.
    is_ended
        Whether it was not broken off.
    """

    sites: Ints | None
    bound: float
    is_ended: bool


def sweep(
    cover: Cover,
    n_sites: int,
    *,
    prices: Prices,
    most_lost: float,
    grain: float,
    n_steps: int,
    is_over: Callable[[], bool],
) -> Swept:
    """Follow every choice of sites that covers little less than the bound; the least loss first.

    Parameters
    ----------
    cover
        The question.
    n_sites
        How many are chosen, fewer than there are.
    prices
        Of this question; the lower their bound, the fewer choices are open.
    most_lost
        Choices that cover less than the bound by more than this are not followed; 0 or more.
    grain
        Differences below count as none; 1 where all weights are whole numbers.
    n_steps
        After so many, about, it is broken off.
    is_over
        Asked again and again; when it says so, it is broken off.

    Notes
    -----
    What a choice covers is the bound less what it loses: (price of the dearest site left − own) for each cheaper one taken and the
    reverse for each dearer one left, the price of a demand for each time it is covered again, and what is over its price where it
    is not covered. Sites stand in a row, neighbours together; two ways that have taken as many of them and cover the same of the demand
    that later ones reach are one (dynamic programming over a path decomposition, best first, as Dijkstra's paths).
    """
    bound = prices.bound(n_sites)
    row = _row_of(cover, n_sites, prices=prices, most_lost=most_lost)
    if row is None:
        return Swept(sites=None, bound=bound - most_lost, is_ended=True)
    found = _followed(row, bound=bound, most_lost=most_lost, grain=grain, n_steps=n_steps, is_over=is_over)
    taken, lost, is_ended = found
    sites = None if taken is None else np.concatenate([row.held, row.sites[taken]])
    return Swept(sites=sites, bound=bound - lost, is_ended=is_ended)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Row:
    """Sites that are open, in order, and what is lost by each.

    Parameters
    ----------
    held
        Sites that every choice takes.
    n_open
        How many of the others are taken.
    sites
        The others.
    begun
        What every choice loses.
    lost_taken, lost_left
        What is lost when a site is taken, and when it is left.
    demand
        What each site covers, a bit each.
    lost_again, lost_missed
        What is lost each time a demand is covered again, and when it is not covered.
    """

    held: Ints
    n_open: int
    sites: Ints
    begun: float
    lost_taken: list[float]
    lost_left: list[float]
    demand: list[int]
    lost_again: list[float]
    lost_missed: list[float]


def _row_of(cover: Cover, n_sites: int, *, prices: Prices, most_lost: float) -> _Row | None:
    """Tell what is open; None where nothing is."""
    price, over = prices.of_demand, cover.weights - prices.of_demand
    ranked = np.partition(prices.of_sites, (-n_sites - 1, -n_sites))
    dear = prices.of_sites - (ranked[-n_sites] + ranked[-n_sites - 1]) / 2
    taken, left = np.maximum(-dear, 0), np.maximum(dear, 0)
    is_held, is_free, begun = np.zeros(cover.n_sites, dtype=bool), np.ones(cover.n_sites, dtype=bool), -1.0
    while True:
        spare = most_lost - max(begun, 0.0) + _ROUNDING
        newly_held, newly_out = is_free & (left > spare), is_free & (taken > spare)
        if (newly_held & newly_out).any():
            return None
        if begun >= 0 and not newly_held.any() and not newly_out.any():
            break
        is_held |= newly_held
        is_free &= ~(newly_held | newly_out)
        times, choices = cover.by_demand @ is_held.astype(float), cover.by_demand @ is_free.astype(float)
        is_bare = times == 0
        begun = float(price @ np.maximum(times - 1, 0)) + float(over[is_bare & (choices == 0)].sum())
        # Prices of what is covered already, and what only one site can still cover, are matters of the site alone.
        taken = np.maximum(-dear, 0) + cover.by_site @ np.where(is_bare, 0.0, price)
        left = np.maximum(dear, 0) + cover.by_site @ np.where(is_bare & (choices == 1), over, 0.0)
        if begun > most_lost + _ROUNDING:
            return None
    held, free = np.flatnonzero(is_held), np.flatnonzero(is_free)
    n_open = n_sites - len(held)
    if not 0 <= n_open <= len(free):
        return None
    bits = np.flatnonzero(is_bare & (choices > 1))
    table = np.zeros((len(free), len(cover.weights)), dtype=bool)
    starts, ends = cover.by_site.indptr[free], cover.by_site.indptr[free + 1]
    table[np.repeat(np.arange(len(free)), ends - starts), cover.by_site.indices[spread(starts, ends)]] = True
    bits = bits[~_goes_without_saying(table[:, bits].T, price[bits], over[bits], spare)]
    table = table[:, bits]
    demand = _as_bits(table)
    order = _order(demand, _as_bits(table.T))
    return _Row(
        held=held,
        n_open=n_open,
        sites=free[order],
        begun=max(begun, 0.0),
        lost_taken=taken[free[order]].tolist(),
        lost_left=left[free[order]].tolist(),
        demand=[demand[at] for at in order],
        lost_again=price[bits].tolist(),
        lost_missed=over[bits].tolist(),
    )


def _goes_without_saying(table: Flags, price: Floats, over: Floats, spare: float) -> Flags:
    """Tell which demand loses nothing: it may be covered again for nothing, and what has to be covered anyway covers it too."""
    is_told = np.zeros(len(table), dtype=bool)
    idle, needed = np.flatnonzero(price <= _ROUNDING), np.flatnonzero(over > spare)
    if not len(idle) or not len(needed):
        return is_told
    sizes, rows = table.sum(axis=1), csr_array(table.astype(float))
    inside = (rows[idle] @ rows[needed].T).tocoo()
    one, other = idle[inside.coords[0]], needed[inside.coords[1]]
    # Of equals the first one stays.
    is_first = (sizes[other] < sizes[one]) | (other < one) | (over[one] <= spare)
    is_told[one[(inside.data == sizes[other]) & is_first & (one != other)]] = True
    return is_told


def _as_bits(table: np.ndarray) -> list[int]:
    packed = np.packbits(table, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def _numbers(bits: int) -> list[int]:
    numbers = []
    while bits:
        lowest = bits & -bits
        numbers.append(lowest.bit_length() - 1)
        bits ^= lowest
    return numbers


def _order(demand: list[int], sites: list[int]) -> list[int]:
    """Put neighbours together: of orders from ends that lie far apart, the one with the fewest neighbours still to come.

    Where that stays hard, others are tried that begin in between.
    """
    if not demand:
        return []
    reached = [_numbers(bits) for bits in sites]
    near = [0] * len(demand)
    for bits, numbers in zip(sites, reached, strict=True):
        for at in numbers:
            near[at] |= bits
    for at in range(len(near)):
        near[at] |= 1 << at
    end = _farthest(near, 0)
    order, hard = min((_order_from(near, begin) for begin in (end, _farthest(near, end))), key=lambda one: one[1])
    if hard > _HARD:
        between = [order[len(order) * part // _BEGUN_BETWEEN] for part in range(1, _BEGUN_BETWEEN)]
        order, _ = min([(order, hard), *(_order_from(near, begin) for begin in between)], key=lambda one: one[1])
    return order


def _farthest(near: list[int], begin: int) -> int:
    """Return a site from which it is most steps to another one, or near it: the one with fewest neighbours."""
    seen = ring = 1 << begin
    while True:
        beyond = 0
        for at in _numbers(ring):
            beyond |= near[at]
        if not beyond & ~seen:
            return min(_numbers(ring), key=lambda at: near[at].bit_count())
        ring = beyond & ~seen
        seen |= beyond


def _order_from(near: list[int], begin: int) -> tuple[list[int], float]:
    """Go on where the fewest new neighbours come in; also tells how hard the order is."""
    left, seen, order, hard = (1 << len(near)) - 1, 0, [], 0.0
    waiting: list[int] = []
    at = begin
    while True:
        order.append(at)
        left &= ~(1 << at)
        new = near[at] & left & ~seen
        seen |= near[at]
        waiting += _numbers(new)
        # About one in three of those that wait doubles the ways.
        hard += 2.0 ** (len(waiting) / 3)
        if not left:
            return order, hard
        if not waiting:
            at = _farthest(near, (left & -left).bit_length() - 1)
            continue
        unseen = ~seen
        least = len(near) + 1
        for one in waiting:
            n_new = (near[one] & unseen).bit_count()
            if n_new < least:
                at, least = one, n_new
        waiting.remove(at)


class _Sums(dict[int, float]):
    """Sums of the losses of some demand (bits), each added up once."""

    def __init__(self, losses: list[float]) -> None:
        self.losses = losses
        self[0] = 0.0

    def __missing__(self, bits: int) -> float:
        total = self[bits] = sum(self.losses[at] for at in _numbers(bits))
        return total


class _Ways:
    """Ways along a row: what each has lost, how far it is, its state, and the sites that it has taken (a chain backwards).

    They wait on levels of loss. Where weights are whole, what is lost in the end is the bound's fraction and a whole number: a
    level is one such number, and the first way that ends on it is the best.
    """

    def __init__(self, row: _Row, *, bound: float, most_lost: float, grain: float) -> None:
        self.row, self.grain, self.limit = row, grain, most_lost + _ROUNDING
        is_whole = grain == 1 and most_lost <= _MOST_LEVELS
        self.height = 1.0 if is_whole else max(most_lost / _MOST_LEVELS, _ROUNDING)
        self.base = bound % 1.0 + _ROUNDING if is_whole else _ROUNDING
        self.demand = [bits << _BITS_OF_COUNT for bits in row.demand]
        # Demand that no later site reaches: once there, it is covered or missed.
        self.last, beyond = self.demand.copy(), 0
        for at in range(len(self.demand) - 1, -1, -1):
            self.last[at] &= ~beyond
            beyond |= self.demand[at]
        again, missed = ([0.0] * _BITS_OF_COUNT + losses for losses in (row.lost_again, row.lost_missed))
        self.again, self.missed = ([_Sums(losses) for _ in row.demand] for losses in (again, missed))
        self.known: list[dict[int, float]] = [{} for _ in range(len(row.demand) + 1)]
        self.levels: list[list[_Way]] = [[] for _ in range(self.level_of(self.limit) + 2)]
        self.levels[self.level_of(row.begun)].append((row.begun, 0, 0, None))
        self.best: _Way | None = None

    @property
    def taken(self) -> list[int] | None:
        """Return which are taken by the best way, if one has come to its end."""
        if self.best is None:
            return None
        taken: list[int] = []
        chain = self.best[3]
        while chain is not None:
            at, chain = chain
            taken.append(at)
        return taken

    def level_of(self, lost: float) -> int:
        """Return on which level a way waits."""
        return max(-int((self.base - lost) // self.height), 0)

    def follow(self, level: int) -> int:
        """Follow the way that came last to a level while it stays there; returns by how many sites."""
        lost, at, state, chain = self.levels[level].pop()
        top, begun, n_row, n_open = self.base + level * self.height, at, len(self.demand), self.row.n_open
        taken, left, limit = self.row.lost_taken, self.row.lost_left, self.limit
        while lost <= limit and self.known[at].get(state, math.inf) > lost + _ROUNDING:
            self.known[at][state] = lost
            if at == n_row:
                self.best, self.limit = (lost, at, state, chain), lost - self.grain + _ROUNDING
                break
            here, gone, missing = self.demand[at], self.last[at], n_open - (state & _COUNT)
            if missing:
                with_it = lost + taken[at] + self.again[at][state & here]
                if with_it <= limit:
                    to = level if with_it <= top else self.level_of(with_it)
                    self.levels[to].append((with_it, at + 1, ((state | here) & ~gone) + 1, (at, chain)))
            at += 1
            # A site is left before it is taken: ways that take the fewest come to their end sooner.
            if missing > n_row - at:
                break
            lost += left[at - 1] + self.missed[at - 1][gone & ~state]
            state &= ~gone
            if top < lost <= limit:
                self.levels[self.level_of(lost)].append((lost, at, state, chain))
                break
        return at - begun


def _followed(
    row: _Row, *, bound: float, most_lost: float, grain: float, n_steps: int, is_over: Callable[[], bool]
) -> tuple[list[int] | None, float, bool]:
    """Return which are taken (None: none), what is lost at least, and whether all was followed."""
    ways, n_left, n_next = _Ways(row, bound=bound, most_lost=most_lost, grain=grain), n_steps, n_steps
    for level, waiting in enumerate(ways.levels):
        while waiting:
            n_left -= ways.follow(level)
            if n_left < n_next:
                n_next = n_left - _STEPS_AT_ONCE
                if n_left < 0 or is_over():
                    return ways.taken, max(ways.base + (level - 1) * ways.height - _ROUNDING, 0.0), False
        if ways.best is not None:
            return ways.taken, ways.best[0], True
    return None, most_lost, True
