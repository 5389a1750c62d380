"""Which encoding a text is in: UTF-8 strictly, else GB18030; UTF-16 is refused with a remedy."""

import codecs
import unicodedata
from collections.abc import Sequence

from gridmap.errors import InputError
from gridmap.texts import t

_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_NUL_SHARE = 0.1
_PLAUSIBLE_SHARE = 0.5
_HEAD_BYTES = 4096


def is_utf16(data: bytes) -> bool:
    """Tell whether bytes are UTF-16 or UTF-32: by their mark, or by every second byte being NUL."""
    head = data[:_HEAD_BYTES]
    return head.startswith(_UTF16_BOMS) or (len(head) > 1 and head.count(0) > _NUL_SHARE * len(head))


def decode_text(data: bytes, *, file: str) -> tuple[str, str]:
    """Return a file's text and the name of its encoding (`utf-8`, `utf-8-sig` or `gb18030`).

    Raises
    ------
    InputError
        If the text is UTF-16, or neither UTF-8 nor GB18030.
    """
    if is_utf16(data):
        raise InputError(t("ingest.error_utf16", file=file))
    if data.startswith(codecs.BOM_UTF8):
        return _decode_strictly(data[len(codecs.BOM_UTF8) :], "utf-8", file), "utf-8-sig"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _decode_strictly(data, "gb18030", file), "gb18030"


def decode_values(
    values: Sequence[bytes | None], *, cpg: str | None, file: str
) -> tuple[list[str | None], str, list[int]]:
    """Decode the texts of a DBF file with one encoding.

    UTF-8 wins when it decodes strictly and gives Chinese; then the `.cpg` when it decodes; then GB18030. A character cut
    in half by the field's width is dropped.

    Parameters
    ----------
    values
        Raw bytes; None stays None.
    cpg
        What the `.cpg` file says, or None.
    file
        Name for the message.

    Returns
    -------
    tuple
        Texts, encoding, positions of values that lost half a character.

    Raises
    ------
    InputError
        If no encoding fits.
    """
    present = [value for value in values if value]
    if all(value.isascii() for value in present):
        return [None if value is None else value.decode("ascii") for value in values], "ascii", []
    for encoding in _candidates(cpg):
        decoded = [_decode_cut(value, encoding) for value in values]
        if any(text is None and value is not None for (text, _), value in zip(decoded, values, strict=True)):
            continue
        if encoding == "utf-8" and not _is_plausible("".join(text or "" for text, _ in decoded)):
            continue
        cut = [position for position, (_, is_cut) in enumerate(decoded) if is_cut]
        return [text for text, _ in decoded], encoding, cut
    raise InputError(t("ingest.error_encoding", file=file))


def _candidates(cpg: str | None) -> list[str]:
    named: list[str] = []
    if cpg:
        try:
            named = [codecs.lookup({"936": "gbk", "65001": "utf-8"}.get(cpg.strip(), cpg.strip())).name]
        except LookupError:
            named = []
    return list(dict.fromkeys(["utf-8", *named, "gb18030"]))


def _decode_cut(value: bytes | None, encoding: str) -> tuple[str | None, bool]:
    if value is None:
        return None, False
    try:
        return value.decode(encoding), False
    except UnicodeDecodeError as error:
        is_last = error.end == len(value) and error.start > 0
        try:
            return (value[: error.start].decode(encoding), True) if is_last else (None, False)
        except UnicodeDecodeError:
            return None, False


def _is_plausible(text: str) -> bool:
    """Tell whether the characters beyond ASCII are mostly Chinese: GBK read as UTF-8 gives marks and Arabic."""
    beyond = [character for character in text if not character.isascii()]
    chinese = sum(
        1
        for character in beyond
        if unicodedata.category(character) == "Lo" or unicodedata.east_asian_width(character) in "WF"
    )
    return chinese >= _PLAUSIBLE_SHARE * len(beyond)


def _decode_strictly(data: bytes, encoding: str, file: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(t("ingest.error_encoding", file=file)) from error
