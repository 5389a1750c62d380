"""What stands around every page: the language, the way to the other pages, and the calm words when data are missing."""

from typing import NoReturn

import streamlit as st

from gridmap.settings import LANGUAGES
from gridmap.store.places import Township
from gridmap.texts import language, t, use_language
from gridmap.ui import known_on, loaders, theme

_LANGUAGE = "language"


def speak_session_language() -> None:
    """Speak the language of this session: chosen here, named in the address (`?lang=en`), or the setting.

    Each run of a page or a fragment starts with it, since a run may happen in a thread of its own.
    """
    asked = st.query_params.get("lang")
    if _LANGUAGE not in st.session_state and asked in LANGUAGES:
        st.session_state[_LANGUAGE] = asked
    use_language(st.session_state.get(_LANGUAGE) or language())


def _switch_language() -> None:
    chosen = LANGUAGES[1 - LANGUAGES.index(language())]
    st.session_state[_LANGUAGE] = chosen
    st.query_params["lang"] = chosen


def language_switch() -> None:
    """Offer the other language."""
    with st.container(key="language_switch"):
        st.button(t("shell.other_language"), key="switch_language", type="tertiary", on_click=_switch_language)


def office_page(title: str, *, looks_back: bool = True) -> Township:
    """Dress an office page and return its township; while nothing is loaded, say how to load and stop.

    The page draws its title itself, in the line of its filters (`controls.line`).

    Parameters
    ----------
    title
        The page's name, as a person reads it.
    looks_back
        Whether the page can be opened as known on a past day.

    Raises
    ------
    StoreUnavailable
        If the database does not answer.
    """
    theme.use_office_style()
    language_switch()
    if looks_back:
        known_on.look_as_chosen()
        known_on.choice()
    town = loaders.township()
    if town is None:
        st.title(title, anchor=False)
        no_data()
    return town


def data_page(title: str) -> None:
    """Dress the data page, which is also there while nothing is loaded."""
    theme.use_office_style()
    language_switch()
    town = loaders.township()
    st.title(title if town is None else f"{town.name} {title}", anchor=False)


def no_data() -> NoReturn:
    """Say calmly that nothing is loaded yet and how to load it; ends the run."""
    with st.container(key="no_data"):
        st.subheader(t("shell.no_data"), anchor=False)
        st.text(t("shell.no_data_remedy"))
        st.code("gridmap demo\ngridmap load areas areas.shp", language=None)
    st.stop()


def store_unavailable() -> None:
    """Say calmly that the database does not answer and what to do; the page has its style already."""
    _calm_words("unavailable")


def not_drawn() -> None:
    """Say calmly that the page cannot be drawn for a reason of its own, which the server's log holds."""
    _calm_words("not_drawn")


def _calm_words(what: str) -> None:
    with st.container(key="no_data"):
        st.subheader(t(f"shell.{what}"), anchor=False)
        st.text(t(f"shell.{what}_remedy"))
        st.button(t("shell.retry"), key="retry")
