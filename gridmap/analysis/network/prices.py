"""What walking a path costs: its speed by kind, changed by the slope."""

from collections.abc import Collection, Mapping

import geopandas as gpd
import numpy as np

from gridmap.analysis.network.network import Flags, Floats
from gridmap.analysis.network.noding import Pieces
from gridmap.analysis.network.slope import slope_factor
from gridmap.errors import InputError


def speeds_of(paths: gpd.GeoDataFrame, speed_m_s: float | Mapping[str, float]) -> Floats:
    """Return the metres a second of each path on the flat, 0 for those not walked.

    Raises
    ------
    InputError
        If a kind has no speed, or there are no kinds.
    ValueError
        If a speed is out of range.
    """
    by_kind = speed_m_s if isinstance(speed_m_s, Mapping) else {}
    given = np.array([*by_kind.values()] if by_kind else [speed_m_s], dtype=float)
    if not (np.isfinite(given).all() and (given >= 0).all() and (by_kind or given[0] > 0)):
        raise ValueError(f"`speed_m_s` must be above 0 (of a kind: 0 for not walked), got {speed_m_s}.")
    if not by_kind:
        return np.full(len(paths), given[0])
    if "kind" not in paths:
        raise InputError("`paths` have no column `kind`, so speeds by kind cannot be used. Give one speed.")
    speed = paths["kind"].map(dict(by_kind))
    if speed.isna().any():
        unknown = sorted({str(kind) for kind in paths["kind"][speed.isna()]})
        raise InputError(f"`speed_m_s` has no speed for the kinds {unknown}. Add them; 0 means not walked.")
    by_path: Floats = speed.to_numpy(dtype=float)
    return by_path


def are_bridges(paths: gpd.GeoDataFrame, bridge_kinds: Collection[str]) -> Flags:
    """Return which paths are bridges, by their flag or their kind."""
    flags = np.zeros(len(paths), dtype=bool)
    if "is_bridge" in paths:
        flags |= paths["is_bridge"].fillna(value=False).to_numpy(dtype=bool)
    if "kind" in paths:
        flags |= paths["kind"].isin(list(bridge_kinds)).to_numpy(dtype=bool)
    return flags


def seconds_along(pieces: Pieces, speed: Floats, *, uses_heights: bool) -> tuple[Floats, Floats]:
    """Return the seconds from each piece's first vertex, and back to it, at each vertex."""
    size = np.diff(pieces.first)
    run_m = np.zeros(len(pieces.xy))
    rise_m = np.zeros(len(pieces.xy))
    if len(pieces.xy):
        run_m[1:] = np.hypot(*np.diff(pieces.xy, axis=0).T)
        run_m[pieces.first[:-1]] = 0.0
        rise_m[1:] = np.diff(pieces.z)
    flat_s = run_m / np.repeat(speed, size)
    costs = []
    for sign in (1.0, -1.0):
        seconds = flat_s / slope_factor(sign * rise_m, run_m) if uses_heights else flat_s
        total = np.cumsum(seconds)
        costs.append(total - np.repeat(total[pieces.first[:-1]], size))
    return costs[0], costs[1]
