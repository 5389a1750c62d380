"""At which levels somebody may act, by hand for each kind of posting."""

import pandas as pd
import pytest

from gridmap.analysis.duties import levels_at, levels_of, posting_level
from tests.tiny import EAST_VILLAGE, GRIDS, TOWNSHIP, WEST_VILLAGE


def _duties(*rows: tuple[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["role", "grid_code"], dtype=object)


@pytest.mark.parametrize(
    ("role", "grid_code", "level"),
    [
        ("member", GRIDS[0], "member"), ("chief", GRIDS[0], "grid"), ("leader", GRIDS[0], "grid"),
        ("chief", WEST_VILLAGE, "village"), ("member", WEST_VILLAGE, "village"), ("chief", TOWNSHIP, "township"),
        ("leader", None, "township"), ("member", None, "township"),
    ],
)  # fmt: skip
def test_a_posting_has_one_level(role: str, grid_code: str | None, level: str):
    assert posting_level(role=role, grid_code=grid_code) == level


def test_a_code_of_no_grid_is_refused():
    with pytest.raises(ValueError, match="9, 12 or 15"):
        posting_level(role="member", grid_code="12")


EVERYTHING = _duties(("member", GRIDS[0]), ("chief", GRIDS[1]), ("chief", WEST_VILLAGE), ("leader", None))


@pytest.mark.parametrize(
    ("grid_code", "village_code", "levels"),
    [
        (GRIDS[0], WEST_VILLAGE, ("member", "village", "township")),
        (GRIDS[1], WEST_VILLAGE, ("grid", "village", "township")),
        (None, WEST_VILLAGE, ("member", "grid", "village", "township")),
        (GRIDS[2], EAST_VILLAGE, ("township",)),
        (None, EAST_VILLAGE, ("township",)),
        (None, None, ("township",)),
    ],
)
def test_only_those_who_serve_there_may_act(grid_code: str | None, village_code: str | None, levels: tuple[str, ...]):
    assert levels_at(EVERYTHING, grid_code=grid_code, village_code=village_code) == levels


def test_a_member_may_not_act_where_the_place_is_not_known():
    assert levels_at(_duties(("member", GRIDS[0])), grid_code=None, village_code=None) == ()
    assert levels_of(_duties(("member", GRIDS[0]))) == ("member",)


def test_without_postings_there_are_no_levels():
    assert levels_of(_duties()) == levels_at(_duties(), grid_code=GRIDS[0], village_code=WEST_VILLAGE) == ()
    assert levels_of(EVERYTHING) == ("member", "grid", "village", "township")
