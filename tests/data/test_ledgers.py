"""The ledgers of the sample: they name grids, people and incidents that are there, and counts that fit the homes."""

import json

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def ledgers(sample):
    return json.loads((sample / "ledgers.json").read_text(encoding="utf-8"))


def test_grids_people_and_incidents_are_there(ledgers, grids, staff, incidents):
    codes = set(grids["网格代码"])
    for name in ("things", "conventions", "tasks", "updates", "opinions"):
        assert {row["grid"] for row in ledgers[name]} <= codes
    assert {row["staff"] for row in ledgers["entries"]} <= set(staff["账号"])
    heard = incidents[incidents["事件编号"].isin([row["incident"] for row in ledgers["opinions"]])]
    assert len(heard) == len(ledgers["opinions"])
    assert set(heard["来源"]) == {"入户走访"}


def test_who_enters_points_does_not_approve_them(ledgers):
    assert all(row["by"] != row["approved_by"] for row in ledgers["entries"])
    assert sum("taken_back" in row for row in ledgers["entries"]) == 1


def test_things_follow_their_dates_and_end_once(ledgers):
    for row in ledgers["things"]:
        assert row["promised"] > row["due"]
        assert not {"done", "dropped"} <= set(row)
        assert all(1 <= row[step] <= row["promised"] for step in ("begun", "done", "dropped") if step in row)
        assert row.get("begun", 999) >= row.get("done", 0)


def test_counts_of_earlier_months_are_near_those_of_the_homes(ledgers, households):
    counts = pd.DataFrame(ledgers["counts"])
    newest = counts[counts[0] == 1].set_index(1)[3]
    homes = households.groupby("group_code").size()
    assert set(newest.index) == set(homes.index)
    assert (newest - homes.reindex(newest.index)).abs().max() <= 2
    assert sorted(counts[0].unique()) == list(range(1, 12))
    assert (counts.iloc[:, 3:] >= 0).all(axis=None)


def test_conventions_are_never_signed_by_more_than_there_are(ledgers):
    assert all(0 <= row["signed"] <= row["of"] for row in ledgers["conventions"])
    assert len({row["grid"] for row in ledgers["conventions"]}) == 31
