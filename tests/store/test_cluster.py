"""The private cluster with real processes: shared, stopped by the last, surviving kills, never on TCP, never a stranger's."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gridmap.errors import StoreUnavailable
from gridmap.store import binaries, cluster
from gridmap.texts import use_language

USER = """
import sys, pathlib
from gridmap.store import cluster
lease = cluster.acquire(pathlib.Path(sys.argv[1]))
print(lease.url, flush=True)
sys.stdin.readline()
lease.release()
"""


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    cluster.stop(tmp_path)


def _user(state_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(state_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _leave(user: subprocess.Popen[str]) -> None:
    user.communicate("\n", timeout=60)
    assert user.returncode == 0


def _kill(user: subprocess.Popen[str]) -> None:
    user.kill()
    user.communicate(timeout=60)


def _is_running(state_dir: Path) -> bool:
    return cluster.status(state_dir).is_running


def _becomes(condition: Callable[[], bool], *, within_s: float = 30) -> bool:
    """Whether a condition comes true; other processes decide when, so it is asked again and again."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
    return True


def _ask(url: str, sql: str) -> object:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(sql).fetchone()


def test_several_processes_share_it_and_the_last_one_stops_it(state_dir: Path):
    users = [_user(state_dir) for _ in range(3)]
    urls = {user.stdout.readline().strip() for user in users}
    assert len(urls) == 1
    assert _ask(urls.pop(), "SELECT current_database()") == ("gridmap",)
    _leave(users[0])
    _leave(users[1])
    assert _is_running(state_dir)
    _leave(users[2])
    assert not _is_running(state_dir)


def test_a_killed_user_neither_stops_it_for_others_nor_keeps_it_alive(state_dir: Path):
    first, second = _user(state_dir), _user(state_dir)
    first.stdout.readline()
    url = second.stdout.readline().strip()
    _kill(first)
    assert _ask(url, "SELECT 1") == (1,)
    _kill(second)
    assert _becomes(lambda: not _is_running(state_dir))


def test_a_killed_server_is_started_again_with_its_data(state_dir: Path):
    lease = cluster.acquire(state_dir)
    with psycopg.connect(lease.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    pid = int((lease.place.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    assert _becomes(lambda: not Path(f"/proc/{pid}").exists() or not _is_running(state_dir))
    cluster.ensure_running(state_dir)
    assert _ask(lease.url, "SELECT n FROM kept") == (42,)
    lease.release()


def test_it_never_listens_on_tcp_and_its_socket_is_private(state_dir: Path):
    lease = cluster.acquire(state_dir)
    assert _ask(lease.url, "SELECT current_setting('listen_addresses')") == ("",)
    pid = int((lease.place.data / "postmaster.pid").read_text().splitlines()[0])
    inodes = {
        str(link.readlink()).removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    tcp = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listening = {fields[9] for fields in map(str.split, tcp.splitlines()) if len(fields) > 9 and fields[3] == "0A"}
    assert not inodes & listening
    assert stat.S_IMODE(lease.place.socket_dir.stat().st_mode) == 0o700
    lease.release()


def test_a_cluster_of_another_major_version_is_refused_with_both_versions(state_dir: Path):
    lease = cluster.acquire(state_dir)
    lease.release()
    version = lease.place.data / "PG_VERSION"
    own = version.read_text()
    version.write_text("9\n")
    use_language("en")
    with pytest.raises(StoreUnavailable, match=rf"made by PostgreSQL 9, this machine has {own.strip()}"):
        cluster.acquire(state_dir)
    version.write_text(own)


def test_a_cluster_that_is_not_ours_is_left_alone(state_dir: Path):
    lease = cluster.acquire(state_dir)
    lease.release()
    (lease.place.data / cluster.MARKER).unlink()
    before = sorted(path.name for path in lease.place.data.iterdir())
    use_language("en")
    with pytest.raises(StoreUnavailable, match="did not make"):
        cluster.acquire(state_dir)
    assert not cluster.stop(state_dir)
    assert sorted(path.name for path in lease.place.data.iterdir()) == before


def test_a_long_path_still_has_a_socket(tmp_path: Path):
    state_dir = tmp_path / ("long" * 30)
    lease = cluster.acquire(state_dir)
    assert _ask(lease.url, "SELECT 1") == (1,)
    lease.release()
    lease.place.socket_dir.rmdir()


def test_stop_stops_it_whoever_uses_it_and_says_whether_it_ran(state_dir: Path):
    lease = cluster.acquire(state_dir)
    assert cluster.stop(state_dir)
    assert not cluster.stop(state_dir)
    lease.release()


def test_missing_postgis_is_one_sentence_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(binaries, "installed", tuple)
    use_language("en")
    with pytest.raises(StoreUnavailable, match=r"apt-get install postgresql-postgis.*brew install.*Windows"):
        binaries.find()
