"""A server that speaks the work platform's protocol as its documents describe it, with what goes wrong in the field.

One real HTTP server in a thread. A test sets orders and grids, and queues faults by path; the server keeps what it was asked.
"""

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CORP, SECRET = "ww-tests", "s3cret-of-the-app"


@dataclass
class Fault:
    """What one request is answered with instead.

    `errcode` with HTTP 200; `status` with a page of HTML; `cut` bytes of the true answer and then a closed connection; `text`
    instead of JSON; or nothing before `until` is set.
    """

    errcode: int | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    text: str | None = None
    until: threading.Event | None = None


@dataclass
class Platform:
    """The platform's state.

    Parameters
    ----------
    orders
        By family and id: the order, and when it was last modified (unix seconds).
    grids
        Nodes by id.
    token_uses
        After so many questions a token is dropped (42001); 0: never.
    date
        The clock that answers tell, as an HTTP date.
    most_a_page
        A page holds no more, whatever was asked for.
    stuck_cursor
        The cursor of every page, whatever was asked.
    pages_by_position
        Pages begin at a position of the list as it is now, so that what moves in the list moves the others.
    endless
        There is always another page.
    after_page
        Done once, after the next page.
    """

    orders: dict[str, dict[str, tuple[dict[str, Any], int]]] = field(
        default_factory=lambda: {"patrol": {}, "resident": {}}
    )
    grids: dict[str, dict[str, Any]] = field(default_factory=dict)
    token_uses: int = 0
    expires_in: int = 7200
    most_a_page: int = 50
    date: str = "Fri, 20 Mar 2026 04:00:00 GMT"
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stuck_cursor: str | None = None
    pages_by_position: bool = False
    endless: bool = False
    after_page: Callable[[], None] | None = None
    lacks_details: set[str] = field(default_factory=set)
    url: str = ""
    _n_tokens: int = 0
    _uses: Counter[str] = field(default_factory=Counter)
    _good: set[str] = field(default_factory=set)

    def put(self, order: dict[str, Any], *, modified: int | None = None, family: str = "patrol") -> None:
        """Add or change an order."""
        self.orders[family][order["order_id"]] = (order, order["create_time"] if modified is None else modified)

    def fail(self, path: str, *faults: Fault) -> None:
        """Queue faults of the next requests of a path (`gettoken`, `get_order_list`, `get_order_info`, `list`)."""
        self.faults.setdefault(path, deque()).extend(faults)

    def drop_tokens(self) -> None:
        """Make every token that was given invalid."""
        self._good.clear()

    def n_asked(self, path: str) -> int:
        """How often a path was asked."""
        return sum(asked.endswith(path) for asked, _ in self.asked)

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """What the questions of a path held."""
        return [body for asked, body in self.asked if asked.endswith(path)]

    def answer(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer as the documents say."""
        if path == "gettoken":
            return self._token_for(query)
        token = query.get("access_token", "")
        if not token.startswith("token-"):
            return {"errcode": 40014, "errmsg": "invalid access_token"}
        self._uses[token] += 1
        if token not in self._good or (self.token_uses and self._uses[token] > self.token_uses):
            return {"errcode": 42001, "errmsg": f"access_token expired: {token}"}
        if path == "report/grid/list":
            return self._tree(body.get("grid_id"))
        _, family, what = path.split("/")
        return self._details(family, body["order_id"]) if what == "get_order_info" else self._page(family, body)

    def _token_for(self, query: Mapping[str, str]) -> dict[str, Any]:
        if (query.get("corpid"), query.get("corpsecret")) != (CORP, SECRET):
            return {"errcode": 40001, "errmsg": f"invalid credential {query.get('corpsecret')}"}
        self._n_tokens += 1
        token = f"token-{self._n_tokens}"
        self._good.add(token)
        return {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": self.expires_in}

    def _details(self, family: str, order_id: str) -> dict[str, Any]:
        found = self.orders[family].get(order_id)
        if found is None or order_id in self.lacks_details:
            return {"errcode": 40058, "errmsg": "no such order"}
        return {"errcode": 0, "errmsg": "ok", "order_info": found[0]}

    def _tree(self, grid_id: str | None) -> dict[str, Any]:
        root = grid_id or next((key for key, node in self.grids.items() if not node["grid_parent_id"]), None)
        nodes = [node for key, node in self.grids.items() if root in {key, node["grid_parent_id"]}]
        return {"errcode": 0, "errmsg": "ok", "grid_list": nodes}

    def _page(self, family: str, body: Mapping[str, Any]) -> dict[str, Any]:
        limit = body.get("limit", 20)
        if not 1 <= limit <= 50:
            return {"errcode": 40058, "errmsg": "limit out of range"}
        since = body.get("begin_modify_time", 0)
        asked_since, key, position = body["cursor"].split("|") if body.get("cursor") else (since, "", 0)
        if int(asked_since) != since:
            return {"errcode": 40058, "errmsg": "invalid cursor"}
        rows = sorted(
            (modified, order_id) for order_id, (_, modified) in self.orders[family].items() if modified >= since
        )
        keys = [f"{modified:012d} {order_id}" for modified, order_id in rows]
        begin = int(position) if self.pages_by_position else sum(one <= key for one in keys)
        end = begin + min(limit, self.most_a_page)
        cursor = f"{since}|{keys[min(end, len(keys)) - 1] if keys else ''}|{end}"
        if end >= len(rows) and not self.endless:
            cursor = ""
        orders = [self.orders[family][order_id][0] for _, order_id in rows[begin:end]]
        hook, self.after_page = self.after_page, None
        if hook is not None:
            hook()
        return {"errcode": 0, "errmsg": "ok", "next_cursor": self.stuck_cursor or cursor, "order_list": orders}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body leave in two pieces; the second would wait for 40 ms
    platform: Platform

    def log_message(self, *_: object) -> None:
        pass

    def date_time_string(self, _: float | None = None) -> str:
        return self.platform.date

    def do_GET(self) -> None:
        self._reply({})

    def do_POST(self) -> None:
        self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _reply(self, body: dict[str, Any]) -> None:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/cgi-bin/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.platform.asked.append((path, body))
        queue = self.platform.faults.get(path.rsplit("/", 1)[-1])
        fault = queue.popleft() if queue else Fault()
        if fault.until is not None:
            fault.until.wait(30)
            self.close_connection = True
            return
        if fault.errcode is not None:
            self._send(200, json.dumps({"errcode": fault.errcode, "errmsg": "as queued"}).encode(), fault)
        elif fault.status is not None:
            self._send(fault.status, b"<html>no</html>", fault)
        elif fault.text is not None:
            self._send(200, fault.text.encode(), fault)
        else:
            self._send(200, json.dumps(self.platform.answer(path, query, body)).encode(), fault)

    def _send(self, status: int, content: bytes, fault: Fault) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content if fault.cut is None else content[: fault.cut])
        if fault.cut is not None:
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that went away is no fault of the server."""


@contextmanager
def served() -> Iterator[Platform]:
    """Serve a platform on a free port of this machine."""
    platform = Platform()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"platform": platform}))
    platform.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Patience:
    """Waits that are only written down, and a clock that only they move."""

    waits: list[float] = field(default_factory=list)
    seconds: float = 1000.0
    draw: float = 0.5

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    def jitter(self) -> float:
        return self.draw

    def clock(self) -> float:
        return self.seconds


def wait_until(condition: Any, *, at_most_s: float = 20.0) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + at_most_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("It never happened.")
        time.sleep(0.02)
