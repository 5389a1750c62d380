"""When something happened: unix seconds or written moments, whichever a column holds."""

import datetime as dt

import pandas as pd

from gridmap.ingest.ledger import Ledger
from gridmap.ingest.values import parse_instants, parse_unix_seconds


def happened_at(ledger: Ledger, zone: dt.tzinfo, *, is_unix: bool = False) -> pd.Series:
    """Return the column `happened_at` as instants.

    Parameters
    ----------
    ledger
        Rows without a readable moment are refused here.
    zone
        The clock of moments written without an offset.
    is_unix
        The source is known to count seconds; else nine or ten digits in every cell say so.
    """
    cells = ledger.raw("happened_at")
    counts = is_unix or cells.dropna().astype(str).str.fullmatch(r"\d{9,10}(\.0)?").all()
    parsed = parse_unix_seconds(cells, zone=zone) if counts else parse_instants(cells, zone=zone)
    return ledger.book("happened_at", parsed, "not_a_time")
