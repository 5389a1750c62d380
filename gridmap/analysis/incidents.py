"""The state of incidents as a fold over their steps, closing figures, and counts by day and month."""

from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

_STATE_OF_STEP = {
    "reported": "reported",
    "accepted": "accepted",
    "paused": "paused",
    "resumed": "accepted",
    "handled": "handling",
    "escalated": "escalated",
    "dispatched": "dispatched",
    "checked": "checked",
    "closed": "closed",
    "reopened": "reopened",
}
# Steps of one instant are taken in the order of the life cycle.
_ORDER = {kind: rank for rank, kind in enumerate([*_STATE_OF_STEP, "extension_asked", "extended", "followed_up"])}
# With these an incident comes to somebody, who has to sign for it.
_HANDED_OVER = ("reported", "escalated", "dispatched", "reopened")
_SET_DUE = ("extended", "resumed", "reopened")
_TAKEN = ("reported", "accepted", "handled", "escalated", "dispatched")
LEVEL_ABOVE = {"member": "grid", "grid": "village", "village": "township", "township": "township"}
_ABOVE_GRID = ("village", "township")
# Who grants more time or checks from above has not taken the matter out of the grid.
_DEALT_WITH = (*_TAKEN, "closed")
# The level of a step is that of who acts: a member escalates to the grid, the grid to the village.
_ESCALATES_INSIDE_GRID = "member"
_SATISFIED_FROM = 4
_AFTER_CLOSING = ("closed", "reopened", "followed_up")


def in_order(steps: pd.DataFrame) -> pd.DataFrame:
    """Return steps in the order in which they happened; those of one instant in the order of the life cycle.

    Files often know no more than the minute, or the day. Without a rule of its own for that, what comes out would hang on
    the order in which rows arrived.

    Parameters
    ----------
    steps
        `kind`, `happened_at`; in any order.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    return steps.assign(rank=steps["kind"].map(_ORDER)).sort_values(["happened_at", "rank"]).drop(columns="rank")


def incident_states(
    incidents: pd.DataFrame, steps: pd.DataFrame, *, now: datetime, due_soon: timedelta
) -> pd.DataFrame:
    """Where each incident stands, as a fold over its steps.

    Parameters
    ----------
    incidents
        Index the incident's code, unique; columns `happened_at`, `due_at` (tz-aware; may be null).
    steps
        One row a step: `incident_code`, `kind`, `level`, `team_code`, `satisfaction`, `happened_at`, `due_at` (the new due
        time where the step sets one); in any order. Steps later than `now` and steps of other incidents are left out.
    now
        The instant that "open" and "overdue" refer to, tz-aware.
    due_soon
        An open incident due within this span counts as due soon.

    Returns
    -------
    DataFrame
        On the incidents' index: `state`, `level` (of the last step that names one, else null), `holder` (the level that has
        it now: whoever reported, signed or handled last, the level above who passed it up, the township where it was
        dispatched), `team_code` (of the dispatch, else null), `held_at` (since when, NaT before any step), `is_accepted`
        (signed since), `is_handled` (worked on since), `is_asked` (an extension is asked for and not granted), `is_extended` (granted since), `paused_at` (NaT while
        the clock runs), `is_followed_up` (since the closing), `due_at` (the last that was set), `last_step_at`,
        `closed_at` (NaT while open), `is_open`, `is_overdue`, `is_due_soon` (bool), `is_on_time` (boolean, NA while open
        or without due time), `is_in_grid` (boolean, NA while open: never escalated above the grid nor dispatched to a team, and nobody of village or
        township reported, signed, handled or closed it; more time granted or a check from above changes nothing),
        `satisfaction` (last given, else NaN).

    Raises
    ------
    KeyError
        If a column is missing.

    Notes
    -----
    A reopening after the closing opens the incident again; any other step that happened after the last closing is moot, but the
    follow-up. The order of the rows never matters. Rule: docs/kpi.md.
    """
    index = incidents.index
    # The place of the incident instead of its code: numbers sort and group many times faster than texts.
    known = steps.assign(place=index.get_indexer(pd.Index(steps["incident_code"])))
    known = in_order(known[(known["place"] >= 0) & (known["happened_at"] <= now)]).reset_index(drop=True)
    places, kinds = known["place"].to_numpy(), known["kind"].to_numpy(dtype=object)

    def newest(*wanted: str, given: str | None = None) -> npt.NDArray[np.intp]:
        """Row of each incident's last step of these kinds, or of those where a column is given; -1 without."""
        is_one = np.isin(kinds, wanted) if wanted else known[given].notna().to_numpy()
        rows = np.full(len(index), -1)
        rows[places[is_one]] = np.flatnonzero(is_one)  # of several steps of one incident the last is what stays
        return rows

    def told(column: str, rows: npt.NDArray[np.intp]) -> pd.Series:
        found: pd.Series = known[column].reindex(rows).set_axis(index)
        return found

    def ends_with(kind: str, *others: str) -> pd.Series:
        return told("kind", newest(kind, *others)) == kind

    closed_at = told("happened_at", newest("closed", "reopened")).where(ends_with("closed", "reopened"))
    # A closing that comes late from another system may find that a clock here let the matter go up meanwhile.
    is_moot = known["happened_at"] > closed_at.iloc[places].set_axis(known.index)
    is_moot &= ~known["kind"].isin(_AFTER_CLOSING)
    known = known[~is_moot].reset_index(drop=True)
    places, kinds = known["place"].to_numpy(), known["kind"].to_numpy(dtype=object)
    stopping = ("resumed", "closed", "reopened")
    paused_at = told("happened_at", newest("paused", *stopping)).where(ends_with("paused", *stopping))
    taken = newest(*_TAKEN)
    taken_kind, taken_level = told("kind", taken), told("level", taken)
    holder = taken_level.where(taken_kind != "escalated", taken_level.map(LEVEL_ABOVE))
    holder = holder.mask(taken_kind == "dispatched", "township").fillna("member")
    leaves = (known["kind"] == "escalated") & (known["level"] != _ESCALATES_INSIDE_GRID)
    leaves |= known["kind"] == "dispatched"
    went_up = np.zeros(len(index), dtype=bool)
    is_above = known["level"].isin(_ABOVE_GRID) & known["kind"].isin(_DEALT_WITH)
    went_up[known.loc[leaves | is_above, "place"]] = True
    is_open = closed_at.isna()
    set_anew = told("due_at", newest(*_SET_DUE))
    due_at = set_anew.where(set_anew.notna(), incidents["due_at"])
    clock_at = paused_at.where(paused_at.notna(), now)
    has_due = due_at.notna()
    return pd.DataFrame(
        {
            "state": told("kind", newest(*_STATE_OF_STEP)).map(_STATE_OF_STEP).fillna("reported"),
            "level": told("level", newest(given="level")),
            "holder": holder,
            "team_code": told("team_code", newest("dispatched")).where(holder == "township"),
            "held_at": told("happened_at", newest(*_HANDED_OVER)),
            "is_accepted": ends_with("accepted", "handled", *_HANDED_OVER) | ends_with("handled", *_HANDED_OVER),
            "is_handled": ends_with("handled", *_HANDED_OVER),
            "is_asked": ends_with("extension_asked", "extended", "closed", "reopened"),
            "is_extended": ends_with("extended", *_HANDED_OVER),
            "paused_at": paused_at,
            "is_followed_up": ends_with("followed_up", "closed", "reopened"),
            "due_at": due_at,
            "last_step_at": told("happened_at", newest(given="happened_at")),
            "closed_at": closed_at,
            "is_open": is_open,
            "is_overdue": is_open & has_due & (due_at < clock_at),
            "is_due_soon": is_open & has_due & (due_at >= now) & (due_at <= now + due_soon) & paused_at.isna(),
            "is_on_time": (closed_at <= due_at).astype("boolean").mask(is_open | ~has_due),
            "is_in_grid": pd.Series(~went_up, index=index).astype("boolean").mask(is_open),
            "satisfaction": told("satisfaction", newest(given="satisfaction")).astype(float),
        },
        index=index,
    )


def closing_figures(states: pd.DataFrame) -> pd.DataFrame:
    """Shares that the meeting reads, each with what it was made of.

    Parameters
    ----------
    states
        From `incident_states`.

    Returns
    -------
    DataFrame
        Index `closing`, `on_time`, `in_grid`, `satisfaction`; columns `numerator`, `denominator` (int), `share` (0 to 1,
        NaN where the denominator is 0). `closing` is of all incidents, `on_time` of the closed ones with a due time,
        `in_grid` of the closed ones, `satisfaction` (rated 4 or 5) of the rated closed ones.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    rated = states.loc[~states["is_open"], "satisfaction"].dropna()
    counts = {
        "closing": (int((~states["is_open"]).sum()), len(states)),
        "on_time": (int(states["is_on_time"].sum()), int(states["is_on_time"].notna().sum())),
        "in_grid": (int(states["is_in_grid"].sum()), int(states["is_in_grid"].notna().sum())),
        "satisfaction": (int((rated >= _SATISFIED_FROM).sum()), len(rated)),
    }
    figures = pd.DataFrame.from_dict(counts, orient="index", columns=["numerator", "denominator"])
    figures["share"] = figures["numerator"] / figures["denominator"].replace(0, np.nan)
    return figures


def monthly_counts(incidents: pd.DataFrame, *, zone: tzinfo, by: str) -> pd.DataFrame:
    """Incidents per month of the township's calendar and value of a column.

    Parameters
    ----------
    incidents
        Columns `happened_at` (tz-aware) and `by`.
    zone
        The clock whose midnight ends a month.
    by
        Column to count by.

    Returns
    -------
    DataFrame
        Index `month` (`YYYY-MM`, every month from the first to the last with an incident), one int column a value.
        Months without incidents inside the span are 0; outside it nothing is said.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    months = incidents["happened_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.to_period("M")
    counted = pd.crosstab(months, incidents[by])
    if len(counted):
        counted = counted.reindex(pd.period_range(counted.index.min(), counted.index.max(), freq="M"), fill_value=0)
    counted.index = counted.index.astype(str).rename("month")
    return counted


def daily_counts(incidents: pd.DataFrame, *, zone: tzinfo, first_on: date, last_on: date) -> pd.Series:
    """Incidents per day of the township's calendar.

    Parameters
    ----------
    incidents
        Column `happened_at` (tz-aware).
    zone
        The clock whose midnight ends a day.
    first_on, last_on
        First and last day, both inside.

    Returns
    -------
    Series
        Index the days (`datetime.date`), every one of them; int.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    if last_on < first_on:
        raise ValueError(f"`last_on` must not lie before `first_on`, got {last_on} and {first_on}.")
    days = [first_on + timedelta(days=step) for step in range((last_on - first_on).days + 1)]
    counted = incidents["happened_at"].dt.tz_convert(zone).dt.date.value_counts()
    every_day: pd.Series = counted.reindex(days, fill_value=0)
    return every_day.rename("n_incidents").rename_axis("day")


def newest_names(categories: pd.DataFrame) -> pd.Series:
    """Name of each category in the newest list that knows it, so that years can be added up.

    Parameters
    ----------
    categories
        `category_code`, `list_year`, `name`, `successor_code` (code in the next list; null where the code stays), and where it
        is known `valid_from` (the day from which a category holds). A list that changes within its year has the successor in
        the same list, with a later day.

    Returns
    -------
    Series
        Index (`category_code`, `list_year`), value the name that its successors bear in the newest list; a category that
        ends keeps its last name.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    years = sorted(set(categories["list_year"]))
    next_list = dict(pairwise(years))
    rows = categories.set_index(["category_code", "list_year"])
    known = set(rows.index)
    successors, names = rows["successor_code"].to_dict(), rows["name"].to_dict()
    begins = rows["valid_from"].to_dict() if "valid_from" in rows else {}

    def following(code: str, year: int) -> tuple[str, int] | None:
        successor = successors[code, year] if isinstance(successors[code, year], str) else code
        within = (successor, year)
        if within in known and begins and begins[within] > begins[code, year]:
            return within
        later = (successor, next_list.get(year, year))
        return later if later in known and later[1] > year else None

    newest = {}
    for key in rows.index:
        last = key
        while (after := following(*last)) is not None:
            last = after
        newest[key] = names[last]
    return pd.Series(newest, index=rows.index, name="name", dtype=object)
