"""What was read from which file: every row taken, changed or quarantined, and the raw coordinates."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.store.models.model import Instant, Model


class ImportRecord(Model):
    """One file read into one layer; the books must balance: taken + quarantined = read."""

    __tablename__ = "import_record"
    __table_args__ = (
        CheckConstraint("n_taken + n_quarantined = n_read", name="books_balance"),
        CheckConstraint(
            "least(n_read, n_taken, n_new, n_changed, n_quarantined) >= 0 AND n_new <= n_taken", name="counts"
        ),
        Index("ix_import_record_file", "township_code", "layer", "file_sha256"),
    )

    import_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    layer: Mapped[str]
    file_name: Mapped[str]
    file_sha256: Mapped[str]
    file_bytes: Mapped[int]
    encoding: Mapped[str | None]
    crs: Mapped[str | None]
    datum: Mapped[str | None]
    n_read: Mapped[int]
    n_taken: Mapped[int]
    n_new: Mapped[int]
    n_changed: Mapped[int]
    n_quarantined: Mapped[int]
    notes: Mapped[list[str]] = mapped_column(JSONB)
    imported_by: Mapped[str]
    imported_at: Mapped[datetime] = mapped_column(Instant, server_default=text("now()"))


class ImportChange(Model):
    """A value of a taken row that was mended, and how."""

    __tablename__ = "import_change"

    import_id: Mapped[int] = mapped_column(ForeignKey("import_record.import_id", ondelete="CASCADE"), primary_key=True)
    change_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sheet: Mapped[str | None]
    row_number: Mapped[int]
    change: Mapped[str]


class ImportQuarantine(Model):
    """A row that was not taken, with its reason; mended rows are loaded again as a new import."""

    __tablename__ = "import_quarantine"

    import_id: Mapped[int] = mapped_column(ForeignKey("import_record.import_id", ondelete="CASCADE"), primary_key=True)
    quarantine_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sheet: Mapped[str | None]
    row_number: Mapped[int]
    reason_code: Mapped[str]
    reason: Mapped[str]
    row: Mapped[dict[str, Any]]


class ImportRawPoint(Model):
    """The coordinates of a row as the file had them, before any change of datum or projection."""

    __tablename__ = "import_raw_point"

    import_id: Mapped[int] = mapped_column(ForeignKey("import_record.import_id", ondelete="CASCADE"), primary_key=True)
    row_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    raw_x: Mapped[float]
    raw_y: Mapped[float]


class DataVersion(Model):
    """How often the rows of a topic changed; statement triggers raise it and notify the listeners."""

    __tablename__ = "data_version"

    topic: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(Instant)
