"""Where n more points help most (maximal covering): the answer, the proof, and what the next one buys."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from gridmap.analysis.siting.cover import Cover, Flags, Floats, Ints, cover_of, reduce_cover, spread
from gridmap.analysis.siting.question import Question
from gridmap.analysis.siting.search import greedy

_SHARE_OF_THE_ANSWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Step:
    """How much a number of points covers.

    Parameters
    ----------
    n_sites
        Points chosen.
    covered
        Weight covered by these and by what was there before.
    bound
        No choice of as many covers more.
    is_optimal
        Whether that is reached.
    """

    n_sites: int
    covered: float
    bound: float
    is_optimal: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Siting:
    """Chosen points, with proof.

    Parameters
    ----------
    sites
        Positions of the chosen candidates, the one that adds most first.
    gains
        Weight that each adds to those before it.
    covered, total
        Weight covered with what was there before; weight of all demand.
    bound
        No choice of as many covers more.
    is_optimal
        Whether that is reached.
    curve
        The best known for each number of points from 0 on.
    seconds_left
        Of the time, when the answer stood and the curve was begun.
    """

    sites: Ints
    gains: Floats
    covered: float
    total: float
    bound: float
    is_optimal: bool
    curve: tuple[Step, ...]
    seconds_left: float

    @property
    def gap(self) -> float:
        """Return by which share of what is covered the bound is higher; 0 when optimal."""
        return max(self.bound - self.covered, 0.0) / self.covered if self.covered else float(self.bound > 0)


def choose_sites(
    covers: csr_array,
    weights: Floats,
    *,
    n_sites: int,
    is_covered: Flags | None = None,
    with_curve: bool = True,
    seconds_left: Callable[[], float],
) -> Siting:
    """Choose the candidates that cover the most weight.

    Parameters
    ----------
    covers
        Demand in rows, candidates in columns; not 0 where a candidate covers, by whatever measure.
    weights
        Of each demand, 0 or more.
    n_sites
        How many candidates are chosen, from 1 to all.
    is_covered
        Demand that something covers already; None: none.
    with_curve
        Whether fewer points are tried as well.
    seconds_left
        Asked again and again; at 0 the best so far is returned with its bound.

    Raises
    ------
    ValueError
        If lengths differ, a weight is negative or not finite, or the number is not from 1 to that of the candidates.
    RuntimeError
        If a recount contradicts the answer: a fault of this program.

    Notes
    -----
    Church & ReVelle (1974). Demand of the same candidates is merged, candidates inside another one's reach are dropped,
    prices of a relaxation bound the answer and rule candidates out, HiGHS proves the rest (docs/kpi.md, "siting").
    Where weights are not whole numbers, differences of a millionth count as none.
    """
    weights = np.asarray(weights, dtype=float)
    require_sound(covers, weights, is_covered)
    if not 1 <= n_sites <= covers.shape[1]:
        raise ValueError(f"`n_sites` must be from 1 to {covers.shape[1]}, got {n_sites}.")
    given = cover_of(covers, weights)
    known = np.zeros(len(weights), dtype=bool) if is_covered is None else np.asarray(is_covered, dtype=bool)
    begun, total = float(weights[known].sum()), float(weights.sum())
    open_weights = np.where(known, 0.0, weights)
    small = reduce_cover(Cover(by_demand=given.by_demand, by_site=given.by_site, weights=open_weights))
    question = Question(small.cover, is_whole=bool((weights == np.floor(weights)).all()))
    kept_back = seconds_left() * (1 - _SHARE_OF_THE_ANSWER if with_curve and n_sites > 1 else 0)
    answer = question.answer(n_sites, seconds_left=lambda: seconds_left() - kept_back)
    left = seconds_left()
    steps = question.curve(n_sites, answer, seconds_left=seconds_left) if with_curve else [answer]
    sites, gains = _in_order(given, small.sites[steps[-1].sites], open_weights, n_sites)
    curve = [Step(n_sites=0, covered=begun, bound=begun, is_optimal=True)] if with_curve else []
    curve += [
        Step(n_sites=n, covered=begun + one.weight, bound=begun + one.bound, is_optimal=one.is_optimal)
        for n, one in enumerate(steps, start=1 if with_curve else n_sites)
    ]
    last = curve[-1]
    _require_recounted(covers, weights, known, sites, last.covered)
    return Siting(
        sites=sites, gains=gains, covered=last.covered, total=total,
        bound=last.bound, is_optimal=last.is_optimal, curve=tuple(curve), seconds_left=left,
    )  # fmt: skip


def require_sound(covers: csr_array, weights: Floats, is_covered: Flags | None = None) -> None:
    """Refuse weights that are none.

    Raises
    ------
    ValueError
        If lengths differ, or a weight is negative or not finite.
    """
    if covers.shape[0] != len(weights) or (is_covered is not None and len(is_covered) != len(weights)):
        raise ValueError(f"`weights` must be as long as `covers` has rows ({covers.shape[0]}), got {len(weights)}.")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("`weights` must be finite and not negative.")


def _in_order(given: Cover, chosen: Ints, open_weights: Floats, n_sites: int) -> tuple[Ints, Floats]:
    """Put sites in the order of what each adds, and fill up with those that cover most a second time."""
    again = given.by_site @ given.weights
    again[chosen] = -1.0
    spare = np.argsort(-again, kind="stable")[: n_sites - len(chosen)]
    sites = np.concatenate([chosen, spare])
    part = cover_of(csr_array(given.by_site[sites].T), open_weights)
    sites = sites[greedy(part, len(sites))]
    starts, ends = given.by_site.indptr[sites], given.by_site.indptr[sites + 1]
    first: Ints = np.full(len(open_weights), len(sites), dtype=np.intp)
    np.minimum.at(first, given.by_site.indices[spread(starts, ends)], np.repeat(np.arange(len(sites)), ends - starts))
    gains = np.asarray(np.bincount(first, weights=open_weights, minlength=len(sites) + 1), dtype=float)
    return sites, gains[: len(sites)]


def _require_recounted(covers: csr_array, weights: Floats, known: Flags, sites: Ints, covered: float) -> None:
    """Count again from what was given, by none of the arrays that the answer comes from."""
    rows: set[int] = set(np.flatnonzero(known).tolist())
    rows.update(csr_array(covers)[:, sites].nonzero()[0].tolist())
    recount = math.fsum(weights[row] for row in rows)
    if len(set(sites.tolist())) != len(sites) or not math.isclose(recount, covered, rel_tol=1e-9, abs_tol=1e-9):
        raise RuntimeError(
            f"The siting is wrong: it claims {covered}, a recount gives {recount}. Report this as a fault."
        )
