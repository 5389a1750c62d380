"""The plain page that the dashboard is measured against: what a newcomer to Streamlit writes, with default settings."""

import json
import sys

import geopandas as gpd
import pandas as pd
import pydeck as pdk
import streamlit as st


@st.cache_data
def load(file: str) -> tuple[dict, pd.DataFrame]:
    grids = gpd.read_file(file)
    return json.loads(grids.to_json()), pd.DataFrame(grids.drop(columns="geometry"))


shapes, grids = load(sys.argv[1])
st.title("Grids")
left, middle, right = st.columns(3)
left.metric("Grids", len(grids))
middle.metric("Households", int(grids["n_households"].sum()))
right.metric("Over the cap", int((grids["n_households"] > 100).sum()))
layer = pdk.Layer(
    "GeoJsonLayer",
    shapes,
    get_fill_color="[32, 101, 127]",
    get_line_color=[255, 255, 255],
    pickable=True,
)
west, south = shapes["features"][0]["geometry"]["coordinates"][0][0][:2]
view = pdk.ViewState(latitude=south, longitude=west, zoom=11)
st.pydeck_chart(pdk.Deck(layers=[layer], initial_view_state=view))
st.dataframe(grids)
