"""Hot and cold grids: false alarms stay below the level, planted clusters are found, and small grids are left alone."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gridmap.analysis.hotspots.find import Rules, hot_spots
from gridmap.analysis.hotspots.near import Near, touching
from tests.analysis.hotspots.boards import board, township

RULES = Rules(alpha=0.05, min_households=10, min_expected=5)


def _found(counts: object, homes: object, near: Near, *, rules: Rules = RULES, permutations: int = 1) -> pd.DataFrame:
    numbers, households = pd.Series(counts, dtype=float), pd.Series(homes, dtype=float)
    return hot_spots(
        numbers, households, near, rules=rules, permutations=permutations, rng=np.random.default_rng(1)
    ).table


def _most_false_alarms(n_maps: int, level: float) -> int:
    """So many maps with a finding are passed one time in a thousand when the true level is the stated one."""
    return int(stats.binom.ppf(0.999, n_maps, level))


@pytest.mark.parametrize("n_grids", [34, 200])
@pytest.mark.parametrize("per_grid", [1, 4, 40])
def test_maps_without_clusters_raise_an_alarm_no_more_often_than_stated(n_grids: int, per_grid: int):
    grids, chance, n_maps = township(n_grids), np.random.default_rng(n_grids + per_grid), 150
    near, homes = touching(grids, tolerance_m=0.1), grids["homes"]
    share = (homes / homes.sum()).to_numpy()
    alarms = sum(
        _found(chance.multinomial(per_grid * n_grids, share), homes, near)["class"].isin(["hot", "cold"]).any()
        for _ in range(n_maps)
    )
    assert alarms <= _most_false_alarms(n_maps, RULES.alpha)


def test_a_planted_cluster_is_found_and_a_stronger_one_more_surely():
    grids, chance, n_maps = township(34), np.random.default_rng(1), 60
    near, homes = touching(grids, tolerance_m=0.1), grids["homes"].to_numpy(dtype=float)
    middle = int(grids.distance(grids.union_all().centroid).argmin())
    inside = np.isin(np.arange(34), [middle, *near.of(middle)])
    shares = []
    for times in (1.5, 2, 3):
        risk = homes * np.where(inside, times, 1)
        maps = chance.multinomial(34 * 5, risk / risk.sum(), size=n_maps)
        shares.append(np.mean([_found(one, homes, near)["class"][middle] == "hot" for one in maps]))
    assert shares == sorted(shares)
    assert shares[-1] > 0.8


def test_a_quiet_grid_beside_loud_ones_is_not_hot():
    near = touching(board(1, 12), tolerance_m=0)
    counts = [2, 2, 40, 0, 40, 2, 2, 2, 2, 2, 2, 2]
    table = _found(counts, [50] * 12, near)
    assert table["gi_q"][3] < 0.05
    assert table["class"].tolist()[2:5] == ["hot", "cold", "hot"]
    mild = _found([5, 5, 40, 5, 40, *[5] * 7], [50] * 12, near)
    assert mild["gi_q"][3] < 0.05
    assert mild["class"].tolist()[2:5] == ["hot", "not significant", "hot"]


def test_a_usual_grid_beside_loud_ones_is_not_hot_by_a_hair():
    near = touching(board(1, 12), tolerance_m=0)
    table = _found([5, 5, 40, 12, 40, *[5] * 7], [50] * 12, near)
    assert table["gi_q"][3] < 0.05
    assert table["n_points"][3] > table["expected"][3] > 10
    assert table["class"].tolist()[2:5] == ["hot", "not significant", "hot"]


def test_a_loud_grid_among_quiet_ones_is_not_hidden_by_them():
    """Fifteen where 3 were to be expected, but the nine squares around hold only 25 against 27."""
    near = touching(board(5, 5), tolerance_m=0)
    counts = np.full(25, 3)
    counts[12], counts[[6, 7, 8, 11, 13, 16, 17, 18]] = 15, [2, 1, 1, 1, 1, 1, 1, 2]
    table = _found(counts, [50] * 25, near)
    assert table["gi_p"][12] > 0.5
    assert table["class"][12] == "hot"
    assert (table["class"] == "hot").sum() == 1


def test_a_grid_and_its_neighbourhood_are_corrected_together():
    """By hand, the six tests of three grids: the q of the k-th smallest p is the least of p × 6 ÷ k from there on."""
    near = touching(board(1, 3), tolerance_m=0)
    table = _found([9, 2, 1], [20, 30, 50], near)
    chances = [*table["gi_p"], *table["own_p"]]
    assert table["own_p"][0] == pytest.approx(2 * stats.binom.sf(8, 12, 0.2))
    ordered = sorted(chances)
    by_hand = [min(1, *(ordered[k] * 6 / (k + 1) for k in range(ordered.index(p), 6))) for p in chances]
    assert [*table["gi_q"], *table["own_q"]] == pytest.approx(by_hand)


def test_a_figure_of_each_kind_by_hand():
    near = touching(board(1, 3), tolerance_m=0)
    table = _found([6, 2, 2], [20, 30, 50], near)
    assert table["n_points"].tolist() == [6, 2, 2]
    assert table["expected"].tolist() == pytest.approx([2, 3, 5])
    assert table["rate"].tolist() == pytest.approx([30, 20 / 3, 4])
    assert table["gi_p"][0] == pytest.approx(2 * stats.binom.sf(7, 10, 0.5))
    assert table["gi_p"][1] == 1


def test_few_households_or_little_to_expect_are_too_few_to_say():
    near = touching(board(1, 6), tolerance_m=0)
    table = _found([2, 0, 1, 1, 1, 1], [3, 100, 100, 100, 100, 100], near)
    assert (table["class"] == "too few to say").all()
    counted = _found([2, 10, 10, 10, 10, 10], [3, 100, 100, 100, 100, 100], near)
    assert counted["class"].tolist() == ["too few to say", *["not significant"] * 5]


def test_all_incidents_in_one_grid_are_no_small_number():
    near = touching(board(1, 30), tolerance_m=0)
    table = _found([0] * 10 + [12] + [0] * 19, [50] * 30, near)
    assert table["class"][10] == "hot"
    assert (table["class"] == "hot").sum() == 1


def test_grids_without_households_are_nobodys_neighbours():
    near = touching(board(1, 4), tolerance_m=0)
    table = _found([10, 500, 10, 10], [50, 0, 50, 50], near)
    assert table["class"][1] == "too few to say"
    assert table.loc[1, ["expected", "rate", "gi_z", "gi_p", "moran_i"]].isna().all()
    assert table["n_points"][1] == 500
    assert table["expected"][0] == pytest.approx(10)


def test_one_grid_or_no_incident_gives_no_finding():
    alone = _found([7], [50], touching(board(1, 1), tolerance_m=0))
    assert alone["class"].tolist() == ["not significant"]
    silent = _found([0, 0], [50, 50], touching(board(1, 2), tolerance_m=0))
    assert (silent["class"] == "too few to say").all()
    assert (silent["gi_p"] == 1).all()


def test_what_is_given_stays_as_it_is_and_the_seed_decides():
    grids = township(34)
    near, counts, homes = touching(grids, tolerance_m=0.1), pd.Series(range(34), dtype=float), grids["homes"] * 1.0
    before = counts.copy(), homes.copy()
    first, again = (_found(counts, homes, near, permutations=99) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    pd.testing.assert_series_equal(counts, before[0])
    pd.testing.assert_series_equal(homes, before[1])


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1}, "alpha"),
        ({"alpha": float("nan")}, "alpha"),
        ({"min_households": 0}, "min_households"),
        ({"min_expected": -1}, "min_expected"),
        ({"min_expected": float("nan")}, "min_expected"),
    ],
)
def test_rules_that_are_none_are_refused(wrong: dict[str, float], named: str):
    with pytest.raises(ValueError, match=named):
        Rules(**{"alpha": 0.05, "min_households": 10, "min_expected": 5} | wrong)


@pytest.mark.parametrize(
    ("counts", "homes", "named"),
    [
        ([1, 2], [10, -1], "households"),
        ([1, 2], [10, float("nan")], "households"),
        ([1, 2], [0, 0], "households"),
        ([1, 2.5], [10, 10], "counts"),
        ([1, -1], [10, 10], "counts"),
        ([1, 2, 3], [10, 10, 10], "same grids"),
    ],
)
def test_numbers_that_cannot_be_are_refused(counts: list[float], homes: list[float], named: str):
    with pytest.raises(ValueError, match=named):
        _found(counts, homes, touching(board(1, 2), tolerance_m=0))
