"""Working days, rain and the seasons of thirteen months."""

from datetime import date, timedelta

import numpy as np

from township.place import FIRST_DAY, N_DAYS, BoolArray, FloatArray, stream

HOLIDAYS: tuple[tuple[date, date], ...] = (
    (date(2025, 10, 1), date(2025, 10, 8)),
    (date(2026, 1, 1), date(2026, 1, 3)),
    (date(2026, 2, 15), date(2026, 2, 23)),
    (date(2026, 4, 4), date(2026, 4, 6)),
    (date(2026, 5, 1), date(2026, 5, 5)),
    (date(2026, 6, 19), date(2026, 6, 21)),
    (date(2026, 9, 25), date(2026, 9, 27)),
    (date(2026, 10, 1), date(2026, 10, 7)),
)
MAKE_UP_DAYS = frozenset({
    date(2025, 10, 11), date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10),
})  # fmt: skip


def days() -> list[date]:
    """All recorded days."""
    return [FIRST_DAY + timedelta(days=k) for k in range(N_DAYS)]


def is_holiday(day: date) -> bool:
    """Whether a day lies in a public holiday."""
    return any(first <= day <= last for first, last in HOLIDAYS)


def is_grid_day(day: date) -> bool:
    """Whether it is the last day of a month: on the township's grid day every team is out, weekend or not."""
    return (day + timedelta(days=1)).day == 1


def is_workday(day: date) -> bool:
    """Whether people work: Monday to Friday but for holidays, the days worked in their place, and grid days."""
    return is_grid_day(day) or day in MAKE_UP_DAYS or (day.weekday() < 5 and not is_holiday(day))


def rain() -> FloatArray:
    """Rain of each day from 0 (dry) to 1 (downpour): the plum rains of April to early July, spells of two or three days."""
    rng = stream(40)
    month = np.array([day.month for day in days()])
    level = np.select(
        [np.isin(month, [4, 5, 6]), np.isin(month, [3, 7]), np.isin(month, [8, 9])], [0.5, 0.33, 0.2], 0.13
    )
    spell = np.convolve(rng.random(N_DAYS + 2), [0.25, 0.5, 0.25], "valid")
    wet = spell < np.quantile(spell, level)
    return np.where(wet, rng.beta(1.6, 2.2, N_DAYS), 0.0)


def fire_season() -> BoolArray:
    """October to April: dry grass, ancestors' graves, fireworks."""
    return np.array([day.month in {10, 11, 12, 1, 2, 3, 4} for day in days()])
