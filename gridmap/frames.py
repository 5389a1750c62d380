"""What a checked frame of each layer holds: the contract between files, database and analysis.

Columns have the names of the table columns. A frame that passed `require_frame` can be stored or measured without
looking again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from gridmap.errors import InputError

AREA_LEVELS = ("township", "village", "group")
AREA_KINDS = ("township", "community", "village", "group")
PATH_KINDS = ("road", "lane", "track", "footpath")
WATER_KINDS = ("river", "pond", "reservoir", "canal")
DUTIES = ("fire", "flood", "safety", "road", "service", "visit")
RHYTHMS = ("week", "month")
INCIDENT_KINDS = ("dispute", "hazard", "request", "clue")
URGENCIES = ("normal", "urgent")
STEP_KINDS = (
    "reported",
    "accepted",
    "handled",
    "escalated",
    "dispatched",
    "extension_asked",
    "extended",
    "paused",
    "resumed",
    "checked",
    "closed",
    "reopened",
    "followed_up",
)
STEP_LEVELS = ("member", "grid", "village", "township")
TEAM_CODES = ("advice", "livelihood", "mediation", "emergency", "civic")
POSTING_ROLES = ("chief", "member", "leader")
SERVICE_NEEDS = ("living_alone", "left_behind", "disabled", "low_income")
NO_CHECKIN_KIND = "未打卡"
POINT_COUNTS = (
    "patrol_visit",
    "home_visit",
    "home_visit_share",
    "report_accepted",
    "closed_on_time",
    "closed_late",
    "dispute_in_grid",
    "satisfied",
    "missed_due",
    "manual",
)
"""What a rule of points counts: things done by a member, those done late or not at all, and what is entered by hand."""
TASK_KINDS = ("publicity", "visit")
THING_STEPS = ("begun", "done", "dropped")

MAX_RESIDENTS = 50
MAX_STAY_MINUTES = 1440


@dataclass(frozen=True, kw_only=True)
class FrameSpec:
    """Columns of one checked frame.

    Parameters
    ----------
    columns
        Column → kind: `text`, `int`, `float`, `bool`, `date` (datetime.date), `time` (datetime.time, the township's clock),
        `instant` (tz-aware) or `json`.
        A trailing `?` allows nulls.
    key
        Columns that name a row; unique in the frame.
    geometry
        Geometry types allowed, empty for a plain frame; a trailing `?` allows nulls.
    """

    columns: Mapping[str, str]
    key: tuple[str, ...]
    geometry: tuple[str, ...] = ()
    geometry_required: bool = True


FRAMES: Mapping[str, FrameSpec] = {
    "areas": FrameSpec(
        columns={"area_code": "text", "level": "text", "kind": "text", "parent_code": "text?", "name": "text"},
        key=("area_code",),
        geometry=("Polygon", "MultiPolygon"),
    ),
    "grids": FrameSpec(
        columns={
            "grid_code": "text",
            "name": "text",
            "village_code": "text",
            "exception_reason": "text?",
            "exception_approved_by": "text?",
        },
        key=("grid_code",),
        geometry=("Polygon", "MultiPolygon"),
    ),
    "households": FrameSpec(
        columns={
            "household_code": "text",
            "group_code": "text",
            "n_residents": "int",
            "updated_on": "date?",
            **{f"n_{need}": "int" for need in SERVICE_NEEDS},
        },
        key=("household_code",),
        geometry=("Point",),
    ),
    "paths": FrameSpec(
        columns={"path_code": "text", "name": "text?", "kind": "text", "is_bridge": "bool"},
        key=("path_code",),
        geometry=("LineString", "MultiLineString"),
    ),
    "water": FrameSpec(
        columns={"water_code": "text", "name": "text?", "kind": "text"},
        key=("water_code",),
        geometry=("LineString", "MultiLineString", "Polygon", "MultiPolygon"),
    ),
    "checkpoints": FrameSpec(
        columns={
            "checkpoint_code": "text",
            "name": "text",
            "kind": "text",
            "duty": "text",
            "n_visits_due": "int",
            "per": "text",
            "opened_on": "date",
            "hours_from": "time?",
            "hours_until": "time?",
            "season_from": "text?",
            "season_until": "text?",
            "least_stay_minutes": "int?",
        },
        key=("checkpoint_code",),
        geometry=("Point",),
    ),
    "checkins": FrameSpec(
        columns={
            "staff_id": "text",
            "group_name": "text?",
            "kind": "text",
            "exception": "text?",
            "happened_at": "instant",
            "accuracy_m": "float?",
            "place": "text?",
            "note": "text?",
        },
        key=("staff_id", "happened_at", "kind"),
        geometry=("Point",),
        geometry_required=False,
    ),
    "tracks": FrameSpec(
        columns={"track_code": "text", "staff_id": "text", "happened_at": "instant", "accuracy_m": "float?"},
        key=("track_code", "happened_at"),
        geometry=("Point",),
    ),
    "home_visits": FrameSpec(
        columns={"household_code": "text", "staff_id": "text", "happened_at": "instant"},
        key=("household_code", "happened_at"),
    ),
    "categories": FrameSpec(
        columns={
            "category_code": "text",
            "list_year": "int",
            "kind": "text",
            "name": "text",
            "is_private": "bool",
            "valid_from": "date",
            "valid_until": "date?",
            "successor_code": "text?",
        },
        key=("category_code", "list_year"),
    ),
    "incidents": FrameSpec(
        columns={
            "incident_code": "text",
            "category_code": "text",
            "list_year": "int",
            "urgency": "text",
            "happened_at": "instant",
            "recorded_at": "instant",
            "source": "text?",
            "village_code": "text?",
            "place": "text?",
            "text": "text?",
            "due_at": "instant?",
        },
        key=("incident_code",),
        geometry=("Point",),
        geometry_required=False,
    ),
    "incident_steps": FrameSpec(
        columns={
            "incident_code": "text",
            "kind": "text",
            "level": "text?",
            "staff_id": "text?",
            "team_code": "text?",
            "happened_at": "instant",
            "note": "text?",
            "satisfaction": "int?",
        },
        key=("incident_code", "kind", "happened_at"),
    ),
    "staff": FrameSpec(
        columns={
            "staff_id": "text",
            "name": "text",
            "grid_code": "text?",
            "team_code": "text?",
            "role": "text",
            "valid_from": "date",
            "valid_until": "date?",
        },
        key=("staff_id", "grid_code", "team_code", "role", "valid_from"),
    ),
}


def require_frame(name: str, frame: pd.DataFrame) -> None:
    """Check that a frame keeps the contract of its layer; every fault is named at once.

    Parameters
    ----------
    name
        A key of `FRAMES`.
    frame
        The frame; its index is free.

    Raises
    ------
    InputError
        If columns are missing, nulls stand where none may, a key repeats, or geometries are of another type, empty
        or invalid.
    """
    spec = FRAMES[name]
    faults = [f"column `{column}` is missing" for column in spec.columns if column not in frame]
    for column, kind in spec.columns.items():
        if column in frame and not kind.endswith("?") and frame[column].isna().any():
            faults.append(f"column `{column}` has {int(frame[column].isna().sum())} nulls")
    if not faults and frame.duplicated(list(spec.key)).any():
        faults.append(f"`{', '.join(spec.key)}` repeats in {int(frame.duplicated(list(spec.key)).sum())} rows")
    if spec.geometry:
        faults += _geometry_faults(spec, frame)
    if faults:
        raise InputError(f"`{name}`: {'; '.join(faults)}. Mend the file and load it again.")


def _geometry_faults(spec: FrameSpec, frame: pd.DataFrame) -> list[str]:
    if not isinstance(frame, gpd.GeoDataFrame):
        return ["it has no geometry"]
    present = frame.geometry[frame.geometry.notna()]
    faults = []
    if spec.geometry_required and len(present) < len(frame):
        faults.append(f"{len(frame) - len(present)} geometries are missing")
    strange = sorted(set(present.geom_type) - set(spec.geometry))
    if strange:
        faults.append(f"geometries of type {', '.join(strange)} (allowed: {', '.join(spec.geometry)})")
    if present.is_empty.any() or not present.is_valid.all():
        faults.append("geometries are empty or invalid")
    return faults
