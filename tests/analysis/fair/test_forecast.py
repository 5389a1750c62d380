"""Forecast: by hand, its interval against simulated townships, the past never sees its own month."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gridmap.analysis.fair.forecast import Forecast, forecast_load


def _forecast(monthly: np.ndarray, homes: list[float] | np.ndarray, **changed: object) -> Forecast:
    n_months = monthly.shape[1]
    options = {"days": [30.0] * n_months, "next_days": 30.0, "share": 0.8, "most_tried": 6}
    return forecast_load(pd.DataFrame(monthly), pd.Series(homes, dtype=float), **{**options, **changed})


def _township(seed: int, n_months: int = 13) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    homes = rng.integers(40, 110, 34).astype(float)
    rates = homes * 0.06 * rng.gamma(6, 1 / 6, 34)
    return rng.poisson(np.outer(rates, np.ones(n_months))), homes


def test_two_months_by_hand_with_the_usual_rule():
    """Month before last keeps 0.9, grids differ by 0.1: grid a saw 0.9 · 4 + 6 = 9.6 in 19 weighted months of 10 homes' days."""
    found = _forecast(np.array([[4, 6], [2, 2]]), [10, 10]).table
    weight = 1.9 * 30
    seen, exposure = np.array([9.6, 3.8]), 10 * weight
    rate = (seen.sum() + 0.5) / (2 * exposure)
    expected = (seen + 10) / (exposure + 10 / rate) * 10 * 30
    assert found["forecast"].tolist() == pytest.approx(expected.tolist())
    size = 1 / (1 / (seen + 10) + 0.08)
    law = stats.nbinom(size, size / (size + expected))
    assert found["forecast_low"].tolist() == pytest.approx(law.ppf(0.1).tolist())
    assert found["forecast_high"].tolist() == pytest.approx(law.ppf(0.9).tolist())


def test_intervals_hold_what_they_promise_on_simulated_townships():
    """80 % promised; whole numbers make it a little more. 12 townships of 34 grids and 6 months each: 2,448 forecasts."""
    tried = [_forecast(*_township(seed)) for seed in range(12)]
    n, inside = sum(one.n_tried for one in tried), sum(one.n_inside for one in tried)
    assert n == 12 * 34 * 6
    assert 0.8 <= inside / n <= 0.93


def test_it_errs_less_than_the_last_month_repeated():
    tried = [_forecast(*_township(seed)) for seed in range(6)]
    assert all(one.error < one.error_of_last_month for one in tried)


def test_a_past_forecast_does_not_see_its_own_month_nor_later_ones():
    monthly, homes = _township(5)
    changed = monthly.copy()
    changed[:, -1] = 500
    before, after = (_forecast(one, homes, most_tried=2) for one in (monthly, changed))
    first = _forecast(monthly[:, :-1], homes, most_tried=1)
    last = _forecast(monthly, homes, most_tried=1)
    assert before.n_inside == first.n_inside + last.n_inside
    assert after.n_inside == first.n_inside


def test_longer_months_and_more_homes_expect_more():
    monthly, homes = _township(2)
    short, long = (_forecast(monthly, homes, next_days=days).table["forecast"] for days in (28.0, 31.0))
    np.testing.assert_allclose(long / short, 31 / 28)


def test_a_month_that_goes_on_counts_by_its_days():
    monthly = np.full((3, 6), 30)
    monthly[:, -1] = 5
    partial = _forecast(monthly, [50] * 3, days=[30.0] * 5 + [5.0]).table["forecast"]
    assert partial.tolist() == pytest.approx([30] * 3, rel=0.05)


def test_wider_intervals_hold_more():
    monthly, homes = _township(9)
    narrow, wide = (_forecast(monthly, homes, share=share).table for share in (0.5, 0.95))
    assert (wide["forecast_low"] <= narrow["forecast_low"]).all()
    assert (wide["forecast_high"] >= narrow["forecast_high"]).all()


def test_too_few_months_are_forecast_but_not_tried():
    found = _forecast(np.array([[3], [1]]), [10, 10])
    assert found.n_tried == 0
    assert np.isnan([found.coverage, found.error, found.error_of_last_month]).all()
    assert found.table["forecast"].notna().all()


def test_nothing_ever_is_little_and_no_homes_or_no_months_are_unknown():
    found = _forecast(np.zeros((2, 5), dtype=int), [10, 0]).table
    assert 0 < found["forecast"][0] < 0.3
    assert found.loc[1].isna().all()
    assert _forecast(np.zeros((2, 0), dtype=int), [10, 10]).table.isna().all(axis=None)


@pytest.mark.parametrize(
    "changed",
    [{"days": [30.0]}, {"days": [30.0, 0.0]}, {"next_days": 0.0}, {"share": 1.0}, {"most_tried": -1}],
)
def test_options_out_of_range_are_refused_by_name(changed: dict):
    with pytest.raises(ValueError, match=f"`{next(iter(changed))}`"):
        _forecast(np.array([[1, 2]]), [10], **changed)


def test_broken_counts_and_other_grids_are_refused():
    with pytest.raises(ValueError, match="`monthly`"):
        _forecast(np.array([[1, -2]]), [10])
    with pytest.raises(ValueError, match="same grids"):
        forecast_load(
            pd.DataFrame([[1]]), pd.Series([1.0], index=["x"]), days=[30], next_days=30, share=0.8, most_tried=0
        )
