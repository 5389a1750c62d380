"""The plain page that the dashboard is measured against: what a newcomer to Streamlit writes, with default settings."""

import json
import sys
from pathlib import Path

import geopandas as gpd
import pydeck as pdk
import streamlit as st


@st.cache_data
def load(file: str) -> gpd.GeoDataFrame:
    return gpd.read_file(file)


grids = load(sys.argv[1])
st.title("Grids")
left, middle, right = st.columns(3)
left.metric("Grids", len(grids))
middle.metric("Households", int(grids["n_households"].sum()))
right.metric("Over the cap", int((grids["n_households"] > 100).sum()))
layer = pdk.Layer(
    "GeoJsonLayer",
    json.loads(grids.to_json()),
    get_fill_color="[32, 101, 127]",
    get_line_color=[255, 255, 255],
    pickable=True,
)
view = pdk.ViewState(latitude=grids.total_bounds[1], longitude=grids.total_bounds[0], zoom=10)
st.pydeck_chart(pdk.Deck(layers=[layer], initial_view_state=view))
st.dataframe(grids.drop(columns="geometry").head(50))
st.caption(str(Path(sys.argv[1]).name))
