"""What this process knows about the newness of the data: one look serves every session.

While the server runs, one thread listens for the database's notifications. Without it (tests, a thread that died)
whoever asks looks for himself, at most once an interval.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from gridmap.errors import StoreUnavailable
from gridmap.settings import settings
from gridmap.store.database import read_engine
from gridmap.store.versions import CHANNEL, read_versions

_PAUSE_AFTER_FAILURE_S = 2.0
_LISTENER_GRACE = 3


@dataclass(frozen=True, kw_only=True)
class Look:
    """One successful look at the database.

    Parameters
    ----------
    versions
        Version of each topic.
    checked_at
        When the database gave them.
    """

    versions: Mapping[str, int]
    checked_at: datetime


class VersionWatch:
    """The newest look at the data versions, shared by all sessions of the process.

    Parameters
    ----------
    interval_s
        Seconds after which a look is old.
    """

    def __init__(self, *, interval_s: float) -> None:
        self._interval = timedelta(seconds=interval_s)
        self._looking = threading.Lock()
        self._look: Look | None = None
        self._is_listening = False

    def current(self) -> Look:
        """Return the newest look; when the database does not answer, the last one, whose age then tells.

        Raises
        ------
        StoreUnavailable
            If the database does not answer and never did.
        """
        look = self._look
        patience = self._interval * (_LISTENER_GRACE if self._is_listening else 1)
        if look is not None and datetime.now(UTC) - look.checked_at < patience:
            return look
        # Only one session waits for a slow database; the others go on with what is known.
        is_mine = self._looking.acquire(blocking=look is None)
        if not is_mine and look is not None:
            return look
        try:
            with read_engine().connect() as connection:
                return self._look_through(connection)
        except (StoreUnavailable, SQLAlchemyError) as error:
            if self._look is not None:
                return self._look
            raise _unavailable(error) from error
        finally:
            self._looking.release()

    def look_now(self) -> Look:
        """Ask the database at once: this session has just written, and its next report must show it.

        Raises
        ------
        StoreUnavailable
            If the database does not answer.
        """
        try:
            with read_engine().connect() as connection:
                return self._look_through(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def listen(self, stop: threading.Event) -> None:
        """Keep the look fresh until told to stop: at each notification, and once an interval."""
        while not stop.is_set():
            try:
                self._listen_once(stop)
            except Exception:  # noqa: BLE001  the edge of a thread: whatever broke, age shows it and the next try may work
                self._is_listening = False
                stop.wait(_PAUSE_AFTER_FAILURE_S)
        self._is_listening = False

    def _listen_once(self, stop: threading.Event) -> None:
        engine = read_engine().execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"LISTEN {CHANNEL}"))
            try:
                while not stop.is_set():
                    self._look_through(connection)
                    self._is_listening = True
                    self._wait_for_news(connection)
            finally:
                connection.invalidate()  # a connection that listens never goes back to the pool

    def _wait_for_news(self, connection: Connection) -> None:
        driver = connection.connection.driver_connection
        if driver is None:
            raise StoreUnavailable("The listening connection is gone. The next try opens another.")
        for _ in driver.notifies(timeout=self._interval.total_seconds(), stop_after=1):
            pass

    def _look_through(self, connection: Connection) -> Look:
        look = Look(versions=read_versions(connection), checked_at=datetime.now(UTC))
        self._look = look
        return look


def _unavailable(error: Exception) -> StoreUnavailable:
    if isinstance(error, StoreUnavailable):
        return error
    return StoreUnavailable(f"The database does not answer ({type(error).__name__}). Look at `gridmap db status`.")


@cache
def watch() -> VersionWatch:
    """Return the watch of this process."""
    return VersionWatch(interval_s=settings().wall_refresh_s)
