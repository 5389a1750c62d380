"""Look at screenshots as numbers."""

import io
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
from PIL import Image
from playwright.sync_api import Page

_PATIENCE_S = 60
_VISIBLE = 24


def _pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def colours(picture: bytes) -> int:
    """How many different colours a picture holds."""
    return len(np.unique(_pixels(picture).reshape(-1, 3), axis=0))


def differing_share(before: bytes, after: bytes) -> float:
    """Which share of the pixels a person would see change; 1 for pictures of different size."""
    first, second = _pixels(before), _pixels(after)
    if first.shape != second.shape:
        return 1.0
    return float((np.abs(first - second).max(axis=2) > _VISIBLE).mean())


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Ask again after each frame that the browser draws, until it holds."""
    begin = datetime.now(UTC)
    while not holds():
        if (datetime.now(UTC) - begin).total_seconds() > _PATIENCE_S:
            raise AssertionError("what was expected on the screen did not appear")
        page.evaluate("() => new Promise(drawn => requestAnimationFrame(drawn))")
