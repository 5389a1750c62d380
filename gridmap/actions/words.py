"""What a person writes into a form: there, short enough, and without the numbers of anybody's papers or telephone."""

from gridmap.errors import InputError
from gridmap.ingest.personal import mask_text
from gridmap.texts import t


def require_words(written: str, *, what: str, most: int) -> str:
    """Return a name or title without blanks around it.

    Parameters
    ----------
    written
        As typed.
    what
        Key of its name in the text catalogue.
    most
        Longest text that is taken.

    Raises
    ------
    InputError
        If nothing is written, it is too long, or it holds signs that cannot be printed.
    """
    words = written.strip()
    if not words:
        raise InputError(t("ledgers.error_missing", what=t(what)))
    if len(words) > most:
        raise InputError(t("ledgers.error_long", what=t(what), most=most))
    if not words.isprintable():
        raise InputError(t("ledgers.error_signs", what=t(what)))
    return words


def require_written(written: str, *, what: str, most: int) -> str:
    """Return free text, with identity and telephone numbers masked; line breaks become blanks.

    Raises
    ------
    InputError
        As of `require_words`.
    """
    return mask_text(require_words(" ".join(written.split()), what=what, most=most))


def require_another(entered_by: str, approved_by: str, *, most: int) -> tuple[str, str]:
    """Return who enters and who approves.

    Raises
    ------
    InputError
        If one of them is missing, or both are the same person.
    """
    by = require_words(entered_by, what="ledgers.entered_by", most=most)
    approver = require_words(approved_by, what="ledgers.approved_by", most=most)
    if by.casefold() == approver.casefold():
        raise InputError(t("ledgers.error_same_person"))
    return by, approver
