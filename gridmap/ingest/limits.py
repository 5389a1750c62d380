"""How much a file from outside may ask of this machine."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds of one import; a caller with bigger files gives its own.

    Parameters
    ----------
    max_bytes
        Size of the given files together.
    max_unpacked_bytes
        Size of a zip's contents, counted while unpacking (the declared size is not believed).
    max_members
        Entries of a zip.
    max_ratio
        Unpacked size over packed size of a zip member of more than 1 MB.
    max_columns
        Columns of a table.
    max_rows
        Rows of a table.
    memory_mb
        Address space of the reading child process.
    cpu_s
        Processor seconds of the reading child process.
    wall_s
        Seconds that the caller waits for it.
    """

    max_bytes: int = 200_000_000
    max_unpacked_bytes: int = 400_000_000
    max_members: int = 500
    max_ratio: float = 200.0
    max_columns: int = 100
    max_rows: int = 1_000_000
    memory_mb: int = 2048
    cpu_s: int = 60
    wall_s: float = 90.0
