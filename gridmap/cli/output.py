"""How commands speak: answers on stdout (text, or one JSON object), progress on stderr."""

import json
import sys
from typing import Any


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
