"""How good the data of a month are: recorded late, without a place, missing days, check-ins that count nowhere."""

from datetime import date, timedelta

import pandas as pd

from gridmap.analysis.review.frames import Frames, Span
from gridmap.analysis.review.measures import Measure, counted, quotient
from gridmap.analysis.review.patrols import MonthPatrols
from gridmap.analysis.rhythm import span_days


def late_facts(frames: Frames, span: Span, *, late_hours: int) -> pd.DataFrame:
    """Count the facts of a month by kind, and those recorded late.

    Parameters
    ----------
    frames
        Facts with `happened_at` and `recorded_at`.
    span
        The month.
    late_hours
        A fact that was recorded more than so many hours after it happened is late.

    Returns
    -------
    DataFrame
        Index `fact` (`incidents`, `steps`, `checkins`, `fixes`, `home_visits`): `n_facts`, `n_late`, `n_after_month` (recorded after the
        month had ended).
    """
    facts = {
        "incidents": frames.incidents,
        "steps": frames.steps,
        "checkins": frames.checkins,
        "fixes": frames.fixes,
        "home_visits": frames.home_visits,
    }
    rows = {}
    for name, frame in facts.items():
        happened, recorded = frame["happened_at"], frame["recorded_at"]
        inside = (happened >= span.since) & (happened < span.until)
        rows[name] = {
            "n_facts": int(inside.sum()),
            "n_late": int((inside & (recorded - happened > timedelta(hours=late_hours))).sum()),
            "n_after_month": int((inside & (recorded >= span.until)).sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("fact")


def silent_days(patrols: MonthPatrols, span: Span) -> list[date]:
    """Return the days of a month on which nobody left any trace of a patrol."""
    seen = set(patrols.traces["day"])
    return [day for day in span_days(span.first_on, span.last_on) if day not in seen]


def quality_measures(
    cases: pd.DataFrame, patrols: MonthPatrols, frames: Frames, span: Span, *, late_hours: int
) -> dict[str, Measure]:
    """Return the figures of the data's quality: `quality.*`.

    Parameters
    ----------
    cases, patrols
        Of the month.
    frames
        Facts.
    span
        The month.
    late_hours
        See `late_facts`.
    """
    facts = late_facts(frames, span, late_hours=late_hours).sum()
    n_days = (span.last_on - span.first_on).days + 1
    new = cases[cases["is_new"]]
    n_checkins = int(frames.checkins["happened_at"].between(span.since, span.until, inclusive="left").sum())
    return {
        "quality.n_facts": counted(int(facts["n_facts"]), is_known=facts["n_facts"] > 0),
        "quality.late": quotient(int(facts["n_late"]), int(facts["n_facts"]), is_known=facts["n_facts"] > 0),
        "quality.n_after_month": counted(int(facts["n_after_month"]), is_known=facts["n_facts"] > 0),
        "quality.without_place": quotient(int((~new["has_place"]).sum()), len(new), is_known=len(new) > 0),
        "quality.silent_days": quotient(len(silent_days(patrols, span)), n_days),
        "quality.not_counted": quotient(len(patrols.excluded), n_checkins, is_known=n_checkins > 0),
    }
