"""Counts of people per grid and village group, and how old they are (人员信息分布台账): counts, never who."""

from datetime import date, timedelta

import pandas as pd


def looked_after(updated_on: pd.Series, gone_through_on: pd.Series) -> pd.Series:
    """Return when the counts of each household were last looked after.

    Parameters
    ----------
    updated_on
        Day of its last update (`datetime.date`, may be null).
    gone_through_on
        Same index: day on which its grid's team last went through all its households (may be null).

    Returns
    -------
    Series
        The later of the two; null: never.

    Raises
    ------
    ValueError
        If the indexes differ.
    """
    if not updated_on.index.equals(gone_through_on.index):
        raise ValueError("`updated_on` and `gone_through_on` must be of the same households, in the same order.")
    pairs = zip(updated_on, gone_through_on, strict=True)
    days = [max((day for day in pair if day is not None and not pd.isna(day)), default=None) for pair in pairs]
    return pd.Series(days, index=updated_on.index, dtype=object, name="updated_on")


def people_counts(
    households: pd.DataFrame, *, by: list[str], needs: list[str], today: date, stale_days: int
) -> pd.DataFrame:
    """Count households, residents and service needs, with the age of what is known.

    Parameters
    ----------
    households
        One row a household: `by`, `n_residents`, `updated_on` (`datetime.date`, may be null), one column a need.
    by
        Columns to count by; rows with a null in them are left out.
    needs
        Columns of needs to add up.
    today
        The day.
    stale_days
        A household not looked after for so many days, or never, is stale; above 0.

    Returns
    -------
    DataFrame
        Index `by`, sorted: `n_households`, `n_residents`, the needs (int), `newest_on`, `oldest_on` (`datetime.date`, null where
        no day is known), `n_stale` (households).

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If `stale_days` is not above 0.

    Notes
    -----
    Every count adds up over the parts to that of the whole, but for households in none.
    """
    if stale_days <= 0:
        raise ValueError(f"`stale_days` must be above 0, got {stale_days}.")
    rows = households.dropna(subset=by)
    limit = today - timedelta(days=stale_days)
    stale = [day is None or pd.isna(day) or day <= limit for day in rows["updated_on"]]
    groups = rows.assign(n_stale=pd.Series(stale, index=rows.index).astype(int)).groupby(by, sort=True)
    table = groups[["n_residents", *needs, "n_stale"]].sum().astype(int)
    table.insert(0, "n_households", groups.size().astype(int))
    known = rows.assign(updated_on=rows["updated_on"].astype(object)).dropna(subset="updated_on")
    days = known.groupby(by)["updated_on"]
    for name, pick in (("newest_on", "max"), ("oldest_on", "min")):
        found = days.agg(pick).reindex(table.index).astype(object)
        table[name] = found.where(found.notna(), None)
    return table


def updates_due(households: pd.DataFrame, *, today: date, stale_days: int, stale_share: float) -> pd.DataFrame:
    """Say of each grid when too many of its households will not have been looked after for too long.

    Parameters
    ----------
    households
        `grid_code` (null: left out), `updated_on` (may be null: never).
    today
        The day.
    stale_days
        A household not looked after for so many days is stale; above 0.
    stale_share
        A grid is due as soon as more than this share of its households is stale; 0 to below 1.

    Returns
    -------
    DataFrame
        Index `grid_code`, sorted: `due_on` (`datetime.date`; null: due since ever, since too many were never looked after) and
        `is_due`.

    Raises
    ------
    ValueError
        If `stale_days` or `stale_share` lies outside its range.
    """
    if stale_days <= 0 or not 0 <= stale_share < 1:
        raise ValueError(
            f"`stale_days` must be above 0, `stale_share` from 0 to below 1, got {stale_days}, {stale_share}."
        )
    rows = []
    for code, homes in households.dropna(subset="grid_code").groupby("grid_code", sort=True):
        days = sorted(date.min if day is None or pd.isna(day) else day for day in homes["updated_on"])
        turning = days[int(stale_share * len(days))]
        due_on = None if turning == date.min else turning + timedelta(days=stale_days)
        rows.append((code, due_on, due_on is None or due_on <= today))
    codes, due, is_due = zip(*rows, strict=True) if rows else ((), (), ())
    index = pd.Index(codes, name="grid_code", dtype=object)
    return pd.DataFrame({"due_on": pd.Series(due, index=index, dtype=object), "is_due": list(is_due)}, index=index)
