"""Cases of a month as they stood at its end."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pandas as pd
import pytest

from gridmap.analysis.review.cases import case_measures, month_cases
from gridmap.analysis.review.frames import month_span

SPAN = month_span(date(2026, 2, 1), known_at=datetime(2027, 1, 1, tzinfo=UTC), zone=UTC)
BEGIN, END = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)


def _no_time(index: pd.Index) -> pd.Series:
    return pd.Series(pd.NaT, index=index, dtype="datetime64[ns, UTC]")


def _incidents(*happened: datetime) -> pd.DataFrame:
    codes = pd.Index([f"C{at}" for at in range(len(happened))])
    rows = pd.DataFrame({"kind": "dispute", "happened_at": pd.to_datetime(list(happened), utc=True)}, index=codes)
    return rows.assign(due_at=_no_time(codes))


def _steps(*rows: tuple[str, str, datetime]) -> pd.DataFrame:
    steps = pd.DataFrame(rows, columns=["incident_code", "kind", "happened_at"])
    steps["happened_at"] = pd.to_datetime(steps["happened_at"], utc=True)
    return steps.assign(level=None, team_code=None, satisfaction=float("nan"), due_at=_no_time(steps.index))


@pytest.mark.parametrize(
    ("happened", "is_new"),
    [(BEGIN - A_MOMENT, False), (BEGIN, True), (END - A_MOMENT, True)],
)
def test_a_month_begins_and_ends_at_midnight(happened: datetime, is_new: bool):
    cases = month_cases(_incidents(happened), _steps(), SPAN)
    assert cases["is_new"].tolist() == [is_new]
    assert cases["was_open"].tolist() == [not is_new]


def test_what_happens_after_the_month_is_no_case_of_it():
    assert month_cases(_incidents(END), _steps(), SPAN).empty


@pytest.mark.parametrize(("closed", "is_settled"), [(END - A_MOMENT, True), (END, False)])
def test_a_closing_at_midnight_belongs_to_the_next_month(closed: datetime, is_settled: bool):
    cases = month_cases(_incidents(BEGIN), _steps(("C0", "closed", closed)), SPAN)
    assert cases["is_settled"].tolist() == [is_settled]


def test_a_case_closed_before_and_opened_again_is_neither_new_nor_carried_over():
    steps = _steps(("C0", "closed", BEGIN - timedelta(days=2)), ("C0", "reopened", BEGIN + timedelta(days=2)))
    found = case_measures(month_cases(_incidents(BEGIN - timedelta(days=9), BEGIN), steps, SPAN))
    names = ("n_open_before", "n_new", "n_reopened", "n_settled", "n_open_after")
    assert [found[f"disputes.{name}"].value for name in names] == [0, 1, 1, 0, 2]


@pytest.mark.parametrize("seed", range(5))
def test_open_before_new_and_reopened_are_settled_or_open_in_every_selection(seed: int):
    chance = Random(seed)
    happened = [BEGIN + timedelta(hours=chance.randrange(-1500, 700)) for _ in range(80)]
    rows = []
    for at, begun in enumerate(happened):
        moment = begun
        for kind in chance.choice([(), ("closed",), ("closed", "reopened"), ("closed", "reopened", "closed")]):
            moment += timedelta(hours=chance.randrange(1, 900))
            rows.append((f"C{at}", kind, moment))
    incidents = _incidents(*happened).assign(place=[chance.choice("ab") for _ in happened])
    cases = month_cases(incidents, _steps(*rows), SPAN)
    for chosen in (cases, cases[cases["place"] == "a"], cases[cases["place"] == "b"]):
        one = {
            name: case_measures(chosen)[f"cases.{name}"].value or 0 for name in ("n_open_before", "n_new", "n_reopened")
        }
        other = {name: case_measures(chosen)[f"cases.{name}"].value or 0 for name in ("n_settled", "n_open_after")}
        assert sum(one.values()) == sum(other.values()) > 0


def test_without_a_new_case_nothing_is_known():
    found = case_measures(month_cases(_incidents(BEGIN - timedelta(days=9)), _steps(), SPAN))
    assert {one.value for one in found.values()} == {None}
