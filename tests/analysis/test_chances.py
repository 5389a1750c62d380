"""Chances of counts, against `scipy.stats`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gridmap.analysis import chances

COUNTS = np.arange(-2, 60)
WANTED = st.floats(1e-6, 1 - 1e-6)


@given(st.floats(-8, 8))
def test_the_normal_tail_is_the_library_s(z: float):
    assert chances.normal_beyond(z) == pytest.approx(stats.norm.sf(z), rel=1e-10)


@given(st.integers(0, 50), st.floats(0, 1))
def test_binomial_tails_are_the_library_s(total: int, share: float):
    shares = np.full(COUNTS.shape, share)
    assert chances.binomial_at_most(COUNTS, total, shares) == pytest.approx(
        stats.binom.cdf(COUNTS, total, share), rel=1e-9, abs=1e-300
    )
    assert chances.binomial_at_least(COUNTS, total, shares) == pytest.approx(
        stats.binom.sf(COUNTS - 1, total, share), rel=1e-9, abs=1e-300
    )


@given(st.floats(1e-6, 1e3), st.floats(1e-3, 1e3), WANTED)
def test_poisson_and_negative_binomial_are_the_library_s(mean: float, size: float, wanted: float):
    chance = size / (size + mean)
    assert chances.poisson_at_most(COUNTS, np.full(COUNTS.shape, mean)) == pytest.approx(
        stats.poisson.cdf(COUNTS, mean), rel=1e-9, abs=1e-300
    )
    sizes = np.full(COUNTS.shape, size)
    assert chances.negative_binomial_at_most(COUNTS, sizes, chance * np.ones(COUNTS.shape)) == pytest.approx(
        stats.nbinom.cdf(COUNTS, size, chance), rel=1e-8, abs=1e-300
    )


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 1e3), WANTED)
def test_a_quantile_is_the_smallest_count_that_reaches_the_chance(mean: float, size: float, wanted: float):
    one = np.ones(1)
    chance = size / (size + mean) * one
    for found, at_most in (
        (chances.poisson_quantile(wanted, mean * one), lambda n: chances.poisson_at_most(n, mean * one)),
        (
            chances.negative_binomial_quantile(wanted, size * one, chance),
            lambda n: chances.negative_binomial_at_most(n, size * one, chance),
        ),
    ):
        assert at_most(found)[0] >= wanted
        assert found[0] == 0 or at_most(found - 1)[0] < wanted
