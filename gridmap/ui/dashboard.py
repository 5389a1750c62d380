"""The script that Streamlit runs: shell and navigation. It does not lie beside `pages/` on purpose (docs/architecture.md)."""

import streamlit as st

from gridmap.errors import GridmapError, StoreUnavailable
from gridmap.ui import navigation, shell, theme


def main() -> None:
    """Run the page that the address names, and turn what goes wrong into words."""
    st.set_page_config(layout="wide", initial_sidebar_state="collapsed")
    shell.speak_session_language()
    page = navigation.chosen_page()
    try:
        page.run()
    except StoreUnavailable:
        theme.use_office_style()
        shell.store_unavailable()
    except GridmapError as error:
        st.error(str(error))


main()
