"""Siting in a straight line: from places in metres to chosen places, recounted by distances of their own."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridmap.analysis.siting.choose import Siting, choose_sites
from gridmap.analysis.siting.cover import Flags, Floats, reach_with_rounding, within


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What one more place would win: demand that nothing covers yet, and its weight."""

    n_demand: int
    weight: float


def choose_places(
    demand_xy: Floats,
    weights: Floats,
    *,
    candidates_xy: Floats | None = None,
    existing_xy: Floats | None = None,
    radius_m: float,
    n_sites: int,
    with_curve: bool = True,
    seconds_left: Callable[[], float],
) -> Siting:
    """Choose the places from which most weight lies within a radius, beside those that exist.

    Parameters
    ----------
    demand_xy
        One place a row, metres.
    weights
        Of each demand, 0 or more.
    candidates_xy
        Where points may stand; None: at any demand.
    existing_xy
        Points that stay; None: none.
    radius_m
        A distance that is equal covers; above 0.
    n_sites
        How many candidates are chosen, from 1 to all.
    with_curve
        Whether fewer points are tried as well.
    seconds_left
        Asked again and again; at 0 the best so far is returned with its bound.

    Raises
    ------
    ValueError
        If there is no demand, a coordinate or weight is not finite, a weight is negative, the radius is not above 0, or the
        number is not from 1 to that of the candidates.
    RuntimeError
        If a recount by distances contradicts the answer: a fault of this program.

    Examples
    --------
    >>> homes = np.array([[0, 0], [300, 0], [600, 0], [5000, 0]])
    >>> found = choose_places(homes, np.array([1, 1, 1, 2]), radius_m=300, n_sites=1, seconds_left=lambda: 10.0)
    >>> found.sites.tolist(), found.covered, found.is_optimal
    ([1], 3.0, True)
    """
    demand_xy, weights = np.asarray(demand_xy, dtype=float).reshape(-1, 2), np.asarray(weights, dtype=float)
    if not len(demand_xy):
        raise ValueError("There is no demand.")
    candidates_xy = demand_xy if candidates_xy is None else np.asarray(candidates_xy, dtype=float).reshape(-1, 2)
    covers = within(demand_xy, candidates_xy, radius_m=radius_m)
    existing_xy = np.empty((0, 2)) if existing_xy is None else np.asarray(existing_xy, dtype=float).reshape(-1, 2)
    is_covered = np.diff(within(demand_xy, existing_xy, radius_m=radius_m).indptr) > 0
    found = choose_sites(
        covers, weights, n_sites=n_sites, is_covered=is_covered, with_curve=with_curve, seconds_left=seconds_left
    )
    stand_xy = np.concatenate([existing_xy, candidates_xy[found.sites]])
    reach_m = reach_with_rounding(radius_m, demand_xy, candidates_xy, existing_xy)
    recount = math.fsum(weights[_nearest_m(demand_xy, stand_xy) <= reach_m])
    if not math.isclose(recount, found.covered, rel_tol=1e-9, abs_tol=1e-9):
        raise RuntimeError(
            f"The siting is wrong: it claims {found.covered}, distances give {recount}. Report this as a fault."
        )
    return found


def gain_at(demand_xy: Floats, weights: Floats, *, is_covered: Flags, place_xy: Floats, radius_m: float) -> Gain:
    """Count what one more point at a place would win.

    Parameters
    ----------
    demand_xy, weights
        One place a row, metres; weight of each.
    is_covered
        Demand that something covers already.
    place_xy
        East and north of the point.
    radius_m
        A distance that is equal covers; above 0.

    Raises
    ------
    ValueError
        If the radius is not above 0.

    Examples
    --------
    >>> homes, weights = np.array([[0.0, 0.0], [100.0, 0.0], [400.0, 0.0]]), np.array([3.0, 1.0, 5.0])
    >>> gain_at(homes, weights, is_covered=np.array([True, False, False]), place_xy=np.array([0.0, 0.0]), radius_m=100)
    Gain(n_demand=1, weight=1.0)
    """
    if not radius_m > 0:
        raise ValueError(f"`radius_m` must be above 0, got {radius_m}.")
    away = np.asarray(demand_xy, dtype=float) - np.asarray(place_xy, dtype=float)
    reach_m = reach_with_rounding(radius_m, demand_xy, np.atleast_2d(place_xy))
    is_won = ~is_covered & (np.hypot(away[:, 0], away[:, 1]) <= reach_m)
    return Gain(n_demand=int(is_won.sum()), weight=float(weights[is_won].sum()))


def _nearest_m(demand_xy: Floats, stand_xy: Floats) -> Floats:
    """Return the distance from each demand to the nearest place, one by one: no tree, no squares."""
    nearest = np.full(len(demand_xy), np.inf)
    for east, north in stand_xy:
        np.minimum(nearest, np.hypot(demand_xy[:, 0] - east, demand_xy[:, 1] - north), out=nearest)
    return nearest
