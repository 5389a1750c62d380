import pytest

from gridmap.errors import InputError
from gridmap.ingest.markup import refuse_doctype

LAUGHS = '<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<kml>&b;</kml>'


@pytest.mark.parametrize(
    "head",
    [
        LAUGHS.encode(),
        LAUGHS.encode("utf-16"),
        b'<!DOCTYPE kml SYSTEM "file:///etc/passwd"><kml/>',
        b"<!--" + b"x" * 60_000,
    ],
)
def test_a_document_type_or_an_endless_prolog_is_refused(head):
    with pytest.raises(InputError, match="document type"):
        refuse_doctype(head, file="a.kml")


@pytest.mark.parametrize(
    "head", [b"<kml><Document/></kml>", b'<?xml version="1.0"?><!-- note --><gpx>', b"<kml", b"not xml", b""]
)
def test_plain_xml_passes_and_broken_xml_is_left_to_its_reader(head):
    if head == b"<kml":
        with pytest.raises(InputError):
            refuse_doctype(head, file="a.kml")
    else:
        refuse_doctype(head, file="a.kml")
