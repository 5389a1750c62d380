"""Nodes in blocks of neighbours, to find those around many places at once."""

import numpy as np
import numpy.typing as npt
import shapely

BLOCK = 8


class NodeBlocks:
    """Every `BLOCK` nodes in a row, and the box they lie in; the last block may be short.

    Blocks find little that is not asked for only where neighbours have near numbers, as `build_network` gives them.

    Parameters
    ----------
    node_xy
        East and north of each node, shape (n_nodes, 2).
    """

    def __init__(self, node_xy: npt.NDArray[np.float64]) -> None:
        first = np.arange(0, len(node_xy), BLOCK)
        self.n_blocks = len(first)
        self._low, self._high = np.minimum.reduceat(node_xy, first), np.maximum.reduceat(node_xy, first)
        self._tree = shapely.STRtree(shapely.box(*self._low.T, *self._high.T))

    def around(
        self, xy: npt.NDArray[np.float64], radius_m: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the pairs of a place and a block whose box is within the place's radius, sorted by both."""
        low, high = xy - radius_m[:, None], xy + radius_m[:, None]
        place, block = self._tree.query(shapely.box(*low.T, *high.T))
        beside = np.maximum(np.maximum(self._low[block] - xy[place], xy[place] - self._high[block]), 0.0)
        near = np.hypot(*beside.T) <= radius_m[place]
        key = np.sort(place[near] * self.n_blocks + block[near])
        return key // self.n_blocks, key % self.n_blocks
