import logging
import threading
from datetime import UTC, datetime

import pytest

from gridmap.errors import InputError, PlatformError
from gridmap.ingest.wecom_client import MAX_PAGE, Waiting, WecomClient
from tests.ingest.wecom_orders import CREATED_AT, order
from tests.ingest.wecom_server import CORP, SECRET, Fault, Patience, served

SINCE = datetime.fromtimestamp(CREATED_AT, UTC)


@pytest.fixture
def platform():
    with served() as platform:
        yield platform


@pytest.fixture
def patience():
    return Patience()


@pytest.fixture
def client(platform, patience):
    with _client(platform, patience) as client:
        yield client


def _client(platform, patience, **changes):
    waiting = Waiting(pause=patience.pause, jitter=patience.jitter, clock=patience.clock)
    settings = {"address": platform.url, "corp_id": CORP, "secret": SECRET, "timeout_s": 5.0, "max_bytes": 2**20}
    return WecomClient(waiting=waiting, **settings | changes)


def _pages(client, since=None):
    cursor, pages = None, []
    while True:
        page = client.orders("patrol", modified_since=since, cursor=cursor)
        pages.append([one["order_id"] for one in page.orders])
        cursor = page.next_cursor
        if cursor is None:
            return pages


def test_pages_hold_fifty_and_every_order_comes_once(platform, client):
    for number in range(120):
        platform.put(order(number), modified=CREATED_AT + number % 7)
    pages = _pages(client)
    assert [len(page) for page in pages] == [50, 50, 20]
    assert sorted(number for page in pages for number in page) == sorted(platform.orders["patrol"])
    assert platform.n_asked("gettoken") == 1
    assert client.orders("patrol", modified_since=None, cursor=None, limit=900).next_cursor is not None
    assert platform.bodies("get_order_list")[-1]["limit"] == MAX_PAGE


def test_only_what_was_modified_since_is_asked_for(platform, client):
    platform.put(order(1), modified=CREATED_AT - 1)
    platform.put(order(2), modified=CREATED_AT)
    assert _pages(client, SINCE) == [["wr-002_Ab"]]
    assert platform.bodies("get_order_list")[0] == {"limit": 50, "begin_modify_time": CREATED_AT}


def test_the_platforms_clock_is_told(client):
    page = client.orders("resident", modified_since=None, cursor=None)
    assert page.answered_at == datetime(2026, 3, 20, 4, tzinfo=UTC)
    assert page.orders == ()


def test_details_are_of_the_order_that_was_asked_for(platform, client):
    platform.put(order(1, desc="细节"))
    assert client.order("patrol", "wr-001_Ab")["desc"] == "细节"
    with pytest.raises(PlatformError, match="40058") as refused:
        client.order("patrol", "wr-999_Ab")
    assert (refused.value.errcode, refused.value.is_passing) == (40058, False)


@pytest.mark.parametrize("errcode", [40014, 42001])
def test_a_token_that_was_dropped_is_renewed_once(platform, client, patience, errcode):
    platform.fail("get_order_list", Fault(errcode=errcode))
    assert _pages(client) == [[]]
    assert platform.n_asked("gettoken") == 2
    platform.fail("get_order_list", Fault(errcode=errcode), Fault(errcode=errcode))
    with pytest.raises(PlatformError, match=str(errcode)):
        _pages(client)
    assert patience.waits == []


def test_tokens_may_be_dropped_all_the_time(platform, client):
    platform.token_uses = 2
    for number in range(120):
        platform.put(order(number))
    assert sum(map(len, _pages(client))) == 120
    platform.drop_tokens()
    assert len(_pages(client)) == 3


def test_a_token_is_renewed_before_it_ends(platform, client, patience):
    _pages(client)
    patience.seconds += 7200 - 61
    _pages(client)
    assert platform.n_asked("gettoken") == 1
    patience.seconds += 2
    _pages(client)
    assert platform.n_asked("gettoken") == 2


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (Fault(status=500), [1.5]),
        (Fault(status=503), [1.5]),
        (Fault(cut=10), [1.5]),
        (Fault(text='{"errcode": 0, "order_l'), [1.5]),
        (Fault(text="[]"), [1.5]),
        (Fault(errcode=-1), [1.5]),
        (Fault(errcode=45009), [60.5]),
        (Fault(errcode=45033), [60.5]),
        (Fault(status=429), [60.5]),
        (Fault(status=429, headers={"Retry-After": "7"}), [7.5]),
    ],
)
def test_what_passes_is_tried_again_after_a_wait(platform, client, patience, fault, waits):
    platform.put(order(1))
    platform.fail("get_order_list", fault)
    assert _pages(client) == [["wr-001_Ab"]]
    assert patience.waits == waits


def test_waits_rise_with_chance_and_end_after_three_more_tries(platform, client, patience):
    platform.fail("get_order_list", *[Fault(status=500)] * 4)
    patience.draw = 1.0
    with pytest.raises(PlatformError, match="HTTP 500") as failed:
        _pages(client)
    assert failed.value.is_passing
    assert patience.waits == [2, 4, 8]
    assert platform.n_asked("get_order_list") == 4


def test_who_is_shut_out_for_an_hour_does_not_wait_for_it(platform, client, patience):
    platform.fail("get_order_list", Fault(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(PlatformError, match="how often") as failed:
        _pages(client)
    assert failed.value.is_passing
    assert patience.waits == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(errcode=48002), "48002"),
        (Fault(errcode=60020), "60020"),
        (Fault(status=302, headers={"Location": "http://127.0.0.1:9/"}), "HTTP 302"),
        (Fault(status=404), "HTTP 404"),
        (Fault(text='{"errcode": 0, "order_list": [{"desc": "no id"}]}'), "documents"),
        (Fault(text='{"errcode": 0, "order_list": {"a": 1}}'), "documents"),
        (Fault(text='{"errcode": 0, "order_list": [], "next_cursor": 7}'), "documents"),
        (Fault(text='{"errcode": 0, "x": "' + "a" * 2**20 + '"}'), "larger than 1 MB"),
    ],
)
def test_what_does_not_pass_is_told_at_once(platform, client, patience, fault, said):
    platform.fail("get_order_list", fault)
    with pytest.raises(PlatformError, match=said) as failed:
        _pages(client)
    assert not failed.value.is_passing
    assert patience.waits == []


def test_the_answer_about_another_order_is_refused(platform, client):
    platform.fail("get_order_info", Fault(text='{"errcode": 0, "order_info": {"order_id": "other"}}'))
    with pytest.raises(PlatformError, match="documents"):
        client.order("patrol", "wr-001_Ab")


def test_silence_ends_with_the_time_that_was_set(platform, patience):
    quiet = threading.Event()
    platform.fail("gettoken", *[Fault(until=quiet)] * 4)
    with _client(platform, patience, timeout_s=0.05) as client, pytest.raises(PlatformError, match="ReadTimeout"):
        _pages(client)
    quiet.set()
    assert len(patience.waits) == 3


def test_a_platform_that_is_not_there_is_told(patience):
    with served() as platform:
        pass
    with _client(platform, patience) as client, pytest.raises(PlatformError, match="ConnectError") as failed:
        _pages(client)
    assert failed.value.is_passing


def test_neither_secret_nor_token_reaches_a_message_or_a_log(platform, patience, caplog):
    caplog.set_level(logging.DEBUG)
    platform.put(order(1))
    messages = []
    with _client(platform, patience) as client:
        _pages(client)
        platform.fail("get_order_list", Fault(cut=3), Fault(status=404))
        platform.drop_tokens()
        platform.token_uses = -1
        for _ in range(2):
            with pytest.raises(PlatformError) as failed:
                _pages(client)
            messages.append(f"{failed.value!r} {failed.value.__cause__!r}")
    with _client(platform, patience, secret="wrong-" + SECRET) as client, pytest.raises(PlatformError) as failed:
        _pages(client)
    assert failed.value.errcode == 40001
    told = "\n".join([*messages, str(failed.value), caplog.text, repr(client)])
    assert SECRET not in told
    assert "token-" not in told


def test_the_tree_is_walked_to_its_leaves_each_node_once(platform, client):
    for key, parent in (("g0", ""), ("g1", "g0"), ("g2", "g0"), ("g3", "g1"), ("g4", "g3")):
        platform.grids[key] = {"grid_id": key, "grid_name": key, "grid_parent_id": parent}
    nodes = {node["grid_id"] for answer in client.grid_answers() for node in answer["grid_list"]}
    assert nodes == set(platform.grids)
    assert sorted(body.get("grid_id", "") for body in platform.bodies("grid/list")) == [
        "",
        "g0",
        "g1",
        "g2",
        "g3",
        "g4",
    ]


def test_a_tree_that_is_none_is_refused(platform, client):
    platform.fail("list", Fault(text='{"errcode": 0, "grid_list": [1]}'))
    with pytest.raises(PlatformError, match="documents"):
        client.grid_answers()
    assert client.grid_answers() == [{"errcode": 0, "grid_list": []}]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"address": "qyapi.weixin.qq.com"}, "is no address"),
        ({"address": "ftp://host"}, "is no address"),
        ({"corp_id": ""}, "GRIDMAP_WECOM_CORP_ID"),
        ({"secret": ""}, "GRIDMAP_WECOM_SECRET"),
    ],
)
def test_settings_that_cannot_work_are_told(platform, patience, changes, said):
    with pytest.raises(InputError, match=said):
        _client(platform, patience, **changes)
