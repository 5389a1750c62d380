"""Codes of grids: fifteen digits, from west to east and from north to south, never used twice."""

from collections.abc import Collection, Hashable

import geopandas as gpd
import numpy as np
import shapely

from gridmap.codes import VILLAGE_DIGITS
from gridmap.errors import InfeasibleError

_MOST = 999


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
