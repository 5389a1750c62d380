"""Import tests read their messages in English."""

from collections.abc import Iterator

import pytest

from gridmap.texts import use_language


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    use_language("en")
    yield
    use_language("zh")
