"""Rates, exact chances and the correction for many tests, against published figures and counting by hand."""

import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.hotspots.rates import chance_of, false_discovery, standardised_rates


def test_rates_are_standardised_as_in_the_documentation_of_esda():
    counts = np.array([30, 25, 25, 15, 33, 21, 30, 20.0])
    households = np.array([100, 100, 110, 90, 100, 90, 110, 90.0])
    found = standardised_rates(counts, households)
    assert found[:4] == pytest.approx([1.03843594, -0.04099089, -0.56250375, -1.73061861], abs=1e-8)


def test_a_pile_of_maps_is_standardised_map_by_map():
    households = np.array([10, 20, 30.0])
    maps = np.array([[1, 2, 9], [0, 0, 0], [4, 4, 4.0]])
    together = standardised_rates(maps, households)
    assert together == pytest.approx(np.array([standardised_rates(one, households) for one in maps]))
    assert together[1].tolist() == [0, 0, 0]


def test_a_chance_is_twice_the_smaller_tail():
    total, share = 7, 0.3
    mass = [comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(total + 1)]
    for count in range(total + 1):
        expected = min(1, 2 * min(sum(mass[: count + 1]), sum(mass[count:])))
        (found,) = chance_of(np.array([float(count)]), np.array([share]), total=total)
        assert found == pytest.approx(expected, rel=1e-12)


def test_a_place_with_all_households_or_a_map_without_incidents_is_no_surprise():
    assert chance_of(np.array([5.0]), np.array([1 + 1e-16]), total=5).tolist() == [1]
    assert chance_of(np.array([0.0]), np.array([0.4]), total=0).tolist() == [1]


def test_exact_chances_are_small_no_more_often_than_they_say():
    total, share = 40, 0.17
    counts = np.arange(total + 1.0)
    mass = np.array([comb(total, int(k)) * share**k * (1 - share) ** (total - k) for k in counts])
    chances = chance_of(counts, np.full(len(counts), share), total=total)
    for level in (0.001, 0.01, 0.05, 0.2):
        assert mass[chances <= level].sum() <= level


def test_the_example_of_benjamini_and_hochberg():
    # Table of their section 3.2: at 0.05 the first four of fifteen are found.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1,
    ]
    assert (false_discovery(np.array(p)) <= 0.05).tolist() == [True] * 4 + [False] * 11


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=12))
def test_q_is_the_smallest_level_at_which_stepping_up_finds_a_test(chances: list[float]):
    q = false_discovery(np.array(chances))
    tested = [p for p in chances if p == p]  # noqa: PLR0124  NaN is not itself
    for p, found in zip(chances, q, strict=True):
        if p != p:  # noqa: PLR0124
            assert np.isnan(found)
            continue
        levels = [sum(other <= bound for other in tested) for bound in tested]
        least = min(bound * len(tested) / n for bound, n in zip(tested, levels, strict=True) if bound >= p)
        assert found == pytest.approx(min(1, least))


def test_the_order_of_the_tests_does_not_matter():
    chances = np.array([0.2, 0.01, 0.03, 0.5])
    for order in itertools.permutations(range(4)):
        assert false_discovery(chances[list(order)]) == pytest.approx(false_discovery(chances)[list(order)])
