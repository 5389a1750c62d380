"""A graph with room behind it for the goals of one search, so that asking does not copy the graph."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

_GOALS = 256


class SearchRoom:
    """The arrays of a graph, longer than it is; goals are written behind it, one search at a time.

    Parameters
    ----------
    graph
        Square; it is copied once.
    """

    def __init__(self, graph: csr_array) -> None:
        self._lock = threading.Lock()
        self._n_nodes, self._n_entries = graph.shape[0], int(graph.indptr[-1])
        self._room = 0
        self._grow(graph, _GOALS)

    @contextmanager
    def with_goals(self, ends: npt.NDArray[np.integer], seconds: npt.NDArray[np.float64]) -> Iterator[csr_array]:
        """Lend the graph with goals as nodes behind its own, each with ways to two nodes; nobody else searches meanwhile.

        Parameters
        ----------
        ends
            The two nodes of each goal, shape (n_goals, 2).
        seconds
            What the ways cost, same shape.
        """
        n_goals, n, m = len(ends), self._n_nodes, self._n_entries
        with self._lock:
            if n_goals > self._room:
                self._grow(self._graph, 2 * n_goals)
            graph = self._graph
            last = m + 2 * n_goals
            graph.data[m:last] = seconds.ravel()
            graph.indices[m:last] = ends.ravel()
            graph.indptr[n + 1 : n + 1 + n_goals] = m + 2 * np.arange(1, n_goals + 1)
            graph.indptr[n + 1 + n_goals :] = last
            yield graph

    def _grow(self, graph: csr_array, n_goals: int) -> None:
        n, m, size = self._n_nodes, self._n_entries, self._n_nodes + n_goals
        data = np.concatenate([graph.data[:m], np.zeros(2 * n_goals)])
        indices = np.concatenate([graph.indices[:m], np.zeros(2 * n_goals, dtype=np.int32)])
        ends = np.arange(1, n_goals + 1, dtype=np.int32)
        starts = np.concatenate([graph.indptr[: n + 1], m + 2 * ends])
        self._room = n_goals
        self._graph = csr_array((data, indices, starts), shape=(size, size))
