"""Near repeats: pairs counted one by one, exact expectations, and a published data set."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.hotspots.repeats import count_near, near_repeats

ARSON = Path(__file__).parents[4] / "shared" / "data" / "chicago_arson.csv"


def _knox(
    xy: object, days: object, distances_m: list[float], spans_days: list[float], *, n: int = 99, way: str = "straight"
) -> pd.DataFrame:
    return near_repeats(
        np.asarray(xy, dtype=float).reshape(-1, 2), np.asarray(days, dtype=float), distances_m=distances_m,
        spans_days=spans_days, permutations=n, rng=np.random.default_rng(1), way=way,
    )  # fmt: skip


def _one_by_one(xy: np.ndarray, days: np.ndarray, row: pd.Series, *, manhattan: bool = False) -> int:
    n = 0
    for one, other in itertools.combinations(range(len(xy)), 2):
        apart = np.abs(xy[one] - xy[other])
        distance = apart.sum() if manhattan else np.hypot(*apart)
        near = row["from_m"] <= distance < row["to_m"]
        n += near and row["from_days"] <= abs(days[one] - days[other]) < row["to_days"]
    return n


def test_four_incidents_by_hand():
    table = _knox([(0, 0), (0, 0), (50, 0), (1000, 0)], [0, 1, 5, 5], [0, 1, 100], [0, 2, 10])
    assert table["n_pairs"].tolist() == [1, 0, 0, 2]
    # Of six pairs one is at the same place and two within 100 m; two are under 2 days apart, four under 10.
    assert table["expected"].tolist() == pytest.approx([1 * 2 / 6, 1 * 4 / 6, 2 * 2 / 6, 2 * 4 / 6])
    assert table["ratio"].tolist() == pytest.approx([3, 0, 0, 1.5])


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 9)), min_size=2, max_size=9),
    st.sampled_from(["straight", "manhattan"]),
    st.sampled_from([[0, 1, 10, 25], [5, 20], [0, 10, float("inf")]]),
)
def test_pairs_are_those_counted_one_by_one(rows: list[tuple[int, int, int]], way: str, distances_m: list[float]):
    data = np.array(rows, dtype=float)
    table = _knox(data[:, :2], data[:, 2], distances_m, [0, 2, 5], n=1, way=way)
    for _, row in table.iterrows():
        assert row["n_pairs"] == _one_by_one(data[:, :2], data[:, 2], row, manhattan=way == "manhattan")


def test_expected_is_the_mean_over_all_orders_of_the_days_and_p_their_share():
    xy, days = np.array([(0, 0), (3, 0), (0, 4), (90, 0), (95, 0)], dtype=float), np.array([0, 0, 1, 7, 7.0])
    row = _knox(xy, days, [0, 10], [0, 2], n=4999).iloc[0]
    every = [_one_by_one(xy, np.array(order), row) for order in itertools.permutations(days)]
    assert row["expected"] == pytest.approx(np.mean(every))
    assert row["p"] == pytest.approx(np.mean(np.array(every) >= row["n_pairs"]), abs=0.02)


def test_days_dealt_out_by_chance_are_seldom_called_repeats():
    chance, n_found = np.random.default_rng(8), 0
    for _ in range(100):
        xy, days = chance.uniform(0, 1000, (40, 2)), chance.integers(0, 60, 40)
        n_found += _knox(xy, days, [0, 200], [0, 8], n=39)["p"][0] <= 0.05
    assert n_found <= 14


def test_nothing_expected_has_no_ratio():
    assert np.isnan(_knox([(0, 0), (500, 0)], [0, 0], [0, 10], [0, 2])["ratio"][0])
    assert _knox(np.empty((0, 2)), [], [0, 10], [0, 2])["n_pairs"].tolist() == [0]


@pytest.mark.parametrize(
    ("distances_m", "spans_days", "n", "named"),
    [
        ([0], [0, 1], 9, "distances_m"),
        ([5, 1], [0, 1], 9, "distances_m"),
        ([-1, 1], [0, 1], 9, "distances_m"),
        ([0, 1], [0, float("nan")], 9, "spans_days"),
        ([0, 1], [0, 1], 0, "permutations"),
    ],
)
def test_bands_that_are_none_are_refused(distances_m: list[float], spans_days: list[float], n: int, named: str):
    with pytest.raises(ValueError, match=named):
        _knox([(0, 0)], [0], distances_m, spans_days, n=n)


def test_places_and_days_must_be_numbers():
    with pytest.raises(ValueError, match="finite"):
        _knox([(0, float("nan"))], [0], [0, 1], [0, 1])


@pytest.mark.skipif(not ARSON.exists(), reason="the 522 arsons of wsteenbeek/NearRepeat are not on this machine")
def test_arsons_in_chicago_draw_others_near_them_within_days():
    rows = pd.read_csv(ARSON, header=None, names=["x", "y", "day"], parse_dates=["day"])
    xy, days = rows[["x", "y"]].to_numpy(), ((rows["day"] - rows["day"].min()) / pd.Timedelta(days=1)).to_numpy()
    table = _knox(xy, days, [0, 1, 201, 401, float("inf")], [0, 2, 4, float("inf")], n=199)
    assert len(rows) == 522
    assert table["n_pairs"].sum() == 522 * 521 // 2
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    between = np.abs(days[:, None] - days[None])
    upper = np.triu(np.ones((522, 522), dtype=bool), 1)
    for _, row in table.iterrows():
        near = (apart >= row["from_m"]) & (apart < row["to_m"])
        soon = (between >= row["from_days"]) & (between < row["to_days"])
        assert row["n_pairs"] == (near & soon & upper).sum()
    # As the Near Repeat Calculator says of them: far too many within 400 m and a day, none to speak of later.
    assert (table.loc[[3, 6], "p"] <= 0.02).all()
    assert (table.loc[[5, 8], "p"] > 0.5).all()


def test_pairs_are_counted_as_one_would_by_looking_at_each():
    xy = np.random.default_rng(3).uniform(0, 500, (60, 2))
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))[np.triu_indices(60, 1)]
    assert count_near(xy, within_m=120) == (apart <= 120).sum()
    assert count_near(np.zeros((4, 2)), within_m=0) == 6
    assert count_near(np.empty((0, 2)), within_m=120) == 0
