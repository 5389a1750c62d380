"""The ledger of people (人员信息分布台账): counts per grid and village group, how old they are, and their history."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.rosters import looked_after, people_counts, updates_due
from gridmap.analysis.small_counts import public_counts
from gridmap.frames import SERVICE_NEEDS
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ground import read_ground
from gridmap.store.ledgers import read_roster_updates, read_snapshots
from gridmap.store.places import read_area_names
from gridmap.texts import t

NEEDS = tuple(f"n_{need}" for need in SERVICE_NEEDS)
COUNTS = ("n_households", "n_residents", *NEEDS)


@dataclass(frozen=True, kw_only=True, eq=False)
class PeopleLedger:
    """Counts of people.

    Parameters
    ----------
    on
        The day.
    n_households, n_residents, n_due, n_stale
        Figures: of the township; grids whose counts are to be updated; share of households not updated for long.
    grids
        Index `grid_code`: `name`, `village_code`, `village_name`, `COUNTS`, `newest_on`, `oldest_on` (days on which households were
        updated), `n_stale` (households), `gone_through_on`, `gone_through_by` (the team's last word on all of them), `last_on`,
        `due_on`, `is_due`; due ones first, the longest first.
    groups
        One row a village group and grid: `grid_code`, `group_code`, `name`, `village_code`, `village_name`, `grid_name`, `COUNTS`,
        `newest_on`, `oldest_on`, `n_stale`.
    history
        One row a month and grid: `month`, `grid_code`, `COUNTS`; of months that were recorded.
    updates
        Index month (first days, oldest first): `n_households` whose counts were last updated in it.
    n_nowhere
        Households in no grid: in no count by grid.
    """

    on: date
    n_households: Figure
    n_residents: Figure
    n_due: Figure
    n_stale: Figure
    grids: pd.DataFrame
    groups: pd.DataFrame
    history: pd.DataFrame
    updates: pd.DataFrame
    n_nowhere: int

    def public_table(self, *, hidden_below: int) -> pd.DataFrame:
        """Return the counts of needs by grid as everybody may see them: small ones only as fewer than, totals that give none away."""
        table = self.grids.sort_index()[list(NEEDS)].fillna(0)
        return public_counts(table, hidden_below=hidden_below, total=t("ledgers.total"))


@depends_on("places", "households", "ledgers")
def people_ledger(
    connection: Connection,
    *,
    township_code: str,
    now: datetime,
    zone: tzinfo,
    roster_stale_days: int,
    roster_stale_percent: int,
) -> PeopleLedger:
    """Count the people of every grid and group.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    now
        The present instant.
    zone
        The township's clock.
    roster_stale_days, roster_stale_percent
        See `settings`.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    today = now.astimezone(zone).date()
    ground = read_ground(connection, township_code=township_code, on=today)
    households = pd.DataFrame(ground.households.drop(columns="geometry"))
    log = read_roster_updates(connection, township_code=township_code, known_at=now)
    newest = log.drop_duplicates("grid_code").set_index("grid_code")
    gone_through = households["grid_code"].map(newest["updated_on"].to_dict()).astype(object)
    households["updated_on"] = looked_after(households["updated_on"].astype(object), gone_through)
    ages: dict[str, Any] = {"today": today, "stale_days": roster_stale_days}
    counted = people_counts(households, by=["grid_code"], needs=list(NEEDS), **ages)
    numbers = [*COUNTS, "n_stale"]
    table = pd.DataFrame(ground.grids[["name", "village_code", "village_name"]]).join(counted)
    table[numbers] = table[numbers].fillna(0).astype(int)
    for name in ("on", "by"):
        table[f"gone_through_{name}"] = newest[f"updated_{name}"].reindex(table.index).astype(object)
    table = table.join(updates_due(households, **ages, stale_share=roster_stale_percent / 100))
    table["is_due"] = table["is_due"].fillna(value=False).astype(bool)
    groups = people_counts(households, by=["grid_code", "group_code"], needs=list(NEEDS), **ages).reset_index()
    groups["name"] = groups["group_code"].map(read_area_names(connection, township_code=township_code, level="group"))
    groups["village_code"] = groups["group_code"].str[:12]
    groups["village_name"] = groups["village_code"].map(ground.village_names)
    groups["grid_name"] = groups["grid_code"].map(ground.grids["name"])
    snapshots = read_snapshots(connection, township_code=township_code)
    history = snapshots.dropna(subset="grid_code").groupby(["month", "grid_code"])[list(COUNTS)].sum().reset_index()
    n_homes = len(households)
    known = n_homes > 0
    return PeopleLedger(
        on=today,
        n_households=count(
            n_homes if known else None, unit="unit.households", formula_key="ledgers.formula_households"
        ),
        n_residents=count(
            int(households["n_residents"].sum()) if known else None,
            unit="unit.residents",
            formula_key="ledgers.formula_residents",
        ),
        n_due=count(
            int(table["is_due"].sum()) if known and len(table) else None,
            unit="unit.grids",
            formula_key="ledgers.formula_roster_due",
        ),
        n_stale=share(
            int(table["n_stale"].sum()), int(table["n_households"].sum()), formula_key="ledgers.formula_stale"
        ),
        grids=table.assign(last=pd.to_datetime(table["due_on"]))
        .sort_values(["is_due", "last"], ascending=[False, True], kind="stable", na_position="first")
        .drop(columns="last"),
        groups=groups,
        history=history,
        updates=_updates(households),
        n_nowhere=int(households["grid_code"].isna().sum()),
    )


def _updates(households: pd.DataFrame) -> pd.DataFrame:
    months = households["updated_on"].dropna().map(lambda day: day.replace(day=1))
    counted = months.value_counts().sort_index()
    return pd.DataFrame({"n_households": counted.astype(int)}).rename_axis("month")
