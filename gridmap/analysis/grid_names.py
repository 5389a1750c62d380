"""The grids of another system beside ours: matched by name, and how their teams differ."""

import pandas as pd

from gridmap.codes import plain_name


def match_grids(theirs: pd.DataFrame, ours: pd.DataFrame) -> pd.Series:
    """Find which of our grids each grid of another tree is; where more than one way is open, none.

    Parameters
    ----------
    theirs
        Index their id, unique; columns `name`, `parent_id` (null at the root).
    ours
        Index `grid_code`; columns `name`, `parent_code` (null at the top).

    Returns
    -------
    Series
        On their index: `grid_code`, or None. A name fits as it stands, or joined behind the name of its parent (第1网格 below
        西村 is 西村第1网格). Of several grids of one name the one whose parent bears the name of their parent is meant. A fit below a
        parent that is another of our grids by name is none, and a grid that two of theirs claim is nobody's.

    Raises
    ------
    KeyError
        If a column is missing.

    Notes
    -----
    The order of the rows never matters.
    """
    names = theirs["name"].map(plain_name)
    parents = theirs["parent_id"].map(names).where(theirs["parent_id"].notna(), None)
    own_names = ours["name"].map(plain_name)
    own_parents = ours["parent_code"].map(own_names)
    known = set(own_names)
    codes_of: dict[str, list[str]] = {}
    for code, name in own_names.items():
        codes_of.setdefault(str(name), []).append(str(code))

    def found(name: str, parent: str | None) -> str | None:
        joined = codes_of.get(f"{parent}{name}", []) if parent else []
        codes = list(dict.fromkeys([*codes_of.get(name, []), *joined]))
        if parent in known:
            codes = [code for code in codes if own_parents[code] == parent]
        return codes[0] if len(codes) == 1 else None

    pairs = zip(names, parents.astype(object).where(parents.notna(), None), strict=True)
    matched = pd.Series([found(name, parent) for name, parent in pairs], index=theirs.index, dtype=object)
    return matched.mask(matched.notna() & matched.duplicated(keep=False), None).astype(object)


def team_differences(theirs: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Return who stands in one list of a grid's team and not in the other.

    Parameters
    ----------
    theirs, ours
        One row a person and grid: `grid_code`, `staff_id`.

    Returns
    -------
    DataFrame
        Index `grid_code`, sorted, only grids of `theirs` that differ: `only_theirs`, `only_ours`, each a sorted tuple of accounts.

    Raises
    ------
    KeyError
        If a column is missing.
    """

    def teams(rows: pd.DataFrame) -> dict[str, set[str]]:
        return {str(code): set(people) for code, people in rows.groupby("grid_code")["staff_id"]}

    their_teams, our_teams = teams(theirs), teams(ours)
    rows = {
        code: (
            tuple(sorted(team - our_teams.get(code, set()))),
            tuple(sorted(our_teams.get(code, set()) - team)),
        )
        for code, team in sorted(their_teams.items())
    }
    differing = {code: pair for code, pair in rows.items() if pair[0] or pair[1]}
    return pd.DataFrame(
        {
            "only_theirs": pd.Series({code: pair[0] for code, pair in differing.items()}, dtype=object),
            "only_ours": pd.Series({code: pair[1] for code, pair in differing.items()}, dtype=object),
        }
    ).rename_axis("grid_code")
