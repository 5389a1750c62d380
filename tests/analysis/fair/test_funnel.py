"""Limits and classes: against scipy's own distributions, published rules, and many equal townships."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gridmap.analysis.fair.expected import expected_load, per_household
from gridmap.analysis.fair.funnel import AS_EXPECTED, HIGHER, LOWER, TOO_FEW, cumulative, funnel, limits
from gridmap.analysis.fair.shrunken import past_ratio


def _funnel(counts: list[int], expected: list[float], variance: float = 0.0, alpha: float = 0.05) -> pd.DataFrame:
    return funnel(pd.Series(counts), pd.Series(expected, dtype=float), pd.Series([variance] * len(counts)), alpha=alpha)


def test_a_small_grid_is_not_the_worst_by_two_events():
    """30 households that let expect 1 had 3, three times as many: nothing can be said. A grid of 90 had 27 for 9."""
    table = _funnel([3, 27, 9, 9], [1, 9, 9, 9])
    assert table["ratio"].tolist()[:2] == [3, 3]
    assert table["class"].tolist() == [TOO_FEW, HIGHER, AS_EXPECTED, AS_EXPECTED]


def test_exact_chances_by_hand():
    """Poisson 2: at least 5 = 1 - e^-2 (1 + 2 + 2 + 4/3 + 2/3) = 0.0527; none for 5 expected: e^-5."""
    table = _funnel([5, 0], [2, 5])
    assert table["p"].tolist() == pytest.approx([2 * (1 - 7 * np.exp(-2)), 2 * np.exp(-5)])
    assert table["q"].tolist() == pytest.approx([table["p"][0], 2 * table["p"][1]])


def test_fewer_than_expected_is_lower():
    assert _funnel([2, 20, 20], [20, 20, 20])["class"][0] == LOWER


def test_chances_with_dispersion_are_those_of_a_gamma_mixed_poisson():
    """Integrated by a fine sum over the gamma distribution of the true load, not by the closed form."""
    mean, variance = 6.0, 0.4
    chances = (np.arange(20_000) + 0.5) / 20_000
    loads = stats.gamma.ppf(chances, 1 / variance, scale=mean * variance)
    for count in (0, 3, 11):
        mixed = stats.poisson.cdf(count, loads).mean()
        assert cumulative(np.array([count]), np.array([mean]), np.array([variance]))[0] == pytest.approx(
            mixed, abs=1e-5
        )


@pytest.mark.parametrize("variance", [0.0, 0.2])
@pytest.mark.parametrize("share", [0.95, 0.998])
def test_limits_lie_between_the_counts_on_either_side_of_the_quantile(variance: float, share: float):
    expected = np.array([0.5, 3.0, 9.5, 40.0, 300.0])
    law = stats.poisson(expected) if variance == 0 else stats.nbinom(1 / variance, 1 / (1 + variance * expected))
    low, high = limits(expected, np.full(5, variance), share=share)
    for found, chance in ((low, (1 - share) / 2), (high, (1 + share) / 2)):
        count = law.ppf(chance)
        assert (found * expected <= count + 1e-9).all()
        assert (found * expected >= np.maximum(count - 1, 0) - 1e-9).all()


def test_interpolated_limits_by_the_published_formula():
    """Spiegelhalter (2005), appendix A.1: r the quantile, alpha = (F(r) - p) / (F(r) - F(r - 1)), limit = r - alpha."""
    law = stats.poisson(10)
    r = law.ppf(0.975)
    step = (law.cdf(r) - 0.975) / (law.cdf(r) - law.cdf(r - 1))
    _, high = limits(np.array([10.0]), np.zeros(1), share=0.95)
    assert high[0] == pytest.approx((r - step) / 10)


def test_limits_narrow_as_more_is_expected_and_widen_with_dispersion():
    expected = np.linspace(0.3, 200, 600)
    low, high = limits(expected, np.zeros(600), share=0.95)
    assert (np.diff(high) <= 1e-9).all()
    assert (np.diff(low) >= -1e-9).all()
    wide_low, wide_high = limits(expected, np.full(600, 0.3), share=0.95)
    assert (wide_high > high).all()
    assert (wide_low <= low).all()


def test_what_cannot_be_compared_is_not_compared():
    table = _funnel([4, 0], [float("nan"), 8.0])
    assert table["class"].tolist() == [TOO_FEW, LOWER]
    assert table.loc[0, ["ratio", "low_95", "high_998", "p", "q"]].isna().all()
    assert table["q"][1] == table["p"][1]


@pytest.mark.parametrize(
    ("counts", "expected", "variance", "alpha", "named"),
    [
        ([1], [0.0], 0.0, 0.05, "expected"),
        ([1], [np.inf], 0.0, 0.05, "expected"),
        ([-1], [2.0], 0.0, 0.05, "actual"),
        ([1], [2.0], -0.1, 0.05, "variance"),
        ([1], [2.0], 0.0, 1.0, "alpha"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(
    counts: list, expected: list, variance: float, alpha: float, named: str
):
    with pytest.raises(ValueError, match=f"`{named}`"):
        _funnel(counts, expected, variance, alpha)


def test_other_grids_are_refused():
    with pytest.raises(ValueError, match="same grids"):
        funnel(pd.Series([1]), pd.Series([1.0], index=["x"]), pd.Series([0.0]), alpha=0.05)


def test_of_equal_grids_of_different_sizes_at_most_one_in_twenty_townships_has_a_finding():
    """The same true rate, 15 to 100 households; terrain and past are noise. 210 townships, judged with an exact 99.9 % margin."""
    rng = np.random.default_rng(20261031)
    n_maps, found, flagged = 210, 0, 0
    for at in range(n_maps):
        homes = pd.Series(rng.integers(15, 101, 34).astype(float))
        counts = pd.Series(rng.poisson(homes * (0.02, 0.08, 0.3)[at % 3]))
        factors = {"terrain": per_household(pd.Series(rng.uniform(500, 9000, 34)), homes)}
        past = past_ratio(pd.Series(rng.poisson(homes * 0.8)), homes)
        model = expected_load(counts, homes, factors, past=past)
        judged = funnel(counts, model.table["expected"], model.table["variance"] + model.dispersion, alpha=0.05)[
            "class"
        ]
        n = int(judged.isin([HIGHER, LOWER]).sum())
        found, flagged = found + (n > 0), flagged + n
    assert found <= stats.binom.ppf(0.999, n_maps, 0.05)
    assert flagged / (34 * n_maps) <= 0.05


def test_a_grid_three_times_as_loaded_as_its_like_is_found():
    """8 expected, Poisson 24: above 19, the limit for 34 comparisons, in 8 of 10; 40 townships, with an exact 99.9 % margin."""
    rng = np.random.default_rng(3)
    n_found = 0
    for _ in range(40):
        homes = pd.Series(rng.integers(60, 101, 34).astype(float))
        rates = np.full(34, 0.1)
        rates[4] *= 3
        counts = pd.Series(rng.poisson(homes * rates))
        model = expected_load(counts, homes, {})
        judged = funnel(counts, model.table["expected"], model.table["variance"] + model.dispersion, alpha=0.05)
        n_found += judged["class"][4] == HIGHER
    assert n_found >= stats.binom.ppf(0.001, 40, 0.8)
