"""A figure with its origin, and what a report depends on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gridmap.settings import settings
from gridmap.texts import t

Report = TypeVar("Report", bound=Callable[..., object])


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number that a person reads, with what it was made of.

    Parameters
    ----------
    value
        The number; None: cannot be told (never 0 for that).
    unit
        Key of its unit in the text catalogue (`unit.households`); `unit.share` for a share from 0 to 1.
    formula_key
        Key of the sentence that says how it is computed.
    numerator
        What was counted, for a share.
    denominator
        Of how many, for a share.
    """

    value: float | None
    unit: str
    formula_key: str
    numerator: float | None = None
    denominator: float | None = None


def count(value: float | None, *, unit: str, formula_key: str) -> Figure:
    """Return a counted figure; None stays unknown.

    Examples
    --------
    >>> count(12, unit="unit.incidents", formula_key="live.formula_new").value
    12
    """
    return Figure(value=value, unit=unit, formula_key=formula_key)


def share(numerator: float | None, denominator: float | None, *, formula_key: str) -> Figure:
    """Return a share from 0 to 1; unknown where nothing was there to be counted.

    Examples
    --------
    >>> share(3, 4, formula_key="live.formula_on_time").value
    0.75
    >>> share(0, 0, formula_key="live.formula_on_time").value is None
    True
    """
    known = numerator is not None and denominator is not None and denominator > 0
    return Figure(
        value=numerator / denominator if known and numerator is not None and denominator is not None else None,
        unit="unit.share",
        formula_key=formula_key,
        numerator=numerator,
        denominator=denominator,
    )


def formula_words(key: str) -> str:
    """Return the sentence that says how something is computed, with the settings in force where it names them."""
    policies = {name: value for name, value in vars(settings()).items() if isinstance(value, int | float)}
    return t(key, **{name: f"{value:g}" for name, value in policies.items()})


def depends_on(*topics: str) -> Callable[[Report], Report]:
    """Mark a report with the topics of `store.versions.TOPICS` it reads; pages keep it until one of them changes."""

    def mark(report: Report) -> Report:
        vars(report)["topics"] = topics
        return report

    return mark
