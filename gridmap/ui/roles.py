"""Who may open a page."""

import streamlit as st

from gridmap.settings import ROLES, settings
from gridmap.texts import t
from gridmap.ui import known_on, shell


def role() -> str:
    """Return the role of this session; without a sign-in everybody has the setting `open_role`."""
    return settings().open_role


def may(needed: str) -> bool:
    """Return whether this session's role includes another one; nobody edits while he looks as known on a past day.

    Raises
    ------
    ValueError
        If a role is not one of `ROLES`.
    """
    held = ROLES[0] if known_on.day() else role()
    return ROLES.index(held) >= ROLES.index(needed)


def handles_matters() -> bool:
    """Return whether this session may see private matters one by one, also while it looks as known on a past day."""
    return role() == "editor"


def require_role(needed: str) -> None:
    """Let the page go on only for a role; also chooses the session's language, so it is the first line of each page.

    Raises
    ------
    ValueError
        If a role is not one of `ROLES`.
    """
    shell.speak_session_language()
    known_on.look_at_present()  # until the page says that it can look back
    if not may(needed):
        st.warning(t("shell.no_role"))
        st.stop()
