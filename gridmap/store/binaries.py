"""Find the machine's PostgreSQL with PostGIS; say in one sentence how to install it."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gridmap.errors import StoreUnavailable
from gridmap.texts import t

OLDEST_MAJOR = 15
_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """One installation of PostgreSQL.

    Parameters
    ----------
    folder
        Where `initdb`, `pg_ctl`, `pg_dump` … are.
    major
        Its major version.
    """

    folder: Path
    major: int

    def tool(self, name: str) -> str:
        """Return the path of one program."""
        return str(self.folder / name)


@cache
def installed() -> tuple[Binaries, ...]:
    """Return the installations that have PostGIS and are new enough, newest first."""
    folders = {Path(found).resolve() for place in _PLACES for found in Path("/").glob(place.lstrip("/"))}
    on_path = shutil.which("pg_ctl")
    if on_path:
        folders.add(Path(on_path).resolve().parent)
    found = [binaries for folder in folders if (binaries := _look(folder)) is not None]
    return tuple(sorted(found, key=lambda binaries: (-binaries.major, str(binaries.folder))))


def find(major: int | None = None) -> Binaries:
    """Return the newest installation, or the one of a major version.

    Raises
    ------
    StoreUnavailable
        If there is none.
    """
    for binaries in installed():
        if major in (None, binaries.major):
            return binaries
    key = "db.error_not_installed" if major is None else "db.error_major_not_installed"
    raise StoreUnavailable(t(key, major=major or OLDEST_MAJOR, how=t("db.how_to_install")))


def _look(folder: Path) -> Binaries | None:
    if not all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres", "pg_dump", "pg_restore")):
        return None
    said = subprocess.run([str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603  a program found on this machine
    version = re.search(r"(\d+)", said)
    if version is None or int(version[1]) < OLDEST_MAJOR:
        return None
    return Binaries(folder=folder, major=int(version[1])) if _has_postgis(folder) else None


def _has_postgis(folder: Path) -> bool:
    config = folder / "pg_config"
    if config.exists():
        shared = subprocess.run([str(config), "--sharedir"], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
        if shared and (Path(shared) / "extension" / "postgis.control").exists():
            return True
    major = folder.parent.name
    places = (Path("/usr/share/postgresql") / major, folder.parent / "share", folder.parent / "share" / "postgresql")
    return any((place / "extension" / "postgis.control").exists() for place in places)
