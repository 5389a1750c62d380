"""What is already known of the township: against this a file's codes, places and datum are checked."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import shapely

from gridmap.crs import STORED_CRS, metric_epsg


@dataclass(frozen=True, kw_only=True)
class ListedCategory:
    """A category of one year's list: its code, list year, name without blanks, and the days it is in force."""

    code: str
    list_year: int
    name: str
    valid_from: dt.date
    valid_until: dt.date | None


@dataclass(frozen=True, kw_only=True)
class KnownPosting:
    """Where somebody serves: the level that an incident is at with this person (`member` … `township`), and when."""

    level: str
    valid_from: dt.date
    valid_until: dt.date | None


@dataclass(frozen=True, kw_only=True)
class TownshipContext:
    """What the store holds already; given by the caller, never fetched.

    Parameters
    ----------
    township_code
        Nine digits.
    areas
        Frame `areas` of `gridmap.frames` (township, villages, groups), EPSG:4490.
    ended_codes
        Those of them that were merged away: what happened there still names them, nothing new does.
    grid_codes
        Codes of the area grids (level 3); empty while none are loaded, then grid codes are checked by form only.
    staff_ids
        Accounts; empty while none are loaded, then accounts are not checked.
    category_keys
        `(category_code, list_year)` of the categories.
    household_codes
        Households; empty while none are loaded, then the households of visits are not checked.
    incident_codes
        Incidents already recorded: their steps may come in a later file.
    landmarks
        Name → points or lines whose places are known (households, checkpoints, paths), EPSG:4490: the datum of a file
        is decided by its fit to them.
    categories
        The lists of categories, for files that name a category by its name.
    case_codes
        Name without blanks, as the work platform calls it → category code, where it calls it otherwise.
    postings
        Account → where this person serves or served.
    platform_grids
        Grid of the work platform → our grid code, where it is known.
    grids_by_name
        Name without blanks → code of the one grid that bears it.
    """

    township_code: str
    areas: gpd.GeoDataFrame
    ended_codes: frozenset[str] = frozenset()
    grid_codes: frozenset[str] = frozenset()
    staff_ids: frozenset[str] = frozenset()
    category_keys: frozenset[tuple[str, int]] = frozenset()
    household_codes: frozenset[str] = frozenset()
    incident_codes: frozenset[str] = frozenset()
    landmarks: Mapping[str, gpd.GeoSeries] = field(default_factory=dict)
    categories: tuple[ListedCategory, ...] = ()
    case_codes: Mapping[str, str] = field(default_factory=dict)
    postings: Mapping[str, tuple[KnownPosting, ...]] = field(default_factory=dict)
    platform_grids: Mapping[str, str] = field(default_factory=dict)
    grids_by_name: Mapping[str, str] = field(default_factory=dict)

    def categories_named(self, name: str, *, on: dt.date) -> list[tuple[str, int]]:
        """Return code and list year of the categories that bear a name (without blanks) on a day, or the code given for it."""
        code = self.case_codes.get(name)
        return [
            (one.code, one.list_year)
            for one in self.categories
            if (one.name == name if code is None else one.code == code)
            and one.valid_from <= on
            and (one.valid_until is None or on < one.valid_until)
        ]

    def level_of(self, staff_id: str | None, *, on: dt.date) -> str | None:
        """Return the level at which somebody serves on a day; None where that is unknown or more than one."""
        levels = {
            posting.level
            for posting in self.postings.get(staff_id or "", ())
            if posting.valid_from <= on and (posting.valid_until is None or on < posting.valid_until)
        }
        return levels.pop() if len(levels) == 1 else None

    @property
    def outline(self) -> shapely.Geometry:
        """The township's polygon, EPSG:4490."""
        return self.areas.loc[self.areas["level"] == "township", "geometry"].iloc[0]

    @property
    def metric_epsg(self) -> int:
        """The EPSG code of the township's zone in metres."""
        return metric_epsg(self.outline.centroid.x)

    def to_metres(self, series: gpd.GeoSeries) -> gpd.GeoSeries:
        """Project a series into the township's zone."""
        return series.set_crs(STORED_CRS, allow_override=True).to_crs(self.metric_epsg)

    def names(self, level: str, *, within: str | None = None) -> dict[str, str]:
        """Return name → code of the areas of a level (inside one parent), leaving out names that repeat."""
        chosen = self.areas[self.areas["level"] == level]
        if within is not None:
            chosen = chosen[chosen["parent_code"] == within]
        unique = chosen[~chosen["name"].duplicated(keep=False)]
        return dict(zip(unique["name"], unique["area_code"], strict=True))
