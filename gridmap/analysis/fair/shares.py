"""Shares that small grids can neither top nor end by chance: done of due, drawn towards the township's as far as grids are alike."""

import numpy as np
import pandas as pd
from scipy import special

# How alike grids are (size of the beta prior): from hardly to all the same, each as likely beforehand on a log scale.
_SIZES = np.geomspace(1.0, 10_000.0, 80)
_DIGITS = 12


def shrunken_shares(done: pd.Series, due: pd.Series) -> pd.DataFrame:
    """Estimate the true share of each grid and rank by it.

    Parameters
    ----------
    done
        Whole numbers, at most `due`.
    due
        Same index; whole numbers of at least 0.

    Returns
    -------
    DataFrame
        On the same index: `share` (done ÷ due), `shrunken` (mean of the true share) and `rank` (1 is the highest, equal ones
        share it), NaN where nothing was due.

    Raises
    ------
    ValueError
        If the indexes differ or a number lies outside its range.

    Notes
    -----
    Beta-binomial around the township's share m = Σ done ÷ Σ due: (done + m·size) ÷ (due + size), averaged over the sizes of
    the prior, each weighed by how well it explains all grids. 3 of 3 do not beat 95 of 96.
    """
    if not done.index.equals(due.index):
        raise ValueError("`done` and `due` must be of the same grids, in the same order.")
    made, asked = done.to_numpy(dtype=float), due.to_numpy(dtype=float)
    if not (np.isfinite(made) & np.isfinite(asked) & (made >= 0) & (made <= asked) & (made == np.floor(made))).all():
        raise ValueError("`done` must be whole numbers from 0 to `due`.")
    table = pd.DataFrame(np.nan, index=done.index, columns=["share", "shrunken", "rank"])
    known = asked > 0
    if not known.any():
        return table
    count, total = made[known, None], asked[known, None]
    mean = count.sum() / total.sum()
    table.loc[known, "share"] = made[known] / asked[known]
    if mean in (0.0, 1.0):
        table.loc[known, "shrunken"] = mean
    else:
        for_it, against = mean * _SIZES, (1 - mean) * _SIZES
        log_likelihood = (
            special.betaln(count + for_it, total - count + against) - special.betaln(for_it, against)
        ).sum(axis=0)
        likelihood = np.exp(log_likelihood - log_likelihood.max())
        table.loc[known, "shrunken"] = ((count + for_it) / (total + _SIZES)) @ (likelihood / likelihood.sum())
    table["rank"] = table["shrunken"].round(_DIGITS).rank(ascending=False, method="min")
    return table
