"""The edits that a plan is made of; a log of them, replayed on its beginning, gives the plan again."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from typing import Any

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
class Label:
    """People call a grid something else; None: what they called it when the draft began."""

    grid: Hashable
    before: str | None
    after: str | None


@dataclass(frozen=True)
class CutUnit:
    """A unit became two; `corners` were set into the outlines of its neighbours."""

    unit: Hashable
    line: shapely.LineString
    pieces: tuple[Hashable, Hashable]
    weights: tuple[float, float]


Edit = Move | Open | Retire | Rename | Label | CutUnit


@dataclass(frozen=True)
class GridState:
    """A grid as it stands.

    Parameters
    ----------
    weight
        Households.
    n_units
        Units.
    n_parts
        Connected parts; 1 is as it should be, 0 is an empty grid.
    n_areas
        Areas (villages) it lies in.
    """

    weight: float
    n_units: int
    n_parts: int
    n_areas: int


_KINDS: dict[str, type[Edit]] = {
    "move": Move,
    "open": Open,
    "retire": Retire,
    "rename": Rename,
    "label": Label,
    "cut": CutUnit,
}


def as_record(edit: Edit) -> dict[str, Any]:
    """Return an edit as plain values, to be kept as JSON; a line keeps every digit.

    Examples
    --------
    >>> as_record(Move(("u1",), (None,), "g1"))
    {'kind': 'move', 'units': ['u1'], 'before': [None], 'after': 'g1'}
    """
    kind = next(name for name, known in _KINDS.items() if isinstance(edit, known))
    values = {field.name: getattr(edit, field.name) for field in fields(edit)}
    plain = {
        name: [list(point) for point in value.coords]
        if isinstance(value, shapely.LineString)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
    }
    return {"kind": kind, **plain}


def from_record(record: Mapping[str, Any]) -> Edit:
    """Return the edit of a record of `as_record`.

    Raises
    ------
    ValueError
        If it is none.
    """
    known = _KINDS.get(str(record.get("kind")))
    names = {field.name for field in fields(known)} if known else set()
    if known is None or set(record) != {"kind", *names}:
        raise ValueError(f"`record` is no edit: {dict(record)!r}.")
    values: dict[str, Any] = {
        name: shapely.LineString(value) if name == "line" else tuple(value) if isinstance(value, list) else value
        for name, value in record.items()
        if name != "kind"
    }
    return known(**values)
