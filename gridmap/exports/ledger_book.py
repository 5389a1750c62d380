"""The three ledgers and the lists as one workbook, for those who handle them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from gridmap.exports.tables import Column, Sheet, explained, workbook
from gridmap.frames import SERVICE_NEEDS
from gridmap.reports.ledgers.lists import ListsReport
from gridmap.reports.ledgers.patrols import PatrolLedger
from gridmap.reports.ledgers.people import PeopleLedger
from gridmap.reports.ledgers.points import SUMS, PointsReport, in_order
from gridmap.settings import settings
from gridmap.texts import t

_PEOPLE = ("n_households", "n_residents", *(f"n_{need}" for need in SERVICE_NEEDS))


def ledger_workbook(
    people: PeopleLedger,
    patrols: PatrolLedger,
    points: PointsReport,
    lists: ListsReport,
    about: Mapping[str, str],
) -> bytes:
    """Return a workbook of the ledgers of a month: people, patrols, practical things, points with every entry, lists.

    Parameters
    ----------
    people, patrols, points, lists
        The reports.
    about
        Lines of the last sheet: whose, of when.
    """
    return workbook(
        [
            *_people_sheets(people),
            *_patrol_sheets(patrols),
            *point_sheets(points),
            *_list_sheets(lists),
        ],
        about_sheet=t("controls.about"),
        about=about,
    )


def _people_sheets(people: PeopleLedger) -> list[Sheet]:
    counts = [Column(name=name, header=t(f"ledgers.{name}"), kind="count") for name in _PEOPLE]
    stale = explained("n_stale", t("ledgers.n_stale_count"), "count", formula="ledgers.formula_stale")
    oldest = Column(name="oldest_on", header=t("ledgers.oldest_on"))
    grids = [_text("grid_code"), _named("name", "grid"), _village(), *counts, stale]
    grids += [_named("newest_on", "last_on"), _text("due_on")]
    groups = [_named("grid_name", "grid"), _named("name", "group"), _village(), *counts, stale, oldest]
    return [
        Sheet(name=t("ledgers.sheet_people"), rows=people.grids.reset_index(), columns=[*grids, oldest]),
        Sheet(name=t("ledgers.sheet_groups"), rows=people.groups, columns=groups),
    ]


def _patrol_sheets(patrols: PatrolLedger) -> list[Sheet]:
    wide, months = months_wide(patrols)
    points = wide.assign(
        duty=[t(f"controls.duty_{duty}") for duty in wide["duty"]],
        verdict=wide["verdict"].map(lambda one: t(f"ledgers.verdict_{one}"), na_action="ignore"),
    )
    columns = [
        _named("name", "checkpoint"),
        Column(name="duty", header=t("controls.duty")),
        _named("grid_name", "grid"),
        _village(),
        _text("verdict"),
        explained("n_missed", t("ledgers.n_missed"), "count", formula="ledgers.formula_missed"),
        explained("n_findings", t("ledgers.n_findings"), "count", formula="ledgers.formula_findings"),
        *(Column(name=name, header=f"{month:%Y-%m}") for name, month in months.items()),
    ]
    findings = patrols.findings.assign(
        kind=[t(f"controls.kind_{kind}") for kind in patrols.findings["kind"]],
        state=[t(f"live.state_{state}") for state in patrols.findings["state"]],
        how=[t(f"ledgers.how_{how}") for how in patrols.findings["how"]],
        happened_at=_local(patrols.findings["happened_at"]),
    )
    found = [
        _named("checkpoint_name", "checkpoint"),
        _named("incident_code", "incident"),
        Column(name="kind", header=t("controls.kind")),
        _named("category_name", "category"),
        Column(name="happened_at", header=t("ledgers.time"), kind="instant"),
        _text("state"),
        Column(name="distance_m", header=t("ledgers.distance_m"), kind="decimal"),
        _text("how"),
    ]
    things = patrols.things.assign(state=[t(f"ledgers.state_{state}") for state in patrols.things["state"]])
    promised = [
        _named("title", "thing"),
        _named("grid_name", "grid"),
        _village(),
        _text("state"),
        _text("promised_on"),
        _named("due_on", "thing_due"),
        _text("ended_on"),
        _text("reason"),
    ]
    targets = [
        _named("name", "grid"),
        _village(),
        explained("n_disputes", t("ledgers.n_disputes"), "count", formula="ledgers.formula_disputes"),
        Column(name="n_promised", header=t("ledgers.n_promised"), kind="count"),
        explained("n_done", t("ledgers.n_things_done"), "count", formula="ledgers.formula_things"),
    ]
    return [
        Sheet(name=t("ledgers.sheet_checkpoints"), rows=points, columns=columns),
        Sheet(name=t("ledgers.sheet_findings"), rows=findings.reset_index(), columns=found),
        Sheet(name=t("ledgers.sheet_things"), rows=things, columns=promised),
        Sheet(name=t("ledgers.sheet_targets"), rows=patrols.targets, columns=targets),
    ]


def months_wide(patrols: PatrolLedger) -> tuple[pd.DataFrame, dict[str, date]]:
    """Return the checkpoints with one column a month, made/due, and which month each column is."""
    months = {f"month_{at}": month for at, month in enumerate(sorted(set(patrols.months["month"])))}
    wide = patrols.checkpoints.copy()
    for name, month in months.items():
        rows = patrols.months[patrols.months["month"] == month].set_index("checkpoint_code")
        cells = {
            code: t("ledgers.month_cell", made="—" if pd.isna(made) else int(made), due=int(due))
            for code, made, due in zip(rows.index, rows["n_made"], rows["n_due"], strict=True)
        }
        wide[name] = wide.index.map(cells).astype(object)
    return wide, months


def point_sheets(points: PointsReport) -> list[Sheet]:
    """Return the sheets of points: people, grids, every entry, rules."""
    people = points.people.assign(
        role=[t(f"ledgers.role_{role}") for role in points.people["role"]],
        grade=points.people["grade"].map(lambda grade: t(f"ledgers.grade_{grade}"), na_action="ignore"),
        attainable=points.people["attainable_tenths"] / 10,
        share=points.people["share_permille"].astype(float) / 1000,
        fair=points.people["fair_permille"].astype(float) / 1000,
    ).reset_index()
    by_person = [
        Column(name="rank", header=t("ledgers.rank"), kind="count"),
        _text("name"),
        _text("staff_id"),
        _text("role"),
        _named("grid_name", "grid"),
        _village(),
        explained("points", t("ledgers.points"), "count", formula="ledgers.formula_points"),
        *(Column(name=name, header=t(f"ledgers.{name}"), kind="count") for name in SUMS),
        Column(
            name="attainable", header=t("ledgers.attainable"), kind="decimal", formula=t("ledgers.formula_attainable")
        ),
        Column(name="share", header=t("ledgers.share"), kind="share"),
        explained("fair", t("ledgers.fair_share"), "share", formula="ledgers.formula_fair"),
        _text("grade"),
    ]
    grids = [
        Column(name="rank", header=t("ledgers.rank"), kind="count"),
        _named("name", "grid"),
        _village(),
        Column(name="n_people", header=t("ledgers.n_people"), kind="count"),
        Column(name="points", header=t("ledgers.points"), kind="count"),
        explained("share", t("ledgers.grid_share"), "share", formula="ledgers.formula_grid_share"),
        explained("shrunken", t("ledgers.grid_fair"), "share", formula="ledgers.formula_grid_fair"),
        Column(name="n_done", header=t("ledgers.n_done"), kind="count"),
        Column(name="n_due", header=t("ledgers.n_all_due"), kind="count"),
    ]
    names = points.rules["name"].to_dict()
    entries = points.entries.assign(
        rule=points.entries["rule_code"].map(names).fillna(points.entries["rule_code"]),
        state=[t(f"ledgers.entry_{state}") for state in points.entries["state"]],
    )
    rows = [
        _text("name"),
        _text("staff_id"),
        _text("rule"),
        Column(name="points", header=t("ledgers.points"), kind="count"),
        _named("happened_on", "day"),
        _text("what"),
        _text("reference"),
        _named("state", "entry_state"),
        _text("reason"),
        _text("entered_by"),
        _text("approved_by"),
        _text("key"),
    ]
    rules = in_order(points.rules).reset_index()
    rules["counts"] = [t(f"ledgers.counts_{counts}") for counts in rules["counts"]]
    written = [
        _named("name", "rule_name"),
        _named("rule_code", "rule_code"),
        _text("counts"),
        Column(name="points", header=t("ledgers.points"), kind="count"),
        Column(name="monthly_ceiling", header=t("ledgers.ceiling"), kind="count"),
        Column(name="threshold_percent", header=t("ledgers.threshold"), kind="count"),
    ]
    return [
        Sheet(name=t("ledgers.sheet_points"), rows=people, columns=by_person),
        Sheet(name=t("ledgers.sheet_grids"), rows=points.grids, columns=grids),
        Sheet(name=t("ledgers.sheet_entries"), rows=entries, columns=rows),
        Sheet(name=t("ledgers.sheet_rules"), rows=rules, columns=written),
    ]


def _list_sheets(lists: ListsReport) -> list[Sheet]:
    tasks = lists.tasks.assign(
        kind=[t(f"ledgers.kind_{kind}") for kind in lists.tasks["kind"]],
        state=[t("ledgers.task_done" if done else "ledgers.task_open") for done in lists.tasks["is_done"]],
        ticked_at=_local(lists.tasks["ticked_at"]),
    )
    listed = [
        _named("grid_name", "grid"),
        _village(),
        _text("kind"),
        _named("title", "task"),
        _named("state", "entry_state"),
        _text("ticked_by"),
        Column(name="ticked_at", header=t("ledgers.ticked_at"), kind="instant"),
        _text("note"),
    ]
    conventions = [
        _named("name", "grid"),
        _village(),
        _text("agreed_on"),
        Column(name="n_signed", header=t("ledgers.n_signed"), kind="count"),
        Column(name="n_households", header=t("ledgers.n_households"), kind="count"),
        explained("signed_share", t("ledgers.signed_share"), "share", formula="ledgers.formula_signed"),
        _text("counted_on"),
    ]
    opinions = lists.opinions.assign(
        happened_at=_local(lists.opinions["happened_at"]), closed_at=_local(lists.opinions["closed_at"])
    ).reset_index()
    collected = [
        _named("incident_code", "incident"),
        _named("grid_name", "grid"),
        _named("category_name", "category"),
        _named("text", "opinion"),
        Column(name="happened_at", header=t("ledgers.time"), kind="instant"),
        Column(name="closed_at", header=t("ledgers.closed_on"), kind="instant"),
        _text("collected_by"),
    ]
    return [
        Sheet(name=t("ledgers.sheet_tasks"), rows=tasks, columns=listed),
        Sheet(name=t("ledgers.sheet_conventions"), rows=lists.conventions, columns=conventions),
        Sheet(name=t("ledgers.sheet_opinions"), rows=opinions, columns=collected),
    ]


def _text(name: str) -> Column:
    return Column(name=name, header=t(f"ledgers.{name}"))


def _named(name: str, key: str) -> Column:
    return Column(name=name, header=t(f"ledgers.{key}"))


def _village() -> Column:
    return Column(name="village_name", header=t("controls.village"))


def _local(instants: pd.Series) -> Any:
    return pd.to_datetime(instants, utc=True).dt.tz_convert(settings().zone)
