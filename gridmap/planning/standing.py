"""A draft as it stands, as units: what the certificate, the partition and the repair take."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.planning.draft import Draft
from gridmap.planning.neighbours import graph_of
from gridmap.planning.units import Units


def standing_units(draft: Draft, base: Units) -> tuple[Units, pd.Series]:
    """Return the units of a draft, cut ones as their pieces, and the grid of each on their order (null: none).

    Parameters
    ----------
    draft
        As it stands.
    base
        The units that it began with.
    """
    plan = draft.plan
    if len(plan) == len(base) and all(name in plan for name in base.names):
        return base, pd.Series([plan[name] for name in base.names], index=list(base.names), dtype=object)
    names = tuple(plan)
    position = {name: at for at, name in enumerate(names)}
    pairs = np.array(
        [
            (at, position[other])
            for name, at in position.items()
            for other in draft.neighbours(name)
            if at < position[other]
        ],
        dtype=np.intp,
    ).reshape(-1, 2)
    shapes = np.array([draft.shape(name) for name in names], dtype=object)
    border_m = shapely.length(shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]]))
    units = Units(
        names=names,
        shapes=gpd.GeoSeries(shapes, index=list(names), crs=base.shapes.crs),
        weights=np.array([draft.unit_weight(name) for name in names], dtype=float),
        areas=np.array([draft.area(name) for name in names], dtype=np.intp),
        area_names=base.area_names,
        neighbours=graph_of(len(names), pairs, border_m),
    )
    return units, pd.Series([plan[name] for name in names], index=list(names), dtype=object)
