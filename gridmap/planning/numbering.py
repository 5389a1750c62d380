"""Codes of grids and of pieces of units: from west to east and from north to south, never used twice."""

import itertools
import re
from collections.abc import Collection, Hashable

import geopandas as gpd
import numpy as np
import shapely

from gridmap.codes import VILLAGE_DIGITS
from gridmap.errors import InfeasibleError
from gridmap.texts import t

_MOST, _MOST_PIECES = 999, 99
_PIECE_DIGITS = 2
_ENDS_WITH_A_NUMBER = re.compile(r"^(.*?)(\d{1,18})$")


def next_grid_code(village_code: str, *, used: Collection[str]) -> str:
    """Return the lowest number of a village above every number that was ever used there.

    Parameters
    ----------
    village_code
        Twelve digits.
    used
        Grid codes in use or retired, of any village.

    Raises
    ------
    ValueError
        If the village's code has not twelve digits.
    InfeasibleError
        If the village has used all 999 numbers.

    Examples
    --------
    >>> next_grid_code("439901101201", used={"439901101201001", "439901101201007", "439901101202009"})
    '439901101201008'
    """
    if len(village_code) != VILLAGE_DIGITS or not village_code.isdigit():
        raise ValueError(f"`village_code` must have {VILLAGE_DIGITS} digits, got {village_code!r}.")
    taken = [
        int(code[VILLAGE_DIGITS:]) for code in used if code.startswith(village_code) and len(code) > VILLAGE_DIGITS
    ]
    number = max(taken, default=0) + 1
    if number > _MOST:
        raise InfeasibleError(
            f"Village `{village_code}` has used all {_MOST} grid numbers.", reason={"village_code": village_code}
        )
    return f"{village_code}{number:03d}"


def next_piece_codes(unit: str, *, used: Collection[str]) -> tuple[str, str]:
    """Return the codes of a cut unit's two pieces: the next two-digit numbers of its group above every one ever used.

    Raises
    ------
    InfeasibleError
        If the group has used its numbers.

    Examples
    --------
    >>> next_piece_codes("43990110120100101", used={"43990110120100101", "43990110120100104"})
    ('43990110120100105', '43990110120100106')
    """
    group = unit[:-_PIECE_DIGITS]
    first = max((int(code[-_PIECE_DIGITS:]) for code in used if code.startswith(group)), default=0) + 1
    if first + 1 > _MOST_PIECES:
        raise InfeasibleError(t("planning.no_piece_code", unit=unit), reason={"unit": unit})
    return f"{group}{first:0{_PIECE_DIGITS}d}", f"{group}{first + 1:0{_PIECE_DIGITS}d}"


def more_codes(known: Collection[Hashable], n: int) -> list[Hashable]:
    """Return codes that go on as those in use do: numbers above the highest, with the same beginning and width.

    Examples
    --------
    >>> more_codes(["439901101201001", "439901101201007"], 2)
    ['439901101201008', '439901101201009']
    >>> more_codes([3, 1], 1), more_codes(["a2", "a10"], 1), more_codes(["east", "west"], 2)
    ([4], ['a11'], ['1', '2'])
    """
    plain = [float(code) for code in known if isinstance(code, int | float | np.number)]
    if plain and len(plain) == len(known):
        highest = int(max(plain))
        return [highest + step for step in range(1, n + 1)]
    parts = [match.groups() for code in known if (match := _ENDS_WITH_A_NUMBER.match(str(code)))]
    start = max(((beginning, number) for beginning, number in parts), key=lambda part: int(part[1]), default=("", "0"))
    beginning, width = start[0], len(start[1])
    taken = {str(code) for code in known}
    following = (f"{beginning}{number:0{width}d}" for number in itertools.count(int(start[1]) + 1))
    return list(itertools.islice((code for code in following if code not in taken), n))


def number_grids(grids: gpd.GeoSeries, *, village_code: str, used: Collection[str] = ()) -> dict[Hashable, str]:
    """Give new grids of one village their codes by the place of their middle: west to east, then north to south.

    Parameters
    ----------
    grids
        Polygons or points, the index names them. Metric CRS; places are compared to the metre.
    village_code
        Twelve digits.
    used
        Grid codes in use or retired.

    Returns
    -------
    dict
        Code of each grid by its name.

    Raises
    ------
    ValueError, InfeasibleError
        See `next_grid_code`.
    """
    codes: dict[Hashable, str] = {}
    for grid in west_to_east(grids):
        codes[grid] = next_grid_code(village_code, used=[*used, *codes.values()])
    return codes


def west_to_east(grids: gpd.GeoSeries) -> list[Hashable]:
    """Return the names of grids from west to east and, on one meridian to the metre, from north to south."""
    middles = shapely.get_coordinates(shapely.centroid(grids.to_numpy())).round()
    return [grids.index[at] for at in np.lexsort((-middles[:, 1], middles[:, 0]))]
