"""The rows behind every figure of a review add up to what it was made of, in every kind of month."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from gridmap.actions.plans import Actor
from gridmap.actions.review import NewTask, decide, follow_up
from gridmap.reports.review.build import KINDS
from gridmap.reports.review.province import review_province
from gridmap.reports.review.shape import NOWHERE, TOTAL, ReviewReport
from gridmap.reports.review.township_files import write_township
from gridmap.store.ledgers import append_row
from gridmap.store.writing import write_rows
from tests.reports.test_review import LATER, MARCH, RULES, ZONE, _publish_move, review, write_cases
from tests.reports.test_review_agenda import _promise, _step
from tests.reviewing import database
from tests.tiny import GRIDS, GROUPS, METRIC, STORED, TOWNSHIP, at, load_tiny_township, metric_point, write_categories

# On the lane that passes the homes; the patrols of a month earlier; five doors, one of them twice.
_PATROLS = """INSERT INTO checkin (township_code, staff_id, kind, happened_at, recorded_at, geom)
    SELECT township_code, 'u1', '外出打卡', :at, :at, geom FROM checkpoint WHERE checkpoint_code = 'C4'"""
_MONTH_BEFORE = """INSERT INTO checkin (township_code, staff_id, kind, exception, happened_at, recorded_at, place, geom)
    SELECT township_code, staff_id, kind, exception, happened_at - interval '32 days', recorded_at - interval '32 days',
    place, geom FROM checkin"""
_DOORS = """INSERT INTO home_visit (household_code, township_code, staff_id, happened_at, recorded_at)
    SELECT household_code, township_code, 'u1', :at + n * interval '1 day', :at + n * interval '3 days'
    FROM (SELECT * FROM household ORDER BY household_code LIMIT 5) AS homes, generate_series(0, 1) AS n"""
Rows = pd.DataFrame
Parts = tuple[float | None, float | None]


@pytest.fixture(scope="module")
def busy(cluster_url: URL, template_busy: str) -> Iterator[Engine]:
    """A busy October with a new plan, ledgers, promises, tasks, a home in no grid, and check-ins that count nowhere."""
    with database(cluster_url, template_busy) as engine:
        _publish_move(engine, published_at=at(5), valid_from=date(2026, 10, 10))
        with engine.begin() as connection:
            home = {"household_code": ["H999"], "township_code": TOWNSHIP, "group_code": GROUPS[0], "n_residents": 2}
            point = gpd.GeoSeries([metric_point(-300, -300)], crs="EPSG:4547").to_crs(STORED)
            write_rows(connection, "household", gpd.GeoDataFrame(home, geometry=point), key=["household_code"])
            for title, promised, due, ended in (
                ("修水渠", date(2026, 3, 10), date(2026, 9, 20), date(2026, 4, 15)),
                ("装路灯", date(2026, 10, 5), date(2026, 10, 25), None),
                ("建凉亭", date(2026, 10, 8), date(2026, 12, 1), date(2026, 10, 20)),
            ):
                thing = _promise(connection, title, promised, due, recorded=at(9))
                if ended:
                    _step(connection, thing, "done", ended)
            for number, kind in enumerate(("publicity", "visit")):
                row = {
                    "township_code": TOWNSHIP, "grid_code": GRIDS[2 * number], "month": date(2026, 10, 1),
                    "kind": kind, "title": "走访", "entered_by": "张三",
                }  # fmt: skip
                task = append_row(connection, "task_list", row=row, recorded_at=at(1))
            tick = {"task_id": task, "is_done": True, "ticked_by": "张三", "note": None}
            append_row(connection, "task_tick", row=tick, recorded_at=at(9))
            row = {
                "township_code": TOWNSHIP, "grid_code": GRIDS[0], "agreed_on": date(2026, 5, 1), "n_signed": 2,
                "n_households": 3, "recorded_by": "张三",
            }  # fmt: skip
            append_row(connection, "convention", row=row, recorded_at=at(2, month=5))
            code = connection.execute(text("SELECT min(incident_code) FROM incident")).scalar_one()
            row = {"incident_code": code, "township_code": TOWNSHIP, "grid_code": GRIDS[0], "collected_by": "张三"}
            append_row(connection, "opinion", row=row, recorded_at=at(14))
            connection.execute(text(_PATROLS), {"at": at(10)})
            connection.execute(text(_MONTH_BEFORE))
            connection.execute(text(_DOORS), {"at": at(11)})
        for what in ("修路", "开会"):
            task_id = decide(
                engine,
                NewTask(
                    township_code=TOWNSHIP, month="2026-09", figure_key="disputes.n_new", what=what, who="甲",
                    until=date(2026, 10, 10),
                ),
                actor=Actor(name="书记", at=at(3)),
            )  # fmt: skip
        follow_up(engine, township_code=TOWNSHIP, task_id=task_id, kind="done", actor=Actor(name="甲", at=at(9)))
        yield engine


@pytest.fixture(scope="module")
def full(cluster_url: URL, template_database: str) -> Iterator[Engine]:
    """A township with cases of January to March in every state."""
    with database(cluster_url, template_database) as engine:
        with engine.begin() as connection:
            load_tiny_township(connection)
            write_categories(connection)
            write_cases(connection, Random(3))
        yield engine


@pytest.fixture(scope="module")
def reports(busy: Engine, full: Engine) -> dict[str, ReviewReport]:
    """The month of a plan change, the one before, one of many cases, and February."""
    return {
        "plan change": review(busy),
        "september": review(busy, "2026-09"),
        "march": review(full, "2026-03", known_at=MARCH),
        "february": review(full, "2026-02", known_at=MARCH),
    }


def _summed(part: str, whole: str | None = None) -> Callable[[Rows], Parts]:
    return lambda rows: (float(rows[part].astype(float).sum()), whole and float(rows[whole].astype(float).sum()))


def _counted(is_part: Callable[[Rows], pd.Series], is_whole: Callable[[Rows], pd.Series] | None = None):
    def count(rows: Rows) -> Parts:
        if is_whole is None:
            return float(is_part(rows).sum()), None
        whole = rows[is_whole(rows)]
        return float(is_part(whole).sum()), float(len(whole))

    return count


def _is(column: str, *values: str) -> Callable[[Rows], pd.Series]:
    return lambda rows: rows[column].isin(values)


def _all(rows: Rows) -> pd.Series:
    return pd.Series(True, index=rows.index)


def _both(*tests: Callable[[Rows], pd.Series]) -> Callable[[Rows], pd.Series]:
    return lambda rows: pd.concat([one(rows) for one in tests], axis=1).all(axis=1)


def _flow() -> dict[str, Callable[[Rows], Parts]]:
    new, settled, is_open = _is("is_new", "yes"), _is("is_settled", "yes"), _is("is_settled", "no")
    was_open = _is("was_open", "yes")
    return {
        "n_new": _counted(new),
        "n_new_settled": _counted(_both(new, settled)),
        "n_new_unsettled": _counted(_both(new, is_open)),
        "settled_share": _counted(settled, new),
        "n_open_before": _counted(was_open),
        "n_settled": _counted(settled),
        "n_reopened": _counted(_both(_is("is_new", "no"), _is("was_open", "no"), is_open)),
        "n_open_after": _counted(is_open),
    }


_SETTLED, _OPEN_TASK = _is("is_settled", "yes"), _is("state", "open")
_TASK = _is("kind", "task")
_RATED = _both(_SETTLED, lambda rows: rows["satisfaction"].notna())
BEHIND: dict[str, Callable[[Rows], Parts]] = {
    "coverage.visited": _summed("n_counted", "n_due"),
    "coverage.kept": lambda rows: (rows["n_kept"].sum(), rows["n_kept"].sum() + rows["n_missed"].sum()),
    "coverage.cannot_tell": lambda rows: (
        rows["n_cannot_tell"].sum(),
        rows[["n_kept", "n_missed", "n_cannot_tell"]].to_numpy().sum(),
    ),
    "coverage.n_points": _counted(_all),
    "coverage.n_missed": _counted(_is("verdict", "not_visited")),
    "coverage.covered": _summed("n_covered", "n_households"),
    "coverage.n_uncovered": _summed("n_uncovered"),
    "coverage.door_to_door": _summed("n_visited", "n_households"),
    "coverage.mean_days": _summed("sum_days", "n_told"),
    "coverage.long_share": _summed("n_long", "n_told"),
    "coverage.reached": lambda rows: (rows["n_reached"].sum(), rows["n_reached"].sum() + rows["n_outside"].sum()),
    "coverage.n_outside": _summed("n_outside"),
    "gaps.n_opened": _counted(_is("change", "opened", "new_point")),
    "gaps.n_closed": _counted(_is("change", "closed", "gone")),
    "gaps.n_persists": _counted(_is("change", "persists")),
    **{f"{name}.{key}": one for name in ("disputes", "cases") for key, one in _flow().items()},
    "cases.on_time": _counted(_is("is_on_time", "yes"), _both(_SETTLED, _is("is_on_time", "yes", "no"))),
    "cases.in_grid": _counted(_is("is_in_grid", "yes"), _SETTLED),
    "cases.n_overdue": _counted(_is("is_overdue", "yes")),
    "satisfaction.rated_well": _counted(lambda rows: rows["satisfaction"].astype(float) >= 4, _RATED),
    "satisfaction.mean": lambda rows: (rows[_RATED(rows)]["satisfaction"].sum(), _RATED(rows).sum()),
    "satisfaction.asked": _counted(_is("is_followed_up", "yes"), _SETTLED),
    **{f"hotspots.n_{name}": _counted(_is("class", name)) for name in ("hot", "cold", "too_few")},
    **{f"workload.n_{name}": _counted(_is("class", name)) for name in ("higher", "lower", "too_few")},
    "cap.n_grids": _counted(_all),
    "cap.n_households": _summed("n_households"),
    "cap.n_over": _counted(lambda rows: rows["n_households"].astype(float) > rows["household_cap"].astype(float)),
    "cap.n_over_unexcused": _counted(_both(_is("load_class", "over"), lambda rows: rows["exception_reason"].isna())),
    "plans.n_changes": lambda rows: (rows["plan_id"].nunique() - 1, None),
    "plans.n_moved_households": _summed("n_households"),
    "plans.n_new_grids": _counted(_is("became", "new")),
    "plans.n_gone_grids": _counted(_is("became", "gone")),
    "ledgers.ticked": lambda rows: (
        rows[["n_publicity_done", "n_visit_done"]].to_numpy().sum(),
        rows[["n_publicity", "n_visit"]].to_numpy().sum(),
    ),
    "ledgers.agreed": _counted(lambda rows: rows["agreed_on"].notna(), _all),
    "ledgers.signed": _summed("n_signed", "n_households"),
    "ledgers.n_opinions": _counted(_all),
    "ledgers.points": _summed("points"),
    "promises.n_promised": lambda rows: (rows["promised_on"].str[:7].eq("2026-10").sum(), None),
    "promises.n_done": lambda rows: (_both(_is("state", "done"))(rows).sum(), None),
    "promises.n_open": _counted(_is("state", "promised", "begun", "overdue")),
    "promises.n_overdue": _counted(_is("state", "overdue")),
    "promises.kept": _counted(_is("state", "done"), _is("state", "done", "overdue")),
    "quality.n_facts": _summed("n_facts"),
    "quality.late": _summed("n_late", "n_facts"),
    "quality.n_after_month": _summed("n_after_month"),
    "quality.without_place": _counted(_is("has_place", "no"), _is("is_new", "yes")),
    "quality.silent_days": lambda rows: (len(rows), None),
    "quality.not_counted": _summed("n_checkins"),
    "quality.quarantined": _summed("n_quarantined", "n_read"),
    "actions.done": _counted(_is("state", "done"), _both(_TASK, _is("state", "open", "done"))),
    "actions.n_open": _counted(_both(_TASK, _OPEN_TASK)),
    "actions.n_overdue": _counted(_both(_OPEN_TASK, lambda rows: rows["until"] < "2026-11-14")),
}


def test_every_figure_has_rows_and_every_kind_of_month_tells_most_of_them(reports: dict[str, ReviewReport]):
    assert set(BEHIND) == set(KINDS)
    told = {key for report in reports.values() for key, one in report.figures.items() if one.value is not None}
    # Posted points, and the import books, are in tests of their own.
    assert set(KINDS) - told <= {"ledgers.points", "quality.quarantined"}


@pytest.mark.parametrize("month", ["plan change", "september", "march", "february"])
def test_the_rows_behind_a_figure_add_up_to_it(reports: dict[str, ReviewReport], month: str):
    report = reports[month]
    wrong = {}
    for key, figure in report.figures.items():
        if figure.value is None:
            continue
        table = report.tables[figure.rows_key or ""]
        rows = table.rows.iloc[:-1] if table.has_total and len(table.rows) else table.rows
        part, whole = BEHIND[key](rows)
        expected = figure.value if figure.numerator is None else figure.numerator
        if part != pytest.approx(expected) or (whole is not None and whole != pytest.approx(figure.denominator)):
            wrong[key] = (part, whole, figure.value, figure.numerator, figure.denominator)
    assert not wrong


_CASES = """
WITH known AS (
    SELECT incident.*, category.kind FROM incident JOIN category USING (category_code, list_year)
    WHERE recorded_at <= :known_at AND happened_at < :until
), told AS (
    SELECT step.* FROM incident_step AS step WHERE recorded_at <= :known_at AND happened_at < :until
), cases AS (
    SELECT known.*, known.happened_at >= :since AS is_new, before.kind IS NOT DISTINCT FROM 'closed' AS was_closed,
           last.kind IS NOT DISTINCT FROM 'closed' AS is_closed, last.happened_at AS closed_at, rated.satisfaction,
           EXISTS (SELECT FROM told WHERE told.incident_code = known.incident_code AND told.kind = 'followed_up'
                   AND told.happened_at >= last.happened_at) AS is_asked,
           EXISTS (SELECT FROM told WHERE told.incident_code = known.incident_code AND (told.kind = 'dispatched'
                   OR told.kind = 'escalated' AND told.level <> 'member'
                   OR told.kind NOT IN ('checked', 'extended') AND told.level IN ('village', 'township'))) AS has_left
    FROM known
    LEFT JOIN LATERAL (SELECT kind FROM told WHERE told.incident_code = known.incident_code AND kind IN ('closed', 'reopened')
        AND told.happened_at < :since ORDER BY told.happened_at DESC LIMIT 1) AS before ON true
    LEFT JOIN LATERAL (SELECT kind, told.happened_at FROM told WHERE told.incident_code = known.incident_code
        AND kind IN ('closed', 'reopened') ORDER BY told.happened_at DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (SELECT satisfaction FROM told WHERE told.incident_code = known.incident_code
        AND satisfaction IS NOT NULL ORDER BY told.happened_at DESC LIMIT 1) AS rated ON true
), settled AS (
    SELECT * FROM cases WHERE is_closed AND (is_new OR NOT was_closed)
)
"""
_FLOWS = """SELECT count(*) FILTER (WHERE is_new) AS n_new, count(*) FILTER (WHERE is_new AND is_closed) AS n_new_settled,
    count(*) FILTER (WHERE is_new AND NOT is_closed) AS n_new_unsettled,
    count(*) FILTER (WHERE NOT is_new AND NOT was_closed) AS n_open_before,
    count(*) FILTER (WHERE is_closed AND (is_new OR NOT was_closed)) AS n_settled,
    count(*) FILTER (WHERE NOT is_closed AND NOT is_new AND was_closed) AS n_reopened,
    count(*) FILTER (WHERE NOT is_closed) AS n_open_after FROM cases"""
_PARTS = {
    "cases.on_time": "SELECT count(*) FILTER (WHERE closed_at <= due_at), count(due_at) FROM settled",
    "cases.in_grid": "SELECT count(*) FILTER (WHERE NOT has_left), count(*) FROM settled",
    "satisfaction.rated_well": "SELECT count(*) FILTER (WHERE satisfaction >= 4), count(satisfaction) FROM settled",
    "satisfaction.mean": "SELECT sum(satisfaction), count(satisfaction) FROM settled",
    "satisfaction.asked": "SELECT count(*) FILTER (WHERE is_asked), count(*) FROM settled",
    "quality.without_place": "SELECT count(*) FILTER (WHERE geom IS NULL), count(*) FROM cases WHERE is_new",
    "quality.late": """SELECT count(*) FILTER (WHERE recorded_at > happened_at + interval '24 hours'), count(*) FROM (
        SELECT happened_at, recorded_at FROM incident UNION ALL SELECT told.happened_at, told.recorded_at FROM told JOIN known USING (incident_code)
        UNION ALL SELECT happened_at, recorded_at FROM checkin UNION ALL SELECT happened_at, recorded_at FROM track_fix
        UNION ALL SELECT happened_at, recorded_at FROM home_visit) AS facts
        WHERE happened_at >= :since AND happened_at < :until AND recorded_at <= :known_at""",
    "coverage.door_to_door": """SELECT count(DISTINCT household_code), (SELECT count(*) FROM household WHERE household_code <> 'H999')
        FROM home_visit WHERE happened_at >= :since AND happened_at < :until AND recorded_at <= :known_at""",
    "coverage.covered": """SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM checkpoint WHERE opened_on < :until_on
        AND coalesce(closed_on, 'infinity') >= :until_on
        AND ST_DWithin(ST_Transform(checkpoint.geom, :epsg), ST_Transform(household.geom, :epsg), 300))), count(*)
        FROM household""",
}


@pytest.mark.parametrize("month", ["plan change", "september", "march", "february"])
def test_sql_gives_the_same_figures(reports: dict[str, ReviewReport], busy: Engine, full: Engine, month: str):
    report, engine = reports[month], busy if month in ("plan change", "september") else full
    following = report.month.last_on + timedelta(days=1)
    since, until = (datetime(day.year, day.month, 1, tzinfo=ZONE) for day in (report.month.first_on, following))
    given = {
        "since": since,
        "until": until,
        "known_at": report.known_at,
        "until_on": following,
        "epsg": int(METRIC.removeprefix("EPSG:")),
    }
    found: dict[str, tuple[object, ...]] = {}
    with engine.connect() as connection:
        for name, only in (("cases", ""), ("disputes", " WHERE kind = 'dispute'")):
            row = connection.execute(text(_CASES + _FLOWS + only), given).mappings().one()
            found |= {f"{name}.{key}": (value,) for key, value in row.items()}
        for key, question in _PARTS.items():
            found[key] = tuple(connection.execute(text(_CASES + question), given).one())
    told = {key: figure for key, figure in report.figures.items() if key in found and figure.value is not None}
    ours = {
        key: (one.value,) if one.numerator is None else (one.numerator, one.denominator) for key, one in told.items()
    }
    assert ours == {key: found[key] for key in told}
    assert len(told) > 20 or month == "september"


def test_the_last_row_of_a_table_is_the_sum_of_the_others(reports: dict[str, ReviewReport]):
    for report in reports.values():
        for table in report.tables.values():
            if not table.has_total or table.rows.empty:
                continue
            assert table.rows.iloc[-1][list(table.id_columns)].tolist() == [TOTAL] * len(table.id_columns)
            for column in table.columns:
                total = table.rows.iloc[-1][column.key]
                if column.kind == "count" and total is not None and column.key != "change":
                    assert table.rows[column.key].iloc[:-1].astype(float).sum() == total, (table.key, column.key)


@pytest.mark.parametrize("month", ["2026-09", "2026-10"])
def test_a_province_has_every_figure_of_the_month_of_a_plan_change_and_of_the_books(
    busy: Engine, tmp_path: Path, month: str
):
    given = {"month": date.fromisoformat(f"{month}-01"), "known_at": LATER, "zone": ZONE, "rules": RULES}
    with busy.connect() as connection:
        write_township(connection, tmp_path, township_code=TOWNSHIP, **given)
    figures, _ = review_province(tmp_path, progress=lambda *_: None, scheduler="synchronous", **given)
    row = figures.loc[TOWNSHIP]
    assert pd.isna(row["fault"])
    for key, one in review(busy, month).figures.items():
        ours = [row[name] for name in (key, f"{key}.numerator", f"{key}.denominator")]
        assert [None if pd.isna(value) else value for value in ours] == [one.value, one.numerator, one.denominator], key
        if one.previous is not None:
            assert pd.Series([row[f"previous.{key}"]]).equals(pd.Series([one.previous.value], dtype=float)), key


def test_conventions_are_compared_with_those_at_the_end_of_the_month_before(reports: dict[str, ReviewReport]):
    agreed = reports["plan change"].figures["ledgers.agreed"]
    assert (agreed.numerator, agreed.denominator) == (1, 2)
    assert agreed.previous is not None
    assert (agreed.previous.numerator, agreed.previous.denominator) == (1, 3)


def test_a_home_in_no_grid_stands_in_a_row_of_its_own_and_moves_with_no_plan(reports: dict[str, ReviewReport]):
    report = reports["plan change"]
    homes = report.tables["coverage.homes"].rows.set_index("grid_code")["n_households"]
    assert homes.to_dict() == {GRIDS[0]: 7, GRIDS[2]: 11, NOWHERE: 1, TOTAL: 19}
    moved = report.tables["plans.moved"].rows
    assert moved[["old", "new", "n_households"]].to_numpy().tolist() == [[GRIDS[1], GRIDS[0], 4], [TOTAL, TOTAL, 4]]
