"""Load the sample township through the importers, shifted so that its last recorded day is today."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine

from gridmap.actions.load import Adjusted, LoadOptions, LoadOutcome, load_layer
from gridmap.actions.sample_ledgers import fill_sample_ledgers
from gridmap.errors import InputError
from gridmap.settings import Settings
from gridmap.store.imports import read_imports
from gridmap.store.places import read_townships
from gridmap.texts import t

SAMPLE_TOWNSHIP = "439901101"
SAMPLE_LAST_DAY = date(2026, 10, 31)
SAMPLE_FIRST_DAY = date(2025, 10, 1)
SAMPLE_FILES = {
    "areas": "areas.shp",
    "households": "households.xlsx",
    "paths": "paths.geojson",
    "water": "water.geojson",
    "grids": "grids.shp",
    "staff": "staff.xlsx",
    "checkpoints": "checkpoints.csv",
    "checkins": "checkins.json",
    "tracks": "tracks.csv",
    "home_visits": "home_visits.xlsx",
    "incidents": "incidents.xlsx",
}
SAMPLE_LEDGERS = "ledgers.json"
_SHIFTED = ("happened_at", "recorded_at", "due_at")
_SEASONS = ("season_from", "season_until")
_LEAP_YEAR = 2024


@dataclass(frozen=True)
class ShiftToToday:
    """Moves recorded times by whole days and holds back what then lies later than now.

    Parameters
    ----------
    days
        By how many days.
    now
        The instant, tz-aware, after which rows are held back.
    """

    days: int
    now: datetime

    def __call__(self, frames: Mapping[str, pd.DataFrame]) -> Adjusted:
        """Return the frames of one layer, shifted, without what has not happened yet."""
        shifted = {name: self.shifted(rows) for name, rows in frames.items()}
        past = {
            name: rows[rows["happened_at"] <= self.now] if "happened_at" in rows else rows
            for name, rows in shifted.items()
        }
        if "incident_steps" in past:
            steps = past["incident_steps"]
            past["incident_steps"] = steps[steps["incident_code"].isin(past["incidents"]["incident_code"])]
        n_held = sum(len(rows) - len(past[name]) for name, rows in shifted.items())
        return Adjusted(frames=past, n_held=n_held, notes=(t("load.held_back", count=n_held),) if n_held else ())

    def shifted(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return one frame with its recorded times moved, and with them the seasons in which people were out."""
        moved = {name: rows[name] + pd.Timedelta(days=self.days) for name in _SHIFTED if name in rows}
        seasons = {name: rows[name].map(self._season_day, na_action="ignore") for name in _SEASONS if name in rows}
        return rows.assign(**moved, **seasons)

    def _season_day(self, written: str) -> str:
        """Move a day of any year, MM-DD."""
        return f"{date.fromisoformat(f'{_LEAP_YEAR}-{written}') + timedelta(days=self.days):%m-%d}"


def shift_to_today(*, now: datetime, zone: tzinfo) -> ShiftToToday:
    """Return the shift that makes the sample's last recorded day today, by the township's calendar."""
    today = now.astimezone(zone).date()
    return ShiftToToday(days=(today - SAMPLE_LAST_DAY).days, now=now)


def has_foreign_township(engine: Engine) -> bool:
    """Return whether the database holds a township that is not the sample."""
    return bool(_foreign_townships(engine))


def _foreign_townships(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [town.name for town in read_townships(connection) if town.code != SAMPLE_TOWNSHIP]


def load_demo(
    engine: Engine,
    *,
    sample_dir: Path,
    settings: Settings,
    now: datetime,
    progress: Callable[[LoadOutcome], None],
) -> bool:
    """Load the sample township, once, each file through its importer.

    An interrupted run goes on where it stopped: what is loaded is known.

    Parameters
    ----------
    engine
        The writing engine of a database that holds no other township.
    sample_dir
        Folder of the sample's files.
    settings
        The cap, tolerances and the township's clock.
    now
        Instant, tz-aware.
    progress
        Called after each layer.

    Returns
    -------
    bool
        False when the sample was loaded before and nothing was done.

    Raises
    ------
    InputError
        If the database holds another township, or a sample file is missing.
    """
    foreign = _foreign_townships(engine)
    with engine.connect() as connection:
        loaded = set(read_imports(connection, township_code=SAMPLE_TOWNSHIP)["layer"])
    if foreign:
        raise InputError(t("load.error_foreign_township", township=foreign[0]))
    todo = [layer for layer in SAMPLE_FILES if layer not in loaded]
    shift = shift_to_today(now=now, zone=settings.zone)
    options = LoadOptions(
        township_code=SAMPLE_TOWNSHIP,
        valid_from=SAMPLE_FIRST_DAY + timedelta(days=shift.days),
        imported_by="gridmap demo",
        trusts_source_clock=True,
    )
    for layer in todo:
        file = sample_dir / SAMPLE_FILES[layer]
        if not file.exists():
            raise InputError(t("load.error_sample_file", file=file.name, folder=sample_dir))
        progress(
            load_layer(engine, layer=layer, files=[file], options=options, settings=settings, now=now, adjust=shift)
        )
    ledgers = sample_dir / SAMPLE_LEDGERS
    if not ledgers.exists():
        raise InputError(t("load.error_sample_file", file=ledgers.name, folder=sample_dir))
    is_new = fill_sample_ledgers(engine, file=ledgers, township_code=SAMPLE_TOWNSHIP, now=now, zone=settings.zone)
    return bool(todo) or is_new
