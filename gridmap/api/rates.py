"""How many requests somebody may send: counted in the memory of this process, over a moving window."""

import math
import time
from functools import cache

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from gridmap.errors import InputError
from gridmap.settings import settings
from gridmap.texts import t

RATES = ("intake_rate", "intake_resident_rate", "intake_grid_rate", "intake_stranger_rate")


@cache
def _limiter() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


@cache
def _parsed(name: str, written: str) -> RateLimitItem:
    try:
        return parse(written)
    except ValueError as error:
        raise InputError(t("intake.error_setting_rate", setting=name, written=written[:60])) from error


def seconds_to_wait(rate: str, whose: str) -> int | None:
    """Count one request and return None, or return after how many seconds the next one may come; that one is not counted.

    Parameters
    ----------
    rate
        One of `RATES`, a setting.
    whose
        Whose requests are counted together, such as a source or an address.

    Raises
    ------
    InputError
        If the setting cannot be read.
    """
    item = _parsed(rate, str(getattr(settings(), rate)))
    if _limiter().hit(item, rate, whose):
        return None
    return max(1, math.ceil(_limiter().get_window_stats(item, rate, whose).reset_time - time.time()))


def forget() -> None:
    """Forget what was counted."""
    _limiter.cache_clear()
