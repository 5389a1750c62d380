"""Thirteen months of incidents: what happened where and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import shapely

from township import hotspots, phrases, seasons
from township.categories import CLUES, DISPUTES, HAZARDS, REQUESTS
from township.place import FIRST_DAY, LAST_DAY, N_DAYS, FloatArray, stream
from township.town import Town

N_DISPUTES, N_HAZARDS, N_REQUESTS, N_CLUES = 1310, 600, 380, 110
N_ON_LAST_DAY = 16
DUE = {"一般": timedelta(days=7), "紧急": timedelta(days=3)}
SOURCES = ("网格巡查", "入户走访", "群众点单", "企业微信上报", "村民代表反映")
SOURCE_SHARES = {
    "D": (0.14, 0.3, 0.32, 0.14, 0.1),
    "H": (0.42, 0.2, 0.2, 0.12, 0.06),
    "R": (0.0, 0.38, 0.42, 0.14, 0.06),
    "C": (0.3, 0.2, 0.25, 0.2, 0.05),
}
COMMON_DISPUTES = {
    "邻里": 22.0, "山林土地": 12.0, "房屋和宅基地": 12.0, "婚姻": 10.0, "经济活动": 7.0, "合同履行": 5.0, "环境生态": 6.0, "农村三资": 4.0,
    "村务管理": 4.0, "劳资": 4.0, "征地拆迁": 3.0, "交通及生产安全": 4.0, "建筑工程": 3.0, "物业管理": 1.5, "医疗": 1.0, "其他": 3.0,
}  # fmt: skip
HAZARD_WEIGHTS = (3.0, 3.0, 1.6, 2.0, 1.4, 1.2, 2.2, 2.6)


@dataclass
class Incident:
    """One incident; `kind` is its letter (D, H, R, C), `name` its category on the 2025 list."""

    kind: str
    name: str
    happened_at: datetime
    recorded_at: datetime
    source: str
    xy: FloatArray | None
    grid: int
    urgent: bool
    text: str
    place: str
    hot_spot: str = ""
    code: str = ""

    @property
    def due_at(self) -> datetime:
        """When it must be closed."""
        return self.recorded_at + DUE["紧急" if self.urgent else "一般"]


def make_incidents(town: Town) -> list[Incident]:
    """All incidents in the order in which they were recorded."""
    rng = stream(70)
    finder = _GridFinder(town)
    result: list[Incident] = []
    for spot in hotspots.find(town):
        kinds, shares = list(spot.kinds), np.array(list(spot.kinds.values()))
        for _ in range(spot.n_disputes):
            day = _day(rng, spot.months, kind="D")
            name = str(rng.choice(kinds, p=shares / shares.sum()))
            wet = rng.random() < spot.irrigation_share
            result.append(
                _incident(
                    rng,
                    town,
                    finder,
                    kind="D",
                    name=name,
                    day=day,
                    xy=finder.inside(rng, spot),
                    irrigation=wet,
                    hot_spot=spot.name,
                )
            )
    for kind, names, weights, n in _background(sum(item.kind == "D" for item in result)):
        share = np.array(weights) / np.sum(weights)
        for _ in range(n):
            day = _day(rng, ALL_YEAR, kind=kind)
            result.append(
                _incident(
                    rng,
                    town,
                    finder,
                    kind=kind,
                    name=str(rng.choice(names, p=share)),
                    day=day,
                    xy=_near_home(rng, town),
                )
            )
    _one_of_each_type(result)
    _fill_last_day(rng, result)
    _fill_week_before(rng, result)
    for item in rng.choice(len(result), 36, replace=False):
        result[item].xy = None
        result[item].place = str(rng.choice(["电话反映，地点待核实", "", "微信群反映，未说明地点"]))
    result.sort(key=lambda item: (item.recorded_at, item.text))
    for serial, item in enumerate(result, start=1):
        item.code = f"QS{item.recorded_at:%Y%m%d}{serial:05d}"
    return result


def _background(n_hot: int) -> list[tuple[str, Sequence[str], list[float], int]]:
    rare = {name: COMMON_DISPUTES.get(name, 0.25) for name in DISPUTES}
    return [
        ("D", list(rare), list(rare.values()), N_DISPUTES - n_hot),
        ("H", HAZARDS, list(HAZARD_WEIGHTS), N_HAZARDS),
        ("R", REQUESTS, [2.0, 2.0, 2.0, 2.5, 2.0, 2.0], N_REQUESTS),
        ("C", CLUES, [1.0, 1.0, 1.5, 1.0, 0.7], N_CLUES),
    ]


def _day(rng: np.random.Generator, months: tuple[int, ...], *, kind: str) -> date:
    """Draw a day in one of `months`; hazards are found twice as often in the rains, everything less on days off."""
    while True:
        day = FIRST_DAY + timedelta(days=int(rng.integers(0, N_DAYS)))
        season = 1.0 if day.month in {4, 5, 6, 7} or kind != "H" else 0.55
        if day.month in months and rng.random() < season * (1.0 if seasons.is_workday(day) else 0.62):
            return day


ALL_YEAR = tuple(range(1, 13))


class _GridFinder:
    """Which grid a place lies in."""

    def __init__(self, town: Town) -> None:
        self.shapes = np.array([shapely.coverage_union_all(town.groups[list(grid.groups)]) for grid in town.grids])
        self.tree = shapely.STRtree(self.shapes)
        wet = [item.geometry for item in town.waters if item.geometry.geom_type == "Polygon"]
        self.water = shapely.union_all(wet)
        shapely.prepare(self.water)

    def of(self, xy: FloatArray) -> int | None:
        """Find the grid around a place, None outside the township or in water."""
        point = shapely.Point(xy)
        if self.water.intersects(point):
            return None
        found = self.tree.query(point, predicate="within")
        return int(found[0]) if len(found) else None

    def inside(self, rng: np.random.Generator, spot: hotspots.HotSpot) -> FloatArray:
        """Draw a place of a hot spot that lies on dry land of the township."""
        while True:
            xy = spot.draw(rng)
            if self.of(xy) is not None:
                return xy


def _near_home(rng: np.random.Generator, town: Town) -> FloatArray:
    return np.asarray(town.homes.xy[rng.integers(0, len(town.homes.xy))] + rng.normal(0, 18, 2))


def _incident(
    rng: np.random.Generator,
    town: Town,
    finder: _GridFinder,
    *,
    kind: str,
    name: str,
    day: date,
    xy: FloatArray,
    irrigation: bool = False,
    hot_spot: str = "",
) -> Incident:
    grid = finder.of(xy)
    while grid is None:
        xy = _near_home(rng, town)
        grid = finder.of(xy)
    happened = datetime(day.year, day.month, day.day) + timedelta(minutes=_minute(rng))  # noqa: DTZ001 - wall time of the file
    wait = {"D": rng.gamma(1.3, 200), "H": rng.gamma(1.2, 14), "R": rng.gamma(1.1, 20), "C": rng.gamma(1.2, 60)}[kind]
    recorded = _in_office(happened + timedelta(minutes=float(wait) + 2))
    near = int(np.argmin(np.hypot(*(town.hamlets - xy).T)))
    place = town.group_names[near].removesuffix("组") + str(rng.choice(phrases.PLACES))
    urgent = rng.random() < {"D": 0.05, "H": 0.16, "R": 0.03, "C": 0.12}[kind]
    source = str(rng.choice(SOURCES, p=SOURCE_SHARES[kind]))
    text = phrases.sentence(rng, kind, name, source=source, irrigation=irrigation)
    return Incident(kind, name, happened, recorded, source, xy, grid, urgent, text, place, hot_spot)


def _minute(rng: np.random.Generator) -> float:
    pick = rng.random()
    minute = rng.normal(570, 75) if pick < 0.5 else rng.normal(930, 80) if pick < 0.88 else rng.normal(1180, 60)
    return float(np.clip(round(minute), 360, 1290))


def _in_office(moment: datetime) -> datetime:
    """Nothing is registered between 21:30 and 7:00: it waits for the morning."""
    moment = moment.replace(second=0, microsecond=0)
    if moment.hour >= 22 or (moment.hour == 21 and moment.minute > 30):
        moment = (moment + timedelta(days=1)).replace(hour=7, minute=moment.minute)
    if moment.hour < 7:
        moment = moment.replace(hour=7)
    return moment


def _one_of_each_type(items: list[Incident]) -> None:
    """Every one of the 27 dispute types occurs: the rare ones take over a case of 邻里 outside the hot spots."""
    seen = {item.name for item in items}
    spare = [item for item in items if item.name == "邻里" and not item.hot_spot]
    rng = stream(71)
    for name, item in zip([name for name in DISPUTES if name not in seen], spare, strict=False):
        item.name = name
        item.text = phrases.sentence(rng, "D", name, source=item.source)


def _fill_last_day(rng: np.random.Generator, items: list[Incident]) -> None:
    """On the last day things happen from early morning to twenty to six, the way a wall should show them."""
    midnight = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day)  # noqa: DTZ001 - wall time of the file
    end = midnight + timedelta(hours=17, minutes=40)
    late = [item for item in items if item.recorded_at >= midnight]
    spare = [item for item in items if item.recorded_at < midnight and not item.hot_spot]
    late += [spare[int(k)] for k in rng.choice(len(spare), max(0, N_ON_LAST_DAY - len(late)), replace=False)]
    minutes = np.linspace(7 * 60 + 8, 17 * 60 + 38, len(late)) + np.append(rng.integers(-14, 15, len(late) - 1), 0)
    for item, minute in zip(late, minutes, strict=True):
        item.recorded_at = min(midnight + timedelta(minutes=int(minute)), end)
        item.happened_at = item.recorded_at - timedelta(minutes=int(rng.integers(4, 90)))


def _fill_week_before(rng: np.random.Generator, items: list[Incident]) -> None:
    """Let some cases be registered just under a week before the end: they fall due within a day of it."""
    end = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 17, 40)  # noqa: DTZ001 - wall time of the file
    spare = [
        item for item in items if timedelta(days=40) < end - item.recorded_at < timedelta(days=70) and not item.hot_spot
    ]
    for item, hours in zip(
        rng.permutation(np.array(spare, dtype=object))[:7], (0.8, 1.9, 2.7, 14.6, 16.4, 18.9, 22.3), strict=True
    ):
        item.urgent = False
        item.recorded_at = end - timedelta(days=7) + timedelta(minutes=int(hours * 60))
        item.happened_at = item.recorded_at - timedelta(minutes=int(rng.integers(4, 90)))
