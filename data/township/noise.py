"""Smooth random fields and curves."""

import numpy as np
from scipy import ndimage

from township.place import N_COLS, N_ROWS, FloatArray


def field(rng: np.random.Generator, *, wavelength_cells: float) -> FloatArray:
    """Smooth random field over the frame with mean 0 and standard deviation 1."""
    white = rng.standard_normal((N_ROWS, N_COLS))
    smooth = ndimage.gaussian_filter(white, wavelength_cells / 4, mode="wrap")
    return np.asarray((smooth - smooth.mean()) / smooth.std())


def fractal(rng: np.random.Generator, *, wavelength_cells: float, n_octaves: int) -> FloatArray:
    """Sum of fields, each half as wide and half as strong as the one before, standard deviation 1."""
    total = np.zeros((N_ROWS, N_COLS))
    for octave in range(n_octaves):
        total += field(rng, wavelength_cells=wavelength_cells / 2**octave) / 2**octave
    return np.asarray(total / total.std())


def curve(
    rng: np.random.Generator, points: list[tuple[float, float]], *, step_m: float, sway_m: float, wavelength_m: float
) -> FloatArray:
    """Winding line through `points`: a rounded polyline pushed sideways by smooth noise that is 0 at both ends."""
    corners = np.asarray(points, dtype=float)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    n = max(int(length[-1] / step_m), 4)
    at = np.linspace(0, length[-1], n)
    base = np.column_stack([np.interp(at, length, corners[:, k]) for k in (0, 1)])
    base = smooth_line(base, sigma=0.25 * wavelength_m / step_m)
    return sway(rng, base, step_m=step_m, sway_m=sway_m, wavelength_m=wavelength_m)


def sway(
    rng: np.random.Generator, line: FloatArray, *, step_m: float, sway_m: float, wavelength_m: float
) -> FloatArray:
    """Push a line of even steps sideways by smooth noise that is 0 at both ends."""
    n = len(line)
    tangent = np.gradient(line, axis=0)
    tangent /= np.hypot(*tangent.T)[:, None]
    push = ndimage.gaussian_filter1d(rng.standard_normal(n), wavelength_m / step_m / 4, mode="reflect")
    push *= sway_m / max(push.std(), 1e-9)
    at = np.arange(n) * step_m
    taper = np.minimum(1, np.minimum(at, at[-1] - at) / wavelength_m * 1.5)
    return np.asarray(line + (push * taper)[:, None] * np.column_stack([-tangent[:, 1], tangent[:, 0]]))


def smooth_line(line: FloatArray, *, sigma: float) -> FloatArray:
    """Gaussian smoothing that keeps both ends where they are."""
    pad = min(len(line) - 1, int(4 * sigma) + 1)
    head = 2 * line[0] - line[pad:0:-1]
    tail = 2 * line[-1] - line[-2 : -pad - 2 : -1]
    padded = np.vstack([head, line, tail])
    smooth = ndimage.gaussian_filter1d(padded, sigma, axis=0, mode="nearest")[pad : pad + len(line)]
    smooth[0], smooth[-1] = line[0], line[-1]
    return np.asarray(smooth)
