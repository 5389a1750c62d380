"""The monthly review of the sample township: how long it takes, what it needs, and whether it comes out again.

    GRIDMAP_STATE_DIR=… gridmap demo
    GRIDMAP_STATE_DIR=… PYTHONPATH=. .venv/bin/python bench/review.py [--rounds 7]

No peer makes such a report; beside it stand two pages of the same data that people open daily.
"""

import argparse
import inspect
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from gridmap.exports.review import write_pack
from gridmap.exports.review_pictures import review_pictures
from gridmap.reports.coverage import coverage_report
from gridmap.reports.disputes import disputes_report
from gridmap.reports.review.canonical import digest_of, to_record
from gridmap.reports.review.ground import review_ground
from gridmap.reports.review.report import review_report, rules_of
from gridmap.settings import settings
from gridmap.store.database import read_engine
from gridmap.store.places import read_townships


def filled(report: Any, given: dict[str, Any]) -> dict[str, Any]:
    names = inspect.signature(report).parameters
    known = vars(settings()) | given
    return {name: known[name] for name in names if name in known}


def seconds(work: Any, rounds: int) -> list[float]:
    """Wall and processor seconds of the best of some rounds, the first left out."""
    times = []
    for _ in range(rounds + 1):
        wall, own = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - wall, time.process_time() - own))
    return [round(min(column), 3) for column in zip(*times[1:], strict=True)]


def command(month: str) -> dict[str, Any]:
    """The whole of `gridmap review MONTH --out DIR` in a process of its own: its wall seconds and the most memory it held."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        gridmap = Path(sys.executable).with_name("gridmap")
        subprocess.run([gridmap, "review", month, "--out", Path(folder, "pack")], check=True, capture_output=True)
        wall = time.perf_counter() - began
    # The largest of the children, and there was one; Linux tells kibibytes.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return {"seconds": round(wall, 2), "peak_mb": round(peak / 1e6, 1), "peak_mib": round(peak / 2**20, 1)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    now = datetime.now(UTC)
    last = now.astimezone(settings().zone).date().replace(day=1) - timedelta(days=1)
    with read_engine().connect() as connection:
        town = read_townships(connection)[0]
        given = {
            "township_code": town.code, "first_on": last.replace(day=1), "last_on": last, "now": now, "kind": "dispute",
            "category": None, "village_code": None, "duty": None, "hides_private": False, "month": f"{last:%Y-%m}", "known_at": now,
            "rules": rules_of(settings()), "zone": settings().zone,
        }  # fmt: skip
        # First, while this process is small: Linux counts the parent's size as the child's until it has begun.
        found: dict[str, Any] = {"command": command(f"{last:%Y-%m}")}
        for report in (coverage_report, disputes_report, review_report):
            options = filled(report, given)
            found[report.__name__] = seconds(lambda one=report, o=options: one(connection, **o), rounds)
        made = [review_report(connection, **filled(review_report, given)) for _ in range(2)]
        with tempfile.TemporaryDirectory() as folder:
            ground = review_ground(connection, report=made[0])
            found["ground"] = seconds(lambda: review_ground(connection, report=made[0]), 2)
            found["pictures"] = seconds(lambda: review_pictures(made[0], ground), 2)
            found["pack"] = seconds(lambda: write_pack(made[0], Path(folder, "pack"), ground=ground), 2)
            found["pack_mb"] = round(sum(file.stat().st_size for file in Path(folder, "pack").rglob("*")) / 1e6, 1)
        found["record"] = seconds(lambda: digest_of(to_record(made[0])), 2)
    found["is_reproduced"] = digest_of(to_record(made[0])) == digest_of(to_record(made[1]))
    found["n_figures"], found["n_tables"] = len(made[0].figures), len(made[0].tables)
    found["load"] = round(os.getloadavg()[0], 1)
    found["on"] = f"{date.today()}"  # noqa: DTZ011
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
