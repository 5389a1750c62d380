"""What may happen to an incident next, by whom: 员代办 → 组上报 → 村处理 → 乡处置."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from gridmap.analysis.incidents import LEVEL_ABOVE

LEVELS = ("member", "grid", "village", "township")
# In the order in which a page offers them.
STEPS = (
    "accepted",
    "handled",
    "closed",
    "escalated",
    "dispatched",
    "checked",
    "extension_asked",
    "extended",
    "paused",
    "resumed",
    "followed_up",
    "reopened",
)
_AFTER_CLOSING = ("followed_up", "reopened")
_BY_HOLDER = ("handled", "escalated", "extension_asked", "paused")
_BY_ONE_ABOVE = ("extended", "checked")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where an incident stands, as far as the rules ask.

    Parameters
    ----------
    is_open, is_accepted, is_handled, is_asked, is_paused, is_followed_up
        As in `analysis.incidents.incident_states`.
    holder
        Level that has it.
    team_code
        Township team it was dispatched to, else None.
    held_at
        When it came there; None where no step says so.
    due_at
        By when it is to be closed; None without.
    """

    is_open: bool
    is_accepted: bool
    is_handled: bool
    is_asked: bool
    is_paused: bool
    is_followed_up: bool
    holder: str
    team_code: str | None
    held_at: datetime | None
    due_at: datetime | None


def standing_of(state: "pd.Series[Any]") -> Standing:
    """Return the standing in one row of `analysis.incidents.incident_states`."""

    def instant(name: str) -> datetime | None:
        value: pd.Timestamp = state[name]
        return None if pd.isna(value) else value.to_pydatetime()

    flags = ("is_open", "is_accepted", "is_handled", "is_asked", "is_followed_up")
    return Standing(
        **{name: bool(state[name]) for name in flags},
        is_paused=bool(state["is_open"]) and instant("paused_at") is not None,
        holder=str(state["holder"]),
        team_code=state["team_code"] if isinstance(state["team_code"], str) else None,
        held_at=instant("held_at"),
        due_at=instant("due_at"),
    )


def refusal(standing: Standing, *, kind: str, level: str) -> str | None:
    """Return why a step may not be taken now by somebody of a level; None where it may.

    Returns
    -------
    str
        `closed` (the matter is closed already), `open` (only a closed one is followed up or reopened), `paused`, `running` (not
        paused), `accepted` (signed for already), `not_accepted`, `not_handled`, `asked` (an extension is asked for
        already), `not_asked`, `followed_up` (already), `highest` (nothing is above the township): the state forbids it;
        or `level`: somebody of another level may.

    Raises
    ------
    ValueError
        If there is no such step or level.
    """
    if kind not in STEPS or level not in LEVELS:
        raise ValueError(f"`kind` must be one of {STEPS} and `level` one of {LEVELS}, got {kind!r} and {level!r}.")
    return _state_forbids(standing, kind) or (None if _may(standing, kind, level) else "level")


def _state_forbids(standing: Standing, kind: str) -> str | None:
    if kind in _AFTER_CLOSING:
        if standing.is_open:
            return "open"
        return "followed_up" if kind == "followed_up" and standing.is_followed_up else None
    if not standing.is_open:
        return "closed"
    if kind == "resumed":
        return None if standing.is_paused else "running"
    if standing.is_paused:
        return "paused"
    faults = {
        "accepted": (standing.is_accepted, "accepted"),
        "handled": (not standing.is_accepted, "not_accepted"),
        "paused": (not standing.is_accepted, "not_accepted"),
        "checked": (not standing.is_handled, "not_handled"),
        "closed": (not standing.is_handled, "not_handled"),
        "escalated": (standing.holder == "township", "highest"),
        "extension_asked": (standing.is_asked, "asked"),
        "extended": (not standing.is_asked, "not_asked"),
    }
    is_fault, why = faults.get(kind, (False, ""))
    return why if is_fault else None


def _may(standing: Standing, kind: str, level: str) -> bool:
    rank, held = LEVELS.index(level), LEVELS.index(standing.holder)
    if kind in _BY_HOLDER:
        return rank == held
    if kind in _BY_ONE_ABOVE:  # nobody grants an extension to himself, but the township, above which is nobody
        return rank >= LEVELS.index(LEVEL_ABOVE[standing.holder])
    if kind == "dispatched":
        return level == "township"
    return kind == "followed_up" or rank >= held


def legal_steps(standing: Standing, *, level: str) -> tuple[str, ...]:
    """Return the steps that somebody of a level may take now, in the order in which a page offers them.

    Raises
    ------
    ValueError
        If there is no such level.
    """
    return tuple(kind for kind in STEPS if refusal(standing, kind=kind, level=level) is None)
