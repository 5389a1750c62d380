"""A few patrols of the last week as GPS tracks: along the lanes from point to point, a fix now and then."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse import csgraph

from township import writers
from township.checkins import SHANGHAI, on_duty
from township.checkpoints import Checkpoint, FootNet
from township.place import LAST_DAY, FloatArray, stream
from township.staff import Posting
from township.town import Town

HEADER = ("轨迹编号", "账号", "定位时间", "经度(WGS84)", "纬度(WGS84)", "定位精度")
PATROLS = ((2, 0, 9, 1.3, 20), (4, 9, 8, 1.2, 30), (5, 14, 15, 1.3, 60), (1, 21, 9, 6.0, 15), (3, 27, 16, 5.0, 30))
"""Days before the last, grid, hour of the start, metres a second, seconds between two fixes."""


def write_tracks(folder: Path, town: Town, points: list[Checkpoint], people: list[Posting]) -> None:
    """`tracks.csv`: each patrol visits the points of its grid in turn and stays a few minutes at each."""
    rng = stream(91)
    net = FootNet(town)
    rows: list[writers.Row] = []
    for days_ago, grid, hour, speed_m_s, step_s in PATROLS:
        day = LAST_DAY - timedelta(days=days_ago)
        stops = [p for p in points if p.grid == grid and p.is_visited and p.duty != "服务"]
        person = on_duty([p for p in people if p.grid_code == town.grids[grid].code], day)[0]
        seconds, way = _walk(rng, net, np.array([p.xy for p in stops]), speed_m_s=speed_m_s)
        at = np.arange(0, seconds[-1], step_s)
        accuracy = np.round(rng.uniform(5, 18, len(at)), 0)
        xy = np.column_stack([np.interp(at, seconds, way[:, axis]) for axis in (0, 1)])
        degrees = writers.to_degrees(xy + rng.normal(0, 0.5, xy.shape) * accuracy[:, None])
        start = datetime(day.year, day.month, day.day, hour, int(rng.integers(0, 50)), tzinfo=SHANGHAI)
        code = f"{person.userid}-{day:%m%d}"
        rows += [
            (code, person.userid, f"{start + timedelta(seconds=int(second)):%Y-%m-%d %H:%M:%S}", f"{lon:.6f}", f"{lat:.6f}",
             int(metres))
            for second, (lon, lat), metres in zip(at, degrees, accuracy, strict=True)
        ]  # fmt: skip
    writers.write_csv(folder / "tracks.csv", HEADER, rows)


def _walk(
    rng: np.random.Generator, net: FootNet, stops: FloatArray, *, speed_m_s: float
) -> tuple[FloatArray, FloatArray]:
    """Instants in seconds and places of a way along the lanes over all stops."""
    vertices = net.tree.query(stops)[1]
    seconds, way = [0.0], [stops[0]]
    for start, end in pairwise(vertices):
        seconds.append(seconds[-1] + float(rng.uniform(120, 420)))
        way.append(way[-1])
        _, before = csgraph.dijkstra(net.graph, directed=False, indices=start, return_predecessors=True)
        leg = [end]
        while leg[-1] != start and before[leg[-1]] >= 0:
            leg.append(before[leg[-1]])
        for vertex in leg[::-1]:
            seconds.append(seconds[-1] + max(0.1, float(np.hypot(*(net.xy[vertex] - way[-1])) / speed_m_s)))
            way.append(net.xy[vertex])
    return np.array([*seconds, seconds[-1] + 240]), np.array([*way, way[-1]])
