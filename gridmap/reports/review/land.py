"""Sections of grids: hot spots with their certainty, the workload against its like, the cap, changes of the plan."""

import pandas as pd

from gridmap.analysis.review.land import is_moved
from gridmap.reports.review.build import Builder, column, grid_map, named, table, with_total
from gridmap.reports.review.shape import ReviewNote, ReviewPlan, ReviewTable, Section

_HOT = {"hot": "hot", "cold": "cold", "not significant": "nothing", "too few to say": "too_few"}
_LOAD = {"higher": "higher", "as expected": "as_expected", "lower": "lower", "too few to say": "too_few"}


def hotspot_section(made: Builder) -> Section:
    """Return hot and cold grids of the month's disputes, each with how sure that is."""
    now = made.review.now
    hot = now.hot if now.hot is not None else pd.DataFrame()
    rows = now.grids[["name", "village_name", "n_households"]].join(hot.drop(columns="is_alone"))
    rows["class"] = rows["class"].map(_HOT)
    is_known = bool(rows["class"].notna().any())
    rank = {name: at for at, name in enumerate(("hot", "nothing", "cold", "too_few"))}
    rows["rank"], rows["excess"] = rows["class"].map(rank), rows["n_disputes"] - rows["expected"]
    rows = rows.rename(columns={"name": "grid", "village_name": "village"}).rename_axis("grid_code")
    ordered = rows.reset_index().sort_values(["rank", "excess", "grid_code"], ascending=[True, False, True])
    return Section(
        key="hotspots",
        title_key="review.section_hotspots",
        figures=made.figures("hotspots.n_hot", "hotspots.n_cold", "hotspots.n_too_few"),
        tables=(
            table(
                "hotspots.grids",
                ordered if is_known else ordered.iloc[:0],
                [
                    column("grid"),
                    column("grid_code"),
                    column("village"),
                    column("class", "word", words="review.hot_"),
                    column("beside", "word", words="review.beside_"),
                    column("n_disputes", "count", unit="unit.incidents"),
                    column("expected", "decimal", unit="unit.incidents", formula="hot_expected"),
                    column("n_households", "count", unit="unit.households"),
                    column("rate", "decimal", formula="hot_rate"),
                    column("n_around", "count", unit="unit.incidents"),
                    column("expected_around", "decimal", unit="unit.incidents"),
                    column("p", "decimal", formula="hot_p"),
                    column("q", "decimal", formula="hot_q"),
                ],
                by=["grid_code"],
            ),
        ),
        maps=(
            grid_map("hotspots.class", rows["class"], "word", classes=tuple(rank), words="review.hot_", is_public=True),
        ),
        notes=(ReviewNote(text_key="review.note_hotspots"),),
    )


def workload_section(made: Builder) -> Section:
    """Return which grids carry more or less than the others let expect, beyond chance."""
    now = made.review.now
    found = now.compared if now.compared is not None else pd.DataFrame()
    rows = now.grids[["name", "village_name", "n_households"]].join(found)
    rows["class"] = rows["class"].map(_LOAD)
    is_known = bool(rows["class"].notna().any())
    rows = rows.rename(columns={"name": "grid", "village_name": "village"}).rename_axis("grid_code")
    ordered = rows.reset_index().sort_values(["shrunken", "grid_code"], ascending=[False, True])
    return Section(
        key="workload",
        title_key="review.section_workload",
        figures=made.figures("workload.n_higher", "workload.n_lower", "workload.n_too_few"),
        tables=(
            table(
                "workload.grids",
                ordered if is_known else ordered.iloc[:0],
                [
                    column("grid"),
                    column("grid_code"),
                    column("village"),
                    column("class", "word", words="review.load_", called="load_class"),
                    column("n_new", "count", unit="unit.incidents"),
                    column("expected", "decimal", unit="unit.incidents", formula="load_expected"),
                    column("low_95", "decimal"),
                    column("high_95", "decimal"),
                    column("q", "decimal", formula="hot_q"),
                    column("shrunken", "decimal", formula="load_shrunken"),
                    column("shrunken_low", "decimal"),
                    column("shrunken_high", "decimal"),
                    column("n_before", "count", unit="unit.incidents"),
                    column("n_households", "count", unit="unit.households"),
                ],
                by=["grid_code"],
            ),
        ),
        maps=(
            grid_map(
                "workload.class",
                rows["class"],
                "word",
                classes=("higher", "as_expected", "lower", "too_few"),
                words="review.load_",
            ),
        ),
        notes=(ReviewNote(text_key="review.note_workload"),),
    )


def cap_section(made: Builder) -> Section:
    """Return the grids over the cap, and how full all are."""
    grids = made.review.now.grids
    rows = grids.rename(columns={"name": "grid", "village_name": "village"}).rename_axis("grid_code").reset_index()
    rows = rows.sort_values(["n_households", "grid_code"], ascending=[False, True])
    columns = [
        column("grid"),
        column("grid_code"),
        column("village"),
        column("n_households", "count", unit="unit.households"),
        column("household_cap", "count", unit="unit.households"),
        column("cap_share", "share", formula="cap_share"),
        column("load_class", "word", words="review.cap_", called="cap_class"),
        column("exception_reason"),
        column("n_residents", "count", unit="unit.residents"),
    ]
    over = rows[rows["load_class"] == "over"]
    return Section(
        key="cap",
        title_key="review.section_cap",
        figures=made.figures("cap.n_over", "cap.n_over_unexcused", "cap.n_grids", "cap.n_households"),
        tables=(
            table("cap.over", over, columns, by=["grid_code"], is_public=True),
            table("cap.grids", rows, columns, by=["grid_code"], is_behind=True, is_public=True),
        ),
        maps=(
            grid_map("cap.share", grids["cap_share"], "share", labels=_whole(grids["n_households"]), is_public=True),
        ),
        notes=(ReviewNote(text_key="review.note_households"),),
    )


def _whole(numbers: pd.Series) -> pd.Series:
    return pd.Series(["" if pd.isna(one) else f"{int(one)}" for one in numbers], index=numbers.index)


def plan_section(made: Builder, *, plan: ReviewPlan | None, before: ReviewPlan | None, names: pd.Series) -> Section:
    """Return what the plan in force moved against that of the month before.

    Parameters
    ----------
    made
        The measured months.
    plan, before
        In force on the last day of each.
    names
        Of the grids of both, by code.
    """
    if plan is None or before is None:
        note = ReviewNote(text_key="review.note_plan_unknown")
    elif plan.plan_id == before.plan_id:
        note = ReviewNote(text_key="review.note_plan_same", values={"plan": plan.name})
    else:
        values = {"plan": plan.name, "before": before.name, "valid_from": plan.valid_from.isoformat()}
        note = ReviewNote(text_key="review.note_plan_changed", values=values)
    moves = made.review.moves
    changed = moves[is_moved(moves)]
    flows = changed.assign(grid_before=named(changed["old"], names), grid_after=named(changed["new"], names))
    flows = with_total(flows, texts=["old", "new", "grid_before", "grid_after"], sums=["n_households"])
    touched = sorted(set(changed["old"].dropna()) | set(changed["new"].dropna()))
    sums = {
        "before": moves.groupby("old")["n_households"].sum(),
        "after": moves.groupby("new")["n_households"].sum(),
        "lost": changed.groupby("old")["n_households"].sum(),
        "gained": changed.groupby("new")["n_households"].sum(),
    }
    grids = pd.DataFrame({name: one.reindex(touched, fill_value=0) for name, one in sums.items()}, index=touched)
    grids = grids.rename_axis("grid_code").reset_index()
    grids["grid"] = named(grids["grid_code"], names)
    return Section(
        key="plans",
        title_key="review.section_plans",
        figures=made.figures("plans.n_changes", "plans.n_moved_households", "plans.n_new_grids", "plans.n_gone_grids"),
        tables=(
            table(
                "plans.moved",
                flows,
                [
                    column("grid_before"),
                    column("old", called="code_before"),
                    column("grid_after"),
                    column("new", called="code_after"),
                    column("n_households", "count", unit="unit.households"),
                ],
                by=["old", "new"],
                has_total=len(flows) > 0,
                is_public=True,
            ),
            table(
                "plans.grids",
                grids,
                [
                    column("grid"),
                    column("grid_code"),
                    *(
                        column(name, "count", unit="unit.households", called=f"homes_{name}")
                        for name in ("before", "gained", "lost", "after")
                    ),
                ],
                by=["grid_code"],
                is_public=True,
            ),
            _in_force(plan, before),
            _codes(made, names),
        ),
        notes=(note,),
    )


def _in_force(plan: ReviewPlan | None, before: ReviewPlan | None) -> ReviewTable:
    """Return the plans of both months: rows behind whether it changed."""
    rows = [
        {"when": when, **{name: getattr(one, name) for name in ("plan_id", "name", "valid_from", "n_grids")}}
        for when, one in (("month_before", before), ("month", plan))
        if one is not None
    ]
    columns = [
        column("when", "word", words="review.plan_of_", called="plan_of"),
        column("plan_id", "count"),
        column("name", called="plan"),
        column("valid_from", "day"),
        column("n_grids", "count", unit="unit.grids", called="n_plan_grids"),
    ]
    told = pd.DataFrame(rows, columns=[one.key for one in columns], dtype=object)
    return table("plans.in_force", told, columns, by=["when"], is_behind=True)


def _codes(made: Builder, names: pd.Series) -> ReviewTable:
    """Return the grids that one of the two plans has and the other has not."""
    review = made.review
    old, new = set(review.before.grids.index), set(review.now.grids.index)
    is_known = review.measures["plans.n_new_grids"].value is not None
    codes = sorted(old ^ new) if is_known else []
    rows = pd.DataFrame(
        {"grid_code": codes, "became": ["new" if one in new else "gone" for one in codes]}, dtype=object
    )
    rows["grid"] = named(rows["grid_code"], names)
    columns = [column("grid"), column("grid_code"), column("became", "word", words="review.grid_")]
    return table("plans.codes", rows, columns, by=["grid_code"], is_behind=True)
