"""The private PostGIS: a cluster of our own on a unix socket, shared by every gridmap process of one folder.

Each process that uses the cluster holds a shared lock on `users`; the kernel lets go of it however the process ends. The
last one that leaves stops the cluster; a small watcher does the same when the last one was killed. All starting and
stopping happens under the exclusive lock `lock`, so an arrival and a departure never meet.
"""

import atexit
import fcntl
import hashlib
import os
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from gridmap.errors import StoreUnavailable
from gridmap.store.binaries import Binaries, find
from gridmap.texts import t

MARKER = "GRIDMAP"
_OWNER = "gridmap"
_DATABASE = "gridmap"
_LONGEST_SOCKET_PATH = 100
_SERVICE_USERS = ("postgres", "nobody")
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "max_connections": "200",
    "max_wal_size": "512MB",
    "jit": "off",
    "random_page_cost": "1.1",
}
_START_TRIES, _START_PAUSE_S = 40, 0.25


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a cluster lives and as whom it runs.

    Parameters
    ----------
    home
        Folder of the data, the locks and the log.
    socket_dir
        Folder of the socket, mode 0700.
    user
        Name of the service user when this process is root, else None.
    """

    home: Path
    socket_dir: Path
    user: str | None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"

    @property
    def url(self) -> str:
        """The address of the database in the cluster."""
        return f"postgresql+psycopg://{_OWNER}@/{_DATABASE}?host={self.socket_dir}"


@dataclass(frozen=True, kw_only=True)
class ClusterStatus:
    """What is known of a cluster without touching it."""

    home: Path
    is_made: bool
    is_running: bool
    major: int | None


class Lease:
    """The right of this process to use the cluster, until it is released or the process ends.

    Parameters
    ----------
    place
        Where the cluster lives.
    users
        The open file whose shared lock is the lease.
    """

    def __init__(self, place: Place, users: IO[str]) -> None:
        self.place = place
        self.url = place.url
        self._users = users
        atexit.register(self.release)

    def release(self) -> None:
        """Leave; the last one stops the cluster. Doing it twice is doing it once."""
        if self._users.closed:
            return
        atexit.unregister(self.release)
        with _locked(self.place):
            self._users.close()
            if not _is_used(self.place):
                _stop(self.place)


def acquire(state_dir: Path) -> Lease:
    """Find or start the cluster of a folder and hold it for this process.

    Raises
    ------
    StoreUnavailable
        If PostgreSQL or PostGIS is missing, the folder holds a cluster that is not ours or of another major version, or
        the server does not start; the message says what to do.
    """
    place = _prepared(state_dir)
    with _locked(place):
        if not place.data.exists():
            _make(place, find())
        _require_ours(place)
        if not _is_running(place):
            _start(place, _binaries_of(place))
            _watch(place)
        users = (place.home / "users").open("a")
        fcntl.flock(users, fcntl.LOCK_SH)
        _ensure_database(place)
    return Lease(place, users)


def ensure_running(state_dir: Path) -> None:
    """Start the cluster again after its server was killed; nothing when it runs.

    Raises
    ------
    StoreUnavailable
        As `acquire`.
    """
    place = _prepared(state_dir)
    with _locked(place):
        _require_ours(place)
        if not _is_running(place):
            _start(place, _binaries_of(place))
            _watch(place)


def stop(state_dir: Path) -> bool:
    """Stop the cluster of a folder, whoever uses it; False when it was not running.

    Raises
    ------
    StoreUnavailable
        If the folder holds a cluster that is not ours.
    """
    if not status(state_dir).is_made:
        return False
    place = _prepared(state_dir)
    with _locked(place):
        _require_ours(place)
        was_running = _is_running(place)
        _stop(place)
    return was_running


def status(state_dir: Path) -> ClusterStatus:
    """Return what is known of the cluster of a folder; nothing is made or started."""
    place = _place(state_dir)
    version = place.data / "PG_VERSION"
    is_made = (place.data / MARKER).exists()
    return ClusterStatus(
        home=place.home,
        is_made=is_made,
        is_running=is_made and _is_running(place),
        major=int(version.read_text().strip()) if is_made else None,
    )


def _place(state_dir: Path) -> Place:
    state_dir = state_dir.resolve()
    user = _service_user() if os.geteuid() == 0 else None
    digest = hashlib.sha256(str(state_dir).encode()).hexdigest()[:12]
    home = state_dir / "postgres"
    if user is not None and not home.exists() and not _may_reach(user, state_dir):
        # A folder that only root may enter, such as root's own home, cannot hold a server that is not root.
        home = Path("/var/lib/gridmap") / digest
    socket_dir = home / "run"
    if len(str(socket_dir / ".s.PGSQL.5432.lock")) > _LONGEST_SOCKET_PATH:
        socket_dir = Path(tempfile.gettempdir()) / f"gridmap-{digest}"
    return Place(home=home, socket_dir=socket_dir, user=user)


def _service_user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in _SERVICE_USERS:
        if name in known:
            return name
    raise StoreUnavailable(t("db.error_root", users=", ".join(_SERVICE_USERS)))


def _may_reach(user: str, folder: Path) -> bool:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return _run(["test", "-x", str(existing)], user=user).returncode == 0


def _prepared(state_dir: Path) -> Place:
    """Make the folders of a place with the right owner; never change one that is not ours."""
    place = _place(state_dir)
    owner = pwd.getpwnam(place.user) if place.user else pwd.getpwuid(os.geteuid())
    for folder in (place.home, place.socket_dir):
        if not folder.exists():
            try:
                folder.parent.mkdir(parents=True, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
                if place.user:
                    os.chown(folder, owner.pw_uid, owner.pw_gid)
            except OSError as error:
                raise StoreUnavailable(t("db.error_folder", folder=folder, fault=error.strerror)) from error
        found = folder.stat()
        if found.st_uid != owner.pw_uid:
            holder = pwd.getpwuid(found.st_uid).pw_name
            raise StoreUnavailable(t("db.error_folder_owner", folder=folder, holder=holder, owner=owner.pw_name))
        folder.chmod(0o700)
    return place


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    with (place.home / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_used(place: Place) -> bool:
    with (place.home / "users").open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _run(command: list[str], *, user: str | None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    entry = pwd.getpwnam(user) if user else None
    return subprocess.run(  # noqa: S603  programs of PostgreSQL with paths of our own
        command,
        cwd="/",
        env=environment,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=entry.pw_uid if entry else None,
        group=entry.pw_gid if entry else None,
        extra_groups=[] if entry else None,
    )


def _make(place: Place, binaries: Binaries) -> None:
    """Make the data directory beside its place and move it there whole, so that a broken-off start leaves nothing."""
    unfinished = place.home / f"data.{os.getpid()}"
    _run(["rm", "-rf", str(unfinished)], user=place.user)
    command = [binaries.tool("initdb"), "-D", str(unfinished), "-U", _OWNER, "-E", "UTF8", "--locale=C", "-A", "trust"]
    made = _run(command, user=place.user)
    if made.returncode:
        raise StoreUnavailable(t("db.error_not_made", fault=made.stdout.strip()[-500:]))
    (unfinished / MARKER).write_text("This cluster was made by gridmap and may be stopped by it.\n")
    unfinished.rename(place.data)


def _require_ours(place: Place) -> None:
    if not (place.data / MARKER).exists():
        raise StoreUnavailable(t("db.error_not_ours", folder=place.data))


def _binaries_of(place: Place) -> Binaries:
    major = int((place.data / "PG_VERSION").read_text().strip())
    try:
        return find(major)
    except StoreUnavailable as error:
        newest = find().major
        raise StoreUnavailable(t("db.error_other_major", folder=place.data, major=major, newest=newest)) from error


def _is_running(place: Place) -> bool:
    """Whether the server answers on our socket; a process id in a file proves nothing after a crash."""
    try:
        with psycopg.connect(host=str(place.socket_dir), user=_OWNER, dbname="postgres", connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _start(place: Place, binaries: Binaries) -> None:
    options = " ".join(f"-c {name}='{value}'" for name, value in _SETTINGS.items())
    options += f" -c unix_socket_directories='{place.socket_dir}'"
    command = [binaries.tool("pg_ctl"), "-D", str(place.data), "-l", str(place.home / "log"), "-w", "-t", "60"]
    for _ in range(_START_TRIES):
        said = _run([*command, "-o", options, "start"], user=place.user).stdout
        if _is_running(place):
            return
        # The children of a killed server hold its memory for a moment.
        time.sleep(_START_PAUSE_S)
    log = (place.home / "log").read_text(errors="replace").strip().splitlines()[-3:]
    raise StoreUnavailable(t("db.error_not_started", fault=" / ".join(log) or said.strip()))


def _stop(place: Place) -> None:
    if not (place.data / "postmaster.pid").exists():
        return
    _run(
        [_binaries_of(place).tool("pg_ctl"), "-D", str(place.data), "-w", "-t", "60", "-m", "fast", "stop"],
        user=place.user,
    )


def _ensure_database(place: Place) -> None:
    with psycopg.connect(host=str(place.socket_dir), user=_OWNER, dbname="postgres", autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone()
        if not known:
            connection.execute(f"CREATE DATABASE {_DATABASE}")


def _watch(place: Place) -> None:
    """Start the watcher: it waits until nobody holds a lease, kills included, and then stops the cluster."""
    subprocess.run(  # noqa: S603  this program itself; it comes back at once, the watcher goes on by itself
        [sys.executable, "-m", "gridmap.store.cluster_watch", str(place.home)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )


def wait_and_stop(home: Path) -> None:
    """Wait until no process holds a lease on the cluster in `home`, then stop it; the watcher's whole life."""
    user = _service_user() if os.geteuid() == 0 else None
    place = Place(home=home, socket_dir=home / "run", user=user)
    while (home / "users").exists() and (place.data / "postmaster.pid").exists():
        with (home / "users").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
        with _locked(place):
            if not _is_used(place):
                _stop(place)
                return
