"""The work platform's reports over HTTP: tokens, pages, details, the grid tree; patient with what passes, clear about what does not.

Protocol, all below https://developer.work.weixin.qq.com/document/path/: 91039 `gettoken`; 93536, 93535, 93518, 93519 and 94481
as in `wecom_orders`; error codes 90455 (-1 busy: at most three more tries; 40014 and 42001: the token is no longer good;
45009 and 45033: too many calls), limits 90454 (who calls too often is shut out for 60 s, or for an hour). Errors come with HTTP
200 and an `errcode` other than 0. The address of a request holds secret and token, so nothing of httpx reaches a log.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from gridmap.errors import InputError, PlatformError
from gridmap.ingest.wecom_orders import PATROL, RESIDENT
from gridmap.texts import t

MAX_PAGE = 50
FAMILIES = (PATROL, RESIDENT)
_OK, _BUSY = 0, -1
_TOKEN_GONE = (40014, 42001)
_TOO_OFTEN = (45009, 45033)
_HTTP_OK, _HTTP_TOO_OFTEN, _HTTP_SERVER_FAULT = 200, 429, 500
_MORE_TRIES = 3
_FIRST_PAUSE_S, _SHUT_OUT_S, _LONGEST_PAUSE_S = 1.0, 60.0, 120.0
_TOKEN_MARGIN_S = 60.0
_MAX_NODES = 5000
_SHOWN = 200


class _Silence(logging.Filter):
    """Lets nothing through: httpx writes whole addresses."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  the interface of logging
        return False


for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).addFilter(_Silence())


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How the client waits before it tries again.

    Parameters
    ----------
    pause
        Waits so many seconds.
    jitter
        A number from 0 to 1, drawn anew for each wait, so that several clients do not come back at once.
    clock
        Seconds that only rise, for the life of tokens.
    """

    pause: Callable[[float], None]
    jitter: Callable[[], float]
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, kw_only=True)
class OrderPage:
    """One page of a list of orders.

    Parameters
    ----------
    orders
        Items as the platform gave them; each has an `order_id`.
    next_cursor
        Where the next page begins; None: this was the last.
    answered_at
        The platform's clock, where it told it.
    """

    orders: tuple[Mapping[str, Any], ...]
    next_cursor: str | None
    answered_at: datetime | None


class _PassingFault(Exception):  # noqa: N818  a state of the way there, not an error yet
    """One try failed in a way that may pass; `pause_s` is the least wait that makes sense, if any is known."""

    def __init__(self, message: str, *, errcode: int | None = None, pause_s: float = 0.0) -> None:
        super().__init__(message)
        self.errcode = errcode
        self.pause_s = pause_s


class WecomClient:
    """Asks the work platform; use it as a context manager.

    Parameters
    ----------
    address
        `https://…`, of the platform or of a relay.
    corp_id, secret
        Of the app; held in memory only.
    timeout_s
        Seconds for each step of a request.
    max_bytes
        The largest answer that is read.
    waiting
        How to wait.
    proxy
        HTTP proxy; None or empty for none.

    Raises
    ------
    InputError
        If the address is none, or corporation or secret is missing.
    """

    def __init__(
        self,
        *,
        address: str,
        corp_id: str,
        secret: str,
        timeout_s: float,
        max_bytes: int,
        waiting: Waiting,
        proxy: str | None = None,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InputError(t("wecom.error_address", address=address[:_SHOWN]))
        if not corp_id or not secret:
            raise InputError(t("wecom.error_no_secret"))
        self._address = address.rstrip("/")
        self._corp_id, self._secret = corp_id, secret
        self._max_bytes = max_bytes
        self._waiting = waiting
        self._token: str | None = None
        self._token_until = 0.0
        # The environment's proxies are not asked: settings say all there is to say.
        self._http = httpx.Client(timeout=timeout_s, trust_env=False, proxy=proxy or None)

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def orders(
        self, family: str, *, modified_since: datetime | None, cursor: str | None, limit: int = MAX_PAGE
    ) -> OrderPage:
        """Return one page of the orders modified since an instant (None: all of them).

        Raises
        ------
        PlatformError
            If the platform refuses, stays unreachable, or answers something else.
        """
        body: dict[str, Any] = {"limit": min(limit, MAX_PAGE)}
        if modified_since is not None:
            body["begin_modify_time"] = int(modified_since.timestamp())
        if cursor:
            body["cursor"] = cursor
        answer, answered_at = self._ask(f"report/{family}/get_order_list", body)
        orders, next_cursor = answer.get("order_list") or [], answer.get("next_cursor") or None
        if (
            not isinstance(orders, list)
            or not all(isinstance(order, dict) and isinstance(order.get("order_id"), str) for order in orders)
            or not isinstance(next_cursor, str | None)
        ):
            raise PlatformError(t("wecom.error_shape", path=f"report/{family}/get_order_list"))
        return OrderPage(orders=tuple(orders), next_cursor=next_cursor, answered_at=answered_at)

    def order(self, family: str, order_id: str) -> Mapping[str, Any]:
        """Return one order with its history.

        Raises
        ------
        PlatformError
            If the platform refuses, stays unreachable, or answers about another order.
        """
        path = f"report/{family}/get_order_info"
        answer, _ = self._ask(path, {"order_id": order_id})
        order = answer.get("order_info")
        if not isinstance(order, dict) or order.get("order_id") != order_id:
            raise PlatformError(t("wecom.error_shape", path=path))
        return order

    def grid_answers(self) -> list[Mapping[str, Any]]:
        """Return the answers that make up the grid tree: the root's, then one for each node below.

        Raises
        ------
        PlatformError
            If the platform refuses, stays unreachable, or answers something else; or the tree has no end.
        """
        path = "report/grid/list"
        answers: list[Mapping[str, Any]] = []
        waiting: list[str | None] = [None]
        asked: set[str | None] = set()
        while waiting:
            grid_id = waiting.pop(0)
            if grid_id in asked:
                continue
            asked.add(grid_id)
            answer, _ = self._ask(path, {} if grid_id is None else {"grid_id": grid_id})
            nodes = answer.get("grid_list") or []
            if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
                raise PlatformError(t("wecom.error_shape", path=path))
            answers.append({"errcode": 0, "grid_list": nodes})
            waiting += [str(node["grid_id"]) for node in nodes if node.get("grid_id")]
            if len(asked) > _MAX_NODES:
                raise PlatformError(t("wecom.error_endless", path=path))
        return answers

    def _ask(self, path: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], datetime | None]:
        """Post a question with a good token; a token that the platform drops is renewed once."""
        answer, answered_at = self._patiently("POST", path, {"access_token": self._good_token()}, body)
        if answer.get("errcode", _OK) in _TOKEN_GONE:
            self._token = None
            answer, answered_at = self._patiently("POST", path, {"access_token": self._good_token()}, body)
        if answer.get("errcode", _OK) != _OK:
            raise self._refused(path, answer)
        return answer, answered_at

    def _good_token(self) -> str:
        if self._token is None or self._waiting.clock() >= self._token_until:
            params = {"corpid": self._corp_id, "corpsecret": self._secret}
            answer, _ = self._patiently("GET", "gettoken", params, None)
            token, lasts_s = answer.get("access_token"), answer.get("expires_in", 0)
            if answer.get("errcode", _OK) != _OK:
                raise self._refused("gettoken", answer)
            if not isinstance(token, str) or not token or not isinstance(lasts_s, int):
                raise PlatformError(t("wecom.error_shape", path="gettoken"))
            self._token = token
            self._token_until = self._waiting.clock() + max(lasts_s - _TOKEN_MARGIN_S, lasts_s / 2)
        return self._token

    def _patiently(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], datetime | None]:
        """Ask until there is an answer; after three more tries what passes does not pass any more."""
        attempt = 0
        while True:
            try:
                return self._once(method, path, params, body)
            except _PassingFault as fault:
                if attempt == _MORE_TRIES or fault.pause_s > _LONGEST_PAUSE_S:
                    raise PlatformError(str(fault), errcode=fault.errcode, is_passing=True) from None
                rising = _FIRST_PAUSE_S * 2**attempt
                self._waiting.pause(max(rising, fault.pause_s) + rising * self._waiting.jitter())
                attempt += 1

    def _once(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], datetime | None]:
        address = f"{self._address}/cgi-bin/{path}"
        content = bytearray()
        try:
            with self._http.stream(method, address, params=dict(params), json=body) as response:
                status, headers = response.status_code, response.headers
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > self._max_bytes:
                        raise PlatformError(t("wecom.error_too_big", path=path, limit=self._max_bytes // 2**20))
        except httpx.RequestError as error:
            # Its own words may hold the address with the secret.
            raise _PassingFault(t("wecom.error_unreachable", path=path, fault=type(error).__name__)) from None
        if status == _HTTP_TOO_OFTEN:
            raise _PassingFault(t("wecom.error_too_often", path=path), pause_s=_retry_after(headers) or _SHUT_OUT_S)
        if status >= _HTTP_SERVER_FAULT:
            raise _PassingFault(t("wecom.error_http", path=path, status=status))
        if status != _HTTP_OK:
            raise PlatformError(t("wecom.error_http", path=path, status=status))
        answer = _parsed(bytes(content))
        if answer is None:
            raise _PassingFault(t("wecom.error_shape", path=path))
        errcode = answer.get("errcode", _OK)
        if errcode in _TOO_OFTEN:
            raise _PassingFault(t("wecom.error_too_often", path=path), errcode=errcode, pause_s=_SHUT_OUT_S)
        if errcode == _BUSY:
            raise _PassingFault(self._words(path, answer), errcode=errcode)
        return answer, _told_at(headers)

    def _refused(self, path: str, answer: Mapping[str, Any]) -> PlatformError:
        return PlatformError(self._words(path, answer), errcode=answer.get("errcode"))

    def _words(self, path: str, answer: Mapping[str, Any]) -> str:
        said = str(answer.get("errmsg", ""))
        for hidden in (self._secret, self._token):
            said = said.replace(hidden, "…") if hidden else said
        return t("wecom.error_refused", path=path, errcode=answer.get("errcode"), errmsg=said[:_SHOWN])


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _retry_after(headers: httpx.Headers) -> float | None:
    written = headers.get("Retry-After", "")
    return float(written) if written.isascii() and written.isdigit() else None


def _told_at(headers: httpx.Headers) -> datetime | None:
    try:
        told = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)
