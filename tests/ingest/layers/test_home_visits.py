"""Door-to-door visits: household, day, account; never a name."""

import datetime as dt

import pandas as pd

from tests.ingest.town import ZONE, context, read, reasons, workbook

HEADER = ("户编号", "走访日期", "账号", "户主姓名", "联系电话")
KNOWN = context(household_codes=frozenset({"H1", "H2"}), staff_ids=frozenset({"qs0051"}))


def _read(tmp_path, *rows):
    return read("home_visits", workbook(tmp_path / "visits.xlsx", {"走访": [HEADER, *rows]}), context=KNOWN)


def _row(household="H1", on=dt.date(2026, 10, 9), who="qs0051"):
    return (household, on, who, "王小明", "13812345678")


def test_a_visit_is_a_household_a_moment_and_an_account(tmp_path):
    reading = _read(tmp_path, _row(), _row("H2", dt.datetime(2026, 10, 9, 15, 30)))  # noqa: DTZ001  wall time in a cell
    visits = reading.frames["home_visits"]
    assert visits.columns.tolist() == ["household_code", "staff_id", "happened_at"]
    assert visits["happened_at"].tolist() == [
        pd.Timestamp("2026-10-09", tz=ZONE),
        pd.Timestamp("2026-10-09 15:30", tz=ZONE),
    ]


def test_names_and_telephones_never_leave_the_reader(tmp_path):
    reading = _read(tmp_path, _row())
    assert {column.kind for column in reading.dropped_columns} == {"name", "phone"}
    assert "13812345678" not in repr(reading)
    assert "王小明" not in repr(reading)


def test_faulty_visits_are_refused(tmp_path):
    reading = _read(tmp_path, _row(), _row("H9"), _row(who="nobody"), _row(on="上周"), _row(), _row("H2", None))
    assert reasons(reading) == {
        3: "unknown_household",
        4: "unknown_staff",
        5: "not_a_time",
        6: "duplicate",
        7: "missing_value",
    }
