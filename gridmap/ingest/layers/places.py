"""Names and codes of villages and groups in a file, as codes of the township."""

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap.ingest.context import TownshipContext
from gridmap.ingest.ledger import Ledger

_VILLAGE_ENDINGS = ("村民委员会", "居民委员会", "村委会", "居委会", "行政村", "社区", "村")
_GROUP_ENDINGS = ("村民小组", "居民小组", "小组", "组")
Key = Callable[[str], str]
_NUMERALS = "零一二三四五六七八九十"


def village_codes(ledger: Ledger, target: str, context: TownshipContext | None, *, is_required: bool) -> pd.Series:
    """Return the village code of each row: a code of twelve digits, or a name of this township's villages.

    Without a township only codes can be read.
    """
    written = ledger.text(target, is_required=is_required)
    codes = {} if context is None else _spellings(context.areas[context.areas["level"] == "village"], _village_key)
    found = _lookup(written, codes, key=_village_key, digits=12)
    ledger.refuse(written.notna().to_numpy() & found.isna().to_numpy(), "unknown_village_name", target=target)
    return found


def group_codes(ledger: Ledger, target: str, village: pd.Series, context: TownshipContext | None) -> pd.Series:
    """Return the group code of each row: a code of fourteen digits, or a name within the row's village."""
    written = ledger.text(target, is_required=True)
    found = pd.Series([None] * ledger.n_rows, dtype=object)
    if context is None:
        found = _lookup(written, {}, key=_group_key, digits=14)
    else:
        groups = context.areas[context.areas["level"] == "group"]
        for parent, members in groups.groupby("parent_code"):
            rows = (village == parent).to_numpy()
            found[rows] = _lookup(written[rows], _spellings(members, _group_key), key=_group_key, digits=14).to_numpy()
        unplaced = village.isna().to_numpy()
        found[unplaced] = _lookup(
            written[unplaced], _spellings(groups, _group_key, is_exact=False), key=_group_key, digits=14
        ).to_numpy()
    ledger.refuse(written.notna().to_numpy() & found.isna().to_numpy(), "unknown_group", target=target)
    return found


def polygons_of(codes: pd.Series, context: TownshipContext | None) -> NDArray[np.object_] | None:
    """Return the polygon of the area that each row names, None where it names none."""
    if context is None:
        return None
    by_code = dict(zip(context.areas["area_code"], context.areas.geometry, strict=True))
    return np.array([by_code.get(code) for code in codes], dtype=object)


def _spellings(areas: pd.DataFrame, key: Key, *, is_exact: bool = True) -> dict[str, str]:
    """Return spelling → code; a spelling that two areas share is left out, as is one short form of two names."""
    named = list(zip(areas["name"], areas["area_code"], strict=True))
    pairs = {(spelling, code) for name, code in named for spelling in ((name, key(name)) if is_exact else (key(name),))}
    counts = pd.Series([spelling for spelling, _ in pairs], dtype=object).value_counts()
    return {spelling: code for spelling, code in pairs if counts[spelling] == 1} | {
        code: code for code in areas["area_code"]
    }


def _lookup(written: pd.Series, codes: dict[str, str], *, key: Key, digits: int) -> pd.Series:
    answers: dict[str, str | None] = {}
    for name in written.dropna().unique():
        plain = unicodedata.normalize("NFKC", name).replace(" ", "")
        is_code = re.fullmatch(rf"[0-9]{{{digits}}}", plain) is not None and not codes
        answers[name] = plain if is_code else codes.get(plain) or codes.get(key(plain))
    return written.map(answers).astype(object).where(written.notna(), None)


def _village_key(name: str) -> str:
    return _without_ending(name, _VILLAGE_ENDINGS)


def _group_key(name: str) -> str:
    """Return a group's name without its ending; `第三村民小组`, `三组` and `3组` are one."""
    short = _without_ending(name.removeprefix("第"), _GROUP_ENDINGS)
    return str(number) if (number := _numeral(short)) is not None else short


def _without_ending(name: str, endings: tuple[str, ...]) -> str:
    for ending in endings:
        if name.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def _numeral(text: str) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text)
    match = re.fullmatch(r"([一二三四五六七八九])?(十)?([一二三四五六七八九])?", text)
    if match is None or not text or (match[2] is None and match[1] and match[3]):
        return None
    tens, ten, ones = match.groups()
    if ten is None:
        return _NUMERALS.index(tens or ones or "零")
    return 10 * (_NUMERALS.index(tens) if tens else 1) + (_NUMERALS.index(ones) if ones else 0)
