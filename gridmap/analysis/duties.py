"""What somebody's postings let him do: the level of each posting, and which of them concern a place."""

import pandas as pd

from gridmap.analysis.lifecycle import LEVELS
from gridmap.codes import grid_level, village_of

_LEVEL_OF_GRID = {1: "township", 2: "village", 3: "grid"}


def posting_level(*, role: str, grid_code: str | None) -> str:
    """Return the level of a posting: a member of an area grid, its chief, a village, or the township and its teams.

    Raises
    ------
    ValueError
        If the grid code has none of the three lengths.

    Examples
    --------
    >>> posting_level(role="member", grid_code="439901101201003"), posting_level(role="leader", grid_code=None)
    ('member', 'township')
    """
    if grid_code is None:
        return "township"
    level = _LEVEL_OF_GRID[grid_level(grid_code)]
    return "member" if level == "grid" and role == "member" else level


def levels_at(duties: pd.DataFrame, *, grid_code: str | None, village_code: str | None) -> tuple[str, ...]:
    """Return the levels, lowest first, at which somebody may act for a place.

    Parameters
    ----------
    duties
        His postings: `role`, `grid_code` (null: a township team).
    grid_code, village_code
        Where the matter lies. Without a grid all who serve in its village may; without a village the township.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    found = set()
    for role, served in zip(duties["role"], duties["grid_code"], strict=True):
        code = served if isinstance(served, str) else None
        level = posting_level(role=role, grid_code=code)
        if _concerns(code, level, grid_code=grid_code, village_code=village_code):
            found.add(level)
    return tuple(level for level in LEVELS if level in found)


def levels_of(duties: pd.DataFrame) -> tuple[str, ...]:
    """Return the levels of somebody's postings, lowest first.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    codes = [code if isinstance(code, str) else None for code in duties["grid_code"]]
    found = {posting_level(role=role, grid_code=code) for role, code in zip(duties["role"], codes, strict=True)}
    return tuple(level for level in LEVELS if level in found)


def _concerns(served: str | None, level: str, *, grid_code: str | None, village_code: str | None) -> bool:
    if level == "township" or served is None:
        return True
    if village_code is None:
        return False
    if level == "village" or grid_code is None:
        return village_of(served) == village_code
    return served == grid_code
