"""XML from outside (KML, GPX, the insides of a workbook): no document type, so no entities to expand."""

import xml.parsers.expat

from gridmap.errors import InputError
from gridmap.texts import t


class _RootReached(Exception):  # noqa: N818  the normal end of the look
    """The prolog is over: nothing dangerous can come any more."""


def refuse_doctype(head: bytes, *, file: str) -> None:
    """Refuse XML whose prolog declares a document type ("billion laughs", external entities).

    Only the prolog is parsed: a document type cannot stand after the root element. Broken XML passes; its reader says so.

    Parameters
    ----------
    head
        The first bytes of the file.
    file
        Name for the message.

    Raises
    ------
    InputError
        If a document type is declared, or no root element comes in `head`.
    """

    def on_doctype(*_: object) -> None:
        raise InputError(t("ingest.error_doctype", file=file))

    def on_root(*_: object) -> None:
        raise _RootReached

    parser = xml.parsers.expat.ParserCreate()
    parser.StartDoctypeDeclHandler = on_doctype
    parser.StartElementHandler = on_root
    try:
        parser.Parse(head, False)
    except (_RootReached, xml.parsers.expat.ExpatError):
        return
    if head.strip():
        raise InputError(t("ingest.error_doctype", file=file))
