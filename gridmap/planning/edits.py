"""The edits that a plan is made of; a log of them, replayed on its beginning, gives the plan again."""

from collections.abc import Hashable
from dataclasses import dataclass

import shapely


@dataclass(frozen=True)
class Move:
    """Units went to another grid; `before` names the grid of each."""

    units: tuple[Hashable, ...]
    before: tuple[Hashable | None, ...]
    after: Hashable | None


@dataclass(frozen=True)
class Open:
    """A grid was opened, without units."""

    grid: Hashable


@dataclass(frozen=True)
class Retire:
    """An empty grid was retired."""

    grid: Hashable


@dataclass(frozen=True)
class Rename:
    """A grid got another name."""

    before: Hashable
    after: Hashable


@dataclass(frozen=True)
class CutUnit:
    """A unit became two; `corners` were set into the outlines of its neighbours."""

    unit: Hashable
    line: shapely.LineString
    pieces: tuple[Hashable, Hashable]
    weights: tuple[float, float]


Edit = Move | Open | Retire | Rename | CutUnit
