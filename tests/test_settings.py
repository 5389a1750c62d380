"""What the environment says is refused with its name, the value and what may stand there, before anything starts."""

import pytest

from gridmap.errors import InputError
from gridmap.settings import settings


@pytest.mark.parametrize(("variable", "value"), [("GRIDMAP_OPEN_ROLE", "chair"), ("GRIDMAP_LANGUAGE", "fr")])
def test_a_word_that_is_none_of_those_allowed_is_refused(variable: str, value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(variable, value)
    settings.cache_clear()
    with pytest.raises(InputError, match=f"`{variable}`.*`{value}`"):
        settings()
    settings.cache_clear()
