"""Blocks of nodes: every node within a radius lies in a block that is found, whatever their order and number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.network.blocks import BLOCK, NodeBlocks


@given(seed=st.integers(0, 10_000), n_nodes=st.integers(1, 5 * BLOCK + 3), radius=st.floats(0, 300))
def test_no_node_within_the_radius_is_left_out(seed: int, n_nodes: int, radius: float):
    chance = np.random.default_rng(seed)
    nodes, places = chance.uniform(0, 500, (n_nodes, 2)), chance.uniform(-50, 550, (3, 2))
    radii = np.array([radius, radius / 2, 0.0])
    place, block = NodeBlocks(nodes).around(places, radii)
    found = {(int(one), int(other)) for one, other in zip(place, block, strict=True)}
    assert len(found) == len(place)
    away = np.hypot(*(nodes[None, :, :] - places[:, None, :]).transpose(2, 0, 1))
    wanted = {(int(at), int(node) // BLOCK) for at, node in zip(*np.nonzero(away <= radii[:, None]), strict=True)}
    assert wanted <= found
    assert list(zip(place, block, strict=True)) == sorted(found)
