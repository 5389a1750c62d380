"""People and grids compared: points against what the month offered, exact fractions, drawn together where little was offered."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd

from gridmap.analysis.points.events import rows_of

GRADES = ("excellent", "good", "fair", "poor")
"""Grades of a month, best first (优秀、良好、合格、待改进)."""
_PER = 1000
_SHARED = ("patrol_visit", "home_visit")
_EACH = ("home_visit_share",)
_OWN = ("closed_on_time",)


def team_parts(postings: pd.DataFrame, *, first_on: date, last_on: date) -> pd.DataFrame:
    """Say which part of each grid's month each member had: his days in service there out of all its members' days.

    Parameters
    ----------
    postings
        `staff_id`, `grid_code`, `valid_from`, `valid_until` (may be null: outside), area grids only.
    first_on, last_on
        First and last day, both inside.

    Returns
    -------
    DataFrame
        `staff_id`, `grid_code`, sorted; `n_days` (int, above 0), `part` (Fraction; those of a grid add up to 1).
    """
    days: dict[tuple[str, str], set[date]] = {}
    for row in rows_of(postings):
        end = (
            last_on
            if row["valid_until"] is None or pd.isna(row["valid_until"])
            else row["valid_until"] - timedelta(days=1)
        )
        begin, end = max(row["valid_from"], first_on), min(end, last_on)
        served = {begin + timedelta(days=step) for step in range((end - begin).days + 1)}
        if served:
            days.setdefault((row["staff_id"], row["grid_code"]), set()).update(served)
    totals: dict[str, int] = {}
    for (_, grid), served in days.items():
        totals[grid] = totals.get(grid, 0) + len(served)
    rows = [
        {"staff_id": staff, "grid_code": grid, "n_days": len(served), "part": Fraction(len(served), totals[grid])}
        for (staff, grid), served in sorted(days.items())
    ]
    return pd.DataFrame(rows, columns=["staff_id", "grid_code", "n_days", "part"])


def attainable_points(
    parts: pd.DataFrame, rules: pd.DataFrame, *, chances: Mapping[str, pd.Series], own: Mapping[str, pd.Series]
) -> pd.Series:
    """Say how many points the month offered each person.

    Parameters
    ----------
    parts
        From `team_parts`.
    rules
        Index `rule_code`; `counts`, `points`, `monthly_ceiling`.
    chances
        What was due of each grid (whole numbers by `grid_code`) by what is counted: `patrol_visit`, `home_visit`,
        `home_visit_share` (1 where the share is known). What is unknown is left out: then nobody could earn it.
    own
        What fell to each person (whole numbers by `staff_id`): `closed_on_time`: closings with a due time, in time or not.

    Returns
    -------
    Series
        Index `staff_id`, Fractions of at least 0. Duties of a grid are divided by the days of service, each rule ends at its
        monthly ceiling. What cannot be due (reports, praise) is not offered: it comes on top.
    """
    offered: dict[str, Fraction] = dict.fromkeys(parts["staff_id"], Fraction(0))
    for _, rule in rules.iterrows():
        if rule["points"] <= 0:
            continue
        counts, worth = rule["counts"], dict.fromkeys(offered, Fraction(0))
        if counts in (*_SHARED, *_EACH) and counts in chances:
            for row in rows_of(parts):
                n_due = Fraction(int(chances[counts].get(row["grid_code"], 0)))
                if counts in _SHARED:
                    worth[row["staff_id"]] += n_due * row["part"]
                else:
                    worth[row["staff_id"]] = max(worth[row["staff_id"]], n_due)
        elif counts in _OWN and counts in own:
            for staff in worth:
                worth[staff] = Fraction(int(own[counts].get(staff, 0)))
        for staff, times in worth.items():
            points = times * int(rule["points"])
            ceiling = rule["monthly_ceiling"]
            offered[staff] += points if pd.isna(ceiling) else min(points, Fraction(int(ceiling)))
    return pd.Series(offered, dtype=object).rename("attainable").rename_axis("staff_id")


def compared(points: pd.Series, attainable: pd.Series, *, prior_points: int, grades: Sequence[int]) -> pd.DataFrame:
    """Compare people whose months offered different things.

    Parameters
    ----------
    points
        Whole numbers by `staff_id`.
    attainable
        Same index; Fractions of at least 0.
    prior_points
        As if so many points of the township's mean share had been offered to everybody beforehand, for the ranking; above 0.
    grades
        Per cent from which a share is excellent, good, fair; falling.

    Returns
    -------
    DataFrame
        On the same index: `points`, `attainable_tenths` (int, tenths of a point, rounded half up), `share_permille` and
        `fair_permille` (Int64, rounded half up; null where nothing was offered), `rank` (Int64; 1 is the best, equal ones share
        it), `grade` (one of `GRADES`, null).

    Raises
    ------
    ValueError
        If the indexes differ, `prior_points` is not above 0 or `grades` do not fall.

    Notes
    -----
    share = points ÷ attainable; fair = (points + prior × mean) ÷ (attainable + prior), mean = all points ÷ all attainable
    (Bühlmann's credibility with a given weight): a month that offered three points neither tops nor ends the list. Exact
    fractions throughout, so recomputing gives the same to the digit. A grade asks only for what was offered.
    """
    if not points.index.equals(attainable.index):
        raise ValueError("`points` and `attainable` must be of the same people, in the same order.")
    if prior_points <= 0:
        raise ValueError(f"`prior_points` must be above 0, got {prior_points}.")
    if len(grades) != len(GRADES) - 1 or sorted(grades, reverse=True) != list(grades):
        raise ValueError(f"`grades` must be three falling numbers, got {list(grades)}.")
    made = {str(staff): int(number) for staff, number in points.items()}
    most: dict[str, Fraction] = {str(staff): offered for staff, offered in attainable.items()}
    known = [staff for staff, offered in most.items() if offered > 0]
    mean = Fraction(sum(made[staff] for staff in known)) / sum(most[staff] for staff in known) if known else Fraction(0)
    shares = {staff: made[staff] / most[staff] for staff in known}
    fair = {staff: (made[staff] + prior_points * mean) / (most[staff] + prior_points) for staff in known}
    better = sorted(fair.values(), reverse=True)
    grade = [_grade(shares.get(staff), grades) for staff in made]
    return pd.DataFrame(
        {
            "points": list(made.values()),
            "attainable_tenths": [_rounded(10 * offered) for offered in most.values()],
            "share_permille": _whole(_rounded(_PER * shares[staff]) if staff in shares else None for staff in made),
            "fair_permille": _whole(_rounded(_PER * fair[staff]) if staff in fair else None for staff in made),
            "rank": _whole(1 + better.index(fair[staff]) if staff in fair else None for staff in made),
            "grade": pd.Series(grade, index=points.index, dtype=object),
        },
        index=points.index,
    )


def _whole(values: Any) -> Any:
    return pd.array(list(values), dtype="Int64")


def _rounded(value: Fraction) -> int:
    """Round half up."""
    return int((2 * value + 1) // 2)


def _grade(share: Fraction | None, grades: Sequence[int]) -> str | None:
    if share is None:
        return None
    return next((name for name, least in zip(GRADES, grades, strict=False) if share * 100 >= least), GRADES[-1])
