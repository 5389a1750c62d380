"""Counts of people per grid and village group, and how old they are (人员信息分布台账): counts, never who."""

from datetime import date, timedelta

import pandas as pd


def people_counts(households: pd.DataFrame, *, by: list[str], needs: list[str], stale_before: date) -> pd.DataFrame:
    """Count households, residents and service needs, with the age of what is known.

    Parameters
    ----------
    households
        One row a household: `by`, `n_residents`, `updated_on` (`datetime.date`, may be null), one column a need.
    by
        Columns to count by; rows with a null in them are left out.
    needs
        Columns of needs to add up.
    stale_before
        A household last updated before this day, or never, is stale.

    Returns
    -------
    DataFrame
        Index `by`, sorted: `n_households`, `n_residents`, the needs (int), `newest_on`, `oldest_on` (`datetime.date`, null where
        no day is known), `n_stale` (households).

    Raises
    ------
    KeyError
        If a column is missing.

    Notes
    -----
    Every count adds up over the parts to that of the whole, but for households in none.
    """
    rows = households.dropna(subset=by)
    stale = [day is None or pd.isna(day) or day < stale_before for day in rows["updated_on"]]
    groups = rows.assign(n_stale=pd.Series(stale, index=rows.index).astype(int)).groupby(by, sort=True)
    table = groups[["n_residents", *needs, "n_stale"]].sum().astype(int)
    table.insert(0, "n_households", groups.size().astype(int))
    days = (
        rows.assign(updated_on=rows["updated_on"].astype(object)).dropna(subset="updated_on").groupby(by)["updated_on"]
    )
    for name, pick in (("newest_on", "max"), ("oldest_on", "min")):
        found = days.agg(pick).reindex(table.index).astype(object)
        table[name] = found.where(found.notna(), None)
    return table


def last_update(newest_on: pd.Series, gone_through_on: pd.Series, *, today: date, stale_days: int) -> pd.DataFrame:
    """Say when the counts of each grid were last looked after, and whether they are due.

    Parameters
    ----------
    newest_on
        Last day on which a household of the grid was updated (`datetime.date`, may be null).
    gone_through_on
        Same index: last day on which its team said that it went through all of them (may be null).
    today
        The day.
    stale_days
        So many days after the last update they are due; above 0.

    Returns
    -------
    DataFrame
        On the same index: `last_on` (the later of the two; null: never), `due_on` (null: at once), `is_due`.

    Raises
    ------
    ValueError
        If the indexes differ or `stale_days` is not above 0.
    """
    if not newest_on.index.equals(gone_through_on.index):
        raise ValueError("`newest_on` and `gone_through_on` must be of the same grids, in the same order.")
    if stale_days <= 0:
        raise ValueError(f"`stale_days` must be above 0, got {stale_days}.")
    known = [
        [day for day in pair if day is not None and not pd.isna(day)]
        for pair in zip(newest_on, gone_through_on, strict=True)
    ]
    last = [max(days, default=None) for days in known]
    due = [None if day is None else day + timedelta(days=stale_days) for day in last]
    return pd.DataFrame(
        {
            "last_on": pd.Series(last, index=newest_on.index, dtype=object),
            "due_on": pd.Series(due, index=newest_on.index, dtype=object),
            "is_due": [day is None or day <= today for day in due],
        },
        index=newest_on.index,
    )
