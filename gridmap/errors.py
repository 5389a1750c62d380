"""Everything that can go wrong and is worth a sentence to a person.

A message names the thing in backticks, gives the value met and the remedy.
"""

from collections.abc import Mapping
from typing import Any


class GridmapError(Exception):
    """Base of every error that gridmap raises on purpose."""


class InputError(GridmapError):
    """What was given (a file, a column, an option) cannot be used as it is."""


class CrsError(InputError):
    """A coordinate system is missing, not metric, or differs between layers."""


class ConflictError(GridmapError):
    """Somebody else changed the same thing first."""


class StoreUnavailable(GridmapError):  # noqa: N818  a state, named as people say it
    """The database cannot be reached, or is not one that gridmap can use."""


class PlatformError(GridmapError):
    """The work platform refused, or could not be reached or understood.

    Parameters
    ----------
    message
        One sentence for a person.
    errcode
        The platform's own number, where it gave one.
    is_passing
        Whether the same may succeed later (network, overload, rate limit).
    """

    def __init__(self, message: str, *, errcode: int | None = None, is_passing: bool = False) -> None:
        super().__init__(message)
        self.errcode = errcode
        self.is_passing = is_passing


class InfeasibleError(GridmapError):
    """No answer exists; `reason` says why, as data.

    Parameters
    ----------
    message
        One sentence for a person.
    reason
        The facts behind it, for a program.
    """

    def __init__(self, message: str, *, reason: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.reason = dict(reason)
