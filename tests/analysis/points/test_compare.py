"""People and grids compared: parts of a month, what it offered, shares, grades and ranks, to the digit."""

from datetime import date
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.fair.shares import shrunken_shares
from gridmap.analysis.points.compare import GRADES, attainable_points, compared, team_parts
from tests.analysis.points.test_entries import rules

FIRST, LAST = date(2026, 9, 1), date(2026, 9, 30)


def postings(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["staff_id", "grid_code", "valid_from", "valid_until"])


def test_a_month_is_divided_by_days_in_service():
    parts = team_parts(
        postings(
            ("a", "g", date(2026, 1, 1), None),
            ("b", "g", date(2026, 9, 16), None),
            ("c", "g", date(2026, 1, 1), date(2026, 9, 1)),
            ("a", "h", date(2026, 9, 1), date(2026, 9, 11)),
            ("a", "h", date(2026, 9, 5), date(2026, 9, 11)),
        ),
        first_on=FIRST,
        last_on=LAST,
    ).set_index(["staff_id", "grid_code"])
    assert parts["n_days"].to_dict() == {("a", "g"): 30, ("a", "h"): 10, ("b", "g"): 15}
    assert parts["part"].to_dict() == {("a", "g"): Fraction(2, 3), ("a", "h"): 1, ("b", "g"): Fraction(1, 3)}


def test_what_a_month_offered_by_hand():
    parts = pd.DataFrame(
        {
            "staff_id": ["a", "b", "b"],
            "grid_code": ["g", "g", "h"],
            "n_days": 1,
            "part": [Fraction(2, 3), Fraction(1, 3), Fraction(1)],
        }
    )
    table = rules(
        ("visit", "patrol_visit", 2, 25, None),
        ("home", "home_visit", 1, None, None),
        ("share", "home_visit_share", 10, None, 95),
        ("on_time", "closed_on_time", 3, None, None),
        ("late", "closed_late", -3, None, None),
        ("report", "report_accepted", 2, None, None),
    )
    offered = attainable_points(
        parts,
        table,
        chances={
            "patrol_visit": pd.Series({"g": 20, "h": 2}),
            "home_visit": pd.Series({"g": 30, "h": 7}),
            "home_visit_share": pd.Series({"g": 1, "h": 0}),
        },
        own={"closed_on_time": pd.Series({"a": 4})},
    )
    # a: 20 x 2/3 x 2 = 26.7, at most 25; 20 homes; the share; 4 closings. b: (20/3 + 2) x 2; 10 + 7 homes; the share.
    assert offered.to_dict() == {"a": 25 + 20 + 10 + 12, "b": Fraction(52, 3) + 17 + 10}
    nothing_known = attainable_points(parts, table, chances={}, own={})
    assert nothing_known.to_dict() == {"a": 0, "b": 0}


def test_shares_grades_and_ranks_by_hand():
    points = pd.Series({"a": 9, "b": 45, "c": 3, "d": 5, "e": -1})
    offered = pd.Series(
        {"a": Fraction(10), "b": Fraction(60), "c": Fraction(3), "d": Fraction(0), "e": Fraction(10)}, dtype=object
    )
    table = compared(points, offered, prior_points=20, grades=(90, 75, 60))
    assert table["share_permille"].tolist() == [900, 750, 1000, pd.NA, -100]
    assert table["grade"].tolist() == ["excellent", "good", "excellent", None, "poor"]
    mean = Fraction(9 + 45 + 3 - 1, 83)
    fair = {code: (int(points[code]) + 20 * mean) / (offered[code] + 20) for code in "abce"}
    assert table["fair_permille"].dropna().tolist() == [int(1000 * value + Fraction(1, 2)) for value in fair.values()]
    assert table["rank"].tolist() == [1, 2, 3, pd.NA, 4]
    assert table["attainable_tenths"].tolist() == [100, 600, 30, 0, 100]


def test_a_month_that_offered_little_neither_tops_nor_ends_the_list():
    points = pd.Series({"lucky": 2, "steady": 95, "unlucky": 0, "lazy": 40})
    offered = pd.Series({"lucky": 2, "steady": 100, "unlucky": 2, "lazy": 100}, dtype=object).map(Fraction)
    table = compared(points, offered, prior_points=20, grades=(90, 75, 60))
    assert table["rank"].sort_values().index.tolist() == ["steady", "lucky", "unlucky", "lazy"]


@given(st.lists(st.tuples(st.integers(-20, 90), st.integers(0, 90)), min_size=1, max_size=12), st.integers(1, 50))
def test_one_more_point_never_makes_a_worse_rank_or_grade(rows, prior):
    points = pd.Series([made for made, _ in rows])
    points.index = points.index.astype(str)
    offered = pd.Series([Fraction(most) for _, most in rows], index=points.index, dtype=object)
    before = compared(points, offered, prior_points=prior, grades=(90, 75, 60))
    after = compared(points + (points.index == "0"), offered, prior_points=prior, grades=(90, 75, 60))
    if before["grade"].isna().iloc[0]:
        return
    assert GRADES.index(after.loc["0", "grade"]) <= GRADES.index(before.loc["0", "grade"])
    assert after.loc["0", "fair_permille"] >= before.loc["0", "fair_permille"]


def test_impossible_questions_are_refused():
    points, offered = pd.Series({"a": 1}), pd.Series({"a": Fraction(1)}, dtype=object)
    with pytest.raises(ValueError, match="same people"):
        compared(points, offered.rename({"a": "b"}), prior_points=1, grades=(90, 75, 60))
    with pytest.raises(ValueError, match="prior_points"):
        compared(points, offered, prior_points=0, grades=(90, 75, 60))
    with pytest.raises(ValueError, match="falling"):
        compared(points, offered, prior_points=1, grades=(60, 75, 90))


def test_three_of_three_do_not_beat_95_of_96():
    done = pd.Series({"tiny": 3, "large": 95, "usual": 60, "weak": 50, "idle": 0})
    due = pd.Series({"tiny": 3, "large": 96, "usual": 80, "weak": 90, "idle": 0})
    table = shrunken_shares(done, due)
    assert table["rank"].tolist()[:4] == [2, 1, 3, 4]
    assert table.loc["idle"].isna().all()
    assert 60 / 80 < table.loc["tiny", "shrunken"] < 1
    assert table.loc["tiny", "share"] == 1


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=15))
def test_shrunken_shares_lie_between_the_own_and_the_common_one(rows):
    due = pd.Series([max(pair) for pair in rows])
    done = pd.Series([min(pair) for pair in rows])
    table = shrunken_shares(done, due)
    if due.sum() == 0:
        assert table.isna().all(axis=None)
        return
    mean = done.sum() / due.sum()
    known = table.dropna()
    low, high = known["share"].clip(upper=mean), known["share"].clip(lower=mean)
    assert ((known["shrunken"] >= low - 1e-9) & (known["shrunken"] <= high + 1e-9)).all()


def test_shares_out_of_range_are_refused():
    with pytest.raises(ValueError, match="same grids"):
        shrunken_shares(pd.Series({"a": 1}), pd.Series({"b": 1}))
    for done in (2, -1, 0.5):
        with pytest.raises(ValueError, match="whole numbers"):
            shrunken_shares(pd.Series({"a": done}), pd.Series({"a": 1}))
