"""What a review report is made of: sections of figures, tables, maps and notes that describe themselves.

Whoever draws it (page, Word, Excel, picture) needs no list of its own: titles, units, formulas, kinds of columns and
the words of coded cells stand beside the numbers, as keys of the text catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import pandas as pd

Kind = Literal["text", "word", "count", "decimal", "share", "day", "instant"]
"""How a cell is read and written: `word` is a code whose text is `words + code`; `share` lies from 0 to 1; days and
instants are ISO text, instants by the township's clock."""


TOTAL, NOWHERE = "∑", "∅"
"""Cells of text columns that stand for words: the row adds the others up; nothing is named (no village, no grid)."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """A figure in another month.

    Parameters
    ----------
    value, numerator, denominator
        As of `ReviewFigure`; None: cannot be told.
    adjusted
        The value for as many working days as the month of the report has; None where the figure is no count of a span (a
        share, a state on the last day) or cannot be told.
    """

    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    adjusted: float | None = None


@dataclass(frozen=True, kw_only=True)
class ReviewFigure:
    """One number of the meeting.

    Parameters
    ----------
    key
        Its name for ever, unique in the report: `disputes.n_new`.
    title_key
        What it is called.
    unit
        Key of its unit; `unit.share` for a share from 0 to 1, `unit.none` where the title says it all.
    formula_key
        Key of the sentence that says how it is computed (`reports.figures.formula_words`).
    value
        None: cannot be told, never 0 for that.
    numerator, denominator
        What it was made of, where it is a quotient.
    previous, last_year
        The month before, and the same month of the year before; None where it is not compared.
    rows_key
        The table that holds the rows behind it; None where that may not be shown.
    is_public
        Whether it may stand on a sheet for everybody. The exact number of private matters may not.
    """

    key: str
    title_key: str
    unit: str
    formula_key: str
    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    previous: Past | None = None
    last_year: Past | None = None
    rows_key: str | None = None
    is_public: bool = True


@dataclass(frozen=True, kw_only=True)
class ReviewColumn:
    """One column of a table.

    Parameters
    ----------
    key
        Name of the frame's column.
    title_key
        What a person reads above it; where `title` is given, how it is meant.
    kind
        See `Kind`.
    title
        The words above a column that data named (a village, a category), as they are.
    unit
        Key of its unit, where it has one.
    formula_key
        How it is computed, where that does not go without saying.
    words
        Beginning of the text keys of a `word` column.
    """

    key: str
    title_key: str
    kind: Kind = "text"
    title: str | None = None
    unit: str | None = None
    formula_key: str | None = None
    words: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ReviewTable:
    """A table of the meeting, or the rows behind figures.

    Parameters
    ----------
    key
        Its name for ever, unique in the report: `disputes.by_category`.
    title_key
        What it is called.
    columns
        In order.
    rows
        The columns as objects: text (`TOTAL` and `NOWHERE` stand for words), numbers rounded by `canonical.number`, None where a
        cell cannot be told. In their order.
    id_columns
        Those that tell a row from the others; late data are told by them.
    has_total
        Whether the last row adds the others up; its texts are `TOTAL`.
    is_behind
        Rows behind figures: they belong in the workbook, not on the screen or in the paper.
    is_public
        Whether it may stand on a sheet for everybody.
    hides_small
        Whether its counts must go through `analysis.small_counts` there (`public.public_report` does it). Of one set of
        incidents only one such table is public: two would tell each other's hidden counts.
    """

    key: str
    title_key: str
    columns: tuple[ReviewColumn, ...]
    rows: pd.DataFrame
    id_columns: tuple[str, ...]
    has_total: bool = False
    is_behind: bool = False
    is_public: bool = False
    hides_small: bool = False

    def column(self, key: str) -> ReviewColumn:
        """Return a column by its name.

        Raises
        ------
        KeyError
            If there is none.
        """
        found = {one.key: one for one in self.columns}
        return found[key]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReviewMap:
    """What a map of the grids shows.

    Parameters
    ----------
    key
        Its name for ever: `hotspots.map`.
    title_key
        What it is called.
    grids
        Index `grid_code`, sorted; `value` (number or code; None: cannot be told, drawn as such) and `label` (text to write on
        the grid, may be empty).
    kind
        `share`, `count` or `decimal`: shaded from low to high. `word`: one colour a code.
    unit
        Key of its unit.
    classes
        Codes in the order of the legend, for `word`.
    words
        Beginning of their text keys.
    is_bad_high
        Whether a high value is what the meeting worries about (darker, warmer).
    is_public
        Whether it may stand on a sheet for everybody.
    """

    key: str
    title_key: str
    grids: pd.DataFrame
    kind: Kind
    unit: str | None = None
    classes: tuple[str, ...] = ()
    words: str | None = None
    is_bad_high: bool = True
    is_public: bool = False


@dataclass(frozen=True, kw_only=True)
class ReviewNote:
    """A sentence that belongs to a section: what cannot be told, or must be known to read it.

    Parameters
    ----------
    text_key
        Key of the sentence.
    values
        What it names, as text.
    """

    text_key: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Section:
    """One point of the agenda.

    Parameters
    ----------
    key
        Its name for ever.
    title_key
        What it is called.
    figures, tables, maps, notes
        What it shows, in order.
    """

    key: str
    title_key: str
    figures: tuple[ReviewFigure, ...] = ()
    tables: tuple[ReviewTable, ...] = ()
    maps: tuple[ReviewMap, ...] = ()
    notes: tuple[ReviewNote, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReviewPlan:
    """A plan in force.

    Parameters
    ----------
    plan_id, name, valid_from, household_cap
        As stored.
    n_grids
        Area grids.
    digest
        SHA-256 over its assignment of units to grids.
    """

    plan_id: int
    name: str
    valid_from: date
    household_cap: int
    n_grids: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class MonthAbout:
    """One of the months that are compared.

    Parameters
    ----------
    month
        `YYYY-MM`.
    first_on, last_on
        Both inside.
    n_workdays
        Working days, by the calendar of the installation.
    is_published
        Whether the State Council's days off of that year are known.
    """

    month: str
    first_on: date
    last_on: date
    n_workdays: int
    is_published: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class ReviewReport:
    """The review of one month of a township.

    Parameters
    ----------
    township_code, township_name
        Whose.
    month, previous, last_year
        The month, and those it is compared with.
    known_at
        Only what was recorded by then counts.
    newest_at
        When the newest fact that counts was recorded; None without facts.
    is_over
        Whether the month was over by then; else the figures are of its days so far.
    plan, plan_before
        In force on the last day of the month and of the month before, as known then; None: none was.
    grids
        Index `grid_code`, sorted: `name`, `village_code`, `village_name` of the grids of `plan`.
    sections
        In the order of the agenda.
    settings
        The numbers of policy that the figures rest on, by the name of the setting.
    code_version
        Of the program: version and the beginning of a digest over its source.
    """

    township_code: str
    township_name: str
    month: MonthAbout
    previous: MonthAbout
    last_year: MonthAbout
    known_at: datetime
    newest_at: datetime | None
    is_over: bool
    plan: ReviewPlan | None
    plan_before: ReviewPlan | None
    grids: pd.DataFrame
    sections: tuple[Section, ...]
    settings: Mapping[str, Any]
    code_version: str

    @property
    def is_known(self) -> bool:
        """Whether anything at all was recorded that counts."""
        return self.newest_at is not None

    def section(self, key: str) -> Section:
        """Return a section by its name.

        Raises
        ------
        KeyError
            If there is none.
        """
        return {one.key: one for one in self.sections}[key]

    @property
    def figures(self) -> dict[str, ReviewFigure]:
        """Return every figure by its name, in the order of the agenda."""
        return {one.key: one for section in self.sections for one in section.figures}

    @property
    def tables(self) -> dict[str, ReviewTable]:
        """Return every table by its name, in the order of the agenda."""
        return {one.key: one for section in self.sections for one in section.tables}

    @property
    def maps(self) -> dict[str, ReviewMap]:
        """Return every map by its name, in the order of the agenda."""
        return {one.key: one for section in self.sections for one in section.maps}
