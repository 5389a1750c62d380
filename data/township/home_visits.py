"""Door-to-door visits of the last months: which home, which day, by whom."""

from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from township import seasons, writers
from township.checkins import on_duty
from township.place import LAST_DAY, REMOTE_CODE, stream
from township.staff import Posting
from township.still_files import household_numbers
from township.town import Town

HEADER = ("户编号", "走访日期", "账号")
N_MONTHS = 4
USUAL_SHARE, OVERLOADED_SHARE, REMOTE_SHARE = (0.93, 1.0), 0.62, 0.78


def write_home_visits(folder: Path, town: Town, people: list[Posting], *, overloaded: int) -> None:
    """`home_visits.xlsx`: most grids reach nearly every home in a month, the overloaded team and the remote village do not."""
    rng = stream(90)
    numbers = household_numbers(town)
    rows: list[writers.Row] = []
    for first in _months():
        days = [first + timedelta(days=k) for k in range(monthrange(first.year, first.month)[1])]
        working = [day for day in days if seasons.is_workday(day)]
        for number, grid in enumerate(town.grids):
            homes = np.flatnonzero(town.homes.grid == number)
            share = rng.uniform(*USUAL_SHARE)
            if number == overloaded:
                share = OVERLOADED_SHARE
            elif grid.village_code == REMOTE_CODE:
                share = REMOTE_SHARE
            visited = rng.choice(homes, round(share * len(homes)), replace=False)
            # Neighbours are visited on one day: the list is cut into as many rounds as there are working days.
            for order, home in enumerate(np.sort(visited)):
                day = working[order * len(working) // len(visited)]
                team = on_duty([p for p in people if p.grid_code == grid.code], day)
                rows.append((numbers[int(home)], day, team[order % len(team)].userid))
    rows.sort(key=lambda row: (row[1], row[0]))
    writers.write_workbook(folder / "home_visits.xlsx", {"走访": (HEADER, rows)})


def _months() -> list[date]:
    """First days of the last months, oldest first."""
    months = [LAST_DAY.replace(day=1)]
    while len(months) < N_MONTHS:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]
