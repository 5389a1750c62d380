"""Legal steps by hand and as properties; the fold against a plain replay; clocks by hand; figures by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.clocks import Deadlines, case_clocks, due_escalations, settled_by_month, step_times
from gridmap.analysis.incidents import incident_states
from gridmap.analysis.lifecycle import LEVELS, STEPS, Standing, legal_steps, refusal, standing_of
from gridmap.errors import InputError
from gridmap.workdays import Span, WorkCalendar, work_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW = Standing(
    is_open=True, is_accepted=False, is_handled=False, is_asked=False, is_paused=False, is_followed_up=False,
    holder="member", team_code=None, held_at=None, due_at=None,
)  # fmt: skip
SIGNED = replace(NEW, is_accepted=True)
DONE = replace(SIGNED, is_handled=True)
CLOSED = replace(DONE, is_open=False)
DEADLINES = Deadlines.parsed("accept=1wd accept.urgent=2h member=2wd grid=2wd village=2wd close=7wd close.D2=30wd")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@pytest.fixture(scope="module")
def calendar() -> WorkCalendar:
    return work_calendar()


@pytest.mark.parametrize(
    ("standing", "level", "expected"),
    [
        (NEW, "member", ("accepted", "escalated", "extension_asked")),
        (NEW, "township", ("accepted", "dispatched")),
        (SIGNED, "member", ("handled", "escalated", "extension_asked", "paused")),
        (replace(SIGNED, is_asked=True), "grid", ("dispatched", "extended")[1:]),
        (DONE, "grid", ("closed", "checked")),
        (DONE, "member", ("handled", "closed", "escalated", "extension_asked", "paused")),
        (replace(SIGNED, is_paused=True), "member", ("resumed",)),
        (replace(SIGNED, holder="township", is_asked=True), "township",
         ("handled", "dispatched", "extended", "paused")),
        (replace(NEW, holder="village"), "member", ()),
        (CLOSED, "member", ("followed_up", "reopened")),
        (replace(CLOSED, is_followed_up=True), "grid", ("reopened",)),
        (replace(CLOSED, holder="village"), "grid", ("followed_up",)),
    ],
)  # fmt: skip
def test_who_may_do_what(standing: Standing, level: str, expected: tuple[str, ...]):
    assert legal_steps(standing, level=level) == expected


def test_the_second_who_closes_is_told_so():
    assert refusal(DONE, kind="closed", level="grid") is None
    assert refusal(CLOSED, kind="closed", level="grid") == "closed"
    assert refusal(replace(NEW, holder="village"), kind="accepted", level="grid") == "level"
    assert refusal(replace(NEW, holder="township"), kind="escalated", level="township") == "highest"


@pytest.mark.parametrize(("kind", "level"), [("reported", "member"), ("closed", "county")])
def test_an_unknown_step_or_level_is_refused(kind: str, level: str):
    with pytest.raises(ValueError, match="must be one of"):
        refusal(NEW, kind=kind, level=level)


def _steps(*rows: tuple) -> pd.DataFrame:
    names = ["incident_code", "kind", "level", "happened_at", "due_at", "satisfaction", "team_code"]
    steps = pd.DataFrame([(*row, *[None] * (len(names) - len(row))) for row in rows], columns=names)
    instants = {name: pd.to_datetime(steps[name], utc=True) for name in ("happened_at", "due_at")}
    return steps.assign(**instants)


def _incidents(happened_at: str = "2026-10-12T09:00", *, codes: tuple[str, ...] = ("one",), **given) -> pd.DataFrame:
    row = {"happened_at": _at(happened_at), "due_at": pd.NaT, "urgency": "normal", "category_code": "D1"} | given
    rows = pd.DataFrame([row] * len(codes), index=list(codes))
    return rows.assign(**{name: pd.to_datetime(rows[name], utc=True) for name in ("happened_at", "due_at")})


def _states(incidents: pd.DataFrame, steps: pd.DataFrame, now: datetime) -> pd.DataFrame:
    return incident_states(incidents, steps, now=now, due_soon=timedelta(hours=24))


_CHANGES = {
    "accepted": {"is_accepted": True},
    "handled": {"is_accepted": True, "is_handled": True},
    "closed": {"is_open": False, "is_paused": False, "is_asked": False, "is_followed_up": False},
    "reopened": {"is_open": True, "is_accepted": False, "is_handled": False, "is_followed_up": False},
    "reported": {"is_accepted": False, "is_handled": False},
    "escalated": {"is_accepted": False, "is_handled": False},
    "dispatched": {"is_accepted": False, "is_handled": False, "holder": "township"},
    "extension_asked": {"is_asked": True},
    "extended": {"is_asked": False},
    "paused": {"is_paused": True},
    "resumed": {"is_paused": False},
    "followed_up": {"is_followed_up": True},
    "checked": {},
}


def _replayed(history: list[tuple[str, str]]) -> Standing:
    """The rules told as a story, one step after the other."""
    now = NEW
    for kind, level in history:
        now = replace(now, **_CHANGES[kind])
        if kind in ("reported", "accepted", "handled"):
            now = replace(now, holder=level)
        if kind == "escalated":
            now = replace(now, holder=LEVELS[LEVELS.index(level) + 1])
    return now


@st.composite
def _legal_histories(draw: st.DrawFn) -> list[tuple[str, str]]:
    history = [("reported", "member")]
    for _ in range(draw(st.integers(0, 14))):
        standing = _replayed(history)
        moves = [(kind, level) for level in LEVELS for kind in legal_steps(standing, level=level)]
        history.append(draw(st.sampled_from(moves)))
    return history


@settings(max_examples=50)
@given(_legal_histories(), st.randoms(use_true_random=False))
def test_the_fold_is_the_story_whatever_order_late_steps_arrive_in(history, chance):
    begin = _at("2026-10-12T09:00")
    rows = [("one", kind, level, begin + timedelta(hours=at)) for at, (kind, level) in enumerate(history)]
    chance.shuffle(rows)
    states = _states(_incidents(), _steps(*rows), begin + timedelta(days=30))
    folded, told = standing_of(states.loc["one"]), _replayed(history)
    assert replace(folded, held_at=None) == told


_KINDS = ("reported", "accepted", "paused", "resumed", "handled", "escalated", "closed", "reopened", "extended")


_HISTORIES = st.lists(st.tuples(st.sampled_from(_KINDS), st.integers(0, 4)), min_size=2, max_size=9, unique=True)


@settings(max_examples=30)
@given(_HISTORIES.flatmap(lambda steps: st.tuples(st.just(steps), st.permutations(steps))))
def test_clocks_and_times_do_not_ask_in_which_order_steps_of_one_minute_arrived(calendar: WorkCalendar, orders):
    begin, now = _at("2026-10-12T09:00"), _at("2026-10-22T09:00")
    found = []
    for history in orders:
        rows = [("one", kind, "grid", begin + timedelta(hours=7 * at), _at("2026-11-20T09:00")) for kind, at in history]
        steps = _steps(*rows)
        states = _states(_incidents(), steps, now)
        clocks = case_clocks(_incidents(), states, steps, deadlines=DEADLINES, calendar=calendar, now=now)
        found.append((states, clocks, step_times(steps, calendar=calendar, now=now)))
    for one, other in zip(*found, strict=True):
        pd.testing.assert_frame_equal(one, other)


@given(_legal_histories())
def test_some_level_can_always_go_on(history):
    """No history ends in a state that nobody can leave; the township is never stuck."""
    assert any(legal_steps(_replayed(history), level=level) for level in LEVELS)
    assert set(legal_steps(_replayed(history), level="township")) <= set(STEPS)


def _clocks(incidents: pd.DataFrame, steps: pd.DataFrame, now: str, calendar: WorkCalendar) -> pd.Series:
    states = _states(incidents, steps, _at(now))
    return case_clocks(
        incidents, states, steps, deadlines=DEADLINES, calendar=calendar, now=_at(now)
    ).loc["one"]  # fmt: skip


REPORTED = ("one", "reported", "member", _at("2026-10-09T16:00"))
SIGNED_STEP = ("one", "accepted", "member", _at("2026-10-10T09:00"))


def test_due_times_run_in_working_time_over_the_made_up_saturday(calendar: WorkCalendar):
    clocks = _clocks(_incidents("2026-10-09T16:00"), _steps(REPORTED), "2026-10-09T17:00", calendar)
    assert clocks["accept_due_at"] == _at("2026-10-10T16:00")
    assert clocks["level_due_at"] == _at("2026-10-12T16:00")
    assert clocks["close_due_at"] == _at("2026-10-19T16:00")
    assert clocks["next_due_at"] == clocks["escalates_at"] == clocks["accept_due_at"]


def test_urgency_and_category_have_clocks_of_their_own(calendar: WorkCalendar):
    given = _incidents("2026-10-03T16:00", urgency="urgent", category_code="D2")
    clocks = _clocks(
        given, _steps(("one", "reported", "member", _at("2026-10-03T16:00"))), "2026-10-03T17:00", calendar
    )
    assert clocks["accept_due_at"] == _at("2026-10-03T18:00")
    assert clocks["close_due_at"] == _at("2026-11-18T00:00")


def test_a_pause_leaves_what_was_left(calendar: WorkCalendar):
    paused = ("one", "paused", "member", _at("2026-10-10T16:00"))
    resumed = ("one", "resumed", "member", _at("2026-10-13T16:00"))
    held = _clocks(_incidents("2026-10-09T16:00"), _steps(REPORTED, SIGNED_STEP, paused), "2026-11-13T17:00", calendar)
    assert pd.isna(held["next_due_at"])
    assert pd.isna(held["escalates_at"])
    after = _clocks(
        _incidents("2026-10-09T16:00"), _steps(resumed, paused, REPORTED, SIGNED_STEP), "2026-10-13T17:00", calendar
    )
    # One working day was left at the pause.
    assert after["level_due_at"] == _at("2026-10-14T16:00")


def test_what_was_overdue_before_a_pause_stays_so_and_the_rest_does_not_become_so():
    incidents = _incidents(due_at=_at("2026-10-13T09:00"))
    for paused_at, is_overdue in (("2026-10-12T12:00", False), ("2026-10-14T12:00", True)):
        steps = _steps(("one", "paused", "member", _at(paused_at)))
        assert _states(incidents, steps, _at("2026-10-20T09:00")).loc["one", "is_overdue"] == is_overdue


def test_a_granted_extension_moves_the_due_time_and_keeps_the_case_at_its_level(calendar: WorkCalendar):
    asked = ("one", "extension_asked", "member", _at("2026-10-10T10:00"), _at("2026-10-30T10:00"))
    granted = ("one", "extended", "grid", _at("2026-10-10T11:00"), _at("2026-10-23T10:00"))
    clocks = _clocks(
        _incidents("2026-10-09T16:00"), _steps(REPORTED, SIGNED_STEP, asked, granted), "2026-10-11T11:00", calendar
    )
    assert clocks["close_due_at"] == clocks["level_due_at"] == _at("2026-10-23T10:00")


def test_an_extension_that_is_only_asked_for_moves_nothing():
    asked = ("one", "extension_asked", "member", _at("2026-10-10T10:00"), _at("2026-10-30T10:00"))
    states = _states(_incidents(due_at=_at("2026-10-13T09:00")), _steps(asked), _at("2026-10-11T11:00"))
    assert states.loc["one", "due_at"] == _at("2026-10-13T09:00")


def test_what_nobody_signs_goes_up_level_by_level_and_stops_at_the_township(calendar: WorkCalendar):
    rows, levels, keys = [REPORTED], [], set()
    for day in pd.date_range("2026-10-10T16:00", "2026-10-20T16:00", freq="D", tz=SHANGHAI):
        incidents, steps = _incidents("2026-10-09T16:00"), _steps(*rows)
        states = _states(incidents, steps, day)
        clocks = case_clocks(incidents, states, steps, deadlines=DEADLINES, calendar=calendar, now=day)
        due = due_escalations(clocks, now=day)
        # Asked twice, the same key.
        assert due.equals(due_escalations(clocks, now=day))
        for key in due["automatic_key"]:
            assert key not in keys
            keys.add(key)
            levels.append(states.loc["one", "holder"])
            rows.append(("one", "escalated", levels[-1], day))
    assert levels == ["member", "grid", "village"]


def test_nothing_open_has_no_clocks(calendar: WorkCalendar):
    incidents, steps = _incidents(), _steps(("one", "closed", "grid", _at("2026-10-12T10:00")))
    states = _states(incidents, steps, _at("2026-10-20T10:00"))
    clocks = case_clocks(incidents, states, steps, deadlines=DEADLINES, calendar=calendar, now=_at("2026-10-20T10:00"))
    assert clocks.empty
    assert due_escalations(clocks, now=_at("2026-10-20T10:00")).empty


def test_the_most_exact_deadline_counts():
    rules = Deadlines.parsed("accept=1wd member=1wd grid=1wd village=1wd close=7wd close.urgent=3wd close.D1=30wd close.D1.urgent=1wd")  # fmt: skip

    def close(urgency: str, category: str) -> Span:
        return rules.span("close", urgency=urgency, category_code=category)

    found = [close(*pair).amount for pair in (("normal", "X"), ("urgent", "X"), ("normal", "D1"), ("urgent", "D1"))]
    assert found == [7, 3, 30, 1]


@pytest.mark.parametrize("written", ["", "accept=1wd", "sign=1wd", "close", "close.urgent.normal=1wd", "close.a.b=1wd"])
def test_bad_deadlines_are_refused(written: str):
    with pytest.raises(InputError):
        Deadlines.parsed(written)


def test_step_times_by_hand(calendar: WorkCalendar):
    steps = _steps(
        ("a", "reported", "member", _at("2026-10-12T09:00")), ("a", "accepted", "member", _at("2026-10-13T09:00")),
        ("b", "accepted", "member", _at("2026-10-19T09:00")), ("b", "reported", "member", _at("2026-10-16T09:00")),
        ("c", "reported", "member", _at("2026-10-12T09:00")), ("c", "accepted", "member", _at("2026-10-16T09:00")),
        ("c", "closed", None, _at("2026-10-16T21:00")),
    )  # fmt: skip
    times = step_times(steps, calendar=calendar, now=_at("2026-11-01T00:00"))
    # One, one (over a weekend) and four working days; half a day until the closing.
    assert times.loc[("accepted", "member")].tolist() == [3, 1.0, pytest.approx(np.quantile([1, 1, 4], 0.9))]
    assert times.loc[("closed", "")].tolist() == [1, 0.5, 0.5]
    assert step_times(steps.iloc[:0], calendar=calendar, now=_at("2026-11-01T00:00")).empty


def test_disputes_settled_per_grid_and_month():
    cases = pd.DataFrame(
        [("dispute", "g1", _at("2026-08-31T23:59")), ("dispute", "g1", _at("2026-10-01T00:00")), ("dispute", "g2", None),
         ("hazard", "g1", _at("2026-09-05T00:00")), ("dispute", None, _at("2026-10-01T00:00"))],
        columns=["kind", "grid_code", "closed_at"],
    )  # fmt: skip
    cases["closed_at"] = pd.to_datetime(cases["closed_at"], utc=True)
    assert settled_by_month(cases, zone=SHANGHAI).to_dict("index") == {"g1": {"2026-08": 1, "2026-09": 0, "2026-10": 1}}
    assert settled_by_month(cases.iloc[:0], zone=SHANGHAI).empty
