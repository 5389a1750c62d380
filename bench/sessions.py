"""How many reruns a second the pages bear, and what a session costs, against the plain pydeck page.

    .venv/bin/python bench/sessions.py [--seconds 15] [--sessions 1 20 100] [--json]

Both servers run in one go on this machine, one after the other for each number of sessions: the dashboard's live and
workload page on a township of 1,000 grids, and `bench/peer_page.py` with default settings on the same 1,000 grids. A
session is a websocket that speaks Streamlit's own protocol: it loads the page, then asks for a rerun, waits for the end
of the script, and asks again. Printed: reruns a second, median and 95th percentile of the answer, memory a session
(resident memory of the server after the sessions opened, less before, over their number), and the ratio to the peer.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import thousand
import websockets
from sqlalchemy import create_engine, text
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from gridmap.store import cluster
from gridmap.store.schema import upgrade_schema

PROJECT = Path(__file__).parent.parent
PAGE_BYTES = 2**28


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(command: list[str], port: int, environment: dict[str, str], *, folder: Path) -> Iterator[int]:
    """Run a server in a folder until the block ends; gives its process id once it answers."""
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                    break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


class Session:
    """One viewer: a websocket to a page."""

    def __init__(self, port: int, page: str) -> None:
        self.address, self.page, self.hash = f"ws://127.0.0.1:{port}/_stcore/stream", page, ""
        self.drawn: set[str] = set()

    async def open(self) -> None:
        self.socket = await websockets.connect(
            self.address, subprotocols=["streamlit"], max_size=PAGE_BYTES, ping_interval=None, compression=None
        )
        await self.rerun()
        if "deck_gl_json_chart" not in self.drawn:
            raise RuntimeError(f"page `{self.page}` drew no map, only {sorted(self.drawn)}")

    async def rerun(self) -> float:
        """Ask for a rerun; returns the seconds until the script finished."""
        message = BackMsg()
        message.rerun_script.query_string = ""
        message.rerun_script.page_name = self.page
        message.rerun_script.page_script_hash = self.hash
        began = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(await self.socket.recv())
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                self.hash = answer.new_session.page_script_hash
            if kind == "delta":
                self.drawn.add(answer.delta.new_element.WhichOneof("type") or "")
            if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(answer.delta.new_element.exception.message)
            if kind == "script_finished":
                return time.perf_counter() - began


async def measure(port: int, page: str, pid: int, n_sessions: int, seconds: float) -> dict[str, float]:
    """Open the sessions, let them rerun for the time, and return the figures."""
    warm = Session(port, page)
    await warm.open()
    await warm.rerun()
    before = resident_mb(pid)
    sessions = [Session(port, page) for _ in range(n_sessions)]
    for session in sessions:
        await session.open()
    memory = (resident_mb(pid) - before) / n_sessions
    answers: list[float] = []
    end = time.perf_counter() + seconds

    async def look(session: Session) -> None:
        while time.perf_counter() < end:
            answers.append(await session.rerun())

    began = time.perf_counter()
    await asyncio.gather(*(look(session) for session in sessions))
    took = time.perf_counter() - began
    for session in [warm, *sessions]:
        await session.socket.close()
    return {
        "reruns_per_s": len(answers) / took,
        "median_ms": float(np.median(answers)) * 1000,
        "p95_ms": float(np.percentile(answers, 95)) * 1000,
        "mb_per_session": memory,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 20, 100])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        lease = cluster.acquire(Path(folder) / "var")
        engine = create_engine(lease.url)
        upgrade_schema(engine)
        print("filling a township of 1,000 grids ...", file=sys.stderr)
        grids = thousand.fill(engine, now=datetime.now(UTC))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        grids.to_file(Path(folder) / "grids.geojson")
        engine.dispose()
        targets = {
            "plain pydeck page": ("peer", ""),
            "live": ("ours", "live"),
            "workload": ("ours", "workload"),
        }
        for n_sessions in given.sessions:
            for name, (server, page) in targets.items():
                port = _free_port()
                if server == "peer":
                    # In the folder of its data: no configuration of ours reaches it.
                    started = serving(_peer(port, Path(folder) / "grids.geojson"), port, {}, folder=Path(folder))
                else:
                    started = serving(_ours(port), port, {"GRIDMAP_DATABASE_URL": lease.url}, folder=PROJECT)
                with started as pid:
                    figures = asyncio.run(measure(port, page, pid, n_sessions, given.seconds))
                results.append({"page": name, "sessions": n_sessions, **figures})
                print(_line(results[-1], results), file=sys.stderr)
        lease.release()
    if given.json:
        print(json.dumps(results))
        return
    for result in results:
        print(_line(result, results))


def _line(result: dict, results: list[dict]) -> str:
    peer = next(row for row in results if row["page"] == "plain pydeck page" and row["sessions"] == result["sessions"])
    return (
        f"{result['sessions']:>4} sessions  {result['page']:<18} {result['reruns_per_s']:8.1f} reruns/s"
        f"  {result['reruns_per_s'] / peer['reruns_per_s']:6.1f} x  median {result['median_ms']:7.0f} ms"
        f"  p95 {result['p95_ms']:7.0f} ms  {result['mb_per_session']:6.2f} MB/session"
    )


def _peer(port: int, file: Path) -> list[str]:
    page = str(PROJECT / "bench" / "peer_page.py")
    command = [sys.executable, "-m", "streamlit", "run", page, "--server.port", str(port)]
    return [*command, "--server.headless", "true", "--browser.gatherUsageStats", "false", "--", str(file)]


def _ours(port: int) -> list[str]:
    return [str(Path(sys.executable).parent / "gridmap"), "serve", "--port", str(port)]


if __name__ == "__main__":
    main()
