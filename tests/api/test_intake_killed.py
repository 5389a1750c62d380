"""A real server that is killed at any point: what was acknowledged is there once, what was not can be sent again."""

import os
import random
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from gridmap.actions.tokens import add_token
from tests.tiny import GRIDS

PROJECT = Path(__file__).parent.parent.parent


class Servers:
    """The program that starts servers; ports by their place."""

    def __init__(self, url: URL) -> None:
        given = {
            "GRIDMAP_DATABASE_URL": url.render_as_string(hide_password=False),
            "GRIDMAP_INTAKE_RATE": "100000/minute",
            "PYTHONPATH": str(PROJECT),
        }
        self.parent = subprocess.Popen(
            [sys.executable, str(PROJECT / "tests" / "api" / "intake_server.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=os.environ | given,
        )  # fmt: skip
        self.ports = self.read().split()

    def read(self) -> str:
        assert self.parent.stdout is not None
        return self.parent.stdout.readline().strip()

    def say(self, words: str) -> None:
        assert self.parent.stdin is not None
        self.parent.stdin.write(f"{words}\n")
        self.parent.stdin.flush()

    def close(self) -> None:
        self.say("quit")
        self.parent.wait(timeout=20)
        for pipe in (self.parent.stdin, self.parent.stdout):
            if pipe is not None:
                pipe.close()


class KilledServer:
    """One server at one port; started anew after each kill."""

    def __init__(self, servers: Servers, place: int) -> None:
        self.servers, self.place, self.child = servers, place, 0
        self.address = f"http://127.0.0.1:{servers.ports[place]}"

    def start(self) -> None:
        self.servers.say(f"start {self.place}")
        self.child = int(self.servers.read())

    def kill(self) -> None:
        os.kill(self.child, signal.SIGKILL)

    def kill_and_start(self) -> None:
        """Kill it; what waits at the door is served by the next one."""
        self.kill()
        self.start()


@pytest.fixture(scope="module")
def servers(intake_url: URL) -> Iterator[Servers]:
    starting = Servers(intake_url)
    yield starting
    starting.close()


@pytest.fixture
def server(servers: Servers, intake_town: Engine) -> Iterator[KilledServer]:
    running = KilledServer(servers, 0)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def token(intake_town: Engine) -> str:
    return add_token(intake_town, name="甲的手机", kind="member", staff_id="u1", now=datetime.now(UTC))


def _send(server: KilledServer, token: str, key: str) -> httpx.Response | None:
    """Send one report; None where the server died meanwhile."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    said = {"category": "D1", "grid_code": GRIDS[0], "text": key}
    try:
        return httpx.post(f"{server.address}/intake/reports", json=said, headers=headers, timeout=30)
    except httpx.TransportError:
        return None


def _stored(engine: Engine) -> dict[str, list[str]]:
    """Numbers of the incidents by the text they were sent with."""
    found: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for key, number in connection.execute(text("SELECT text, incident_code FROM incident")):
            found.setdefault(key, []).append(number)
    return found


def test_killed_at_any_point_nothing_acknowledged_is_lost_and_nothing_comes_twice(
    server: KilledServer, token: str, intake_town: Engine
):
    chance = random.Random(1)
    keys = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(40)]
    acknowledged: dict[str, str] = {}
    n_kills = 0

    def send_all(waiting: list[str]) -> None:
        with ThreadPoolExecutor(4) as pool:
            for key, answer in zip(waiting, pool.map(lambda key: _send(server, token, key), waiting), strict=True):
                if answer is not None and answer.status_code in {200, 201}:
                    acknowledged[key] = answer.json()["number"]

    for first in range(0, len(keys), 8):
        part = keys[first : first + 8]
        while waiting := [key for key in part if key not in acknowledged]:
            killer = threading.Timer(chance.uniform(0.0, 0.2), server.kill_and_start)
            if n_kills < 6:
                n_kills += 1
                killer.start()
            send_all(waiting)
            if killer.ident:
                killer.join()
            stored = _stored(intake_town)
            assert all(stored[key] == [number] for key, number in acknowledged.items())
    stored = _stored(intake_town)
    assert {key: [number] for key, number in acknowledged.items()} == stored
    assert set(stored) == set(keys)
    # Sent once more, each is answered as before.
    assert [_send(server, token, key).json()["number"] for key in keys[:5]] == [acknowledged[key] for key in keys[:5]]
    with intake_town.connect() as connection:
        steps = connection.execute(text("SELECT count(*), count(DISTINCT incident_code) FROM incident_step")).one()
    assert tuple(steps) == (40, 40)


def test_killed_in_the_middle_of_a_report_nothing_half_done_is_left(
    server: KilledServer, token: str, intake_town: Engine
):
    with intake_town.connect() as holder, ThreadPoolExecutor(1) as pool:
        # The numbers of the township are held, so the report waits with its key locked and nothing committed.
        holder.execute(text("SELECT 1 FROM area WHERE level = 'township' FOR UPDATE"))
        sending = pool.submit(_send, server, token, "key-00000001")
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        with intake_town.connect() as watching:
            while not watching.execute(waiting).scalar():
                watching.rollback()
        server.kill()
        assert sending.result() is None
        holder.rollback()
    server.start()
    again = _send(server, token, "key-00000001")
    assert again is not None
    assert again.json()["replayed"] is False
    assert list(_stored(intake_town).values()) == [[again.json()["number"]]]


def test_two_processes_that_get_one_key_at_once_record_one_row(
    server: KilledServer, servers: Servers, token: str, intake_town: Engine
):
    other = KilledServer(servers, 1)
    other.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda place: _send((server, other)[place % 2], token, "key-00000001"), range(16)))
    finally:
        other.kill()
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert len(_stored(intake_town)["key-00000001"]) == 1
