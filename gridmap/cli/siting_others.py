"""The other questions of `gridmap coverage site`: the fewest points for a share, points that bear only so much, backup cover."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridmap.analysis.siting.cover import Floats, Ints, within
from gridmap.analysis.siting.program import choose_with_backup, choose_with_capacity, fewest_sites


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """Demand with its weights, where points may stand, and those that stay; metres."""

    demand_xy: Floats
    weights: Floats
    candidates_xy: Floats
    existing_xy: Floats
    radius_m: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Other:
    """An answer with its proof.

    Parameters
    ----------
    question
        `fewest`, `capacity` or `backup`.
    sites, gains
        Chosen candidates, and the weight that each covers (of `capacity`: that it serves).
    covered, total
        Weight that counts as covered, with what was there before; weight of all demand.
    bound
        `fewest`: no fewer points do; else: no choice covers more. None where the share cannot be reached.
    gap
        How far the answer may be from it, as a share.
    is_optimal, is_possible
        Whether the bound is reached; whether any number of points reaches the share.
    """

    question: str
    sites: Ints
    gains: Floats
    covered: float
    total: float
    bound: float | None
    gap: float
    is_optimal: bool
    is_possible: bool = True


def answer_other(
    question: Question,
    *,
    count: int | None,
    share: float | None,
    capacity: float | None,
    times: int,
    seconds_left: Callable[[], float],
) -> Other:
    """Answer the question that the options ask: a share, a capacity, or cover by several points."""
    covers = within(question.demand_xy, question.candidates_xy, radius_m=question.radius_m)
    before = np.diff(within(question.demand_xy, question.existing_xy, radius_m=question.radius_m).indptr)
    weights, total = question.weights, float(question.weights.sum())
    held = np.asarray(covers.T @ weights, dtype=float)
    if share is not None:
        fewest = fewest_sites(covers, weights, share=share, is_covered=before > 0, seconds_left=seconds_left)
        return Other(
            question="fewest", sites=fewest.sites, gains=held[fewest.sites], covered=fewest.covered, total=total,
            bound=fewest.bound, gap=fewest.gap, is_optimal=fewest.is_optimal, is_possible=fewest.is_possible,
        )  # fmt: skip
    n_sites = count or 0
    if capacity is not None:
        # What exists serves its demand first; the new points are for the rest.
        left = np.where(before > 0, 0.0, weights)
        limits = np.full(len(question.candidates_xy), capacity)
        found = choose_with_capacity(covers, left, capacities=limits, n_sites=n_sites, seconds_left=seconds_left)
        site_of = np.full(len(weights), -1) if found.site_of is None else found.site_of
        served = np.bincount(site_of[site_of >= 0], left[site_of >= 0], len(limits)).astype(float)
        begun = float(weights[before > 0].sum())
        return Other(
            question="capacity", sites=found.sites, gains=served[found.sites], covered=begun + found.value, total=total,
            bound=begun + found.bound, gap=found.gap, is_optimal=found.is_optimal,
        )  # fmt: skip
    shares = np.append(np.zeros(times - 1), 1.0)
    found = choose_with_backup(
        covers, weights, shares=shares, n_sites=n_sites, times_covered=before, seconds_left=seconds_left
    )
    return Other(
        question="backup", sites=found.sites, gains=held[found.sites], covered=found.value, total=total,
        bound=found.bound, gap=found.gap, is_optimal=found.is_optimal,
    )  # fmt: skip
