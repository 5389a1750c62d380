"""Personal data of residents: found by header and by content, stripped or masked, always reported.

Identity numbers are known by their form and check digit (GB 11643), mobile numbers by theirs.
"""

import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

_NAME_HEADERS = re.compile(
    r"姓名|户主|联系人|报事人|上报人|反映人|诉求人|当事人|申请人|受访人|监护人|负责人|家长|配偶|与户主关系"
    r"|(^|_)(full|resident|person|owner|head|contact|applicant|reporter)_?names?$|head_?of_?household|^surname$"
)
_IDENTITY_HEADERS = re.compile(
    r"身份证|证件号|公民身份|护照|社保卡|社会保障号|银行卡|银行账号|id_?card|identity|citizen_?id|passport|^id_?(no|number)$"
)
_PHONE_HEADERS = re.compile(r"电话|手机|联系方式|微信号|qq号?$|邮箱|phone|mobile|^tel$|telephone|e-?mail|wechat")
_PRIVATE_HEADERS = re.compile(r"出生|生日|民族|政治面貌|宗教|病史|birth|ethnic|religion")
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])[1-8]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])"
)
_MOBILE = re.compile(r"(?<![0-9A-Za-z.])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![0-9A-Za-z])")
# Between the digits as people write them: nothing, a blank, a dash.
_GAP = "(?: ?- ?| )?"
# After a point stand decimals, but also the items of a list (`1.139…`).
_ALONE, _ENDS = r"(?<![0-9A-Za-z])(?<![0-9][0-9]\.)", "(?![0-9A-Za-z])"
_SPACED_IDENTITY = re.compile(rf"(?<![0-9A-Za-z])[1-8](?:{_GAP}\d){{16}}{_GAP}[0-9Xx]{_ENDS}")
# Of those issued until 1999, by people born since 1930: with an earlier year it would be one of our 15-digit grid codes,
# whose seventh and eighth digits are the first of a township's three, 00 to 29.
_OLD_IDENTITY = re.compile(
    rf"(?<![0-9A-Za-z])[1-8]\d{{5}}{_GAP}[3-9]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]){_GAP}\d{{3}}{_ENDS}"
)
_SPACED_MOBILE = re.compile(
    rf"{_ALONE}(?:(?:\+|00)?86{_GAP}|\(\+?86\){_GAP})?(?:"
    + "|".join(
        _GAP.join([rf"1[3-9]\d{{{first - 2}}}", *(rf"\d{{{n}}}" for n in others)])
        for first, *others in ((3, 4, 4), (4, 3, 4), (4, 4, 3), (3, 3, 5), (5, 6), (6, 5))
    )
    + rf"|1[3-9]\d\.\d{{4}}\.\d{{4}}){_ENDS}"
)
_SPACED_LANDLINE = re.compile(
    rf"{_ALONE}(?:\(0(?:10|2\d|[3-9]\d\d)\)|0(?:10|2\d|[3-9]\d\d)){_GAP}[2-9]\d{{2,3}}{_GAP}\d{{4}}{_ENDS}"
)
_NAMED_LANDLINE = re.compile(rf"(?:电话|座机|固话|联系方式)[:： 是为]{{0,2}}([2-8]\d{{6,7}}){_ENDS}")
# Our own numbers of incidents are no personal numbers, whatever digits stand beside them.
_OWN_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{9}-\d{8}-\d{4,6}(?![0-9A-Za-z])")
_SEPARATORS = dict.fromkeys(map(ord, "‐‑‒–—―−－﹣·•"), "-") | dict.fromkeys(
    map(ord, "\t\u00a0\u2002\u2003\u2009\u3000"), " "
)
_NARROW = _SEPARATORS | {ord(wide): plain for wide, plain in zip("（）＋．Ｘｘ", "()+.Xx", strict=True)}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_SHARE = 0.3
IDENTITY_MASK, PHONE_MASK = "〔证件号〕", "〔电话〕"


def is_identity_number(text: str) -> bool:
    """Tell whether a text is an 18-digit identity number: form, birth date and check digit.

    Examples
    --------
    >>> is_identity_number("11010519491231002X"), is_identity_number("110105194912310021")
    (True, False)
    """
    if not _IDENTITY.fullmatch(text):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % 11] == text[17].upper()


def is_mobile_number(text: str) -> bool:
    """Tell whether a text is a Chinese mobile number, with or without +86 and separators."""
    return _MOBILE.fullmatch(text) is not None


def personal_kind(header: str, cells: pd.Series) -> str | None:
    """Return why a column is personal: `name`, `identity`, `phone`, `private`, or None.

    The header decides; where it says nothing, three in ten cells that are identity or mobile numbers do.

    Parameters
    ----------
    header
        The header as written.
    cells
        The raw cells.
    """
    written = unicodedata.normalize("NFKC", header).strip().lower().replace(" ", "_")
    for kind, pattern in (
        ("identity", _IDENTITY_HEADERS),
        ("phone", _PHONE_HEADERS),
        ("name", _NAME_HEADERS),
        ("private", _PRIVATE_HEADERS),
    ):
        if pattern.search(written):
            return kind
    return content_kind(cells)


def content_kind(cells: pd.Series) -> str | None:
    """Return `identity` or `phone` when at least three in ten of the filled cells are such numbers."""
    written = [_written(cell) for cell in cells.dropna()]
    if not written:
        return None
    if sum(map(is_identity_number, written)) >= _SHARE * len(written):
        return "identity"
    if sum(map(is_mobile_number, written)) >= _SHARE * len(written):
        return "phone"
    return None


def is_personal(cells: pd.Series) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Mark the cells that are, as a whole, an identity or mobile number."""
    flags = [
        not missing and (is_identity_number(text := _written(cell)) or is_mobile_number(text))
        for cell, missing in zip(cells, cells.isna(), strict=True)
    ]
    return np.array(flags, dtype=bool)


def mask_text(text: str) -> str:
    """Replace identity and telephone numbers inside a text; the rest stays as it is, sign by sign.

    Identity numbers: 18 digits of their form, with gaps between the digits only if the check digit is right; 15 digits of
    the old form for births since 1930. Telephone numbers: mobile ones in the usual groups, with or without +86; landlines with
    their area code, without it after a word such as 电话. Digits and signs of full width count as plain ones. Numbers of
    incidents and codes of places and grids are none of these.

    Examples
    --------
    >>> mask_text("请回电１３８１２３４５６７８"), mask_text("（0731）823-4567，11010519491231002X")
    ('请回电〔电话〕', '〔电话〕，〔证件号〕')
    """
    narrow = _narrowed(text)
    taken = [match.span() for match in _OWN_NUMBER.finditer(narrow)]
    masks: list[tuple[int, int, str]] = []

    def mask(start: int, end: int, word: str) -> None:
        if not any(start < other_end and other_start < end for other_start, other_end in taken):
            taken.append((start, end))
            masks.append((start, end, word))

    for pattern in (_IDENTITY, _SPACED_IDENTITY, _OLD_IDENTITY):
        for match in pattern.finditer(narrow):
            if pattern is not _SPACED_IDENTITY or is_identity_number(re.sub("[ -]", "", match.group())):
                mask(*match.span(), IDENTITY_MASK)
    for pattern in (_SPACED_MOBILE, _SPACED_LANDLINE, _NAMED_LANDLINE):
        for match in pattern.finditer(narrow):
            mask(*match.span(match.lastindex or 0), PHONE_MASK)
    for start, end, word in sorted(masks, reverse=True):
        text = text[:start] + word + text[end:]
    return text


def _narrowed(text: str) -> str:
    """Return a text with plain digits, dashes, blanks and brackets for the wide ones, one for one, so that positions stay."""
    plain = text.translate(_NARROW)
    if plain.isascii():
        return plain
    return "".join(sign if sign.isascii() else str(unicodedata.decimal(sign, sign)) for sign in plain)


def mask_cell(cell: Any) -> Any:
    """Mask a raw cell of any type; a number that is a telephone number becomes the mask."""
    if isinstance(cell, str):
        return mask_text(cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        written = _written(cell)
        masked = mask_text(written)
        return cell if masked == written else masked
    return cell


def mask_column(texts: pd.Series) -> tuple[pd.Series, "np.ndarray[Any, np.dtype[np.bool_]]"]:
    """Mask a column of texts; returns the new column and which cells changed."""
    suspicious = texts.str.contains(r"[0-9０-９]{4}", regex=True, na=False).to_numpy(dtype=bool)
    masked = texts.copy()
    is_changed = np.zeros(len(texts), dtype=bool)
    for position in np.flatnonzero(suspicious).tolist():
        text = str(texts.iloc[position])
        clean = mask_text(text)
        if clean != text:
            masked.iloc[position] = clean
            is_changed[position] = True
    return masked, is_changed


def _written(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return unicodedata.normalize("NFKC", str(cell)).strip()
