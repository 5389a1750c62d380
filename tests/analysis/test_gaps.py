"""Who lives beyond the circle: by hand, and that nobody is lost."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.gaps import gaps_by_grid, with_missing

STATUSES = ("reached", "beyond", "unreachable", "unmatched")


def _ways(*rows: tuple[str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["status", "seconds"])
    return frame.assign(walk_m=frame["seconds"] * 1.5)


def test_what_is_missing_is_the_rest_of_the_way_when_the_time_is_up():
    found = with_missing(
        _ways(("reached", 900), ("beyond", 1200), ("unreachable", np.nan), ("reached", 0)), limit_s=900
    )
    assert found["missing_s"].fillna(-1).tolist() == [0, 300, -1, 0]
    assert found["missing_m"].fillna(-1).tolist() == [0, 450, -1, 0]


def test_the_grid_with_most_residents_outside_comes_first():
    ways = with_missing(
        _ways(("beyond", 1000), ("beyond", 2000), ("reached", 10), ("unreachable", np.nan), ("unmatched", np.nan)),
        limit_s=900,
    )
    grids, residents = pd.Series(["a", "a", "a", "b", "b"]), pd.Series([1.0, 1.0, 2.0, 5.0, 7.0])
    table = gaps_by_grid(ways, grid_codes=grids, weights=residents)
    assert table.index.tolist() == ["b", "a"]
    assert table.loc["a", ["n_homes", "n_reached", "n_outside", "n_unmatched"]].tolist() == [3, 1, 2, 0]
    assert table.loc["b", ["n_outside", "n_unreachable", "n_unmatched", "weight_outside"]].tolist() == [1, 1, 1, 5]
    assert table["outside_share"].tolist() == [1, 0.5]
    assert table.loc["a", ["median_missing_m", "most_missing_m"]].round(6).tolist() == [900, 1650]
    assert table.loc["b", ["median_missing_m", "most_missing_m"]].isna().all()


def test_a_grid_of_unmatched_homes_has_no_share():
    table = gaps_by_grid(with_missing(_ways(("unmatched", np.nan)), limit_s=9), grid_codes=pd.Series(["a"]))
    assert np.isnan(table.loc["a", "outside_share"])


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from("abc")), min_size=1))
def test_homes_of_all_grids_add_up(rows: list[tuple[str, str]]):
    ways = with_missing(_ways(*((status, 1000.0) for status, _ in rows)), limit_s=900)
    before = ways.copy()
    table = gaps_by_grid(ways, grid_codes=pd.Series([grid for _, grid in rows]))
    assert table["n_homes"].sum() == len(rows)
    assert (table[["n_reached", "n_outside", "n_unmatched"]].sum(axis=1) == table["n_homes"]).all()
    assert ways.equals(before)
