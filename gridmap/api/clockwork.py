"""What the server does by itself as long as it runs: incidents whose time ran out go up."""

import logging
import threading
from datetime import UTC, datetime

from gridmap.actions.incidents import escalate_due
from gridmap.settings import settings
from gridmap.store.database import prepared_engine

_log = logging.getLogger("gridmap")


def escalate_by_the_clock(stop: threading.Event) -> None:
    """Let incidents go up every `escalate_every_s` seconds until told to stop; with 0 a timer of the system does it instead.

    A failure is logged when it begins, not at every turn; what was missed is made good at the next one that succeeds.
    """
    every_s = settings().escalate_every_s
    failing = ""
    while every_s > 0 and not stop.wait(every_s):
        try:
            done = escalate_due(prepared_engine(), now=datetime.now(UTC))
        except Exception as error:  # noqa: BLE001  the edge of a thread: the next turn may work
            if failing != type(error).__name__:
                _log.warning("incidents do not go up by themselves for now: %s", error)
            failing = type(error).__name__
        else:
            failing = ""
            if done:
                _log.info("%d incidents went up by themselves", len(done))
