"""Thirteen months of check-ins in the form of the WeCom interface."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np

from township import gcj02, seasons
from township.checkpoints import Checkpoint
from township.place import LAST_DAY, FloatArray, stream
from township.staff import Posting
from township.town import Town
from township.writers import to_degrees

SHANGHAI = timezone(timedelta(hours=8))
VISITS_PER_DAY = {
    "每周5次": 5 / 7, "每周3次": 3 / 7, "每周2次": 2 / 7, "每周1次": 1 / 7, "每月2次": 2 / 30.4, "每月1次": 1 / 30.4,
}  # fmt: skip
LAST_MINUTE = 17 * 60 + 38


@dataclass(frozen=True)
class Rows:
    """Check-ins before they are written: one entry each."""

    userid: list[str]
    kind: list[str]
    group: list[str]
    exception: list[str]
    at: list[datetime]
    xy: list[FloatArray | None]
    title: list[str]
    notes: list[str]

    def add(
        self,
        userid: str,
        group: str,
        kind: str,
        at: datetime,
        xy: FloatArray | None,
        *,
        exception: str = "",
        title: str = "",
        notes: str = "",
    ) -> None:
        """Append one check-in."""
        self.userid.append(userid)
        self.kind.append(kind)
        self.group.append(group)
        self.exception.append(exception)
        self.at.append(at)
        self.xy.append(xy)
        self.title.append(title)
        self.notes.append(notes)

    def drop_from(self, n_rows: int) -> None:
        """Keep the first check-ins only."""
        for column in vars(self).values():
            del column[n_rows:]


def make_checkins(
    town: Town, points: list[Checkpoint], people: list[Posting], *, overloaded: int
) -> list[dict[str, Any]]:
    """All rows in the order in which the interface would give them, some of them twice."""
    rows = Rows([], [], [], [], [], [], [], [])
    teams = {grid.code: [p for p in people if p.grid_code == grid.code] for grid in town.grids}
    rng = stream(60)
    zeal = np.round(rng.beta(9, 1.5, len(town.grids)), 3)
    zeal[overloaded] = 0.5
    _patrols(rng, rows, town, points, teams=teams, zeal=zeal)
    _home_visits(rng, rows, town, points, teams=teams, zeal=zeal)
    _office_days(rng, rows, town, points, people)
    return _as_wecom(rng, rows)


def on_duty(team: list[Posting], day: date) -> list[Posting]:
    """Who of a team is in office on a day."""
    return [p for p in team if p.since <= day and (p.until is None or day <= p.until)]


def _moment(rng: np.random.Generator, day: date) -> datetime:
    """Draw a time of day when members are about: morning round, afternoon round, a few evenings."""
    pick = rng.random()
    if pick < 0.57:
        minute = rng.normal(9.6 * 60, 55)
    elif pick < 0.95:
        minute = rng.normal(15.9 * 60, 60)
    else:
        minute = rng.normal(19.2 * 60, 40)
    minute = float(np.clip(minute, 6.6 * 60, 20.8 * 60))
    if day == LAST_DAY:
        minute = float(np.clip(minute, 6.6 * 60, LAST_MINUTE - rng.integers(0, 240)))
    return _at(day, minute * 60 + float(rng.integers(0, 60)))


def _at(day: date, second: float) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(seconds=int(second))


def _patrols(
    rng: np.random.Generator,
    rows: Rows,
    town: Town,
    points: list[Checkpoint],
    *,
    teams: dict[str, list[Posting]],
    zeal: FloatArray,
) -> None:
    """Visits follow the rhythm of each point, with lateness; rain brings more flood visits and fewer others."""
    wet, dry_season = seasons.rain(), seasons.fire_season()
    workday = np.array([seasons.is_workday(day) for day in seasons.days()])
    for point in points:
        if point.duty == "服务" or not point.is_visited:
            continue
        gap = 1 / VISITS_PER_DAY[point.rhythm]
        due = float(rng.uniform(0, gap))
        for number, day in enumerate(seasons.days()):
            if day < point.opened_on:
                continue
            pace = 1.0
            if point.duty == "防汛":
                pace += 1.1 * (wet[number] > 0.35)
            elif point.duty == "防火":
                pace += 0.25 * dry_season[number] - 0.3 * (wet[number] > 0.3)
            due -= pace
            hurry = 1 / (1 + np.exp(due / max(gap / 5, 0.6)))
            chance = (
                hurry
                * zeal[point.grid]
                * (1.0 if workday[number] else 0.45)
                * (0.75 if wet[number] > 0.6 and point.duty != "防汛" else 1)
            )
            if due > gap * 0.35 or rng.random() > chance:
                continue
            due = max(due, -0.6 * gap) + gap
            team = on_duty(teams[town.grids[point.grid].code], day)
            person = team[int(min(rng.integers(0, len(team)), rng.integers(0, len(team) + 1)))]
            n_rows = len(rows.at)
            _visit(rng, rows, point, person, day)
            if not point.is_in_season(day) and day.day % 10:
                rows.drop_from(n_rows)


def _visit(rng: np.random.Generator, rows: Rows, point: Checkpoint, person: Posting, day: date) -> None:
    xy = point.xy + rng.normal(0, rng.uniform(4, 13), 2)
    exception, notes = "", ""
    luck = rng.random()
    if luck < 0.012:
        xy = xy + rng.normal(0, 900, 2)
        exception = "地点异常"
    elif luck < 0.02:
        exception = "非常用设备"
    elif luck > 0.985:
        notes = str(rng.choice(NOTES[point.duty]))
    title = point.name if rng.random() < 0.22 else ""
    rows.add(person.userid, "巡查", "外出打卡", _moment(rng, day), xy, exception=exception, title=title, notes=notes)


NOTES = {
    "防火": ("林区无火情", "清理路边枯草", "劝阻焚烧秸秆"),
    "防汛": ("水位正常", "涵洞有淤堵，已清理", "坝体无渗漏"),
    "安全": ("电线老化，已提醒", "检查正常", "灭火器已过期"),
    "道路": ("路面有落石，已清理", "反光镜损坏", "路况正常"),
    "走访": ("听取意见两条", "宣传防溺水", "宣传反诈"),
}


def _home_visits(
    rng: np.random.Generator,
    rows: Rows,
    town: Town,
    points: list[Checkpoint],
    *,
    teams: dict[str, list[Posting]],
    zeal: FloatArray,
) -> None:
    """Door-to-door rounds: two or three homes of one group, on most working days of each team."""
    lonely = np.array([point.xy for point in points if not point.is_visited])
    by_grid = [np.flatnonzero(town.homes.grid == k) for k in range(len(town.grids))]
    for day in seasons.days():
        share = 0.30 if seasons.is_workday(day) else 0.10
        share *= 2.2 if seasons.is_grid_day(day) else 1.2 if day.day >= 20 else 0.85
        for number, grid in enumerate(town.grids):
            if rng.random() > share * zeal[number]:
                continue
            team = on_duty(teams[grid.code], day)
            person = team[int(rng.integers(0, len(team)))]
            start = town.homes.xy[rng.choice(by_grid[number])]
            near = by_grid[number][np.argsort(np.hypot(*(town.homes.xy[by_grid[number]] - start).T), kind="stable")]
            moment = _moment(rng, day)
            for step, home in enumerate(near[: int(rng.integers(2, 4))]):
                at = moment + timedelta(minutes=int(step * rng.integers(12, 30)))
                late = day == LAST_DAY and at.hour * 60 + at.minute > LAST_MINUTE
                xy = town.homes.xy[home] + rng.normal(0, rng.uniform(4, 12), 2)
                if not late and np.min(np.hypot(*(lonely - xy).T)) > 150:
                    rows.add(person.userid, "走访", "外出打卡", at, xy)


def _office_days(
    rng: np.random.Generator, rows: Rows, town: Town, points: list[Checkpoint], people: list[Posting]
) -> None:
    """Village staff and township teams clock in and out at the service points, in their own village if it has one; some forget."""
    stations = [point for point in points if point.duty == "服务"]
    hall = stations[0]
    by_village: dict[str, list[Checkpoint]] = {}
    for station in stations:
        by_village.setdefault(town.grids[station.grid].village_code, []).append(station)
    office = [p for p in people if len(p.grid_code) < 15][:41]
    for day in seasons.days():
        working = seasons.is_workday(day)
        for number, person in enumerate(office):
            if rng.random() > (0.45 if working else 0.06) or not on_duty([person], day):
                continue
            own = by_village.get(person.grid_code, [hall])
            place = hall if len(person.grid_code) == 9 else own[(number + day.toordinal()) % len(own)]
            for kind, hour, spread in (("上班打卡", 8.15, 9), ("下班打卡", 17.45, 10)):
                _clock(rng, rows, person, place, day, kind=kind, minute=hour * 60 + rng.normal(0, spread))


def _clock(
    rng: np.random.Generator, rows: Rows, person: Posting, place: Checkpoint, day: date, *, kind: str, minute: float
) -> None:
    is_in = kind == "上班打卡"
    if day == LAST_DAY and minute > LAST_MINUTE:
        return
    if rng.random() < 0.055:
        planned = 8 * 60 + 30 if is_in else 17 * 60 + 30
        rows.add(person.userid, "机关", kind, _at(day, planned * 60), None, exception="未打卡")
        return
    late = minute > 8 * 60 + 30 if is_in else minute < 17 * 60 + 10
    xy = place.xy + rng.normal(0, rng.uniform(4, 11), 2)
    rows.add(
        person.userid,
        "机关",
        kind,
        _at(day, minute * 60 + float(rng.integers(0, 60))),
        xy,
        exception="时间异常" if late else "",
    )


def _as_wecom(rng: np.random.Generator, rows: Rows) -> list[dict[str, Any]]:
    order = sorted(range(len(rows.at)), key=lambda k: (rows.at[k], rows.userid[k], rows.kind[k]))
    order = list({(rows.userid[k], rows.at[k], rows.kind[k]): k for k in reversed(order)}.values())[::-1]
    placed = np.array([rows.xy[k] if rows.xy[k] is not None else (6000.0, 5000.0) for k in order])
    degrees = to_degrees(placed)
    lon, lat = gcj02.shifted(degrees[:, 0], degrees[:, 1])
    result: list[dict[str, Any]] = []
    for number, k in enumerate(order):
        here = rows.xy[k] is not None
        row = _row(
            rows, k, round(float(lat[number]) * 1e6) if here else 0, round(float(lon[number]) * 1e6) if here else 0
        )
        if number == 0:
            row = {**EMPTY_ROW, **row}
        result.append(row)
        if rng.random() < 0.01:
            result.append(dict(row))
    return result


EMPTY_ROW: dict[str, Any] = {
    "userid": "", "groupname": "", "checkin_type": "", "exception_type": "", "checkin_time": 0, "location_title": "",
    "location_detail": "", "wifiname": "", "notes": "", "wifimac": "", "mediaids": [], "lat": 0, "lng": 0,
}  # fmt: skip


def _row(rows: Rows, k: int, lat: int, lng: int) -> dict[str, Any]:
    """One row; fields with nothing in them are left out, as the export of the sample's office does."""
    row: dict[str, Any] = {"userid": rows.userid[k], "groupname": rows.group[k], "checkin_type": rows.kind[k]}
    if rows.exception[k]:
        row["exception_type"] = rows.exception[k]
    row["checkin_time"] = int(rows.at[k].timestamp())
    if rows.title[k]:
        row["location_title"] = rows.title[k]
    if rows.notes[k]:
        row["notes"] = rows.notes[k]
    return {**row, "lat": lat, "lng": lng}
