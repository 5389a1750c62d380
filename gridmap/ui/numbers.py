"""Numbers as people read them: thin space between thousands, a share with at most one decimal, a dash for unknown."""

from datetime import date, datetime

from gridmap.reports.figures import Figure
from gridmap.settings import settings

UNKNOWN = "—"
THIN_SPACE = "\u2009"
_SHARE = "unit.share"


def number(value: float | None) -> str:
    """Return a whole number, thousands set apart.

    Examples
    --------
    >>> number(10418) == "10\u2009418", number(None)
    (True, '—')
    """
    return UNKNOWN if value is None else f"{value:,.0f}".replace(",", THIN_SPACE)


def percent(share: float | None) -> str:
    """Return a share as per cent with at most one decimal; never 100% for less than all, nor 0% for more than none.

    Examples
    --------
    >>> [percent(share) for share in (0.914, 0.79, 1.0, 0.9999, 0.0001, None)]
    ['91.4%', '79%', '100%', '99.9%', '0.1%', '—']
    """
    if share is None:
        return UNKNOWN
    rounded = round(share * 100, 1)
    if rounded == 100 and share < 1:  # noqa: PLR2004  per cent
        rounded = 99.9
    if rounded == 0 and share > 0:
        rounded = 0.1
    return f"{rounded:.1f}".removesuffix(".0") + "%"


def figure(figure: Figure) -> str:
    """Return a figure's value: a share as per cent, everything else as a number."""
    return percent(figure.value) if figure.unit == _SHARE else number(figure.value)


def clock_or_day(instant: datetime, *, today: date) -> str:
    """Return hour and minute of an instant of today by the township's clock, month and day of any other."""
    local = instant.astimezone(settings().zone)
    return f"{local:%H:%M}" if local.date() == today else f"{local:%m-%d}"


def day_and_clock(instant: datetime | None, *, now: datetime) -> str:
    """Return hour and minute, with month and day before it when it was not today."""
    if instant is None:
        return UNKNOWN
    local = instant.astimezone(settings().zone)
    is_today = local.date() == now.astimezone(settings().zone).date()
    return f"{local:%H:%M}" if is_today else f"{local:%m-%d %H:%M}"
