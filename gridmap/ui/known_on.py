"""As known on a day: a session looks at the present, or at what was known by the end of a past day (`?known_on=2026-11-05`)."""

from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta

import streamlit as st

from gridmap.analysis.visits import span_instants
from gridmap.settings import settings
from gridmap.texts import t

_KEY = "known_on"
_CHOSEN = "known_on_day"
_day: ContextVar[date | None] = ContextVar("known_on", default=None)


def day() -> date | None:
    """Return the day as known on which this run looks; None: now."""
    return _day.get()


def instant() -> datetime:
    """Return the instant of this run's reports: now, or the end of the day by the township's clock."""
    chosen = day()
    if chosen is None:
        return datetime.now(UTC)
    _, until = span_instants(chosen, chosen, zone=settings().zone)
    return until.astimezone(UTC) - timedelta(microseconds=1)


def look_at_present() -> None:
    """Let this run look at the present, whatever the session chose: the wall, drafts and imports know no other time."""
    _day.set(None)


def look_as_chosen() -> None:
    """Let this run look as the session chose or as the address says; each run of an office page begins with it."""
    asked = st.query_params.get(_KEY)
    if asked and _KEY not in st.session_state:
        st.session_state[_KEY] = _past_day(asked)
    _day.set(st.session_state.get(_KEY))


def _past_day(written: str) -> date | None:
    """Return a day that is over, None where it is no such day: the present then, which needs no day."""
    try:
        found = date.fromisoformat(written)
    except ValueError:
        return None
    return found if found < _today() else None


def _today() -> date:
    return datetime.now(UTC).astimezone(settings().zone).date()


def _choose() -> None:
    _look_on(st.session_state[_CHOSEN])


def _look_on(chosen: date | None) -> None:
    st.session_state[_KEY] = chosen
    if chosen is None:
        st.query_params.pop(_KEY, None)
    else:
        st.query_params[_KEY] = chosen.isoformat()


def choice() -> None:
    """Offer a past day, and say plainly on the page when one is chosen."""
    chosen = day()
    with st.container(key="known_on"), st.popover(t("shell.known_on"), type="tertiary"):
        yesterday = _today() - timedelta(days=1)
        st.date_input(
            t("shell.known_on_day"),
            value=chosen,
            max_value=yesterday,
            key=_CHOSEN,
            on_change=_choose,
            help=t("shell.known_on_help"),
        )
    if chosen is None:
        return
    with st.container(key="as_known", horizontal=True, vertical_alignment="center"):
        st.markdown(t("shell.as_known", day=chosen))
        st.button(t("shell.back_to_now"), key="back_to_now", on_click=_look_on, args=[None])
