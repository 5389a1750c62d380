"""What a request holds: read no further than its limit, as one JSON object and photos, field by field with a sentence each."""

import json
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from gridmap.actions.arrivals import NotAccepted, Position, require_text
from gridmap.settings import settings
from gridmap.texts import t

_JSON, _FORM = "application/json", "multipart/form-data"
_PART, _PHOTO = "report", "photo"
_MEGABYTE, _KILOBYTE = 1_000_000, 1_000
_YEARS = range(1900, 2100)


class _InMemory(MultiPartParser):
    """Keeps files in memory: the whole body is there already, and not larger than its limit."""

    spool_max_size = 2**31


@dataclass(frozen=True, kw_only=True)
class Body:
    """One JSON object and the photos beside it."""

    fields: Mapping[str, Any]
    photos: Sequence[bytes] = ()


async def read_body(request: Request) -> Body:
    """Return what a request holds: JSON, or multipart with the object as part `report` and files `photo`.

    Raises
    ------
    NotAccepted
        If it is too large (`too_large`), of another kind (`bad_content_type`), or not to be read (`bad_body`).
    ClientDisconnect
        If the sender went away.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _JSON:
        kilobytes = settings().intake_max_json_kb
        return Body(fields=parse_object(await _read(request, most=kilobytes * _KILOBYTE, shown=f"{kilobytes} KB")))
    if kind == _FORM:
        form = await read_form(request, most_fields=1)
        if set(form.fields) != {_PART}:
            raise NotAccepted("bad_body", t("intake.error_multipart"))
        written = form.fields[_PART].encode("utf-8", "surrogatepass")
        kilobytes = settings().intake_max_json_kb
        if len(written) > kilobytes * _KILOBYTE:
            raise _too_large(f"{kilobytes} KB")
        return Body(fields=parse_object(written), photos=form.photos)
    raise NotAccepted("bad_content_type", t("intake.error_body_kind"))


async def _read(request: Request, *, most: int, shown: str) -> bytes:
    """Read a body up to a limit; what is beyond is passed over, so that the sender hears the answer, but not without end."""
    passed_over = settings().intake_max_body_mb * _MEGABYTE
    too_large = _too_large(shown)
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > passed_over:
        raise too_large
    parts: list[bytes] = []
    n_bytes = 0
    async for part in request.stream():
        n_bytes += len(part)
        if n_bytes > passed_over:
            raise too_large
        if n_bytes <= most:
            parts.append(part)
    if n_bytes > most:
        raise too_large
    return b"".join(parts)


def _too_large(shown: str) -> NotAccepted:
    return NotAccepted("too_large", t("intake.error_body_size", most=shown))


def parse_object(raw: bytes) -> Mapping[str, Any]:
    """Return the JSON object in some bytes.

    Raises
    ------
    NotAccepted
        If it is not UTF-8, not JSON, no object, or nested without end.
    """
    try:
        found = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise NotAccepted("bad_body", t("intake.error_deep")) from error
    except ValueError as error:
        raise NotAccepted("bad_body", t("intake.error_json")) from error
    if not isinstance(found, dict):
        raise NotAccepted("bad_body", t("intake.error_json_object"))
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


async def read_form(request: Request, *, most_fields: int) -> Body:
    """Return the text fields of a multipart form, each once, and its files `photo`, as far as there is something in them.

    Raises
    ------
    NotAccepted
        If it is too large (`too_large`), or not such a form (`bad_body`).
    ClientDisconnect
        If the sender went away.
    """
    megabytes = settings().intake_max_body_mb
    raw = await _read(request, most=megabytes * _MEGABYTE, shown=f"{megabytes} MB")

    async def stream() -> AsyncGenerator[bytes, None]:
        yield raw

    unread = NotAccepted("bad_body", t("intake.error_multipart"))
    parser = _InMemory(
        request.headers,
        stream(),
        max_files=2 * settings().intake_max_photos,
        max_fields=most_fields,
        max_part_size=megabytes * _MEGABYTE,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise unread from error
    try:
        fields: dict[str, str] = {}
        photos: list[bytes] = []
        for name, part in form.multi_items():
            if isinstance(part, str) and name not in fields:
                fields[name] = part
            elif isinstance(part, UploadFile) and name == _PHOTO:
                content = await part.read()
                # A browser sends an empty file for a field that nothing was chosen in.
                photos += [content] if content else []
            else:
                raise unread
    finally:
        await form.close()
    return Body(fields=fields, photos=photos)


class Fields:
    """The fields of one object, each asked for by its kind.

    Parameters
    ----------
    given
        As sent; null counts as not given.
    known
        Every field there is; another one is refused, since it is most likely a slip of the pen.

    Raises
    ------
    NotAccepted
        If a field is not known.
    """

    def __init__(self, given: Mapping[str, Any], *, known: Sequence[str]) -> None:
        strange = [name for name in given if name not in known]
        if strange:
            sentence = t("intake.error_unknown_field", field=strange[0][:40], fields=", ".join(known))
            raise NotAccepted("unknown_field", _whole(sentence), fields=list(known))
        self._given = {name: value for name, value in given.items() if value is not None}

    def text(self, name: str) -> str | None:
        """Return a text, None where it is not given.

        Raises
        ------
        NotAccepted
            If it is something else, or holds signs that are no text.
        """
        value = self._given.get(name)
        if value is not None and not isinstance(value, str):
            raise NotAccepted("bad_field", t("intake.error_field_text", field=name), field=name)
        if value is not None:
            require_text(value, field=name)
        return value

    def required(self, name: str) -> str:
        """Return a text that must be there.

        Raises
        ------
        NotAccepted
            If it is missing, blank or something else.
        """
        value = self.text(name)
        if value is None or not value.strip():
            raise NotAccepted("missing", t("intake.error_missing", field=name), field=name)
        return value

    def number(self, name: str) -> float | None:
        """Return a finite number, None where it is not given.

        Raises
        ------
        NotAccepted
            If it is something else.
        """
        value = self._given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise NotAccepted("bad_field", t("intake.error_field_number", field=name), field=name)
        return float(value)

    def instant(self, name: str) -> datetime | None:
        """Return an instant of 1900 to 2099 with a zone, None where it is not given.

        Raises
        ------
        NotAccepted
            If it is something else.
        """
        written = self.text(name)
        if written is None:
            return None
        try:
            found = datetime.fromisoformat(written.strip())
            is_sound = found.utcoffset() is not None and found.year in _YEARS
        except (ValueError, OverflowError):
            is_sound = False
        if not is_sound:
            raise NotAccepted("bad_field", t("intake.error_field_instant", field=name), field=name)
        return found

    def position(self, name: str) -> Position | None:
        """Return a position, None where it is not given.

        Raises
        ------
        NotAccepted
            If it is something else, a number is missing, or the datum is not named.
        """
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise NotAccepted("bad_field", t("intake.error_field_object", field=name), field=name)
        inside = Fields(value, known=("lng", "lat", "datum", "accuracy_m"))
        lng, lat = inside.number("lng"), inside.number("lat")
        if lng is None or lat is None:
            raise NotAccepted("bad_field", t("intake.error_field_object", field=name), field=name)
        return Position(lng=lng, lat=lat, datum=inside.text("datum") or "", accuracy_m=inside.number("accuracy_m"))


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _whole(sentence: str) -> str:
    return sentence.encode("utf-8", "replace").decode("utf-8")
