"""Shrunken ratios: against integration on a fine mesh, between the raw ratio and 1, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gridmap.analysis.fair.shrunken import shrunken_ratios


def _ratios(counts: list[int], expected: list[float], share: float = 0.95) -> pd.DataFrame:
    return shrunken_ratios(pd.Series(counts), pd.Series(expected, dtype=float), share=share)


def test_small_and_large_grids_with_the_same_ratio():
    """3 for 1 expected and 30 for 10 expected, among grids as expected: the small one moves towards 1, the large one stays."""
    table = _ratios([3, 30, *[10] * 10], [1, 10, *[10] * 10])
    small, large = table["shrunken"][:2]
    assert 1 < small < 1.7
    assert 1.9 < large < 3
    assert table["rank"].tolist()[:2] == [2, 1]


def test_mean_and_interval_are_those_of_an_integral_over_the_ratio():
    """The posterior of each ratio on a mesh, with spreads of 0.01 to 1.5 weighed by the likelihood of all grids."""
    counts, expected = np.array([0, 4, 9, 25]), np.array([2.0, 5.0, 8.0, 10.0])
    table = _ratios(counts.tolist(), expected.tolist(), share=0.9)
    mesh = np.linspace(1e-4, 12, 40_000)
    spreads = np.linspace(0.01, 1.5, 60)
    weights = np.array([np.prod(stats.nbinom.pmf(counts, 1 / s**2, 1 / (1 + s**2 * expected))) for s in spreads])
    for at, (count, mean) in enumerate(zip(counts, expected, strict=True)):
        density = sum(
            weight * stats.gamma.pdf(mesh, count + s**-2, scale=1 / (mean + s**-2))
            for s, weight in zip(spreads, weights, strict=True)
        )
        density /= density.sum()
        reached = np.cumsum(density)
        assert table["shrunken"][at] == pytest.approx((mesh * density).sum(), rel=2e-3)
        assert table["shrunken_low"][at] == pytest.approx(mesh[np.searchsorted(reached, 0.05)], rel=5e-3)
        assert table["shrunken_high"][at] == pytest.approx(mesh[np.searchsorted(reached, 0.95)], rel=5e-3)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 80), st.floats(0.2, 50)), min_size=1, max_size=12))
def test_a_ratio_moves_towards_one_and_lies_in_its_interval(rows: list[tuple[int, float]]):
    table = _ratios([row[0] for row in rows], [row[1] for row in rows])
    raw = np.array([count / mean for count, mean in rows])
    shrunken = table["shrunken"].to_numpy()
    assert (shrunken >= np.minimum(raw, 1) - 1e-9).all()
    assert (shrunken <= np.maximum(raw, 1) + 1e-9).all()
    assert (table["shrunken_low"] < shrunken).all()
    assert (shrunken < table["shrunken_high"]).all()


def test_few_and_equal_grids_do_not_pretend_that_nobody_differs():
    table = _ratios([5, 5], [5, 5])
    assert table["shrunken"].tolist() == pytest.approx([1, 1])
    assert (table["shrunken_high"] - table["shrunken_low"] > 0.5).all()


def test_one_incident_more_never_lowers_a_ratio():
    found = [_ratios([count, 10, 8], [9, 9, 9])["shrunken"][0] for count in range(40)]
    assert (np.diff(found) > 0).all()


def test_what_cannot_be_compared_has_no_rank():
    table = _ratios([4, 3], [float("nan"), 3.0])
    assert table.loc[0].isna().all()
    assert table["rank"][1] == 1
    assert _ratios([4], [float("nan")]).isna().all(axis=None)


@pytest.mark.parametrize(
    ("counts", "expected", "share", "named"),
    [([1], [0.0], 0.9, "expected"), ([1.5], [1.0], 0.9, "actual"), ([1], [1.0], 1.0, "share")],
)
def test_numbers_out_of_range_are_refused_by_name(counts: list, expected: list, share: float, named: str):
    with pytest.raises(ValueError, match=f"`{named}`"):
        _ratios(counts, expected, share)


def test_other_grids_are_refused():
    with pytest.raises(ValueError, match="same grids"):
        shrunken_ratios(pd.Series([1]), pd.Series([1.0], index=["x"]), share=0.9)
