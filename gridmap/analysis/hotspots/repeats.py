"""Near repeats: whether an incident draws others near it within days (Knox test)."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

_ORDER = {"straight": 2, "manhattan": 1}

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


def near_repeats(
    xy: Floats,
    days: Floats,
    *,
    distances_m: list[float],
    spans_days: list[float],
    permutations: int,
    rng: np.random.Generator,
    way: str = "straight",
) -> pd.DataFrame:
    """Compare the pairs of incidents that are near in space and in time with what chance makes of the same days.

    Parameters
    ----------
    xy
        Easting and northing in metres, shape (n, 2), finite.
    days
        Day of each, finite.
    distances_m, spans_days
        Ends of the bands, rising; a band holds its lower end and not its upper one: `[0, 1, 200]` is "the same place" and "1 m
        to under 200 m". The last may be infinite.
    permutations
        Times that the days are dealt out anew; at least 1.
    rng
        Where chance comes from.
    way
        `straight`, or `manhattan`: along the axes.

    Returns
    -------
    DataFrame
        One row a band of distance and of time: `from_m`, `to_m`, `from_days`, `to_days`, `n_pairs`, `expected` (exact mean of
        all permutations: pairs of the distance × pairs of the span ÷ all pairs), `ratio` (NaN where nothing is expected), `p`
        (as many pairs or more by chance; the true days counted in).

    Raises
    ------
    ValueError
        If a number is not finite, bands do not rise from 0 or more, or there is no permutation.

    Notes
    -----
    Knox (1964), The detection of space-time interactions, Applied Statistics 13, 25-29; near repeats in the sense of Townsley,
    Homel and Chaseling (2003). Rule: docs/kpi.md, "near repeats".
    """
    for name, given in (("distances_m", distances_m), ("spans_days", spans_days)):
        if len(given) < 2 or not given[0] >= 0 or not (np.diff(given) > 0).all():  # noqa: PLR2004  a band has two ends
            raise ValueError(f"`{name}` must be at least two rising numbers from 0 on, got {given}.")
    if permutations < 1:
        raise ValueError(f"`permutations` must be at least 1, got {permutations}.")
    if not (np.isfinite(xy).all() and np.isfinite(days).all()):
        raise ValueError("`xy` and `days` must be finite.")
    first, second, distance_band = _pairs(xy, distances_m, order=_ORDER[way])
    shape = len(distances_m) - 1, len(spans_days) - 1
    ends = np.asarray(spans_days)

    def counted(of: Floats) -> Ints:
        span = np.searchsorted(ends, np.abs(of[first] - of[second]), side="right") - 1
        inside = (span >= 0) & (span < shape[1])
        table = np.bincount(distance_band[inside] * shape[1] + span[inside], minlength=shape[0] * shape[1])
        return table.reshape(shape)

    observed = counted(days)
    as_many = np.ones(shape)
    for _ in range(permutations):
        as_many += counted(rng.permutation(days)) >= observed
    n_all = len(xy) * (len(xy) - 1) / 2
    of_distance = np.bincount(distance_band, minlength=shape[0]).astype(float)
    expected = np.outer(of_distance, _span_pairs(days, ends)) / max(n_all, 1)
    low, high = np.meshgrid(distances_m[:-1], spans_days[:-1], indexing="ij")
    above, until = np.meshgrid(distances_m[1:], spans_days[1:], indexing="ij")
    return pd.DataFrame(
        {
            "from_m": low.ravel(),
            "to_m": above.ravel(),
            "from_days": high.ravel(),
            "to_days": until.ravel(),
            "n_pairs": observed.ravel(),
            "expected": expected.ravel(),
            "ratio": np.divide(observed, expected, out=np.full(shape, np.nan), where=expected > 0).ravel(),
            "p": (as_many / (permutations + 1)).ravel(),
        }
    )


def count_near(xy: Floats, *, within_m: float) -> int:
    """Count the pairs that lie at most so far apart, without making them.

    Parameters
    ----------
    xy
        Easting and northing in metres, shape (n, 2), finite.
    within_m
        Metres, straight.
    """
    if not len(xy):
        return 0
    tree = cKDTree(xy)
    return (int(tree.count_neighbors(tree, within_m)) - len(xy)) // 2


def _pairs(xy: Floats, ends: list[float], *, order: int) -> tuple[Ints, Ints, Ints]:
    """Return each pair that falls in a band of distance, and that band."""
    if np.isfinite(ends[-1]):
        pairs = cKDTree(xy).query_pairs(ends[-1], p=order, output_type="ndarray") if len(xy) else np.empty((0, 2), int)
        first, second = pairs.T
    else:
        first, second = np.triu_indices(len(xy), 1)
    apart = np.abs(xy[first] - xy[second])
    distance = np.hypot(*apart.T) if order == _ORDER["straight"] else apart.sum(axis=1)
    band = np.searchsorted(ends, distance, side="right") - 1
    inside = (band >= 0) & (band < len(ends) - 1)
    return first[inside].astype(np.intp), second[inside].astype(np.intp), band[inside].astype(np.intp)


def _span_pairs(days: Floats, ends: Floats) -> Floats:
    """Count all pairs of days in each band of time, without making them."""
    ordered = np.sort(days)
    # Pairs closer than an end: for each day, the later ones before day + end.
    at = np.arange(len(ordered))
    closer = [float((np.searchsorted(ordered, ordered + end, side="left") - at - 1).clip(0).sum()) for end in ends]
    return np.diff(closer)
