"""Which demand each site covers, and the same question made smaller without changing its answer."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
# So many pairs take 1.2 GB and 4 s of the processor to be made, before anything is asked of them.
MOST_PAIRS = 50_000_000
# The product that tells which site is inside which one may fill neither the memory nor the time.
_MOST_OVERLAPS = 40_000_000
# Larger covers are taken as they are: making them smaller would take longer than it saves.
_MOST_PAIRS_REDUCED = 10_000_000
# Entries looked at in one go: a large radius makes a hundred million of them.
_AT_ONCE = 4_000_000
_CROWDED_SHARE = 0.03
_LAST_DIGITS = 4 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cover:
    """Demand and the sites that cover it.

    Parameters
    ----------
    by_demand
        Demand in rows, sites in columns, 1 where a site covers; indices sorted.
    by_site
        Its transpose.
    weights
        Weight of each demand, 0 or more.
    """

    by_demand: csr_array
    by_site: csr_array
    weights: Floats

    @property
    def n_sites(self) -> int:
        """Return the number of sites."""
        return int(self.by_site.shape[0])

    @property
    def n_pairs(self) -> int:
        """Return how many pairs of a demand and a site that covers it there are."""
        return int(self.by_site.nnz)

    def demand_of(self, site: int) -> npt.NDArray[np.int32]:
        """Return the demand that a site covers."""
        held: npt.NDArray[np.int32] = self.by_site.indices[self.by_site.indptr[site] : self.by_site.indptr[site + 1]]
        return held

    def times_covered(self, sites: Ints) -> Ints:
        """Return by how many of some sites each demand is covered."""
        held = self.by_site.indices[spread(self.by_site.indptr[sites], self.by_site.indptr[sites + 1])]
        times: Ints = np.bincount(held, minlength=len(self.weights))
        return times

    def covered(self, sites: Ints) -> float:
        """Return the weight that some sites cover."""
        return float(self.weights[self.times_covered(sites) > 0].sum())


def spread(starts: Ints, ends: Ints) -> Ints:
    """Return all numbers of some half-open ranges, one range after the other."""
    lengths = (ends - starts).astype(np.intp)
    before = np.cumsum(lengths) - lengths
    numbers: Ints = np.arange(lengths.sum()) + np.repeat(starts - before, lengths)
    return numbers


def cover_of(by_demand: csr_array, weights: Floats) -> Cover:
    """Return a cover of a matrix that is not 0 where a site covers."""
    rows = csr_array(by_demand)
    if not (rows.has_canonical_format and rows.dtype == np.float64 and (rows.data == 1).all()):
        rows = rows.astype(bool).astype(np.float64)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        rows.data[:] = 1.0
    columns = csr_array(rows.T)
    # All entries are ones: both directions share them.
    columns = csr_array((rows.data, columns.indices, columns.indptr), shape=columns.shape)
    columns.has_sorted_indices = True
    return Cover(by_demand=rows, by_site=columns, weights=np.asarray(weights, dtype=float))


def reach_with_rounding(radius_m: float, *places: Floats) -> float:
    """Return the radius and the last digits of the coordinates: 0.4 − 0.1 is inside 0.3, as it is on paper."""
    largest = max((float(np.abs(xy).max()) for xy in places if len(xy)), default=0.0)
    return radius_m + _LAST_DIGITS * max(largest, radius_m)


def within(demand_xy: Floats, sites_xy: Floats, *, radius_m: float) -> csr_array:
    """Return which sites lie at most a radius from which demand, in a straight line.

    Parameters
    ----------
    demand_xy, sites_xy
        One place a row, metres, finite.
    radius_m
        A distance that is equal covers; above 0.

    Returns
    -------
    csr_array
        Demand in rows, sites in columns, 1 where the site covers.

    Raises
    ------
    ValueError
        If the radius is not a number above 0, a coordinate is not finite, or there are more than `MOST_PAIRS` pairs.
    """
    demand_xy, sites_xy = (np.asarray(xy, dtype=float).reshape(-1, 2) for xy in (demand_xy, sites_xy))
    if not (np.isfinite(radius_m) and radius_m > 0):
        raise ValueError(f"`radius_m` must be a number above 0, got {radius_m}.")
    if not (np.isfinite(demand_xy).all() and np.isfinite(sites_xy).all()):
        raise ValueError("Coordinates must be finite.")
    shape = (len(demand_xy), len(sites_xy))
    if not all(shape):
        return csr_array(shape)
    n_pairs = n_within(demand_xy, sites_xy, radius_m=radius_m)
    if n_pairs > MOST_PAIRS:
        raise ValueError(
            f"`radius_m` makes {n_pairs} pairs, more than {MOST_PAIRS}. Give a smaller one, or fewer sites."
        )
    reach = reach_with_rounding(radius_m, demand_xy, sites_xy)
    blocks = list(_blocks(demand_xy, sites_xy, reach=reach))
    n_of_rows = np.concatenate([lengths for lengths, _ in blocks])
    columns = np.concatenate([columns for _, columns in blocks])
    # Indices of 64 bits would be twice as large, and copied.
    starts = np.concatenate([[0], np.cumsum(n_of_rows)])
    starts = starts.astype(np.int32) if starts[-1] <= np.iinfo(np.int32).max else starts
    return csr_array((np.ones(len(columns)), columns, starts), shape=shape)


def n_within(demand_xy: Floats, sites_xy: Floats, *, radius_m: float) -> int:
    """Count the pairs within a radius without making them; what lies on the circle may count or not.

    Where even all of them are no more than `MOST_PAIRS`, all count.

    Parameters
    ----------
    demand_xy, sites_xy
        One place a row, metres, finite.
    radius_m
        Above 0.
    """
    n_all = len(demand_xy) * len(sites_xy)
    return n_all if n_all <= MOST_PAIRS else int(cKDTree(demand_xy).count_neighbors(cKDTree(sites_xy), radius_m))


def _blocks(demand_xy: Floats, sites_xy: Floats, *, reach: float) -> Iterator[tuple[Ints, npt.NDArray[np.int32]]]:
    """Give, for some demand after the other, how many sites cover each, and which."""
    n_pairs = len(demand_xy) * len(sites_xy)
    tree = cKDTree(sites_xy)
    is_crowded = n_pairs <= _AT_ONCE or (cKDTree(demand_xy).count_neighbors(tree, reach) > _CROWDED_SHARE * n_pairs)
    numbers = np.arange(len(sites_xy), dtype=np.int32)
    n_rows = max(1, _AT_ONCE // len(sites_xy)) if is_crowded else len(demand_xy)
    for first in range(0, len(demand_xy), n_rows):
        part = demand_xy[first : first + n_rows]
        if is_crowded:
            east = part[:, :1] - sites_xy[:, 0]
            north = part[:, 1:] - sites_xy[:, 1]
            # Squares of whole metres are exact: what lies on the circle is inside.
            is_near = east * east + north * north <= reach * reach
            lengths = np.count_nonzero(is_near, axis=1)
            columns = np.broadcast_to(numbers, is_near.shape)[is_near]
        else:
            near = cKDTree(part).sparse_distance_matrix(tree, reach * (1 + _LAST_DIGITS), output_type="ndarray")
            away = part[near["i"]] - sites_xy[near["j"]]
            held = (away * away).sum(axis=1) <= reach * reach
            rows, columns = near["i"][held], near["j"][held]
            order = np.lexsort((columns, rows))
            lengths, columns = np.bincount(rows, minlength=len(part)), columns[order].astype(np.int32)
        yield lengths, columns


@dataclass(frozen=True, kw_only=True, eq=False)
class Reduced:
    """A cover made smaller.

    Parameters
    ----------
    cover
        What is left.
    sites
        Number of each site that is left in the original.
    """

    cover: Cover
    sites: Ints


def reduce_cover(cover: Cover) -> Reduced:
    """Merge demand that the same sites cover, drop what no site covers, and drop sites inside another one's reach.

    The best answer of what is left is as good as that of the whole: a site that is dropped can be exchanged for one that
    covers as much and more.
    """
    if cover.n_pairs > _MOST_PAIRS_REDUCED:
        return Reduced(cover=cover, sites=np.arange(cover.n_sites))
    merged = merge_demand(cover)
    keep = _undominated(merged)
    if len(keep) == merged.n_sites:
        return Reduced(cover=merged, sites=keep)
    return Reduced(cover=merge_demand(cover_of(merged.by_demand[:, keep], merged.weights)), sites=keep)


def merge_demand(cover: Cover) -> Cover:
    """Merge demand that the same sites cover; drop what no site covers or what weighs nothing."""
    rows = cover.by_demand
    held = np.flatnonzero((np.diff(rows.indptr) > 0) & (cover.weights > 0))
    kept, group = np.unique(_first_of_equals(rows)[held], return_inverse=True)
    if len(kept) == rows.shape[0]:
        return cover
    weights = np.asarray(np.bincount(group, weights=cover.weights[held], minlength=len(kept)), dtype=float)
    # The first of equals may weigh nothing; it stands for the others all the same.
    return cover_of(rows[kept], weights)


def _first_of_equals(rows: csr_array) -> Ints:
    """Return for each row the first one with the same columns.

    Rows are told apart by two sums of 64 random bits a column: two different ones agree once in 10³⁸.
    """
    stirred = np.random.default_rng(0).integers(0, 2**64, (2, rows.shape[1]), dtype=np.uint64)
    sums = np.zeros((2, rows.shape[0]), dtype=np.uint64)
    for first, last in _parts(rows.indptr):
        filled = first + np.flatnonzero(np.diff(rows.indptr[first : last + 1]) > 0)
        begin = rows.indptr[first]
        for at in range(2):
            if len(filled):
                bits = stirred[at][rows.indices[begin : rows.indptr[last]]]
                sums[at, filled] = np.add.reduceat(bits, rows.indptr[filled] - begin)
    order = np.lexsort(sums)
    is_new = np.ones(rows.shape[0], dtype=bool)
    is_new[1:] = (sums[:, order[1:]] != sums[:, order[:-1]]).any(axis=0)
    first_of: Ints = np.empty(rows.shape[0], dtype=np.intp)
    first_of[order] = order[np.maximum.accumulate(np.where(is_new, np.arange(rows.shape[0]), 0))]
    return first_of


def _parts(starts: Ints) -> Iterator[tuple[int, int]]:
    """Cut rows into runs of not much more entries than are looked at in one go."""
    cuts = np.unique(np.searchsorted(starts, np.arange(0, starts[-1] + _AT_ONCE, _AT_ONCE)))
    yield from zip(cuts[:-1].tolist(), np.minimum(cuts[1:], len(starts) - 1).tolist(), strict=True)


def _undominated(cover: Cover) -> Ints:
    """Return the sites that cover something which no other one site covers with all the rest of it."""
    sizes = np.diff(cover.by_site.indptr)
    filled = np.flatnonzero(sizes > 0)
    unique: Ints = filled[_first_of_equals(cover.by_site)[filled] == filled]
    n_overlaps = (np.diff(cover.by_demand.indptr).astype(float) ** 2).sum()
    if n_overlaps > _MOST_OVERLAPS:
        return unique
    inside = cover.by_site[unique]
    overlap = (inside @ inside.T).tocoo()
    one, other = overlap.coords
    mine, theirs = sizes[unique][one], sizes[unique][other]
    is_inside = (overlap.data >= mine) & (theirs > mine)
    is_dominated = np.zeros(len(unique), dtype=bool)
    is_dominated[one[is_inside]] = True
    kept: Ints = unique[~is_dominated]
    return kept
