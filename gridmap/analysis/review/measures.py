"""A measured figure: its value, and what it was made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One number of a month; None: cannot be told."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None


UNKNOWN = Measure(None)


def counted(value: float | None, *, is_known: bool = True) -> Measure:
    """Return a counted measure; unknown where nothing could have been seen.

    Examples
    --------
    >>> counted(0), counted(0, is_known=False)
    (Measure(value=0.0, numerator=None, denominator=None), Measure(value=None, numerator=None, denominator=None))
    """
    return Measure(float(value)) if is_known and value is not None else UNKNOWN


def quotient(numerator: float | None, denominator: float | None, *, is_known: bool = True) -> Measure:
    """Return a share or a mean; unknown without anything to divide by.

    Examples
    --------
    >>> quotient(3, 4).value, quotient(0, 0).value
    (0.75, None)
    """
    if not is_known or numerator is None or denominator is None:
        return UNKNOWN
    value = numerator / denominator if denominator > 0 else None
    return Measure(value, float(numerator), float(denominator))
