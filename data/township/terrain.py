"""Hills, the river and its side valleys on a raster of 25 m cells."""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage

from township import noise
from township.place import CELL_M, N_COLS, N_ROWS, BoolArray, FloatArray, stream

RIVER_HALF_WIDTH_M = 27.0

SIDE_VALLEYS: dict[str, list[tuple[float, float]]] = {
    "塘湾": [(1500, 8900), (2200, 7700), (3050, 6300), (3500, 5300)],
    "枫树坪": [(5300, 9500), (5700, 8300), (5600, 7200), (5450, 5700)],
    "龙口": [(8900, 9300), (8300, 8200), (8150, 6900), (7500, 5700)],
    "荷叶塘": [(10700, 8900), (10450, 7900), (10350, 6900), (9950, 5600)],
    "桐木": [(9900, 800), (9100, 1900), (8550, 3050), (8150, 4100)],
    "上洲": [(6500, 400), (6100, 1700), (5950, 2950), (5800, 4300)],
    "白鹭": [(1700, 1100), (2500, 2300), (3050, 3400), (3500, 4400)],
}


@dataclass(frozen=True)
class Terrain:
    """Heights and slopes on the raster, the river's middle line and the lines of the side valleys (local metres)."""

    height_m: FloatArray
    slope: FloatArray
    ridge: FloatArray
    roughness: FloatArray
    river_line: shapely.LineString
    river: shapely.Polygon
    river_cells: BoolArray
    brooks: dict[str, shapely.LineString]
    river_distance_m: FloatArray
    valley_distance_m: FloatArray


def cell_centres() -> tuple[FloatArray, FloatArray]:
    """X and y of every cell's centre, rows from south to north."""
    x = (np.arange(N_COLS) + 0.5) * CELL_M
    y = (np.arange(N_ROWS) + 0.5) * CELL_M
    grid = np.meshgrid(x, y)
    return grid[0], grid[1]


def cell_of(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Row and column of the cells that hold `points` (local metres), clipped to the frame."""
    cells = np.floor(np.atleast_2d(points) / CELL_M).astype(int)
    return np.clip(cells[:, 1], 0, N_ROWS - 1), np.clip(cells[:, 0], 0, N_COLS - 1)


def burn(line: shapely.LineString) -> BoolArray:
    """Cells that a line passes."""
    mask = np.zeros((N_ROWS, N_COLS), dtype=bool)
    along = shapely.line_interpolate_point(line, np.arange(0, line.length, CELL_M / 3))
    mask[cell_of(shapely.get_coordinates(along))] = True
    return mask


def _river_line(rng: np.random.Generator) -> shapely.LineString:
    """Draw a sine-generated curve, the shape that rivers take: its direction swings as a sine of the way travelled."""
    step_m = 20.0
    n = 900
    way = np.arange(n) * step_m
    wavelength = 2500 * (1 + 0.22 * noise.smooth_line(rng.standard_normal((n, 1)), sigma=60)[:, 0] * 4)
    swing = np.cumsum(2 * np.pi * step_m / np.clip(wavelength, 1500, 4200))
    angle = 0.98 * np.sin(swing + 0.7) + 0.33 * np.sin(swing * 0.43 + 2.0) + 0.16 * np.sin(2.2 * swing + way / 3000)
    track = np.cumsum(np.column_stack([np.cos(angle), np.sin(angle)]) * step_m, axis=0)
    start, end = np.array([-150.0, 4550.0]), np.array([N_COLS * CELL_M + 150, 4900.0])
    run = track[-1] - track[0]
    turn = np.arctan2(*(end - start)[::-1]) - np.arctan2(*run[::-1])
    scale = np.hypot(*(end - start)) / np.hypot(*run)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return shapely.LineString(start + (track - track[0]) @ spin.T * scale)


def _brook(
    rng: np.random.Generator, points: list[tuple[float, float]], river: shapely.LineString
) -> shapely.LineString:
    mouth = shapely.get_coordinates(river.interpolate(river.project(shapely.Point(points[-1]))))[0]
    line = noise.curve(rng, [*points, (mouth[0], mouth[1])], step_m=20, sway_m=75, wavelength_m=700)
    brook = shapely.LineString(line)
    cut = shapely.get_parts(brook.difference(river.buffer(1.0)))
    first = cut[0]
    return shapely.LineString(
        np.vstack(
            [
                shapely.get_coordinates(first),
                shapely.get_coordinates(river.interpolate(river.project(shapely.Point(first.coords[-1])))),
            ]
        )
    )


def build_terrain() -> Terrain:
    """Heights that rise from the valley floors to ridges, with the river and the brooks at their feet."""
    rng = stream(1)
    river_line = _river_line(rng)
    river = shapely.simplify(river_line.buffer(RIVER_HALF_WIDTH_M, cap_style="flat"), 0.8)
    brooks = {name: _brook(rng, points, river_line) for name, points in SIDE_VALLEYS.items()}
    to_river = ndimage.distance_transform_edt(~burn(river_line)) * CELL_M
    brook_cells = np.any([burn(brook) for brook in brooks.values()], axis=0)
    to_brook = ndimage.distance_transform_edt(~brook_cells) * CELL_M
    wide = noise.field(rng, wavelength_cells=70)
    floor_river = np.maximum(to_river - 480 - 130 * wide, 0)
    floor_brook = np.maximum(to_brook - 200 - 70 * wide, 0) * 1.1
    rise = np.minimum(floor_river, floor_brook)
    hills = noise.fractal(rng, wavelength_cells=64, n_octaves=5)
    strength = np.clip(rise / 450, 0, 1)
    height = 72 + 0.2 * rise + 42 * strength * hills + 0.004 * np.minimum(to_river, 3000)
    height = np.round(ndimage.gaussian_filter(height, 1.2), 4)
    grad_y, grad_x = np.gradient(height, CELL_M)
    slope = np.round(np.hypot(grad_x, grad_y), 5)
    ridge = np.round(height - ndimage.gaussian_filter(height, 11), 4)
    roughness = np.round(noise.fractal(rng, wavelength_cells=16, n_octaves=4), 4)
    x, y = cell_centres()
    river_cells = shapely.contains_xy(river.buffer(8), x, y)
    return Terrain(
        height,
        slope,
        ridge,
        roughness,
        river_line,
        river,
        river_cells,
        brooks,
        to_river,
        np.minimum(to_river, to_brook),
    )
