"""Workload of each grid: people to serve, work to do, hands to do it."""

from datetime import datetime

import numpy as np
import pandas as pd


def workload(
    load: pd.DataFrame,
    *,
    incidents: pd.DataFrame,
    checkpoints: pd.DataFrame,
    postings: pd.DataFrame,
    since: datetime,
    until: datetime,
) -> pd.DataFrame:
    """Put the work of each grid side by side.

    Parameters
    ----------
    load
        Index the grid; `n_households`, `n_residents`.
    incidents
        `grid_code` (null: no grid), `happened_at`, `closed_at`, `is_open`, `is_overdue`.
    checkpoints
        `grid_code`, `n_due`, `n_counted`.
    postings
        `grid_code`, one row a person in service.
    since, until
        The span of "new" and "closed": `since` inside, `until` outside; tz-aware.

    Returns
    -------
    DataFrame
        On the index of `load`: its columns and `n_new`, `n_closed` (in the span), `n_open`, `n_overdue` (now), `n_due`,
        `n_made`, `team_size` (int), `households_per_member`, `open_per_member` (NaN without a team),
        `incidents_per_100_households` (new ones; NaN without households).

    Raises
    ------
    KeyError
        If a column is missing.

    Notes
    -----
    Every count adds up over the grids to the township's, but for incidents and checkpoints in no grid. Rule: docs/kpi.md.
    """
    happened = incidents["happened_at"].between(since, until, inclusive="left")
    closed = incidents["closed_at"].between(since, until, inclusive="left")
    counts = {
        "n_new": incidents[happened].groupby("grid_code").size(),
        "n_closed": incidents[closed].groupby("grid_code").size(),
        "n_open": incidents[incidents["is_open"]].groupby("grid_code").size(),
        "n_overdue": incidents[incidents["is_overdue"]].groupby("grid_code").size(),
        "n_due": checkpoints.groupby("grid_code")["n_due"].sum(),
        "n_made": checkpoints.groupby("grid_code")["n_counted"].sum(),
        "team_size": postings.groupby("grid_code").size(),
    }
    table = load.assign(
        **{name: counted.reindex(load.index, fill_value=0).astype(int) for name, counted in counts.items()}
    )
    members = table["team_size"].replace(0, np.nan)
    table["households_per_member"] = table["n_households"] / members
    table["open_per_member"] = table["n_open"] / members
    table["incidents_per_100_households"] = 100 * table["n_new"] / table["n_households"].replace(0, np.nan)
    return table
