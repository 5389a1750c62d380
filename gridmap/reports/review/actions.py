"""Section of what earlier meetings decided: what was done, what is open, what is overdue."""

from datetime import date

import pandas as pd

from gridmap.analysis.review.measures import counted, quotient
from gridmap.reports.review.build import Builder, column, table
from gridmap.reports.review.shape import ReviewNote, Section


def action_section(made: Builder, *, tasks: pd.DataFrame, month: str, on: date) -> Section:
    """Return the tasks of the meetings before, as they stood at the instant of the review.

    Parameters
    ----------
    made
        The measured months.
    tasks
        See `store.review.read_tasks`.
    month
        `YYYY-MM`; what was decided at its own review is not yet part of it.
    on
        The day of the instant, for what is overdue.
    """
    earlier = tasks[tasks["month"] < month].reset_index()
    given = earlier[earlier["kind"] == "task"]
    is_open = given["state"] == "open"
    overdue = [bool(flag) and until < on for flag, until in zip(is_open, given["until"], strict=True)]
    is_known = len(given) > 0
    n_done, n_standing = int((given["state"] == "done").sum()), int((given["state"] != "dropped").sum())
    measures = {
        "actions.done": quotient(n_done, n_standing, is_known=is_known),
        "actions.n_open": counted(int(is_open.sum()), is_known=is_known),
        "actions.n_overdue": counted(sum(overdue), is_known=is_known),
    }
    earlier["figure_key"] = earlier["figure_key"].str.replace(".", "_")
    for name in ("until", "first_until"):
        earlier[name] = [None if pd.isna(day) else day.isoformat() for day in earlier[name]]
    columns = [
        column("task_id", "count"),
        column("month", called="decided_in"),
        column("figure_key", "word", words="review.about_", called="about"),
        column("kind", "word", words="review.task_kind_", called="task_kind"),
        column("text", called="what"),
        column("who"),
        column("until", "day"),
        column("n_moved", "count"),
        column("state", "word", words="review.task_", called="task_state"),
        column("note"),
    ]
    return Section(
        key="actions",
        title_key="review.section_actions",
        figures=tuple(made.figure(key, one) for key, one in measures.items()),
        tables=(table("actions.tasks", earlier, columns, by=["task_id"]),),
        notes=() if len(earlier) else (ReviewNote(text_key="review.note_no_actions"),),
    )
