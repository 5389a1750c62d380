"""How commands speak: answers on stdout (text, or one JSON object), progress on stderr."""

import ctypes
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gridmap.texts import t

_STDOUT, _STDERR = 1, 2
_TOLD_EVERY_S = 3.0


def say(sentence: str) -> None:
    """Write one line of an answer to stdout, at once: a server's address must not wait in a buffer."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def progress(sentence: str) -> None:
    """Write one line of progress to stderr."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def answer_json(answer: dict[str, Any]) -> None:
    """Write the one JSON object of a command called with `--json`."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, default=str) + "\n")


class Clock:
    """The time of a long job: says whether there is any left, and every few seconds, on stderr, that work goes on.

    Parameters
    ----------
    limit_s
        Seconds of the job.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s, self._began, self._told_s = limit_s, time.perf_counter(), 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the job began."""
        return time.perf_counter() - self._began

    def seconds_left(self) -> float:
        """Return the seconds that are left; not above 0 when the time is over."""
        seconds = self.seconds
        if seconds - self._told_s >= _TOLD_EVERY_S:
            self._told_s = seconds
            progress(t("plan.at_work", seconds=f"{seconds:.0f}", limit=f"{self._limit_s:g}"))
        return self._limit_s - seconds

    def has_time(self) -> bool:
        """Return whether there is time left."""
        return self.seconds_left() > 0


@contextmanager
def solvers_kept_off_stdout() -> Iterator[None]:
    """Send what a library writes to the process's standard output to standard error, past Python, as HiGHS does at times.

    What a command answers must be the only thing that stands on its standard output.
    """
    libc = ctypes.CDLL("msvcrt" if os.name == "nt" else None)
    sys.stdout.flush()
    saved = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    try:
        yield
    finally:
        libc.fflush(None)
        os.dup2(saved, _STDOUT)
        os.close(saved)
