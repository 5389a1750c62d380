"""A frozen review: read again, computed again as known then, and compared with what is known now."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from gridmap.errors import InputError
from gridmap.reports.figures import depends_on
from gridmap.reports.review.canonical import CellDifference, differences, digest_of, from_record, to_record
from gridmap.reports.review.report import review_report, rules_of
from gridmap.reports.review.shape import ReviewReport
from gridmap.store.imports import read_imports
from gridmap.store.review import StoredPack, find_pack, read_pack, read_packs, read_signatures, read_tasks
from gridmap.texts import t

_NOT_TURNED_BACK = ("areas", "households", "paths", "water", "checkpoints", "staff")


@dataclass(frozen=True, kw_only=True, eq=False)
class FrozenReview:
    """A pack as it was frozen.

    Parameters
    ----------
    pack_id, digest, frozen_by, frozen_at
        As stored.
    report
        What was frozen, figure by figure.
    is_intact
        Whether the stored figures still have their digest.
    signatures
        `role`, `name`, `signed_at`.
    """

    pack_id: int
    digest: str
    frozen_by: str
    frozen_at: datetime
    report: ReviewReport
    is_intact: bool
    signatures: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """A frozen review, computed again.

    Parameters
    ----------
    pack_id
        Which.
    digest, digest_again
        As frozen, and of what was computed.
    is_identical
        Whether they are the same, and the stored figures are still those that the digest is of.
    differences
        What is different, cell by cell; empty where it is identical.
    imported_since
        Layers that cannot be turned back and were imported after the instant of the pack: where differences may come from.
    """

    pack_id: int
    digest: str
    digest_again: str
    is_identical: bool
    differences: tuple[CellDifference, ...]
    imported_since: tuple[str, ...]

    @property
    def has_same_figures(self) -> bool:
        """Return whether every cell is the same, whichever version of the program counted."""
        return all(one.key == "code_version" for one in self.differences)


@depends_on("reviews")
def packs_report(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return all frozen reviews, newest first; see `store.review.read_packs`."""
    return read_packs(connection, township_code=township_code)


@depends_on("reviews")
def frozen_review(connection: Connection, *, pack_id: int) -> FrozenReview:
    """Return a pack as it was frozen.

    Raises
    ------
    InputError
        If there is no such pack.
    """
    pack = _pack(connection, pack_id)
    return FrozenReview(
        pack_id=pack.pack_id,
        digest=pack.digest,
        frozen_by=pack.frozen_by,
        frozen_at=pack.frozen_at,
        report=from_record(pack.figures),
        is_intact=digest_of(pack.figures) == pack.digest,
        signatures=read_signatures(connection, pack_id=pack_id),
    )


def pack_of_month(connection: Connection, *, township_code: str, month: str) -> int:
    """Return the newest frozen review of a month.

    Raises
    ------
    InputError
        If it was never frozen.
    """
    found = find_pack(connection, township_code=township_code, month=month)
    if found is None:
        raise InputError(t("review.error_not_frozen", month=month))
    return found


def _pack(connection: Connection, pack_id: int) -> StoredPack:
    pack = read_pack(connection, pack_id=pack_id)
    if pack is None:
        raise InputError(t("review.error_no_pack", pack=pack_id))
    return pack


def reproduce(connection: Connection, *, pack_id: int) -> Reproduction:
    """Compute a frozen review again: as known on its instant, by the settings it was made with.

    Incidents of a file that was imported since are late, whatever times of recording the file gives them.
    It comes out the same to the digit unless something was changed that cannot be turned back (households, postings, …) or the
    program counts otherwise; then the list says what.

    Raises
    ------
    InputError
        If there is no such pack.
    """
    pack = _pack(connection, pack_id)
    return _compared(connection, pack, known_at=pack.known_at, imported_by=pack.frozen_at)


def late_differences(connection: Connection, *, pack_id: int, known_at: datetime) -> Reproduction:
    """Compare a frozen review with what is known now: late data change nothing in it, they are listed.

    Raises
    ------
    InputError
        If there is no such pack.
    """
    return _compared(connection, _pack(connection, pack_id), known_at=known_at)


def _compared(
    connection: Connection, pack: StoredPack, *, known_at: datetime, imported_by: datetime | None = None
) -> Reproduction:
    settings = pack.figures["settings"]
    again = review_report(
        connection,
        township_code=pack.township_code,
        month=pack.month,
        known_at=known_at,
        zone=ZoneInfo(settings["zone"]),
        rules=rules_of(settings),
        imported_by=imported_by,
    )
    record = to_record(again)
    digest = digest_of(record)
    # Figures that somebody changed behind the database's back are not those whose digest is kept.
    is_identical = digest == pack.digest and digest_of(pack.figures) == pack.digest
    return Reproduction(
        pack_id=pack.pack_id,
        digest=pack.digest,
        digest_again=digest,
        is_identical=is_identical,
        differences=() if is_identical else differences(pack.figures, record),
        imported_since=_imported_since(connection, pack),
    )


def _imported_since(connection: Connection, pack: StoredPack) -> tuple[str, ...]:
    imports = read_imports(connection, township_code=pack.township_code)
    later = imports[(imports["imported_at"] > pack.known_at) & imports["layer"].isin(_NOT_TURNED_BACK)]
    return tuple(sorted(set(later["layer"])))


@depends_on("reviews")
def tasks_report(connection: Connection, *, township_code: str, known_at: datetime, on: date) -> pd.DataFrame:
    """Return what was decided and what became of it; see `store.review.read_tasks`, and `is_overdue` on a day."""
    tasks = read_tasks(connection, township_code=township_code, known_at=known_at)
    overdue = [state == "open" and pd.notna(until) and until < on for state, until in zip(tasks["state"], tasks["until"], strict=True)]  # fmt: skip
    return tasks.assign(is_overdue=pd.Series(overdue, index=tasks.index, dtype=bool))
