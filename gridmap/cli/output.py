"""How commands speak: answers on stdout (text, or one JSON object), progress on stderr."""

import ctypes
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STDOUT, _STDERR = 1, 2


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
