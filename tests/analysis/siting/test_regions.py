"""Sites chosen region by region anew."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from gridmap.analysis.siting import question as asking
from gridmap.analysis.siting.choose import choose_sites
from gridmap.analysis.siting.cover import Cover, cover_of, within
from gridmap.analysis.siting.regions import improved_by_regions


def town(seed: int, n_homes: int, n_sites: int) -> Cover:
    chance = np.random.default_rng(seed)
    homes, sites = chance.uniform(0, 5000, (n_homes, 2)), chance.uniform(0, 5000, (n_sites, 2))
    return cover_of(within(homes, sites, radius_m=400), chance.integers(1, 40, n_homes).astype(float))


def over_after(n_rounds: int) -> Callable[[float], bool]:
    rounds = itertools.count()
    return lambda _: next(rounds) >= n_rounds


@pytest.mark.parametrize("seed", range(3))
def test_sites_get_better_and_stay_as_many(seed: int):
    cover = town(seed, 500, 120)
    begun = np.arange(25)
    found = improved_by_regions(cover, begun, chance=np.random.default_rng(0), grain=1, is_over=over_after(60))
    assert len(np.unique(found)) == len(begun)
    best = choose_sites(cover.by_demand, cover.weights, n_sites=25, with_curve=False, seconds_left=lambda: 60.0)
    assert best.is_optimal
    assert cover.covered(begun) < 0.7 * best.covered
    assert 0.998 * best.covered <= cover.covered(found) <= best.covered


@pytest.mark.parametrize("seed", range(3))
def test_sites_leave_a_place_where_they_are_worth_little(seed: int):
    cover = town(seed, 200, 60)
    best = choose_sites(cover.by_demand, cover.weights, n_sites=4, with_curve=False, seconds_left=lambda: 60.0)
    worst = np.argsort(cover.by_site @ cover.weights)[:4]
    found = improved_by_regions(cover, worst, chance=np.random.default_rng(1), grain=1, is_over=over_after(20))
    assert cover.covered(worst) < 0.5 * best.covered
    assert cover.covered(found) == best.covered


def test_sites_that_are_best_are_returned_in_the_end():
    # Three pairs of homes far from each other: nothing is to be won.
    homes = np.array([[0, 0], [10, 0], [900, 0], [910, 0], [1900, 0], [1910, 0]])
    cover = cover_of(within(homes, homes, radius_m=50), np.arange(1.0, 7.0))
    found = improved_by_regions(
        cover, np.array([5, 2]), chance=np.random.default_rng(0), grain=1, is_over=lambda _: False
    )
    assert found.tolist() == [2, 5]


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_question_too_large_for_the_program_is_searched_by_regions(is_whole: bool, monkeypatch: pytest.MonkeyPatch):
    cover = town(5, 600, 120)
    weights = cover.weights if is_whole else cover.weights / 7
    best = choose_sites(cover.by_demand, weights, n_sites=20, with_curve=False, seconds_left=lambda: 60.0)
    for limit in ("_MOST_PAIRS_OF_STEP", "_MOST_PAIRS_OF_PROGRAM"):
        monkeypatch.setattr(asking, limit, 0)
    monkeypatch.setattr(asking, "can_be_solved", lambda *_, **__: False)
    monkeypatch.setattr(asking, "_MOST_PAIRS_OF_REGIONS", 10**6)
    monkeypatch.setattr(asking, "_ROUNDS_WHILE_TIME", 10)
    found = choose_sites(cover.by_demand, weights, n_sites=20, with_curve=False, seconds_left=lambda: 60.0)
    assert 0.998 * best.covered <= found.covered <= best.covered * (1 + 1e-6)
    assert found.bound >= best.covered * (1 - 1e-6)
