"""What everybody may see: no small count can be worked out, and no private matter is a dot."""

import itertools
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.small_counts import public_count, public_counts, public_incidents, public_total

METRIC = "EPSG:4547"


def _table(rows: list[list[int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=[f"g{at}" for at in range(len(rows))], columns=list("abc")[: len(rows[0])])


def test_small_counts_are_hidden_and_nought_is_not():
    shown = public_counts(_table([[0, 1], [2, 3], [40, 5]]), hidden_below=3, total="all")
    assert shown.to_numpy().tolist() == [
        ["0", "<3", "1-2"],
        ["<3", "3", "4-5"],
        ["40", "5", "45"],
        ["41-42", "9-10", "50-52"],
    ]
    assert (shown.index[-1], shown.columns[-1]) == ("all", "all")


def _feasible(shown: str, number: int) -> bool:
    """Whether a number can stand behind a text."""
    if shown.startswith("<"):
        return 1 <= number < int(shown[1:])
    low, _, high = shown.partition("-")
    return int(low) <= number <= int(high or low)


@given(st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=3), min_size=1, max_size=3).filter(
    lambda rows: len({len(row) for row in rows}) == 1
))  # fmt: skip
def test_every_hidden_count_can_still_be_any_small_one(rows: list[list[int]]):
    counts = _table(rows)
    shown = public_counts(counts, hidden_below=3, total="all")
    inner = shown.iloc[:-1, :-1].to_numpy()
    hidden = np.argwhere(inner == "<3")
    possible = [set() for _ in hidden]
    for guess in itertools.product((1, 2), repeat=len(hidden)):
        guessed = counts.to_numpy().copy()
        for (row, column), number in zip(hidden, guess, strict=True):
            guessed[row, column] = number
        totals_fit = (
            all(_feasible(text, total) for text, total in zip(shown["all"][:-1], guessed.sum(axis=1), strict=True))
            and all(
                _feasible(text, total) for text, total in zip(shown.loc["all"][:-1], guessed.sum(axis=0), strict=True)
            )
            and _feasible(shown.loc["all", "all"], guessed.sum())
        )
        if totals_fit:
            for at, number in enumerate(guess):
                possible[at].add(number)
    assert all(one == {1, 2} for one in possible)


@given(st.lists(st.integers(0, 9), max_size=8), st.integers(2, 6))
def test_the_true_total_lies_in_what_is_shown(counts: list[int], hidden_below: int):
    assert _feasible(public_total(counts, hidden_below=hidden_below), sum(counts))


def test_one_count_is_written_as_in_a_table():
    for number in (0, 1, 2, 3, 12):
        assert (
            public_count(number, hidden_below=3)
            == public_counts(_table([[number]]), hidden_below=3, total="all").iloc[0, 0]
        )
    with pytest.raises(ValueError, match="counts"):
        public_count(0.5, hidden_below=3)


def test_two_tables_of_the_same_published_counts_are_the_same():
    one, other = (public_counts(_table([[number, 7]]), hidden_below=3, total="all") for number in (1, 2))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("counts", [[[-1, 2]], [[0.5, 2]], [[float("nan"), 2]]])
def test_what_is_no_count_is_refused(counts: list[list[float]]):
    with pytest.raises(ValueError, match="counts"):
        public_counts(pd.DataFrame(counts), hidden_below=3, total="all")


def test_a_limit_that_hides_nothing_and_a_taken_name_are_refused():
    with pytest.raises(ValueError, match="hidden_below"):
        public_counts(_table([[1, 2]]), hidden_below=1, total="all")
    with pytest.raises(ValueError, match="hidden_below"):
        public_total([1], hidden_below=0)
    for taken in ("a", "g0"):
        with pytest.raises(ValueError, match=re.escape(taken)):
            public_counts(_table([[1, 2]]), hidden_below=3, total=taken)


def _incidents() -> gpd.GeoDataFrame:
    points = [shapely.Point(1, 1), shapely.Point(2, 2), None, shapely.Point(4, 4), shapely.Point()]
    return gpd.GeoDataFrame({"kind": list("vwxyz"), "text": "words"}, geometry=gpd.GeoSeries(points, crs=METRIC))


def test_private_matters_and_those_not_known_to_be_public_are_no_dots():
    private = pd.Series([False, True, False, None, False], dtype="boolean")
    shown = public_incidents(_incidents(), private=private, kept=["kind"])
    assert shown["kind"].tolist() == ["v"]
    assert list(shown.columns) == ["kind", "geometry"]
    assert public_incidents(_incidents(), private=private.astype(object), kept=[])["geometry"].tolist() == [
        shapely.Point(1, 1)
    ]


def test_columns_and_indexes_that_do_not_fit_are_refused():
    with pytest.raises(KeyError, match="street"):
        public_incidents(_incidents(), private=pd.Series([False] * 5), kept=["street"])
    with pytest.raises(ValueError, match="index"):
        public_incidents(_incidents(), private=pd.Series([False] * 4), kept=[])
