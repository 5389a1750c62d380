"""The script that Streamlit runs: shell and navigation. It does not lie beside `pages/` on purpose (docs/architecture.md)."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from gridmap.errors import GridmapError, StoreUnavailable
from gridmap.settings import PROJECT_DIR
from gridmap.texts import t
from gridmap.ui import shell, theme

_PAGES = ("live", "disputes", "coverage", "workload", "data")


def _pages() -> list[StreamlitPage]:
    files = {name: PROJECT_DIR / "pages" / f"{name}.py" for name in _PAGES}
    return [st.Page(file, title=t(f"shell.{name}"), url_path=name) for name, file in files.items() if file.exists()]


def main() -> None:
    """Run the page that the address names, and turn what goes wrong into words."""
    st.set_page_config(layout="wide", initial_sidebar_state="collapsed")
    shell.speak_session_language()
    pages = _pages()
    # Streamlit gives its default page no address of its own, and the wall needs one: the root only leads there.
    root = st.Page(
        lambda: st.switch_page(pages[0]), title=t("shell.live"), url_path="root", default=True, visibility="hidden"
    )
    page = st.navigation([root, *pages], position="top")
    try:
        page.run()
    except StoreUnavailable:
        theme.use_office_style()
        shell.store_unavailable()
    except GridmapError as error:
        st.error(str(error))


main()
