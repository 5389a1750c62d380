"""How the findings are said: the class with its sign, what it rests on, and the worst first."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from gridmap.reports.hotspots import HotspotsReport
from gridmap.ui.hotspots_view import class_words, why_words, worst_first

_ROW = {
    "name": "甲网格", "village_code": "1", "n_incidents": 12.0, "expected": 4.0, "n_near": 3, "n_around": 30.0,
    "expected_around": 20.0, "p": 0.02, "q": 0.04, "is_alone": False, "class": "hot", "beside": None,
}  # fmt: skip


def _row(**changed: object) -> pd.Series:
    return pd.Series({**_ROW, **changed}, dtype=object)


def _report(rows: list[dict[str, object]]) -> HotspotsReport:
    grids = pd.DataFrame([{**_ROW, **row} for row in rows], index=[f"G{at}" for at in range(len(rows))])
    return HotspotsReport(
        known_at=None, plan_on=date(2026, 1, 1), is_past_plan=False, unknown=None, hides_private=False, grids=grids, n_elsewhere=0, alpha=0.05,
        trend_first_on=date(2025, 1, 1), n_months=12, repeats=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "▲ 热点"),
        ({"class": "cold"}, "▼ 冷点"),
        ({"class": "not significant"}, "不显著"),
        ({"class": "not significant", "beside": "hot"}, "不显著（邻近热点）"),
        ({"class": "too few to say"}, "– 无法判断"),
    ],
)
def test_a_class_is_said_with_its_sign(changed: dict[str, object], words: str):
    assert class_words(_row(**changed)) == words


def test_a_finding_rests_on_the_grid_alone_or_with_its_neighbours():
    assert why_words(_row()) == "甲网格连同 3 个相邻网格：30 件，应有 20.0 件；若每户机会相同，偏离这么多的概率约 2%。"
    alone = why_words(_row(is_alone=True, p=1e-9))
    assert alone == "甲网格：12 件，应有 4.0 件；若每户机会相同，偏离这么多的概率不到 0.1%。"
    beside = why_words(_row(**{"class": "not significant", "beside": "hot"}))
    assert beside.endswith("但本网格自身并不突出，不算热点。")
    assert why_words(_row(expected=np.nan)) == "甲网格：没有登记住户，无法与户数相比。"


def test_the_worst_come_first_and_a_village_narrows():
    report = _report(
        [
            {"class": "too few to say", "n_incidents": 99.0},
            {"class": "cold", "n_incidents": 1.0},
            {"class": "hot", "n_incidents": 6.0},
            {"class": "not significant", "n_incidents": 5.0, "village_code": "2"},
            {"class": "hot", "n_incidents": 12.0},
        ]
    )
    assert worst_first(report, None).index.tolist() == ["G4", "G2", "G3", "G1", "G0"]
    assert worst_first(report, "2").index.tolist() == ["G3"]
