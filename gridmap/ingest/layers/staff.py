"""Layer `staff`: who serves which grid or township team, from when to when. Names of staff are taken, telephones never."""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridmap.codes import GRID_PATTERN
from gridmap.ingest.columns import Column, Part
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.layers import words
from gridmap.ingest.layers.layer import Layer, Taken, frame_of, refuse_backwards
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given

PART = Part(
    name="staff",
    columns=(
        Column(target="staff_id", headers=("账号", "帐号", "企业微信账号", "userid", "user_id", "account")),
        Column(target="name", headers=("姓名", "网格员姓名", "人员姓名", "name")),
        Column(
            target="grid_code", headers=("所属代码", "网格代码", "所属网格", "所属网格代码", "grid"), is_required=False
        ),
        Column(target="team", headers=("队伍", "所属队伍", "乡级队伍", "team_code"), is_required=False),
        Column(target="role", headers=("职务", "角色", "岗位", "role")),
        Column(target="valid_from", headers=("任职日期", "到岗日期", "开始日期", "from")),
        Column(target="valid_until", headers=("离任日期", "离岗日期", "结束日期", "until"), is_required=False),
    ),
)


def read_staff(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:  # noqa: ARG001
    """Read the postings: each belongs to one grid or to one township team."""
    ledger = ledgers["staff"]
    ledger.refuse_duplicates()
    staff_id = ledger.code("staff_id")
    name = ledger.text("name", is_required=True)
    grid = ledger.code("grid_code", is_required=False)
    team = ledger.word("team", words.TEAMS, is_required=False)
    role = ledger.word("role", words.POSTING_ROLES)
    valid_from, valid_until = ledger.day("valid_from"), ledger.day("valid_until", is_required=False)
    if given.context is not None:
        # Team members are often listed under the township's code as well: the team says it more exactly.
        grid = grid.where(team.isna() | (grid != given.context.township_code), None)
    ledger.refuse((grid.isna() == team.isna()).to_numpy(), "grid_or_team")
    _refuse_unknown_grids(ledger, grid, given.context)
    refuse_backwards(ledger, valid_from, valid_until, target="valid_until")
    ledger.refuse_repeated(staff_id, grid, team, role, valid_from, target="staff_id")
    _refuse_overlaps(ledger, staff_id, grid.where(grid.notna(), team), valid_from, valid_until)
    columns = {
        "staff_id": staff_id,
        "name": name,
        "grid_code": grid,
        "team_code": team,
        "role": role,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }
    return (Taken(part="staff", frame=frame_of("staff", columns, ledger), ledger=ledger),)


def _refuse_unknown_grids(ledger: Ledger, grid: pd.Series, context: TownshipContext | None) -> None:
    fits = grid.isna() | grid.str.fullmatch(GRID_PATTERN).fillna(value=False).astype(bool)
    ledger.refuse((~fits).to_numpy(dtype=bool), "grid_code_unknown", target="grid_code")
    if context is None:
        return
    above = set(context.areas.loc[context.areas["level"].isin(["township", "village"]), "area_code"])
    known = above | context.grid_codes
    checked = grid.notna() & (bool(context.grid_codes) | (grid.str.len() < 15))  # noqa: PLR2004  digits of an area grid
    ledger.refuse((checked & ~grid.isin(known)).to_numpy(dtype=bool), "grid_code_unknown", target="grid_code")


def _refuse_overlaps(
    ledger: Ledger, staff_id: pd.Series, place: pd.Series, valid_from: pd.Series, valid_until: pd.Series
) -> None:
    """Refuse a posting that overlaps an earlier one of the same person at the same place, which then stands."""
    posts = pd.DataFrame({"who": staff_id, "where": place, "from": valid_from, "until": valid_until})[ledger.is_open]
    repeated = posts[posts.duplicated(["who", "where"], keep=False)].sort_values("from", kind="stable")
    overlapping = np.zeros(ledger.n_rows, dtype=bool)
    for _, several in repeated.groupby(["who", "where"]):
        last_day = dt.date.min
        for row, start, end in zip(several.index, several["from"], several["until"], strict=True):
            overlapping[row] = start < last_day
            if not overlapping[row]:
                last_day = end or dt.date.max
    ledger.refuse(overlapping, "overlapping_posting", target="staff_id")


LAYER = Layer(name="staff", parts=(PART,), read=read_staff)
