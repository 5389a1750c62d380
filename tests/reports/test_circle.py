"""The 15-minute circle of the tiny township, counted by hand.

One lane runs through all homes; the service point stands on it 2,500 m from the west. 15 minutes at 4.5 km/h are 1,125 m, so the homes
between 1,375 m and 3,625 m are inside: one of the second group, all of the third and fourth.
"""

from datetime import date

import pytest
from sqlalchemy import Engine

from gridmap.crs import STORED_CRS
from gridmap.errors import InputError
from gridmap.reports import circle_points
from gridmap.reports.circle import CircleReport, circle_report
from gridmap.reports.circle_points import fewest_points, suggest_points, try_point
from tests.tiny import GRIDS, TOWNSHIP, WEST_VILLAGE, metric_point, stored

DAY = date(2026, 10, 15)


def _report(engine: Engine, *, minutes: int = 15, goal: str = "service") -> CircleReport:
    with engine.connect() as connection:
        return circle_report(
            connection,
            township_code=TOWNSHIP,
            on=DAY,
            minutes=minutes,
            goal=goal,
            walking_kmh=4.5,
            path_attach_m=300.0,
            path_snap_m=0.5,
            circle_land_m=60.0,
        )


def _degrees(east_m: float, north_m: float) -> dict[str, float]:
    (place,) = stored([metric_point(east_m, north_m)])
    return {"longitude": place.x, "latitude": place.y}


def test_homes_inside_outside_and_by_how_much(busy_engine: Engine):
    report = _report(busy_engine)
    figures = report.figures
    assert (figures.reached.numerator, figures.reached.denominator) == (12, 18)
    assert (figures.n_outside.value, figures.n_residents_outside.value, figures.n_unmatched.value) == (6, 12, 0)
    assert report.n_points.value == 1
    assert list(report.grids.index[:2]) == [GRIDS[0], GRIDS[1]]
    assert report.grids.loc[GRIDS[1], "n_outside"] == 3
    assert report.grids.loc[GRIDS[1], "missing_m"] == pytest.approx(175, abs=0.5)
    assert report.grids.loc[GRIDS[2], "reached_share"] == 1


def test_a_village_has_its_own_figures(busy_engine: Engine):
    figures = _report(busy_engine).of_village(WEST_VILLAGE)
    assert (figures.reached.numerator, figures.reached.denominator) == (1, 7)


def test_inside_outside_and_unmatched_are_all(busy_engine: Engine):
    report = _report(busy_engine)
    assert report.households["status"].isin(["reached", "beyond", "unreachable", "unmatched"]).all()
    assert len(report.households) == 18


def test_the_land_holds_the_homes_inside_and_none_outside(busy_engine: Engine):
    report = _report(busy_engine)
    land = report.area.union_all()
    inside = report.households["status"] == "reached"
    assert report.households.geometry[inside].within(land).all()
    assert not report.households.geometry[~inside].within(land).any()
    assert report.area.crs == STORED_CRS


def test_longer_ways_reach_no_fewer(busy_engine: Engine):
    reached = [_report(busy_engine, minutes=minutes).figures.reached.numerator for minutes in (5, 10, 15, 30, 60)]
    assert reached == sorted(reached)
    assert reached[-1] == 18


def test_one_more_point_wins_the_homes_near_it(busy_engine: Engine):
    report = _report(busy_engine)
    tried = try_point(report, **_degrees(1000, 1000))
    assert tried.is_matched
    assert (len(tried.won), tried.n_residents) == (6, 12)
    assert set(report.households.loc[tried.won, "status"]) == {"beyond"}


def test_a_point_far_from_every_path_wins_nobody(busy_engine: Engine):
    tried = try_point(_report(busy_engine), **_degrees(1000, 1900))
    assert not tried.is_matched
    assert len(tried.won) == 0


def test_the_best_place_is_found_and_proven(busy_engine: Engine):
    report = _report(busy_engine)
    found = suggest_points(report, n_points=1, seconds_left=lambda: 10.0)
    assert (found.n_won, found.n_residents) == (6, 12)
    assert found.siting.is_optimal
    assert [step.covered for step in found.siting.curve] == [12, 18]
    assert found.table["covered"].tolist() == [18]
    assert found.table["place"].str.startswith("西村").all()
    latitude, longitude = found.places[0]
    assert len(try_point(report, longitude=longitude, latitude=latitude).won) == 6


def test_without_paths_nothing_is_known(tiny_engine: Engine):
    report = _report(tiny_engine)
    assert not report.is_known
    assert report.figures.reached.value is None
    assert report.figures.n_outside.value is None


def test_how_few_points_reach_a_share(busy_engine: Engine):
    report = _report(busy_engine)
    one = fewest_points(report, share=1.0, seconds_left=lambda: 10.0)
    assert (len(one.sites), one.bound, one.covered) == (1, 1, 18)
    none = fewest_points(report, share=12 / 18, seconds_left=lambda: 10.0)
    assert (len(none.sites), none.is_possible) == (0, True)


def test_more_ways_than_can_be_held_are_refused_in_one_sentence(busy_engine: Engine, monkeypatch: pytest.MonkeyPatch):
    report = _report(busy_engine)
    monkeypatch.setattr(circle_points, "MOST_PAIRS", 5)
    with pytest.raises(InputError, match=r"15 分钟内，18 户.*超过 5 对"):
        suggest_points(report, n_points=1, seconds_left=lambda: 10.0)
    with pytest.raises(InputError, match="超过 5 对"):
        fewest_points(report, share=0.9, seconds_left=lambda: 10.0)
