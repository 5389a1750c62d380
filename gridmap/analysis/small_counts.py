"""What may be shown to everybody: private matters only as counts a grid, small counts only as "fewer than"."""

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely


def public_counts(counts: pd.DataFrame, *, hidden_below: int, total: str) -> pd.DataFrame:
    """Write a table of counts for everybody: no small count can be read, not even from the totals.

    Parameters
    ----------
    counts
        One row a grid, one column a category; whole numbers of at least 0. No totals in it.
    hidden_below
        The smallest count that is shown; 3 hides 1 and 2. At least 2. 0 is always shown.
    total
        What the last row and the last column, the totals, are called.

    Returns
    -------
    DataFrame
        Text: `0`, `<3`, `3`, `4`, …; totals as by `public_total`.

    Raises
    ------
    ValueError
        If a count is not a whole number of at least 0, the limit is below 2, or the name of the totals is taken.

    Notes
    -----
    An exact total gives a hidden count away as soon as it is the only one in its row or column, or all of them are 1. A
    rounded total still does so near the edge of the rounding. Totals made of nothing but what is shown cannot, in any
    row, column or sum of tables. Rule: docs/kpi.md, "small counts".
    """
    if total in counts.columns or total in counts.index:
        raise ValueError(f"`total` must not be the name of a row or column, got `{total}`.")
    numbers = _whole(counts.to_numpy(dtype=float), hidden_below=hidden_below)
    columns = [*counts.columns, total]
    rows = [
        [*(_shown(number, hidden_below) for number in row), public_total(row, hidden_below=hidden_below)]
        for row in numbers
    ]
    foot = [public_total(column, hidden_below=hidden_below) for column in (*numbers.T, numbers.ravel())]
    index = pd.Index([*counts.index, total], name=counts.index.name, dtype=object)
    return pd.DataFrame([*rows, foot], index=index, columns=pd.Index(columns, dtype=object), dtype=object)


def public_count(count: float, *, hidden_below: int) -> str:
    """Write one count for everybody: `0`, `<3`, or the count itself.

    Parameters
    ----------
    count
        Whole number of at least 0.
    hidden_below
        See `public_counts`.

    Raises
    ------
    ValueError
        If the count is not a whole number of at least 0, or the limit is below 2.
    """
    (number,) = _whole(np.array([count], dtype=float), hidden_below=hidden_below).tolist()
    return _shown(number, hidden_below)


def public_total(counts: npt.ArrayLike, *, hidden_below: int) -> str:
    """Write the total of counts so that it tells nothing that the counts shown beside it do not tell.

    Parameters
    ----------
    counts
        The counts that are added up, as they are; whole numbers of at least 0.
    hidden_below
        See `public_counts`.

    Returns
    -------
    str
        The total where no count is hidden; else the least and the most that the shown counts allow, such as `12-14`.

    Raises
    ------
    ValueError
        If a count is not a whole number of at least 0, or the limit is below 2.
    """
    numbers = _whole(np.asarray(counts, dtype=float), hidden_below=hidden_below)
    is_hidden = (numbers > 0) & (numbers < hidden_below)
    n_hidden, known = int(is_hidden.sum()), int(numbers[~is_hidden].sum())
    return f"{known + n_hidden}-{known + n_hidden * (hidden_below - 1)}" if n_hidden else str(known)


def _whole(numbers: npt.NDArray[np.float64], *, hidden_below: int) -> npt.NDArray[np.int64]:
    if hidden_below < 2:  # noqa: PLR2004  below 2 nothing is hidden
        raise ValueError(f"`hidden_below` must be at least 2, got {hidden_below}.")
    if not (np.isfinite(numbers) & (numbers >= 0) & (numbers == np.floor(numbers))).all():
        raise ValueError("`counts` must be whole numbers of at least 0.")
    return numbers.astype(np.int64)


def _shown(number: int, hidden_below: int) -> str:
    return f"<{hidden_below}" if 0 < number < hidden_below else str(number)


def known_public(private: pd.Series) -> pd.Series:
    """Return which incidents everybody may be told about: those known to be no private matter.

    Parameters
    ----------
    private
        Whether an incident's category is a private matter (family, marriage); null counts as private.

    Returns
    -------
    Series
        bool, on the same index.
    """
    return ~private.fillna(value=True).astype(bool)


def public_incidents(incidents: gpd.GeoDataFrame, *, private: pd.Series, kept: Collection[str]) -> gpd.GeoDataFrame:
    """Return the incidents that may stand on a public map as dots, with nothing that describes them.

    Parameters
    ----------
    incidents
        One row an incident; points may be null.
    private
        On the same index: whether its category is a private matter (family, marriage). Null counts as private.
    kept
        Columns that may be shown; all others are dropped, whatever they are called.

    Returns
    -------
    GeoDataFrame
        The rows that are not private and have a place; the columns `kept` and the geometry. Private ones are shown only as
        counts a grid, by `public_counts`.

    Raises
    ------
    KeyError
        If a column to be kept is missing.
    ValueError
        If the indexes differ.
    """
    if not incidents.index.equals(private.index):
        raise ValueError("`private` must have the index of `incidents`.")
    is_public = known_public(private).to_numpy()
    shapes = incidents.geometry.to_numpy()
    has_place = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return incidents.loc[is_public & has_place, [*kept, incidents.geometry.name]]
