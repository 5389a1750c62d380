"""The sweep against every choice tried by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from gridmap.analysis.siting import choose as choosing
from gridmap.analysis.siting import question as asking
from gridmap.analysis.siting.bound import Prices, by_program, prices_of
from gridmap.analysis.siting.choose import choose_sites
from gridmap.analysis.siting.cover import Cover, cover_of, within
from gridmap.analysis.siting.sweep import sweep


def never() -> bool:
    return False


@st.composite
def questions(draw: st.DrawFn) -> tuple[Cover, int, Prices]:
    """A cover, a number of sites, and prices: of the relaxation, or any at all."""
    n_demand, n_sites = draw(st.integers(1, 12)), draw(st.integers(2, 7))
    table = draw(arrays(bool, (n_demand, n_sites)))
    weights = draw(arrays(float, n_demand, elements=st.integers(0, 9).map(float)))
    cover, n_chosen = cover_of(csr_array(table), weights), draw(st.integers(1, n_sites - 1))
    shares = draw(arrays(float, n_demand, elements=st.integers(0, 7).map(lambda part: part / 7)))
    relaxed = by_program(cover, n_chosen, seconds=10) if draw(st.booleans()) else None
    return cover, n_chosen, relaxed.prices if relaxed else prices_of(cover, weights * shares)


def best_by_hand(cover: Cover, n_chosen: int) -> float:
    choices = itertools.combinations(range(cover.n_sites), n_chosen)
    return max(cover.covered(np.array(chosen)) for chosen in choices)


@given(questions(), st.integers(0, 60), st.sampled_from([1.0, 0.25]))
def test_the_best_is_found_where_it_loses_no_more_than_is_followed(case: tuple, most_lost: int, grain: float):
    cover, n_chosen, prices = case
    best, bound = best_by_hand(cover, n_chosen), prices.bound(n_chosen)
    assert bound >= best - 1e-9
    found = sweep(cover, n_chosen, prices=prices, most_lost=most_lost, grain=grain, n_steps=10**6, is_over=never)
    assert found.is_ended
    if bound - best <= most_lost:
        assert found.sites is not None
        assert len(set(found.sites.tolist())) == n_chosen
        assert cover.covered(found.sites) == pytest.approx(best)
        assert found.bound == pytest.approx(best)
    else:
        assert found.sites is None
        assert found.bound == pytest.approx(bound - most_lost)


def town(seed: int, n_homes: int, n_sites: int) -> Cover:
    chance = np.random.default_rng(seed)
    homes, sites = chance.uniform(0, 3000, (n_homes, 2)), chance.uniform(0, 3000, (n_sites, 2))
    return cover_of(within(homes, sites, radius_m=350), chance.integers(1, 40, n_homes).astype(float))


@pytest.mark.parametrize("n_steps", [0, 1000, 2000, 4000, 10**6])
def test_a_sweep_that_is_broken_off_still_bounds(n_steps: int):
    cover = town(1, 150, 80)
    # Prices that are no good leave very many choices open.
    prices = prices_of(cover, cover.weights / 2)
    relaxed = by_program(cover, 9, seconds=60)
    assert relaxed is not None
    best = sweep(cover, 9, prices=relaxed.prices, most_lost=100, grain=1, n_steps=10**6, is_over=never)
    assert best.is_ended
    assert best.sites is not None
    found = sweep(cover, 9, prices=prices, most_lost=prices.bound(9), grain=1, n_steps=n_steps, is_over=never)
    assert found.is_ended == (found.sites is not None and cover.covered(found.sites) == found.bound)
    assert best.bound <= found.bound + 1e-6 <= prices.bound(9) + 1e-5


def test_a_clock_that_is_over_ends_the_sweep():
    cover = town(2, 150, 80)
    prices = prices_of(cover, cover.weights / 2)
    found = sweep(cover, 9, prices=prices, most_lost=prices.bound(9), grain=1, n_steps=10**9, is_over=lambda: True)
    assert not found.is_ended
    assert found.bound <= prices.bound(9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_sites", [12, 20])
def test_with_and_without_the_sweep_the_answer_is_the_same(seed: int, n_sites: int, monkeypatch: pytest.MonkeyPatch):
    cover = town(seed, 200, 110)
    asked = {"n_sites": n_sites, "with_curve": False, "seconds_left": lambda: 60.0}
    swept = choose_sites(cover.by_demand, cover.weights, **asked)
    monkeypatch.setattr(asking, "_STEPS_OF_SWEEP", (-1, -1))
    solved = choosing.choose_sites(cover.by_demand, cover.weights, **asked)
    assert swept.is_optimal
    assert solved.is_optimal
    assert swept.covered == solved.covered
