"""From a raster of labels to polygons that share their borders exactly."""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from township.place import CELL_M, FloatArray, IntArray


def _border_steps(labels: IntArray) -> IntArray:
    """Pairs of lattice corners joined by a cell side between two labels. Corner number = row * (n_cols + 1) + column."""
    width = labels.shape[1] + 1
    rows, cols = np.nonzero(labels[:, 1:] != labels[:, :-1])
    upright = np.column_stack([rows * width + cols + 1, (rows + 1) * width + cols + 1])
    rows, cols = np.nonzero(labels[1:] != labels[:-1])
    level = np.column_stack([(rows + 1) * width + cols, (rows + 1) * width + cols + 1])
    return np.vstack([upright, level])


def _rounded(xy: FloatArray, pairs: IntArray, *, n_rounds: int) -> FloatArray:
    """Corners moved towards the middle of their neighbours (Taubin: forth and a little back, so that nothing shrinks)."""
    n = len(xy)
    one_way = sparse.csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    links = one_way + one_way.T
    share = sparse.diags_array(1 / links.sum(axis=1)) @ links
    for _ in range(n_rounds):
        xy = xy + 0.55 * (share @ xy - xy)
        xy = xy - 0.36 * (share @ xy - xy)
    return xy


def _commonest_label(faces: NDArray[np.object_], labels: IntArray) -> IntArray:
    """Label of most cell centres in each face: rounding moves a border less than a face is wide."""
    rows, cols = np.nonzero(labels > 0)
    centres = shapely.points((cols + 0.5) * CELL_M, (rows + 0.5) * CELL_M)
    face, cell = shapely.STRtree(centres).query(faces, predicate="contains")
    votes = np.zeros((len(faces), labels.max() + 1), dtype=np.int64)
    np.add.at(votes, (face, labels[rows[cell], cols[cell]]), 1)
    return np.asarray(np.argmax(votes, axis=1))


def polygons_of(labels: IntArray, *, n_rounds: int = 6, tolerance_m: float = 3.0) -> dict[int, shapely.Polygon]:
    """Polygon (local metres, centimetres) of every label above 0; neighbours share every vertex of their border.

    Raises
    ------
    ValueError
        If a label is not one piece, or rounding tore the coverage.
    """
    pairs = _border_steps(labels)
    corners, local = np.unique(pairs, return_inverse=True)
    local = local.reshape(pairs.shape)
    width = labels.shape[1] + 1
    xy = np.column_stack([corners % width, corners // width]) * CELL_M
    xy = np.round(_rounded(xy, local, n_rounds=n_rounds), 2)
    faces = shapely.get_parts(shapely.polygonize(shapely.linestrings(xy[local])))
    found = _commonest_label(faces, labels)
    faces, found = faces[found > 0], found[found > 0]
    if len(found) != len(np.unique(found)) or len(found) != len(np.unique(labels[labels > 0])):
        raise ValueError("a label is not one piece after rounding")
    faces = shapely.set_precision(shapely.coverage_simplify(faces, tolerance_m), 0.01, mode="pointwise")
    if not shapely.coverage_is_valid(faces):
        raise ValueError("rounding tore the coverage")
    return {int(label): face for label, face in zip(found, faces, strict=True)}
