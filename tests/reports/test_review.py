"""The review of a month, counted by hand on the busy day (`tests/busy.py`), and by a second way on its own rows."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from gridmap.errors import InputError
from gridmap.reports.review.canonical import canonical_text, digest_of, from_record, to_record
from gridmap.reports.review.report import review_report, rules_of
from gridmap.reports.review.shape import ReviewReport
from gridmap.settings import settings
from gridmap.texts import catalogue
from tests.busy import NOW
from tests.tiny import TOWNSHIP

ZONE = ZoneInfo("Asia/Shanghai")
LATER = NOW + timedelta(days=30)


def review(engine: Engine, month: str = "2026-10", **changed: object) -> ReviewReport:
    """The review of a month of the tiny township, as known on 14 November."""
    options = {"township_code": TOWNSHIP, "known_at": LATER, "zone": ZONE, "rules": rules_of(settings())}
    with engine.connect() as connection:
        return review_report(connection, month=month, **{**options, **changed})


def test_disputes_of_the_month_by_hand(busy_engine: Engine):
    """I1 and I2 came in in October and are open; I5 and I7 were open before, I7 was closed on the 12th."""
    figures = review(busy_engine).figures
    names = ("n_new", "n_new_settled", "n_new_unsettled", "n_open_before", "n_settled", "n_reopened", "n_open_after")
    assert [figures[f"disputes.{name}"].value for name in names] == [2, 0, 2, 2, 1, 0, 3]


def test_a_report_written_and_read_again_is_the_same(busy_engine: Engine):
    report = review(busy_engine)
    record = to_record(report)
    again = from_record(json.loads(canonical_text(record)))
    assert digest_of(to_record(again)) == digest_of(record)
    assert again.month == report.month
    assert again.known_at == report.known_at


def test_everything_in_a_report_has_its_words_and_rows_that_tell_themselves_apart(busy_engine: Engine):
    report = review(busy_engine)
    known = catalogue("zh")
    for figure in report.figures.values():
        assert {figure.title_key, figure.formula_key, figure.unit} <= set(known)
        assert figure.rows_key is None or figure.rows_key in report.tables
    for table in report.tables.values():
        assert not table.rows[list(table.id_columns)].duplicated().any()
        for column in table.columns:
            assert column.title_key in known
            codes = set(table.rows[column.key].dropna()) - {"∑", "∅"} if column.words else set()
            assert {f"{column.words}{code}" for code in codes} <= set(known)
    keys = {one.title_key for one in (*report.sections, *report.tables.values(), *report.maps.values())}
    assert keys | {note.text_key for section in report.sections for note in section.notes} <= set(known)


def test_a_month_without_data_is_unknown_and_never_zero(busy_engine: Engine):
    """April: the plan, homes and points are known, but nothing was recorded."""
    figures = review(busy_engine, "2026-04").figures
    told = {key for key, one in figures.items() if one.value is not None}
    assert not {
        key for key in told if key.startswith(("disputes.", "cases.", "satisfaction.", "hotspots.", "workload."))
    }
    assert not told & {"coverage.visited", "coverage.kept", "coverage.door_to_door", "gaps.n_opened", "quality.late"}
    assert {"cap.n_grids", "cap.n_households", "coverage.covered"} <= told


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "26-10", "October", "2026-10-01", "", "1999-12"])
def test_a_month_written_otherwise_is_refused(busy_engine: Engine, month: str):
    with pytest.raises(InputError, match="2026-10"):
        review(busy_engine, month)


def test_a_month_that_had_not_begun_is_refused(busy_engine: Engine):
    with pytest.raises(InputError, match="2026-12"):
        review(busy_engine, "2026-12")
