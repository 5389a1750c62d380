"""The card by which a member signs in once on his phone: his name, and a QR code with his personal link."""

from datetime import date
from pathlib import Path

from gridmap.errors import InputError
from gridmap.exports.poster import qr_picture, require_address
from gridmap.exports.typesetting import typeset
from gridmap.texts import language, t

_TEMPLATE = Path(__file__).with_name("member_card.typ")
_WORDS = ("title", "how_1", "how_2", "how_3", "secret")


def member_link(base_url: str, token: str) -> str:
    """Return the personal link; what stands behind the # is never sent to a server.

    Raises
    ------
    InputError
        If `base_url` is not a plain http or https address.

    Examples
    --------
    >>> member_link("https://grid.example.gov.cn/", "gm_x")
    'https://grid.example.gov.cn/m#token=gm_x'
    """
    return f"{require_address(base_url)}/m#token={token}"


def member_card(*, name: str, base_url: str, token: str, made_on: date) -> bytes:
    """Return the card of a member as one PDF page (A6).

    Parameters
    ----------
    name
        Of the member.
    base_url
        Where phones reach the program.
    token
        Of the member; it stands in the code and nowhere else.
    made_on
        The day that is written on it.

    Raises
    ------
    InputError
        If the address is none, or no Chinese font is installed.
    """
    given = {
        "language": language(),
        "words": {word: t(f"field.card_{word}") for word in _WORDS},
        "name": name,
        "qr": qr_picture(member_link(base_url, token)),
        "address": f"{require_address(base_url)}/m",
        "made_on": t("field.poster_made_on", day=made_on.isoformat()),
    }
    return typeset(_TEMPLATE, given)


def require_writable(file: Path) -> None:
    """Refuse a file name whose folder is not there, before a token is made for it.

    Raises
    ------
    InputError
        If the folder is not there or the name does not end with `.pdf`.
    """
    if file.suffix.lower() != ".pdf":
        raise InputError(t("field.error_card_name", file=file.name))
    if not file.absolute().parent.is_dir():
        raise InputError(t("plan.no_folder", folder=file.parent))
