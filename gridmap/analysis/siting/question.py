"""One reduced cover, asked for several numbers of sites: good sites, prices that bound them, and the proof."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridmap.analysis.siting.bound import Prices, Relaxed, by_program, by_subgradients, prices_of
from gridmap.analysis.siting.cover import Cover, Floats, Ints, cover_of, merge_demand, reduce_cover
from gridmap.analysis.siting.exact import can_be_solved, prove, solve
from gridmap.analysis.siting.regions import improved_by_regions
from gridmap.analysis.siting.search import greedy, improved
from gridmap.analysis.siting.sweep import sweep

_ROUNDING = 1e-6
_MOST_PAIRS_OF_STEP, _MOST_PAIRS_OF_PROGRAM, _MOST_PAIRS_OF_REGIONS = 40_000, 200_000, 400_000
_ROUNDS_FIRST, _ROUNDS_OF_A_STEP, _ROUNDS_WHILE_TIME = 200, 30, 100_000_000
_STEPS_TO_BOUND, _STEPS_FROM_NEAR = 1_500, 60
_SHARE_OF_BOUND, _SHARE_OF_KERNEL, _SHARE_OF_PROOF, _SHARE_OF_ALL = 0.2, 0.3, 0.7, 0.1
_KERNELS, _KERNELS_OF_REGIONS, _LEAST_SHARE = (2, 3), (8, 16), 1e-3
_STEPS_AHEAD = 10
_FEW_PAIRS, _FIRST_LOST, _FIRST_LOST_OF_MANY, _SHARE_OF_SWEEP = 10_000, 0.003, 0.0005, 0.4
_STEPS_OF_SWEEP, _STEPS_TO_ALL, _ROUNDS_TO_ALL = (100_000, 400_000), 3_000, 40


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """The best sites known for a number of sites.

    Parameters
    ----------
    sites
        Positions in the reduced cover, at most so many.
    weight
        What they cover.
    bound
        No sites cover more.
    is_optimal
        Whether that is reached.
    prices
        What the bound comes from; None where none was needed.
    """

    sites: Ints
    weight: float
    bound: float
    is_optimal: bool
    prices: Floats | None = None


class Question:
    """A reduced cover, asked for several numbers of sites.

    Parameters
    ----------
    cover
        What is left after the exact reductions.
    is_whole
        Whether all weights are whole numbers: then there is nothing between one and the next.
    """

    def __init__(self, cover: Cover, *, is_whole: bool) -> None:
        self.cover, self.is_whole = cover, is_whole
        self.whole = float(cover.weights[np.diff(cover.by_demand.indptr) > 0].sum())
        self._greedy: Ints = np.empty(0, dtype=np.intp)
        self._bounds = np.full(cover.n_sites, self.whole)
        # At the full price a site is worth what it covers.
        self._learn(prices_of(cover, cover.weights))

    def wanted(self, weight: float) -> float:
        """Return the least weight that is more than a weight."""
        return weight + (1 - _ROUNDING if self.is_whole else _ROUNDING * max(weight, _ROUNDING))

    def grain(self, weight: float) -> float:
        """Return the difference below which two weights like this one are the same."""
        return 1.0 if self.is_whole else self.wanted(weight) - weight

    def answer(self, n_sites: int, *, seconds_left: Callable[[], float], near: Answer | None = None) -> Answer:
        """Return the best sites that can be found in the time, with their bound.

        Parameters
        ----------
        n_sites
            How many, 1 or more.
        seconds_left
            Of this answer.
        near
            The answer for more sites; its prices and sites are begun from, and less is tried.
        """
        cover = self.cover
        if n_sites >= cover.n_sites:
            return self._sealed(np.arange(cover.n_sites), self.whole, None)
        best, chance = self._begin(n_sites, near), np.random.default_rng(n_sites)
        is_over = near is not None and seconds_left() <= 0
        if is_over or self._is_proven(best, self._bound(n_sites)):
            return self._sealed(best, self._bound(n_sites), None)
        is_exact = self.is_small if near is not None else cover.n_pairs <= _MOST_PAIRS_OF_PROGRAM
        if not is_exact:
            best = improved(
                cover, best, chance=chance, rounds=_ROUNDS_FIRST if near is None else _ROUNDS_OF_A_STEP,
                is_over=lambda _: seconds_left() <= 0,
            )  # fmt: skip
        relaxed = self._relaxed(n_sites, best, near, is_exact=is_exact, seconds_left=seconds_left)
        self._learn(relaxed.prices)
        bound = self._bound(n_sites)
        rounded = relaxed.ranked()[:n_sites]
        best = max(best, rounded, key=cover.covered)
        if is_exact and not self._is_proven(best, bound):
            best, bound = self._best_of_sweep(n_sites, best, relaxed.prices, bound, seconds_left=seconds_left)
            # Where all may be covered no way loses anything, and a search sometimes finds one sooner.
            if bound > self.whole * (1 - _ROUNDING) and not self._is_proven(best, bound):
                best = improved(
                    cover, max(best, rounded, key=cover.covered), chance=chance, rounds=_ROUNDS_TO_ALL,
                    is_over=lambda weight: seconds_left() <= 0 or bound < self.wanted(weight),
                )  # fmt: skip
        if not self._is_proven(best, bound) and (near is None or is_exact):
            best = self._best_of_kernels(n_sites, best, relaxed, bound, seconds_left=seconds_left)
        while not self._is_proven(best, bound) and seconds_left() > 0:
            weight, seconds = cover.covered(best), seconds_left() * _SHARE_OF_PROOF
            proof = prove(
                cover, n_sites, prices=relaxed.prices, best_weight=weight, wanted=self.wanted(weight), seconds=seconds
            )
            bound = min(bound, proof.bound)
            if proof.sites is None or cover.covered(proof.sites) <= weight:
                break
            best = proof.sites
        if near is None and not self._is_proven(best, bound):
            best = self._best_while_time(best, relaxed, bound, chance=chance, seconds_left=seconds_left)
        return self._sealed(best, bound, relaxed.prices.of_demand)

    def curve(self, n_sites: int, answer: Answer, *, seconds_left: Callable[[], float]) -> list[Answer]:
        """Return the best known for each number from 1 on up to the last, whose answer is known.

        Prices of one number bound all others: in a large cover some numbers far apart come first.
        """
        known = {n_sites: answer}
        first = [] if self.is_small else [n_sites >> halves for halves in range(1, n_sites.bit_length())]
        waiting = [*first, *(n for n in range(n_sites - 1, 0, -1) if n not in first)]
        for at, n in enumerate(waiting):
            share = min(1.0, _STEPS_AHEAD / (len(waiting) - at))
            until = seconds_left() * (1 - share)
            near = known[min(more for more in known if more > n)]
            known[n] = self.answer(n, seconds_left=lambda until=until: seconds_left() - until, near=near)  # type: ignore[misc]
        # What is covered never falls as sites are added, nor does what bounds it.
        steps = [known[n] for n in range(1, n_sites + 1)]
        for at in range(1, n_sites):
            if steps[at].weight < steps[at - 1].weight:
                steps[at] = self._sealed(steps[at - 1].sites, steps[at].bound, steps[at].prices)
        for at in range(n_sites - 2, -1, -1):
            bound = min(steps[at].bound, steps[at + 1].bound, self._bound(at + 1))
            steps[at] = self._sealed(steps[at].sites, bound, steps[at].prices)
        return steps

    @property
    def is_small(self) -> bool:
        """Tell whether the linear program is quicker than a few steps towards it."""
        return self.cover.n_pairs <= _MOST_PAIRS_OF_STEP

    def _begin(self, n_sites: int, near: Answer | None) -> Ints:
        if len(self._greedy) < n_sites:
            self._greedy = greedy(self.cover, n_sites)
        begun = [self._greedy[:n_sites]]
        if near is not None and len(near.sites) > n_sites:
            times = self.cover.times_covered(near.sites)
            lost = self.cover.by_site[near.sites] @ np.where(times == 1, self.cover.weights, 0.0)
            begun.append(near.sites[np.sort(np.argsort(-lost, kind="stable")[:n_sites])])
        return max(begun, key=self.cover.covered)

    def _learn(self, prices: Prices) -> None:
        most = prices.rest + np.cumsum(np.sort(prices.of_sites)[::-1])
        self._bounds = np.minimum(self._bounds, most)

    def _bound(self, n_sites: int) -> float:
        """Return the lowest bound that any prices gave."""
        return float(self._bounds[n_sites - 1]) if n_sites <= self.cover.n_sites else self.whole

    def _relaxed(
        self, n_sites: int, best: Ints, near: Answer | None, *, is_exact: bool, seconds_left: Callable[[], float]
    ) -> Relaxed:
        weight, keep = self.cover.covered(best), seconds_left() * (1 - _SHARE_OF_BOUND)
        if is_exact and seconds_left() > 0:
            solved = by_program(self.cover, n_sites, seconds=seconds_left())
            if solved is not None:
                return solved
        begun = None if near is None else near.prices
        return by_subgradients(
            self.cover,
            n_sites,
            best_weight=weight,
            rounds=_STEPS_TO_BOUND if begun is None else _STEPS_FROM_NEAR,
            begun=begun,
            is_over=lambda bound: seconds_left() <= keep or bound < self.wanted(weight),
        )

    def _best_of_sweep(
        self, n_sites: int, best: Ints, prices: Prices, bound: float, *, seconds_left: Callable[[], float]
    ) -> tuple[Ints, float]:
        """Sweep what loses a little against the bound, then half as much again, at last all that is more than the best known.

        As a rule the best loses less than a hundredth of what is covered, and less than half of what even the bound misses.
        """
        weight = self.cover.covered(best)
        least = self.wanted(weight)
        most_lost, missed = prices.bound(n_sites) - least, max(self.whole - prices.bound(n_sites), 0.0)
        first = _FIRST_LOST if self.cover.n_pairs <= _FEW_PAIRS else _FIRST_LOST_OF_MANY
        lost, keep = min(first * least, missed / 2 + least - weight), seconds_left() * (1 - _SHARE_OF_SWEEP)
        while True:
            lost = min(lost, most_lost)
            found = sweep(
                self.cover, n_sites, prices=prices, most_lost=lost, grain=self.grain(weight),
                n_steps=_STEPS_OF_SWEEP[self.cover.n_pairs > _FEW_PAIRS] if missed > _ROUNDING * least else _STEPS_TO_ALL,
                is_over=lambda: seconds_left() <= keep,
            )  # fmt: skip
            bound = min(bound, found.bound)
            if found.sites is not None:
                return max(best, found.sites, key=self.cover.covered), bound
            if not found.is_ended:
                return best, bound
            if lost >= most_lost:
                return best, min(bound, weight)
            lost *= 1.5

    def _best_of_kernels(
        self, n_sites: int, best: Ints, relaxed: Relaxed, bound: float, *, seconds_left: Callable[[], float]
    ) -> Ints:
        """Solve the question among few sites: those that the relaxation chooses most of (Angelelli et al., 2010)."""
        cover, order = self.cover, relaxed.ranked()
        n_used = int((relaxed.shares > _LEAST_SHARE).sum())
        # A small question is soon proven as a whole: one kernel, for something to begin with.
        for size in _KERNELS[:1] if self.is_small else _KERNELS:
            kernel = np.union1d(order[: min(size * n_sites, n_used)], best)
            few = reduce_cover(cover_of(cover.by_demand[:, kernel], cover.weights))
            weight, seconds = cover.covered(best), seconds_left() * _SHARE_OF_KERNEL
            if few.cover.n_sites <= n_sites or not can_be_solved(few.cover, seconds=seconds):
                continue
            solved = solve(few.cover, n_sites, least=0, seconds=seconds)
            if solved.sites is not None and few.cover.covered(solved.sites) > weight:
                best = kernel[few.sites[solved.sites]]
            if self._is_proven(best, bound) or size * n_sites >= n_used:
                break
        return best

    def _best_while_time(
        self,
        best: Ints,
        relaxed: Relaxed,
        bound: float,
        *,
        chance: np.random.Generator,
        seconds_left: Callable[[], float],
    ) -> Ints:
        """Choose region by region anew, among few sites and then among twice as many; search among all in the end."""
        order, is_over_at = relaxed.ranked(), seconds_left() * _SHARE_OF_ALL
        for size in _KERNELS_OF_REGIONS:
            kernel = np.union1d(order[: size * len(best)], best)
            few = merge_demand(cover_of(self.cover.by_demand[:, kernel], self.cover.weights))
            if few.n_pairs > _MOST_PAIRS_OF_REGIONS:
                break
            best = kernel[
                improved_by_regions(
                    few, np.searchsorted(kernel, best), chance=chance, grain=self.grain(self.cover.covered(best)),
                    is_over=lambda weight: seconds_left() <= is_over_at or bound < self.wanted(weight),
                )
            ]  # fmt: skip
        return improved(
            self.cover, best, chance=chance, rounds=_ROUNDS_WHILE_TIME,
            is_over=lambda weight: seconds_left() <= 0 or bound < self.wanted(weight),
        )  # fmt: skip

    def _is_proven(self, sites: Ints, bound: float) -> bool:
        return bound < self.wanted(self.cover.covered(sites))

    def _sealed(self, sites: Ints, bound: float, prices: Floats | None) -> Answer:
        weight = self.cover.covered(sites)
        is_optimal = bound < self.wanted(weight)
        if is_optimal:
            bound = weight
        elif self.is_whole:
            bound = float(np.floor(bound + _ROUNDING))
        return Answer(sites=sites, weight=weight, bound=bound, is_optimal=is_optimal, prices=prices)
