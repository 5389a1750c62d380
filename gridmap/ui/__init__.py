"""The only Streamlit code of the package: shell, controls, panels, cached loaders, theme."""
