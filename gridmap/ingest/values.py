"""Cells as people write them → numbers, dates, instants, yes/no, rhythms. What cannot be read is marked, never guessed.

Every parser takes one column of raw cells and gives values, which cells are bad, and which were mended (`４` → 4).
Numbers take a fast path; the rest is parsed once per distinct cell.
"""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
One = Callable[[Any], tuple[Any, bool] | None]

_NOTHING = frozenset({"-", "--", "/", "—", "——", "无", "空", "null", "none", "n/a", "#n/a", "#null!"})
_UNITS = "人|户|个|次|名|位|口|米|m|分钟|min"
_NUMBER = re.compile(rf"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:{_UNITS})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DEGREES = re.compile(
    r"[EeNn东北经纬]*\s*(\d{1,3})\s*[°度]\s*(\d{1,2})\s*[′'分]\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:[″\"秒]|''))?\s*[EN]?"
)
_DAY = re.compile(r"(\d{4})\s*(?:[-/.]|年)\s*(\d{1,2})\s*(?:[-/.]|月)\s*(\d{1,2})\s*日?")
_CLOCK = re.compile(r"(\d{1,2})\s*(?::|时|点)\s*(?:(\d{1,2})\s*分?)?(?::?\s*(\d{1,2})(?:\.\d+)?\s*秒?)?")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
_EXCEL_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001  wall time, as Excel has it
_EXCEL_SERIALS = (10_000, 80_000)
_COMPACT_DAYS = (19_000_101, 21_001_231)
_UNIX_SECONDS = (631_152_000, 4_102_444_800)
_YEARS = (1900, 2100)
_EXACT_DIGITS = 15
_RHYTHM = re.compile(
    r"每?(天|日|周|星期|月|旬|半月)(?:度|内)?(?:巡查|走访|至少|不少于)?(?:([0-9]{1,3}|[一二两三四五六七八九十])[次遍回])?"
)
_RHYTHM_BACK = re.compile(r"([0-9]{1,3}|[一二两三四五六七八九十])[次遍回](?:/|每)(天|日|周|星期|月|旬|半月)")
_NUMERALS = {word: number for number, word in enumerate("零一二三四五六七八九十")} | {"两": 2}
_PER = {
    "天": ("week", 7),
    "日": ("week", 7),
    "周": ("week", 1),
    "星期": ("week", 1),
    "月": ("month", 1),
    "旬": ("month", 3),
    "半月": ("month", 2),
}


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """One column after parsing, by position.

    Parameters
    ----------
    found
        What was read; None or NaN where nothing stood or nothing could be read.
    is_bad
        Something stood there that cannot be read.
    is_mended
        The value is sure, but was written in an unusual way.
    """

    found: pd.Series
    is_bad: Flags
    is_mended: Flags


def number_of(cell: Any) -> tuple[float, bool] | None:
    """Read one number: full-width digits, thousands separators and a unit are mended; `约100` is None.

    Examples
    --------
    >>> number_of("４"), number_of("1,204"), number_of("约100")
    ((4.0, True), (1204.0, True), None)
    """
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    if not isinstance(cell, str):
        return _float(cell), False
    text = unicodedata.normalize("NFKC", cell).strip()
    if _NOT_FINITE.fullmatch(text):
        return float(text), False
    plain = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text
    match = _NUMBER.fullmatch(plain)
    return None if match is None else (float(match[1]), match[1] != cell.strip())


def degrees_of(cell: Any) -> tuple[float, bool] | None:
    """Read one coordinate: a number, or degrees, minutes and seconds (mended).

    Examples
    --------
    >>> degrees_of("114°30′00″")
    (114.5, True)
    """
    if isinstance(cell, str) and (match := _DEGREES.fullmatch(unicodedata.normalize("NFC", cell).strip())):
        degrees, minutes, seconds = (float(part or 0) for part in match.groups())
        return (degrees + minutes / 60 + seconds / 3600, True) if minutes < 60 and seconds < 60 else None  # noqa: PLR2004
    return number_of(cell)


def day_of(cell: Any) -> tuple[dt.date, bool] | None:
    """Read one date: a date cell, ISO text, `2026年3月5日`, `2026/3/5`, `20260305`, an Excel serial number.

    Examples
    --------
    >>> day_of("2026年3月5日"), day_of("3/5/2026")
    ((datetime.date(2026, 3, 5), True), None)
    """
    moment = moment_of(cell)
    if moment is None:
        return None
    return moment[0].date(), moment[1] and not (isinstance(cell, str) and _ISO_DAY.fullmatch(cell.strip()) is not None)


def moment_of(cell: Any) -> tuple[dt.datetime, bool] | None:
    """Read one wall-clock moment, or an instant with its offset; a date alone is its midnight."""
    if isinstance(cell, dt.datetime):
        return cell, False
    if isinstance(cell, dt.date):
        return dt.datetime(cell.year, cell.month, cell.day), False  # noqa: DTZ001  wall time
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return _numbered_moment(float(cell))
    return _written_moment(cell) if isinstance(cell, str) else None


def flag_of(cell: Any) -> tuple[bool, bool] | None:
    """Read one yes or no: 是/否, true/false, 1/0, Y/N, 有/无, √/×."""
    word = str(cell).strip().lower().removesuffix(".0")
    if word in {"是", "true", "1", "y", "yes", "有", "√", "✓", "t", "对"}:
        return True, False
    if word in {"否", "false", "0", "n", "no", "无", "×", "✗", "f", "x", "不是"}:
        return False, False
    return None


def rhythm_of(cell: Any) -> tuple[tuple[int, str], bool] | None:
    """Read how often: `每周2次`, `每月一次`, `2次/周`, `每天1次` (7 a week), `每半月1次` (2 a month).

    Examples
    --------
    >>> rhythm_of("每周2次"), rhythm_of("每两周1次")
    (((2, 'week'), False), None)
    """
    text = unicodedata.normalize("NFKC", str(cell)).replace(" ", "")
    if match := _RHYTHM.fullmatch(text):
        span, times = match[1], match[2] or "1"
    elif match := _RHYTHM_BACK.fullmatch(text):
        times, span = match[1], match[2]
    else:
        return None
    per, factor = _PER[span]
    n_times = int(times) if times.isdigit() else _NUMERALS[times]
    return (n_times * factor, per), factor != 1


def code_of(cell: Any) -> tuple[str, bool] | None:
    """Read one code: text without blanks; a whole number becomes its digits (mended) while none can be lost."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        number = _float(cell)
        if not math.isfinite(number) or not number.is_integer() or len(str(abs(int(number)))) > _EXACT_DIGITS:
            return None
        return str(int(number)), True
    text = unicodedata.normalize("NFKC", str(cell)).strip().removeprefix("'")
    if re.fullmatch(r"\d(\.\d+)?[eE]\+?\d+", text) or any(not character.isprintable() for character in text):
        return None
    compact = "".join(text.split())
    return compact, compact != str(cell).strip()


def text_of(cell: Any) -> tuple[str | None, bool] | None:
    """Read one text: outer blanks go silently; control and invisible characters go and are reported."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell)), False
    written = str(cell).strip()
    clean = "".join(
        character
        for character in written
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    ).strip()
    return clean or None, clean != written


def parse(cells: pd.Series, one: One) -> Parsed:
    """Parse a column with the reader of one cell, once per distinct cell."""
    present = cells.notna().to_numpy()
    answers: dict[tuple[type, Any], tuple[Any, bool] | None] = {}
    values: list[Any] = [None] * len(cells)
    is_bad, is_mended = np.zeros(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool)
    for position, cell in enumerate(cells):
        if not present[position]:
            continue
        key = (type(cell), cell)
        if key not in answers:
            answers[key] = one(cell)
        answer = answers[key]
        if answer is None:
            is_bad[position] = True
        else:
            values[position], is_mended[position] = answer
    return Parsed(found=pd.Series(values, dtype=object), is_bad=is_bad, is_mended=is_mended)


def parse_numbers(cells: pd.Series, *, one: One = number_of) -> Parsed:
    """Parse a column of numbers; cells that are numbers already are taken as a whole.

    Words for "nothing" (`无`, `/`) count as empty. Values that are not finite stay as they are, for the caller to refuse.
    """
    kinds = cells.map(type)
    is_number = kinds.isin((int, float, np.float64, np.int64)).to_numpy()
    values = np.full(len(cells), np.nan)
    values[is_number] = cells[is_number].map(_float).to_numpy(dtype=float)
    is_bad, is_mended = np.zeros(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool)
    odd = np.flatnonzero(cells.notna().to_numpy() & ~is_number)
    if len(odd):
        parsed = parse(without_nothing(cells.iloc[odd]), one)
        values[odd] = pd.to_numeric(parsed.found).to_numpy(dtype=float)
        is_bad[odd], is_mended[odd] = parsed.is_bad, parsed.is_mended
    return Parsed(found=pd.Series(values), is_bad=is_bad, is_mended=is_mended)


def parse_days(cells: pd.Series) -> Parsed:
    """Parse a column of dates into `datetime.date`; words for "nothing" count as empty."""
    return parse(without_nothing(cells), day_of)


def parse_instants(cells: pd.Series, *, zone: dt.tzinfo) -> Parsed:
    """Parse a column of moments into instants; wall times are the given zone's.

    A wall time that the clock skipped or repeated (summer time, 1986-1991) is taken as the first that fits.
    """
    parsed = parse(without_nothing(cells), moment_of)
    return Parsed(found=to_instants(parsed.found, zone=zone), is_bad=parsed.is_bad, is_mended=parsed.is_mended)


def parse_unix_seconds(cells: pd.Series, *, zone: dt.tzinfo) -> Parsed:
    """Parse a column of unix seconds into instants."""
    parsed = parse_numbers(cells)
    first, last = _UNIX_SECONDS
    is_bad = parsed.is_bad | (~parsed.found.between(first, last) & cells.notna().to_numpy()).to_numpy()
    seconds = parsed.found.where(~is_bad)
    instants = pd.to_datetime(seconds, unit="s", utc=True).dt.as_unit("us").dt.tz_convert(zone)
    return Parsed(found=instants, is_bad=is_bad, is_mended=parsed.is_mended)


def to_instants(moments: pd.Series, *, zone: dt.tzinfo) -> pd.Series:
    """Turn wall-clock moments (or moments with an offset) into instants of one zone."""
    walls = [
        moment.astimezone(zone).replace(tzinfo=None) if moment is not None and moment.tzinfo else moment
        for moment in moments
    ]
    naive = pd.Series(pd.to_datetime(pd.Series(walls, dtype=object)), dtype="datetime64[us]")
    return naive.dt.tz_localize(zone, ambiguous=np.ones(len(naive), dtype=bool), nonexistent="shift_forward")


def word_reader(words: Mapping[str, tuple[str, ...]]) -> One:
    """Return a reader for one of several fixed words: meaning → ways of writing it."""
    meanings = {written.lower(): meaning for meaning, ways in words.items() for written in (meaning, *ways)}

    def one(cell: Any) -> tuple[str, bool] | None:
        word = "".join(unicodedata.normalize("NFKC", str(cell)).split()).lower()
        return (meanings[word], False) if word in meanings else None

    return one


def without_nothing(cells: pd.Series) -> pd.Series:
    """Return the cells with words for "nothing" (`无`, `/`, `N/A`) emptied."""
    is_nothing = cells.map(lambda cell: isinstance(cell, str) and cell.strip().lower() in _NOTHING)
    return cells.mask(is_nothing.astype(bool), None).reset_index(drop=True)


def _float(cell: float) -> float:
    try:
        return float(cell)
    except OverflowError:
        return math.inf


def _numbered_moment(number: float) -> tuple[dt.datetime, bool] | None:
    if _EXCEL_SERIALS[0] <= number <= _EXCEL_SERIALS[1]:
        moment = _EXCEL_EPOCH + dt.timedelta(days=number)
        return (moment + dt.timedelta(microseconds=500_000)).replace(microsecond=0), True
    if _COMPACT_DAYS[0] <= number <= _COMPACT_DAYS[1] and number.is_integer():
        return _moment(int(number) // 10_000, int(number) // 100 % 100, int(number) % 100)
    return None


def _written_moment(cell: str) -> tuple[dt.datetime, bool] | None:
    text = unicodedata.normalize("NFKC", cell).strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return _numbered_moment(float(text))
    if _ISO_INSTANT.fullmatch(text) or _ISO_DAY.fullmatch(text):
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            return None
        return (moment, text != cell.strip()) if _YEARS[0] <= moment.year < _YEARS[1] else None
    match = _DAY.match(text)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups())
    rest = text[match.end() :].strip()
    if not rest:
        return _moment(year, month, day)
    clock = _CLOCK.fullmatch(rest)
    return None if clock is None else _moment(year, month, day, *(int(part or 0) for part in clock.groups()))


def _moment(*parts: int) -> tuple[dt.datetime, bool] | None:
    try:
        moment = dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  wall time
    except ValueError:
        return None
    return (moment, True) if _YEARS[0] <= moment.year < _YEARS[1] else None
