"""Mann-Kendall against published tables and every order there is; what a trend is called."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gridmap.analysis.hotspots.find import Rules
from gridmap.analysis.hotspots.near import Near, touching
from gridmap.analysis.hotspots.trend import mann_kendall, seasonal_mann_kendall, trends
from tests.analysis.hotspots.boards import board, township

RULES = Rules(alpha=0.05, min_households=10, min_expected=5)


def _series_with(n: int, s: int) -> np.ndarray:
    """n different values whose S is s: a rising series with neighbours exchanged."""
    order = list(range(n))
    while True:
        now = sum(np.sign(later - earlier) for earlier, later in itertools.combinations(order, 2))
        if now == s:
            return np.array(order, dtype=float)
        at = next(at for at in range(n - 1) if order[at] < order[at + 1])
        order[at], order[at + 1] = order[at + 1], order[at]


# Gilbert (1987), Statistical Methods for Environmental Pollution Monitoring, table A18: P(S >= s) without ties.
@pytest.mark.parametrize(
    ("n", "s", "tail"),
    [(4, 2, 0.375), (4, 4, 0.167), (4, 6, 0.042), (5, 4, 0.242), (5, 8, 0.042), (5, 10, 0.0083), (8, 2, 0.452),
     (8, 16, 0.031), (9, 18, 0.038), (10, 23, 0.023)],
)  # fmt: skip
def test_p_is_that_of_the_published_table(n: int, s: int, tail: float):
    found, p = mann_kendall(_series_with(n, s))
    assert found == s
    assert p / 2 == pytest.approx(tail, abs=0.0006)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_with_ties_p_is_the_share_of_all_orders(values: list[int]):
    def s_of(order: tuple[int, ...]) -> int:
        return sum((later > earlier) - (later < earlier) for earlier, later in itertools.combinations(order, 2))

    s, p = mann_kendall(np.array(values, dtype=float))
    every = [abs(s_of(order)) for order in itertools.permutations(values)]
    assert s == s_of(tuple(values))
    assert p == pytest.approx(np.mean([one >= abs(s) for one in every]))


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=20, unique=True))
def test_without_ties_p_is_that_of_kendalls_tau(values: list[int]):
    _, p = mann_kendall(np.array(values, dtype=float))
    tau = stats.kendalltau(np.arange(len(values)), values, method="exact")
    assert p == pytest.approx(tau.pvalue, rel=1e-9)


def test_a_long_series_goes_by_the_normal_distribution_with_ties_corrected():
    values = np.repeat([0.0, 1.0, 2.0], 20)
    s, p = mann_kendall(values)
    variance = (60 * 59 * 125 - 3 * 20 * 19 * 45) / 18
    assert s == 1200
    assert p == pytest.approx(2 * stats.norm.sf(1199 / variance**0.5))


def test_months_that_are_not_known_are_left_out():
    assert mann_kendall(np.array([1, np.nan, 2, 3, np.nan, 4.0])) == mann_kendall(np.array([1, 2, 3, 4.0]))


@pytest.mark.parametrize("values", [[], [1], [2, 2, 2], [np.nan, np.nan]])
def test_nothing_to_compare_is_no_trend(values: list[float]):
    assert mann_kendall(np.array(values, dtype=float)) == (0, 1)


def test_a_season_is_no_trend_but_a_rise_over_the_years_is():
    wave = np.array([0, 1, 3, 8, 13, 20, 21, 17, 9, 5, 2, 1.0])
    still = np.tile(wave, 5)
    assert seasonal_mann_kendall(still, season=12) == (0, 1)
    s, p = seasonal_mann_kendall(still + np.repeat(np.arange(5), 12), season=12)
    assert s == 12 * 10
    # The variance of ten pairs in each of twelve series of five: 12 x 5 x 4 x 15 / 18.
    assert p == pytest.approx(2 * stats.norm.sf(119 / 200**0.5))


def test_a_season_of_one_is_the_plain_test():
    values = np.random.default_rng(1).normal(size=60)
    assert seasonal_mann_kendall(values, season=1) == mann_kendall(values)
    with pytest.raises(ValueError, match="season"):
        seasonal_mann_kendall(values, season=0)


def _called(monthly: np.ndarray, classes: list[str], near: Near, homes: object = 50, **options: float) -> pd.DataFrame:
    frame = pd.DataFrame(monthly)
    households = pd.Series(homes, index=frame.index, dtype=float)
    given_options = {"min_months": 8, "persistent_share": 0.6} | options
    return trends(frame, households, near, pd.Series(classes, dtype=object), rules=RULES, **given_options)


def _islands(n: int) -> Near:
    grids = board(1, n)
    return touching(grids.set_geometry(grids.scale(0.5, 0.5)), tolerance_m=1)


def test_each_kind_of_trend_has_its_name():
    n_months = 12
    rising, falling = np.arange(n_months) * 2 + 10, 40 - np.arange(n_months) * 2
    steady_hot = 35 + np.tile([0, 1], n_months // 2)
    spikes = np.tile([60, 5, 5], n_months // 3)
    quiet = 3 + np.tile([0, 1, 0, 0], n_months // 4)
    monthly = np.array([rising, falling, steady_hot, spikes, quiet, quiet])
    classes = ["not significant", "not significant", "hot", "hot", "cold", "too few to say"]
    found = _called(monthly, classes, _islands(6))
    assert found["trend"].tolist() == ["emerging", "fading", "persistent", "sporadic", "steady", "too few to say"]
    assert np.isnan(found["trend_s"][5])


def test_what_the_whole_township_has_in_common_is_no_trend():
    common = np.arange(1, 13) * 10
    found = _called(np.array([common, common * 2, common]), ["not significant"] * 3, _islands(3), [50, 100, 50])
    assert (found["trend"] == "steady").all()
    assert (found["trend_s"].abs() < 1e-9).all()


def test_seasons_without_trends_raise_an_alarm_no_more_often_than_stated():
    grids, chance, n_maps = township(34), np.random.default_rng(1), 100
    near, homes = touching(grids, tolerance_m=0.1), grids["homes"]
    share, season = (homes / homes.sum()).to_numpy(), 1 + 0.6 * np.sin(np.arange(24) * np.pi / 6)
    alarms = 0
    for _ in range(n_maps):
        monthly = np.column_stack([chance.multinomial(chance.poisson(60 * month), share) for month in season])
        found = _called(monthly, ["not significant"] * 34, near, homes.to_numpy())
        alarms += found["trend"].isin(["emerging", "fading"]).any()
    assert alarms <= stats.binom.ppf(0.999, n_maps, RULES.alpha)


def test_few_months_say_nothing_and_months_without_incidents_do_not_count():
    monthly = np.zeros((2, 20), dtype=int)
    monthly[:, ::3] = [[1] * 7, [9] * 7]
    assert (_called(monthly, ["hot", "cold"], _islands(2))["trend"] == "too few to say").all()
    told = _called(monthly, ["hot", "cold"], _islands(2), min_months=7)
    assert (told["trend"] != "too few to say").all()


def test_grids_without_households_have_no_trend():
    found = _called(np.ones((2, 12)), ["not significant", "too few to say"], _islands(2), [50, 0])
    assert found["trend"].tolist() == ["steady", "too few to say"]


def test_numbers_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="same grids"):
        _called(np.ones((2, 12)), ["hot"], _islands(2))
    with pytest.raises(ValueError, match="persistent_share"):
        _called(np.ones((2, 12)), ["hot", "hot"], _islands(2), persistent_share=1.5)
    with pytest.raises(ValueError, match="min_months"):
        _called(np.ones((2, 12)), ["hot", "hot"], _islands(2), min_months=0)
