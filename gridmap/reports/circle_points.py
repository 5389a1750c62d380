"""What one more point, or n more at the best places, would win for the 15-minute circle."""

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array

from gridmap.analysis.gaps import OUTSIDE
from gridmap.analysis.geometry import coordinates_of
from gridmap.analysis.network.matrix import reach_matrix
from gridmap.analysis.network.network import Flags, Ints
from gridmap.analysis.network.travel import travel
from gridmap.analysis.siting.choose import Siting, choose_sites
from gridmap.analysis.siting.cover import MOST_PAIRS
from gridmap.analysis.siting.program import Fewest, fewest_sites
from gridmap.crs import STORED_CRS
from gridmap.errors import InfeasibleError, InputError
from gridmap.reports.circle import CircleReport, Walk
from gridmap.texts import t


@dataclass(frozen=True, kw_only=True, eq=False)
class Tried:
    """What one more point would win.

    Parameters
    ----------
    place
        Latitude and longitude.
    is_matched
        Whether a path is near enough.
    won
        Homes that come in.
    n_residents
        Who lives there.
    """

    place: tuple[float, float]
    is_matched: bool
    won: pd.Index
    n_residents: int


def try_point(report: CircleReport, *, longitude: float, latitude: float) -> Tried:
    """Say which homes would come into the circle if one more point stood at a place."""
    walk = report.walk
    place = gpd.GeoSeries([shapely.Point(longitude, latitude)], crs=STORED_CRS).to_crs(walk.network.crs)
    point = walk.attached(place)
    is_outside = report.households["status"].isin(OUTSIDE).to_numpy()
    ways = travel(walk.network, walk.homes.take(is_outside), point, limit_s=walk.limit_s, is_cut=True)
    won = ways.index[ways["status"] == "reached"]
    return Tried(
        place=(latitude, longitude),
        is_matched=bool(point.is_matched[0]),
        won=won,
        n_residents=int(report.households["n_residents"].loc[won].sum()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Suggestion:
    """Where n more points help most.

    Parameters
    ----------
    places
        Latitude and longitude of each point, the one that brings in most first.
    table
        One row a point: `number`, `place` (words), `gain`, `covered` (homes inside with it and those before it).
    won
        Homes that come in.
    n_residents
        Who lives there.
    siting
        The proof: see `analysis.siting.choose.Siting`.
    """

    places: tuple[tuple[float, float], ...]
    table: pd.DataFrame
    won: pd.Index
    n_residents: int
    siting: Siting

    @property
    def n_won(self) -> int:
        """Homes that come in."""
        return len(self.won)


def suggest_points(report: CircleReport, *, n_points: int, seconds_left: Callable[[], float]) -> Suggestion:
    """Choose where n more points bring most homes into the circle, from all homes and junctions.

    Parameters
    ----------
    report
        The circle as it is; its points stay.
    n_points
        How many more.
    seconds_left
        Asked again and again; at 0 the best so far is returned with its bound.

    Raises
    ------
    ValueError
        If the number is not from 1 to that of the candidates.
    InputError
        If more homes reach more places than can be held.
    """
    walk = report.walk
    candidates, told, covers, is_reached = _question(report)
    siting = choose_sites(
        covers,
        np.ones(len(told)),
        n_sites=n_points,
        is_covered=is_reached,
        seconds_left=seconds_left,
    )
    chosen = candidates.iloc[siting.sites]
    inside = _inside_again(walk, chosen, told, is_reached)
    if inside.sum() != siting.covered:
        raise RuntimeError(
            f"The siting claims {siting.covered:g} homes, their ways say {inside.sum()}. Report this as a fault."
        )
    won = report.households.index[told][inside & ~is_reached]
    degrees = chosen.to_crs(STORED_CRS)
    return Suggestion(
        places=tuple((float(place.y), float(place.x)) for place in degrees),
        table=pd.DataFrame(
            {
                "number": np.arange(1, len(chosen) + 1),
                "place": _words(report, walk, chosen),
                "gain": siting.gains.astype(int),
                "covered": (is_reached.sum() + np.cumsum(siting.gains)).astype(int),
            }
        ),
        won=won,
        n_residents=int(report.households["n_residents"].loc[won].sum()),
        siting=siting,
    )


def fewest_points(report: CircleReport, *, share: float, seconds_left: Callable[[], float]) -> Fewest:
    """Say how few more points bring the share of homes inside to at least a wanted one.

    Parameters
    ----------
    report
        The circle as it is; its points stay.
    share
        Of the homes that can be told, above 0 and at most 1.
    seconds_left
        Asked again and again; at 0 the best so far is returned with its bound.

    Raises
    ------
    ValueError
        If the share is out of range.
    InputError
        If more homes reach more places than can be held.
    """
    _, told, covers, is_reached = _question(report)
    return fewest_sites(covers, np.ones(len(told)), share=share, is_covered=is_reached, seconds_left=seconds_left)


def _question(report: CircleReport) -> tuple[gpd.GeoSeries, Ints, csr_array, Flags]:
    """Return where points may stand, the homes that can be told, who reaches which place, and who is inside already."""
    walk = report.walk
    homes = report.households.to_crs(walk.network.crs)
    xy = np.concatenate([coordinates_of(homes), walk.network.node_xy])
    candidates = gpd.GeoSeries(shapely.points(xy), crs=walk.network.crs)
    told = np.flatnonzero(walk.homes.is_matched)
    try:
        covers = reach_matrix(
            walk.network, walk.homes.take(told), walk.attached(candidates), limit_s=walk.limit_s, most_pairs=MOST_PAIRS
        )
    except InfeasibleError as error:
        raise InputError(
            t("circle.too_many_pairs", n=report.minutes, homes=len(told), places=len(xy), most=f"{MOST_PAIRS:,}")
        ) from error
    covers.data[:] = 1.0  # a home reaches a point at its own door in 0 seconds
    return candidates, told, covers, (report.households["status"] == "reached").to_numpy()[told]


def _inside_again(walk: Walk, chosen: gpd.GeoSeries, told: Ints, is_reached: Flags) -> Flags:
    """Count once more, by the ways themselves and not by the solver's table, which homes are inside."""
    ways = travel(walk.network, walk.homes.take(told), walk.attached(chosen), limit_s=walk.limit_s, is_cut=True)
    inside: Flags = is_reached | (ways["status"] == "reached").to_numpy()
    return inside


def _words(report: CircleReport, walk: Walk, places: gpd.GeoSeries) -> list[str]:
    """Name places by the village and the group whose land they are on, or the nearest."""
    nearest = walk.groups.sindex.nearest(places, return_all=False)[1]
    villages = dict(zip(report.grids["village_code"], report.grids["village_name"], strict=True))
    found = walk.groups.iloc[nearest]
    return [
        t("circle.place_words", village=villages.get(parent, ""), group=name).strip()
        for parent, name in zip(found["parent_code"], found["name"], strict=True)
    ]
