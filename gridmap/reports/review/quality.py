"""Section of the data's quality: late, silent days, check-ins that count nowhere, quarantined rows of the month's imports."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from gridmap.analysis.review.frames import Frames
from gridmap.analysis.review.measures import Measure, quotient
from gridmap.analysis.review.quality import late_facts, silent_days
from gridmap.reports.review.build import Builder, column, table, with_total
from gridmap.reports.review.shape import ReviewNote, Section


def quality_section(
    made: Builder, *, frames: Frames, imports: pd.DataFrame, late_hours: int, notes: Sequence[ReviewNote]
) -> Section:
    """Return what is known of the quality of the month's data.

    Parameters
    ----------
    made
        The measured months.
    frames
        What they were measured from.
    imports
        Import records known by then, newest first.
    late_hours
        See the setting `late_record_hours`.
    notes
        What could not be turned back to the instant of the review.
    """
    now = made.review.now
    facts = late_facts(frames, now.span, late_hours=late_hours).reset_index()
    sums = ["n_facts", "n_late", "n_after_month"]
    facts = with_total(facts, texts=["fact"], sums=sums)
    days = pd.DataFrame({"day": silent_days(now.patrols, now.span)}, dtype=object)
    excluded = now.patrols.excluded["reason"].value_counts().rename_axis("reason").rename("n_checkins").reset_index()
    excluded = with_total(excluded.sort_values("reason"), texts=["reason"], sums=["n_checkins"])
    inside = imports[(imports["imported_at"] >= now.span.since) & (imports["imported_at"] < now.span.until)].iloc[::-1]
    told = inside.reset_index()
    told["imported_on"] = told["imported_at"].dt.tz_convert(made.zone).dt.strftime("%Y-%m-%d %H:%M")
    counts = ("n_read", "n_taken", "n_new", "n_changed", "n_quarantined")
    return Section(
        key="quality",
        title_key="review.section_quality",
        figures=(
            *made.figures(
                "quality.n_facts",
                "quality.late",
                "quality.n_after_month",
                "quality.without_place",
                "quality.silent_days",
                "quality.not_counted",
            ),
            made.figure("quality.quarantined", _quarantined(inside)),
        ),
        tables=(
            table(
                "quality.facts",
                facts,
                [
                    column("fact", "word", words="review.fact_"),
                    *(column(name, "count", unit="unit.records") for name in sums),
                ],
                by=["fact"],
                has_total=True,
            ),
            table("quality.days", days, [column("day", "day")], by=["day"]),
            table(
                "quality.excluded",
                excluded,
                [
                    column("reason", "word", words="coverage.excluded_"),
                    column("n_checkins", "count", unit="unit.checkins"),
                ],
                by=["reason"],
                has_total=len(excluded) > 0,
            ),
            table(
                "quality.imports",
                told,
                [
                    column("import_id", "count"),
                    column("imported_on", "instant"),
                    column("layer", "word", words="load."),
                    column("file_name"),
                    *(column(name, "count", unit="unit.records", called=f"rows_{name}") for name in counts),
                ],
                by=["import_id"],
            ),
        ),
        notes=tuple(notes),
    )


def _quarantined(imports: pd.DataFrame) -> Measure:
    """Return the rows quarantined of those read; unknown in a month without an import."""
    return quotient(int(imports["n_quarantined"].sum()), int(imports["n_read"].sum()), is_known=len(imports) > 0)


def not_turned_back(day: date) -> tuple[ReviewNote, ...]:
    """Return what the report cannot turn back to a day, as sentences."""
    return tuple(
        ReviewNote(text_key=f"review.note_{name}", values={"day": day.isoformat()})
        for name in ("not_turned_back", "plans_of_files")
    )
