"""Hot and cold grids of a town of 25 squares with 20 homes each, where every count is planted by hand."""

from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import stats
from sqlalchemy import Connection, Engine, text

from gridmap.reports.hotspots import HotspotsReport, hotspots_report
from gridmap.store.writing import write_rows
from tests.busy import NOW
from tests.tiny import GRIDS, METRIC, STORED, TOWNSHIP, WEST_VILLAGE, metric_point, stored, write_categories

POLICY = {
    "public_hidden_below": 3,
    "drawn_tolerance_m": 2.5,
    "hotspot_alpha": 0.05,
    "hotspot_min_households": 10,
    "hotspot_min_expected": 5.0,
    "hotspot_permutations": 99,
    "hotspot_seed": 1,
    "trend_months": 12,
    "trend_min_months": 8,
    "trend_persistent_share": 2 / 3,
    "repeat_m": 200.0,
    "repeat_days": 14,
}
LAST = date(2026, 10, 15)
YEAR = {"first_on": date(2025, 10, 16), "last_on": LAST}
SIDE, N_HOMES = 5, 20


def _report(engine: Engine, **changed: object) -> HotspotsReport:
    common = {"township_code": TOWNSHIP, "now": NOW, "zone": ZoneInfo("Asia/Shanghai")}
    with engine.connect() as connection:
        return hotspots_report(
            connection,
            **{**common, **YEAR, "kind": "dispute", "category": None, "hides_private": False, **POLICY, **changed},
        )


def _centre(grid: int) -> tuple[float, float]:
    return 100 + 200.0 * (grid % SIDE), 100 + 200.0 * (grid // SIDE)


def _code(grid: int) -> str:
    return f"{WEST_VILLAGE}{grid + 1:03d}"


def _write_town(connection: Connection, *, n_homes: int = N_HOMES) -> None:
    """25 squares of 200 m, each a group, a unit and a grid, `n_homes` homes in the middle of each."""
    boxes = [
        shapely.MultiPolygon(
            [shapely.box(*metric_point(x - 100, y - 100).coords[0], *metric_point(x + 100, y + 100).coords[0])]
        )
        for x, y in map(_centre, range(SIDE**2))
    ]
    whole = shapely.MultiPolygon([shapely.union_all(boxes)])
    groups = [f"{WEST_VILLAGE}{grid + 1:02d}" for grid in range(SIDE**2)]
    areas = pd.DataFrame(
        {
            "area_code": [TOWNSHIP, WEST_VILLAGE, *groups],
            "township_code": TOWNSHIP,
            "level": ["township", "village", *["group"] * SIDE**2],
            "kind": ["township", "village", *["group"] * SIDE**2],
            "parent_code": [None, TOWNSHIP, *[WEST_VILLAGE] * SIDE**2],
            "name": ["小乡", "西村", *groups],
        }
    )
    write_rows(connection, "area", gpd.GeoDataFrame(areas, geometry=stored([whole, whole, *boxes])), key=["area_code"])
    homes = [
        (f"H{grid}-{home}", groups[grid], metric_point(*_centre(grid)))
        for grid in range(SIDE**2)
        for home in range(n_homes)
    ]
    if homes:
        codes, in_group, places = zip(*homes, strict=True)
        frame = {
            "household_code": codes,
            "township_code": TOWNSHIP,
            "group_code": in_group,
            "n_residents": 3,
            "updated_on": LAST,
        }
        write_rows(
            connection, "household", gpd.GeoDataFrame(frame, geometry=stored(list(places))), key=["household_code"]
        )
    units = {"unit_code": [f"{group}00" for group in groups], "group_code": groups, "village_code": WEST_VILLAGE}
    write_rows(
        connection,
        "unit",
        gpd.GeoDataFrame({**units, "township_code": TOWNSHIP}, geometry=stored(boxes)),
        key=["unit_code"],
    )
    codes = [TOWNSHIP, WEST_VILLAGE, *map(_code, range(SIDE**2))]
    grids = {
        "grid_code": codes,
        "township_code": TOWNSHIP,
        "level": [1, 2, *[3] * SIDE**2],
        "parent_code": [None, TOWNSHIP, *[WEST_VILLAGE] * SIDE**2],
        "name": codes,
        "opened_on": date(2025, 1, 1),
    }
    write_rows(connection, "grid", pd.DataFrame(grids), key=["grid_code"])
    plan = connection.execute(
        text(
            "INSERT INTO plan (township_code, name, state, valid_from, owner, revision, household_cap)"
            " VALUES (:township, '方案', 'draft', '2025-01-01', 'tests', 0, 100) RETURNING plan_id"
        ),
        {"township": TOWNSHIP},
    ).scalar_one()
    for grid, group in enumerate(groups):
        connection.execute(
            text(
                "INSERT INTO plan_unit (plan_id, unit_id, grid_code)"
                " SELECT :plan, unit_id, :grid FROM unit WHERE group_code = :group"
            ),
            {"plan": plan, "grid": _code(grid), "group": group},
        )
    connection.execute(text("UPDATE plan SET state = 'published' WHERE plan_id = :plan"), {"plan": plan})


def _write_disputes(connection: Connection, days_ago: Mapping[int, list[int]]) -> None:
    """Neighbours' quarrels: for each grid, how many days ago each happened; in its middle, told an hour later."""
    write_categories(connection)
    rows = [(grid, NOW - timedelta(days=days)) for grid, all_days in days_ago.items() for days in all_days]
    frame = {
        "incident_code": [f"Q{number}" for number in range(len(rows))],
        "township_code": TOWNSHIP,
        "category_code": "D1",
        "list_year": 2026,
        "urgency": "normal",
        "village_code": WEST_VILLAGE,
        "happened_at": [at for _, at in rows],
        "recorded_at": [at + timedelta(hours=1) for _, at in rows],
    }
    places = gpd.GeoSeries([metric_point(*_centre(grid)) for grid, _ in rows], crs=METRIC).to_crs(STORED)
    write_rows(
        connection, "incident", gpd.GeoDataFrame(frame, geometry=places), key=["incident_code"], append_only=True
    )


def _make_private(engine: Engine, *, n: int) -> None:
    """Make the first `n` quarrels of the middle grid a family matter."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE incident DISABLE TRIGGER USER"))
        connection.execute(
            text(
                "UPDATE incident SET category_code = 'D2' WHERE incident_code IN (SELECT incident_code FROM incident"
                " WHERE ST_DWithin(geom, (SELECT ST_SetSRID(ST_GeomFromWKB(:middle), 4490)), 0.0001)"
                " ORDER BY incident_code LIMIT :n)"
            ),
            {"n": n, "middle": bytes(stored([metric_point(*_centre(12))]).to_wkb()[0])},
        )


def _spread(n: int, *, begin: int = 1) -> list[int]:
    """Days ago, evenly over a year."""
    return np.linspace(begin, 360, n).astype(int).tolist()


@pytest.fixture
def planted(engine: Engine) -> Engine:
    """Four quarrels a grid over a year, but 30 in the middle one."""
    with engine.begin() as connection:
        _write_town(connection)
        _write_disputes(connection, {grid: _spread(30 if grid == 12 else 4) for grid in range(SIDE**2)})
    return engine


def test_a_planted_grid_is_found_with_its_figures(planted: Engine):
    report = _report(planted)
    row = report.grids.loc[_code(12)]
    assert report.unknown is None
    assert (row["n_incidents"], row["n_households"], row["rate"]) == (30, 20, 150)
    assert row["expected"] == pytest.approx(126 / 25)
    assert (row["n_near"], row["n_around"]) == (8, 62)
    assert row["expected_around"] == pytest.approx(126 * 9 / 25)
    assert row["is_alone"]
    assert row["p"] == pytest.approx(2 * stats.binom.sf(29, 126, 1 / 25))
    assert row["q"] < 1e-10
    assert report.grids.index[report.grids["class"] == "hot"].tolist() == [_code(12)]


@pytest.mark.parametrize(("n_private", "told"), [(0, "0"), (1, "<3"), (2, "<3"), (3, "3")])
def test_everybody_sees_the_same_classes_but_no_small_number_of_private_matters(
    planted: Engine, n_private: int, told: str
):
    _make_private(planted, n=n_private)
    handled, public = _report(planted), _report(planted, hides_private=True)
    pd.testing.assert_series_equal(handled.grids["class"], public.grids["class"])
    pd.testing.assert_series_equal(handled.grids["trend"], public.grids["trend"])
    row = public.grids.loc[_code(12)]
    assert (row["n_incidents"], row["n_private"]) == (30 - n_private, told)
    assert public.grids.drop(index=_code(12))["n_private"].eq("0").all()
    away = ["expected", "rate", "n_around", "expected_around", "p", "q"]
    assert public.grids[away].isna().all(axis=None)
    assert handled.grids[away].notna().all(axis=None)


def test_one_and_two_private_matters_look_the_same_to_everybody(planted: Engine):
    """Whatever stands in the report: it does not tell one from two."""
    seen = []
    for n in (1, 2):
        _make_private(planted, n=n)
        seen.append(_report(planted, hides_private=True, category="婚姻"))
    one, two = seen
    pd.testing.assert_frame_equal(one.grids, two.grids)
    assert (one.n_elsewhere, one.repeats) == (two.n_elsewhere, two.repeats)


def test_no_grid_stands_out_where_each_has_as_many(engine: Engine):
    with engine.begin() as connection:
        _write_town(connection)
        _write_disputes(connection, dict.fromkeys(range(SIDE**2), _spread(24)))
    report = _report(engine)
    assert (report.grids["class"] == "not significant").all()
    assert (report.grids["trend"] == "steady").all()


_MORE_EACH_MONTH = [day for month in range(12) for day in [month * 30 + 2] * (12 - month)]


@pytest.mark.parametrize(("days", "trend"), [(_spread(48), "persistent"), (_MORE_EACH_MONTH, "emerging")])
def test_a_hot_grid_of_every_month_is_persistent_and_one_that_rises_emerges(
    engine: Engine, days: list[int], trend: str
):
    with engine.begin() as connection:
        _write_town(connection)
        _write_disputes(connection, dict.fromkeys(range(SIDE**2), _spread(12)) | {24: days})
    assert _report(engine).grids.loc[_code(24), ["class", "trend"]].tolist() == ["hot", trend]


def test_a_short_span_still_has_the_trend_of_a_year(planted: Engine):
    report = _report(planted, first_on=LAST - timedelta(days=29))
    assert report.trend_first_on == YEAR["first_on"]
    assert report.n_months == 13
    assert report.grids.loc[_code(12), "n_incidents"] == 3
    assert report.grids.loc[_code(12), ["class", "trend"]].tolist() == ["not significant", "persistent"]


def test_pairs_within_days_that_shuffled_dates_do_not_give_are_told(engine: Engine, planted: Engine):
    assert _report(planted).repeats is None
    bursts = {grid: [20 * grid + 10, 20 * grid + 11, 20 * grid + 12] for grid in range(0, 17, 2)}
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE incident DISABLE TRIGGER USER"))
        connection.execute(text("DELETE FROM incident"))
        connection.execute(text("DELETE FROM category"))
        _write_disputes(connection, bursts)
    repeats = _report(engine).repeats
    assert repeats is not None
    assert (repeats.n_pairs, repeats.within_m, repeats.within_days) == (9 * 3, 200, 14)
    assert repeats.ratio > 5
    assert repeats.p == pytest.approx(0.01)


def test_only_what_was_recorded_by_then_is_known_and_the_seed_decides(planted: Engine):
    earlier = _report(planted, now=NOW - timedelta(days=180))
    assert earlier.grids["n_incidents"].sum() < _report(planted).grids["n_incidents"].sum()
    pd.testing.assert_frame_equal(_report(planted).grids, _report(planted).grids)


def test_kind_and_category_narrow_what_is_compared(busy_engine: Engine):
    assert _report(busy_engine, kind=None).grids["n_incidents"].tolist() == [2, 3, 1]
    assert _report(busy_engine, kind=None).n_elsewhere == 1
    assert _report(busy_engine, category="婚姻").grids["n_incidents"].tolist() == [0, 0, 1]


def test_a_few_incidents_in_a_tiny_township_are_too_few_to_say(busy_engine: Engine):
    grids = _report(busy_engine).grids
    assert grids.index.tolist() == list(GRIDS)
    assert (grids["class"] == "too few to say").all()
    assert (grids["trend"] == "too few to say").all()


def test_without_households_nothing_can_be_compared(engine: Engine):
    with engine.begin() as connection:
        _write_town(connection, n_homes=0)
        _write_disputes(connection, {12: _spread(30)})
    report = _report(engine)
    assert report.unknown == "no_households"
    assert report.grids.loc[_code(12), "n_incidents"] == 30
    assert report.grids[["expected", "rate", "q", "class", "trend"]].isna().all(axis=None)


def test_an_empty_record_is_unknown_and_not_zero(tiny_engine: Engine):
    report = _report(tiny_engine)
    assert report.unknown == "no_facts"
    assert report.grids["n_incidents"].isna().all()


def test_without_a_plan_there_are_no_grids(tiny_engine: Engine):
    report = _report(tiny_engine, first_on=date(2024, 1, 1), last_on=date(2024, 2, 1))
    assert report.unknown == "no_grids"
    assert report.grids.empty
    assert report.is_past_plan


def test_days_that_run_backwards_are_refused(tiny_engine: Engine):
    with pytest.raises(ValueError, match="last"):
        _report(tiny_engine, first_on=LAST, last_on=date(2026, 1, 1))
