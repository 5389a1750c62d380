"""Maximal covering against brute force, against the published optima, and as properties."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import csr_array

from gridmap.analysis.siting import choose
from gridmap.analysis.siting.choose import choose_sites
from gridmap.analysis.siting.cover import MOST_PAIRS, cover_of, n_within, reduce_cover, within
from gridmap.analysis.siting.places import choose_places, gain_at

PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "covering"
OPTIMA = {
    "SJC324": [5461, 8790, 11604, 12106, 12152],
    "SJC402": [6555, 11339, 14690, 15658, 15970, 15984],
}


def plenty() -> float:
    return 600.0


def ending_after(n_asked: int) -> Callable[[], float]:
    """A clock that is over after so many looks: no test waits."""
    looks = itertools.count()
    return lambda: 5.0 if next(looks) < n_asked else 0.0


def most_by_hand(covers: np.ndarray, weights: np.ndarray, n_sites: int, is_covered: np.ndarray) -> float:
    """Try every choice."""
    choices = itertools.combinations(range(covers.shape[1]), n_sites)
    return max(float(weights[is_covered | covers[:, list(chosen)].any(axis=1)].sum()) for chosen in choices)


@st.composite
def covers_and_weights(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n_demand, n_sites = draw(st.integers(1, 12)), draw(st.integers(1, 7))
    covers = draw(arrays.arrays(bool, (n_demand, n_sites)))
    whole = arrays.arrays(float, n_demand, elements=st.integers(0, 9).map(float))
    parts = arrays.arrays(float, n_demand, elements=st.integers(0, 900).map(lambda part: part / 97))
    return covers, draw(st.one_of(whole, parts))


@given(covers_and_weights(), st.data())
def test_every_step_of_the_curve_is_the_best_of_all_choices(case: tuple, data: st.DataObject):
    covers, weights = case
    n_sites = data.draw(st.integers(1, covers.shape[1]))
    is_covered = data.draw(arrays.arrays(bool, len(weights)))
    found = choose_sites(csr_array(covers), weights, n_sites=n_sites, is_covered=is_covered, seconds_left=plenty)
    assert found.is_optimal
    assert [step.n_sites for step in found.curve] == list(range(n_sites + 1))
    for step in found.curve:
        best = most_by_hand(covers, weights, step.n_sites, is_covered)
        assert step.is_optimal
        assert step.covered == pytest.approx(best, rel=1e-6)
        assert step.bound == step.covered
    assert len(set(found.sites.tolist())) == n_sites
    assert found.gains.sum() + found.curve[0].covered == pytest.approx(found.covered)
    assert found.total == weights.sum()


@given(covers_and_weights(), st.integers(0, 25))
def test_when_the_time_is_over_the_bound_still_holds(case: tuple, n_asked: int):
    covers, weights = case
    n_sites = 1 + covers.shape[1] // 2
    found = choose_sites(csr_array(covers), weights, n_sites=n_sites, seconds_left=ending_after(n_asked))
    nothing = np.zeros(len(weights), dtype=bool)
    for step in found.curve:
        best = most_by_hand(covers, weights, step.n_sites, nothing)
        assert step.covered <= best + 1e-9
        assert step.bound >= best * (1 - 1e-6) - 1e-9
    steps = [step.covered for step in found.curve]
    assert steps == sorted(steps)


@given(covers_and_weights(), st.data())
def test_the_reductions_keep_the_best_for_every_number(case: tuple, data: st.DataObject):
    covers, weights = case
    # Equal homes and sites inside another one's reach on purpose.
    covers = np.vstack([covers, covers[:2]])
    covers = np.hstack([covers, covers[:, :1] & data.draw(arrays.arrays(bool, (len(covers), 1)))])
    weights = np.concatenate([weights, weights[:2]])
    small = reduce_cover(cover_of(csr_array(covers), weights))
    left = small.cover.by_demand.toarray() > 0
    assert np.unique(left, axis=0).shape == left.shape
    for n in range(1, min(3, covers.shape[1]) + 1):
        best = most_by_hand(covers, weights, n, np.zeros(len(weights), dtype=bool))
        of_left = min(n, left.shape[1])
        assert most_by_hand(left, small.cover.weights, of_left, np.zeros(len(left), dtype=bool)) == pytest.approx(best)


@pytest.mark.parametrize(
    ("instance", "n_sites"), [(name, n) for name, best in OPTIMA.items() for n in range(1, len(best) + 1)]
)
def test_the_published_optima_are_hit_and_proven(instance: str, n_sites: int):
    file = PUBLISHED / f"{instance}.txt"
    if not file.exists():
        pytest.skip("the published covering instances lie beside the checkout, in ../shared/data/covering")
    table = np.loadtxt(file, skiprows=1)
    found = choose_places(table[:, :2], table[:, 2], radius_m=800, n_sites=n_sites, seconds_left=plenty)
    assert [step.covered for step in found.curve] == [0, *OPTIMA[instance][:n_sites]]
    assert all(step.is_optimal and step.bound == step.covered for step in found.curve)


def town(seed: int, n_homes: int, n_sites: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    middles = chance.uniform(0, 4000, (12, 2))
    homes, sites = (middles[chance.integers(12, size=n)] + chance.normal(0, 250, (n, 2)) for n in (n_homes, n_sites))
    return homes.round(), sites.round(), chance.integers(1, 9, n_homes).astype(float)


@pytest.mark.parametrize("seed", range(3))
def test_a_town_is_solved_the_same_by_steps_and_by_the_program(seed: int, monkeypatch: pytest.MonkeyPatch):
    homes, sites, weights = town(seed, 500, 60)
    covers = within(homes, sites, radius_m=350)
    by_program = choose_sites(covers, weights, n_sites=6, seconds_left=plenty)
    monkeypatch.setattr("gridmap.analysis.siting.question._MOST_PAIRS_OF_PROGRAM", 0)
    by_steps = choose_sites(covers, weights, n_sites=6, seconds_left=plenty)
    assert by_program.is_optimal
    assert by_steps.is_optimal
    assert by_steps.covered == by_program.covered
    for one, other in zip(by_steps.curve, by_program.curve, strict=True):
        assert one.covered <= other.covered <= one.bound


def test_the_same_question_gets_the_same_answer():
    homes, sites, weights = town(7, 600, 200)
    covers = within(homes, sites, radius_m=300)
    one, other = (choose_sites(covers, weights, n_sites=8, seconds_left=plenty) for _ in range(2))
    assert one.sites.tolist() == other.sites.tolist()
    assert one.curve == other.curve


def test_what_is_given_is_not_touched():
    homes, sites, weights = town(1, 80, 20)
    covers = within(homes, sites, radius_m=300)
    before = covers.copy(), weights.copy(), homes.copy()
    choose_sites(covers, weights, n_sites=4, seconds_left=plenty)
    choose_places(homes, weights, radius_m=300, n_sites=4, seconds_left=plenty)
    assert (covers != before[0]).nnz == 0
    assert (weights == before[1]).all()
    assert (homes == before[2]).all()


def test_what_exists_stays_and_a_second_point_beside_it_wins_nothing():
    homes = np.array([[0, 0], [100, 0], [1000, 0], [1100, 0], [5000, 0]])
    weights = np.array([9, 9, 1, 1, 1.5])
    options = {"radius_m": 100, "existing_xy": np.array([[50, 0]]), "seconds_left": plenty}
    found = choose_places(homes, weights, n_sites=1, **options)
    assert (found.curve[0].covered, found.covered, found.gains.tolist()) == (18, 20, [2])
    every = choose_places(homes, weights, n_sites=5, **options)
    assert (every.covered, every.total, every.is_optimal) == (21.5, 21.5, True)
    assert every.gains.tolist() == [2, 1.5, 0, 0, 0]


def test_nothing_in_reach_is_covered_by_nothing_for_certain():
    found = choose_places(
        np.zeros((3, 2)), np.ones(3), candidates_xy=np.array([[900, 0]]), radius_m=5, n_sites=1, seconds_left=plenty
    )
    assert (found.covered, found.bound, found.gap, found.is_optimal) == (0, 0, 0, True)


@pytest.mark.parametrize(
    ("place", "radius_m", "is_inside"),
    [((3, 4), 5, True), ((3, 4), 4.999, False), ((0.3, 0.4), 0.5, True), ((409634.35, 0), 409634.35, True)],
)
def test_the_circle_itself_is_inside(place: tuple, radius_m: float, is_inside: bool):
    homes, sites = np.array([place]), np.zeros((1, 2))
    assert within(homes, sites, radius_m=radius_m).nnz == is_inside
    far = np.array([38409634.1, 435528.7])
    assert within(homes + far, sites + far, radius_m=radius_m).nnz == is_inside


@pytest.mark.parametrize("at_once", [1, 50, 10**9])
@pytest.mark.parametrize("radius_m", [40, 300, 9000])
def test_near_and_far_are_told_as_by_all_distances(at_once: int, radius_m: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gridmap.analysis.siting.cover._AT_ONCE", at_once)
    homes, sites, _ = town(3, 60, 25)
    away = np.hypot(*(homes[:, None] - sites[None]).transpose(2, 0, 1))
    assert (within(homes, sites, radius_m=radius_m).toarray() == (away <= radius_m)).all()
    assert (
        reduce_cover(cover_of(csr_array(away <= radius_m), np.ones(60))).cover.weights.sum()
        == (away.min(axis=1) <= radius_m).sum()
    )


def test_one_more_place_wins_what_the_siting_would_say():
    homes, sites, weights = town(4, 200, 30)
    covers = within(homes, sites, radius_m=300)
    is_covered = covers[:, [0, 1]].sum(axis=1) > 0
    for at in range(30):
        gain = gain_at(homes, weights, is_covered=is_covered, place_xy=sites[at], radius_m=300)
        alone = choose_sites(covers[:, [at]], weights, n_sites=1, is_covered=is_covered, seconds_left=plenty)
        assert gain.weight == alone.gains[0]
        assert gain.n_demand == ((covers[:, [at]].toarray()[:, 0] > 0) & ~is_covered).sum()


def test_a_wrong_answer_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    order = choose._in_order
    monkeypatch.setattr(choose, "_in_order", lambda *asked: (order(*asked)[0] * 0 + 2, order(*asked)[1]))
    with pytest.raises(RuntimeError, match="recount gives 1"):
        choose_sites(csr_array(np.eye(3)), np.array([5.0, 3, 1]), n_sites=1, seconds_left=plenty)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_sites": 0}, "n_sites"),
        ({"n_sites": 4}, "n_sites"),
        ({"weights": np.array([1, -1, 1.0])}, "not negative"),
        ({"weights": np.array([1, np.nan, 1.0])}, "finite"),
        ({"weights": np.ones(2)}, "as long as"),
        ({"is_covered": np.zeros(2, dtype=bool)}, "as long as"),
    ],
)
def test_numbers_that_are_none_are_refused(change: dict, said: str):
    asked = {"covers": csr_array(np.eye(3)), "weights": np.ones(3), "n_sites": 1, "seconds_left": plenty} | change
    with pytest.raises(ValueError, match=said):
        choose_sites(asked.pop("covers"), asked.pop("weights"), **asked)


@pytest.mark.parametrize("radius_m", [0, -1, np.nan, np.inf])
def test_a_radius_that_is_none_is_refused(radius_m: float):
    with pytest.raises(ValueError, match="radius_m"):
        within(np.zeros((1, 2)), np.zeros((1, 2)), radius_m=radius_m)
    if not radius_m > 0:
        with pytest.raises(ValueError, match="radius_m"):
            gain_at(np.zeros((1, 2)), np.ones(1), is_covered=np.zeros(1, bool), place_xy=np.zeros(2), radius_m=radius_m)


def test_more_pairs_than_can_be_held_are_counted_and_refused_before_they_are_made():
    homes, sites = (np.random.default_rng(seed).uniform(0, 1000, (8000, 2)) for seed in (0, 1))
    all_pairs = 8000 * 8000
    assert n_within(homes, sites, radius_m=2000) == all_pairs > MOST_PAIRS
    with pytest.raises(ValueError, match=f"{all_pairs} pairs"):
        within(homes, sites, radius_m=2000)
    assert n_within(homes, sites, radius_m=20) == within(homes, sites, radius_m=20).nnz


def test_places_that_are_none_are_refused():
    with pytest.raises(ValueError, match="finite"):
        within(np.array([[0, np.nan]]), np.zeros((1, 2)), radius_m=1)
    with pytest.raises(ValueError, match="no demand"):
        choose_places(np.empty((0, 2)), np.empty(0), radius_m=1, n_sites=1, seconds_left=plenty)
