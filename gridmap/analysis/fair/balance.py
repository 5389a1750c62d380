"""Who carries how much, and what would even it out: one more member, or ground that goes to the grid beside it."""

import numpy as np
import pandas as pd

from gridmap.analysis.fair.expected import require_amounts


def unevenness(load: pd.Series, team: pd.Series) -> float:
    """Return Σ load² ÷ team, over grids with a team: the square of what a member carries, added up over all members.

    For a given load and number of members it is least where everybody carries the same.

    Examples
    --------
    >>> unevenness(pd.Series([6.0, 2.0]), pd.Series([2, 2]))
    20.0
    >>> unevenness(pd.Series([4.0, 4.0]), pd.Series([2, 2]))
    16.0
    """
    has_team = team > 0
    return float((load[has_team] ** 2 / team[has_team]).sum())


def per_member(load: pd.Series, team: pd.Series) -> pd.Series:
    """Return the load that each member of a team carries; NaN without a team, or where it is not known.

    Raises
    ------
    ValueError
        If a known team is not a whole number of at least 0.
    """
    require_amounts("team", team.dropna().to_numpy(dtype=float), whole=True)
    shares: pd.Series = load / team.astype(float).where(team > 0)
    return shares


def one_more_member(load: pd.Series, team: pd.Series) -> pd.DataFrame:
    """Say how much one more member in each grid would even out what members carry.

    Parameters
    ----------
    load
        Of each grid, at least 0; NaN: not known, and left out.
    team
        Same index; whole numbers of at least 0, NaN: not known, and left out.

    Returns
    -------
    DataFrame
        Most gain first, index the grid: `load`, `team`, `per_person`, `per_person_after`, `gain`: by how much
        `unevenness` falls, load² ÷ (team × (team + 1)). A grid that has a load and nobody comes first: its gain is infinite.

    Raises
    ------
    ValueError
        If a number lies outside its range.
    """
    known = load.notna() & team.notna()
    loads, teams = load[known].astype(float), team[known].astype(float)
    require_amounts("load", loads.to_numpy(dtype=float))
    table = pd.DataFrame({"load": loads, "team": teams, "per_person": per_member(loads, teams)})
    table["per_person_after"] = loads / (teams + 1)
    gain = loads**2 / (teams * (teams + 1)).where(teams > 0)
    table["gain"] = gain.fillna(pd.Series(np.where(loads > 0, np.inf, 0.0), index=loads.index))
    return table.sort_values("gain", ascending=False, kind="stable")


def moved_loads(load: pd.Series, team: pd.Series, moves: pd.DataFrame) -> pd.DataFrame:
    """Say how much each move of ground from one grid to another would even out what members carry.

    Parameters
    ----------
    load, team
        As of `one_more_member`.
    moves
        One row a move: `from_grid`, `to_grid`, and the `load` that goes along.

    Returns
    -------
    DataFrame
        Most gain first, without moves between grids of which a load or a team is not known: the columns of `moves` and `from_before`,
        `from_after`, `to_before`, `to_after` (load a member), `gain`: by how much `unevenness` falls (below 0: it rises).

    Raises
    ------
    ValueError
        If a number lies outside its range, or a move takes more than there is.
    """
    require_amounts("load", load.dropna().to_numpy(dtype=float))
    gives, takes = (moves[name].map(load).astype(float) for name in ("from_grid", "to_grid"))
    hands, others = (moves[name].map(team.where(team > 0)).astype(float) for name in ("from_grid", "to_grid"))
    if (moves["load"] > gives + 1e-9).any():
        raise ValueError("`moves` must not take more `load` than the grid has.")
    goes = moves["load"].astype(float)
    table = moves.assign(
        from_before=gives / hands,
        from_after=(gives - goes) / hands,
        to_before=takes / others,
        to_after=(takes + goes) / others,
        gain=(gives**2 - (gives - goes) ** 2) / hands + (takes**2 - (takes + goes) ** 2) / others,
    )
    return table.dropna(subset="gain").sort_values("gain", ascending=False, kind="stable")
