"""The review of a province: so many synthetic townships in one run, its time, its memory, and one of them by itself.

    GRIDMAP_STATE_DIR=… gridmap demo
    GRIDMAP_STATE_DIR=… PYTHONPATH=. .venv/bin/python bench/province.py [--townships 100] [--folder DIR]

Each township is the sample with other codes, moved along by a quarter of a degree, with 60 to 100 % of its facts drawn anew:
none equals another. Run again with the same folder, the files are used as they are.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.analysis.review.frames import Frames, in_metres
from gridmap.analysis.review.month import review_of, review_row
from gridmap.crs import metric_epsg
from gridmap.reports.review.canonical import number
from gridmap.reports.review.province import review_province
from gridmap.reports.review.read import read_review_frames
from gridmap.reports.review.report import rules_of
from gridmap.reports.review.township_files import read_frames, write_frames
from gridmap.settings import settings
from gridmap.store.database import read_engine
from gridmap.store.places import Township, read_areas, read_townships

STEP_DEG, COLUMNS = 0.25, 20
FACTS = ("checkins", "fixes", "home_visits")


def recoded(rows: pd.DataFrame, old: str, new: str) -> pd.DataFrame:
    """Replace the township's code at the beginning of every text."""
    rows = rows.copy()
    names = [name for name in rows if name != "geometry" and rows[name].dtype.kind in "OT"]
    for name in names:
        rows[name] = [
            new + one[len(old) :] if isinstance(one, str) and one.startswith(old) else one for one in rows[name]
        ]
    if len(rows) and isinstance(rows.index[0], str):
        index = [new + one[len(old) :] if one.startswith(old) else one for one in rows.index]
        rows.index = pd.Index(index, name=rows.index.name)
    return rows


def township(frames: Frames, old: str, at: int, chance: np.random.Generator) -> tuple[Frames, str, float, float]:
    """One synthetic township: other code, other place, facts drawn anew."""
    new = f"{430000000 + 1000 * (at + 1) + 101}"
    east, north = STEP_DEG * (at % COLUMNS), STEP_DEG * (at // COLUMNS)
    layers: dict[str, Any] = {}
    share = chance.uniform(0.6, 1.0)
    kept = frames.incidents.index[chance.random(len(frames.incidents)) < share]
    for name, rows in vars(frames).items():
        if not isinstance(rows, pd.DataFrame):
            continue
        drawn = rows
        if name == "incidents":
            drawn = rows.loc[kept]
        elif name == "steps":
            drawn = rows[rows["incident_code"].isin(kept)]
        elif name in FACTS:
            drawn = rows[chance.random(len(rows)) < share]
        layer = recoded(drawn, old, new)
        moves = isinstance(layer, gpd.GeoDataFrame)
        layers[name] = layer.set_geometry(layer.geometry.translate(east, north)) if moves else layer
    return replace(frames, **layers), new, east, north


def generate(folder: Path, n: int, given: dict[str, Any]) -> None:
    with read_engine().connect() as connection:
        town = read_townships(connection)[0]
        frames = read_review_frames(connection, township_code=town.code, **given).frames
        land = read_areas(connection, township_code=town.code, level="township").geometry
    west, south, more_east, more_north = town.bounds
    for at in range(n):
        made, code, east, north = township(frames, town.code, at, np.random.default_rng(at))
        bounds = (west + east, south + north, more_east + east, more_north + north)
        one = Township(
            code=code, name=f"第{at + 1}乡", metric_epsg=metric_epsg((bounds[0] + bounds[2]) / 2), bounds=bounds
        )
        placed = land.translate(east, north).iloc[0]
        write_frames(made, one, placed, folder, month=given["month"], known_at=given["known_at"])
        if (at + 1) % 10 == 0:
            print(f"{at + 1} townships written", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--townships", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--checked", type=int, default=5)
    options = parser.parse_args()
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    zone = settings().zone
    month = (now.astimezone(zone).date().replace(day=1) - timedelta(days=1)).replace(day=1)
    given = {"month": month, "known_at": now, "zone": zone, "rules": rules_of(settings())}
    with tempfile.TemporaryDirectory() as fresh:
        folder = options.folder or Path(fresh)
        began = time.perf_counter()
        if not list(folder.glob("townships/*.parquet")):
            generate(folder, options.townships, given)
        made_s = time.perf_counter() - began
        began = time.perf_counter()
        figures, form = review_province(
            folder,
            progress=lambda done, of: print(f"{done}/{of}", file=sys.stderr) if done % 10 == 0 else None,
            **given,
        )
        run_s = time.perf_counter() - began
        n_equal = 0
        for code in figures.index[:: max(1, len(figures) // options.checked)]:
            frames = read_frames(folder, code, has_new_plan=False)
            epsg = int(gpd.read_parquet(folder / "townships" / f"{code}.parquet")["metric_epsg"].iloc[0])
            alone = review_row(review_of(in_metres(frames, epsg=epsg), **given))
            ours = figures.loc[code, alone.index]
            n_equal += all(
                (number(one) is None and pd.isna(other)) or number(one) == other
                for one, other in zip(alone, ours, strict=True)
            )
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    workers_s = usage[1].ru_utime + usage[1].ru_stime
    print(
        json.dumps(
            {
                "n_townships": len(figures),
                "n_faults": int(figures["fault"].notna().sum()),
                "n_rows_of_the_form": len(form),
                "generate_s": round(made_s, 1),
                "run_s": round(run_s, 1),
                "s_a_township": round(run_s / len(figures), 3),
                "processor_s_a_township": round(workers_s / len(figures), 3),
                "load": round(os.getloadavg()[0], 1),
                "n_checked_alone_and_equal": n_equal,
                "peak_mb_here": round(usage[0].ru_maxrss / 1024),
                "peak_mb_of_a_worker": round(usage[1].ru_maxrss / 1024),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
