"""One connected piece of land divided in two connected parts of given sizes, the shorter the border the better."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, triu
from scipy.sparse.csgraph import connected_components, dijkstra

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
_N_DIRECTIONS = 12
_N_ENDS, _N_ENDS_OF_LARGE, _SMALL, _PLACES = 10, 6, 150, 3
_MOST_REPAIRS = 4
_ROUNDING = 1e-9
# Building a matrix costs more than walking through a small piece of land.
_WALKED_UP_TO, _UNSEEN = 1_500, -2


@dataclass(frozen=True, eq=False)
class Land:
    """A connected piece of land: who touches whom, households, and where.

    Parameters
    ----------
    graph
        Symmetric, data above 0: what it costs that a border runs between two units.
    weights
        Households.
    xy
        A point of each unit, metres.
    """

    graph: csr_array
    weights: Floats
    xy: Floats

    @cached_property
    def total(self) -> float:
        """Households of the whole."""
        return float(self.weights.sum())

    def part(self, members: Ints) -> "Land":
        """Return the piece that some units make."""
        return Land(self.graph[members][:, members], self.weights[members], self.xy[members])

    @cached_property
    def pairs(self) -> tuple[Ints, Ints, Floats]:
        """Each pair of units that touch, once, and what a border between them costs."""
        half = triu(self.graph, format="coo")
        return half.row.astype(np.intp), half.col.astype(np.intp), half.data

    @cached_property
    def ways(self) -> csr_array:
        """The graph with the metres from unit to unit."""
        rows = np.repeat(np.arange(len(self.weights)), np.diff(self.graph.indptr))
        metres = np.hypot(*(self.xy[rows] - self.xy[self.graph.indices]).T)
        return csr_array((np.maximum(metres, _ROUNDING), self.graph.indices, self.graph.indptr), shape=self.graph.shape)

    @cached_property
    def neighbours(self) -> list[list[int]]:
        """The units that touch each."""
        others, starts = self.graph.indices.tolist(), self.graph.indptr.tolist()
        return [others[begin:end] for begin, end in pairwise(starts)]

    def parts(self, inside: Flags) -> tuple[int, Ints]:
        """Return the number of connected parts of some units, and the part of each (-1 for the others)."""
        found = np.full(len(inside), -1, dtype=np.intp)
        if len(inside) > _WALKED_UP_TO:
            at = np.flatnonzero(inside)
            number, found[at] = connected_components(self.graph[at][:, at], directed=False)
            return int(number), found
        labels, number = [_UNSEEN if held else -1 for held in inside.tolist()], 0
        for start in np.flatnonzero(inside).tolist():
            if labels[start] != _UNSEEN:
                continue
            labels[start], waiting = number, [start]
            while waiting:
                for other in self.neighbours[waiting.pop()]:
                    if labels[other] == _UNSEEN:
                        labels[other] = number
                        waiting.append(other)
            number += 1
        found[:] = labels
        return number, found


@dataclass(frozen=True, eq=False)
class Split:
    """Two connected parts.

    Parameters
    ----------
    is_first
        The units of the first part.
    border
        What the border between them costs.
    """

    is_first: Flags
    border: float


def splits(land: Land, *, least: float, most: float, n: int, chance: np.random.Generator) -> list[Split]:
    """Return ways to divide land so that the first part's households lie between two numbers, best first.

    Parameters
    ----------
    land
        What is divided; connected.
    least, most
        Households of the first part.
    n
        How many ways at most.
    chance
        Turns the directions.

    Notes
    -----
    Units are ordered by how much nearer, on the way through the land, they are to one far end than to another: whatever
    stands before a place in this order is connected, and so is what stands behind, since the next unit on a shortest way to
    either end never stands on the wrong side. Every place is looked at, and the shortest border taken. Where no place has
    the right number, straight sweeps are tried too and units along the border exchanged.
    """
    is_small = len(land.weights) <= _SMALL
    orders = list(_orders_between(land, _far_ends(land, chance, n=_N_ENDS if is_small else _N_ENDS_OF_LARGE)))
    places = [place for order in orders for place in _places(land, order, least=least, most=most)]
    found: dict[bytes, Split] = {}
    for split in sorted(places, key=lambda split: split.border):
        if len(found) >= n:
            break
        if split.is_first.tobytes() not in found and _are_whole(land, split.is_first):
            found[split.is_first.tobytes()] = split
    if len(found) < n and (is_small or not found):
        for order in [*_sweeps(land, chance), *([] if found else orders)]:
            mended = _mended(land, order, least=least, most=most)
            if mended is not None:
                found.setdefault(mended.is_first.tobytes(), mended)
    return sorted(found.values(), key=lambda split: split.border)[:n]


def _are_whole(land: Land, is_first: Flags) -> bool:
    return land.parts(is_first)[0] == 1 and land.parts(~is_first)[0] == 1


def _far_ends(land: Land, chance: np.random.Generator, *, n: int) -> Ints:
    """Return the outermost units in some directions."""
    turns = np.arange(n) * 2 * np.pi / n + chance.uniform(0, 2 * np.pi / n)
    return np.unique(np.argmax(land.xy @ np.array([np.cos(turns), np.sin(turns)]), axis=0)).astype(np.intp)


def _orders_between(land: Land, ends: Ints) -> Iterator[Ints]:
    """Yield an order of the units from each far end to each other."""
    away = dijkstra(land.ways, directed=False, indices=ends)
    for one in range(len(ends)):
        for other in range(one):
            yield np.lexsort((away[one], away[one] - away[other]))


def _sweeps(land: Land, chance: np.random.Generator) -> Iterator[Ints]:
    for turn in np.arange(2 * _N_DIRECTIONS) * np.pi / _N_DIRECTIONS + chance.uniform(0, np.pi / _N_DIRECTIONS):
        yield np.argsort(land.xy @ (np.cos(turn), np.sin(turn)), kind="stable")


def _places(land: Land, order: Ints, *, least: float, most: float) -> Iterator[Split]:
    """Yield the places in an order with the shortest borders among those with the right number of households."""
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    sums = np.cumsum(land.weights[order])
    begin = int(np.searchsorted(sums, least - _ROUNDING, side="left"))
    end = min(int(np.searchsorted(sums, most + _ROUNDING, side="right")), len(order) - 1)
    if begin >= end:
        return
    one, other, cost = land.pairs
    low, high = np.minimum(rank[one], rank[other]), np.maximum(rank[one], rank[other])
    opened, closed = (np.bincount(at, weights=cost, minlength=len(order)) for at in (low, high))
    borders = np.cumsum(opened - closed)
    for place in begin + np.argsort(borders[begin:end], kind="stable")[:_PLACES]:
        yield Split(rank <= place, float(borders[place]))


def _mended(land: Land, order: Ints, *, least: float, most: float) -> Split | None:
    """Cut an order at the number wished for; give pieces cut off to the other side, exchange units until it is right."""
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    sums = np.cumsum(land.weights[order])
    wished = min(max((least + most) / 2, least), most)
    is_first = rank <= int(np.argmin(np.abs(sums - wished)))
    for _ in range(_MOST_REPAIRS):
        if not _join(land, is_first):
            return None
        if not _balance(land, is_first, rank, least=least, most=most):
            return None
        if _are_whole(land, is_first):
            return Split(is_first.copy(), _border(land, is_first))
    return None


def _border(land: Land, is_first: Flags) -> float:
    return float((land.graph @ (~is_first).astype(float))[is_first].sum())


def _join(land: Land, is_first: Flags) -> bool:
    """Give each cut-off piece to the other side; False when a side would be lost."""
    for side in (True, False):
        number, labels = land.parts(is_first == side)
        if number == 0:
            return False
        if number > 1:
            sizes = np.bincount(labels[labels >= 0], weights=land.weights[labels >= 0] + _ROUNDING, minlength=number)
            is_first[(labels >= 0) & (labels != int(np.argmax(sizes)))] = not side
    return True


def _balance(land: Land, is_first: Flags, rank: Ints, *, least: float, most: float) -> bool:
    """Move units over the border, those nearest to it in the order first, until the households fit."""
    weight = float(land.weights[is_first].sum())
    for _ in range(len(is_first)):
        if least - _ROUNDING <= weight <= most + _ROUNDING:
            return True
        gives = weight > most
        wanted = weight - most if gives else least - weight
        room = weight - least if gives else most - weight
        unit = _best_mover(land, is_first == gives, rank if gives else -rank, wanted=wanted, room=room)
        if unit is None:
            return False
        is_first[unit] = not gives
        weight += -land.weights[unit] if gives else land.weights[unit]
    return False


def _best_mover(land: Land, side: Flags, rank: Ints, *, wanted: float, room: float) -> int | None:
    """Return a unit at the border whose leaving keeps its side in one piece."""
    touching = land.graph @ (~side).astype(float) > 0
    fits = (land.weights > 0) & (land.weights <= room + _ROUNDING)
    candidates = np.flatnonzero(side & touching & fits)
    # What fills the need without going beyond it comes first, then what lies farthest out in the order.
    beyond = land.weights[candidates] > wanted + _ROUNDING
    for unit in candidates[np.lexsort((-rank[candidates], beyond))]:
        if can_leave(land, side, int(unit)):
            return int(unit)
    return None


def can_leave(land: Land, side: Flags, unit: int) -> bool:
    """Tell whether a side stays connected, and is not lost, without one of its units."""
    around = [other for other in land.neighbours[unit] if side[other]]
    if not around:
        return False
    wanted = set(around[1:])
    seen, waiting = {unit, around[0]}, deque([around[0]])
    while waiting and wanted:
        for other in land.neighbours[waiting.popleft()]:
            if side[other] and other not in seen:
                seen.add(other)
                wanted.discard(other)
                waiting.append(other)
    return not wanted
