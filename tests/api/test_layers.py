"""Map layers over HTTP: what may be kept, what is refused."""

import gzip

import pytest
from sqlalchemy import Engine, text

from tests.api.conftest import Client
from tests.tiny import TOWNSHIP


def _digest(client: Client, layer: str = "grids") -> str:
    return client.get(f"/map/{TOWNSHIP}/{layer}-0.json").headers["etag"].strip('"')


def test_the_present_content_may_be_kept_for_ever(tiny_client: Client):
    answer = tiny_client.get(f"/map/{TOWNSHIP}/grids-{_digest(tiny_client)}.json")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(answer.json()["features"]) == 3


def test_an_address_of_other_content_must_not_be_kept(tiny_client: Client):
    answer = tiny_client.get(f"/map/{TOWNSHIP}/grids-0000000000000000.json")
    assert answer.headers["cache-control"] == "no-store"


def test_a_change_gives_another_address(tiny_client: Client, tiny_engine: Engine):
    before = _digest(tiny_client, "areas")
    with tiny_engine.begin() as connection:
        connection.execute(text("UPDATE area SET name = '新名' WHERE level = 'township'"))
    assert _digest(tiny_client, "areas") != before


def test_who_has_it_is_not_sent_it_again(tiny_client: Client):
    address, tag = f"/map/{TOWNSHIP}/grids-0.json", f'"{_digest(tiny_client)}"'
    assert tiny_client.get(address, If_None_Match=tag).status_code == 304


def test_it_is_sent_compressed_to_who_can_read_it(tiny_client: Client):
    address = f"/map/{TOWNSHIP}/grids-0.json"
    plain = tiny_client.get(address, Accept_Encoding="identity")
    packed = tiny_client.get(address, Accept_Encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) <= len(gzip.compress(plain.content)) + 20


@pytest.mark.parametrize(
    "address",
    [
        f"/map/{TOWNSHIP}/secrets-0.json",
        f"/map/{TOWNSHIP}/household-0.json",
        "/map/000000000/grids-0.json",
        "/map/1%20OR%201=1/grids-0.json",
        f"/map/{TOWNSHIP}/paths-0.json",
    ],
)
def test_what_is_not_there_is_not_found(tiny_client: Client, address: str):
    assert tiny_client.get(address).status_code == 404


def test_an_empty_database_has_no_layers(client: Client):
    assert client.get(f"/map/{TOWNSHIP}/grids-0.json").status_code == 404


def test_health_says_that_the_database_answers(client: Client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json(), answer.headers["cache-control"]) == (200, {"status": "ok"}, "no-store")


def test_the_grids_of_another_day_can_be_asked_for(tiny_client: Client):
    assert len(tiny_client.get(f"/map/{TOWNSHIP}/grids-0.json?on=2026-02-01").json()["features"]) == 3
    assert tiny_client.get(f"/map/{TOWNSHIP}/grids-0.json?on=2025-12-31").status_code == 404  # no plan was in force
    assert tiny_client.get(f"/map/{TOWNSHIP}/grids-0.json?on=yesterday").status_code == 404
