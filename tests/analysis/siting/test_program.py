"""Fewest points, points that bear only so much, and second points, against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import csr_array

from gridmap.analysis.siting.choose import choose_sites
from gridmap.analysis.siting.program import choose_with_backup, choose_with_capacity, fewest_sites
from tests.analysis.siting.test_choose import covers_and_weights, most_by_hand, plenty


def never() -> float:
    return 0.0


@given(covers_and_weights(), st.sampled_from([0.2, 0.5, 0.9, 1.0]), st.data())
@settings(max_examples=30)
def test_no_fewer_points_reach_the_share(case: tuple, share: float, data: st.DataObject):
    covers, weights = case
    is_covered = data.draw(arrays.arrays(bool, len(weights)))
    reached = [most_by_hand(covers, weights, n, is_covered) for n in range(covers.shape[1] + 1)]
    enough = [n for n, weight in enumerate(reached) if weight >= share * weights.sum() * (1 - 1e-9)]
    found = fewest_sites(csr_array(covers), weights, share=share, is_covered=is_covered, seconds_left=plenty)
    assert found.is_optimal
    assert found.is_possible == bool(enough)
    if enough:
        assert (len(found.sites), found.bound, found.gap) == (enough[0], enough[0], 0)
        assert found.covered >= share * found.total * (1 - 1e-5)
    covered = is_covered | covers[:, found.sites].any(axis=1)
    assert found.covered == pytest.approx(weights[covered].sum())
    early = fewest_sites(csr_array(covers), weights, share=share, is_covered=is_covered, seconds_left=never)
    if enough:
        assert early.bound <= enough[0] <= len(early.sites)


def served_by_hand(covers: np.ndarray, weights: np.ndarray, capacities: np.ndarray, n_sites: int) -> float:
    """Try every choice of points and every assignment."""
    best = 0.0
    for chosen in itertools.combinations(range(covers.shape[1]), n_sites):
        options = [[-1, *(at for at in chosen if covers[row, at])] for row in range(len(weights))]
        for assigned in itertools.product(*options):
            sites, rows = np.array(assigned), np.flatnonzero(np.array(assigned) >= 0)
            load = np.bincount(sites[rows], weights=weights[rows], minlength=covers.shape[1])
            if (load <= capacities).all():
                best = max(best, float(weights[rows].sum()))
    return best


@given(
    arrays.arrays(bool, (5, 3)),
    arrays.arrays(int, 5, elements=st.integers(0, 6)),
    arrays.arrays(int, 3, elements=st.integers(0, 9)),
    st.integers(1, 3),
)
@settings(max_examples=25)
def test_no_choice_and_assignment_serves_more(
    covers: np.ndarray, weights: np.ndarray, capacities: np.ndarray, n_sites: int
):
    best = served_by_hand(covers, weights, capacities, n_sites)
    found = choose_with_capacity(
        csr_array(covers), weights, capacities=capacities, n_sites=n_sites, seconds_left=plenty
    )
    assert (found.value, found.bound, found.is_optimal, found.gap) == (best, best, True, 0)
    served = np.flatnonzero(found.site_of >= 0)
    assert covers[served, found.site_of[served]].all()
    assert (np.bincount(found.site_of[served], weights[served], minlength=3) <= capacities).all()
    assert set(found.site_of[served]) == set(found.sites.tolist())
    assert len(found.sites) <= n_sites
    early = choose_with_capacity(csr_array(covers), weights, capacities=capacities, n_sites=n_sites, seconds_left=never)
    assert early.value <= best <= early.bound


@given(
    covers_and_weights(),
    st.sampled_from([(1.0,), (0.7, 0.3), (0.0, 1.0), (0.2, 0.0, 0.8), (1.0, 1.0)]),
    st.data(),
)
@settings(max_examples=30)
def test_no_choice_is_worth_more_with_its_backup(case: tuple, shares: tuple, data: st.DataObject):
    covers, weights = case
    before = data.draw(arrays.arrays(int, len(weights), elements=st.integers(0, 2)))
    n_sites = data.draw(st.integers(1, min(3, covers.shape[1])))
    steps = np.concatenate([[0], np.cumsum(shares)])

    def worth(chosen: tuple[int, ...]) -> float:
        times = np.minimum(before + covers[:, list(chosen)].sum(axis=1), len(shares))
        return float((weights * steps[times]).sum())

    best = max(map(worth, itertools.combinations(range(covers.shape[1]), n_sites)))
    asked = {"shares": np.array(shares), "n_sites": n_sites, "times_covered": before}
    found = choose_with_backup(csr_array(covers), weights, **asked, seconds_left=plenty)
    assert found.is_optimal
    assert found.value == pytest.approx(best, abs=1e-5)
    assert worth(tuple(found.sites)) == pytest.approx(found.value)
    early = choose_with_backup(csr_array(covers), weights, **asked, seconds_left=never)
    assert early.value <= best + 1e-9
    assert early.bound >= best - 1e-9


def test_backup_without_worth_is_maximal_covering():
    chance = np.random.default_rng(0)
    covers, weights = csr_array(chance.random((40, 12)) < 0.2), chance.integers(1, 9, 40).astype(float)
    backed = choose_with_backup(covers, weights, shares=np.array([1.0]), n_sites=4, seconds_left=plenty)
    assert backed.value == choose_sites(covers, weights, n_sites=4, seconds_left=plenty).covered


def test_a_point_that_bears_all_serves_what_it_covers():
    chance = np.random.default_rng(1)
    covers, weights = csr_array(chance.random((40, 12)) < 0.2), chance.integers(1, 9, 40).astype(float)
    served = choose_with_capacity(
        covers, weights, capacities=np.full(12, weights.sum()), n_sites=4, seconds_left=plenty
    )
    assert served.value == choose_sites(covers, weights, n_sites=4, seconds_left=plenty).covered


@pytest.mark.parametrize("share", [0, -0.1, 1.01, np.nan])
def test_a_share_that_is_none_is_refused(share: float):
    with pytest.raises(ValueError, match="share"):
        fewest_sites(csr_array(np.eye(2)), np.ones(2), share=share, seconds_left=plenty)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"capacities": np.ones(1)}, "capacities"),
        ({"capacities": np.array([1, -1])}, "capacities"),
        ({"n_sites": 3}, "n_sites"),
        ({"weights": np.array([1, -1])}, "weights"),
    ],
)
def test_loads_that_are_none_are_refused(change: dict, said: str):
    asked = {"weights": np.ones(2), "capacities": np.ones(2), "n_sites": 1} | change
    with pytest.raises(ValueError, match=said):
        choose_with_capacity(csr_array(np.eye(2)), asked.pop("weights"), **asked, seconds_left=plenty)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shares": np.array([])}, "shares"),
        ({"shares": np.array([0.0])}, "shares"),
        ({"shares": np.array([1, -1])}, "shares"),
        ({"times_covered": np.array([0, -1])}, "times_covered"),
        ({"n_sites": 0}, "n_sites"),
    ],
)
def test_backups_that_are_none_are_refused(change: dict, said: str):
    asked = {"shares": np.ones(2), "n_sites": 1} | change
    with pytest.raises(ValueError, match=said):
        choose_with_backup(csr_array(np.eye(2)), np.ones(2), **asked, seconds_left=plenty)
