import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.grid_names import match_grids, team_differences

OURS = pd.DataFrame(
    [
        ("T", "青石乡", None),
        ("V1", "西村", "T"),
        ("V2", "东村", "T"),
        ("G11", "西村第1网格", "V1"),
        ("G12", "河边网格", "V1"),
        ("G21", "东村第1网格", "V2"),
        ("G22", "河边网格", "V2"),
    ],
    columns=["grid_code", "name", "parent_code"],
).set_index("grid_code")


def _theirs(*nodes):
    return pd.DataFrame(nodes, columns=["grid_id", "name", "parent_id"], dtype=object).set_index("grid_id")


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (("g", "西村第1网格", "w"), "G11"),
        (("g", "西村 第１网格", None), "G11"),
        (("g", "第1网格", "w"), "G11"),
        (("g", "第1网格", "e"), "G21"),
        (("g", "河边网格", "w"), "G12"),
        (("g", "河边网格", "e"), "G22"),
        (("g", "河边网格", None), None),
        (("g", "河边网格", "x"), None),
        (("g", "西村第1网格", "e"), None),
        (("g", "西村第1网格", "x"), "G11"),
        (("g", "第9网格", "w"), None),
    ],
)
def test_a_grid_is_known_by_its_name_and_its_parent(node, code):
    theirs = _theirs(("r", "青石乡", None), ("w", "西村", "r"), ("e", "东村", "r"), ("x", "其他", "r"), node)
    matched = match_grids(theirs, OURS)
    assert matched[["r", "w", "e", "x"]].tolist() == ["T", "V1", "V2", None]
    assert matched["g"] == code


def test_a_grid_that_two_of_theirs_claim_is_nobodys():
    matched = match_grids(_theirs(("a", "西村第1网格", None), ("b", "西村第1网格", None)), OURS)
    assert matched.tolist() == [None, None]


@given(order=st.permutations(range(4)))
def test_the_order_of_the_rows_never_matters(order):
    theirs = _theirs(("r", "青石乡", None), ("w", "西村", "r"), ("g", "第1网格", "w"), ("h", "河边网格", "w"))
    shuffled = theirs.iloc[order]
    pd.testing.assert_series_equal(match_grids(shuffled, OURS).sort_index(), match_grids(theirs, OURS).sort_index())


def test_without_grids_there_is_nothing_to_match():
    assert match_grids(_theirs(), OURS).empty
    assert match_grids(_theirs(("a", "西村", None)), OURS.iloc[:0]).tolist() == [None]


def test_only_teams_that_differ_are_told():
    def teams(*pairs):
        return pd.DataFrame(pairs, columns=["grid_code", "staff_id"])

    theirs = teams(("G11", "ma"), ("G11", "li"), ("G12", "wu"), ("G21", "he"))
    ours = teams(("G11", "ma"), ("G12", "wu"), ("G21", "he"), ("G21", "xu"), ("G22", "zu"))
    found = team_differences(theirs, ours)
    assert found.reset_index().to_numpy().tolist() == [["G11", ("li",), ()], ["G21", (), ("xu",)]]
    assert team_differences(teams(), ours).empty


def test_a_missing_column_is_named():
    with pytest.raises(KeyError, match="parent_id"):
        match_grids(_theirs().drop(columns="parent_id"), OURS)
    with pytest.raises(KeyError, match="staff_id"):
        team_differences(pd.DataFrame({"grid_code": ["G"]}), pd.DataFrame({"grid_code": ["G"]}))
