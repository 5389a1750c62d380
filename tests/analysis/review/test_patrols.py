"""What became of a gap since the month before."""

import pandas as pd
import pytest

from gridmap.analysis.review.patrols import gap_changes

GONE = None


def _points(**verdicts: str | None) -> pd.DataFrame:
    told = {code: verdict for code, verdict in verdicts.items() if verdict is not GONE}
    return pd.DataFrame({"verdict": pd.Series(told, dtype=object)})


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ("visited", "not_visited", "opened"),
        ("not_visited", "not_visited", "persists"),
        ("not_visited", "visited", "closed"),
        ("not_visited", "cannot_tell", "cannot_tell"),
        ("not_visited", "going_on", "cannot_tell"),
        ("not_visited", GONE, "gone"),
        (GONE, "not_visited", "new_point"),
        ("cannot_tell", "not_visited", "new_point"),
    ],
)
def test_each_change_of_a_gap_by_hand(before: str | None, now: str | None, change: str):
    assert gap_changes(_points(P=before), _points(P=now)).to_dict() == {"P": change}


@pytest.mark.parametrize(("before", "now"), [("visited", "visited"), ("cannot_tell", "visited"), (GONE, "cannot_tell")])
def test_what_was_no_gap_in_either_month_is_not_listed(before: str | None, now: str | None):
    assert gap_changes(_points(P=before), _points(P=now)).empty


def test_gaps_now_are_those_before_less_the_closed_and_more_the_opened():
    kinds = ("visited", "not_visited", "cannot_tell", "going_on", GONE)
    before = _points(**{f"P{at}": kinds[at % 5] for at in range(25)})
    now = _points(**{f"P{at}": kinds[at // 5] for at in range(25)})
    n = gap_changes(before, now).value_counts()
    n_before, n_now = ((points["verdict"] == "not_visited").sum() for points in (before, now))
    assert n_now == n["opened"] + n["new_point"] + n["persists"]
    assert n_before == n["persists"] + n["closed"] + n["gone"] + n["cannot_tell"]
