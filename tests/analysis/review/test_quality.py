"""Which facts of a month were recorded late."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

from gridmap.analysis.review.frames import month_span
from gridmap.analysis.review.quality import late_facts

BEGIN, END = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
SPAN = month_span(date(2026, 2, 1), known_at=datetime(2027, 1, 1, tzinfo=UTC), zone=UTC)
A_MOMENT, DAY = timedelta(microseconds=1), timedelta(hours=24)


def _facts(*rows: tuple[datetime, datetime]) -> pd.DataFrame:
    told = pd.DataFrame(rows, columns=["happened_at", "recorded_at"])
    return told.apply(pd.to_datetime, utc=True)


@pytest.mark.parametrize(
    ("happened", "recorded", "counts"),
    [
        (BEGIN - A_MOMENT, BEGIN, [0, 0, 0]),
        (BEGIN, BEGIN, [1, 0, 0]),
        (BEGIN, BEGIN + DAY, [1, 0, 0]),
        (BEGIN, BEGIN + DAY + A_MOMENT, [1, 1, 0]),
        (END - A_MOMENT, END - A_MOMENT, [1, 0, 0]),
        (END - A_MOMENT, END, [1, 0, 1]),
        (END, END + DAY + A_MOMENT, [0, 0, 0]),
    ],
)
def test_late_is_more_than_the_hours_and_after_the_month_from_its_midnight(
    happened: datetime, recorded: datetime, counts: list[int]
):
    layers = dict.fromkeys(("incidents", "steps", "checkins", "fixes", "home_visits"), _facts())
    frames = SimpleNamespace(**layers | {"checkins": _facts((happened, recorded))})
    found = late_facts(frames, SPAN, late_hours=24)
    assert found.loc["checkins"].tolist() == counts
    assert found.drop("checkins").to_numpy().sum() == 0
