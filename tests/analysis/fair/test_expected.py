"""Expected load: by hand, against a general optimiser, additive, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from gridmap.analysis.fair.expected import expected_load, per_household
from gridmap.analysis.fair.shrunken import past_ratio
from gridmap.analysis.fair.terrain import path_metres
from gridmap.errors import CrsError

GRIDS = ["a", "b", "c", "d"]


def _series(*values: float) -> pd.Series:
    return pd.Series(values, index=GRIDS[: len(values)])


def _township(seed: int, n: int = 34) -> tuple[pd.Series, pd.Series, pd.Series]:
    rng = np.random.default_rng(seed)
    homes = pd.Series(rng.integers(15, 101, n).astype(float))
    factor = pd.Series(rng.normal(size=n))
    counts = pd.Series(rng.poisson(homes * 0.1 * np.exp(0.3 * factor) * rng.gamma(8, 1 / 8, n)))
    return counts, homes, factor


def _by_optimiser(
    counts: np.ndarray, homes: np.ndarray, design: np.ndarray, dispersion: float, centre: float
) -> np.ndarray:
    """Minimise the penalised negative log likelihood with a general method that knows nothing of this model."""
    size = 1 / dispersion

    def loss(effects: np.ndarray) -> float:
        mean = homes * np.exp(design @ effects)
        likelihood = (
            special.gammaln(counts + size) + size * np.log(size / (size + mean)) + counts * np.log(mean / (size + mean))
        ).sum()
        return -likelihood + ((effects[0] - centre) / 3) ** 2 / 2 + (effects[1:] ** 2).sum() / 0.5**2 / 2

    start = np.zeros(design.shape[1])
    start[0] = centre
    return optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-9}).x


def test_three_grids_by_hand_each_judged_by_the_other_two():
    """a: 18 in the 200 homes of b and c, so 4.5 in its own 50. b: 14 in 150, so 28/3 in 100. c: 16 in 150. The level's prior is weak."""
    table = expected_load(_series(6, 10, 8), _series(50, 100, 100), {}).table
    assert table["expected"].tolist() == pytest.approx([4.5, 28 / 3, 32 / 3], rel=0.002)


def test_equal_rates_are_expected_exactly_and_without_dispersion():
    found = expected_load(_series(5, 10, 20, 40), _series(10, 20, 40, 80), {})
    assert found.table["expected"].tolist() == pytest.approx([5, 10, 20, 40], rel=1e-3)
    assert found.dispersion == 0


def test_the_level_is_as_uncertain_as_the_others_counts():
    """The logarithm of a Poisson total of 70 varies by 1/70 (a little less with the weak prior)."""
    found = expected_load(_series(5, 10, 20, 40), _series(10, 20, 40, 80), {})
    assert found.table.loc["a", "variance"] == pytest.approx(1 / 70, rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_effects_and_the_judgement_of_the_others_are_those_of_a_general_optimiser(seed: int):
    counts, homes, factor = _township(seed)
    found = expected_load(counts, homes, {"x": factor})
    standard = ((factor - factor.mean()) / factor.std(ddof=0)).to_numpy()
    design = np.column_stack([np.ones(34), standard])
    centre = float(np.log((counts.sum() + 0.5) / homes.sum()))
    dispersion = max(found.dispersion, 1e-12)
    numbers, sizes = counts.to_numpy(float), homes.to_numpy()
    if found.dispersion > 1e-6:
        whole = _by_optimiser(numbers, sizes, design, dispersion, centre)
        assert found.effects["x"] == pytest.approx(np.exp(whole[1]), rel=1e-4)
        for at in (0, 17, 33):
            others = np.arange(34) != at
            fit = _by_optimiser(numbers[others], sizes[others], design[others], dispersion, centre)
            assert found.table["expected"][at] == pytest.approx(sizes[at] * np.exp(design[at] @ fit), rel=1e-4)


def test_at_least_one_of_the_optimised_townships_is_dispersed():
    assert max(expected_load(*_township(seed)[:2], {}).dispersion for seed in range(3)) > 0.01


def test_a_factor_that_drives_the_load_is_found():
    rng = np.random.default_rng(7)
    homes, factor = pd.Series(np.full(60, 80.0)), pd.Series(rng.normal(size=60))
    counts = pd.Series(rng.poisson(8 * np.exp(0.4 * factor)))
    assert expected_load(counts, homes, {"x": factor}).effects["x"] == pytest.approx(np.exp(0.4), rel=0.15)


def test_a_constant_factor_and_a_grid_without_homes_change_nothing():
    counts, homes, _ = _township(1)
    plain = expected_load(counts, homes, {}).table
    same = expected_load(counts, homes, {"x": pd.Series(np.full(34, 3.3))})
    assert same.effects["x"] == pytest.approx(1)
    pd.testing.assert_frame_equal(plain, same.table)
    more = expected_load(
        pd.concat([counts, pd.Series([7], index=[99])]), pd.concat([homes, pd.Series([0.0], index=[99])]), {}
    ).table
    pd.testing.assert_frame_equal(more.iloc[:34], plain)
    assert more.loc[99].isna().all()


def test_one_exceptional_grid_does_not_move_its_own_standard():
    counts, homes, _ = _township(2)
    quiet = expected_load(counts, homes, {}).table
    counts[5] *= 20
    loud = expected_load(counts, homes, {}).table
    assert loud["expected"][5] == pytest.approx(quiet["expected"][5], rel=0.02)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 100)), min_size=2, max_size=12))
def test_whatever_the_counts_the_expected_load_is_finite_and_scales_with_homes(rows: list[tuple[int, int]]):
    counts, homes = (pd.Series([row[at] for row in rows]) for at in (0, 1))
    found = expected_load(counts, homes, {})
    assert np.isfinite(found.table.to_numpy()).all()
    assert (found.table["expected"] > 0).all()
    assert found.dispersion >= 0
    doubled = expected_load(counts, homes * 2, {}).table["expected"]
    np.testing.assert_allclose(doubled, found.table["expected"], rtol=1e-6)


def test_many_grids_are_judged_in_portions_as_in_one(monkeypatch: pytest.MonkeyPatch):
    counts, homes, factor = _township(3)
    whole = expected_load(counts, homes, {"x": factor}).table
    monkeypatch.setattr("gridmap.analysis.fair.expected._MOST_CELLS", 200)
    pd.testing.assert_frame_equal(expected_load(counts, homes, {"x": factor}).table, whole)


def test_one_grid_has_nobody_to_be_compared_with():
    assert expected_load(_series(3), _series(80), {}).table.isna().all(axis=None)


@pytest.mark.parametrize(
    ("counts", "homes", "named"),
    [
        ((1, 2), (0, 0), "households"),
        ((1, -2), (5, 5), "actual"),
        ((1, 2.5), (5, 5), "actual"),
        ((1, np.nan), (5, 5), "actual"),
        ((1, 2), (5, -1), "households"),
        ((1, 2), (5, np.inf), "households"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(counts: tuple, homes: tuple, named: str):
    with pytest.raises(ValueError, match=f"`{named}`"):
        expected_load(_series(*counts), _series(*homes), {})


def test_other_grids_and_unknown_factors_are_refused():
    with pytest.raises(ValueError, match="same grids"):
        expected_load(_series(1, 2), pd.Series([5, 5]), {})
    with pytest.raises(ValueError, match="`x` must be finite"):
        expected_load(_series(1, 2), _series(5, 5), {"x": _series(1, np.nan)})
    with pytest.raises(ValueError, match="`amounts`"):
        per_household(_series(1, -2), _series(5, 5))


def test_amounts_per_household_by_hand():
    factor = per_household(_series(0, 50, 9), _series(10, 50, 0))
    assert factor.tolist()[:2] == pytest.approx([0, np.log(2)])
    assert np.isnan(factor["c"])


def test_the_past_is_a_shrunken_ratio_and_nothing_where_nothing_happened():
    ratio = past_ratio(_series(40, 10, 10, 0), _series(100, 100, 100, 0))
    assert 1 < ratio["a"] < 2
    assert ratio["b"] == ratio["c"] < 1
    assert np.isnan(ratio["d"])
    assert past_ratio(_series(0, 0), _series(5, 5)).tolist() == [1, 1]


def test_a_grid_that_always_had_twice_as_many_is_expected_to_have_twice_as_many():
    counts, homes, _ = _township(4)
    past = pd.Series(np.where(np.arange(34) == 3, 2.0, 1.0))
    plain = expected_load(counts, homes, {}).table["expected"]
    asked = expected_load(counts, homes, {}, past=past).table["expected"]
    assert asked[3] == pytest.approx(2 * plain[3], rel=0.02)


@pytest.mark.parametrize("past", [(1, 0), (1, np.nan)])
def test_a_past_that_is_no_ratio_is_refused(past: tuple):
    with pytest.raises(ValueError, match="`past`"):
        expected_load(_series(1, 2), _series(5, 5), {}, past=_series(*past))
    with pytest.raises(ValueError, match="`past`"):
        expected_load(_series(1, 2), _series(5, 5), {}, past=pd.Series([1.0, 1.0]))


def test_paths_are_measured_inside_and_on_both_sides_of_a_border():
    grids = GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)], crs=4547, index=["w", "e"])
    lines = ["LINESTRING (5 5, 15 5)", "LINESTRING (10 0, 10 4)", "LINESTRING (1 1, 1 8)", "LINESTRING (30 0, 40 0)"]
    paths = GeoDataFrame(geometry=[*shapely.from_wkt(lines), None], crs=4547)
    assert path_metres(paths, grids).to_dict() == {"w": 5 + 4 + 7, "e": 5 + 4}
    assert path_metres(paths.iloc[:0], grids).tolist() == [0, 0]
    with pytest.raises(CrsError):
        path_metres(paths.set_crs(4548, allow_override=True), grids)
