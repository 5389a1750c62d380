"""How many disputes and cases came in in each of thirteen months, as a table of a section."""

from dataclasses import replace
from datetime import date, tzinfo

import pandas as pd

from gridmap.analysis.review.cases import DISPUTE
from gridmap.analysis.review.frames import month_before
from gridmap.reports.review.build import column, table
from gridmap.reports.review.shape import Section

N_MONTHS = 13
"""The month, and the twelve before: the first is the same month of the year before."""


def with_months(section: Section, incidents: pd.DataFrame, *, month: date, zone: tzinfo) -> Section:
    """Return a section with a table of what came in in each month; a month in which nobody reported anything is unknown.

    Parameters
    ----------
    section
        That of disputes.
    incidents
        Known by the instant of the report and active within the thirteen months: `kind`, `happened_at`.
    month
        First day of the month.
    zone
        The township's clock.
    """
    # Whole months by the township's clock, as everywhere in the review.
    months = incidents["happened_at"].dt.tz_convert(zone).dt.strftime("%Y-%m")
    named = [f"{month_before(month, n=n):%Y-%m}" for n in range(N_MONTHS - 1, 0, -1)] + [f"{month:%Y-%m}"]
    cases = months.value_counts().reindex(named)
    disputes = months[incidents["kind"] == DISPUTE].value_counts().reindex(named).fillna(0).where(cases.notna())
    rows = pd.DataFrame({"month": named, "n_disputes": disputes.to_numpy(), "n_cases": cases.to_numpy()})
    columns = [
        column("month"),
        column("n_disputes", "count", unit="unit.incidents", formula="disputes_n_new", called="month_n_disputes"),
        column("n_cases", "count", unit="unit.incidents", formula="cases_n_new", called="month_n_cases"),
    ]
    return replace(section, tables=(*section.tables, table("disputes.by_month", rows, columns, by=["month"])))
