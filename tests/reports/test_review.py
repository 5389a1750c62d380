"""The review of a month: counted by hand on the busy day, and by SQL on a township full of cases."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL

from gridmap.actions.plans import Actor, branch_plan, publish_plan, save_draft, submit_plan
from gridmap.analysis.review.frames import month_span
from gridmap.errors import InputError
from gridmap.reports.coverage import coverage_report
from gridmap.reports.patrolled import patrolled_report
from gridmap.reports.plans import plan_board
from gridmap.reports.review.build import KINDS
from gridmap.reports.review.build import column as a_column
from gridmap.reports.review.canonical import canonical_text, digest_of, from_record, number, to_record
from gridmap.reports.review.province import review_province
from gridmap.reports.review.public import public_report
from gridmap.reports.review.report import parse_month, review_report, rules_of
from gridmap.reports.review.shape import NOWHERE, TOTAL, ReviewReport, ReviewTable
from gridmap.reports.review.township_files import write_township
from gridmap.reports.review.words import cell_words
from gridmap.settings import Settings
from gridmap.store.writing import write_rows
from gridmap.texts import catalogue
from tests.busy import NOW
from tests.reviewing import database
from tests.tiny import (
    EAST_VILLAGE,
    GRIDS,
    GROUPS,
    METRIC,
    STORED,
    TOWNSHIP,
    WEST_VILLAGE,
    at,
    load_tiny_township,
    metric_point,
    stored,
    write_categories,
)

ZONE = ZoneInfo("Asia/Shanghai")
LATER = at(14, 12, month=11)
RULES = rules_of(Settings())
MARCH = at(1, 8, month=4)


def review(engine: Engine, month: str = "2026-10", *, known_at: datetime = LATER) -> ReviewReport:
    """The review of a month of the tiny township."""
    with engine.connect() as connection:
        return review_report(connection, township_code=TOWNSHIP, month=month, known_at=known_at, zone=ZONE, rules=RULES)


@pytest.fixture(scope="module")
def busy(cluster_url: URL, template_busy: str) -> Iterator[Engine]:
    """The busy township, only read."""
    with database(cluster_url, template_busy) as engine:
        yield engine


@pytest.fixture(scope="module")
def october(busy: Engine) -> ReviewReport:
    """Its October."""
    return review(busy)


@pytest.fixture(scope="module")
def full(cluster_url: URL, template_database: str) -> Iterator[Engine]:
    """A township with 160 cases of January to March in every state, placed, named only, or neither."""
    with database(cluster_url, template_database) as engine:
        with engine.begin() as connection:
            load_tiny_township(connection)
            write_categories(connection)
            write_cases(connection, random.Random(7))
        yield engine


@pytest.fixture(scope="module")
def march(full: Engine) -> ReviewReport:
    """Its March."""
    return review(full, "2026-03", known_at=MARCH)


def write_cases(connection: Connection, chance: random.Random, *, n: int = 160) -> None:
    """Cases with steps in any order of life, some recorded weeks late."""
    incidents, points, steps = [], [], []
    for at_number in range(n):
        happened = at(1, 0, month=1) + timedelta(minutes=chance.randrange(90 * 24 * 60))
        where = chance.random()
        incidents.append(
            {
                "incident_code": f"C{at_number:03d}",
                "category_code": chance.choice(["D1", "D2", "D1", "R1", "Z1"]),
                "village_code": None if where > 0.95 else chance.choice([WEST_VILLAGE, EAST_VILLAGE]),
                "happened_at": happened,
                "recorded_at": happened + timedelta(hours=chance.choice([0, 1, 30, 700])),
                "due_at": chance.choice([None, happened + timedelta(days=7)]),
            }
        )
        points.append(metric_point(chance.randrange(4000), chance.randrange(2000)) if where < 0.8 else None)
        moment = happened
        for kind in chance.choice(
            [
                [],
                ["accepted"],
                ["closed"],
                ["closed", "reopened"],
                ["dispatched", "closed"],
                ["closed", "reopened", "closed"],
            ]
        ):
            moment += timedelta(hours=chance.randrange(1, 500))
            steps.append(
                {
                    "incident_code": f"C{at_number:03d}",
                    "kind": kind,
                    "level": "grid",
                    "team_code": "mediation" if kind == "dispatched" else None,
                    "satisfaction": chance.choice([None, 3, 5]) if kind == "closed" else None,
                    "happened_at": moment,
                    "recorded_at": moment + timedelta(hours=chance.choice([0, 0, 400])),
                }
            )
    frame = pd.DataFrame(incidents).assign(
        township_code=TOWNSHIP, list_year=2026, urgency="normal", source="测试", place=None, text=None
    )
    shapes = gpd.GeoSeries(points, crs=METRIC).to_crs(STORED)
    key = ["incident_code"]
    write_rows(connection, "incident", gpd.GeoDataFrame(frame, geometry=shapes), key=key, append_only=True)
    taken = pd.DataFrame(steps).astype({"satisfaction": "Int64"})
    write_rows(connection, "incident_step", taken, key=["incident_code", "kind", "happened_at"], append_only=True)


# ---- by hand


def test_disputes_of_the_month_by_hand(october: ReviewReport):
    """I1 and I2 came in in October and are open; I5 and I7 were open before, I7 was closed on the 12th."""
    figures = october.figures
    names = ("n_new", "n_new_settled", "n_new_unsettled", "n_open_before", "n_settled", "n_reopened", "n_open_after")
    assert [figures[f"disputes.{name}"].value for name in names] == [2, 0, 2, 2, 1, 0, 3]


def test_what_was_settled_on_time_and_inside_the_grid_by_hand(october: ReviewReport):
    """I3 in time and in the grid, I7 late and with the village; rated 5 and 2."""
    parts = {key: (one.numerator, one.denominator) for key, one in october.figures.items()}
    assert parts["cases.on_time"] == (1, 2)
    assert parts["cases.in_grid"] == (1, 2)
    assert parts["satisfaction.rated_well"] == (1, 2)
    assert october.figures["satisfaction.mean"].value == 3.5


def test_a_count_is_compared_by_working_days(october: ReviewReport):
    """October 2026 has 18 working days (holidays to the 7th, the 10th made up); September has 22."""
    assert (october.month.n_workdays, october.previous.n_workdays) == (18, 22)
    before = october.figures["disputes.n_new"].previous
    assert before is not None
    assert before.value == 3
    assert before.adjusted == number(3 * 18 / 22)
    share = october.figures["cases.on_time"].previous
    assert share is not None
    assert share.adjusted is None


def test_coverage_of_the_month_is_that_of_the_coverage_page(busy: Engine, october: ReviewReport):
    rule = {"checkpoint_reach_m": 60, "fix_accuracy_m": 20, "patrol_max_speed_kmh": 40, "far_checkin_m": 5000}
    with busy.connect() as connection:
        page = coverage_report(
            connection, township_code=TOWNSHIP, first_on=date(2026, 10, 1), last_on=date(2026, 10, 31), duty=None,
            village_code=None, now=LATER, zone=ZONE, cover_reach_m=300, **rule,
        )  # fmt: skip
        passed = patrolled_report(
            connection, township_code=TOWNSHIP, now=at(31, 23, month=10), zone=ZONE, patrolled_days=60, patrol_pass_m=100,
            long_unpatrolled_days=30, checkpoint_reach_m=60, path_attach_m=300, path_snap_m=0.5,
        )  # fmt: skip
    for name, figure in (
        ("visited", page.visited),
        ("covered", page.covered),
        ("kept", page.visits.kept),
        ("cannot_tell", page.visits.cannot_tell),
        ("long_share", passed.long_share),
    ):
        ours = october.figures[f"coverage.{name}"]
        assert (ours.numerator, ours.denominator) == (figure.numerator, figure.denominator), name
    assert october.figures["coverage.mean_days"].value == number(passed.mean_days.value)


def test_numbers_are_rounded_once_and_whole_where_they_are_whole():
    assert number(1 / 3) == 0.333333333
    assert number(0.1 + 0.2) == 0.3
    assert isinstance(number(5.0), int)
    assert number(1.23456789012e-9) == 1.23456789e-9
    assert [number(value) for value in (None, float("nan"), float("inf"), pd.NA)] == [None] * 4


# ---- totals, by two ways


def _summed(table: ReviewTable, name: str) -> int:
    """The rows of a column added up; they must give the total row."""
    values = [int(value) for value in table.rows[name]]
    if table.has_total:
        assert sum(values[:-1]) == values[-1], (table.key, name)
        return values[-1]
    return sum(values)


def test_every_table_of_disputes_adds_up_to_the_same_totals(march: ReviewReport):
    tables = march.tables
    for figure, column in (("n_new", "n_new"), ("n_new_settled", "n_settled"), ("n_new_unsettled", "n_unsettled")):
        value = march.figures[f"disputes.{figure}"].value
        for key in ("by_category", "by_village", "by_team", "by_village_and_category", "county_form"):
            assert _summed(tables[f"disputes.{key}"], column) == value, (key, column)
    form = tables["disputes.county_form"]
    cells = [column.key for column in form.columns if column.title is not None]
    assert sum(_summed(form, key) for key in cells) == march.figures["disputes.n_new"].value
    rows = tables["disputes.rows"].rows
    assert (rows["is_new"] == "yes").sum() == march.figures["disputes.n_new"].value
    kinds = tables["cases.by_kind"].rows.set_index("kind")
    assert kinds.loc["dispute", "n_new"] == march.figures["disputes.n_new"].value
    assert _summed(tables["cases.by_kind"], "n_new") == march.figures["cases.n_new"].value


def test_what_was_open_and_new_is_settled_or_open(march: ReviewReport):
    for name in ("disputes", "cases"):
        value = {key: march.figures[f"{name}.{key}"].value for key in ("n_open_before", "n_new", "n_reopened")}
        after = {key: march.figures[f"{name}.{key}"].value for key in ("n_settled", "n_open_after")}
        assert sum(filter(None, value.values())) == sum(filter(None, after.values()))
        assert min(value.values()) > 0


_NEW = """
SELECT category.name AS category, village.area_code AS place, incident.village_code AS named,
       coalesce((SELECT step.kind FROM incident_step AS step WHERE step.incident_code = incident.incident_code
        AND step.kind IN ('closed', 'reopened') AND step.happened_at < :until AND step.recorded_at <= :known_at
        ORDER BY step.happened_at DESC, step.kind DESC LIMIT 1), 'open') = 'closed' AS is_settled
FROM incident JOIN category USING (category_code, list_year)
LEFT JOIN area AS village ON village.level = 'village' AND ST_Covers(village.geom, incident.geom)
WHERE category.kind = 'dispute' AND incident.recorded_at <= :known_at
  AND incident.happened_at >= :since AND incident.happened_at < :until
"""


def test_sql_counts_the_same_as_frames(full: Engine, march: ReviewReport):
    span = {"since": at(1, 0, month=3), "until": at(1, 0, month=4), "known_at": MARCH}
    with full.connect() as connection:
        found = pd.DataFrame(connection.execute(text(_NEW), span).mappings().all())
    found["village_code"] = found["place"].where(found["place"].notna(), found["named"])
    found["village_code"] = found["village_code"].where(found["village_code"].notna(), NOWHERE)
    for key, name in (("disputes.by_category", "category"), ("disputes.by_village", "village_code")):
        groups = found.groupby(name)["is_settled"]
        oracle = {place: (int(groups.size()[place]), int(groups.sum()[place])) for place in groups.groups}
        rows = march.tables[key].rows.iloc[:-1]
        ours = {row[name]: (row["n_new"], row["n_settled"]) for _, row in rows.iterrows() if row["n_new"]}
        assert ours == oracle
    assert NOWHERE in set(found["village_code"])


def test_what_was_recorded_later_is_not_known_yet(full: Engine, march: ReviewReport):
    later = review(full, "2026-03", known_at=at(30, 8, month=6))
    value = {name: one.figures["cases.n_new"].value for name, one in (("then", march), ("later", later))}
    with full.connect() as connection:
        late = connection.execute(
            text("SELECT count(*) FROM incident WHERE recorded_at > :known_at AND happened_at < :known_at"),
            {"known_at": MARCH},
        ).scalar_one()
    assert value["then"] is not None
    assert value["later"] == value["then"] + late
    assert late > 0


# ---- months


def test_a_month_without_data_is_unknown_and_never_zero(busy: Engine):
    """April: the plan, homes and points are known, but nothing was recorded."""
    report = review(busy, "2026-04")
    told = {key for key, one in report.figures.items() if one.value is not None}
    assert not {
        key for key in told if key.startswith(("disputes.", "cases.", "satisfaction.", "hotspots.", "workload."))
    }
    assert not told & {"coverage.visited", "coverage.kept", "coverage.door_to_door", "gaps.n_opened", "quality.late"}
    assert {"cap.n_grids", "cap.n_households", "coverage.covered"} <= told
    for key in ("disputes.county_form", "disputes.by_category", "cases.by_kind", "satisfaction.ratings"):
        assert report.tables[key].rows.empty


def test_before_any_plan_nothing_is_said_of_grids(busy: Engine):
    report = review(busy, "2025-03")
    assert report.plan is None
    assert report.figures["cap.n_grids"].value is None
    assert report.figures["plans.n_moved_households"].value is None
    assert [note.text_key for note in report.section("plans").notes] == ["review.note_plan_unknown"]


def test_february_ends_with_its_last_day(full: Engine):
    """Shanghai's midnight: the last minute of the 28th is in, the first of March is not."""
    report = review(full, "2026-02", known_at=at(30, 8, month=6))
    assert (report.month.first_on, report.month.last_on) == (date(2026, 2, 1), date(2026, 2, 28))
    with full.connect() as connection:
        n = connection.execute(
            text(
                "SELECT count(*) FROM incident WHERE to_char(happened_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = '2026-02'"
            )
        ).scalar_one()
    assert report.figures["cases.n_new"].value == n
    leap = month_span(date(2028, 2, 1), known_at=datetime(2030, 1, 1, tzinfo=UTC), zone=ZONE)
    assert leap.last_on == date(2028, 2, 29)
    assert leap.until - leap.since == timedelta(days=29)


def test_a_month_that_goes_on_ends_today(busy: Engine):
    report = review(busy, known_at=NOW)
    assert not report.is_over
    assert report.month.last_on == date(2026, 10, 15)


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "26-10", "October", "2026-10-01", "", "1999-12"])
def test_a_month_written_otherwise_is_refused(month: str):
    with pytest.raises(InputError, match="2026-10"):
        parse_month(month)


def test_a_month_that_had_not_begun_and_an_unknown_township_are_refused(busy: Engine):
    with pytest.raises(InputError, match="2026-12"):
        review(busy, "2026-12")
    with busy.connect() as connection, pytest.raises(InputError, match="439901998"):
        review_report(connection, township_code="439901998", month="2026-10", known_at=LATER, zone=ZONE, rules=RULES)


# ---- plans and villages change


def _publish_move(engine: Engine, *, published_at: datetime, valid_from: date) -> None:
    """Move the west village's second group (4 homes) into its first grid; its second grid is gone."""
    actor = Actor(name="李规划", at=published_at)
    with engine.begin() as connection:
        base = int(connection.execute(text("SELECT plan_id FROM plan WHERE state = 'published'")).scalar_one())
        options = {"township_code": TOWNSHIP, "barrier_slip_m": 0.5}
        board = plan_board(connection, plan_id=base, **options)
        plan_id = branch_plan(connection, board, name="十月调整", actor=actor)
        draft = plan_board(connection, plan_id=plan_id, **options).draft()
        draft.move([GROUPS[1] + "00"], GRIDS[0])
        save_draft(connection, plan_id=plan_id, revision=0, edits=draft.log, actor=actor)
        submit_plan(connection, plan_id=plan_id, revision=1, actor=actor)
        publish_plan(connection, plan_id=plan_id, valid_from=valid_from, actor=actor, **options)


def test_the_month_of_a_plan_change(busy_engine: Engine):
    before = review(busy_engine)
    _publish_move(busy_engine, published_at=at(5), valid_from=date(2026, 10, 10))
    report = review(busy_engine)
    assert report.plan is not None
    assert report.plan_before is not None
    assert (report.plan_before, report.plan.name) == (before.plan, "十月调整")
    figures = report.figures
    names = ("n_changes", "n_moved_households", "n_new_grids", "n_gone_grids")
    assert [figures[f"plans.{name}"].value for name in names] == [1, 4, 0, 1]
    moved = report.tables["plans.moved"].rows
    assert moved[["old", "new", "n_households"]].iloc[0].tolist() == [GRIDS[1], GRIDS[0], 4]
    cap = report.tables["cap.grids"].rows.set_index("grid_code")["n_households"]
    assert cap.to_dict() == {GRIDS[0]: 7, GRIDS[2]: 11}
    assert figures["cap.n_grids"].previous is not None
    assert (figures["cap.n_grids"].value, figures["cap.n_grids"].previous.value) == (2, 3)
    # What does not depend on grids is as it was.
    for key in ("disputes.n_new", "coverage.covered", "coverage.mean_days", "satisfaction.mean"):
        assert figures[key].value == before.figures[key].value


def test_a_plan_published_later_was_not_known(busy_engine: Engine):
    _publish_move(busy_engine, published_at=at(20, month=11), valid_from=date(2026, 10, 10))
    report = review(busy_engine)
    assert report.plan is not None
    assert (report.plan.n_grids, report.figures["plans.n_changes"].value) == (3, 0)


def test_a_village_that_was_merged_keeps_its_cases_in_every_total(busy_engine: Engine):
    """East joins west on 10 October; I2 has a place, another dispute is only named as of the east village."""
    row = {
        "incident_code": ["I9"], "township_code": TOWNSHIP, "category_code": "D1", "list_year": 2026, "urgency": "normal",
        "source": "x", "village_code": EAST_VILLAGE, "place": None, "text": None, "happened_at": [at(3)],
        "recorded_at": [at(3)], "due_at": [at(10)],
    }  # fmt: skip
    with busy_engine.begin() as connection:
        unplaced = gpd.GeoDataFrame(row, geometry=gpd.GeoSeries([None], crs=STORED))
        write_rows(connection, "incident", unplaced, key=["incident_code"], append_only=True)
        early = [at(3, month=9)]
        past = {
            "incident_code": ["I8"],
            "village_code": [None],
            "happened_at": early,
            "recorded_at": early,
            "due_at": early,
        }
        placed = gpd.GeoDataFrame(row | past, geometry=stored([metric_point(3000, 900)]))
        write_rows(connection, "incident", placed, key=["incident_code"], append_only=True)
        connection.execute(
            text(
                "UPDATE area SET geom = (SELECT ST_Multi(ST_Union(geom)) FROM area WHERE level = 'village')"
                " WHERE area_code = :west"
            ),
            {"west": WEST_VILLAGE},
        )
        connection.execute(
            text("UPDATE area SET valid_from = '2020-01-01', valid_until = '2026-10-10' WHERE area_code = :east"),
            {"east": EAST_VILLAGE},
        )
    report = review(busy_engine)
    rows = report.tables["disputes.by_village"].rows.set_index("village_code")
    assert rows["n_new"].to_dict() == {WEST_VILLAGE: 2, EAST_VILLAGE: 1, TOTAL: 3}
    assert rows["village"].to_dict() == {WEST_VILLAGE: "西村", EAST_VILLAGE: "东村", TOTAL: TOTAL}
    form = report.tables["disputes.county_form"]
    assert _summed(form, "n_new") == report.figures["disputes.n_new"].value == 3
    september = review(busy_engine, month="2026-09").tables["disputes.by_village"].rows.set_index("village_code")
    assert september["n_new"].drop(TOTAL).to_dict() == {WEST_VILLAGE: 3, EAST_VILLAGE: 1}


# ---- a report that describes itself


@pytest.mark.parametrize(("value", "said"), [(0.0, "<0.001"), (4.2e-5, "<0.001"), (0.001, "0.001"), (0.0349, "0.035"), (1.0, "1.000")])  # fmt: skip
def test_a_probability_is_never_said_to_be_nothing(value: float, said: str):
    assert cell_words(a_column("q", "decimal"), value) == said
    assert cell_words(a_column("low_95", "decimal"), 0.0) == "0.00"


def test_a_report_written_and_read_again_is_the_same(march: ReviewReport):
    record = to_record(march)
    again = from_record(json.loads(canonical_text(record)))
    assert digest_of(to_record(again)) == digest_of(record)
    assert (again.month, again.known_at) == (march.month, march.known_at)


def test_every_figure_there_is_stands_in_the_report(march: ReviewReport):
    assert set(march.figures) == set(KINDS)


def test_everything_has_its_words_and_rows_that_tell_themselves_apart(october: ReviewReport, march: ReviewReport):
    known = set(catalogue("zh"))
    for report in (october, march):
        for figure in report.figures.values():
            assert {figure.title_key, figure.formula_key, figure.unit} <= known
            assert figure.rows_key is None or figure.rows_key in report.tables
        for table in report.tables.values():
            assert not table.rows[list(table.id_columns)].duplicated().any()
            for column in table.columns:
                assert column.title_key in known
                codes = set(table.rows[column.key].dropna()) - {TOTAL, NOWHERE} if column.words else set()
                assert {f"{column.words}{code}" for code in codes} <= known
        for one in report.maps.values():
            codes = set(one.grids["value"].dropna()) | set(one.classes) if one.words else set()
            assert {f"{one.words}{code}" for code in codes} <= known
            assert one.grids.index.tolist() == report.grids.index.tolist()
        keys = {one.title_key for one in (*report.sections, *report.tables.values(), *report.maps.values())}
        assert keys | {note.text_key for section in report.sections for note in section.notes} <= known


# ---- what may hang on a board


def test_a_board_shows_no_case_no_small_count_and_no_number_that_gives_one_away(march: ReviewReport):
    shown = public_report(march)
    assert not [key for key in shown.figures if key.startswith(("disputes.", "cases.n_"))]
    assert not [key for key in shown.tables if "rows" in key or "overdue" in key or "village_and" in key]
    (hidden,) = [one for one in shown.tables.values() if one.hides_small]
    assert hidden.key == "disputes.by_category"
    for name in ("n_new", "n_settled", "n_unsettled"):
        assert not set(hidden.rows[name]) & {"1", "2"}
    assert [column.key for column in hidden.columns] == ["category", "n_new", "n_settled", "n_unsettled"]


def test_a_small_count_on_a_board_is_hidden_and_so_is_the_total_beside_it(march: ReviewReport):
    table = march.tables["disputes.by_category"]
    rows = table.rows.iloc[[0, 0, -1]].copy()
    rows["category"], rows["n_settled"], rows["n_unsettled"] = ["邻里", "婚姻", TOTAL], [5, 2, 7], [0, 4, 4]
    report = replace(march, sections=tuple(replace(one, figures=(), tables=(), maps=()) for one in march.sections))
    section = replace(report.sections[0], tables=(replace(table, rows=rows),))
    shown = public_report(replace(report, sections=(section,))).tables["disputes.by_category"].rows
    assert shown.to_numpy().tolist() == [
        ["邻里", "5", "5", "0"],
        ["婚姻", "5-6", "<3", "4"],
        [TOTAL, "10-11", "6-7", "4"],
    ]


# ---- a province


def test_a_township_of_a_province_has_the_figures_of_one_alone(full: Engine, march: ReviewReport, tmp_path: Path):
    given = {"month": date(2026, 3, 1), "known_at": MARCH, "zone": ZONE, "rules": RULES}
    with full.connect() as connection:
        write_township(connection, tmp_path, township_code=TOWNSHIP, **given)
    told: list[tuple[int, int]] = []
    figures, form = review_province(
        tmp_path, progress=lambda done, of: told.append((done, of)), scheduler="synchronous", **given
    )
    row = figures.loc[TOWNSHIP]
    assert told == [(1, 1)]
    assert pd.isna(row["fault"])
    for key, one in march.figures.items():
        parts = (one.value, one.numerator, one.denominator, one.previous and one.previous.value)
        ours = [row.get(name) for name in (key, f"{key}.numerator", f"{key}.denominator", f"previous.{key}")]
        assert [None if pd.isna(value) else value for value in ours] == list(parts), key
    rows = march.tables["disputes.by_category"].rows.iloc[:-1].set_index("category")
    columns = ["n_new", "n_settled", "n_unsettled", "n_previous", "change"]
    assert (
        form.loc[TOWNSHIP].sort_index()[columns].to_numpy().tolist()
        == rows.sort_index()[columns].to_numpy(float).tolist()
    )


def test_a_township_that_cannot_be_measured_says_why_and_the_others_are(full: Engine, tmp_path: Path):
    given = {"month": date(2026, 3, 1), "known_at": MARCH, "zone": ZONE, "rules": RULES}
    with full.connect() as connection:
        files = write_township(connection, tmp_path, township_code=TOWNSHIP, **given)
    for file in files:
        if file.parent.name == "townships":
            land = gpd.read_parquet(file).assign(township_code="439901998")
            land.to_parquet(file.with_name("439901998.parquet"))
    figures, _ = review_province(tmp_path, progress=lambda *_: None, scheduler="synchronous", **given)
    assert figures["fault"].notna().to_dict() == {"439901998": True, TOWNSHIP: False}
    assert "439901998" in figures.loc["439901998", "fault"]
    assert pd.isna(figures.loc["439901998", "cases.n_new"])


def _province(folder: Path, **changed: object) -> pd.DataFrame:
    given = {"month": date(2026, 3, 1), "known_at": MARCH, "zone": ZONE, "rules": RULES} | changed
    return review_province(folder, progress=lambda *_: None, scheduler="synchronous", **given)[0]


@pytest.fixture
def exported(full: Engine, tmp_path: Path) -> Path:
    """The township's March, as known on MARCH."""
    with full.connect() as connection:
        write_township(
            connection, tmp_path, township_code=TOWNSHIP, month=date(2026, 3, 1), known_at=MARCH, zone=ZONE, rules=RULES
        )
    return tmp_path


@pytest.mark.parametrize("layer", ["townships", "steps", "incidents", "postings"])
@pytest.mark.parametrize("content", [b"", b"PAR1 no such thing"])
def test_a_broken_layer_is_one_sentence_about_its_township(exported: Path, layer: str, content: bytes):
    (exported / layer / f"{TOWNSHIP}.parquet").write_bytes(content)
    fault = str(_province(exported).loc[TOWNSHIP, "fault"])
    assert TOWNSHIP in fault
    assert f"“{layer}”" in fault
    assert "Error" not in fault


def test_a_layer_in_the_place_of_another_is_a_fault(exported: Path):
    (exported / "postings" / f"{TOWNSHIP}.parquet").write_bytes(
        (exported / "steps" / f"{TOWNSHIP}.parquet").read_bytes()
    )
    assert "不完整或互相不符" in str(_province(exported).loc[TOWNSHIP, "fault"])


def test_a_township_that_could_not_be_written_whole_is_none(full: Engine, exported: Path):
    (exported / "steps" / f"{TOWNSHIP}.parquet").unlink()
    (exported / "steps").rmdir()
    (exported / "steps").touch()
    given = {"month": date(2026, 2, 1), "known_at": MARCH, "zone": ZONE, "rules": RULES}
    with full.connect() as connection, pytest.raises(InputError, match="无法写入"):
        write_township(connection, exported, township_code=TOWNSHIP, **given)
    with pytest.raises(InputError, match="没有乡镇"):
        _province(exported)


def test_data_of_another_month_are_no_figures_of_this_one(exported: Path):
    row = _province(exported, month=date(2026, 2, 1)).loc[TOWNSHIP]
    assert "2026-03" in row["fault"]
    assert pd.isna(row.get("cases.n_new"))


def test_a_township_is_never_measured_as_known_before_it_was_exported_and_later_as_of_then(
    full: Engine, exported: Path
):
    before = _province(exported, known_at=MARCH - timedelta(hours=1)).loc[TOWNSHIP, "fault"]
    assert "2026-04-01 08:00" in str(before)
    months = {"month": date(2026, 3, 1), "zone": ZONE, "rules": RULES, "known_at": at(20, month=3)}
    with full.connect() as connection:
        write_township(connection, exported, township_code=TOWNSHIP, **months)
    row, alone = _province(exported).loc[TOWNSHIP], review(full, "2026-03", known_at=at(20, month=3)).figures
    for key in ("cases.n_new", "cases.n_open_after", "quality.n_facts"):
        assert row[key] == alone[key].value, key


def test_a_folder_without_townships_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="乡镇"):
        review_province(
            tmp_path, month=date(2026, 3, 1), known_at=MARCH, zone=ZONE, rules=RULES, progress=lambda *_: None
        )
