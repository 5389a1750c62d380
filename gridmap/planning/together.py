"""Two planners' edits of one draft brought together: what only one changed is taken, what both changed is asked."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from gridmap.planning.draft import Draft
from gridmap.planning.edits import CutUnit, Edit, Open
from gridmap.planning.units import Units


@dataclass(frozen=True, kw_only=True, eq=False)
class Together:
    """Theirs, with what is mine on top.

    Parameters
    ----------
    draft
        The plan of both; where they disagree, as theirs.
    conflicts
        Units that both changed differently: the grid that I wanted, null where a cut of mine could not be made.
    """

    draft: Draft
    conflicts: Mapping[Hashable, Hashable | None]


def bring_together(
    units: Units, begun: Sequence[Hashable | None], *, mine: Sequence[Edit], theirs: Sequence[Edit]
) -> Together:
    """Bring two logs of one draft together.

    Parameters
    ----------
    units, begun
        What both began with.
    mine, theirs
        The logs; what they share at their beginning was done before they parted.
    """
    both = list(zip(mine, theirs, strict=False))
    shared = next((at for at, (one, other) in enumerate(both) if one != other), len(both))
    before, my_draft, draft = (_replayed(units, begun, log) for log in (mine[:shared], mine, theirs))
    conflicts: dict[Hashable, Hashable | None] = {}
    for edit in mine[shared:]:
        if isinstance(edit, Open) and edit.grid not in draft.grids:
            draft.open(edit.grid)
        elif isinstance(edit, CutUnit):
            if edit.unit in draft.plan and not any(piece in draft.plan for piece in edit.pieces):
                draft.replay([edit])
            else:
                conflicts[edit.unit] = None
    base, stands = before.plan, draft.plan
    for unit, grid in my_draft.plan.items():
        if grid == base.get(unit) and unit in base:
            continue
        if unit not in stands or (grid is not None and grid not in draft.grids):
            conflicts[unit] = grid
        elif stands[unit] == base.get(unit, stands[unit]):
            draft.move([unit], grid)
        elif stands[unit] != grid:
            conflicts[unit] = grid
    return Together(draft=draft, conflicts=conflicts)


def _replayed(units: Units, begun: Sequence[Hashable | None], log: Sequence[Edit]) -> Draft:
    draft = Draft(units, begun)
    draft.replay(log)
    return draft
