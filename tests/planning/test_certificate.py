"""Each rule broken by hand once; the bound against every packing."""

from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.planning.bounds import fewest_grids, packing_bound
from gridmap.planning.certificate import Certificate, certify
from gridmap.planning.units import make_units
from tests.planning.conftest import METRIC, make_board


def _judge(frame, grids: list, *, cap: float = 100, within: str | None = None) -> Certificate:
    units = make_units(frame, weight="n_households", within=within)
    return certify(units, pd.Series(grids, index=frame.index, dtype=object), cap=cap)


def _kinds(certificate: Certificate) -> list[str]:
    return [violation.kind for violation in certificate.violations]


def test_a_plan_that_keeps_every_rule():
    judged = _judge(make_board([[40, 60], [50, 50]]), ["a", "a", "b", "b"])
    assert judged.is_ok
    assert (judged.n_grids, judged.n_units, judged.total_weight, judged.max_weight) == (2, 4, 200, 100)
    assert judged.bound.n_grids == 2


def test_a_grid_over_the_cap_is_named_with_its_excess():
    (breach,) = _judge(make_board([[40, 61], [50, 50]]), ["a", "a", "b", "b"]).violations
    assert (breach.kind, breach.grid, breach.value, breach.facts["excess"]) == ("over_cap", "a", 101, 1)
    assert set(breach.units) == {"r0c0", "r0c1"}


def test_a_unit_over_the_cap_is_named_and_its_grid_not_twice():
    judged = _judge(make_board([[107, 10]]), ["a", "b"])
    assert _kinds(judged) == ["unit_over_cap"]
    assert judged.violations[0].units == ("r0c0",)
    assert _kinds(_judge(make_board([[107, 10]]), ["a", "a"])) == ["unit_over_cap", "over_cap"]


def test_parts_that_only_a_corner_joins_are_apart():
    judged = _judge(make_board([[9, 1], [1, 5]]), ["a", "b", "b", "a"])
    assert _kinds(judged) == ["not_contiguous", "not_contiguous"]
    assert judged.violations[0].units == ("r1c1",)
    assert judged.violations[0].facts["weight"] == 5


def test_a_grid_stays_inside_its_village():
    (breach,) = _judge(make_board([[1, 1, 1, 1]]), ["a", "a", "a", "b"], within="village").violations
    assert (breach.kind, breach.units, breach.facts["areas"]) == ("crosses_within", ("r0c2",), ["east", "west"])


def test_units_without_a_grid_are_counted():
    (breach,) = _judge(make_board([[3, 4]]), ["a", None]).violations
    assert (breach.kind, breach.grid, breach.units, breach.facts["weight"]) == ("unassigned", None, ("r0c1",), 4)


def test_an_overlap_of_a_centimetre_is_found():
    frame = make_board([[1, 1]])
    frame.loc["r0c0", "geometry"] = shapely.box(0, 0, 100.01, 100)
    (breach,) = _judge(frame, ["a", "a"]).violations
    assert (breach.kind, set(breach.units), round(breach.value, 3)) == ("overlap", {"r0c0", "r0c1"}, 1.0)


def test_a_hole_that_nobody_serves_is_a_gap():
    frame = make_board([[1, 1, 1], [1, 1, 1], [1, 1, 1]]).drop("r1c1")
    (breach,) = _judge(frame, ["a"] * 8).violations
    assert (breach.kind, breach.value, len(breach.units)) == ("gap", 10_000, 8)
    assert breach.place == (150, 150)


def _fewest_bins(weights: tuple[int, ...], cap: int) -> int:
    for n in range(1, len(weights) + 1):
        for bins in product(range(n), repeat=len(weights)):
            if all(sum(w for w, b in zip(weights, bins, strict=True) if b == at) <= cap for at in range(n)):
                return n
    return 0


@given(weights=st.lists(st.integers(1, 10), min_size=1, max_size=6).map(tuple))
def test_the_bound_never_exceeds_the_best_packing(weights: tuple[int, ...]):
    bound = packing_bound(np.array(weights, dtype=float), cap=10)
    assert int(np.ceil(sum(weights) / 10)) <= bound <= _fewest_bins(weights, 10)


def test_each_connected_part_needs_its_own_grids():
    """The oversized unit in the middle parts 30 from 40: three grids, although 70 fit into one."""
    units = make_units(make_board([[30, 120, 40]]), weight="n_households")
    bound = fewest_grids(units, cap=100)
    assert (bound.n_grids, bound.oversized.tolist()) == (3, [1])
    empty = make_units(make_board([[0, 120, 40]]), weight="n_households")
    assert fewest_grids(empty, cap=100).n_grids == 2


@pytest.mark.parametrize("cap", [0, -1, float("nan")])
def test_a_cap_that_is_none_is_refused(cap: float):
    with pytest.raises(ValueError, match="cap"):
        fewest_grids(make_units(make_board([[1]]), weight="n_households"), cap=cap)


@pytest.mark.parametrize("bad", [-1, float("nan"), "many", None])
def test_a_weight_that_is_none_is_refused_by_name(bad: object):
    frame = make_board([[1, 1]]).astype({"n_households": object})
    frame.loc["r0c1", "n_households"] = bad
    with pytest.raises(ValueError, match="r0c1"):
        make_units(frame, weight="n_households")


def _pair(east: shapely.Polygon) -> set[str]:
    frame = gpd.GeoDataFrame({"n": [1, 1]}, index=["w", "e"], geometry=[shapely.box(0, 0, 100, 100), east], crs=METRIC)
    found = certify(make_units(frame, weight="n"), pd.Series(["a", "b"]), cap=100).violations
    return {breach.kind for breach in found}


@pytest.mark.parametrize(
    ("east", "kinds"),
    [
        (shapely.box(100, 0, 200, 100), set()),
        (shapely.box(100.05, 0, 200, 100), {"gap"}),
        (shapely.Polygon([(100, 0), (200, 0), (200, 100), (100.05, 100)]), {"gap"}),
        (shapely.box(99.99, 0, 200, 100), {"overlap"}),
        (shapely.box(150, 0, 200, 100), set()),  # far enough that somebody meant it
        (shapely.box(100, 20, 200, 80), set()),  # corners that do not match leave no land out
        (shapely.Polygon([(100, 0), (200, -50), (200, 150), (100, 100)]), set()),
    ],
)
def test_a_sliver_that_is_open_to_the_outside_is_a_gap(east: shapely.Polygon, kinds: set[str]):
    assert _pair(east) == kinds
