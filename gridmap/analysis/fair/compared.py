"""What each grid carries beside what the others let expect of one like it."""

from dataclasses import dataclass

import pandas as pd

from gridmap.analysis.fair.expected import Expected, expected_load, per_household
from gridmap.analysis.fair.funnel import funnel
from gridmap.analysis.fair.shrunken import past_ratio, shrunken_ratios

TERRAIN, DUTIES, PAST = "terrain", "duties", "past"
FACTORS = (TERRAIN, DUTIES, PAST)


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """The comparison of all grids.

    Parameters
    ----------
    table
        On the grids' index: the columns of `Expected.table`, `funnel` and `shrunken_ratios`.
    model
        What is expected of a grid.
    factors
        What it rests on beside households, of `FACTORS`; one without data is left out.
    """

    table: pd.DataFrame
    model: Expected
    factors: tuple[str, ...]


def compared(grids: pd.DataFrame, *, with_past: bool, alpha: float, interval_share: float) -> Compared:
    """Compare the incidents of every grid with what the other grids let expect.

    Parameters
    ----------
    grids
        `n_new`, `n_households`, `n_before` (incidents of the time before), `path_m`, `n_due` (both NaN where the layer is not known).
    with_past
        Whether a grid's own past counts; it never does where nothing happened before.
    alpha
        Share of the findings that may be false.
    interval_share
        How much of the true ratios the intervals shall hold.

    Raises
    ------
    ValueError
        If a number is out of range, or nobody lives anywhere.
    """
    factors = {
        name: per_household(grids[column], grids["n_households"])
        for name, column in ((TERRAIN, "path_m"), (DUTIES, "n_due"))
        if grids[column].notna().all()
    }
    past = past_ratio(grids["n_before"], grids["n_households"]) if with_past and grids["n_before"].sum() else None
    model = expected_load(grids["n_new"], grids["n_households"], factors, past=past)
    table = model.table.join(
        funnel(grids["n_new"], model.table["expected"], model.table["variance"] + model.dispersion, alpha=alpha)
    ).join(shrunken_ratios(grids["n_new"], model.table["expected"], share=interval_share))
    return Compared(table=table, model=model, factors=(*factors, PAST) if past is not None else tuple(factors))
