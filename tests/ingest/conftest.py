"""Import tests read their messages in English."""

import pytest

from gridmap.texts import use_language


@pytest.fixture(autouse=True)
def _english() -> None:
    use_language("en")
