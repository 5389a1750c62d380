"""Keeping values: made once, bounded, failures forgotten."""

import threading

import pytest

from gridmap.ui.shelf import Shelf


def test_a_value_is_made_once():
    shelf, made = Shelf(3), []
    for _ in range(5):
        assert shelf.take("a", lambda: made.append(1) or "value") == "value"
    assert made == [1]


def test_none_is_a_value_too():
    shelf, made = Shelf(3), []
    assert [shelf.take("a", lambda: made.append(1)) for _ in range(2)] == [None, None]
    assert made == [1]


def test_the_least_used_is_forgotten():
    shelf, made = Shelf(2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        shelf.take(key, lambda key=key: made.append(key))
    assert made == ["a", "b", "c", "b"]


def test_a_failure_is_not_kept():
    shelf = Shelf(2)
    with pytest.raises(ZeroDivisionError):
        shelf.take("a", lambda: 1 // 0)
    assert shelf.take("a", lambda: 7) == 7


def test_sessions_that_ask_at_once_share_the_making():
    shelf, made, together = Shelf(2), [], threading.Barrier(8)

    def ask() -> None:
        together.wait()
        shelf.take("a", lambda: made.append(1))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_a_new_version_takes_the_place_of_the_old_one():
    shelf, made = Shelf(2), []
    for key, version in (("a", 1), ("b", 1), ("a", 2), ("a", 2), ("b", 1)):
        shelf.take(key, lambda key=key, version=version: made.append((key, version)), version=version)
    assert made == [("a", 1), ("b", 1), ("a", 2)]


def test_clearing_forgets():
    shelf, made = Shelf(2), []
    shelf.take("a", lambda: made.append(1))
    shelf.clear()
    shelf.take("a", lambda: made.append(1))
    assert made == [1, 1]
