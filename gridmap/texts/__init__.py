"""The text catalogue: everything a person sees, in Chinese and English.

One pair of files an area of the program (`live.zh.toml`, `live.en.toml`); a key is `area.name`. The language is
chosen once a session (a context variable), falling back to the setting.
"""

import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from gridmap.settings import LANGUAGES, settings

_language: ContextVar[str | None] = ContextVar("language", default=None)


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return every text of one language by its key.

    Raises
    ------
    ValueError
        If the language is not one of `LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise ValueError(f"`language` must be one of {LANGUAGES}, got {language!r}.")
    texts: dict[str, str] = {}
    for file in sorted(Path(__file__).parent.glob(f"*.{language}.toml")):
        area = file.name.split(".", 1)[0]
        texts.update({f"{area}.{name}": text for name, text in tomllib.loads(file.read_text("utf-8")).items()})
    return texts


def language() -> str:
    """Return the language of this session: the chosen one, else the setting."""
    return _language.get() or settings().language


def use_language(language: str | None) -> None:
    """Choose the language for the current context (a session, a command); None: the setting's again.

    Raises
    ------
    ValueError
        If the language is not one of `LANGUAGES`.
    """
    if language is not None:
        catalogue(language)
    _language.set(language)


def t(key: str, /, **values: object) -> str:
    """Return the text of `key` in the session's language, with `{name}` replaced by `values`.

    Raises
    ------
    KeyError
        If the catalogue has no such key, or the text names a value that was not given.
    """
    return catalogue(language())[key].format(**values)
