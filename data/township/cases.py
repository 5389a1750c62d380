"""What was done about each incident: 员代办, 组上报, 村处理, 乡处置, step by step."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

import numpy as np

from township import phrases
from township.incidents import Incident
from township.place import LAST_DAY, TOWNSHIP_CODE, stream
from township.staff import Posting
from township.town import Town

END = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 17, 40)  # noqa: DTZ001 - wall time of the file
N_OVERDUE = 4
N_DUE_SOON = 6
TEAM_OF = {"D": "矛调处理", "H": "应急处突", "R": "民生通道", "C": "应急处突"}


@dataclass(frozen=True)
class Step:
    """One row of 处理过程."""

    incident: str
    kind: str
    level: str
    userid: str
    team: str
    at: datetime
    note: str
    satisfaction: int | None = None


class Act(Protocol):
    """Writes one step of a case."""

    def __call__(
        self, kind: str, where: str, at: datetime, note: str, *, team: str = "", satisfaction: int | None = None
    ) -> None:
        """Write it."""


class _Crew:
    """Who acts for a grid, a village and the township on a day."""

    def __init__(self, town: Town, people: list[Posting]) -> None:
        self.town = town
        self.people = people

    def pick(self, rng: np.random.Generator, code: str, day: date, *, role: str, team: str = "") -> str:
        """Account of somebody with that role there on that day."""
        found = [
            p.userid
            for p in self.people
            if p.grid_code == code and p.team == team and p.role == role and _serves(p, day)
        ]
        found = found or [p.userid for p in self.people if p.grid_code == code and p.team == team and _serves(p, day)]
        return found[int(rng.integers(0, len(found)))]


def _serves(person: Posting, day: date) -> bool:
    return person.since <= day and (person.until is None or day <= person.until)


def make_steps(town: Town, items: list[Incident], people: list[Posting], *, overloaded: int) -> list[Step]:
    """All steps up to the end of the record, in order for each incident."""
    rng = stream(80)
    crew = _Crew(town, people)
    fate = _fates(rng, items)
    steps: list[Step] = []
    for number, item in enumerate(items):
        slow = 1.5 if item.grid == overloaded else 1.0
        own = _life(rng, crew, item, fate.get(number, ""), slow=slow)
        known: set[tuple[str, datetime]] = set()
        for step in _in_order(own):
            if step.at <= END and (step.kind, step.at) not in known:
                known.add((step.kind, step.at))
                steps.append(step)
    return steps


def _fates(rng: np.random.Generator, items: list[Incident]) -> dict[int, str]:
    """Say which cases are open and late at the end, which fall due within a day of it, and which of the rest were late."""
    fate: dict[int, str] = {}
    late = [k for k, item in enumerate(items) if END - timedelta(days=5) < item.due_at < END - timedelta(hours=10)]
    for k in rng.choice(late, N_OVERDUE, replace=False):
        fate[int(k)] = "open"
    soon = [k for k, item in enumerate(items) if END < item.due_at <= END + timedelta(hours=24) and not item.urgent]
    for k in rng.choice(soon, min(N_DUE_SOON, len(soon)), replace=False):
        fate[int(k)] = "open"
    for k, item in enumerate(items):
        if k in fate:
            continue
        if item.due_at > END - timedelta(days=9):
            fate[k] = "timely"
        elif rng.random() < 0.062:
            fate[k] = "late"
    return fate


def _minutes(rng: np.random.Generator, median: float, spread: float) -> timedelta:
    return timedelta(minutes=int(median * np.exp(rng.normal(0, spread))) + 1)


def _life(rng: np.random.Generator, crew: _Crew, item: Incident, fate: str, *, slow: float) -> list[Step]:
    grid = crew.town.grids[item.grid]
    reach = rng.random()
    level = "网格" if reach < 0.83 else "村" if reach < 0.95 else "乡"
    if fate == "open":
        level = "村" if rng.random() < 0.6 else "乡"
    steps: list[Step] = []

    def act(kind: str, where: str, at: datetime, note: str, *, team: str = "", satisfaction: int | None = None) -> None:
        code = {"网格员": grid.code, "网格": grid.code, "村": grid.village_code, "乡": TOWNSHIP_CODE}[where]
        role = "网格员" if where == "网格员" else "队员" if team and kind == "处置" else "网格长"
        user = crew.pick(rng, code, at.date(), role=role, team=team if kind == "处置" else "")
        steps.append(Step(item.code, kind, where, user, team, at, note, satisfaction))

    now = item.recorded_at
    act("上报", "网格员", now, "")
    now = _awake(now + _minutes(rng, 25 if item.urgent else 130, 0.9))
    act("受理", "网格", now, "")
    span = _span(rng, item, level, fate, start=now, slow=slow)
    marks = np.sort(rng.uniform(0.1, 0.9, 3))
    moment = [now + span * float(mark) for mark in marks]
    quick = span < timedelta(hours=12)
    tidy = _same if quick else _tidy
    act("处置", "网格员", tidy(moment[0]), str(rng.choice(phrases.HANDLED[item.kind])))
    if level != "网格":
        act("逐级上报", "网格", _tidy(moment[1]), "网格内难以处理，报村")
        act("处置", "村", _tidy(moment[1] + (moment[2] - moment[1]) / 2), str(rng.choice(phrases.HANDLED[item.kind])))
    if level == "乡":
        team = TEAM_OF[item.kind] if rng.random() < 0.85 else "咨询服务"
        act("逐级上报", "村", _tidy(moment[2]), "超出村级权限，报乡")
        act("派遣", "乡", _tidy(moment[2] + (now + span - moment[2]) * 0.3), f"派{team}队办理", team=team)
        act(
            "处置",
            "乡",
            _tidy(moment[2] + (now + span - moment[2]) * 0.7),
            str(rng.choice(phrases.HANDLED[item.kind])),
            team=team,
        )
    if fate == "late":
        act("延期", "村", min(_tidy(now + span * 0.75), item.due_at), "情况复杂，申请延期三天")
    if fate != "open":
        _closing(rng, act, item, level, tidy(now + span))
    return steps


def _closing(rng: np.random.Generator, act: Act, item: Incident, level: str, closed: datetime) -> None:
    if rng.random() < 0.3 and level != "网格":
        act("核查", "村", closed - timedelta(minutes=int(rng.integers(6, 50))), "现场核查属实")
    content = int(rng.choice([5, 4, 3, 2, 1], p=[0.62, 0.29, 0.06, 0.02, 0.01]))
    act("办结", level, closed, str(rng.choice(phrases.CLOSED)), satisfaction=content if rng.random() < 0.85 else None)
    if content <= 2 and rng.random() < 0.5:
        act("重开", "网格", closed + timedelta(days=2), "群众不满意，重新办理")
        act("处置", "网格员", closed + timedelta(days=2, hours=5), str(rng.choice(phrases.HANDLED[item.kind])))
        act("办结", level, closed + timedelta(days=3), "再次办理完毕", satisfaction=4)
    elif rng.random() < 0.6:
        after = _tidy(closed + timedelta(days=int(rng.integers(1, 9)), minutes=int(rng.integers(-120, 240))))
        act(
            "回访",
            "网格员",
            after,
            "电话回访" if rng.random() < 0.4 else "上门回访",
            satisfaction=min(5, content + int(rng.random() < 0.2)),
        )


def _span(
    rng: np.random.Generator, item: Incident, level: str, fate: str, *, start: datetime, slow: float
) -> timedelta:
    """From acceptance to closing, within the time allowed unless the case is to be late."""
    left = item.due_at - start
    if fate == "late":
        return left + timedelta(hours=float(rng.gamma(1.6, 26)) + 3)
    if fate == "open":
        return max(END - start, timedelta(hours=12)) * 1.3
    median = {"网格": 1300, "村": 3600, "乡": 5200}[level] * (0.45 if item.urgent else 1.0) * slow
    return min(_minutes(rng, median, 0.65), left * 0.93)


def _tidy(moment: datetime) -> datetime:
    """Squeeze the 24 hours of a day into its waking ones (7:40 to 19:10): the order of acts stays."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    share = (moment - midnight) / timedelta(days=1)
    return midnight + timedelta(minutes=int(460 + 690 * share))


def _awake(moment: datetime) -> datetime:
    """Move an act of the night to the next morning."""
    if moment.hour >= 21:
        return (moment + timedelta(days=1)).replace(hour=7)
    return moment if moment.hour >= 7 else moment.replace(hour=7)


def _same(moment: datetime) -> datetime:
    return _awake(moment.replace(second=0, microsecond=0))


def _in_order(steps: list[Step]) -> list[Step]:
    """Each step at least four minutes after the one before."""
    result = steps[:1]
    for step in steps[1:]:
        result.append(replace(step, at=max(step.at, result[-1].at + timedelta(minutes=4))))
    return result
