"""Frames to maps: no database, no Streamlit."""
