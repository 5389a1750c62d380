"""How much longer a slope takes than the flat: Tobler's hiking function, which differs up and down."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_FALL, _EASIEST = 3.5, 0.05
_STEEPEST = 1.0


def slope_factor(rise_m: Floats, run_m: Floats) -> Floats:
    """Return the speed on a slope as a share of the speed on the flat.

    Parameters
    ----------
    rise_m
        Metres gained in the direction of walking; negative downhill, NaN unknown.
    run_m
        Metres on the map; 0 where there is none.

    Returns
    -------
    array
        exp(-3.5 |s + 0.05|) / exp(-3.5 · 0.05) with s = rise / run: 1 on the flat and where the rise is unknown, 1.19 at
        5 % downhill. Steeper than 45 degrees is taken as 45: a wrong height must not close a path.

    Notes
    -----
    Tobler, W. (1993): Three presentations on geographical analysis and modeling, NCGIA TR 93-1.

    Examples
    --------
    >>> slope_factor(np.array([0.0, 10.0, -10.0]), np.array([100.0, 100.0, 100.0])).round(3)
    array([1.   , 0.705, 1.   ])
    """
    slope = np.divide(rise_m, run_m, out=np.zeros_like(run_m), where=run_m > 0)
    slope = np.clip(np.nan_to_num(slope, nan=0.0), -_STEEPEST, _STEEPEST)
    factor: Floats = np.exp(_FALL * (_EASIEST - np.abs(slope + _EASIEST)))
    return factor
