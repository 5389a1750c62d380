"""Groups that stay together: the units of a group that fits under the cap are divided as one."""

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries

from gridmap.planning.neighbours import Floats, Ints, Neighbours, graph_of
from gridmap.planning.smooth import Ground
from gridmap.planning.units import Units


def kept_together(units: Units, groups: pd.Series, *, cap: float) -> Ints:
    """Return the number of the piece that each unit is divided with, from 0.

    Parameters
    ----------
    units
        What is divided.
    groups
        Group of each unit, on their order; null: of none.
    cap
        A connected part of a group above this many households is not kept together.
    """
    numbers = pd.factorize(groups)[0]
    alone = -1 - np.arange(len(units))
    labels = np.where(numbers < 0, alone, numbers * len(units.area_names) + units.areas)
    parts = units.neighbours.parts(labels.astype(np.intp))
    fits = np.bincount(parts, weights=units.weights)[parts] <= cap
    return pd.factorize(np.where(fits, parts, alone))[0].astype(np.intp)


def as_pieces(units: Units, pieces: Ints) -> Units:
    """Return pieces as units: households summed, borders summed, one shape of all."""
    first = np.unique(pieces, return_index=True)[1]
    shapes = pd.Series(units.shapes.to_numpy()).groupby(pieces).agg(lambda held: shapely.union_all(held.to_numpy()))
    return Units(
        names=tuple(units.names[at] for at in first),
        shapes=GeoSeries(shapes.to_numpy(), crs=units.shapes.crs),
        weights=np.bincount(pieces, weights=units.weights).astype(float),
        areas=units.areas[first],
        area_names=units.area_names,
        neighbours=_between(units.neighbours, pieces, len(first)),
    )


def ground_of_pieces(ground: Ground, pieces: Ints) -> Ground:
    """Return the ground of pieces."""
    n_pieces = int(pieces.max()) + 1
    area, outline = ground.sums(pieces, n_pieces)
    pairs, border = _summed(pieces[ground.first], pieces[ground.second], ground.border)
    return Ground(area=area, outline=outline, first=pairs[:, 0], second=pairs[:, 1], border=border)


def _between(near: Neighbours, pieces: Ints, n_pieces: int) -> Neighbours:
    pairs, border = _summed(pieces[near.first], pieces[near.second], near.border_m)
    return graph_of(n_pieces, pairs, border)


def _summed(one: Ints, other: Ints, border: Floats) -> tuple[Ints, Floats]:
    apart = one != other
    pairs = np.sort(np.column_stack([one, other])[apart], axis=1)
    kept, at = np.unique(pairs, axis=0, return_inverse=True)
    return kept.astype(np.intp), np.bincount(at.ravel(), weights=border[apart], minlength=len(kept)).astype(float)
