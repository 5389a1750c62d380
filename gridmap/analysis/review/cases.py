"""Incidents of a month: what came in, what was settled by its end, what was left, and who has it."""

from datetime import timedelta

import pandas as pd

from gridmap.analysis.counting import locate
from gridmap.analysis.incidents import closing_figures, incident_states
from gridmap.analysis.review.frames import Frames, Span
from gridmap.analysis.review.measures import Measure, counted, quotient

DISPUTE = "dispute"
REQUEST = "request"
_NONE = timedelta(0)


def placed_incidents(frames: Frames) -> pd.DataFrame:
    """Return all incidents with the village and the grid they belong to, without their points.

    Returns
    -------
    DataFrame
        The columns of `Frames.incidents`, `village_code` by place, else as it was named (null: neither), `grid_code` of the plan of the
        month (null: in none, or without a place), `has_place`.
    """
    incidents = frames.incidents
    located = locate(incidents, frames.villages)
    named = incidents["village_code"].astype(object)
    has_place = ~(incidents.geometry.isna() | incidents.geometry.is_empty)
    return pd.DataFrame(incidents.drop(columns=incidents.geometry.name)).assign(
        village_code=located.astype(object).where(located.notna(), named),
        grid_code=locate(incidents, frames.grids).astype(object),
        has_place=has_place,
    )


def month_cases(
    incidents: pd.DataFrame, steps: pd.DataFrame, span: Span, *, open_before: pd.Series | None = None
) -> pd.DataFrame:
    """Return the cases of a month as they stood at its end.

    Parameters
    ----------
    incidents
        From `placed_incidents`.
    steps
        Of them.
    span
        The month.
    open_before
        Whether each incident was open when the month began, where that is known from the month before; the same index or a part.

    Returns
    -------
    DataFrame
        Cases that came in in the month, or were open when it began, or are open at its end; the columns of `incidents` and of
        `analysis.incidents.incident_states` at the month's end, and `is_new` (came in in the month), `was_open` (when it began),
        `is_settled` (closed at its end).

    Notes
    -----
    Open before + new + opened again = settled + open after, for every selection of cases.
    """
    known = incidents[incidents["happened_at"] < span.until]
    now = incident_states(known, steps, now=span.ends_at, due_soon=_NONE)
    is_new = known["happened_at"] >= span.since
    if open_before is None:
        before = span.since - timedelta(microseconds=1)
        open_before = incident_states(known[~is_new], steps, now=before, due_soon=_NONE)["is_open"]
    was_open = open_before.reindex(known.index, fill_value=False).astype(bool)
    concerned = is_new | was_open | now["is_open"]
    table = known[concerned].drop(columns="due_at").join(now[concerned])
    return table.assign(is_new=is_new, was_open=was_open, is_settled=~table["is_open"])


def case_measures(cases: pd.DataFrame) -> dict[str, Measure]:
    """Return the figures of the cases of a month.

    Parameters
    ----------
    cases
        From `month_cases`; where it is empty nothing is known: nobody reported is not "nothing happened".

    Returns
    -------
    dict
        `disputes.*`, `cases.*` and `satisfaction.*`.
    """
    is_known = bool(cases["is_new"].any())
    disputes = cases[cases["kind"] == DISPUTE]
    found = {f"disputes.{name}": one for name, one in _flow(disputes, is_known=is_known).items()}
    found |= {f"cases.{name}": one for name, one in _flow(cases, is_known=is_known).items()}
    closed = cases[cases["is_settled"]]
    shares = closing_figures(closed)
    for name, row in (
        ("cases.on_time", "on_time"),
        ("cases.in_grid", "in_grid"),
        ("satisfaction.rated_well", "satisfaction"),
    ):
        found[name] = _share(shares, row, is_known=is_known)
    rated = closed["satisfaction"].dropna()
    found["satisfaction.mean"] = quotient(float(rated.sum()), len(rated), is_known=is_known)
    found["satisfaction.asked"] = quotient(int(closed["is_followed_up"].sum()), len(closed), is_known=is_known)
    found["cases.n_overdue"] = counted(int(cases["is_overdue"].sum()), is_known=is_known)
    return found


def _share(shares: pd.DataFrame, row: str, *, is_known: bool) -> Measure:
    numerator, denominator = (float(shares[name].to_dict()[row]) for name in ("numerator", "denominator"))
    return quotient(numerator, denominator, is_known=is_known)


def _flow(cases: pd.DataFrame, *, is_known: bool) -> dict[str, Measure]:
    new = cases[cases["is_new"]]
    is_open = cases["is_open"]
    numbers = {
        "n_new": int(cases["is_new"].sum()),
        "n_new_settled": int(new["is_settled"].sum()),
        "n_new_unsettled": int(new["is_open"].sum()),
        "n_open_before": int(cases["was_open"].sum()),
        "n_settled": int((~is_open).sum()),
        "n_reopened": int((is_open & ~cases["is_new"] & ~cases["was_open"]).sum()),
        "n_open_after": int(is_open.sum()),
    }
    found = {name: counted(value, is_known=is_known) for name, value in numbers.items()}
    found["settled_share"] = _share(closing_figures(new), "closing", is_known=is_known)
    return found


def who_handles(cases: pd.DataFrame) -> pd.Series:
    """Return the township team to which each case is dispatched, as code; null where village and grid handle it."""
    return cases["team_code"].rename("team_code")
