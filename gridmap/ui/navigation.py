"""The pages and the way between them."""

from copy import copy
from functools import cache

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from gridmap.settings import PROJECT_DIR
from gridmap.texts import language, t

PAGES = (
    "live",
    "handling",
    "disputes",
    "coverage",
    "circle",
    "workload",
    "ledgers",
    "review",
    "planning",
    "contacts",
    "data",
)


@cache
def _prototypes(spoken: str) -> tuple[StreamlitPage, ...]:
    """Return the pages in a language, the root first: making one asks the file system, so it is done once."""
    del spoken  # part of the key: the titles differ
    files = {name: PROJECT_DIR / "pages" / f"{name}.py" for name in PAGES}
    pages = [st.Page(file, title=t(f"shell.{name}"), url_path=name) for name, file in files.items() if file.exists()]
    # Streamlit gives its default page no address of its own, and the wall needs one: the root only leads there.
    root = st.Page(_go_to_wall, title=t("shell.live"), url_path="root", default=True, visibility="hidden")
    return root, *pages


def _go_to_wall() -> None:
    st.switch_page(copy(_prototypes(language())[1]))


def chosen_page() -> StreamlitPage:
    """Offer the pages and return the one that the address names; each session gets copies of its own."""
    return st.navigation([copy(page) for page in _prototypes(language())], position="top")
