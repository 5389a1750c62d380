"""Who may open a page."""

import streamlit as st

from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import shell

ROLES = ("viewer", "editor")


def role() -> str:
    """Return the role of this session; without a sign-in everybody has the setting `open_role`."""
    return settings().open_role


def may(needed: str) -> bool:
    """Return whether this session's role includes another one.

    Raises
    ------
    ValueError
        If a role is not one of `ROLES`.
    """
    return ROLES.index(role()) >= ROLES.index(needed)


def require_role(needed: str) -> None:
    """Let the page go on only for a role; also chooses the session's language, so it is the first line of each page.

    Raises
    ------
    ValueError
        If a role is not one of `ROLES`.
    """
    shell.speak_session_language()
    if not may(needed):
        st.warning(t("shell.no_role"))
        st.stop()
