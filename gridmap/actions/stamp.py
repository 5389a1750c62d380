"""What every stored row of one load carries, and what a load of one layer did."""

from dataclasses import dataclass
from datetime import date, datetime

from gridmap.store.writing import Written


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """Where the rows of one load come from.

    Parameters
    ----------
    township_code
        Nine digits.
    import_id
        The import record.
    loaded_at
        When the load began.
    valid_from
        First day of a plan or posting that the file brings without a date of its own.
    trusts_source_clock
        Whether rows count as known to us since they happened (a source that records at once), not since the load.
    household_cap
        Cap of a plan that the file brings.
    drawn_tolerance_m
        Widest sliver of hand-drawn borders.
    deadlines
        How long what may take, for incidents that the file brings without a due time.
    """

    township_code: str
    import_id: int
    loaded_at: datetime
    valid_from: date
    trusts_source_clock: bool
    household_cap: int
    drawn_tolerance_m: float
    deadlines: str


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What storing one layer did: rows of its main table, and sentences for the person who loads it."""

    written: Written
    notes: tuple[str, ...] = ()
