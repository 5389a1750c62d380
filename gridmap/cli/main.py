"""Entry point: one Typer application, one place where errors become a sentence and an exit code.

Exit codes: 0 done, 1 the answer is "no", 2 wrong use or bad input.
"""

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from gridmap.errors import GridmapError

WRONG_USE = 2
# M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX of malloc.h; bytes, bytes, number.
_MALLOC = {-1: 2**17, -3: 2**16, -8: 2}
_COMMANDS = {
    "serve": "serve:serve",
    "demo": "demo:demo",
    "load": "load:load",
    "hotspots": "hotspots:hotspots",
    "heat": "heat:heat",
    "workload": "workload:workload",
    "posters": "posters:write_posters",
    "member-card": "posters:write_member_card",
    "review": "review:review",
    "review-province": "province:province",
    "db": "db:app",
    "incidents": "incidents:app",
    "intake": "intake:app",
    "ledger": "ledger:app",
    "plan": "plan:app",
    "coverage": "coverage:app",
    "wecom": "wecom:app",
}


class _Commands(Mapping[str, Any]):
    """Commands that are imported when they are called: none waits for, or holds in memory, what another one needs."""

    def __getitem__(self, name: str) -> Any:
        module, member = _COMMANDS[name].split(":")
        found = getattr(import_module(f"gridmap.cli.{module}"), member)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False)
            alone.command(name)(found)
            return typer.main.get_command(alone)
        group = typer.main.get_group(found)
        group.name = name
        return group

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


class _Group(TyperGroup):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"commands": _Commands()})


app = typer.Typer(
    name="gridmap",
    cls=_Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def gridmap() -> None:
    """Area-grid mapping and patrol analytics for a township (乡镇网格一张图)."""


def main() -> None:
    """Run the command line; a gridmap error becomes one sentence on stderr and exit code 2."""
    _spare_memory()
    try:
        app()
    except GridmapError as error:
        sys.stderr.write(f"gridmap: {error}\n")
        sys.exit(WRONG_USE)


def _spare_memory() -> None:
    """Give back what is freed: glibc keeps some for each thread and below what is in use, and Arrow has a pool of its own."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in _MALLOC.items():
            mallopt(option, value)
