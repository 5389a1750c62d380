"""Sections of patrols: coverage in time and space, and gaps that opened or closed since the month before."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridmap.analysis.gaps import OUTSIDE
from gridmap.analysis.review.patrols import is_gap
from gridmap.reports.review.build import Builder, column, grid_map, named, table, with_total
from gridmap.reports.review.shape import NOWHERE, ReviewNote, ReviewTable, Section

_UNIT_OF = {"sum_days": "unit.days"}
CHANGES = ("opened", "new_point", "persists", "closed", "gone", "cannot_tell")
_SUMS = ("n_households", "n_visited", "n_long", "n_points", "n_due", "n_counted", "n_missed")


def coverage_section(
    made: Builder, *, grids: pd.DataFrame, villages: pd.Series, settings: Mapping[str, object]
) -> Section:
    """Return coverage of the month: visits due and made, doors, homes passed long ago, homes without a point near.

    Parameters
    ----------
    made
        The measured months.
    grids
        `name`, `village_name` of the grids of the plan.
    villages
        Names by code.
    settings
        `long_unpatrolled_days`.
    """
    by_grid = _by_grid(made, grids, long_days=int(str(settings["long_unpatrolled_days"])))
    points = made.review.now.patrols.checkpoints
    shown = by_grid.set_index("grid_code")
    names = grids["name"]
    total = with_total(by_grid, texts=["grid_code", "grid", "village"], sums=_SUMS)
    for share, part, whole in (("door_share", "n_visited", "n_households"), ("made_share", "n_counted", "n_due")):
        total[share] = total[part] / total[whole].where(total[whole] > 0)
    return Section(
        key="coverage",
        title_key="review.section_coverage",
        figures=made.figures(
            "coverage.visited",
            "coverage.kept",
            "coverage.cannot_tell",
            "coverage.n_points",
            "coverage.n_missed",
            "coverage.door_to_door",
            "coverage.mean_days",
            "coverage.long_share",
            "coverage.covered",
            "coverage.n_uncovered",
            "coverage.reached",
            "coverage.n_outside",
        ),
        tables=(
            table(
                "coverage.by_grid",
                total,
                [
                    column("grid"),
                    column("grid_code"),
                    column("village"),
                    column("n_due", "count"),
                    column("n_counted", "count"),
                    column("made_share", "share", formula="coverage_visited"),
                    column("n_missed", "count", formula="coverage_n_missed"),
                    column("n_households", "count", unit="unit.households"),
                    column("n_visited", "count", unit="unit.households"),
                    column("door_share", "share", formula="coverage_door_to_door"),
                    column("mean_days", "decimal", unit="unit.days", formula="coverage_mean_days"),
                    column("n_long", "count", unit="unit.households", formula="coverage_long_share"),
                ],
                by=["grid_code"],
                has_total=True,
                is_public=True,
            ),
            _homes(made, grids, long_days=int(str(settings["long_unpatrolled_days"]))),
            _by_duty(points, is_known=len(made.review.now.patrols.traces) > 0),
            _points(points, grids=names, villages=villages),
        ),
        maps=(
            grid_map("coverage.visited", shown["made_share"], "share", is_bad_high=False, is_public=True),
            grid_map("coverage.doors", shown["door_share"], "share", is_bad_high=False, is_public=True),
            grid_map("coverage.days", shown["mean_days"], "decimal", unit="unit.days", is_public=True),
        ),
        notes=(ReviewNote(text_key="review.note_absence"),),
    )


def _by_grid(made: Builder, grids: pd.DataFrame, *, long_days: int) -> pd.DataFrame:
    now = made.review.now
    points, homes, doors = now.patrols.checkpoints, now.homes.households, now.homes.doors
    is_known = len(now.patrols.traces) > 0
    by_point = points.assign(is_gap=is_gap(points)).groupby("grid_code")
    by_home = homes.assign(is_long=homes["days_since"] >= long_days).groupby("grid_code")
    found = pd.DataFrame(index=grids.index)
    found["n_points"] = by_point.size()
    for name, source in (("n_due", "n_due"), ("n_counted", "n_counted"), ("n_missed", "is_gap")):
        found[name] = by_point[source].sum()
    found = found.fillna(0).astype(float)
    if not is_known:
        found[["n_counted", "n_missed"]] = np.nan
    found["n_households"] = by_home.size().reindex(grids.index, fill_value=0)
    found["n_visited"] = doors["n_visited"]
    found["mean_days"] = by_home["days_since"].mean()
    found["n_long"] = by_home["is_long"].sum().where(by_home["days_since"].count() > 0)
    found["made_share"] = found["n_counted"] / found["n_due"].where(found["n_due"] > 0)
    found["door_share"] = found["n_visited"] / found["n_households"].where(found["n_households"] > 0)
    found["grid"], found["village"] = grids["name"], grids["village_name"]
    return found.rename_axis("grid_code").reset_index()


def _homes(made: Builder, grids: pd.DataFrame, *, long_days: int) -> ReviewTable:
    """Return what the figures of homes add up from, by grid; homes in no grid have a row of their own."""
    now = made.review.now
    homes = now.homes.households
    days, status = homes["days_since"], None if now.reach is None else now.reach.status.reindex(homes.index)
    parts: dict[str, dict[str, pd.Series]] = {
        "coverage.covered": {"n_covered": homes["is_covered"], "n_uncovered": ~homes["is_covered"].astype(bool)},
        "coverage.mean_days": {"n_told": days.notna(), "sum_days": days, "n_long": days >= long_days},
        "coverage.reached": {}
        if status is None
        else {
            "n_reached": status == "reached",
            "n_outside": status.isin(OUTSIDE),
            "n_untold": ~status.isin(("reached", *OUTSIDE)),
        },
    }
    flags = pd.DataFrame({"n_households": 1.0, "grid_code": homes["grid_code"].astype(object)}, index=homes.index)
    for key, flagged in parts.items():
        for name, values in flagged.items():
            flags[name] = values.astype(float) if now.measures[key].value is not None else np.nan
    flags["grid_code"] = flags["grid_code"].where(flags["grid_code"].notna(), NOWHERE)
    sums = [str(name) for name in flags if name != "grid_code"]
    rows = flags.groupby("grid_code")[sums].sum(min_count=1).reindex(sorted({*grids.index, *flags["grid_code"]}))
    rows["n_households"] = rows["n_households"].fillna(0)
    rows = rows.rename_axis("grid_code").reset_index()
    rows.insert(0, "grid", named(rows["grid_code"].where(rows["grid_code"] != NOWHERE), grids["name"]))
    columns = [
        column("grid"),
        column("grid_code"),
        *(column(name, "count", unit=_UNIT_OF.get(name, "unit.households")) for name in sums),
    ]
    total = with_total(rows, texts=["grid", "grid_code"], sums=sums)
    return table("coverage.homes", total, columns, by=["grid_code"], has_total=True, is_behind=True)


def _by_duty(points: pd.DataFrame, *, is_known: bool) -> ReviewTable:
    groups = points.assign(is_gap=is_gap(points)).groupby("duty")
    sums = ("n_points", "n_due", "n_counted", "n_missed")
    rows = pd.DataFrame(
        {"n_points": groups.size(), "n_due": groups["n_due"].sum(), "n_counted": groups["n_counted"].sum()}
    )
    rows = rows.assign(n_missed=groups["is_gap"].sum()).astype(float).reset_index()
    if not is_known:
        rows[["n_counted", "n_missed"]] = np.nan
    rows = with_total(rows, texts=["duty"], sums=sums)
    rows["made_share"] = rows["n_counted"] / rows["n_due"].where(rows["n_due"] > 0)
    columns = [
        column("duty", "word", words="controls.duty_"),
        *(column(name, "count") for name in sums),
        column("made_share", "share", formula="coverage_visited"),
    ]
    return table("coverage.by_duty", rows, columns, by=["duty"], has_total=True, is_public=True)


def _points(points: pd.DataFrame, *, grids: pd.Series, villages: pd.Series) -> ReviewTable:
    """Return every checkpoint of the month: rows behind figures."""
    told = points.rename_axis("checkpoint_code").sort_index().reset_index()
    told["grid"], told["village"] = named(told["grid_code"], grids), named(told["village_code"], villages)
    columns = [
        column("checkpoint_code"),
        column("name"),
        column("duty", "word", words="controls.duty_"),
        column("village"),
        column("grid"),
        *(column(name, "count") for name in ("n_due", "n_made", "n_counted", "n_missing")),
        *(column(name, "count", called=f"periods_{name}") for name in ("n_kept", "n_missed", "n_cannot_tell")),
        column("verdict", "word", words="review.verdict_"),
    ]
    told["verdict"] = told["verdict"].where(told["verdict"].notna() & (told["verdict"] != ""), None)
    return table("coverage.points", told, columns, by=["checkpoint_code"], is_behind=True)


def gap_section(made: Builder, *, grids: pd.Series, villages: pd.Series) -> Section:
    """Return the points whose gap opened, stays or was closed since the month before.

    Parameters
    ----------
    made
        The measured months.
    grids, villages
        Names by code.
    """
    review = made.review
    now, before = review.now.patrols.checkpoints, review.before.patrols.checkpoints
    codes = review.gaps.index
    both = {name: now[name].reindex(codes) for name in ("name", "duty", "grid_code", "village_code")}
    rows = pd.DataFrame({name: one.where(one.notna(), before[name].reindex(codes)) for name, one in both.items()})
    rows["change"] = review.gaps
    for name, points in (("", now), ("_before", before)):
        for figure in ("n_due", "n_made"):
            rows[f"{figure}{name}"] = points[figure].reindex(codes)
    rows["grid"], rows["village"] = named(rows["grid_code"], grids), named(rows["village_code"], villages)
    rows["rank"] = rows["change"].map({change: at for at, change in enumerate(CHANGES)})
    rows = rows.rename_axis("checkpoint_code").reset_index().sort_values(["rank", "checkpoint_code"])
    return Section(
        key="gaps",
        title_key="review.section_gaps",
        figures=made.figures("gaps.n_opened", "gaps.n_closed", "gaps.n_persists"),
        tables=(_gaps_by_village(rows), _gap_points(rows)),
        notes=(ReviewNote(text_key="review.note_gaps"),),
    )


def _gaps_by_village(rows: pd.DataFrame) -> ReviewTable:
    counts = pd.crosstab(rows["village"], rows["change"]).reindex(columns=list(CHANGES), fill_value=0)
    counts = with_total(counts.reset_index(), texts=["village"], sums=CHANGES)
    columns = [column("village"), *(column(change, "count", called=f"gap_{change}") for change in CHANGES)]
    return table("gaps.by_village", counts, columns, by=["village"], has_total=True, is_public=True)


def _gap_points(rows: pd.DataFrame) -> ReviewTable:
    columns = [
        column("name"),
        column("checkpoint_code"),
        column("duty", "word", words="controls.duty_"),
        column("village"),
        column("grid"),
        column("change", "word", words="review.gap_", called="gap_change"),
        *(column(name, "count") for name in ("n_due", "n_made", "n_due_before", "n_made_before")),
    ]
    return table("gaps.points", rows, columns, by=["checkpoint_code"], is_public=True)
