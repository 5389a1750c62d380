"""Entries and sums of points: by hand, the same in any order, never over the ceiling, taken back to the digit."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.points.entries import computed_entries, digest, hand_entries, points_by_rule, settled_entries
from gridmap.analysis.points.events import COLUMNS, no_events, together

DAY = date(2026, 9, 7)
KINDS = ("patrol_visit", "home_visit", "closed_late", "missed_due", "home_visit_share")


def rules(*rows: tuple) -> pd.DataFrame:
    table = pd.DataFrame(
        rows, columns=["rule_code", "counts", "points", "monthly_ceiling", "threshold_percent"]
    ).set_index("rule_code")
    return table.astype({"monthly_ceiling": "Int64", "threshold_percent": "Int64"})


RULES = rules(
    ("visit", "patrol_visit", 2, 5, None),
    ("home", "home_visit", 1, None, None),
    ("late", "closed_late", -3, 4, None),
    ("missed", "missed_due", -1, None, None),
    ("share", "home_visit_share", 10, None, 95),
    ("praise", "manual", 5, 10, None),
)


def event(counts: str, who: str | None, reference: str, percent: int | None = None) -> dict:
    return dict(zip(COLUMNS, (counts, who, "g1", DAY, "C1", reference, percent), strict=True))


def events(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(COLUMNS), dtype=object) if rows else no_events()


def by_hand(*rows: dict) -> pd.DataFrame:
    usual = {
        "staff_id": "a", "rule_code": "praise", "points": 5, "reason": "好", "entered_by": "甲", "approved_by": "乙",
        "counters_entry_id": pd.NA, "counters_key": None, "recorded_at": datetime(2026, 9, 8, tzinfo=UTC),
    }  # fmt: skip
    table = pd.DataFrame([{**usual, **row} for row in rows], columns=["entry_id", *usual])
    return table.astype({"counters_entry_id": "Int64"})


def settled(happened: pd.DataFrame, entered: pd.DataFrame, table: pd.DataFrame = RULES) -> pd.DataFrame:
    return settled_entries(computed_entries(happened, table), hand_entries(entered, table))


def sums(entries: pd.DataFrame, table: pd.DataFrame = RULES) -> dict[tuple[str, str], int]:
    rows = points_by_rule(entries, table)
    return {(row["staff_id"], row["rule_code"]): row["points"] for _, row in rows.iterrows()}


def test_a_month_by_hand():
    happened = events(
        event("patrol_visit", "a", "1"),
        event("patrol_visit", "a", "2"),
        event("patrol_visit", "a", "3"),
        event("home_visit", "a", "h1"),
        event("home_visit", "b", "h2"),
        event("closed_late", "b", "I1"),
        event("closed_late", "b", "I2"),
        event("missed_due", None, "C1/w1"),
        event("home_visit_share", "a", "s", percent=95),
        event("home_visit_share", "b", "s", percent=94),
        event("satisfied", "a", "no rule counts it"),
    )
    entries = settled(happened, by_hand({"entry_id": 1}, {"entry_id": 2}, {"entry_id": 3}))
    assert sums(entries) == {
        ("a", "visit"): 5,  # three times two, at most five
        ("a", "home"): 1,
        ("a", "share"): 10,
        ("a", "praise"): 10,
        ("b", "home"): 1,
        ("b", "late"): -4,  # twice three, at most four
    }
    raw = points_by_rule(entries, RULES).set_index(["staff_id", "rule_code"])
    assert raw.loc[("a", "visit"), ["n_entries", "raw_points"]].tolist() == [3, 6]
    assert raw.loc[("b", "late"), "raw_points"] == -6
    nobody = entries[entries["staff_id"].isna()]
    assert nobody["points"].tolist() == [-1]
    assert nobody["key"].tolist() == ["missed||C1/w1"]


def test_an_entry_names_its_rule_its_person_and_the_row_it_rests_on():
    entries = settled(events(event("patrol_visit", "a", "C1/checkin/a/2026-09-07T01:00:00Z")), by_hand())
    assert entries.loc[0, ["key", "what", "reference", "is_computed", "state"]].tolist() == [
        "visit|a|C1/checkin/a/2026-09-07T01:00:00Z", "C1", "C1/checkin/a/2026-09-07T01:00:00Z", True, "counts",
    ]  # fmt: skip


def test_two_rules_may_count_the_same_thing():
    both = rules(("visit", "patrol_visit", 2, None, None), ("feast", "patrol_visit", 7, None, None))
    assert sums(settled(events(event("patrol_visit", "a", "1")), by_hand(), both), both) == {
        ("a", "visit"): 2,
        ("a", "feast"): 7,
    }


@pytest.mark.parametrize("key", ["visit|a|1", "entry|1"])
def test_a_counter_entry_leaves_what_would_be_without_both(key: str):
    happened = events(event("patrol_visit", "a", "1"), event("patrol_visit", "a", "2"))
    given_points = by_hand({"entry_id": 1})
    is_hand = key.startswith("entry")
    counter = {"entry_id": 2, "points": -5 if is_hand else -2, "rule_code": "praise" if is_hand else "visit"}
    counter |= {"counters_entry_id": 1} if is_hand else {"counters_key": key}
    entries = settled(happened, pd.concat([given_points, by_hand(counter)]))
    without = (
        settled(events(event("patrol_visit", "a", "2")), given_points) if not is_hand else settled(happened, by_hand())
    )
    assert sums(entries) == sums(without)
    states = entries.set_index("key")["state"]
    assert (states[key], states["entry|2"]) == ("countered", "counter")
    assert entries.loc[entries["key"].isin([key, "entry|2"]), "points"].sum() == 0


def test_a_counter_entry_of_what_is_not_there_any_more_counts_nothing():
    entries = settled(events(), by_hand({"entry_id": 1, "points": -2, "counters_key": "visit|a|gone"}))
    assert entries["state"].tolist() == ["void"]
    assert sums(entries) == {}


def test_nothing_comes_of_nothing():
    entries = settled(events(), by_hand())
    assert entries.empty
    assert points_by_rule(entries, RULES).empty
    assert digest(entries) == digest(settled(no_events(), by_hand()))


def test_one_row_counts_once():
    with pytest.raises(ValueError, match="twice"):
        computed_entries(events(event("patrol_visit", "a", "1"), event("patrol_visit", "a", "1")), RULES)
    one = computed_entries(events(event("patrol_visit", "a", "1")), RULES)
    with pytest.raises(ValueError, match="stands twice"):
        settled_entries(one, one)


HAPPENED = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(["a", "b", None]), st.integers(0, 100)), max_size=25
)
CEILINGS = st.lists(st.one_of(st.none(), st.integers(1, 12)), min_size=6, max_size=6)


def _table(ceilings: list[int | None]) -> pd.DataFrame:
    return RULES.assign(monthly_ceiling=pd.array(ceilings, dtype="Int64"))


def _happened(drawn: list[tuple]) -> pd.DataFrame:
    return events(*(event(kind, who, f"{at}", percent) for at, (kind, who, percent) in enumerate(drawn)))


@settings(max_examples=15)
@given(HAPPENED, CEILINGS, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters_and_computing_again_gives_the_same(drawn, ceilings, chance):
    table, happened = _table(ceilings), _happened(drawn)
    entered = by_hand(
        {"entry_id": 1}, {"entry_id": 2, "staff_id": "b"}, {"entry_id": 3, "points": -5, "counters_entry_id": 1}
    )
    order, hands = list(range(len(happened))), [0, 1, 2]
    chance.shuffle(order)
    chance.shuffle(hands)
    first = settled(together([happened]), entered, table)
    again = settled(together([happened.iloc[order]]), entered.iloc[hands], table.iloc[::-1])
    pd.testing.assert_frame_equal(first, again)
    assert digest(first) == digest(first.iloc[::-1])
    assert sums(first, table) == sums(first.iloc[::-1], table)


@settings(max_examples=25)
@given(HAPPENED, CEILINGS)
def test_a_ceiling_is_never_passed_and_sums_are_those_of_a_plain_loop(drawn, ceilings):
    table, happened = _table(ceilings), _happened(drawn)
    found = sums(settled(happened, by_hand(), table), table)
    plain: dict[tuple[str, str], int] = {}
    for kind, who, percent in drawn:
        for code, rule in table.iterrows():
            earns = rule["counts"] == kind and not (kind == "home_visit_share" and percent < 95)
            if earns and who is not None:
                plain[(who, code)] = plain.get((who, code), 0) + int(rule["points"])
    for (who, code), raw in plain.items():
        ceiling = table.loc[code, "monthly_ceiling"]
        plain[(who, code)] = raw if pd.isna(ceiling) else int(np.sign(raw)) * min(abs(raw), int(ceiling))
    assert found == plain


@given(HAPPENED, CEILINGS, st.data())
def test_taking_any_entry_back_is_as_if_it_had_not_been(drawn, ceilings, data):
    table, happened = _table(ceilings), _happened(drawn)
    computed = computed_entries(happened, table)
    mine = computed[computed["staff_id"].notna()]
    if mine.empty:
        return
    at = data.draw(st.sampled_from(list(mine.index)))
    row = computed.loc[at]
    counter = by_hand(
        {
            "entry_id": 9,
            "staff_id": row["staff_id"],
            "rule_code": row["rule_code"],
            "points": -7,
            "counters_key": row["key"],
        }
    )
    with_counter = settled_entries(computed, hand_entries(counter, table))
    without = settled_entries(computed.drop(index=at), hand_entries(by_hand(), table))
    assert sums(with_counter, table) == sums(without, table)
    assert digest(with_counter) != digest(without)
