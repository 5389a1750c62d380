"""Sections of cases: disputes in the county's form, what was settled on time and inside the grid, satisfaction."""

from collections.abc import Sequence

import pandas as pd

from gridmap.analysis.review.cases import DISPUTE, new_counts
from gridmap.reports.review.build import Builder, column, named, table, with_total
from gridmap.reports.review.shape import NOWHERE, ReviewColumn, ReviewNote, ReviewTable, Section

HANDLED_BELOW = "below"
"""Who handles what no township team has: village and grid."""
_RATINGS = (5, 4, 3, 2, 1)
_COUNTS = ("n_new", "n_settled", "n_unsettled")
_PAST = ("n_previous", "n_last_year")
_FLOW = ("n_new", "n_new_settled", "n_new_unsettled", "settled_share", "n_open_before", "n_settled", "n_reopened", "n_open_after")  # fmt: skip


class Cases:
    """The cases of the three months, told by names.

    Parameters
    ----------
    made
        The measured months.
    villages
        Names of the villages of the month, by code.
    village_names
        Of every village there is or was, by code.
    grids, teams
        Names by code.
    categories
        Names of the categories of disputes, as the county lists them.
    """

    def __init__(
        self,
        made: Builder,
        *,
        villages: pd.Series,
        village_names: pd.Series,
        grids: pd.Series,
        teams: pd.Series,
        categories: Sequence[str],
    ) -> None:
        self.made, self.villages, self.teams, self.categories = made, villages, teams, tuple(categories)
        self.village_names = village_names
        review = made.review
        self.now, self.before, self.last_year = (
            self._told(month.cases, village_names, grids) for month in (review.now, review.before, review.last_year)
        )
        self.knows = tuple(bool(cases["is_new"].any()) for cases in (self.now, self.before, self.last_year))

    @staticmethod
    def _told(cases: pd.DataFrame, villages: pd.Series, grids: pd.Series) -> pd.DataFrame:
        return cases.assign(
            village=named(cases["village_code"], villages),
            grid=named(cases["grid_code"], grids),
            village_code=cases["village_code"].astype(object).where(cases["village_code"].notna(), NOWHERE),
            category=cases["category"].fillna(NOWHERE),
            handled_by=cases["team_code"].astype(object).where(cases["team_code"].notna(), HANDLED_BELOW),
        )

    def table(
        self,
        key: str,
        by: Sequence[ReviewColumn],
        *,
        id_columns: Sequence[str],
        kind: str | None,
        is_public: bool = False,
    ) -> ReviewTable:
        """Return new cases of a kind (None: all) by some columns: settled, not settled, and the months before.

        Without any case in the month there are no rows: nobody reported is not "nothing happened".
        """
        names = [one.key for one in by]
        tables = [new_counts(cases, by=names, kind=kind) for cases in (self.now, self.before, self.last_year)]
        rows = tables[0]
        for name, past, is_known in zip(_PAST, tables[1:], self.knows[1:], strict=True):
            rows = rows.join(past["n_new"].rename(name), how="outer")
            rows[name] = rows[name].fillna(0) if is_known else float("nan")
        rows[list(_COUNTS)] = rows[list(_COUNTS)].fillna(0)
        # Each count first, then the name, so that equal counts have one order.
        rows = rows.reset_index().sort_values(["n_new", *names], ascending=[False, *[True] * len(names)])
        rows = with_total(rows if self.knows[0] else rows.iloc[:0], texts=names, sums=(*_COUNTS, *_PAST))
        rows["settled_share"] = rows["n_settled"] / rows["n_new"].where(rows["n_new"] > 0)
        rows["change"] = rows["n_new"] - rows["n_previous"]
        columns = [*by, *(column(name, "count", unit="unit.incidents") for name in _COUNTS)]
        columns += [column("settled_share", "share", formula="disputes_settled_share")]
        columns += [column(name, "count", unit="unit.incidents") for name in ("n_previous", "change", "n_last_year")]
        return table(key, rows, columns, by=id_columns, has_total=True, is_public=is_public, hides_small=is_public)

    def rows(self, key: str, cases: pd.DataFrame, *, is_behind: bool = True) -> ReviewTable:
        """Return cases one by one: rows behind figures."""
        told = cases.sort_values("happened_at", kind="stable").reset_index(names="incident_code")
        zone = self.made.zone
        for name, instants in (("happened_on", told["happened_at"]), ("closed_on", told["closed_at"])):
            told[name] = instants.dt.tz_convert(zone).dt.strftime("%Y-%m-%d")
        flags = ["is_new", "is_settled", "is_on_time", "is_in_grid", "is_overdue"]
        flags += ["was_open", "is_followed_up", "has_place"] if is_behind else []
        for name in flags:
            told[name] = [None if pd.isna(flag) else ("yes" if flag else "no") for flag in told[name]]
        columns = [
            column("incident_code"),
            column("kind", "word", words="controls.kind_"),
            column("category"),
            column("village"),
            column("grid"),
            column("happened_on", "day"),
            column("state", "word", words="live.state_"),
            column("handled_by", "word", words="review.by_"),
            column("closed_on", "day"),
            *(column(name, "word", words="review.is_") for name in flags),
            column("satisfaction", "count"),
        ]
        return table(key, told, columns, by=["incident_code"], is_behind=is_behind)


def dispute_section(cases: Cases) -> Section:
    """Return the disputes of the month by category, village and township team, and the county's form."""
    village = (column("village"), column("village_code"))
    handled_by = column("handled_by", "word", words="review.by_")
    category = column("category")

    def by(key: str, *columns: ReviewColumn, ids: Sequence[str], is_public: bool = False) -> ReviewTable:
        return cases.table(key, columns, id_columns=ids, kind=DISPUTE, is_public=is_public)

    return Section(
        key="disputes",
        title_key="review.section_disputes",
        figures=cases.made.figures(*(f"disputes.{name}" for name in _FLOW)),
        tables=(
            _county_form(cases),
            by("disputes.by_category", category, ids=["category"], is_public=True),
            by("disputes.by_village", *village, ids=["village_code"]),
            by("disputes.by_team", handled_by, ids=["handled_by"]),
            by(
                "disputes.by_village_and_category",
                *village,
                category,
                handled_by,
                ids=["village_code", "category", "handled_by"],
            ),
            cases.rows("disputes.rows", cases.now[cases.now["kind"] == DISPUTE]),
        ),
        notes=(ReviewNote(text_key="review.note_settled"), ReviewNote(text_key="review.note_county_form")),
    )


def _county_form(cases: Cases) -> ReviewTable:
    """Return the county's form: a row a village, and a township team for what it was given; settled and not by category."""
    columns = [column("level", "word", words="review.level_"), column("code"), column("place")]
    now, before = (_with_place(month) for month in (cases.now, cases.before))
    places = [("village", str(code), str(name)) for code, name in cases.villages.items()]
    known = {code for _, code, _ in places} | set(cases.teams.index)
    names = cases.village_names.to_dict()
    places += [
        ("village", str(code), str(names.get(code, code)))
        for code in sorted(set(now["code"]) | set(before["code"]))
        if code not in known
    ]
    places += [("team", str(code), str(name)) for code, name in cases.teams.items()]
    rows = pd.DataFrame(places, columns=["level", "code", "place"]).set_index("code")
    more = sorted((set(now["category"]) | set(before["category"])) - set(cases.categories))
    cells = pd.crosstab(now["code"], [now["is_settled"], now["category"]])
    for name in (*cases.categories, *more):
        for kind, is_settled in (("settled", True), ("unsettled", False)):
            key = f"{kind}: {name}"
            counts = cells.get((is_settled, name), pd.Series(dtype=int))
            rows[key] = counts.reindex(rows.index, fill_value=0)
            columns.append(column(key, "count", title=str(name), called=kind))
    sums = [one.key for one in columns[3:]]
    totals = {
        "n_settled": now.loc[now["is_settled"], "code"],
        "n_unsettled": now.loc[~now["is_settled"], "code"],
        "n_new": now["code"],
        "n_previous": before["code"],
    }
    for key, codes in totals.items():
        rows[key] = codes.value_counts().reindex(rows.index, fill_value=0)
        columns.append(column(key, "count"))
    if not cases.knows[1]:
        rows["n_previous"] = float("nan")
    rows = rows.reset_index() if cases.knows[0] else rows.iloc[:0].reset_index()
    rows = with_total(rows, texts=["level", "code", "place"], sums=[*sums, *totals])
    rows["change"] = rows["n_new"] - rows["n_previous"]
    columns.append(column("change", "count"))
    return table("disputes.county_form", rows, columns, by=["level", "code"], has_total=True)


def _with_place(month: pd.DataFrame) -> pd.DataFrame:
    """Return the new disputes of a month with the `code` of the row they belong in: the team's, else the village's."""
    new = month[(month["kind"] == DISPUTE) & month["is_new"]]
    return new.assign(code=new["handled_by"].where(new["handled_by"] != HANDLED_BELOW, new["village_code"]))


def handling_section(cases: Cases) -> Section:
    """Return what was settled on time and inside the grid, and what is overdue."""
    now = cases.now
    village = (column("village"), column("village_code"))
    return Section(
        key="cases",
        title_key="review.section_cases",
        figures=cases.made.figures(
            *(f"cases.{name}" for name in _FLOW), "cases.on_time", "cases.in_grid", "cases.n_overdue"
        ),
        tables=(
            cases.table(
                "cases.by_kind",
                [column("kind", "word", words="controls.kind_")],
                id_columns=["kind"],
                kind=None,
            ),
            cases.table("cases.by_village", village, id_columns=["village_code"], kind=None),
            _closed_by_village(cases),
            cases.rows("cases.overdue", now[now["is_overdue"]], is_behind=False),
            cases.rows("cases.rows", now),
        ),
        notes=(ReviewNote(text_key="review.note_closed"),),
    )


def _closed_by_village(cases: Cases) -> ReviewTable:
    closed = cases.now[cases.now["is_settled"]]
    groups = closed.groupby(["village", "village_code"])
    sums = {
        "n_closed": groups.size(),
        "n_on_time": groups["is_on_time"].sum(),
        "n_with_due": groups["is_on_time"].count(),
        "n_in_grid": groups["is_in_grid"].sum(),
        "n_rated": groups["satisfaction"].count(),
        "sum_rated": groups["satisfaction"].sum(),
    }
    rows = pd.DataFrame(sums).astype(float).reset_index()
    rows = with_total(rows if cases.knows[0] else rows.iloc[:0], texts=["village", "village_code"], sums=list(sums))
    for name, part, whole in (
        ("on_time_share", "n_on_time", "n_with_due"),
        ("in_grid_share", "n_in_grid", "n_closed"),
        ("mean_rating", "sum_rated", "n_rated"),
    ):
        rows[name] = rows[part] / rows[whole].where(rows[whole] > 0)
    columns = [column("village"), column("village_code")]
    columns += [column(name, "count") for name in ("n_closed", "n_on_time", "n_with_due", "n_in_grid", "n_rated")]
    columns += [
        column("on_time_share", "share", formula="cases_on_time"),
        column("in_grid_share", "share", formula="cases_in_grid"),
        column("mean_rating", "decimal", formula="satisfaction_mean"),
    ]
    return table("cases.closed_by_village", rows, columns, by=["village_code"], has_total=True)


def satisfaction_section(cases: Cases) -> Section:
    """Return how content people were with what was settled in the month."""
    closed = cases.now[cases.now["is_settled"]]
    counts = closed["satisfaction"].value_counts()
    rows = pd.DataFrame(
        {"rating": [str(one) for one in _RATINGS], "n_cases": [int(counts.get(one, 0)) for one in _RATINGS]}
    )
    unrated = pd.DataFrame({"rating": [NOWHERE], "n_cases": [int(closed["satisfaction"].isna().sum())]})
    rows = pd.concat([rows, unrated], ignore_index=True)
    rows = with_total(rows if cases.knows[0] else rows.iloc[:0], texts=["rating"], sums=["n_cases"])
    return Section(
        key="satisfaction",
        title_key="review.section_satisfaction",
        figures=cases.made.figures("satisfaction.rated_well", "satisfaction.mean", "satisfaction.asked"),
        tables=(
            table(
                "satisfaction.ratings",
                rows,
                [column("rating"), column("n_cases", "count", unit="unit.incidents")],
                by=["rating"],
                has_total=True,
            ),
        ),
    )
