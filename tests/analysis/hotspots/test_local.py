"""Gi* and local Moran against published figures, and against every permutation there is."""

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from gridmap.analysis.hotspots.local import getis_ord, local_moran, permuted_chances, quadrants
from gridmap.analysis.hotspots.near import Near, touching, within_distance
from gridmap.analysis.hotspots.overall import moran, overall
from tests.analysis.hotspots.boards import METRIC, board, township

# The example in the documentation of esda.G_Local.
PLACES = [(10, 10), (20, 10), (40, 10), (15, 20), (30, 20), (30, 30)]
VALUES = np.array([2, 3, 3.2, 5, 8, 7])


def _documented() -> Near:
    return within_distance(gpd.GeoSeries(shapely.points(PLACES), crs=METRIC), distance_m=15)


def test_gi_star_is_that_of_the_documentation_of_esda():
    expected = [-1.39727626, -0.28917762, 0.65064964, -0.28917762, 1.23452088, 2.02424331]
    found = getis_ord(VALUES, _documented())
    assert found.z == pytest.approx(expected, abs=1e-8)
    assert found.p == pytest.approx(2 * stats.norm.sf(np.abs(expected)), abs=1e-8)


def test_gi_star_by_its_formula():
    grids = township(30)
    near, values = touching(grids, tolerance_m=0.1), np.random.default_rng(1).gamma(2, 1, 30)
    n, mean, spread = 30, values.mean(), np.sqrt((values**2).mean() - values.mean() ** 2)
    for at, z in enumerate(getis_ord(values, near).z):
        w = np.zeros(n)
        w[[at, *near.of(at)]] = 1
        below = spread * np.sqrt((n * (w**2).sum() - w.sum() ** 2) / (n - 1))
        assert z == pytest.approx((w @ values - w.sum() * mean) / below, abs=1e-10)


def _conditional(values: np.ndarray, near: Near, at: int) -> np.ndarray:
    """Local Moran of one grid under every way to put the others around it."""
    z = (values - values.mean()) / values.std()
    others = np.delete(z, at)
    around = [np.mean(drawn) for drawn in itertools.permutations(others, int(near.n_near[at]))]
    return (len(z) - 1) / len(z) * z[at] * np.array(around)


def test_the_moments_of_local_moran_are_those_of_all_permutations():
    near = _documented()
    found = local_moran(VALUES, near)
    z = (VALUES - VALUES.mean()) / VALUES.std()
    for at in range(len(VALUES)):
        assert found.value[at] == pytest.approx(5 / 6 * z[at] * z[near.of(at)].mean(), abs=1e-12)
        everything = _conditional(VALUES, near, at)
        # Sokal's moments are those of Σ w z_i z_j; esda's Is has n - 1 in the place of n.
        exact_mean, exact_spread = everything.mean() * 6 / 5, everything.std() * 6 / 5
        assert found.z[at] == pytest.approx((found.value[at] - exact_mean) / exact_spread, abs=1e-10)


def test_permuted_chances_come_near_to_all_permutations():
    near = touching(board(2, 4), tolerance_m=0)
    values = np.array([3, 1, 4, 1, 5, 9, 2, 6.0])
    found = permuted_chances(values, near, permutations=20_000, rng=np.random.default_rng(3))
    for at, p in enumerate(found):
        others, own = np.delete(values, at), values[near.of(at)].sum()
        sums = np.array([sum(drawn) for drawn in itertools.combinations(others, int(near.n_near[at]))])
        assert p == pytest.approx(min(1, 2 * min((sums >= own).mean(), (sums <= own).mean())), abs=0.015)


def test_what_follows_from_the_seed_comes_out_again():
    near = touching(township(50), tolerance_m=0.1)
    values = np.random.default_rng(2).normal(size=50)
    first, again, other = (
        permuted_chances(values, near, permutations=99, rng=np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_many_draws_at_once_or_in_parts_have_the_same_law():
    near = touching(board(20, 25), tolerance_m=0)
    values = np.random.default_rng(2).normal(size=500)
    found = permuted_chances(values, near, permutations=999, rng=np.random.default_rng(1))
    assert stats.kstest(found, "uniform").pvalue > 0.001


@given(st.lists(st.integers(0, 5), min_size=9, max_size=9))
@example([0, 1, 1, 1, 1, 1, 1, 1, 1])
def test_adding_a_constant_or_a_factor_changes_no_judgement(values: list[int]):
    near, plain = touching(board(3, 3), tolerance_m=0), np.array(values, dtype=float)
    for statistic in (getis_ord, local_moran):
        before, after = statistic(plain, near).z, statistic(plain * 3 + 7, near).z
        assert after == pytest.approx(before, abs=1e-9, nan_ok=True)


def test_nothing_is_said_of_a_grid_whose_others_are_all_equal():
    values = np.array([0.0, 1, 1, 1, 1, 1, 1, 1, 1])
    z = local_moran(values, touching(board(3, 3), tolerance_m=0)).z
    assert np.isnan(z[0])
    assert np.isfinite(z[[1, 2, 3, 5]]).all()


def test_nothing_is_said_without_spread_or_neighbours():
    near = touching(board(1, 3), tolerance_m=0)
    assert np.isnan(getis_ord(np.ones(3), near).z).all()
    assert np.isnan(local_moran(np.ones(3), near).z).all()
    alone = within_distance(board(1, 3), distance_m=1)
    assert np.isnan(local_moran(VALUES[:3], alone).z).all()
    assert np.isnan(permuted_chances(VALUES[:3], alone, permutations=9, rng=np.random.default_rng(1))).all()


def test_quadrants_say_own_and_around():
    near = touching(board(1, 4), tolerance_m=0)
    assert quadrants(np.array([9, 8, 0, 9.0]), near).tolist() == ["high-high", "high-low", "low-high", "high-low"]


def test_no_permutation_is_refused():
    with pytest.raises(ValueError, match="permutations"):
        permuted_chances(VALUES, _documented(), permutations=0, rng=np.random.default_rng(1))


def test_moran_by_its_formula():
    near = touching(township(25), tolerance_m=0.1)
    values = np.random.default_rng(1).normal(size=(2, 25))
    for map_values, found in zip(values, moran(values, near), strict=True):
        apart = map_values - map_values.mean()
        products = sum(apart[at] * apart[near.of(at)].mean() for at in range(25))
        assert found == pytest.approx(products / (apart**2).sum(), abs=1e-12)


def test_the_whole_map_is_judged_by_maps_of_chance():
    grids = township(60)
    near, homes = touching(grids, tolerance_m=0.1), grids["homes"].to_numpy(dtype=float)
    chance = np.random.default_rng(4)
    even = overall(chance.multinomial(300, homes / homes.sum()).astype(float), homes, near, simulations=199, rng=chance)
    west = grids.centroid.x.to_numpy() < 3000
    split = chance.poisson(homes * np.where(west, 0.15, 0.02)).astype(float)
    uneven = overall(split, homes, near, simulations=199, rng=chance)
    assert even.dispersion == pytest.approx(1, abs=0.5)
    assert even.moran_p > 0.05
    assert (uneven.moran_p, uneven.dispersion_p) == (0.01, 0.005)
    assert uneven.moran_i > 0.4


def test_a_map_without_incidents_says_nothing():
    near = touching(board(1, 3), tolerance_m=0)
    found = overall(np.zeros(3), np.ones(3), near, simulations=9, rng=np.random.default_rng(1))
    assert np.isnan([found.dispersion, found.dispersion_p, found.moran_i, found.moran_p]).all()
