"""Door-to-door visits: the share of a grid's households that were visited in a month (巡查覆盖率)."""

from datetime import date, tzinfo

import pandas as pd


def door_to_door(
    households: pd.DataFrame, home_visits: pd.DataFrame, *, months: list[date], zone: tzinfo
) -> pd.DataFrame:
    """Share of each grid's households visited in each month.

    Parameters
    ----------
    households
        One row a household, the index names it; `grid_code` (may be null: left out).
    home_visits
        `household_code`, `happened_at` (tz-aware); of unknown households: left out.
    months
        First days of the months wanted.
    zone
        The township's clock.

    Returns
    -------
    DataFrame
        One row a grid and month, sorted: `grid_code`, `month`, `n_households` (int), `n_visited` (households with at least one
        visit in the month), `visited_share` (0 to 1). The last two are NaN in a month in which no visit of any grid was
        recorded: unknown, not 0.

    Raises
    ------
    ValueError
        If a month is not given by its first day.

    Notes
    -----
    Two visits of one household are one; a visit more never lowers a share. Rule: docs/kpi.md, "Door-to-door visits".
    """
    if late := [month for month in months if month.day != 1]:
        raise ValueError(f"`months` must be first days of months, got {late[0]}.")
    grid_of = households["grid_code"].dropna()
    on = home_visits["happened_at"].dt.tz_convert(zone).dt.date
    made = pd.DataFrame(
        {"household_code": home_visits["household_code"], "month": [day.replace(day=1) for day in on]}
    ).drop_duplicates()
    made = made[made["household_code"].isin(households.index)]
    visited = made.assign(grid_code=made["household_code"].map(grid_of)).groupby(["grid_code", "month"]).size()
    n_households = grid_of.groupby(grid_of).size()
    cells = pd.MultiIndex.from_product([n_households.index, sorted(set(months))], names=["grid_code", "month"])
    table = pd.DataFrame(index=cells).reset_index()
    is_known = table["month"].isin(set(made["month"]))
    n_visited = visited.reindex(cells).fillna(0.0).to_numpy(dtype=float)
    table["n_households"] = table["grid_code"].map(n_households).astype(int)
    table["n_visited"] = pd.Series(n_visited, index=table.index).where(is_known)
    table["visited_share"] = table["n_visited"] / table["n_households"]
    return table
