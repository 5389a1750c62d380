"""Official codes of places and grids: text, never numbers.

| code | digits | made of |
|---|---|---|
| township | 9 | county 6 + township 3 (统计用区划代码) |
| village | 12 | township + 3 |
| group (村民小组) | 14 | village + 2 |
| unit | 16 | group + 2; `00` is the whole group |
| grid (level 3) | 15 | village + 3 |
"""

import re
import unicodedata

TOWNSHIP_PATTERN = r"^[0-9]{9}$"
VILLAGE_PATTERN = r"^[0-9]{12}$"
GROUP_PATTERN = r"^[0-9]{14}$"
UNIT_PATTERN = r"^[0-9]{16}$"
GRID_PATTERN = r"^([0-9]{9}|[0-9]{12}|[0-9]{15})$"

VILLAGE_DIGITS = 12
_TOWNSHIP_DIGITS, _GROUP_DIGITS, _GRID_DIGITS = 9, 14, 15


def township_of(code: str) -> str:
    """Return the township code that any longer code starts with.

    Raises
    ------
    ValueError
        If the code is not all digits or shorter than a township code.

    Examples
    --------
    >>> township_of("439901101201003")
    '439901101'
    """
    if not re.fullmatch(r"[0-9]{9,}", code):
        raise ValueError(f"`code` must be at least 9 digits, got {code!r}.")
    return code[:_TOWNSHIP_DIGITS]


def village_of(code: str) -> str:
    """Return the village code that a group, unit or grid code starts with.

    Raises
    ------
    ValueError
        If the code is not all digits or shorter than a village code.
    """
    if not re.fullmatch(r"[0-9]{12,}", code):
        raise ValueError(f"`code` must be at least 12 digits, got {code!r}.")
    return code[:VILLAGE_DIGITS]


def grid_level(grid_code: str) -> int:
    """Return 1 (township), 2 (village) or 3 (area) for a grid code.

    Raises
    ------
    ValueError
        If the code has none of the three lengths.
    """
    levels = {_TOWNSHIP_DIGITS: 1, VILLAGE_DIGITS: 2, _GRID_DIGITS: 3}
    if not grid_code.isascii() or not grid_code.isdigit() or len(grid_code) not in levels:
        raise ValueError(f"`grid_code` must have 9, 12 or 15 digits, got {grid_code!r}.")
    return levels[len(grid_code)]


def plain_name(name: str) -> str:
    """Return a name of a place or a list entry without blanks and width, for comparing.

    Examples
    --------
    >>> plain_name("西村　第１网格 ")
    '西村第1网格'
    """
    return "".join(unicodedata.normalize("NFKC", name).split())
