"""Invent plausible facts for the sample township, so that a wall without members in the field lives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, Engine

from gridmap.actions.incidents import NewStep, take_step
from gridmap.actions.record import NewCheckin, NewIncident, record_checkin, record_incident
from gridmap.analysis.incidents import incident_states
from gridmap.analysis.lifecycle import legal_steps, standing_of
from gridmap.crs import STORED_CRS
from gridmap.errors import ConflictError
from gridmap.settings import Settings
from gridmap.store.cases import read_cases
from gridmap.store.people import read_postings
from gridmap.store.places import Township, read_checkpoints, read_grids, read_households, read_townships
from gridmap.store.reading import read_table
from gridmap.texts import t

_CHECKIN_SHARE, _STEP_SHARE = 0.72, 0.16
_GPS_ERROR_M = 8.0
_HOURS_TO_CLOSE = 7 * 24
_NEXT_STEPS = ("accepted", "handled", "closed", "followed_up")
_STEP_DAYS = 10
_CHECKIN_KIND = "外出打卡"
_SAYINGS = {
    "dispute": ("双方就此事争执，请求调解", "因小事起口角，邻居来报", "多次协商未果，请网格调处"),
    "hazard": ("巡查时发现，已拍照", "有人路过反映，存在安全隐患", "雨后新出现，需尽快处理"),
    "request": ("群众当面提出，请协助办理", "打电话询问办理流程", "希望上门帮助"),
    "clue": ("网格走访时了解到的情况", "群众反映，待核实"),
}


@dataclass(frozen=True, kw_only=True)
class LiveTownship:
    """What the invention draws from: a township's places, teams and categories as they stood when it began."""

    engine: Engine
    settings: Settings
    rng: Random
    township: Township
    checkpoints: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    members: Mapping[str, list[str]]
    categories: pd.DataFrame

    @classmethod
    def open(cls, engine: Engine, *, settings: Settings, rng: Random, now: datetime) -> "LiveTownship":
        """Read what there is to draw from.

        Raises
        ------
        IndexError
            If no township is loaded.
        """
        with engine.connect() as connection:
            township = read_townships(connection)[0]
            today = now.astimezone(settings.zone).date()
            grids = read_grids(connection, township_code=township.code, on=today)
            postings = read_postings(connection, township_code=township.code, on=today)
            return cls(
                engine=engine,
                settings=settings,
                rng=rng,
                township=township,
                checkpoints=_with_grid(read_checkpoints(connection, township_code=township.code), grids),
                households=_with_grid(read_households(connection, township_code=township.code), grids),
                members={
                    str(grid_code): team["staff_id"].tolist()
                    for grid_code, team in postings.dropna(subset="grid_code").groupby("grid_code")
                },
                categories=_categories(connection),
            )

    def invent(self, *, now: datetime) -> str:
        """Record one invented fact and return the sentence that tells it."""
        draw = self.rng.random()
        if draw < _CHECKIN_SHARE:
            return self._checkin(now)
        if draw < _CHECKIN_SHARE + _STEP_SHARE:
            return self._step(now) or self._incident(now)
        return self._incident(now)

    def _member_of(self, grid_code: str | None) -> str:
        teams = list(self.members.values())
        return self.rng.choice(self.members.get(grid_code or "", []) or self.rng.choice(teams))

    def _near(self, point: shapely.Point, error_m: float) -> shapely.Point:
        metric = gpd.GeoSeries([point], crs=STORED_CRS).to_crs(self.township.metric_epsg).iloc[0]
        moved = shapely.Point(metric.x + self.rng.gauss(0, error_m), metric.y + self.rng.gauss(0, error_m))
        return gpd.GeoSeries([moved], crs=self.township.metric_epsg).to_crs(STORED_CRS).iloc[0]

    def _checkin(self, now: datetime) -> str:
        checkpoint = self.checkpoints.iloc[self.rng.randrange(len(self.checkpoints))]
        staff_id = self._member_of(checkpoint["grid_code"])
        record_checkin(
            self.engine,
            NewCheckin(
                township_code=self.township.code,
                staff_id=staff_id,
                kind=_CHECKIN_KIND,
                happened_at=now,
                point=self._near(checkpoint.geometry, _GPS_ERROR_M),
                accuracy_m=round(self.rng.uniform(5, 25), 1),
                place=checkpoint["name"],
            ),
            now=now,
        )
        return t("load.live_checkin", who=staff_id, where=checkpoint["name"])

    def _incident(self, now: datetime) -> str:
        home = self.households.iloc[self.rng.randrange(len(self.households))]
        category = self.categories.iloc[self.rng.randrange(len(self.categories))]
        number = record_incident(
            self.engine,
            NewIncident(
                township_code=self.township.code,
                category_code=category["category_code"],
                list_year=int(category["list_year"]),
                urgency="urgent" if self.rng.random() < 0.1 else "normal",  # noqa: PLR2004  one in ten
                happened_at=now,
                due_at=now + timedelta(hours=_HOURS_TO_CLOSE),
                point=self._near(home.geometry, 3 * _GPS_ERROR_M),
                village_code=home["group_code"][:12],
                text=self.rng.choice(_SAYINGS[category["kind"]]),
                source="demo",
            ),
            staff_id=self._member_of(home["grid_code"]),
            now=now,
        )
        return t("load.live_incident", number=number, category=category["name"])

    def _step(self, now: datetime) -> str | None:
        """Take the next step that the rules allow on some recent incident; None where all of them are done."""
        with self.engine.connect() as connection:
            codes = read_table(
                connection,
                "SELECT incident_code FROM incident WHERE township_code = :township AND happened_at > :since"
                " ORDER BY incident_code",
                township=self.township.code,
                since=now - timedelta(days=_STEP_DAYS),
            )["incident_code"]
            incidents, steps = read_cases(connection, incident_codes=codes.tolist())
        states = incident_states(incidents, steps, now=now, due_soon=timedelta(0))
        waiting = [(code, found) for code, state in states.iterrows() if (found := _next_step(state)) is not None]
        if not waiting:
            return None
        code, (kind, level) = self.rng.choice(waiting)
        staff = steps.loc[(steps["incident_code"] == code) & steps["staff_id"].notna(), "staff_id"]
        step = NewStep(
            incident_code=str(code),
            kind=kind,
            level=level,
            staff_id=None if staff.empty else str(staff.iloc[-1]),
            satisfaction=self.rng.choice((4, 5)) if kind == "followed_up" else None,
        )
        try:
            take_step(self.engine, step, now=now)
        except ConflictError:  # somebody in the dashboard was faster
            return None
        return t("load.live_step", number=code, step=t(f"handling.kind_{kind}"))


def _next_step(state: "pd.Series[Any]") -> tuple[str, str] | None:
    level = str(state["holder"])
    legal = legal_steps(standing_of(state), level=level)
    return next(((kind, level) for kind in legal if kind in _NEXT_STEPS), None)


def _with_grid(points: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    inside = gpd.sjoin(points, grids[["geometry"]], predicate="within", how="left")
    found = inside[~inside.index.duplicated()].drop(columns="geometry")["grid_code"]
    return points.assign(grid_code=found.where(found.notna(), None))


def _categories(connection: Connection) -> pd.DataFrame:
    return read_table(
        connection,
        "SELECT category_code, list_year, kind, name FROM category"
        " WHERE list_year = (SELECT max(list_year) FROM category) ORDER BY category_code",
    )
