"""Two planners' edits of one draft brought together: what only one changed is taken, what both changed is asked."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from gridmap.planning.draft import Draft
from gridmap.planning.edits import CutUnit, Edit, Open, Rename
from gridmap.planning.units import Units


@dataclass(frozen=True, kw_only=True, eq=False)
class Together:
    """Theirs, with what is mine on top.

    Parameters
    ----------
    draft
        The plan of both; where they disagree, as theirs, also in what a grid is called.
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
        if not _is_kept(draft, edit) and isinstance(edit, CutUnit):
            conflicts[edit.unit] = None
        if isinstance(edit, Rename) and edit.after in draft.grids and edit.before in before.grids:
            before.rename(edit.before, edit.after)
    _keep_labels(draft, mine=my_draft, begun=before)
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
    _retire_empty(draft, set(before.grids) - set(my_draft.grids))
    return Together(draft=draft, conflicts=conflicts)


def _is_kept(draft: Draft, edit: Edit) -> bool:
    """Do an edit of grids or of ground again where it still can be done; a cut that cannot is a conflict."""
    match edit:
        case Open() if edit.grid not in draft.grids:
            draft.open(edit.grid)
        case Rename() if edit.before in draft.grids and edit.after not in draft.grids:
            draft.rename(edit.before, edit.after)
        case CutUnit():
            if edit.unit not in draft.plan or any(piece in draft.plan for piece in edit.pieces):
                return False
            draft.replay([edit])
    return True


def _keep_labels(draft: Draft, *, mine: Draft, begun: Draft) -> None:
    for grid in set(mine.grids) & set(draft.grids):
        label = mine.label(grid)
        if label is not None and label != begun.label(grid) and draft.label(grid) == begun.label(grid):
            draft.relabel(grid, label)


def _retire_empty(draft: Draft, grids: set[Hashable]) -> None:
    for grid in grids & set(draft.grids):
        if not draft.state(grid).n_units:
            draft.retire(grid)


def _replayed(units: Units, begun: Sequence[Hashable | None], log: Sequence[Edit]) -> Draft:
    draft = Draft(units, begun)
    draft.replay(log)
    return draft
