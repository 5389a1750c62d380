"""Where and when disputes arise: density per month, monthly series, table by category."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.counting import locate
from gridmap.analysis.density import Density, density_surface
from gridmap.analysis.incidents import closing_figures, incident_states, monthly_counts, newest_names
from gridmap.analysis.small_counts import known_public
from gridmap.analysis.visits import span_instants
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ground import Ground, read_ground
from gridmap.store.categories import read_categories
from gridmap.store.facts import read_incident_steps, read_incidents
from gridmap.store.versions import read_known_at

_FIGURES = {
    "settled": ("closing", "disputes.formula_settled"),
    "in_grid": ("in_grid", "disputes.formula_in_grid"),
    "on_time": ("on_time", "disputes.formula_on_time"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class DisputesReport:
    """The disputes page.

    Parameters
    ----------
    known_at
        When the newest fact was recorded; None without facts.
    n_incidents, settled, in_grid, on_time
        Figures of the selection.
    n_without_place
        Incidents of the selection that are on no map.
    whole, months
        Density of the selection over the whole span, and of each month (`YYYY-MM`).
    monthly
        Index the month, one column a kind or category, incidents.
    categories
        Index the category's newest name, most first: `n_incidents`, `n_settled`, `n_open`, `settled_share`, `n_last`
        and `n_before` (last month of the span and the month before).
    villages
        The same by village.
    category_names
        Every category of the selected kind that occurs, for the filter.
    is_withheld
        Whether private matters of the selection are left out of all of the above.
    """

    known_at: datetime | None
    n_incidents: Figure
    settled: Figure
    in_grid: Figure
    on_time: Figure
    n_without_place: int
    whole: Density
    months: Mapping[str, Density]
    monthly: pd.DataFrame
    categories: pd.DataFrame
    villages: pd.DataFrame
    category_names: tuple[str, ...]
    is_withheld: bool


@depends_on("places", "incidents")
def disputes_report(
    connection: Connection,
    *,
    township_code: str,
    first_on: date,
    last_on: date,
    kind: str | None,
    category: str | None,
    village_code: str | None,
    hides_private: bool,
    now: datetime,
    zone: tzinfo,
    heat_cell_m: float,
    heat_bandwidth_m: float,
    due_soon_hours: int,
) -> DisputesReport:
    """Measure where and when incidents of a selection arose.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    first_on, last_on
        The span by day of happening, both days inside.
    kind
        `dispute`, `hazard`, `request` or `clue`; None: all.
    category
        Newest name of a category; None: all.
    village_code
        Only incidents in this village, by place, else by the village named; None: all.
    hides_private
        Whether private matters are left out, for everybody who does not handle them: a density of few points shows where
        each lies. They are then counted by grid alone (`reports.hotspots`).
    now
        The instant of "settled"; only what was recorded by then counts.
    zone
        The township's clock.
    heat_cell_m, heat_bandwidth_m, due_soon_hours
        See `settings`.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    ground = read_ground(connection, township_code=township_code, on=now.astimezone(zone).date())
    since, until = span_instants(first_on, last_on, zone=zone)
    incidents = read_incidents(connection, township_code=township_code, since=since, until=until, known_at=now)
    steps = read_incident_steps(connection, township_code=township_code, since=since, until=until, known_at=now)
    has_facts = len(incidents) > 0
    incidents = _described(incidents, ground, newest_names(read_categories(connection)))
    states = incident_states(incidents, steps, now=now, due_soon=timedelta(hours=due_soon_hours))
    rows = incidents.join(states[["is_open"]])
    if kind is not None:
        rows = rows[rows["kind"] == kind]
    names = tuple(sorted(set(rows["category"])))
    if category is not None:
        rows = rows[rows["category"] == category]
    if village_code is not None:
        rows = rows[rows["village"] == village_code]
    is_public = known_public(rows["is_private"])
    is_withheld = hides_private and not is_public.all()
    if is_withheld:
        rows = rows[is_public]
    closing = closing_figures(states.loc[rows.index])
    month_of = rows["happened_at"].dt.tz_convert(zone).dt.strftime("%Y-%m")
    bounds = tuple(ground.villages.total_bounds) if len(ground.villages) else (0.0, 0.0, 1.0, 1.0)

    def density(selected: gpd.GeoDataFrame) -> Density:
        return density_surface(selected, bounds=bounds, cell_m=heat_cell_m, bandwidth_m=heat_bandwidth_m)

    return DisputesReport(
        known_at=read_known_at(connection, township_code=township_code, until=now),
        n_incidents=count(
            len(rows) if has_facts and not (is_withheld and rows.empty) else None,
            unit="unit.incidents",
            formula_key="disputes.formula_incidents",
        ),
        **{
            name: share(*closing.loc[row, ["numerator", "denominator"]].astype(float), formula_key=formula)
            for name, (row, formula) in _FIGURES.items()
        },
        n_without_place=int(rows.geometry.isna().sum()),
        whole=density(rows),
        months={month: density(rows[month_of == month]) for month in sorted(set(month_of))},
        monthly=monthly_counts(rows, zone=zone, by="kind" if kind is None else "category"),
        categories=_table(rows, rows["category"], month_of, last_on),
        villages=_table(rows, rows["village"].map(ground.village_names), month_of, last_on),
        category_names=names,
        is_withheld=is_withheld,
    )


def _described(incidents: gpd.GeoDataFrame, ground: Ground, names: pd.Series) -> gpd.GeoDataFrame:
    """Add the category's newest name and the village: by place, else as named."""
    metric = gpd.GeoDataFrame(incidents.to_crs(ground.township.metric_epsg))
    located = locate(metric, ground.villages)
    keys = zip(metric["category_code"], metric["list_year"], strict=True)
    return gpd.GeoDataFrame(
        metric.assign(
            category=[names.get(key) for key in keys],
            village=located.where(located.notna(), metric["village_code"]),
        )
    )


def _table(rows: pd.DataFrame, by: pd.Series, month_of: pd.Series, last_on: date) -> pd.DataFrame:
    last = last_on.strftime("%Y-%m")
    before = (last_on.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    groups = rows.groupby(by)
    table = pd.DataFrame(
        {
            "n_incidents": groups.size(),
            "n_open": groups["is_open"].sum().astype(int),
            "n_last": (month_of == last).groupby(by).sum(),
            "n_before": (month_of == before).groupby(by).sum(),
        }
    )
    table["n_settled"] = table["n_incidents"] - table["n_open"]
    table["settled_share"] = table["n_settled"] / table["n_incidents"]
    return table.rename_axis("name").sort_values("n_incidents", ascending=False, kind="stable")
