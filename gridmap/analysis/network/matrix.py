"""Which point reaches which home within a limit, and what one point more, or elsewhere, would change."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from gridmap.analysis.network.attach import Attached
from gridmap.analysis.network.local import Searches, search_each
from gridmap.analysis.network.network import Floats, Ints, Network
from gridmap.analysis.network.travel import SLACK_S, direct_ways
from gridmap.errors import InfeasibleError


def reach_matrix(
    network: Network, homes: Attached, sites: Attached, *, limit_s: float, most_pairs: int | None = None
) -> csr_array:
    """Return the seconds from each home to each site that it reaches within the limit.

    Parameters
    ----------
    network
        The paths.
    homes, sites
        Places attached to it.
    limit_s
        Seconds that still count; above 0 and finite.
    most_pairs
        More than so many entries are not made; None: as many as there are.

    Returns
    -------
    csr_array
        Homes × sites, rows sorted. An entry says "reached"; its value, the seconds, can be 0.

    Raises
    ------
    ValueError
        If the limit is out of range.
    InfeasibleError
        If there are more entries than may be; its reason names `most_pairs`.

    Notes
    -----
    An entry is there exactly where `travel` to that site alone says `reached`.
    """
    if not (limit_s > 0 and np.isfinite(limit_s)):
        raise ValueError(f"`limit_s` must be above 0 and finite, got {limit_s}.")
    shape, n_ways = (len(homes), len(sites)), 0
    found_pairs: list[tuple[Ints, Ints, Floats]] = []
    by_node = _HomesByNode.of(network, homes)
    for found in search_each(network, sites, limit_s=limit_s):
        at, pair = by_node.joined(found)
        way_s = found.seconds[pair] + by_node.seconds[at]
        inside = way_s <= limit_s + SLACK_S
        found_pairs.append((by_node.home[at[inside]], found.point[pair[inside]], way_s[inside]))
        n_ways += int(inside.sum())
        if most_pairs is not None and n_ways > most_pairs:
            # Several ways lead to most sites: only one of them counts.
            least = _least(*_joined(found_pairs), shape).tocoo()
            found_pairs, n_ways = [(*least.coords, least.data)], least.nnz
            _require_no_more(n_ways, most_pairs)
    home, site, direct_s = direct_ways(network, homes, sites)
    inside = direct_s <= limit_s + SLACK_S
    found_pairs.append((home[inside], site[inside], direct_s[inside]))
    matrix = _least(*_joined(found_pairs), shape)
    if most_pairs is not None:
        _require_no_more(matrix.nnz, most_pairs)
    return matrix


def _joined(pairs: list[tuple[Ints, Ints, Floats]]) -> tuple[Ints, Ints, Floats]:
    row, column, value = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return row, column, value


def _require_no_more(n_pairs: int, most_pairs: int) -> None:
    if n_pairs > most_pairs:
        raise InfeasibleError(
            f"More than {most_pairs} pairs of a home and a site lie within `limit_s`. Give a shorter time, or fewer sites.",
            reason={"most_pairs": most_pairs},
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """What a change of the points does to the homes within the limit.

    Parameters
    ----------
    won, lost
        Positions of the homes that come in, and that fall out; sorted.
    """

    won: Ints
    lost: Ints


def what_if(
    network: Network, homes: Attached, reach: csr_array, *, added: Attached, removed: Ints, limit_s: float
) -> Change:
    """Tell which homes are won and lost when points are added and others taken away: a move is both.

    The ways to the points that stay are not searched again, so the answer takes milliseconds.

    Parameters
    ----------
    network
        The paths.
    homes
        Places attached to it.
    reach
        `reach_matrix` of these homes and the points there are, for the same limit.
    added
        The new points, attached.
    removed
        Positions of those that go.
    limit_s
        Seconds that still count.

    Raises
    ------
    ValueError
        If the limit is out of range, or the matrix has not these homes.
    """
    if reach.shape[0] != len(homes):
        raise ValueError(f"`reach` has {reach.shape[0]} homes, `homes` {len(homes)}. Make it anew.")
    n_before = np.diff(reach.indptr)
    goes = np.zeros(reach.shape[1], dtype=bool)
    goes[removed] = True
    gone = np.repeat(np.arange(len(homes)), n_before)[goes[reach.indices]]
    n_staying = n_before - np.bincount(gone, minlength=len(homes))
    is_new = np.diff(reach_matrix(network, homes, added, limit_s=limit_s).indptr) > 0
    before, after = n_before > 0, (n_staying > 0) | is_new
    return Change(won=np.flatnonzero(after & ~before), lost=np.flatnonzero(before & ~after))


@dataclass(frozen=True, kw_only=True, eq=False)
class _HomesByNode:
    """The homes at each node (each home at both ends of its edge), with the seconds to it."""

    first: Ints
    home: Ints
    seconds: Floats

    @classmethod
    def of(cls, network: Network, homes: Attached) -> "_HomesByNode":
        on = np.flatnonzero(homes.is_matched)
        edge = homes.edge[on]
        node = np.concatenate([network.start[edge], network.end[edge]])
        order = np.argsort(node, kind="stable")
        return cls(
            first=np.searchsorted(node[order], np.arange(network.n_nodes + 1)),
            home=np.tile(on, 2)[order],
            seconds=np.concatenate([homes.to_start_s[on], homes.to_end_s[on]])[order],
        )

    def joined(self, found: Searches) -> tuple[Ints, Ints]:
        """Return the pairs of an entry here and an entry of the searches at the same node."""
        n_homes = self.first[found.node + 1] - self.first[found.node]
        pair = np.repeat(np.arange(len(found.node)), n_homes)
        before = np.cumsum(n_homes) - n_homes
        at = np.arange(len(pair)) - np.repeat(before - self.first[found.node], n_homes)
        return at, pair


def _least(row: Ints, column: Ints, value: Floats, shape: tuple[int, int]) -> csr_array:
    """Return a matrix with the least of the values of each cell."""
    order = np.lexsort((value, column, row))
    row, column, value = row[order], column[order], value[order]
    is_first = np.ones(len(row), dtype=bool)
    is_first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    row, column, value = row[is_first], column[is_first], value[is_first]
    starts = np.searchsorted(row, np.arange(shape[0] + 1))
    return csr_array((value, column, starts), shape=shape)
