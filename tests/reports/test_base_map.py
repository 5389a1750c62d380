"""Layers for the browser: small, complete, named by their content."""

import json
from datetime import date

import pytest
import shapely
from sqlalchemy import Engine, text

from gridmap.reports.base_map import LAYERS, map_layer
from tests.busy import write_ground
from tests.tiny import GRIDS, TOWNSHIP

DAY = date(2026, 10, 15)


def _layer(engine: Engine, name: str):
    with engine.connect() as connection:
        return map_layer(connection, township_code=TOWNSHIP, layer=name, on=DAY)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_geojson_of_valid_shapes(tiny_engine: Engine, name: str):
    with tiny_engine.begin() as connection:
        write_ground(connection)
    features = json.loads(_layer(tiny_engine, name).raw())["features"]
    assert features
    assert all(shapely.is_valid(shapely.from_geojson(json.dumps(feature["geometry"]))) for feature in features)
    assert all(feature["properties"]["code"] for feature in features)


def test_grids_carry_their_load(tiny_engine: Engine):
    features = json.loads(_layer(tiny_engine, "grids").raw())["features"]
    assert {one["properties"]["code"]: one["properties"]["n_households"] for one in features} == dict(
        zip(GRIDS, (3, 4, 11), strict=True)
    )


def test_without_homes_the_load_of_a_grid_is_null(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        connection.execute(text("DELETE FROM household"))
    features = json.loads(_layer(tiny_engine, "grids").raw())["features"]
    assert {feature["properties"]["cap_share"] for feature in features} == {None}


def test_the_digest_changes_with_the_content_only(tiny_engine: Engine):
    before = _layer(tiny_engine, "areas")
    assert _layer(tiny_engine, "areas").digest == before.digest
    with tiny_engine.begin() as connection:
        connection.execute(text("UPDATE area SET name = '新名' WHERE level = 'township'"))
    assert _layer(tiny_engine, "areas").digest != before.digest


def test_coordinates_have_six_decimals(tiny_engine: Engine):
    features = json.loads(_layer(tiny_engine, "areas").raw())["features"]
    corner = features[0]["geometry"]["coordinates"][0][0][0]
    assert corner == [round(value, 6) for value in corner]


def test_an_empty_township_has_empty_layers(engine: Engine):
    assert [_layer(engine, name).n_features for name in LAYERS] == [0] * len(LAYERS)


def test_an_unknown_layer_is_refused(engine: Engine):
    with pytest.raises(KeyError):
        _layer(engine, "secrets")
